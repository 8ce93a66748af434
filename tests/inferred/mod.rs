//! A scenario that is made from a schema alone, written, read again and loaded; and what a server
//! says of the rows then.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use pgauntlet::clock::Clock;
use pgauntlet::connect::{Address, Session};
use pgauntlet::drive::{self, DriveSetup};
use pgauntlet::history::{Event, OperationOutcome, Recorder, ServerFacts, ShortTable, silent};
use pgauntlet::observe;
use pgauntlet::provision::{Request, SourceRequest};
use pgauntlet::run::{self, Base, InferRequest, InferredScenario, Like, OwnQueries, RowsRequest};
use pgauntlet::scenario::{Change, Demands, Rate, Scenario};
use pgauntlet::schema::Fingerprint;
use pgauntlet::seed::{self, Plan};
use tokio_util::sync::CancellationToken;

use crate::common::{self, TestServer};
use crate::example;
use crate::traffic::more_finished;

/// Sessions that load at once.
const LOADERS: usize = 2;

/// What came of a schema.
pub struct Outcome {
    pub made: InferredScenario,
    /// Why the scenario is refused when it is read, its operations included; its rows are loaded
    /// without them.
    pub refused: Vec<String>,
    pub short: Vec<ShortTable>,
    /// Rows by table that the schema's own script has written.
    pub scripted: BTreeMap<String, u64>,
    /// Rows by table that are there after the load.
    pub found: BTreeMap<String, u64>,
    /// Constraints and indexes that these rows do not satisfy, with what the server says.
    pub violated: Vec<String>,
    /// Objects of the schema that are not as they were.
    pub changed: Vec<String>,
    pub checks: i64,
    pub foreign_keys: i64,
    pub making: Duration,
    pub loading: Duration,
}

impl Outcome {
    /// Tables that have rows of their own after the load.
    pub fn filled(&self) -> usize {
        let has_rows = |(table, rows): &(&String, &u64)| **rows > self.lost(table);
        self.made.tables.iter().filter(has_rows).count()
    }

    /// Rows of a table that the server refused.
    fn lost(&self, table: &str) -> u64 {
        let short = self.short.iter().find(|short| short.table == table);
        short.map_or(0, |short| short.asked - short.loaded)
    }

    /// Rows that were asked for.
    pub fn rows(&self) -> u64 {
        self.made.tables.values().sum()
    }

    /// What is wrong beyond what the remarks say: nothing, where the maker keeps its word.
    pub fn faults(&self, asked: u64) -> Vec<String> {
        let mut faults = self.violated.clone();
        faults.extend(self.refused.iter().cloned());
        faults.extend(self.changed.iter().map(|object| format!("changed: {object}")));
        faults.extend(self.short.iter().map(ShortTable::to_text));
        for (table, rows) in &self.made.tables {
            let own = |remark: &&pgauntlet::infer::Remark| remark.table == *table;
            let mut remarks = self.made.remarks.iter().filter(own);
            let is_said = match *rows {
                0 => remarks.any(|remark| remark.refused),
                rows => rows == asked || remarks.next().is_some(),
            };
            if !is_said {
                faults.push(format!("{table} gets {rows} of {asked} rows, and no remark says why"));
            }
            // What is declared takes the place of what the script has written.
            let expected = match *rows {
                0 => *self.scripted.get(table).unwrap_or(&0),
                rows => rows - self.lost(table),
            };
            let found = self.found.get(table).copied().unwrap_or(0);
            if found != expected {
                faults.push(format!("{table} has {found} rows, and {expected} were to be there"));
            }
        }
        faults
    }
}

/// What is wrong with what came of a schema: of an error, each of its problems.
pub fn faults(outcome: &Result<Outcome, String>, asked: u64) -> Vec<String> {
    let error = match outcome {
        Ok(outcome) => return outcome.faults(asked),
        Err(error) => error,
    };
    problems(error)
}

/// The problems of a scenario that is refused, or what else went wrong.
fn problems(error: &str) -> Vec<String> {
    let problems = error.lines().filter(|line| line.starts_with("scenario.toml"));
    let problems: Vec<String> = problems.map(str::to_owned).collect();
    if problems.is_empty() { vec![error.to_owned()] } else { problems }
}

/// The same scenario with an operation that uses none of its tables.
fn rows_alone(files: &example::Files) -> example::Files {
    let text = files.get("scenario.toml").expect("the scenario");
    let mut scenario: toml::Table = text.parse().expect("TOML");
    let operation = "[[operation]]\nname = \"nothing\"\nweight = 1\nsql = \"SELECT 1\"\n";
    let operation: toml::Table = operation.parse().expect("TOML");
    scenario.extend(operation);
    let mut files = files.clone();
    files.insert("scenario.toml".to_owned(), scenario.to_string());
    files
}

/// Makes the scenario of a schema on a server of that major.
///
/// # Errors
/// The schema does not run, or a question fails.
pub async fn make(major: u32, schema: &str, rows: u64) -> Result<InferredScenario, run::Error> {
    make_of(major, schema, rows, (None, None)).await
}

/// Makes the scenario of a base, for a change.
///
/// # Errors
/// The base cannot be made, or a question fails.
pub async fn make_for(
    major: u32,
    base: &Base,
    change: Option<&Change>,
    rows: RowsRequest<'_>,
) -> Result<InferredScenario, run::Error> {
    make_as(major, base, (change, rows), (None, None)).await
}

/// The same with statements of the application's own.
///
/// # Errors
/// As [`make`]; or none of the statements can be used.
pub async fn make_with(
    major: u32,
    schema: &str,
    rows: u64,
    own: Option<OwnQueries<'_>>,
) -> Result<InferredScenario, run::Error> {
    make_of(major, schema, rows, (own, None)).await
}

/// The same with the statistics of another database.
///
/// # Errors
/// As [`make`]; or there are no statistics.
pub async fn make_like(
    major: u32,
    schema: &str,
    rows: u64,
    like: Option<Like<'_>>,
) -> Result<InferredScenario, run::Error> {
    make_of(major, schema, rows, (None, like)).await
}

async fn make_of(
    major: u32,
    schema: &str,
    rows: u64,
    others: (Option<OwnQueries<'_>>, Option<Like<'_>>),
) -> Result<InferredScenario, run::Error> {
    let base = Base::Script { path: "schema.sql".into(), text: schema.to_owned() };
    let rows = RowsRequest { each: rows, concerned: None, of: &[] };
    make_as(major, &base, (None, rows), others).await
}

async fn make_as(
    major: u32,
    base: &Base,
    (change, rows): (Option<&Change>, RowsRequest<'_>),
    (own, like): (Option<OwnQueries<'_>>, Option<Like<'_>>),
) -> Result<InferredScenario, run::Error> {
    let server = common::server_of(major).await;
    let source = SourceRequest::Url(server.conninfo("postgres"));
    let request = InferRequest {
        base,
        change,
        written: None,
        demands: &Demands::default(),
        conditions: &[],
        rows,
        rng_seed: 1,
        rate: Rate::PerS(50.0),
        mix: None,
        own,
        like,
        server: &Request { source, cache: None, run_as: None },
    };
    run::infer(&request, &silent(), &CancellationToken::new()).await
}

/// Makes the scenario of a schema, loads it and tries every constraint again.
///
/// # Errors
/// The scenario cannot be made, or what was made is no scenario.
pub async fn outcome(major: u32, schema: &str, rows: u64) -> Result<Outcome, String> {
    let began = Instant::now();
    let made = make(major, schema, rows).await.map_err(|error| error.to_string())?;
    let making = began.elapsed();
    let (scenario, refused) = match example::load(&made.files) {
        Ok(scenario) => (scenario, Vec::new()),
        Err(error) => (example::load(&rows_alone(&made.files))?, problems(&error)),
    };
    let began = Instant::now();
    let (short, session) = filled(major, &scenario).await?;
    let loading = began.elapsed();
    let server = common::server_of(major).await;
    let bare = server.fresh_database().await;
    let run = seed::run_schema(&bare, &scenario.schema, &silent()).await;
    run.map_err(|error| error.to_string())?;
    let bare = open(&bare).await;
    let before = observe::fingerprint(&bare).await.map_err(|error| error.to_string())?;
    let after = observe::fingerprint(&session).await.map_err(|error| error.to_string())?;
    let changed = before.diff(&after).iter().map(ToString::to_string).collect();
    let outcome = Outcome {
        scripted: counts(&bare, &made).await,
        found: counts(&session, &made).await,
        violated: violated(&session).await,
        checks: constraints(&bare, 'c').await,
        foreign_keys: constraints(&bare, 'f').await,
        made,
        refused,
        short,
        changed,
        making,
        loading,
    };
    drop_database(&server, session).await;
    drop_database(&server, bare).await;
    Ok(outcome)
}

fn catalogue(session: &Session) -> BoxFuture<'_, Result<Fingerprint, String>> {
    Box::pin(async move { observe::fingerprint(session).await.map_err(|e| e.to_string()) })
}

async fn open(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

/// Loads the scenario into a template and copies it; says which tables are short.
///
/// # Errors
/// The scenario cannot be loaded.
pub async fn filled(major: u32, scenario: &Scenario) -> Result<(Vec<ShortTable>, Session), String> {
    let server = common::server_of(major).await;
    let facts = ServerFacts { version_num: major * 10_000, ..ServerFacts::default() };
    let sizes = scenario.declared_sizes();
    let plan = Plan { scenario, sizes, loaders: LOADERS, catalogue: Some(catalogue) };
    let template = seed::template(&server.address, &facts, &plan, true, &silent()).await;
    let template = template.map_err(|error| error.to_string())?;
    static COPIES: AtomicU32 = AtomicU32::new(0);
    let name = format!("pgauntlet_inferred_{}", COPIES.fetch_add(1, Ordering::Relaxed));
    let copy = seed::copy(&server.address, &template, &name, facts.version_num).await;
    let copy = copy.map_err(|error| error.to_string())?;
    let keeper = open(&server.address).await;
    let unmarked = format!("ALTER DATABASE {} IS_TEMPLATE false", template.database);
    keeper.batch(&unmarked).await.expect("no template any more");
    let dropped = format!("DROP DATABASE {}", template.database);
    keeper.batch(&dropped).await.expect("a template less");
    Ok((template.short, open(&copy).await))
}

/// Drops the database of a session.
pub async fn drop_database(server: &TestServer, session: Session) {
    let sql = "SELECT current_database()::text";
    let name: String = session.client().query_one(sql, &[]).await.expect(sql).get(0);
    drop(session);
    let sql = format!("DROP DATABASE {name} WITH (FORCE)");
    open(&server.address).await.batch(&sql).await.expect("a database less");
}

async fn counts(session: &Session, made: &InferredScenario) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for table in made.tables.keys() {
        let quoted: Vec<String> =
            table.split('.').map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect();
        let table_name = quoted.join(".");
        // Rows of partitions are the table's own, those of tables that inherit from it are not.
        let kind = "SELECT relkind = 'p' FROM pg_class WHERE oid = $1::text::regclass";
        let row = session.client().query_one(kind, &[&table_name]).await;
        let only = if row.expect(kind).get(0) { "" } else { "ONLY " };
        let sql = format!("SELECT count(*) FROM {only}{table_name}");
        let count: i64 = session.client().query_one(&sql, &[]).await.expect(&sql).get(0);
        counts.insert(table.clone(), count.unsigned_abs());
    }
    counts
}

async fn constraints(session: &Session, kind: char) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM pg_constraint AS c JOIN pg_class AS r ON r.oid = conrelid \
         WHERE contype = '{kind}' AND conparentid = 0 AND coninhcount = 0 AND NOT EXISTS \
         (SELECT FROM pg_depend WHERE objid = r.oid AND deptype = 'e')"
    );
    session.client().query_one(&sql, &[]).await.expect(&sql).get(0)
}

/// Adds each foreign key and CHECK once more, valid, and builds each index again.
const AGAIN: &str = r"
CREATE TEMP TABLE violated (what text);
DO $$
DECLARE c record;
BEGIN
    FOR c IN SELECT conrelid::regclass AS t, conname,
                    regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', '') AS def
             FROM pg_constraint
             WHERE contype IN ('f', 'c') AND conrelid <> 0 AND conparentid = 0 AND coninhcount = 0
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s ADD CONSTRAINT added_again %s', c.t, c.def);
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT added_again', c.t);
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO violated VALUES (format('%s, %s: %s', c.t, c.conname, SQLERRM));
        END;
    END LOOP;
    FOR c IN SELECT oid::regclass AS t FROM pg_class AS r
             WHERE relkind = 'r' AND relnamespace <> 'pg_catalog'::regnamespace
               AND relnamespace <> 'information_schema'::regnamespace AND relpersistence <> 't'
    LOOP
        BEGIN
            EXECUTE format('REINDEX TABLE %s', c.t);
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO violated VALUES (format('%s: %s', c.t, SQLERRM));
        END;
    END LOOP;
END $$";

async fn violated(session: &Session) -> Vec<String> {
    session.batch(AGAIN).await.expect("every constraint is tried");
    let rows = session.client().query("SELECT what FROM violated", &[]).await;
    rows.expect("what was found").iter().map(|row| row.get(0)).collect()
}

/// The address for a role that may use all tables.
async fn as_role(session: &Session, address: &Address, role: &str) -> Address {
    let sql = format!(
        "DO $$ BEGIN CREATE ROLE {role} LOGIN PASSWORD '{role}';
         EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
    );
    session.batch(&sql).await.expect("a role");
    address.with_login(role, Some(role))
}

/// What became of an operation.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    pub succeeded: u64,
    /// Those of them that found or changed no row.
    pub empty: u64,
    /// What the server said, each once.
    pub failed: Vec<String>,
}

/// Loads the scenario and lets its traffic run without a change, as fast as the server goes along;
/// says by operation what became of it. What the ledger remembers is there afterwards, and declared
/// reads return what they did. `each`: operations of each kind, on average.
pub async fn driven(major: u32, scenario: &Scenario, each: u64) -> BTreeMap<String, Outcomes> {
    driven_as(major, scenario, each, None).await
}

/// The same as a role with ordinary privileges, which is made.
pub async fn driven_as(
    major: u32,
    scenario: &Scenario,
    each: u64,
    role: Option<&str>,
) -> BTreeMap<String, Outcomes> {
    let (_, session) = filled(major, scenario).await.expect("a database with rows");
    let server = common::server_of(major).await;
    let sql = "SELECT current_database()::text";
    let name: String = session.client().query_one(sql, &[]).await.expect(sql).get(0);
    let address = server.address.with_database(&name);
    let mut scenario = scenario.clone();
    // Rare operations take part as well.
    scenario.traffic.operations.iter_mut().for_each(|operation| operation.weight = 1.0);
    scenario.traffic.rate = Rate::PerS(200.0);
    let (recorder, sizes) = (Recorder::in_memory(Clock::start()), scenario.declared_sizes());
    let read = async |over| {
        let read = observe::read_once(&address, &scenario, &sizes, &recorder, over).await;
        read.expect("the declared reads");
    };
    read(false).await;
    let application = match role {
        Some(role) => as_role(&session, &address, role).await,
        None => address.clone(),
    };
    let setup = DriveSetup {
        address: &address,
        application: &application,
        replica: None,
        pooled: None,
        scenario: &scenario,
        sizes: &sizes,
        recorder: &recorder,
        listener: &silent(),
    };
    let driving = drive::start(setup).await.unwrap_or_else(|error| panic!("failed to {error}"));
    for _ in &scenario.traffic.operations {
        more_finished(&driving, each).await;
    }
    let ledger = driving.stop().await.ledger;
    let report = ledger.check(&address, &scenario).await.expect("the ledger's report");
    assert_eq!(report.mismatches, 0, "{report:#?}");
    read(true).await;
    let history = recorder.finish().expect("a history in memory");
    let mut reads: BTreeMap<String, Vec<(String, Option<String>)>> = BTreeMap::new();
    for entry in &history.entries {
        let Event::Invariant(read) = &entry.event else { continue };
        let error = read.error.as_ref().map(|error| error.message.clone());
        reads.entry(read.name.clone()).or_default().push((read.digest.clone(), error));
    }
    let same = |r: &Vec<(String, _)>| r.len() == 2 && r[0] == r[1] && Option::is_none(&r[0].1);
    assert!(reads.values().all(same), "{reads:?}");
    assert_eq!(reads.len(), scenario.invariants.len());
    let mut outcomes: BTreeMap<String, Outcomes> = BTreeMap::new();
    for entry in history.entries {
        let Event::Operation(operation) = entry.event else { continue };
        let name = &scenario.traffic.operations[usize::from(operation.kind)].name;
        let of = outcomes.entry(name.clone()).or_default();
        of.empty += u64::from(operation.empty);
        match operation.outcome {
            OperationOutcome::Succeeded => of.succeeded += 1,
            OperationOutcome::Failed(error) if !of.failed.contains(&error.message) => {
                of.failed.push(error.message);
            }
            _ => {}
        }
    }
    drop_database(&server, session).await;
    outcomes
}
