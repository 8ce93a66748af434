//! Declared reads: rows before, during and after the change, or an error that says why nothing was
//! read, and their plans at the start and at the end.
//!
//! Until the change is over, a read is sent as the older release of the application sends it; then
//! as the newer one does. Whether rows may differ is the judge's to say; here they become a digest.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connect::{Address, Session, server_error};
use crate::history::{Event, InvariantRead, PlanRead, Recorder, Role, ServerError, SessionSeen};
use crate::pg::quote_literal;
use crate::scenario::generate::{Drawer, stream};
use crate::scenario::{Invariant, OperationStatement, Rows, Scenario, Since, Sizes};

use super::operation_plans::{ExplainedStatement, explained, gives_up};
use super::plans::{Plan, plan};
use super::{APPLICATION_NAME, Error};

/// A read gives up on a lock early, so that it seldom waits in a queue behind the change.
const LOCK_TIMEOUT_MS: u32 = 1_000;
/// A read holds AccessShareLock while it runs, and a change waits for it: keep it short.
const STATEMENT_TIMEOUT_MS: u32 = 10_000;
/// Rows of an answer that are kept, and characters of each.
const FIRST_ROWS: usize = 3;
const FIRST_ROW_MAX: usize = 60;
/// Attempts in a row to open a session before the watch gives up.
const OPEN_FAILURES_MAX: u32 = 10;

/// A watch over the scenario's reads. Dropped, it ends without a last read.
pub struct Invariants {
    stop: DropGuard,
    over: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// Reads every invariant and its plan once, then every invariant again every `interval` until
/// stopped; the plans of the application's statements are read before and after that. The
/// parameters are drawn here, once for the whole watch.
///
/// # Errors
/// The sessions cannot be opened.
pub async fn watch_invariants(
    address: &Address,
    scenario: &Scenario,
    sizes: &Sizes,
    recorder: &Recorder,
    interval: Duration,
) -> Result<Invariants, Error> {
    let mut reader = Reader::open(address, scenario, sizes, recorder, false).await?;
    reader.operations = explained(scenario);
    reader.read_all().await;
    reader.plan_all().await;
    reader.plan_operations().await;
    let (stop, over) = (CancellationToken::new(), Arc::clone(&reader.over));
    let task = tokio::spawn(reader.watch(interval, stop.clone()));
    Ok(Invariants { stop: stop.drop_guard(), over, task })
}

/// Reads every invariant and its plan once, as they are before the change, or where it is `over`.
/// Parameters follow from `rng_seed`, so they are those of every other call and of a watch (but for
/// the generator `now`).
///
/// # Errors
/// The session cannot be opened. A read that the server refuses is recorded.
pub async fn read_once(
    address: &Address,
    scenario: &Scenario,
    sizes: &Sizes,
    recorder: &Recorder,
    over: bool,
) -> Result<(), Error> {
    let mut reader = Reader::open(address, scenario, sizes, recorder, over).await?;
    reader.read_all().await;
    reader.plan_all().await;
    Ok(())
}

impl Invariants {
    /// From now on every read is sent as it is after the change. One that is on its way stays what
    /// it is.
    pub fn change_is_over(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// Ends the watch after one more read of everything, plans included.
    ///
    /// # Errors
    /// Its task ended by itself.
    pub async fn stop(self) -> Result<(), Error> {
        drop(self.stop);
        self.task.await.map_err(|_| Error::Panicked("invariants"))
    }
}

/// One session and the reads as SQL that needs no parameters.
struct Reader {
    address: Address,
    recorder: Recorder,
    session: Option<Session>,
    open_failures: u32,
    /// The change is over.
    over: Arc<AtomicBool>,
    reads: Arc<[Declared]>,
    operations: Arc<[ExplainedStatement]>,
}

/// A declared read.
struct Declared {
    name: String,
    /// Until the change is over; None: not read until then.
    before: Option<Sql>,
    after: Sql,
    is_planned: bool,
    rows: Rows,
}

/// What a read returned.
#[derive(Default)]
struct Answer {
    rows: u64,
    digest: String,
    first: Vec<String>,
}

/// A read ready to be sent.
struct Sql {
    prepare: String,
    execute: String,
}

impl Declared {
    fn of(scenario: &Scenario, sizes: &Sizes, invariant: &Invariant) -> Result<Declared, Error> {
        let sql = |statement| Sql::of(scenario, sizes, invariant, statement);
        let before = match invariant.since {
            Since::Start => Some(sql(invariant.before.as_ref().unwrap_or(&invariant.statement))?),
            Since::Change => None,
        };
        let after = sql(&invariant.statement)?;
        let is_planned = invariant.plan.is_some();
        let (name, rows) = (invariant.name.clone(), invariant.rows);
        Ok(Declared { name, before, after, is_planned, rows })
    }

    fn sql(&self, over: bool) -> Option<&Sql> {
        if over { Some(&self.after) } else { self.before.as_ref() }
    }
}

impl Reader {
    async fn open(
        address: &Address,
        scenario: &Scenario,
        sizes: &Sizes,
        recorder: &Recorder,
        over: bool,
    ) -> Result<Reader, Error> {
        let declared = |invariant| Declared::of(scenario, sizes, invariant);
        let reads =
            scenario.invariants.iter().map(declared).collect::<Result<Arc<[_]>, Error>>()?;
        let (address, recorder) = (address.clone(), recorder.clone());
        let session = Some(open(&address, &recorder).await?);
        let over = Arc::new(AtomicBool::new(over));
        let operations = Arc::from([]);
        Ok(Reader { address, recorder, session, open_failures: 0, over, reads, operations })
    }

    async fn watch(mut self, interval: Duration, stop: CancellationToken) {
        // Zero is no interval for a timer.
        let interval = interval.max(Duration::from_millis(1));
        let mut ticks = tokio::time::interval_at(Instant::now() + interval, interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_last = false;
        while !is_last {
            tokio::select! {
                biased;
                () = stop.cancelled() => is_last = true,
                _ = ticks.tick() => {}
            }
            self.read_all().await;
            if self.open_failures >= OPEN_FAILURES_MAX {
                let message =
                    format!("read the invariants: no session after {OPEN_FAILURES_MAX} attempts");
                let stage = "observe".to_owned();
                self.recorder.record(Event::MeasurementFailed { stage, message });
                return;
            }
        }
        self.plan_all().await;
        self.plan_operations().await;
    }

    /// An invariant that cannot be read is recorded with its error; it is not left out.
    async fn read_all(&mut self) {
        let reads = Arc::clone(&self.reads);
        for declared in reads.iter() {
            let Some(sql) = declared.sql(self.over.load(Ordering::Acquire)) else { continue };
            let mut read = self.read(sql).await;
            if read.is_err() && self.session.is_none() {
                // The session was gone, which says nothing of the rows.
                read = self.read(sql).await;
            }
            let (answer, error) = match read {
                Ok(answer) => (answer, None),
                Err(error) => (Answer::default(), Some(error)),
            };
            let Answer { rows, digest, mut first } = answer;
            first.retain(|_| declared.rows == Rows::None);
            let read = InvariantRead { name: declared.name.clone(), rows, digest, first, error };
            self.recorder.record(Event::Invariant(read.into()));
        }
    }

    /// The plans that a scenario limits.
    async fn plan_all(&mut self) {
        let reads = Arc::clone(&self.reads);
        for declared in reads.iter().filter(|declared| declared.is_planned) {
            let Some(sql) = declared.sql(self.over.load(Ordering::Acquire)) else { continue };
            let mut planned = self.plan(&sql.explain()).await;
            if planned.is_err() && self.session.is_none() {
                planned = self.plan(&sql.explain()).await;
            }
            let (nodes, error) = match planned {
                Ok(plan) => (plan.nodes, None),
                Err(error) => (Vec::new(), Some(error)),
            };
            let name = declared.name.clone();
            self.recorder.record(Event::Plan(PlanRead { name, nodes, error }.into()));
        }
    }

    async fn read(&mut self, sql: &Sql) -> Result<Answer, ServerError> {
        let session = self.take_session().await?;
        let read = digest(&session, &sql.read()).await;
        self.give_back(session, read.as_ref().err());
        read
    }

    /// What the server does not explain has no plan: a release that the tables no longer fit, a
    /// statement that is none of SELECT, INSERT, UPDATE, DELETE. Where a lock is in the way, the
    /// others are not asked for either.
    async fn plan_operations(&mut self) {
        let operations = Arc::clone(&self.operations);
        for explained in operations.iter() {
            match self.plan(&explained.sql).await {
                Ok(plan) => self.recorder.record(explained.plan(plan)),
                Err(error) if gives_up(&error) => return,
                Err(_) => {}
            }
        }
    }

    async fn plan(&mut self, sql: &str) -> Result<Plan, ServerError> {
        let session = self.take_session().await?;
        let planned = plan(&session, sql).await;
        self.give_back(session, planned.as_ref().err());
        planned
    }

    async fn take_session(&mut self) -> Result<Session, ServerError> {
        let session = match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => match open(&self.address, &self.recorder).await {
                Ok(session) => session,
                Err(error) => {
                    self.open_failures += 1;
                    return Err(server_error_of(&error));
                }
            },
        };
        self.open_failures = 0;
        Ok(session)
    }

    /// Unless the error says that it is of no more use.
    fn give_back(&mut self, session: Session, error: Option<&ServerError>) {
        if !error.is_some_and(is_of_the_session) {
            self.session = Some(session);
        }
    }
}

/// The connection broke, or the server ended the session (57P01 and its kin).
fn is_of_the_session(error: &ServerError) -> bool {
    error.sqlstate.as_ref().is_none_or(|state| state.code().starts_with("57P"))
}

async fn open(address: &Address, recorder: &Recorder) -> Result<Session, Error> {
    let settings = BTreeMap::from([
        ("lock_timeout".to_owned(), LOCK_TIMEOUT_MS.to_string()),
        ("statement_timeout".to_owned(), STATEMENT_TIMEOUT_MS.to_string()),
        ("default_transaction_read_only".to_owned(), "on".to_owned()),
    ]);
    let session = Session::open(address, APPLICATION_NAME, &settings)
        .await
        .map_err(|error| Error::Open(Box::new(error)))?;
    let seen = SessionSeen { session: session.id(), role: Role::Observer };
    recorder.record(Event::Session(seen));
    Ok(session)
}

impl Sql {
    /// PREPARE lets the server infer the parameters' types, EXECUTE takes their values as text, and
    /// the simple protocol answers in text: nothing here depends on the types of the read.
    fn of(
        scenario: &Scenario,
        sizes: &Sizes,
        invariant: &Invariant,
        statement: &OperationStatement,
    ) -> Result<Sql, Error> {
        let mut values = Vec::new();
        for placeholder in &statement.placeholders {
            let generator = invariant.parameters.get(placeholder).ok_or(Error::Parameter {
                invariant: invariant.name.clone(),
                parameter: placeholder.clone(),
            })?;
            let drawer =
                Drawer::for_parameter(&scenario.tables, sizes, scenario.rng_seed, generator, 0.0);
            // A stream per parameter: another one that is added or removed changes none, and both
            // forms of a read get the same values.
            let purpose = format!("invariant {} {placeholder}", invariant.name);
            let value = drawer.draw(&mut stream(scenario.rng_seed, &purpose, 0), 0);
            values.push(value.to_text().map_or_else(|| "NULL".to_owned(), |t| quote_literal(&t)));
        }
        let arguments = match values.is_empty() {
            true => String::new(),
            false => format!("({})", values.join(", ")),
        };
        let read = statement.sql.trim().trim_end_matches(';');
        // The line break ends a comment with which the read may end.
        let prepare = format!("DEALLOCATE ALL; PREPARE invariant AS {read}\n");
        Ok(Sql { prepare, execute: format!("EXECUTE invariant{arguments}") })
    }

    /// Prepared anew each time, because a changed table may change what the read returns.
    fn read(&self) -> String {
        format!("{}; {}", self.prepare, self.execute)
    }

    /// VERBOSE tells the schemas of relations.
    fn explain(&self) -> String {
        format!("{}; EXPLAIN (VERBOSE, FORMAT JSON) {}", self.prepare, self.execute)
    }
}

/// Rows and the SHA-256 over them, in hex. NULL and '' differ, and so do ('a', 'bc') and
/// ('ab', 'c'): each value goes in with its length.
async fn digest(session: &Session, sql: &str) -> Result<Answer, ServerError> {
    let failed = |error| server_error(&error);
    let mut answers = pin!(session.client().simple_query_raw(sql).await.map_err(failed)?);
    let (mut rows, mut hash, mut first) = (0, Sha256::new(), Vec::new());
    while let Some(answer) = answers.try_next().await.map_err(failed)? {
        if let SimpleQueryMessage::Row(row) = answer {
            rows += 1;
            add(&mut hash, &row);
            if first.len() < FIRST_ROWS {
                first.push(shown(&row));
            }
        }
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(Answer { rows, digest: hex, first })
}

/// A row's values for people.
fn shown(row: &SimpleQueryRow) -> String {
    let values = (0..row.len()).map(|column| row.get(column).unwrap_or("NULL"));
    let text = values.collect::<Vec<_>>().join(", ");
    match text.char_indices().nth(FIRST_ROW_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn add(hash: &mut Sha256, row: &SimpleQueryRow) {
    hash.update((row.len() as u64).to_le_bytes());
    for column in 0..row.len() {
        match row.get(column) {
            Some(text) => {
                hash.update([1]);
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text.as_bytes());
            }
            None => hash.update([0]),
        }
    }
}

/// The server's own words, where it had any.
fn server_error_of(error: &Error) -> ServerError {
    let sent = match error {
        Error::Open(source) => source.server_error().cloned(),
        _ => None,
    };
    let message = error.to_string();
    sent.unwrap_or(ServerError { sqlstate: None, message, ..ServerError::default() })
}
