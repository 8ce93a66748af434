//! The built-in runner: one connection, the change's transactions, its timeouts, its versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;

use crate::connect::{self, Session, server_error};
use crate::history::{Attempt, AttemptEnd, Progress, ServerError, Source, TransactionStatus};
use crate::pg::SqlState;
use crate::pg::syntax::{Kind, kind};
use crate::scenario::{
    Check, Migration, RetryOf, Scope, Script, Statement, TransactionRule, Unmet, Versions,
};
use crate::tap::{Announced, Announcements, Tap};

use super::tables;
use super::versions::{not_applied, place, versions_at};
use super::{ApplySetup, Error};

/// After a cancel, how long the statement may take to stop before its backend is ended; and how
/// long the connection may take to close.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// Between two tries to get a lock that another runner has.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// Applies the change's migrations once. The first attempt, or those of the runners that start
/// together, honour the change's `stop` and pauses.
pub(super) async fn run(setup: &ApplySetup<'_>, attempt: Attempt) -> Result<AttemptEnd, Error> {
    let announcements = Arc::new(Announcements::default());
    let place = version_table(setup).await?;
    let tap = setup.tap(attempt, Some(Arc::clone(&announcements))).await?;
    let session = match setup.open(&tap, attempt).await {
        Ok(session) => session,
        Err(error) => return no_session(tap, error).await,
    };
    let mut runner = Runner::new(setup, attempt, session, announcements);
    runner.place = place;
    let deadline = Duration::from_millis(setup.change.deadline_ms);
    let killed = tap.killed();
    let end = tokio::select! {
        biased;
        () = killed.cancelled() => None,
        end = timeout(deadline, runner.run()) => Some(end),
    };
    match &end {
        None => runner.session.break_off(),
        Some(end) => {
            if end.is_err() {
                tap.cancel().await;
            }
            // The session says goodbye when the answer to what it sent last is there.
            drop(runner);
        }
    }
    // How the runner fared, it knows itself.
    let _ = tap.stop(CANCEL_GRACE).await;
    match end {
        None => Ok(AttemptEnd::Killed),
        Some(end) => end.unwrap_or(Ok(AttemptEnd::DeadlineExceeded)),
    }
}

/// A server that has no connection left for the change ends the attempt, as it ends a deployment.
async fn no_session(tap: Tap, error: connect::Error) -> Result<AttemptEnd, Error> {
    let _ = tap.stop(CANCEL_GRACE).await;
    match error.server_error().filter(|error| error.is_one_of(&[SqlState::TOO_MANY_CONNECTIONS])) {
        Some(refused) => {
            let (migration, error) = (String::new(), Box::new(refused.clone()));
            Ok(AttemptEnd::Failed { migration, error })
        }
        None => Err(Error::Open(error)),
    }
}

/// Found by a session of ours, whatever the migrations do to the change's own search_path.
async fn version_table(setup: &ApplySetup<'_>) -> Result<String, Error> {
    let Some(versions) = &setup.change.versions else { return Ok(String::new()) };
    let session = Session::open(setup.address, "pgauntlet observe", &BTreeMap::new()).await;
    place(&session.map_err(Error::Probe)?, versions).await
}

type Answer = Vec<SimpleQueryMessage>;

/// Why a migration did not run to its end.
enum Cut {
    Error(ServerError),
    Stopped,
}

/// What is done with a migration that has a precondition.
enum Wanted {
    Yes,
    No,
    /// Its row alone is written.
    Recorded,
}

struct Runner<'a> {
    setup: &'a ApplySetup<'a>,
    attempt: Attempt,
    session: Session,
    announcements: Arc<Announcements>,
    transaction: TransactionStatus,
    /// Statements of the files that may still run before the stop; None: no stop.
    until_stop: Option<u64>,
    /// Migrations that ran to their end.
    applied: BTreeSet<String>,
    /// Those that no rollback takes back.
    committed: BTreeSet<String>,
    /// What the version table says last.
    version: Option<String>,
    /// The version table's qualified name; empty: there is none.
    place: String,
    /// Of the pauses between tries: the same in every run.
    draws: ChaCha8Rng,
}

impl<'a> Runner<'a> {
    fn new(
        setup: &'a ApplySetup<'a>,
        attempt: Attempt,
        session: Session,
        announcements: Arc<Announcements>,
    ) -> Runner<'a> {
        let stop = setup.change.stop.as_ref().filter(|_| is_first(setup, attempt));
        let until_stop = stop.map(|s| s.after_statements_at(setup.declared, setup.sizes));
        Runner {
            setup,
            attempt,
            session,
            announcements,
            transaction: TransactionStatus::Idle,
            until_stop,
            applied: BTreeSet::new(),
            committed: BTreeSet::new(),
            version: None,
            place: String::new(),
            draws: ChaCha8Rng::seed_from_u64(u64::from(attempt)),
        }
    }

    async fn run(&mut self) -> Result<AttemptEnd, Error> {
        let mut taken: Vec<String> = Vec::new();
        for [take, give_back] in self.locks() {
            if let Err(cut) = self.lock(&take).await {
                return Ok(self.end(cut, "").await);
            }
            taken.push(give_back);
        }
        let mut end = self.migrate_all().await;
        while let Some(give_back) = taken.pop() {
            if self.transaction == TransactionStatus::Gone {
                break;
            }
            let given = self.own(&give_back, "").await;
            if let (Ok(AttemptEnd::Finished { .. }), Err(cut)) = (&end, given) {
                end = Ok(self.end(cut, "").await);
            }
        }
        end
    }

    /// What takes each lock of the change, and what gives it back: an advisory lock of the session,
    /// and its tool's own.
    fn locks(&self) -> Vec<[String; 2]> {
        let change = self.setup.change;
        let advisory = change.advisory_lock.map(|lock| {
            ["pg_try_advisory_lock", "pg_advisory_unlock"]
                .map(|call| format!("SELECT pg_catalog.{call}({lock})"))
        });
        let tools = change.versions.as_ref().and_then(|v| tables::lock(v, &self.place));
        advisory.into_iter().chain(tools).collect()
    }

    /// Takes a lock that its statement gives or not. One who waits inside `pg_advisory_lock` holds
    /// the snapshot of its statement, for which a CREATE INDEX CONCURRENTLY of the one who has the
    /// lock waits in turn: a deadlock. Who asks again and again holds nothing in between. The
    /// attempt's deadline is its limit.
    async fn lock(&mut self, sql: &str) -> Result<(), Cut> {
        loop {
            let statement = self.of_runner(sql, "");
            let answer = self.traced(statement).await.map_err(Cut::Error)?;
            if first_value(&answer) == Some("t") {
                return Ok(());
            }
            tokio::time::sleep(LOCK_POLL).await;
        }
    }

    async fn migrate_all(&mut self) -> Result<AttemptEnd, Error> {
        if let Err(cut) = self.set_session_timeouts().await {
            return Ok(self.end(cut, "").await);
        }
        let mut tries: BTreeMap<String, u32> = BTreeMap::new();
        // Each time from the first that is not applied: a rollback may have taken others with it.
        while let Err((migration, cut)) = self.migrate_pending().await? {
            let tried = tries.entry(migration.clone()).or_default();
            // What is tried again by itself was tried as often as it may be.
            let again = matches!(&cut, Cut::Error(error) if self.is_tried_again(error, *tried));
            if !again || self.tries_statements() {
                return Ok(self.end(cut, &migration).await);
            }
            *tried += 1;
            self.roll_back(&migration).await;
            self.rest(*tried).await;
        }
        let applied = u32::try_from(self.applied.len()).unwrap_or(u32::MAX);
        Ok(AttemptEnd::Finished { applied: Some(applied) })
    }

    /// Whether a statement that gives up now is tried again by itself.
    fn tries_statements(&self) -> bool {
        self.setup.change.retries.of == RetryOf::Statement
            && self.transaction == TransactionStatus::Idle
    }

    /// Whether the policy tries again after that error.
    fn is_tried_again(&self, error: &ServerError, tried: u32) -> bool {
        let retries = &self.setup.change.retries;
        let is = |code| error.sqlstate.as_ref().is_some_and(|s| s.is(code));
        let meant = is(SqlState::LOCK_NOT_AVAILABLE)
            || (retries.after_deadlock && is(SqlState::DEADLOCK_DETECTED));
        meant && tried < retries.on_lock_timeout
    }

    /// The pause after so many failed tries; in every run the same.
    async fn rest(&mut self, failed: u32) {
        let draw = self.draws.random_range(-1.0..=1.0);
        tokio::time::sleep(self.setup.change.retries.pause(failed, draw)).await;
    }

    /// Sends a statement of a file, again where retries are of statements.
    async fn sent(&mut self, statement: Announced) -> Result<Answer, Cut> {
        let alone = self.tries_statements();
        let mut tried = 0;
        loop {
            match self.traced(statement.clone()).await {
                Err(error) if alone && self.is_tried_again(&error, tried) => {
                    tried += 1;
                    self.rest(tried).await;
                }
                outcome => return outcome.map_err(Cut::Error),
            }
        }
    }

    /// Applies what is not applied yet. What cut it short comes with the version that it met.
    async fn migrate_pending(&mut self) -> Result<Result<(), (String, Cut)>, Error> {
        let change = self.setup.change;
        let versions = match &change.versions {
            Some(versions) => versions_at(&self.session, change, versions, &self.place).await?,
            None => Vec::new(),
        };
        let mut pending = not_applied(change, &versions);
        if change.versions.is_none() {
            pending.retain(|migration| !self.applied.contains(&migration.version));
        }
        self.version = versions.last().cloned();
        if change.transaction == TransactionRule::Single
            && !pending.is_empty()
            && let Err(cut) = self.begin("").await
        {
            return Ok(Err((String::new(), cut)));
        }
        for migration in pending {
            if let Err(cut) = self.migrate(migration).await {
                return Ok(Err((migration.version.clone(), cut)));
            }
            self.applied.insert(migration.version.clone());
        }
        // A transaction that a file began and left open is not ended: no tool does, and it is lost
        // with the connection.
        if change.transaction == TransactionRule::Single
            && self.transaction == TransactionStatus::InTransaction
            && let Err(cut) = self.own("COMMIT", "").await
        {
            return Ok(Err((String::new(), cut)));
        }
        Ok(Ok(()))
    }

    async fn end(&mut self, cut: Cut, migration: &str) -> AttemptEnd {
        self.roll_back(migration).await;
        match cut {
            Cut::Stopped => AttemptEnd::Stopped,
            Cut::Error(error) => {
                let migration = migration.to_owned();
                AttemptEnd::Failed { migration, error: error.into() }
            }
        }
    }

    async fn roll_back(&mut self, migration: &str) {
        use TransactionStatus::{Failed, InTransaction};
        if matches!(self.transaction, Failed | InTransaction) {
            self.applied.clone_from(&self.committed);
            // A rollback that fails has lost its connection, which rolls back as well.
            let _ = self.own("ROLLBACK", migration).await;
        }
    }

    async fn migrate(&mut self, migration: &Migration) -> Result<(), Cut> {
        match self.is_wanted(migration).await? {
            Wanted::Yes => {}
            Wanted::No => return Ok(()),
            Wanted::Recorded if self.place.is_empty() => return Ok(()),
            Wanted::Recorded => {
                let sql = tables::record_left_out(&self.place, migration);
                return self.own(&sql, &migration.version).await;
            }
        }
        let change = self.setup.change;
        let per_migration = change.transaction == TransactionRule::PerMigration;
        let own_transaction = migration.transaction.unwrap_or(per_migration)
            && self.transaction == TransactionStatus::Idle;
        if own_transaction {
            self.begin(&migration.version).await?;
        }
        match &migration.repeat {
            None => {
                self.script(migration).await?;
            }
            Some(repeat) => {
                let mut rounds = 0;
                while self.script(migration).await? != Some(0) {
                    rounds += 1;
                    if rounds >= repeat.limit {
                        return Err(Cut::Error(too_many_rounds(repeat.limit)));
                    }
                    tokio::time::sleep(Duration::from_millis(repeat.pause_ms)).await;
                }
            }
        }
        let apart = change.versions.as_ref().is_some_and(tables::is_recorded_apart);
        if apart && own_transaction && self.transaction == TransactionStatus::InTransaction {
            self.own("COMMIT", &migration.version).await?;
        }
        self.record_version(migration).await?;
        // The file may have left the runner's transaction and entered another.
        if own_transaction && self.transaction == TransactionStatus::InTransaction {
            self.own("COMMIT", &migration.version).await?;
        }
        Ok(())
    }

    /// Asks the migration's precondition.
    async fn is_wanted(&mut self, migration: &Migration) -> Result<Wanted, Cut> {
        let Some(precondition) = &migration.precondition else { return Ok(Wanted::Yes) };
        for check in &precondition.checks {
            let statement = self.of_runner(&check.sql, &migration.version);
            let (unmet, why) = match self.traced(statement).await {
                Ok(answer) if first_value(&answer) == Some(&check.expected) => continue,
                Ok(answer) => {
                    (precondition.on_fail, unmet(check, first_value(&answer).unwrap_or("nothing")))
                }
                Err(error) => (precondition.on_error, error),
            };
            match unmet {
                Unmet::Halt => return Err(Cut::Error(why)),
                Unmet::Continue => return Ok(Wanted::No),
                Unmet::MarkRan => return Ok(Wanted::Recorded),
                Unmet::Warn => {}
            }
        }
        Ok(Wanted::Yes)
    }

    async fn record_version(&mut self, migration: &Migration) -> Result<(), Cut> {
        let Some(versions) = &self.setup.change.versions else { return Ok(()) };
        let before = self.version.take();
        let sql = tables::record(versions, &self.place, migration, before.as_deref());
        let statement = self.of_runner(&sql, &migration.version);
        let answer = self.traced(statement).await.map_err(Cut::Error)?;
        if rows_of(&answer) != Some(1) {
            return Err(Cut::Error(not_there(versions, before.as_deref())));
        }
        self.version = Some(migration.version.clone());
        Ok(())
    }

    /// Runs a file's statements once; gives the rows of the last one.
    async fn script(&mut self, migration: &Migration) -> Result<Option<u64>, Cut> {
        let mut rows = None;
        for (number, statement) in (1..).zip(&migration.script.statements) {
            if self.until_stop == Some(0) {
                return Err(Cut::Stopped);
            }
            let text = from_file(migration, &migration.script, statement);
            let counts = counts_rows(&statement.text);
            let answer = self.sent(text).await?;
            rows = rows_of(&answer).filter(|_| counts);
            self.until_stop = self.until_stop.map(|left| left - 1);
            self.pause(migration, number).await;
        }
        Ok(rows)
    }

    /// A session or a pause comes between two statements: the first time only.
    async fn pause(&self, migration: &Migration, after: u32) {
        let pauses = migration.pauses.iter().filter(|_| is_first(self.setup, self.attempt));
        for pause in pauses.filter(|pause| pause.after == after) {
            tokio::time::sleep(Duration::from_millis(pause.ms)).await;
        }
    }

    async fn begin(&mut self, migration: &str) -> Result<(), Cut> {
        self.own("BEGIN", migration).await?;
        if self.setup.change.timeouts.scope == Scope::Local {
            for (name, value) in self.timeouts() {
                self.own(&format!("SET LOCAL {name} = {value}"), migration).await?;
            }
        }
        Ok(())
    }

    async fn set_session_timeouts(&mut self) -> Result<(), Cut> {
        if self.setup.change.timeouts.scope == Scope::Session {
            for (name, value) in self.timeouts() {
                self.own(&format!("SET {name} = {value}"), "").await?;
            }
        }
        Ok(())
    }

    fn timeouts(&self) -> Vec<(&'static str, u64)> {
        let timeouts = &self.setup.change.timeouts;
        let statement = timeouts.statement_timeout_ms_at(self.setup.declared, self.setup.sizes);
        let idle = timeouts.idle_in_transaction_session_timeout_ms;
        [
            ("lock_timeout", timeouts.lock_timeout_ms),
            ("statement_timeout", statement),
            ("idle_in_transaction_session_timeout", idle),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// A statement that the runner adds.
    async fn own(&mut self, sql: &str, migration: &str) -> Result<(), Cut> {
        let statement = self.of_runner(sql, migration);
        self.traced(statement).await.map(drop).map_err(Cut::Error)
    }

    fn of_runner(&self, sql: &str, migration: &str) -> Announced {
        let (migration, text) = (migration.to_owned(), sql.to_owned());
        Announced { migration, source: Source::Runner, text }
    }

    async fn traced(&mut self, statement: Announced) -> Result<Answer, ServerError> {
        let sql = statement.text.clone();
        (self.setup.listener)(Progress::Statement { attempt: self.attempt, text: sql.clone() });
        self.announcements.announce(statement);
        let outcome = self.send(&sql).await;
        self.transaction = match self.session.is_closed() {
            true => TransactionStatus::Gone,
            false => self.announcements.transaction(),
        };
        if self.transaction == TransactionStatus::Idle {
            self.committed.clone_from(&self.applied);
        }
        outcome
    }

    /// By the simple protocol, one statement at a time, as psql sends it.
    async fn send(&self, sql: &str) -> Result<Answer, ServerError> {
        match self.session.client().simple_query(sql).await {
            Ok(messages) => Ok(messages),
            Err(error) if error.as_db_error().is_some() => Err(server_error(&error)),
            Err(error) => match self.session.parting_error() {
                Some(parting) if parting.sqlstate.is_some() => Err(parting),
                parting => Err(broken(parting.unwrap_or(server_error(&error)))),
            },
        }
    }
}

/// Whether no runner has applied the change before: runners that start together are all the first.
fn is_first(setup: &ApplySetup<'_>, attempt: Attempt) -> bool {
    attempt < setup.change.runners
}

fn rows_of(answer: &[SimpleQueryMessage]) -> Option<u64> {
    answer.iter().rev().find_map(|message| match message {
        SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
        _ => None,
    })
}

/// The first column of the first row.
fn first_value(answer: &[SimpleQueryMessage]) -> Option<&str> {
    answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    })
}

fn unmet(check: &Check, found: &str) -> ServerError {
    let message = format!("the precondition {} gives {found}, not {}", check.sql, check.expected);
    ServerError { sqlstate: None, message, ..ServerError::default() }
}

/// No message says why.
fn broken(error: ServerError) -> ServerError {
    ServerError { message: format!("the connection broke: {}", error.message), ..error }
}

fn not_there(versions: &Versions, before: Option<&str>) -> ServerError {
    let (table, before) = (&versions.table, before.unwrap_or_default());
    ServerError {
        sqlstate: None,
        message: format!("{table} has not one row that says {before}, which was read there before"),
        detail: None,
        hint: Some("see what else writes it: another runner, or the migration itself".to_owned()),
        context: None,
    }
}

/// Command tags of other statements carry no count, which the driver tells as 0.
fn counts_rows(sql: &str) -> bool {
    matches!(kind(sql), Kind::Select | Kind::Insert | Kind::Update | Kind::Delete)
}

fn from_file(migration: &Migration, script: &Script, statement: &Statement) -> Announced {
    let path = script.path.display().to_string();
    Announced {
        migration: migration.version.clone(),
        source: Source::File { path, line: statement.line },
        text: statement.text.clone(),
    }
}

fn too_many_rounds(limit: u32) -> ServerError {
    ServerError {
        sqlstate: None,
        message: format!("the migration's statements affected rows in each of {limit} rounds"),
        detail: None,
        hint: Some("raise repeat.limit, or see why the last statement never runs dry".to_owned()),
        context: None,
    }
}
