//! What replaced views and functions answer beside what they answered: figures are exact, what is
//! the same is the same, and what cannot be compared says why.

use std::collections::BTreeSet;

use pgauntlet::connect::{Address, Session};
use pgauntlet::drive::{self, CalledFunction};
use pgauntlet::history::{ComparedAnswers, NotCompared};
use pgauntlet::observe;
use pgauntlet::scenario::{Generator, OperationSpec, Sizes};
use pgauntlet::schema::{Fingerprint, Replaced};
use rstest::rstest;

use crate::common;
use crate::traffic::{generated, operation, pool, scenario, session};

/// 100 users, of whom 70 are active.
const SCHEMA: &str = r#"
    CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, active boolean NOT NULL,
                        doc json, total numeric NOT NULL DEFAULT 1.50);
    INSERT INTO users SELECT n, 'user ' || n, n % 10 < 7, '{"a" : 1}' FROM generate_series(0, 99) n;
    CREATE TABLE audit (id bigserial PRIMARY KEY, user_id bigint, note text,
                        at timestamptz DEFAULT clock_timestamp());
    CREATE VIEW active AS SELECT id, name, doc FROM users WHERE active;
    CREATE VIEW named AS SELECT id, upper(name) AS name FROM active;
    CREATE VIEW none AS SELECT id FROM users WHERE id < 0;
    CREATE MATERIALIZED VIEW counted AS SELECT active, count(*) AS n FROM users GROUP BY active;
    CREATE FUNCTION double(n bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS
        $$ BEGIN RETURN n * 2; END $$;
    CREATE FUNCTION found(lowest bigint) RETURNS TABLE (id bigint, name text) LANGUAGE sql STABLE AS
        $$ SELECT id, name FROM users WHERE id >= lowest $$;
    CREATE FUNCTION tell(who bigint) RETURNS void LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO audit (user_id, note) VALUES (who, 'told'); END $$;
"#;

/// A database before a change and after it.
struct Changed {
    address: Address,
    session: Session,
    replaced: Replaced,
}

impl Changed {
    async fn by(change: &str) -> Changed {
        Changed::on(common::fresh_database().await, change).await
    }

    async fn on(address: Address, change: &str) -> Changed {
        let session = session(&address).await;
        session.batch(SCHEMA).await.expect("the schema");
        let before = observe::fingerprint(&session).await.expect("a fingerprint");
        session.batch(change).await.unwrap_or_else(|error| panic!("failed to {error}"));
        let after = observe::fingerprint(&session).await.expect("a fingerprint");
        let replaced = Replaced::between(&before.objects, &after.objects);
        Changed { address, session, replaced }
    }

    async fn views(&self) -> Vec<ComparedAnswers> {
        let answers = observe::view_answers(&self.address, &self.replaced).await;
        answers.unwrap_or_else(|error| panic!("failed to {error}"))
    }

    async fn only_view(&self) -> ComparedAnswers {
        let [one] = &self.views().await[..] else { panic!("not one view") };
        one.clone()
    }

    /// The only replaced function, which the only statement of the operation calls.
    async fn function(&self, operation: OperationSpec) -> ComparedAnswers {
        let [function] = &self.replaced.functions[..] else { panic!("{:?}", self.replaced) };
        let called = CalledFunction {
            function: function.clone(),
            statements: BTreeSet::from([(0, 0)]),
            numbered: ["id", "at"].map(str::to_owned).into(),
        };
        let scenario = scenario(1.0, pool(1, 0, 1_000), vec![operation]);
        let sizes = Sizes::default();
        let answers = drive::function_answers(&self.address, &scenario, &sizes, &[called]).await;
        let answers = answers.unwrap_or_else(|error| panic!("failed to {error}"));
        let [one] = &answers[..] else { panic!("{answers:?}") };
        one.clone()
    }

    /// Nothing of the comparison stays.
    async fn is_as_it_was(&self, after: &Fingerprint) {
        let now = observe::fingerprint(&self.session).await.expect("a fingerprint");
        assert_eq!(after.diff(&now), []);
    }
}

fn figures(of: &ComparedAnswers) -> (u64, u64, u64, Option<&NotCompared>) {
    (of.rows, of.gone, of.new, of.not_compared.as_ref())
}

#[rstest]
#[case::a_filter_that_says_the_same(
    "CREATE OR REPLACE VIEW active AS SELECT id, name, doc FROM users WHERE active IS TRUE",
    (70, 0, 0)
)]
#[case::a_column_at_the_end(
    "CREATE OR REPLACE VIEW active AS SELECT id, name, doc, total FROM users WHERE active",
    (70, 0, 0)
)]
#[case::columns_in_another_order(
    "DROP VIEW named; DROP VIEW active; CREATE VIEW active AS SELECT doc, name, id FROM users
     WHERE active",
    (70, 0, 0)
)]
#[case::an_inverted_filter(
    "CREATE OR REPLACE VIEW active AS SELECT id, name, doc FROM users WHERE NOT active",
    (70, 70, 30)
)]
#[case::one_row_less(
    "CREATE OR REPLACE VIEW active AS SELECT id, name, doc FROM users WHERE active AND id <> 6",
    (70, 1, 0)
)]
#[case::each_row_twice(
    "CREATE OR REPLACE VIEW active AS SELECT id, name, doc FROM users WHERE active
     UNION ALL SELECT id, name, doc FROM users WHERE active",
    (70, 0, 70)
)]
#[case::another_value_of_json(
    "CREATE OR REPLACE VIEW active AS SELECT id, name,
     CASE id WHEN 5 THEN '{}'::json ELSE doc END AS doc FROM users WHERE active",
    (70, 1, 1)
)]
#[tokio::test]
async fn a_view_is_compared_row_by_row(#[case] change: &str, #[case] expected: (u64, u64, u64)) {
    let changed = Changed::by(change).await;
    let after = observe::fingerprint(&changed.session).await.expect("a fingerprint");
    let one = changed.only_view().await;
    let (rows, gone, new) = expected;
    assert_eq!(
        (one.object.as_str(), figures(&one)),
        ("view public.active", (rows, gone, new, None))
    );
    assert_eq!(one.gone_rows.len() as u64, gone.min(3));
    assert_eq!(one.new_rows.len() as u64, new.min(3));
    changed.is_as_it_was(&after).await;
}

#[rstest]
#[tokio::test]
async fn every_major_renames_and_compares(#[values(14, 15, 16, 17, 18)] major: u32) {
    let address = common::fresh_database_of(major).await;
    let change = "CREATE OR REPLACE VIEW active AS SELECT id, name, doc FROM users WHERE id = 9";
    let changed = Changed::on(address, change).await;
    let one = changed.only_view().await;
    assert_eq!(figures(&one), (70, 70, 1, None));
    assert_eq!(one.new_rows, [r#"(9,"user 9","{""a"" : 1}")"#]);
}

#[tokio::test]
async fn a_view_over_a_view_is_compared_with_what_it_read_before() {
    // The lower one has other columns, to which the upper one is made to fit.
    let changed = Changed::by(
        "DROP VIEW named; DROP VIEW active;
         CREATE VIEW active AS SELECT id AS user_id, name FROM users WHERE active;
         CREATE VIEW named AS SELECT user_id AS id, upper(name) AS name FROM active",
    )
    .await;
    let views = changed.views().await;
    let found: Vec<_> = views.iter().map(|one| (one.object.as_str(), figures(one))).collect();
    let same = |object| (object, (70, 0, 0, None));
    assert_eq!(found, [same("view public.active"), same("view public.named")]);
}

#[tokio::test]
async fn a_view_over_one_that_answers_otherwise_does_so_too() {
    let changed = Changed::by(
        "DROP VIEW named; DROP VIEW active;
         CREATE VIEW active AS SELECT id AS user_id, name FROM users WHERE NOT active;
         CREATE VIEW named AS SELECT user_id AS id, upper(name) AS name FROM active",
    )
    .await;
    let views = changed.views().await;
    assert!(views.iter().all(|one| (one.gone, one.new) == (70, 30)), "{views:?}");
}

#[tokio::test]
async fn the_queries_of_a_materialized_view_are_compared() {
    let changed = Changed::by(
        "DROP MATERIALIZED VIEW counted; CREATE MATERIALIZED VIEW counted AS
         SELECT active, count(*) + 1 AS n FROM users GROUP BY active WITH NO DATA",
    )
    .await;
    let one = changed.only_view().await;
    assert!(one.is_materialized);
    assert_eq!(figures(&one), (2, 2, 2, None));
}

#[rstest]
#[case::the_rows_differ_each_time(
    "CREATE OR REPLACE VIEW active AS SELECT id, name || random() AS name, doc FROM users",
    NotCompared::Volatile
)]
#[case::there_are_none(
    "CREATE OR REPLACE VIEW none AS SELECT id FROM users WHERE id < -1",
    NotCompared::NoRows
)]
#[case::its_column_is_gone(
    "DROP VIEW named; DROP VIEW active; ALTER TABLE users DROP doc;
     CREATE VIEW active AS SELECT id, name FROM users WHERE active",
    NotCompared::OldFails("column \"doc\" does not exist".to_owned())
)]
#[case::the_new_one_fails(
    "CREATE OR REPLACE VIEW none AS SELECT id / 0 AS id FROM users",
    NotCompared::Because("division by zero".to_owned())
)]
#[tokio::test]
async fn a_view_that_cannot_be_compared_says_why(#[case] change: &str, #[case] why: NotCompared) {
    let one = Changed::by(change).await.only_view().await;
    let said = one.not_compared.as_ref();
    match (&why, said) {
        (NotCompared::OldFails(part), Some(NotCompared::OldFails(text))) => {
            assert!(text.contains(part.as_str()), "{text}");
        }
        _ => assert_eq!(said, Some(&why), "{one:?}"),
    }
}

fn calls(sql: &str) -> OperationSpec {
    let number = generated(Generator::Integer { min: 10, max: 90 });
    operation("calls", &[(sql, &["n"])], &[("n", number)])
}

const DOUBLE: &str = "SELECT double($1) AS n";
const FOUND: &str = "SELECT * FROM found($1)";
const TELL: &str = "SELECT tell($1)";

#[rstest]
#[case::the_same_otherwise_said(
    "CREATE OR REPLACE FUNCTION double(n bigint) RETURNS bigint LANGUAGE sql AS 'SELECT n + n'",
    DOUBLE,
    (16, 0, 0)
)]
#[case::another_result(
    "CREATE OR REPLACE FUNCTION double(n bigint) RETURNS bigint LANGUAGE sql AS 'SELECT n * 3'",
    DOUBLE,
    (16, 16, 16)
)]
#[case::in_what_it_writes(
    "CREATE OR REPLACE FUNCTION double(n bigint) RETURNS bigint LANGUAGE sql AS 'SELECT n * 3'",
    "INSERT INTO audit (user_id) VALUES (double($1)) RETURNING id",
    // What it returns is a number alone.
    (32, 16, 16)
)]
#[case::it_writes_otherwise(
    "CREATE OR REPLACE FUNCTION tell(who bigint) RETURNS void LANGUAGE sql AS
     $$ INSERT INTO audit (user_id, note) VALUES (who, 'sold') $$",
    TELL,
    (32, 16, 16)
)]
#[case::it_writes_the_same(
    "CREATE OR REPLACE FUNCTION tell(who bigint) RETURNS void LANGUAGE sql AS
     $$ INSERT INTO audit (user_id, note) VALUES (who, lower('TOLD')) $$",
    TELL,
    (32, 0, 0)
)]
#[case::it_deletes(
    "CREATE OR REPLACE FUNCTION tell(who bigint) RETURNS void LANGUAGE sql AS
     $$ INSERT INTO audit (user_id, note) VALUES (who, 'told'); DELETE FROM users WHERE id = 1 $$",
    TELL,
    (32, 0, 16)
)]
#[case::another_argument_with_a_default(
    "DROP FUNCTION double(bigint); CREATE FUNCTION double(n bigint, by int DEFAULT 3)
     RETURNS bigint LANGUAGE sql AS 'SELECT n * by'",
    DOUBLE,
    (16, 16, 16)
)]
#[case::another_type_of_the_result(
    "DROP FUNCTION double(bigint); CREATE FUNCTION double(n bigint) RETURNS numeric
     LANGUAGE sql AS 'SELECT n * 2.0'",
    DOUBLE,
    (16, 16, 16)
)]
#[tokio::test]
async fn a_function_is_compared_with_values_of_its_operations(
    #[case] change: &str,
    #[case] sql: &str,
    #[case] expected: (u64, u64, u64),
) {
    let changed = Changed::by(change).await;
    let one = changed.function(calls(sql)).await;
    let (rows, gone, new) = expected;
    assert_eq!(figures(&one), (rows, gone, new, None), "{one:?}");
}

#[tokio::test]
async fn a_function_that_returns_a_table_is_compared_in_its_rows() {
    let changed = Changed::by(
        "CREATE OR REPLACE FUNCTION found(lowest bigint) RETURNS TABLE (id bigint, name text)
         LANGUAGE sql STABLE AS $$ SELECT id, name FROM users WHERE id > lowest $$",
    )
    .await;
    let one = changed.function(calls(FOUND)).await;
    assert_eq!((one.gone, one.new, one.not_compared), (16, 0, None));
    assert!(one.gone_rows[0].contains("user "), "{:?}", one.gone_rows);
}

#[rstest]
#[case::the_rows_differ_each_time(
    "CREATE OR REPLACE FUNCTION double(n bigint) RETURNS bigint LANGUAGE sql AS
     'SELECT (random() * 1e9)::bigint'",
    NotCompared::Volatile
)]
#[case::it_reads_what_is_gone(
    "ALTER TABLE users RENAME TO people; CREATE OR REPLACE FUNCTION found(lowest bigint)
     RETURNS TABLE (id bigint, name text) LANGUAGE sql STABLE AS
     $$ SELECT id, name FROM people WHERE id >= lowest $$",
    NotCompared::OldFails("relation \"users\" does not exist".to_owned())
)]
#[tokio::test]
async fn a_function_that_cannot_be_compared_says_why(
    #[case] change: &str,
    #[case] why: NotCompared,
) {
    let changed = Changed::by(change).await;
    let sql = if change.contains("found(") { FOUND } else { DOUBLE };
    assert_eq!(changed.function(calls(sql)).await.not_compared, Some(why));
}

#[tokio::test]
async fn what_only_the_old_one_refuses_is_a_difference() {
    let refusing = "CREATE OR REPLACE FUNCTION double(n bigint) RETURNS bigint LANGUAGE plpgsql AS
                    $$ BEGIN RAISE EXCEPTION 'too small'; END $$";
    let lenient = "CREATE OR REPLACE FUNCTION double(n bigint) RETURNS bigint LANGUAGE sql AS
                   'SELECT n'";
    let mut changed = Changed::by(lenient).await;
    let function = changed.replaced.functions.first_mut().expect("a function");
    function.definition = refusing.to_owned();
    let one = changed.function(calls(DOUBLE)).await;
    assert_eq!(figures(&one), (16, 16, 16, None));
    assert_eq!(one.gone_rows[0], "(ERROR: too small)");
    // The traffic sees what only the new one refuses.
    let mut changed = Changed::by(refusing).await;
    let function = changed.replaced.functions.first_mut().expect("a function");
    function.definition = lenient.to_owned();
    let one = changed.function(calls(DOUBLE)).await;
    assert_eq!(one.not_compared, Some(NotCompared::Because("too small".to_owned())));
}
