-- Statements of an invented application over saas.sql: every one names its tenant.

-- name: get_tenant :one
SELECT id, slug, legal_name FROM tenants WHERE id = $1;

-- name: get_user :one
SELECT id, email, full_name FROM users WHERE tenant_id = $1 AND id = $2;

-- name: customers_of_tenant :many
SELECT id, display_name, balance FROM customers
 WHERE tenant_id = :tenant_id AND deleted_at IS NULL ORDER BY created_at DESC LIMIT :limit;

-- name: customers_by_id :many
SELECT id, email FROM customers WHERE tenant_id = :tenant_id AND id = ANY (:ids);

-- name: open_invoices :many
SELECT i.id, i.number, c.display_name
  FROM invoices i JOIN customers c ON c.tenant_id = i.tenant_id AND c.id = i.customer_id
 WHERE i.tenant_id = $1 AND i.status = 'open' AND i.due_on < $2;

-- name: invoices_in :many
SELECT id, total FROM invoices WHERE tenant_id = @tenant AND status IN (@one, @other);

-- name: price_list :many
SELECT p.code, r.unit_amount FROM products p JOIN prices r ON (r.tenant_id, r.product_id) = (p.tenant_id, p.id)
 WHERE (p.tenant_id, p.id) = ($1, $2) AND r.active;

-- name: departments_below :many
SELECT id, name FROM departments WHERE tenant_id = :tenant_id AND path <@ :path;

-- name: add_product :one
INSERT INTO products (tenant_id, code, name, description)
VALUES (:tenant_id, upper('P_' || substr(md5(random()::text), 1, 20)), :name, :description)
RETURNING id;

-- name: set_budget!
UPDATE departments SET budget = $3 WHERE tenant_id = $1 AND id = $2;

-- name: rename_tenant!
UPDATE tenants SET legal_name = btrim('Tenant ' || left(md5(:seed), 8)) WHERE id = :id;

-- name: add_token :one
INSERT INTO api_tokens (tenant_id, user_id, name, token_hash, scopes)
VALUES (:tenant_id, :user_id, :name, sha256(gen_random_uuid()::text::bytea), '{read}')
RETURNING id;

-- name: use_currency!
INSERT INTO currencies (code, name) VALUES (:code, :name)
ON CONFLICT (code) DO UPDATE SET name = excluded.name;

-- name: move_department!
WITH head AS (SELECT tenant_id, id FROM users WHERE tenant_id = :tenant_id AND id = :user_id)
UPDATE departments d SET head_id = head.id FROM head
 WHERE d.tenant_id = head.tenant_id AND d.id = :department_id;

-- name: touch_customer!
SELECT balance FROM customers WHERE tenant_id = :tenant_id AND id = :id FOR UPDATE;
UPDATE customers SET phone = :phone WHERE tenant_id = :tenant_id AND id = :id;

-- name: new_uuid :one
SELECT uuid_v7();
