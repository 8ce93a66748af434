//! Traffic on tables whose triggers refuse some writes: what they refuse is left out and named.

use std::collections::BTreeSet;

use crate::{example, inferred};

const ROWS: u64 = 300;
/// Operations of each kind that are driven, on average.
const DRIVEN_EACH: u64 = 20;

const SCHEMA: &str = "
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'ledger is append-only'; END $$;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.touched_at := now(); RETURN NEW; END $$;
CREATE TABLE accounts (id bigserial PRIMARY KEY, name text NOT NULL, touched_at timestamptz);
CREATE TRIGGER touched BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE ledger (
    id bigserial PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts,
    amount numeric(12, 2) NOT NULL,
    note text NOT NULL);
CREATE INDEX ON ledger (account_id);
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION append_only();";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_trigger_refuses_is_left_out_and_said() {
    let made = inferred::make(16, SCHEMA, ROWS).await.expect("made");
    let scenario = example::load(&made.files).expect("a scenario that is taken");
    let operations = &scenario.traffic.operations;
    let names: BTreeSet<&str> = operations.iter().map(|o| o.name.as_str()).collect();
    for name in ["update-public-ledger", "refer-public-ledger-account-id"] {
        assert!(!names.contains(name), "{name} of {names:#?}");
        let said = |line: &&String| line.contains(name) && line.contains("ledger is append-only");
        assert!(made.left_out.iter().any(|line| said(&line)), "{:#?}", made.left_out);
    }
    for name in ["insert-public-ledger", "update-public-accounts", "read-public-ledger"] {
        assert!(names.contains(name), "{name} of {names:#?}\n{:#?}", made.left_out);
    }
    for (name, of) in inferred::driven(16, &scenario, DRIVEN_EACH).await {
        assert_eq!(of.failed, [""; 0], "{name}");
    }
}
