//! The built-in runner: one connection, the change's transactions, its timeouts, its versions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;

use crate::connect::{Address, Session, server_error};
use crate::history::{
    Attempt, AttemptEnd, Event, Listener, Progress, Recorder, Role, ServerError, SessionSeen,
    Source, TransactionStatus,
};
use crate::pg::SqlState;
use crate::pg::syntax::{Kind, kind};
use crate::scenario::{Change, Migration, Scope, Script, Sizes, Statement, TransactionRule};
use crate::tap::{StatementText, Tracer};

use super::Error;
use super::probe::TwoSessions;
use super::versions::{pending, record_version};

/// After a cancel request, how long the statement may take to stop before its backend is ended.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

pub struct Setup<'a> {
    pub address: &'a Address,
    pub change: &'a Change,
    /// Rows that the scenario declares, and rows of this trial.
    pub declared: &'a Sizes,
    pub sizes: &'a Sizes,
    pub recorder: &'a Recorder,
    pub listener: &'a Listener,
}

/// Applies the change once and says how that ended. Attempt 0 honours the change's `stop`.
pub async fn apply(setup: &Setup<'_>, attempt: Attempt) -> Result<AttemptEnd, Error> {
    let none = BTreeMap::new();
    let session = Session::open(setup.address, "pgauntlet change", &none).await;
    let session = Arc::new(session.map_err(Error::Open)?);
    let observer = Session::open(setup.address, "pgauntlet observe", &none).await;
    let observer = observer.map_err(Error::Probe)?;
    for (pid, role) in [(session.pid(), Role::Change), (observer.pid(), Role::Observer)] {
        setup.recorder.record(Event::Session(SessionSeen { pid, role }));
    }
    setup.recorder.record(Event::AttemptBegan { attempt });
    let end = within_deadline(setup, attempt, &session, observer).await?;
    setup.recorder.record(Event::AttemptEnded { attempt, end: end.clone() });
    Ok(end)
}

/// Deadline, then cancel, then kill.
async fn within_deadline(
    setup: &Setup<'_>,
    attempt: Attempt,
    session: &Arc<Session>,
    observer: Session,
) -> Result<AttemptEnd, Error> {
    let probe = TwoSessions::new(Arc::clone(session), observer);
    let tracer = Tracer::new(setup.recorder, probe, attempt, session.pid());
    let mut runner = Runner::new(setup, attempt, Arc::clone(session), tracer);
    let deadline = Duration::from_millis(setup.change.deadline_ms);
    if let Ok(end) = timeout(deadline, runner.run()).await {
        return end;
    }
    session.canceller().cancel().await;
    // The answer went with the future that waited for it; the server tells when it has stopped.
    let stopped = timeout(CANCEL_GRACE, runner.tracer.probe().idle()).await;
    let how = if stopped.is_ok() { "cancelled" } else { "killed, since it ignored a cancel," };
    let error = ServerError {
        sqlstate: Some(SqlState::new(SqlState::QUERY_CANCELED)),
        message: format!("{how} at the change's deadline of {} ms", setup.change.deadline_ms),
        detail: None,
        hint: None,
    };
    runner.tracer.ended(Err(error), TransactionStatus::Failed, Vec::new()).await;
    let _ = timeout(CANCEL_GRACE, runner.tracer.probe().terminate()).await;
    Ok(AttemptEnd::DeadlineExceeded)
}

/// Why a migration did not run to its end.
enum Cut {
    Error(ServerError),
    Stopped,
}

struct Runner<'a> {
    setup: &'a Setup<'a>,
    attempt: Attempt,
    session: Arc<Session>,
    tracer: Tracer<TwoSessions>,
    transaction: TransactionStatus,
    /// Statements of the files that may still run before the stop; None: no stop.
    until_stop: Option<u64>,
}

impl<'a> Runner<'a> {
    fn new(
        setup: &'a Setup<'a>,
        attempt: Attempt,
        session: Arc<Session>,
        tracer: Tracer<TwoSessions>,
    ) -> Runner<'a> {
        let stop = setup.change.stop.as_ref().filter(|_| attempt == 0);
        let until_stop = stop.map(|s| s.after_statements_at(setup.declared, setup.sizes));
        let transaction = TransactionStatus::Idle;
        Runner { setup, attempt, session, tracer, transaction, until_stop }
    }

    async fn run(&mut self) -> Result<AttemptEnd, Error> {
        let pending = pending(&self.session, self.setup.change).await?;
        let mut applied = 0;
        if let Err(cut) = self.set_session_timeouts().await {
            return Ok(self.end(cut, "").await);
        }
        let single = self.setup.change.transaction == TransactionRule::Single;
        if single
            && !pending.is_empty()
            && let Err(cut) = self.begin("").await
        {
            return Ok(self.end(cut, "").await);
        }
        for migration in &pending {
            if let Err(cut) = self.migrate_with_retries(migration).await {
                return Ok(self.end(cut, &migration.version).await);
            }
            applied += 1;
        }
        if self.transaction == TransactionStatus::InTransaction
            && let Err(cut) = self.own("COMMIT", "").await
        {
            return Ok(self.end(cut, "").await);
        }
        Ok(AttemptEnd::Finished { applied: Some(applied) })
    }

    async fn end(&mut self, cut: Cut, migration: &str) -> AttemptEnd {
        self.roll_back(migration).await;
        match cut {
            Cut::Stopped => AttemptEnd::Stopped,
            Cut::Error(error) => AttemptEnd::Failed { migration: migration.to_owned(), error },
        }
    }

    async fn roll_back(&mut self, migration: &str) {
        use TransactionStatus::{Failed, InTransaction};
        if matches!(self.transaction, Failed | InTransaction) {
            // A rollback that fails has lost its connection, which rolls back as well.
            let _ = self.own("ROLLBACK", migration).await;
        }
    }

    async fn migrate_with_retries(&mut self, migration: &Migration) -> Result<(), Cut> {
        let retries = &self.setup.change.retries;
        for _ in 0..retries.on_lock_timeout {
            match self.migrate(migration).await {
                Err(Cut::Error(error)) if is_lock_timeout(&error) => {
                    self.roll_back(&migration.version).await;
                    tokio::time::sleep(Duration::from_millis(retries.backoff_ms)).await;
                }
                settled => return settled,
            }
        }
        self.migrate(migration).await
    }

    async fn migrate(&mut self, migration: &Migration) -> Result<(), Cut> {
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
        if let Some(versions) = &change.versions {
            let version = record_version(versions, &migration.version);
            self.own(&version, &migration.version).await?;
        }
        // The file may have left the runner's transaction and entered another.
        if own_transaction && self.transaction == TransactionStatus::InTransaction {
            self.own("COMMIT", &migration.version).await?;
        }
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
            rows = self.traced(text).await.map_err(Cut::Error)?;
            self.until_stop = self.until_stop.map(|left| left - 1);
            self.pause(migration, number).await;
        }
        Ok(rows)
    }

    /// Somebody, or something, comes between two statements: the first time only.
    async fn pause(&self, migration: &Migration, after: u32) {
        let pauses = migration.pauses.iter().filter(|_| self.attempt == 0);
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
        let (migration, text) = (migration.to_owned(), sql.to_owned());
        let statement = StatementText { migration, source: Source::Runner, text };
        self.traced(statement).await.map(drop).map_err(Cut::Error)
    }

    async fn traced(&mut self, statement: StatementText) -> Result<Option<u64>, ServerError> {
        let sql = statement.text.clone();
        (self.setup.listener)(Progress::Statement { attempt: self.attempt, text: sql.clone() });
        self.tracer.began(statement, self.transaction).await;
        let outcome = self.send(&sql).await;
        self.transaction = self.status_after(&sql, outcome.is_ok());
        let notices = self.session.take_notices();
        self.tracer.ended(outcome.clone(), self.transaction, notices).await;
        outcome
    }

    /// By the simple protocol, one statement at a time, as psql sends it.
    async fn send(&self, sql: &str) -> Result<Option<u64>, ServerError> {
        match self.session.client().simple_query(sql).await {
            Ok(messages) if counts_rows(sql) => {
                Ok(messages.iter().rev().find_map(|message| match message {
                    SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
                    _ => None,
                }))
            }
            Ok(_) => Ok(None),
            Err(error) if error.as_db_error().is_some() => Err(server_error(&error)),
            Err(error) => Err(self.session.parting_error().unwrap_or(server_error(&error))),
        }
    }

    fn status_after(&self, sql: &str, succeeded: bool) -> TransactionStatus {
        use TransactionStatus::{Failed, Gone, Idle, InTransaction};
        if self.session.is_closed() {
            return Gone;
        }
        match (kind(sql), succeeded, self.transaction) {
            (Kind::Begin, true, _) => InTransaction,
            // A COMMIT that fails, or that meets a failed transaction, has rolled back.
            (Kind::Commit | Kind::Rollback, _, _) => Idle,
            (_, false, InTransaction | Failed) => Failed,
            (_, _, status) => status,
        }
    }
}

/// Command tags of other statements carry no count, which the driver tells as 0.
fn counts_rows(sql: &str) -> bool {
    matches!(kind(sql), Kind::Select | Kind::Insert | Kind::Update | Kind::Delete)
}

fn from_file(migration: &Migration, script: &Script, statement: &Statement) -> StatementText {
    let path = script.path.display().to_string();
    StatementText {
        migration: migration.version.clone(),
        source: Source::File { path, line: statement.line },
        text: statement.text.clone(),
    }
}

fn is_lock_timeout(error: &ServerError) -> bool {
    error.sqlstate.as_ref().is_some_and(|s| s.is(SqlState::LOCK_NOT_AVAILABLE))
}

fn too_many_rounds(limit: u32) -> ServerError {
    ServerError {
        sqlstate: None,
        message: format!("the migration's statements affected rows in each of {limit} rounds"),
        detail: None,
        hint: Some("raise repeat.limit, or see why the last statement never runs dry".to_owned()),
    }
}
