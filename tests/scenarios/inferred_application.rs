//! What an inferred application remembers of its writes: what a change takes from them is found,
//! and nothing is where a change takes nothing.

use assert_cmd::cargo::cargo_bin_cmd;
use rstest::rstest;
use tempfile::TempDir;

/// Keys that the server makes, that are sent, and that two columns are together; and triggers that
/// write rows of other tables.
const SCHEMA: &str = "
CREATE TABLE customers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text NOT NULL UNIQUE,
    name text NOT NULL, balance int NOT NULL DEFAULT 0, updated_at timestamptz NOT NULL);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers,
    status text NOT NULL CHECK (status IN ('new', 'paid', 'sent')), note text,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
CREATE TABLE payments (
    order_id bigint NOT NULL REFERENCES orders, id uuid NOT NULL, amount int NOT NULL,
    reference text NOT NULL, PRIMARY KEY (order_id, id));
CREATE TABLE seats (
    hall smallint NOT NULL, seat smallint NOT NULL, label text NOT NULL, PRIMARY KEY (hall, seat));
CREATE TABLE rates (code text PRIMARY KEY, percent int NOT NULL);
CREATE FUNCTION settle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders SET status = 'paid' WHERE id = NEW.order_id;
    RETURN NULL;
END $$;
CREATE TRIGGER settle AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION settle();
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION stamp();
";

/// Whether the change is safe, and all that is said of it.
fn judged(change: &str) -> (bool, String) {
    let place: TempDir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).expect(name);
    write("schema.sql", SCHEMA);
    write("change.sql", change);
    let run = |arguments: &[&str]| {
        let mut command = cargo_bin_cmd!("pgauntlet");
        command.current_dir(place.path()).env("NO_COLOR", "1").args(arguments);
        let output = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), format!("{text}{said}"))
    };
    let made = run(&[
        "infer",
        "change.sql",
        "--schema",
        "schema.sql",
        "--out",
        "scenarios/made",
        "--rows",
        "1000",
        "--rate",
        "60",
    ]);
    assert!(made.0, "{}", made.1);
    let scenario = place.path().join("scenarios/made/scenario.toml");
    let scenario = std::fs::read_to_string(scenario).expect("a scenario");
    assert!(scenario.contains("delete-public-"), "it deletes what it has added: {scenario}");
    let (safe, text) = run(&["run", "--scenarios-dir", "scenarios", "--out", "out", "made"]);
    (safe, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[rstest]
#[case::nothing("SELECT 1;")]
#[case::a_column("SET lock_timeout = '2s'; ALTER TABLE orders ADD COLUMN region text;")]
#[case::a_key_of_few_values(
    "ALTER TABLE seats ADD COLUMN row_name text; ALTER TABLE orders ADD COLUMN region text;"
)]
#[case::an_index("CREATE INDEX CONCURRENTLY i ON orders (created_at);")]
#[case::a_backfill("UPDATE orders SET note = 'none' WHERE note IS NULL;")]
#[case::more_rows("INSERT INTO rates SELECT 'code ' || n, 1 FROM generate_series(1, 9) AS n;")]
fn a_change_that_loses_nothing_is_charged_with_nothing(#[case] change: &str) {
    let (_, text) = judged(change);
    // On a busy machine a trial may prove nothing, or wait; it never shows what is not.
    for kind in ["lost-write", "read-changed", "rows-gone", "values-changed", "operation-failed"] {
        assert!(!text.contains(kind), "{kind}: {text}");
    }
    assert!(text.contains("are in the tables") || text.contains("UNPROVEN"), "{text}");
}

#[rstest]
#[case::of_a_key_that_the_server_made(
    "DELETE FROM orders WHERE id IN \
    (SELECT id FROM orders AS o WHERE NOT EXISTS (SELECT FROM payments WHERE order_id = o.id) \
     ORDER BY id DESC LIMIT 3);",
    "public.orders"
)]
#[case::of_a_key_of_two_columns(
    "DELETE FROM payments WHERE ctid IN \
    (SELECT ctid FROM payments ORDER BY ctid DESC LIMIT 3);",
    "public.payments"
)]
#[case::of_a_value("UPDATE customers SET name = 'nobody';", "public.customers")]
fn a_write_that_the_change_takes_is_found(#[case] change: &str, #[case] table: &str) {
    let (safe, text) = judged(change);
    assert!(!safe && text.contains("lost-write") && text.contains(table), "{text}");
}

/// The application deletes rows as well, and only its own.
#[test]
fn rows_of_the_seed_that_the_change_takes_are_gone() {
    let (safe, text) =
        judged("DELETE FROM rates WHERE code IN (SELECT code FROM rates ORDER BY code LIMIT 3);");
    assert!(!safe && text.contains("rows-gone (unsafe)"), "{text}");
    assert!(text.contains("rows of public.rates are gone"), "{text}");
}
