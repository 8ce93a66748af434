-- Multi-tenant billing core.
--
-- House rules:
--   * every tenant-owned table has PRIMARY KEY (tenant_id, id) and all foreign
--     keys between tenant-owned tables carry tenant_id along
--   * money is numeric(12,2), currencies are ISO 4217 upper case
--   * rows are soft deleted through deleted_at; uniqueness only holds among the
--     living

begin;

create extension if not exists citext;
create extension if not exists btree_gist;
create extension if not exists ltree;

-- Time-ordered ids: 48 bits of milliseconds, version nibble 7, rest random.
create or replace function uuid_v7() returns uuid
language sql volatile parallel safe as $$
  select (
    lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(r, 14, 3)
    || substr(r, 17, 16)
  )::uuid
  from (select replace(gen_random_uuid()::text, '-', '') as r) s
$$;

create or replace function touch_updated_at() returns trigger
language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end $$;

create domain currency_code as char(3)
  constraint currency_code_upper check (value ~ '^[A-Z]{3}$');

create domain country_code as char(2)
  check (value ~ '^[A-Z]{2}$');

create domain email_address as citext
  check (value ~ '^[a-z0-9.!#$%&''*+/=?^_`{|}~-]+@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$');

create domain percentage as numeric(5,2)
  check (value >= 0 and value <= 100);

create domain amount as numeric(12,2);

create type subscription_status as enum ('trialing', 'active', 'past_due', 'paused', 'canceled');
create type invoice_status as enum ('draft', 'open', 'paid', 'void', 'uncollectible');
create type ledger_side as enum ('debit', 'credit');

---------------------------------------------------------------------- tenants

create table currencies (
  code        currency_code primary key,
  name        text not null,
  minor_unit  smallint not null default 2 check (minor_unit between 0 and 4),
  symbol      varchar(4)
);

insert into currencies (code, name, minor_unit, symbol) values
  ('EUR', 'Euro', 2, '€'),
  ('USD', 'US dollar', 2, '$'),
  ('GBP', 'Pound sterling', 2, '£'),
  ('CHF', 'Swiss franc', 2, null),
  ('JPY', 'Yen', 0, '¥');

create table tenants (
  id            uuid primary key default uuid_v7(),
  slug          text not null,
  legal_name    text not null check (legal_name = btrim(legal_name) and legal_name <> ''),
  country       country_code not null,
  currency      currency_code not null references currencies (code),
  owner_id      uuid not null,
  parent_id     uuid references tenants (id) on delete restrict,
  settings      jsonb not null default '{"plan": "free"}',
  suspended_at  timestamptz,
  suspended_for text,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  deleted_at    timestamptz,
  constraint tenants_slug_format check (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
  constraint tenants_settings_object check (jsonb_typeof(settings) = 'object'),
  constraint tenants_settings_plan check (settings ? 'plan' and settings ->> 'plan' in ('free', 'team', 'scale')),
  constraint tenants_suspension check ((suspended_at is null) = (suspended_for is null)),
  constraint tenants_parent_not_self check (parent_id <> id),
  constraint tenants_deleted_after_created check (deleted_at >= created_at)
);
create unique index tenants_slug_alive on tenants (slug) where deleted_at is null;
create trigger tenants_touch before update on tenants
  for each row execute function touch_updated_at();

create table users (
  tenant_id      uuid not null references tenants (id) on delete cascade deferrable initially deferred,
  id             uuid not null default uuid_v7(),
  email          email_address not null,
  full_name      text not null check (char_length(full_name) between 1 and 200),
  password_hash  text,
  sso_subject    text,
  role           text not null default 'member' check (role in ('owner', 'admin', 'member', 'billing')),
  last_login_at  timestamptz,
  mfa_enrolled   boolean not null default false,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  deleted_at     timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, sso_subject),
  constraint users_can_log_in check (password_hash is not null or sso_subject is not null or deleted_at is not null),
  constraint users_password_is_bcrypt check (password_hash ~ '^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$'),
  constraint users_admins_have_mfa check (role not in ('owner', 'admin') or mfa_enrolled)
);
create unique index users_email_alive on users (tenant_id, email) where deleted_at is null;
create unique index users_one_owner on users (tenant_id) where role = 'owner' and deleted_at is null;
create trigger users_touch before update on users
  for each row execute function touch_updated_at();

-- The owner is a user of the same tenant: created together, checked at commit.
alter table tenants
  add constraint tenants_owner_fk foreign key (id, owner_id)
  references users (tenant_id, id) deferrable initially deferred;

create table api_tokens (
  tenant_id   uuid not null,
  id          uuid not null default uuid_v7(),
  user_id     uuid not null,
  name        varchar(60) not null,
  token_hash  bytea not null unique check (octet_length(token_hash) = 32),
  scopes      text[] not null default '{}' check (scopes <@ array['read', 'write', 'billing', 'admin']),
  allowed_ips cidr[],
  expires_at  timestamptz,
  revoked_at  timestamptz,
  created_at  timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
  check (expires_at > created_at),
  check (revoked_at >= created_at),
  check (array_position(scopes, null) is null)
);

-- Departments as a tree with materialised paths.
create table departments (
  tenant_id  uuid not null references tenants (id) on delete cascade,
  id         uuid not null default uuid_v7(),
  path       ltree not null,
  name       text not null,
  head_id    uuid,
  budget     amount check (budget >= 0),
  primary key (tenant_id, id),
  unique (tenant_id, path),
  foreign key (tenant_id, head_id) references users (tenant_id, id) on delete set null (head_id),
  constraint departments_depth check (nlevel(path) between 1 and 6)
);
create index departments_path on departments using gist (path);

---------------------------------------------------------------------- catalogue

create table products (
  tenant_id    uuid not null references tenants (id),
  id           uuid not null default uuid_v7(),
  code         text not null check (code ~ '^[A-Z0-9_]{2,32}$'),
  name         text not null,
  description  text,
  tax_code     varchar(10),
  metadata     jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  archived_at  timestamptz,
  created_at   timestamptz not null default now(),
  primary key (tenant_id, id)
);
create unique index products_code_live on products (tenant_id, code) where archived_at is null;

create table prices (
  tenant_id      uuid not null,
  id             uuid not null default uuid_v7(),
  product_id     uuid not null,
  currency       currency_code not null references currencies (code),
  kind           text not null check (kind in ('flat', 'per_unit', 'tiered')),
  unit_amount    amount,
  tiers          jsonb,
  interval_unit  text check (interval_unit in ('day', 'week', 'month', 'year')),
  interval_count smallint,
  trial_days     smallint not null default 0 check (trial_days between 0 and 365),
  active         boolean not null default true,
  primary key (tenant_id, id),
  unique (tenant_id, id, currency),
  foreign key (tenant_id, product_id) references products (tenant_id, id),
  constraint prices_amount_or_tiers check (
    case kind
      when 'tiered' then unit_amount is null and jsonb_typeof(tiers) = 'array' and jsonb_array_length(tiers) > 0
      else unit_amount is not null and unit_amount >= 0 and tiers is null
    end
  ),
  constraint prices_recurring_pair check ((interval_unit is null) = (interval_count is null)),
  constraint prices_interval_count check (interval_count > 0 and interval_count <= 36),
  constraint prices_trial_needs_interval check (trial_days = 0 or interval_unit is not null)
);

create table tax_rates (
  tenant_id   uuid not null references tenants (id),
  id          uuid not null default uuid_v7(),
  country     country_code not null,
  region      varchar(3),
  rate        percentage not null,
  valid       daterange not null,
  primary key (tenant_id, id),
  constraint tax_rates_bounded_below check (not isempty(valid) and lower(valid) is not null),
  constraint tax_rates_no_overlap exclude using gist (
    tenant_id with =, country with =, coalesce(region, '') with =, valid with &&
  )
);

create table coupons (
  tenant_id     uuid not null references tenants (id),
  id            uuid not null default uuid_v7(),
  code          citext not null,
  percent_off   percentage check (percent_off > 0),
  amount_off    amount check (amount_off > 0),
  currency      currency_code references currencies (code),
  duration      text not null default 'once' check (duration in ('once', 'repeating', 'forever')),
  months        smallint,
  redeem_by     timestamptz,
  max_redeems   integer check (max_redeems > 0),
  redeemed      integer not null default 0 check (redeemed >= 0),
  primary key (tenant_id, id),
  unique (tenant_id, code),
  check (num_nonnulls(percent_off, amount_off) = 1),
  check ((amount_off is null) = (currency is null)),
  check ((duration = 'repeating') = (months is not null)),
  check (redeemed <= max_redeems)
);

---------------------------------------------------------------------- customers

create table customers (
  tenant_id      uuid not null references tenants (id),
  id             uuid not null default uuid_v7(),
  number         bigint generated always as identity,
  kind           text not null check (kind in ('person', 'company')),
  given_name     text,
  family_name    text,
  company_name   text,
  vat_id         varchar(14) check (vat_id ~ '^[A-Z]{2}[A-Z0-9]{2,12}$'),
  email          email_address not null,
  phone          varchar(16) check (phone ~ '^\+[1-9]\d{1,14}$'),
  display_name   text generated always as (
                   case when kind = 'company' then company_name
                        else coalesce(given_name || ' ', '') || family_name end) stored,
  account_manager_id uuid,
  referred_by_id uuid,
  credit_limit   amount not null default 0 check (credit_limit between 0 and 1000000),
  balance        amount not null default 0,
  address        jsonb check (address is null or (jsonb_typeof(address) = 'object' and address ?& array['line1', 'city', 'country'])),
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  deleted_at     timestamptz,
  primary key (tenant_id, id),
  unique (number),
  foreign key (tenant_id, account_manager_id) references users (tenant_id, id) on delete set null (account_manager_id),
  foreign key (tenant_id, referred_by_id) references customers (tenant_id, id),
  constraint customers_names check (
    (kind = 'person' and family_name is not null and company_name is null)
    or (kind = 'company' and company_name is not null and given_name is null and family_name is null)
  ),
  constraint customers_only_companies_have_vat check (vat_id is null or kind = 'company'),
  constraint customers_within_credit check (balance >= -credit_limit),
  constraint customers_not_self_referred check (referred_by_id <> id)
);
create unique index customers_email_alive on customers (tenant_id, email) where deleted_at is null;
create unique index customers_vat_alive on customers (tenant_id, vat_id) where deleted_at is null and vat_id is not null;
create index customers_display_name on customers (tenant_id, lower(display_name));
create trigger customers_touch before update on customers
  for each row execute function touch_updated_at();

create table payment_methods (
  tenant_id    uuid not null,
  id           uuid not null default uuid_v7(),
  customer_id  uuid not null,
  type         text not null check (type in ('card', 'sepa_debit', 'bank_transfer')),
  card_brand   text check (card_brand in ('visa', 'mastercard', 'amex')),
  card_last4   char(4) check (card_last4 ~ '^\d{4}$'),
  exp_month    smallint check (exp_month between 1 and 12),
  exp_year     smallint check (exp_year between 2000 and 2099),
  iban         varchar(34) check (iban ~ '^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$'),
  is_default   boolean not null default false,
  detached_at  timestamptz,
  created_at   timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, customer_id, id),
  foreign key (tenant_id, customer_id) references customers (tenant_id, id) on delete cascade,
  constraint payment_methods_card check (
    (type = 'card') = (num_nonnulls(card_brand, card_last4, exp_month, exp_year) = 4)
    and (type = 'card' or num_nulls(card_brand, card_last4, exp_month, exp_year) = 4)
  ),
  constraint payment_methods_sepa check ((type = 'sepa_debit') = (iban is not null)),
  constraint payment_methods_default_attached check (not (is_default and detached_at is not null))
);
create unique index payment_methods_one_default on payment_methods (tenant_id, customer_id) where is_default;

-- Now that payment methods exist a customer can point back at one of its own.
alter table customers add column default_payment_method_id uuid;
alter table customers add constraint customers_default_payment_method_fk
  foreign key (tenant_id, id, default_payment_method_id)
  references payment_methods (tenant_id, customer_id, id)
  on delete set null (default_payment_method_id)
  deferrable initially immediate;

---------------------------------------------------------------------- subscriptions

create table subscriptions (
  tenant_id      uuid not null,
  id             uuid not null default uuid_v7(),
  customer_id    uuid not null,
  department_id  uuid,
  status         subscription_status not null default 'trialing',
  currency       currency_code not null,
  started_at     timestamptz not null default now(),
  trial_ends_at  timestamptz,
  paused_at      timestamptz,
  canceled_at    timestamptz,
  cancel_reason  text,
  coupon_id      uuid,
  metadata       jsonb not null default '{}',
  version        integer not null default 1 check (version > 0),
  primary key (tenant_id, id),
  unique (tenant_id, id, currency),
  unique (tenant_id, id, customer_id),
  foreign key (tenant_id, customer_id) references customers (tenant_id, id),
  foreign key (tenant_id, department_id) references departments (tenant_id, id),
  foreign key (tenant_id, coupon_id) references coupons (tenant_id, id),
  foreign key (currency) references currencies (code),
  constraint subscriptions_trial check (status <> 'trialing' or trial_ends_at is not null),
  constraint subscriptions_trial_after_start check (trial_ends_at > started_at),
  constraint subscriptions_paused check ((status = 'paused') = (paused_at is not null)),
  constraint subscriptions_canceled check ((status = 'canceled') = (canceled_at is not null)),
  constraint subscriptions_cancel_reason check (cancel_reason is null or canceled_at is not null)
);
create index subscriptions_customer on subscriptions (tenant_id, customer_id) where canceled_at is null;

create table subscription_items (
  tenant_id        uuid not null,
  subscription_id  uuid not null,
  line             smallint not null check (line > 0),
  price_id         uuid not null,
  currency         currency_code not null,
  quantity         integer not null default 1 check (quantity between 1 and 100000),
  primary key (tenant_id, subscription_id, line),
  unique (tenant_id, subscription_id, price_id),
  foreign key (tenant_id, subscription_id, currency) references subscriptions (tenant_id, id, currency) on delete cascade,
  foreign key (tenant_id, price_id, currency) references prices (tenant_id, id, currency)
);

create table billing_periods (
  tenant_id        uuid not null,
  id               uuid not null default uuid_v7(),
  subscription_id  uuid not null,
  period           tstzrange not null,
  closed           boolean not null default false,
  closed_at        timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, subscription_id) references subscriptions (tenant_id, id) on delete cascade,
  constraint billing_periods_bounded check (lower_inc(period) and not upper_inc(period) and not upper_inf(period) and not isempty(period)),
  constraint billing_periods_closed check (closed = (closed_at is not null)),
  constraint billing_periods_closed_after_end check (closed_at >= upper(period)),
  constraint billing_periods_no_overlap exclude using gist (tenant_id with =, subscription_id with =, period with &&)
);

create table usage_records (
  tenant_id        uuid not null,
  subscription_id  uuid not null,
  line             smallint not null,
  recorded_at      timestamptz not null,
  quantity         numeric(18,6) not null check (quantity >= 0),
  idempotency_key  uuid not null default gen_random_uuid(),
  source           inet,
  primary key (tenant_id, subscription_id, line, recorded_at),
  unique (tenant_id, idempotency_key),
  foreign key (tenant_id, subscription_id, line) references subscription_items (tenant_id, subscription_id, line) on delete cascade
);
create index usage_records_recorded_at on usage_records using brin (recorded_at);

---------------------------------------------------------------------- invoices

create table invoices (
  tenant_id        uuid not null references tenants (id),
  id               uuid not null default uuid_v7(),
  number           text,
  customer_id      uuid not null,
  subscription_id  uuid,
  period_id        uuid unique,
  status           invoice_status not null default 'draft',
  currency         currency_code not null references currencies (code),
  net              amount not null default 0 check (net >= 0),
  tax              amount not null default 0 check (tax >= 0),
  total            amount not null default 0,
  amount_paid      amount not null default 0,
  amount_due       amount generated always as (total - amount_paid) stored,
  issued_on        date,
  due_on           date,
  paid_at          timestamptz,
  voided_at        timestamptz,
  correction_of_id uuid,
  po_number        varchar(40),
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, number),
  unique (tenant_id, id, currency),
  foreign key (tenant_id, customer_id) references customers (tenant_id, id),
  -- an invoice of a subscription is addressed to the subscription's customer
  foreign key (tenant_id, subscription_id, customer_id) references subscriptions (tenant_id, id, customer_id),
  foreign key (tenant_id, period_id) references billing_periods (tenant_id, id),
  foreign key (tenant_id, correction_of_id) references invoices (tenant_id, id),
  constraint invoices_total check (total = net + tax),
  constraint invoices_paid check ((status = 'paid') = (paid_at is not null)),
  constraint invoices_paid_in_full check (status <> 'paid' or amount_paid = total),
  constraint invoices_amount_paid check (amount_paid between 0 and total),
  constraint invoices_void check ((status = 'void') = (voided_at is not null)),
  constraint invoices_draft_has_no_number check ((status = 'draft') = (number is null)),
  constraint invoices_number_format check (number ~ '^[A-Z]{1,4}-\d{4}-\d{5,}$'),
  constraint invoices_issued check (status = 'draft' or (issued_on is not null and due_on is not null)),
  constraint invoices_due_after_issue check (due_on >= issued_on),
  constraint invoices_period_needs_subscription check (period_id is null or subscription_id is not null),
  constraint invoices_not_self_correcting check (correction_of_id <> id)
);
create index invoices_open on invoices (tenant_id, due_on) where status = 'open';
create index invoices_customer on invoices (tenant_id, customer_id, issued_on desc);
create trigger invoices_touch before update on invoices
  for each row execute function touch_updated_at();

create table invoice_lines (
  tenant_id    uuid not null,
  invoice_id   uuid not null,
  line         smallint not null check (line between 1 and 999),
  kind         text not null,
  price_id     uuid,
  coupon_id    uuid,
  refund_of    smallint,
  description  text not null check (description !~ '^\s*$'),
  quantity     numeric(12,3) not null default 1,
  unit_net     amount not null,
  net          amount not null,
  tax_rate_id  uuid,
  tax          amount not null default 0,
  total        amount not null,
  primary key (tenant_id, invoice_id, line),
  foreign key (tenant_id, invoice_id) references invoices (tenant_id, id) on delete cascade,
  foreign key (tenant_id, price_id) references prices (tenant_id, id),
  foreign key (tenant_id, coupon_id) references coupons (tenant_id, id),
  foreign key (tenant_id, invoice_id, refund_of) references invoice_lines (tenant_id, invoice_id, line),
  foreign key (tenant_id, tax_rate_id) references tax_rates (tenant_id, id),
  constraint invoice_lines_one_origin check (num_nonnulls(price_id, coupon_id, refund_of) = 1),
  constraint invoice_lines_kind check (
    kind = case when price_id is not null then 'charge' when coupon_id is not null then 'discount' else 'refund' end
  ),
  constraint invoice_lines_sign check (case kind when 'charge' then net >= 0 else net <= 0 end),
  constraint invoice_lines_net check (net = round(quantity * unit_net, 2)),
  constraint invoice_lines_total check (total = net + tax),
  constraint invoice_lines_refund_earlier check (refund_of < line)
);

create table payments (
  tenant_id          uuid not null,
  id                 uuid not null default uuid_v7(),
  invoice_id         uuid not null,
  currency           currency_code not null,
  payment_method_id  uuid,
  amount             amount not null check (amount > 0),
  fee                amount not null default 0 check (fee >= 0),
  status             text not null default 'pending' check (status in ('pending', 'succeeded', 'failed', 'refunded')),
  failure_code       text,
  attempted_at       timestamptz not null default now(),
  settled_at         timestamptz,
  provider           text,
  provider_ref       text,
  primary key (tenant_id, id),
  foreign key (tenant_id, invoice_id, currency) references invoices (tenant_id, id, currency),
  foreign key (tenant_id, payment_method_id) references payment_methods (tenant_id, id),
  constraint payments_failure check ((status = 'failed') = (failure_code is not null)),
  constraint payments_settled check (case when status in ('succeeded', 'refunded') then settled_at is not null else settled_at is null end),
  constraint payments_settled_after check (settled_at >= attempted_at),
  constraint payments_fee_below_amount check (fee < amount),
  constraint payments_provider_pair check ((provider is null) = (provider_ref is null)),
  constraint payments_provider_ref unique (provider, provider_ref)
);
create unique index payments_one_pending on payments (tenant_id, invoice_id) where status = 'pending';

create table refunds (
  tenant_id    uuid not null,
  id           uuid not null default uuid_v7(),
  payment_id   uuid not null,
  amount       amount not null check (amount > 0),
  approver_id  uuid,
  requester_id uuid not null,
  approved_at  timestamptz,
  reason       text not null default 'requested_by_customer'
               check (reason = any (array['duplicate', 'fraudulent', 'requested_by_customer'])),
  primary key (tenant_id, id),
  foreign key (tenant_id, payment_id) references payments (tenant_id, id),
  foreign key (tenant_id, requester_id) references users (tenant_id, id),
  foreign key (tenant_id, approver_id) references users (tenant_id, id),
  check (approver_id <> requester_id),
  check ((approver_id is null) = (approved_at is null))
);

create table credit_notes (
  tenant_id   uuid not null,
  id          uuid not null default uuid_v7(),
  invoice_id  uuid not null,
  currency    currency_code not null,
  net         amount not null check (net > 0),
  tax         amount not null check (tax >= 0),
  total       amount not null,
  issued_on   date not null default current_date,
  memo        text check (octet_length(memo) <= 2000),
  primary key (tenant_id, id),
  foreign key (tenant_id, invoice_id, currency) references invoices (tenant_id, id, currency) match full,
  check (total = net + tax)
);

---------------------------------------------------------------------- attachments, ledger, audit

-- Exactly one of the three owners.
create table attachments (
  tenant_id    uuid not null references tenants (id) on delete cascade,
  id           uuid not null default uuid_v7(),
  customer_id  uuid,
  invoice_id   uuid,
  payment_id   uuid,
  file_name    text not null check (file_name !~ '[/\\]' and length(file_name) between 1 and 255),
  media_type   text not null check (media_type ~ '^[a-z]+/[a-z0-9.+-]+$'),
  byte_size    bigint not null check (byte_size > 0 and byte_size <= 52428800),
  sha256       char(64) not null check (sha256 ~ '^[0-9a-f]{64}$'),
  uploaded_by  uuid,
  primary key (tenant_id, id),
  foreign key (tenant_id, customer_id) references customers (tenant_id, id) on delete cascade,
  foreign key (tenant_id, invoice_id) references invoices (tenant_id, id) on delete cascade,
  foreign key (tenant_id, payment_id) references payments (tenant_id, id) on delete cascade,
  foreign key (tenant_id, uploaded_by) references users (tenant_id, id),
  constraint attachments_one_owner check (num_nonnulls(customer_id, invoice_id, payment_id) = 1)
);

create table ledger_accounts (
  tenant_id   uuid not null references tenants (id),
  code        text not null check (code ~ '^\d{4}(\.\d{2})*$'),
  parent_code text,
  name        text not null,
  normal_side ledger_side not null,
  currency    currency_code not null references currencies (code),
  primary key (tenant_id, code),
  foreign key (tenant_id, parent_code) references ledger_accounts (tenant_id, code),
  check (parent_code is null or (starts_with(code, parent_code) and length(code) > length(parent_code)))
);

-- An entry may be tied to an event of the outside world; both halves or neither.
create table external_events (
  provider   text not null,
  event_id   text not null,
  received_at timestamptz not null default now(),
  payload    jsonb not null check (jsonb_typeof(payload -> 'type') = 'string'),
  primary key (provider, event_id)
);

create table ledger_entries (
  tenant_id   uuid not null,
  id          bigint generated always as identity,
  account     text not null,
  side        ledger_side not null,
  amount      amount not null check (amount > 0),
  signed      amount generated always as (case side when 'debit'::ledger_side then amount else -amount end) stored,
  posted_at   timestamptz not null default now(),
  provider    text,
  event_id    text,
  reverses_id bigint,
  primary key (tenant_id, id),
  unique (tenant_id, reverses_id),
  foreign key (tenant_id, account) references ledger_accounts (tenant_id, code) on update cascade,
  foreign key (provider, event_id) references external_events (provider, event_id) match full,
  foreign key (tenant_id, reverses_id) references ledger_entries (tenant_id, id),
  check (reverses_id < id)
);
create index ledger_entries_account on ledger_entries (tenant_id, account, posted_at) include (signed);

create table dunning_steps (
  tenant_id    uuid not null,
  invoice_id   uuid not null,
  step         smallint not null check (step between 1 and 5),
  scheduled_on date not null,
  sent_at      timestamptz,
  channel      text not null check (channel in ('email', 'letter', 'phone')),
  fee          amount not null default 0,
  primary key (tenant_id, invoice_id, step),
  unique (tenant_id, invoice_id, scheduled_on),
  foreign key (tenant_id, invoice_id) references invoices (tenant_id, id) on delete cascade,
  constraint dunning_steps_fee check (fee = case when step < 3 then 0 else (step - 2) * 5 end)
);

create table exchange_rates (
  base   currency_code not null references currencies (code),
  quote  currency_code not null references currencies (code),
  day    date not null,
  rate   numeric(18,8) not null check (rate > 0),
  primary key (base, quote, day),
  check (base <> quote)
);

create table outbox (
  id           bigserial primary key,
  tenant_id    uuid references tenants (id) on delete set null,
  topic        text not null check (topic similar to '[a-z]+(.[a-z_]+)*'),
  body         jsonb not null,
  created_at   timestamptz not null default clock_timestamp(),
  dispatched_at timestamptz,
  attempts     smallint not null default 0,
  constraint outbox_dispatched check (dispatched_at is null or (attempts > 0 and dispatched_at >= created_at))
);
create index outbox_pending on outbox (id) where dispatched_at is null;

-- Invoice numbers must never be reused or changed.
create function invoices_freeze_number() returns trigger language plpgsql as $$
begin
  if old.number is not null and new.number is distinct from old.number then
    raise exception 'invoice % is already numbered', old.number using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger invoices_freeze_number before update of number on invoices
  for each row execute function invoices_freeze_number();

create view open_balances as
  select tenant_id, customer_id, currency, sum(amount_due) as due, min(due_on) as oldest
  from invoices where status = 'open' group by 1, 2, 3;

commit;
