//! Declared reads: the same rows before, during and after the change, or an error that says why
//! nothing was read.
//!
//! Whether rows may differ is the judge's to say; here they become a digest.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connect::{Address, Session, server_error};
use crate::history::{Event, InvariantRead, Recorder, Role, ServerError, SessionSeen};
use crate::pg::quote_literal;
use crate::scenario::generate::{Drawer, stream};
use crate::scenario::{Invariant, Scenario, Sizes};

use super::{APPLICATION_NAME, Error};

/// A read gives up on a lock early, so that it seldom stands in a queue behind the change.
const LOCK_TIMEOUT_MS: u32 = 1_000;
/// A read holds AccessShareLock while it runs, and a change waits for it: keep it short.
const STATEMENT_TIMEOUT_MS: u32 = 10_000;
/// Attempts in a row to open a session before the watch gives up.
const OPEN_FAILURES_MAX: u32 = 10;

/// A watch over the scenario's reads. Dropped, it ends without a last read.
pub struct Invariants {
    stop: DropGuard,
    task: JoinHandle<()>,
}

/// Reads every invariant once, then again every `interval` until stopped. The parameters are drawn
/// here, once for the whole watch.
pub async fn watch_invariants(
    address: &Address,
    scenario: &Scenario,
    sizes: &Sizes,
    recorder: &Recorder,
    interval: Duration,
) -> Result<Invariants, Error> {
    let mut reader = Reader::open(address, scenario, sizes, recorder).await?;
    reader.read_all().await;
    let stop = CancellationToken::new();
    let task = tokio::spawn(reader.watch(interval, stop.clone()));
    Ok(Invariants { stop: stop.drop_guard(), task })
}

/// Reads every invariant once. Parameters follow from `rng_seed`, so they are those of every other
/// call and of a watch (but for the generator `now`).
pub async fn read_once(
    address: &Address,
    scenario: &Scenario,
    sizes: &Sizes,
    recorder: &Recorder,
) -> Result<(), Error> {
    let mut reader = Reader::open(address, scenario, sizes, recorder).await?;
    reader.read_all().await;
    Ok(())
}

impl Invariants {
    /// Ends the watch after one more read.
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
    /// Name and SQL.
    reads: Arc<[(String, String)]>,
}

impl Reader {
    async fn open(
        address: &Address,
        scenario: &Scenario,
        sizes: &Sizes,
        recorder: &Recorder,
    ) -> Result<Reader, Error> {
        let read = |invariant: &Invariant| {
            sql_of(scenario, sizes, invariant).map(|sql| (invariant.name.clone(), sql))
        };
        let reads = scenario.invariants.iter().map(read).collect::<Result<Arc<[_]>, Error>>()?;
        let (address, recorder) = (address.clone(), recorder.clone());
        let session = open(&address, &recorder).await?;
        Ok(Reader { address, recorder, session: Some(session), open_failures: 0, reads })
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
    }

    /// An invariant that cannot be read is recorded with its error; it is not left out.
    async fn read_all(&mut self) {
        for (name, sql) in Arc::clone(&self.reads).iter() {
            let mut read = self.read(sql).await;
            if read.is_err() && self.session.is_none() {
                // The session was gone, which says nothing of the rows.
                read = self.read(sql).await;
            }
            let (rows, digest, error) = match read {
                Ok((rows, digest)) => (rows, digest, None),
                Err(error) => (0, String::new(), Some(error)),
            };
            let read = InvariantRead { name: name.clone(), rows, digest, error };
            self.recorder.record(Event::Invariant(read));
        }
    }

    async fn read(&mut self, sql: &str) -> Result<(u64, String), ServerError> {
        let session = match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => match open(&self.address, &self.recorder).await {
                Ok(session) => session,
                Err(error) => {
                    self.open_failures += 1;
                    return Err(told_by(&error));
                }
            },
        };
        self.open_failures = 0;
        let read = digest(&session, sql).await;
        if !read.as_ref().is_err_and(is_of_the_session) {
            self.session = Some(session);
        }
        read
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
    let seen = SessionSeen { pid: session.pid(), role: Role::Observer };
    recorder.record(Event::Session(seen));
    Ok(session)
}

/// PREPARE lets the server infer the parameters' types, EXECUTE takes their values as text, and
/// the simple protocol answers in text: nothing here depends on the types of the read. It is
/// prepared anew each time, because a changed table may change what the read returns.
fn sql_of(scenario: &Scenario, sizes: &Sizes, invariant: &Invariant) -> Result<String, Error> {
    let mut values = Vec::new();
    for placeholder in &invariant.statement.placeholders {
        let generator = invariant.parameters.get(placeholder).ok_or(Error::Parameter {
            invariant: invariant.name.clone(),
            parameter: placeholder.clone(),
        })?;
        let drawer =
            Drawer::for_parameter(&scenario.tables, sizes, scenario.rng_seed, generator, 0.0);
        // A stream per parameter: another one that is added or removed changes none.
        let purpose = format!("invariant {} {placeholder}", invariant.name);
        let value = drawer.draw(&mut stream(scenario.rng_seed, &purpose, 0), 0);
        values.push(value.to_text().map_or_else(|| "NULL".to_owned(), |t| quote_literal(&t)));
    }
    let arguments = match values.is_empty() {
        true => String::new(),
        false => format!("({})", values.join(", ")),
    };
    let read = invariant.statement.sql.trim().trim_end_matches(';');
    // The line break ends a comment with which the read may end.
    Ok(format!("DEALLOCATE ALL; PREPARE invariant AS {read}\n; EXECUTE invariant{arguments}"))
}

/// Rows and the SHA-256 over them, in hex. NULL and '' differ, and so do ('a', 'bc') and
/// ('ab', 'c'): each value goes in with its length.
async fn digest(session: &Session, sql: &str) -> Result<(u64, String), ServerError> {
    let told = |error| server_error(&error);
    let mut answers = pin!(session.client().simple_query_raw(sql).await.map_err(told)?);
    let (mut rows, mut hash) = (0, Sha256::new());
    while let Some(answer) = answers.try_next().await.map_err(told)? {
        if let SimpleQueryMessage::Row(row) = answer {
            rows += 1;
            add(&mut hash, &row);
        }
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok((rows, hex))
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
fn told_by(error: &Error) -> ServerError {
    let told = match error {
        Error::Open(source) => source.server_error().cloned(),
        _ => None,
    };
    let message = error.to_string();
    told.unwrap_or(ServerError { sqlstate: None, message, detail: None, hint: None })
}
