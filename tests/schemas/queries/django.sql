-- Statements of an invented shop over django.sql, in the forms that several tools write.

-- name: get_product :one
-- weight: 5
SELECT id, sku, title, price FROM catalog_product WHERE id = $1;

-- name: product_by_slug^
SELECT p.id, p.title, c.name AS category
  FROM catalog_product AS p
  JOIN catalog_category AS c ON c.id = p.category_id
 WHERE p.slug = :slug;

-- name: listOpenTickets :many
SELECT id, title, priority
  FROM helpdesk_ticket
 WHERE queue_id = @queue_id AND status IN (@first, @second) AND due_date < now() + @within::interval
 ORDER BY due_date
 LIMIT @page_size OFFSET @skip;

-- name: products_by_id :many
SELECT id, title FROM catalog_product WHERE id = ANY ($1::bigint[]);

-- name: users_by_email :many
SELECT id, username FROM accounts_user WHERE lower(email::text) = lower(sqlc.arg(email));

-- name: orders_between :many
SELECT o.id, o.number, u.username
  FROM orders_order o LEFT JOIN accounts_user u ON u.id = o.user_id
 WHERE o.placed_at BETWEEN :since AND :until AND o.total >= :least
 ORDER BY o.placed_at DESC LIMIT 20;

-- name: orders_page :many
SELECT id, number, placed_at FROM orders_order
 WHERE user_id = $1 AND (placed_at, id) < ($2, $3)
 ORDER BY placed_at DESC, id DESC LIMIT $4;

-- name: search_users :many
SELECT id, username FROM accounts_user WHERE username ILIKE '%' || :term || '%' LIMIT 10;

-- name: recent_lines :many
WITH recent AS (
    SELECT id AS order_id, user_id FROM orders_order WHERE user_id = :user_id
)
SELECT l.id, l.title FROM orders_orderline l JOIN recent r ON r.order_id = l.order_id
 WHERE r.user_id = :user_id AND l.quantity > :quantity;

-- name: open_ticket :one
INSERT INTO helpdesk_ticket
    (title, description, status, priority, created, modified, secret_key, queue_id, submitter_id)
VALUES ($1, $2, 1, $3, now(), now(), $4, $5, $6)
RETURNING id;

-- name: add_follow_up!
INSERT INTO helpdesk_followup (date, comment, public, ticket_id, user_id)
VALUES (now(), :comment, true, :ticket_id, :user_id);
UPDATE helpdesk_ticket SET modified = now() WHERE id = :ticket_id;

-- name: pay_order!
UPDATE orders_order SET status = 'paid', paid_at = now(), shipped_at = NULL, cancelled_at = NULL
 WHERE id = :id AND status IN ('placed', 'paid');

-- name: set_title!
UPDATE catalog_product SET title = :title, updated_at = now() WHERE id = :id;

-- name: set_stock!
INSERT INTO catalog_stockrecord
    (num_in_stock, num_allocated, low_stock_threshold, date_updated, product_id, warehouse_id)
VALUES (:in_stock, 0, :threshold, now(), :product_id, :warehouse_id)
ON CONFLICT (product_id, warehouse_id)
DO UPDATE SET num_in_stock = excluded.num_in_stock + catalog_stockrecord.num_allocated,
              date_updated = now();

-- name: tag_product!
INSERT INTO catalog_product_tags (product_id, tag_id)
SELECT p.id, t.id FROM catalog_product p, catalog_tag t WHERE p.id = :product AND t.id = :tag
ON CONFLICT DO NOTHING;

-- name: save_session!
INSERT INTO django_session (session_key, session_data, expire_date)
VALUES ($1, $2, now() + interval '14 days')
ON CONFLICT (session_key) DO UPDATE SET session_data = excluded.session_data;

-- name: register_user :one
INSERT INTO accounts_user (password, is_superuser, username, first_name, last_name, email, is_staff,
    is_active, date_joined, uuid, timezone, failed_logins, preferences)
VALUES (:password, false, :username, :first_name, :last_name, :email, false, true, now(), :uuid,
    'UTC', 0, '{}')
RETURNING id;

-- name: clear_log!
DELETE FROM django_admin_log WHERE id = :id;

-- name: days_of_orders :many
SELECT date_trunc(:unit, placed_at) AS day, count(*) FROM orders_order
 WHERE status = :status GROUP BY 1 HAVING count(*) > :least;
