//! Rows that are made for a change fit what it demands, where the schema of before it allows that;
//! what the application breaks is not wished away.

use pgauntlet::pg::split;
use pgauntlet::run::{Base, InferredScenario, RowsRequest};
use pgauntlet::scenario::{Change, TransactionRule};
use rstest::rstest;

use crate::migrated::migration;
use crate::{example, inferred};

const MAJOR: u32 = 16;
const ROWS: u64 = 2_000;

const SCHEMA: &str = "
CREATE TABLE categories (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE items (
    id bigserial PRIMARY KEY, category_id int NOT NULL, parent_ref bigint, code text NOT NULL,
    status text NOT NULL DEFAULT 'draft', external_ref text, amount_txt varchar(20) NOT NULL,
    qty int NOT NULL, meta text, created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now());
CREATE INDEX ON items (category_id);
CREATE INDEX ON items (created_at);";

async fn made(change: &str) -> InferredScenario {
    let base = Base::Script { path: "schema.sql".into(), text: SCHEMA.to_owned() };
    let transaction = TransactionRule::None;
    let change = Change { transaction, ..Change::of(vec![migration("1", change)]) };
    let rows = RowsRequest { each: ROWS, concerned: None, of: &[] };
    let made = inferred::make_for(MAJOR, &base, Some(&change), rows).await;
    made.unwrap_or_else(|error| panic!("failed to {error}"))
}

/// What is said of the change's demands.
fn said(made: &InferredScenario) -> Vec<&str> {
    let own = made.remarks.iter().filter(|remark| remark.about == "the change");
    own.map(|remark| remark.text.as_str()).collect()
}

#[rstest]
#[case::foreign_key(
    "ALTER TABLE items ADD CONSTRAINT fits FOREIGN KEY (category_id) \
    REFERENCES categories NOT VALID; ALTER TABLE items VALIDATE CONSTRAINT fits"
)]
#[case::of_itself(
    "ALTER TABLE items ADD CONSTRAINT fits FOREIGN KEY (parent_ref) \
    REFERENCES items NOT VALID; ALTER TABLE items VALIDATE CONSTRAINT fits"
)]
#[case::unique("CREATE UNIQUE INDEX CONCURRENTLY fits ON items (external_ref)")]
#[case::unique_in_part("CREATE UNIQUE INDEX fits ON items (lower(code)) WHERE status <> 'gone'")]
#[case::not_null(
    "ALTER TABLE items ADD CONSTRAINT fits CHECK (meta IS NOT NULL) NOT VALID;\
    ALTER TABLE items VALIDATE CONSTRAINT fits; ALTER TABLE items ALTER meta SET NOT NULL"
)]
#[case::pattern(
    "ALTER TABLE items ADD CONSTRAINT fits CHECK (code ~ '^[A-Z]{2,4}-[0-9]+$') \
    NOT VALID; ALTER TABLE items VALIDATE CONSTRAINT fits"
)]
#[case::of_two("ALTER TABLE items ADD CONSTRAINT fits CHECK (qty > 10 OR meta IS NOT NULL)")]
#[case::labels(
    "CREATE TYPE fits AS ENUM ('draft', 'shown', 'gone'); ALTER TABLE items \
    ALTER status DROP DEFAULT, ALTER status TYPE fits USING status::fits, \
    ALTER status SET DEFAULT 'draft'"
)]
#[case::number("ALTER TABLE items ALTER amount_txt TYPE numeric USING amount_txt::numeric")]
#[case::json("ALTER TABLE items ALTER meta TYPE jsonb USING meta::jsonb")]
#[case::shorter("ALTER TABLE items ALTER code TYPE varchar(12)")]
#[tokio::test(flavor = "multi_thread")]
async fn rows_fit_what_a_change_demands(#[case] change: &str) {
    let made = made(change).await;
    let told = said(&made);
    let is_fitted = matches!(told.as_slice(), [one] if one.contains("made to fit"));
    assert!(is_fitted, "{:#?}", made.remarks);
    let scenario = example::load(&made.files).expect("a scenario");
    assert!(made.files["scenario.toml"].contains("made to fit what it demands"));
    assert_eq!(made.tables["public.items"], ROWS);
    let (short, session) = inferred::filled(MAJOR, &scenario).await.expect("rows");
    assert!(short.is_empty(), "{short:?}");
    for piece in split(change).expect("SQL") {
        let done = session.batch(&piece.text).await;
        done.unwrap_or_else(|error| panic!("{}: {error}", piece.text));
    }
    for (name, of) in inferred::driven(MAJOR, &scenario, 10).await {
        assert_eq!(of.failed, [""; 0], "{name}");
    }
}

#[rstest]
#[case::one_value("ALTER TABLE items ADD CONSTRAINT c CHECK (code = 'never') NOT VALID")]
#[case::not_the_default("ALTER TABLE items ADD CONSTRAINT c CHECK (status <> 'draft') NOT VALID")]
#[case::fewer_rows("CREATE UNIQUE INDEX i ON items ((qty % 10))")]
#[case::of_defaults("CREATE UNIQUE INDEX i ON items (status)")]
#[case::never("ALTER TABLE items ADD CONSTRAINT c CHECK (false) NOT VALID")]
#[tokio::test(flavor = "multi_thread")]
async fn what_only_looks_as_if_it_fitted_is_not_wished_for(#[case] change: &str) {
    let made = made(change).await;
    assert_eq!(said(&made), [""; 0]);
    assert_eq!(made.tables["public.items"], ROWS);
}

/// Rows that say nothing of it have a value.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_with_a_default_has_no_invented_nulls_and_its_constant() {
    let made = made("ALTER TABLE items ADD COLUMN x int").await;
    let scenario = example::load(&made.files).expect("a scenario");
    let (_, session) = inferred::filled(MAJOR, &scenario).await.expect("rows");
    let sql = "SELECT count(*) FILTER (WHERE created_at IS NULL), \
               count(*) FILTER (WHERE status = 'draft') > 0 FROM items";
    let row = session.client().query_one(sql, &[]).await.expect(sql);
    assert_eq!((row.get::<_, i64>(0), row.get::<_, bool>(1)), (0, true));
}
