//! Schemas of real shape, of which nothing but the text is known: which of their tables get rows,
//! and that the rows satisfy every constraint.

use std::collections::BTreeMap;

use pgauntlet::run::{Base, RowsRequest};
use pgauntlet::scenario::Change;
use pgauntlet::stats::grouped;
use rstest::rstest;

use crate::example;
use crate::inferred::{self, Outcome};
use crate::migrated::migration;

/// Rows of each table. `ANY_SCHEMA_ROWS` says another number, of which nothing is demanded, and
/// `ANY_SCHEMA_MAJOR` another major: they are for `ci/any-schema`.
const ROWS: u64 = 2_000;

/// A schema of tests/schemas and what came of it when it was last measured.
struct Known {
    name: &'static str,
    text: &'static str,
    tables: usize,
    /// Tables that get rows, at least.
    filled: usize,
    /// What is known to be missing: each fault that is found has one of these texts. A schema that
    /// is met in full has none, and none may be added.
    open: &'static [&'static str],
}

const ALEMBIC: Known = Known {
    name: "alembic",
    text: include_str!("../schemas/alembic.sql"),
    tables: 18,
    filled: 18,
    open: &[],
};
const DJANGO: Known = Known {
    name: "django",
    text: include_str!("../schemas/django.sql"),
    tables: 33,
    filled: 33,
    open: &[],
};
const DUMP: Known = Known {
    name: "dump",
    text: include_str!("../schemas/dump.sql"),
    tables: 32,
    filled: 31,
    open: &[],
};
const MUSIC: Known = Known {
    name: "music",
    text: include_str!("../schemas/music.sql"),
    tables: 228,
    filled: 228,
    open: &[],
};
const PRISMA: Known = Known {
    name: "prisma",
    text: include_str!("../schemas/prisma.sql"),
    tables: 24,
    filled: 24,
    open: &[],
};
const RAILS: Known = Known {
    name: "rails",
    text: include_str!("../schemas/rails.sql"),
    tables: 30,
    filled: 30,
    open: &[],
};
const SAAS: Known = Known {
    name: "saas",
    text: include_str!("../schemas/saas.sql"),
    tables: 27,
    filled: 27,
    open: &[],
};

// 14 does not know NULLS NOT DISTINCT of dump.sql, nor SET NULL (column) of saas.sql.
#[rstest]
#[case::alembic_14(14, ALEMBIC)]
#[case::alembic_18(18, ALEMBIC)]
#[case::django_15(15, DJANGO)]
#[case::dump_15(15, DUMP)]
#[case::dump_18(18, DUMP)]
#[case::music_18(18, MUSIC)]
#[case::prisma_14(14, PRISMA)]
#[case::rails_15(15, RAILS)]
#[case::saas_18(18, SAAS)]
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_filled_from_its_text_alone(#[case] major: u32, #[case] known: Known) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rows = number("ANY_SCHEMA_ROWS");
    let major = number("ANY_SCHEMA_MAJOR").map_or(major, |other| other as u32);
    let asked = rows.unwrap_or(ROWS);
    let outcome = inferred::outcome(major, known.text, asked).await;
    let is_open = |fault: &String| known.open.iter().any(|open| fault.contains(open));
    let faults = inferred::faults(&outcome, asked);
    let new: Vec<&String> = faults.iter().filter(|fault| !is_open(fault)).collect();
    match &outcome {
        Ok(outcome) => println!("{}", row(known.name, major, outcome)),
        Err(_) => println!("| {} | {major} | refused |", known.name),
    }
    if rows.is_some() {
        return;
    }
    assert_eq!(new, [""; 0]);
    let Ok(outcome) = outcome else { return };
    assert_eq!(outcome.violated, [""; 0]);
    assert_eq!(outcome.changed, [""; 0]);
    assert!(outcome.made.tables.len() >= known.tables);
    assert!(outcome.filled() >= known.filled, "{}: {:#?}", outcome.filled(), outcome.made.remarks);
}

/// Operations of each kind that are driven, on average: about forty kinds, 200 a second.
const DRIVEN_EACH: u64 = 12;
/// Rows of each table under the traffic: enough for ranges, and soon loaded.
const ROWS_UNDER_TRAFFIC: u64 = 500;

#[rstest]
#[case::alembic(14, ALEMBIC)]
#[case::django(15, DJANGO)]
#[case::dump(18, DUMP)]
#[case::music(15, MUSIC)]
#[case::prisma(18, PRISMA)]
#[case::rails(14, RAILS)]
#[case::saas(15, SAAS)]
#[tokio::test(flavor = "multi_thread")]
async fn no_operation_of_the_application_fails(#[case] major: u32, #[case] known: Known) {
    let made = inferred::make(major, known.text, ROWS_UNDER_TRAFFIC).await;
    let made = made.unwrap_or_else(|error| panic!("failed to {error}"));
    let scenario = example::load(&made.files).expect("a scenario");
    let outcomes = inferred::driven(major, &scenario, DRIVEN_EACH).await;
    assert_eq!(outcomes.len(), scenario.traffic.operations.len(), "each has had its turn");
    let failed: BTreeMap<_, _> = outcomes.iter().filter(|(_, of)| !of.failed.is_empty()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Keys of several columns, of which one refers to rows of another table, is one of a few values,
/// or an instant; and documents that differ.
const KEYS: &str = "
CREATE TYPE region AS ENUM ('north', 'south', 'east');
CREATE TABLE tenants (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (
    tenant_id int NOT NULL REFERENCES tenants,
    id bigint NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (tenant_id, id));
CREATE TABLE policies (region region, id bigint, note text NOT NULL, PRIMARY KEY (region, id));
CREATE TABLE readings (at timestamptz, id bigint, note text NOT NULL, PRIMARY KEY (at, id))
    PARTITION BY RANGE (at);
CREATE TABLE readings_all PARTITION OF readings DEFAULT;
CREATE TABLE levels (
    level int, id bigint, day date, note text NOT NULL, PRIMARY KEY (level, day, id));
CREATE TABLE documents (
    id serial PRIMARY KEY,
    body jsonb NOT NULL UNIQUE,
    settings jsonb NOT NULL UNIQUE CHECK (jsonb_typeof(settings) = 'object'),
    list jsonb NOT NULL UNIQUE CHECK (jsonb_typeof(list) = 'array'));";

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_found_by_a_key_of_several_columns() {
    let outcome = inferred::outcome(15, KEYS, ROWS_UNDER_TRAFFIC).await;
    assert_eq!(inferred::faults(&outcome, ROWS_UNDER_TRAFFIC), [""; 0]);
    let made = outcome.expect("made").made;
    let scenario = example::load(&made.files).expect("a scenario");
    let outcomes = inferred::driven(15, &scenario, DRIVEN_EACH).await;
    for table in ["users", "policies", "readings", "levels"] {
        for does in ["read", "update", "insert"] {
            let name = format!("{does}-public-{table}");
            let of = outcomes.get(&name).unwrap_or_else(|| panic!("{name}: {:#?}", made.left_out));
            assert_eq!(of.failed, [""; 0], "{name}");
            assert!(of.succeeded > 0 && of.empty * 10 <= of.succeeded, "{name}: {of:?}");
        }
    }
}

/// Tables of saas.sql that the application adds no rows to: a list of codes, a tenant that is made
/// together with its owner, and one that has as many rows as its keys agree on.
const NOT_ADDED_TO: [&str; 3] = ["currencies", "tenants", "subscription_items"];

/// Keys that share the tenant's column refer to rows that agree.
#[tokio::test(flavor = "multi_thread")]
async fn tables_whose_keys_have_to_agree_get_new_rows() {
    let base = Base::Script { path: "schema.sql".into(), text: SAAS.text.to_owned() };
    let created = SAAS.text.lines().filter_map(|line| line.strip_prefix("create table "));
    let tables: Vec<&str> = created.filter_map(|rest| rest.split([' ', '(']).next()).collect();
    assert_eq!(tables.len(), SAAS.tables);
    let mut without = Vec::new();
    // An application uses as many.
    for part in tables.chunks(9) {
        let texts = part.iter().map(|table| format!("ALTER TABLE {table} ADD COLUMN extra int;"));
        let change = Change::of(vec![migration("1", &texts.collect::<String>())]);
        let rows = RowsRequest { each: ROWS_UNDER_TRAFFIC, concerned: None, of: &[] };
        let made = inferred::make_for(16, &base, Some(&change), rows).await;
        let made = made.unwrap_or_else(|error| panic!("failed to {error}"));
        let mut scenario = example::load(&made.files).expect("a scenario");
        scenario.traffic.operations.retain(|operation| operation.name.starts_with("insert-"));
        let outcomes = inferred::driven(16, &scenario, DRIVEN_EACH).await;
        for table in part {
            let name = format!("insert-public-{}", table.replace('_', "-"));
            let of = outcomes.get(&name).cloned().unwrap_or_default();
            assert_eq!(of.failed, [""; 0], "{name}");
            if of.succeeded == of.empty {
                without.push((*table).to_owned());
            }
        }
    }
    assert_eq!(without, NOT_ADDED_TO);
}

/// Keys of which no value counts from 1, and more rows than values are drawn.
const BOUNDED: &str = r"
CREATE DOMAIN ean13 AS bigint CHECK (VALUE BETWEEN 1000000000000 AND 9999999999999);
CREATE TABLE products (id bigserial PRIMARY KEY, ean ean13 UNIQUE);
CREATE TABLE articles (
    ean bigint UNIQUE CHECK (ean BETWEEN 1000000000000 AND 9999999999999), t text);
CREATE TABLE invoices (number bigint PRIMARY KEY CHECK (number >= 100000 AND number < 10000000));
CREATE TABLE entries (number int PRIMARY KEY CHECK (number BETWEEN -50000 AND -10));
CREATE TABLE amounts (amount numeric(10,2) PRIMARY KEY CHECK (amount > 1000 AND amount < 1090));
CREATE TABLE days (day date PRIMARY KEY CHECK (day >= '2024-03-01'));
CREATE TABLE moments (at timestamptz PRIMARY KEY CHECK (at > '2024-03-01 00:00:00+00'));
CREATE TABLE customers (id text PRIMARY KEY CHECK (id ~ '^cus_[A-Za-z0-9]{14}$'));
CREATE TABLE events (ulid char(26) PRIMARY KEY CHECK (ulid ~ '^[0-9A-HJKMNP-TV-Z]{26}$'));
CREATE TABLE tokens (token text PRIMARY KEY CHECK (length(token) = 64 AND token ~ '^[0-9a-f]+$'));
CREATE TABLE accounts (
    phone text NOT NULL UNIQUE CHECK (phone ~ '^\+[1-9]\d{6,14}$'),
    iban text NOT NULL UNIQUE CHECK (iban ~ '^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$'),
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9-]{3,63}$' AND slug NOT LIKE '-%'));";

/// Numbers go on from a bound, and a number takes the place of a text's end.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_do_not_count_from_one_are_filled() {
    let rows = 6_000;
    let outcome = inferred::outcome(16, BOUNDED, rows).await;
    assert_eq!(inferred::faults(&outcome, rows), [""; 0]);
    let made = outcome.expect("made").made;
    let others = made.tables.iter().filter(|(_, found)| **found != rows);
    let others: Vec<_> = others.collect();
    assert!(others.is_empty(), "{others:?}: {:#?}", made.remarks);
}

/// Foreign keys to their own table that share a column with another key, and one that asks more of
/// its own column than that it is there.
const OWN_TENANT: &str = "\
CREATE TABLE tenants (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE members (
    tenant_id int NOT NULL REFERENCES tenants, id bigint NOT NULL, manager_id bigint,
    email text NOT NULL, PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, email),
    FOREIGN KEY (tenant_id, manager_id) REFERENCES members (tenant_id, id));
CREATE TABLE notes (
    tenant_id int NOT NULL REFERENCES tenants, id bigint NOT NULL, author_id bigint NOT NULL,
    parent_id bigint, PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, author_id) REFERENCES members,
    FOREIGN KEY (tenant_id, parent_id) REFERENCES notes);
CREATE TABLE pages (
    site int NOT NULL, path bigint NOT NULL, up_path bigint, PRIMARY KEY (site, path),
    FOREIGN KEY (site, up_path) REFERENCES pages);
CREATE TABLE issues (
    tenant_id int NOT NULL REFERENCES tenants, num int NOT NULL, parent_num int,
    PRIMARY KEY (tenant_id, num), CHECK (parent_num < num),
    FOREIGN KEY (tenant_id, parent_num) REFERENCES issues);";

/// Such a row refers to itself, or is said to have no value.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_refers_to_one_of_its_own_tenant() {
    let outcome = inferred::outcome(16, OWN_TENANT, ROWS_UNDER_TRAFFIC).await;
    assert_eq!(inferred::faults(&outcome, ROWS_UNDER_TRAFFIC), [""; 0]);
    let made = outcome.expect("made").made;
    let scenario = example::load(&made.files).expect("a scenario");
    for (table, column) in [("members", "manager_id"), ("notes", "parent_id"), ("pages", "up_path")]
    {
        let name = format!("public.{table}");
        let table = scenario.tables.iter().find(|table| table.name == name).expect("a table");
        let column = table.columns.iter().find(|of| of.name == column).expect("a column");
        assert!(table.unfilled.is_empty(), "{table:?}");
        assert!((0.01..0.5).contains(&column.null_fraction), "{column:?}");
    }
    let unfilled = scenario.tables.iter().flat_map(|table| table.unfilled.keys());
    assert_eq!(unfilled.collect::<Vec<_>>(), ["parent_num"]);
    let outcomes = inferred::driven(16, &scenario, DRIVEN_EACH).await;
    for (name, of) in &outcomes {
        assert_eq!(of.failed, [""; 0], "{name}");
    }
    assert!(outcomes["insert-public-members"].succeeded > 0, "{:#?}", made.left_out);
}

/// Tables of which no column may change by itself.
const TUPLES: &str = "\
CREATE TABLE stock (
    id bigint PRIMARY KEY, on_hand int NOT NULL, reserved int NOT NULL,
    CHECK (reserved BETWEEN 0 AND on_hand));
CREATE TABLE steps (
    id bigint PRIMARY KEY, state text NOT NULL CHECK (state IN ('todo', 'done')),
    done_at timestamptz, CHECK ((state = 'done') = (done_at IS NOT NULL)));
CREATE TABLE codes (
    a int NOT NULL, b int NOT NULL, PRIMARY KEY (a, b), CHECK (a < b));";

/// All columns of such a tuple change in one UPDATE; those of a key do not.
#[tokio::test(flavor = "multi_thread")]
async fn columns_that_share_a_check_change_together() {
    let outcome = inferred::outcome(16, TUPLES, ROWS_UNDER_TRAFFIC).await;
    let made = outcome.expect("made").made;
    let scenario = example::load(&made.files).expect("a scenario");
    let updates = scenario.traffic.operations.iter().filter(|o| o.name.starts_with("update-"));
    let updates: BTreeMap<&str, &str> =
        updates.map(|o| (o.name.as_str(), o.statements[0].sql.as_str())).collect();
    let expected = [
        ("update-public-steps", "UPDATE public.steps SET state = $1, done_at = $2 WHERE id = $3"),
        (
            "update-public-stock",
            "UPDATE public.stock SET on_hand = $1, reserved = $2 WHERE id = $3",
        ),
    ];
    assert_eq!(updates, expected.into());
    assert!(made.left_out.iter().any(|why| why.starts_with("update of public.codes")));
    let outcomes = inferred::driven(16, &scenario, DRIVEN_EACH).await;
    for (name, _) in expected {
        assert_eq!((&outcomes[name].failed[..], outcomes[name].empty), (&[][..], 0), "{name}");
        assert!(outcomes[name].succeeded > 0, "{name}");
    }
}

/// What no values are known for in as many rows as were asked for, what has no more values at all,
/// and what is asked for with fewer rows.
const SHORT: &str = "\
CREATE TABLE shown (n int NOT NULL UNIQUE CHECK (n % 7 = 3));
CREATE TABLE named (n int NOT NULL UNIQUE CHECK (n % 7 = 3));
CREATE TABLE states (done boolean PRIMARY KEY, kind text NOT NULL);
CREATE TABLE kinds (kind text NOT NULL CHECK (kind IN ('a', 'b', 'c')), UNIQUE (kind));
CREATE TABLE sites (id smallserial PRIMARY KEY);
CREATE TABLE settings (version int NOT NULL);
CREATE UNIQUE INDEX one ON settings ((true));";

/// A table that could have more rows says how many were asked for, in the scenario's file.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_made_with_fewer_rows_says_so() {
    let base = Base::Script { path: "schema.sql".into(), text: SHORT.to_owned() };
    let of = [("named".to_owned(), 5)];
    let rows = RowsRequest { each: 40_000, concerned: None, of: &of };
    let made = inferred::make_for(16, &base, None, rows).await;
    let made = made.unwrap_or_else(|error| panic!("failed to {error}"));
    let scenario = example::load(&made.files).expect("a scenario");
    let asked = scenario.tables.iter().filter_map(|table| {
        let asked = table.asked.as_ref()?;
        Some((table.name.as_str(), asked.rows, asked.why.len()))
    });
    assert_eq!(asked.collect::<Vec<_>>(), [("public.shown", 40_000, 1)]);
    let rows: BTreeMap<&str, u64> =
        scenario.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
    assert_eq!((rows["public.states"], rows["public.kinds"]), (2, 3));
    assert_eq!((rows["public.sites"], rows["public.settings"]), (32_767, 1));
}

/// A row of the table in docs/any-schema.md, which `ci/any-schema` prints.
fn row(name: &str, major: u32, outcome: &Outcome) -> String {
    let lost: u64 = outcome.short.iter().map(|short| short.asked - short.loaded).sum();
    format!(
        "| {name} | {major} | {} | {} | {} | {} | {} | {} | {:.1} | {:.1} |",
        outcome.made.tables.len(),
        outcome.checks,
        outcome.foreign_keys,
        outcome.filled(),
        grouped(outcome.rows() - lost),
        grouped(lost),
        outcome.making.as_secs_f64(),
        outcome.loading.as_secs_f64(),
    )
}
