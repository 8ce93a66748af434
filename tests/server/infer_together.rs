//! Tables that are filled although their constraints tie values together: keys inside JSON, nested
//! sets, sums.

use crate::inferred;

const ROWS: u64 = 500;

const SCHEMA: &str = "
CREATE TABLE docs (id bigserial PRIMARY KEY, body jsonb NOT NULL);
CREATE UNIQUE INDEX ON docs ((body->>'external_id'));
CREATE TABLE numbered (id bigserial PRIMARY KEY, body jsonb NOT NULL);
CREATE UNIQUE INDEX ON numbered (((body->'meta'->>'n')::int));
CREATE TABLE events (
    id bigserial PRIMARY KEY,
    body jsonb NOT NULL CHECK (jsonb_typeof(body) = 'object' AND body ? 'type'
        AND body->>'type' IN ('a', 'b')));
CREATE TABLE keyed (
    id bigserial PRIMARY KEY,
    body jsonb NOT NULL CHECK (body ? 'type' AND body->>'type' IN ('a', 'b')));
CREATE UNIQUE INDEX ON keyed ((body->>'key'));
CREATE TABLE nested (
    id bigserial PRIMARY KEY, lft int NOT NULL, rgt int NOT NULL,
    CHECK (lft < rgt), UNIQUE (lft), UNIQUE (rgt));
CREATE TABLE shares (
    id bigserial PRIMARY KEY, a int NOT NULL, b int NOT NULL, c int NOT NULL,
    CHECK (a + b + c = 100));
CREATE TABLE parts (
    id bigserial PRIMARY KEY, a numeric(5, 2) NOT NULL CHECK (a >= 0),
    b numeric(5, 2) NOT NULL CHECK (b >= 0), CHECK (100 = a + b));";

#[tokio::test(flavor = "multi_thread")]
async fn values_that_go_together_are_made_for_every_row() {
    let outcome = inferred::outcome(16, SCHEMA, ROWS).await.expect("rows");
    assert_eq!(outcome.faults(ROWS), [""; 0]);
    for (table, rows) in &outcome.made.tables {
        assert_eq!(*rows, ROWS, "{table}: {:#?}", outcome.made.remarks);
    }
}
