//! What faults do to a statement that is about to be sent, and what has to be put back after it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::super::conversation::{Pipeline, Statement, StatementOutcome};
use super::super::fault::Action;
use super::super::injected::{self, Question};
use super::super::probes;
use super::armed::{Armed, Limited};
use super::{Connection, End};
use crate::history::{ServerError, TransactionStatus};
use crate::pg::syntax::Kind;
use crate::pg::{SqlState, milliseconds};

/// Longest wait for a backend, or for the client that applies the change, to be gone after it was
/// killed.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest attempt to get the lock that a statement is to wait for.
const BLOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a statement waits that is to give up waiting, as SHOW returns it: a length that no
/// other setting has.
const LIMIT: &str = "97ms";
const LIMIT_MS: u64 = 97;

/// Why a `lock_timeout` could not be put on the change's session.
const UNASKED: &str = "no question could be put to the change's session before the statement";

impl Connection {
    /// The statement is to go to the server now. False: a fault keeps it here.
    pub(super) async fn runs(&mut self, statement: Option<Statement>) -> Result<bool, End> {
        let armed = self.armed.as_ref().zip(statement.as_ref());
        if armed.is_some_and(|(armed, statement)| !armed.fault.at.may_be(&statement.text)) {
            // What was prepared first is not what runs.
            self.stand_down().await;
        }
        let Some(id) = self.tracer.runs(statement) else { return Ok(true) };
        self.running = Some(id);
        self.shared.running(self.number, Some(id));
        for (after, action) in self.shared.faults_into(id) {
            let shared = Arc::clone(&self.shared);
            tokio::spawn(shared.inject_into(action, self.number, id, after));
        }
        let Some(fault) = self.shared.fault_at(id) else { return Ok(true) };
        match fault {
            Action::CutBefore => {
                self.shared.record_fault(&fault, Some(id));
                self.fault = Some(fault);
                return Err(End::Fault);
            }
            Action::KillClient => {
                self.shared.record_fault(&fault, Some(id));
                self.fault = Some(fault);
                self.shared.killed.cancel();
                // One that lives on is cut off all the same.
                let _ = timeout(KILL_TIMEOUT, self.from_client.until_gone()).await;
                return Err(End::Fault);
            }
            Action::KillBackendBefore => return Ok(!self.kill_backend(fault).await),
            Action::CutAfter | Action::DelayAnswer(_) => self.fault = Some(fault),
            Action::Refuse(time) => {
                self.shared.refuse(time);
                self.shared.record_fault(&fault, Some(id));
            }
            Action::CancelWaiting | Action::CancelWorking | Action::KillBackend => {
                let shared = Arc::clone(&self.shared);
                tokio::spawn(shared.inject(fault, self.number, id));
            }
            Action::TimeOutWaiting { .. } => {
                let why = self.unarmed.take().unwrap_or(UNASKED.to_owned());
                self.shared.record_skipped(&fault, why);
            }
        }
        Ok(true)
    }

    /// Ends the backend that waits for the statement. What it said last is there when this returns.
    async fn kill_backend(&mut self, fault: Action) -> bool {
        let killed = self.shared.watch.terminate(self.conversation.pid).await;
        if let Err(message) = killed {
            self.shared.injection_failed(&fault, message);
            return false;
        }
        let closed = async {
            while self.from_server.open {
                self.from_server.open &= self.from_server.read().await.is_ok();
            }
        };
        if timeout(KILL_TIMEOUT, closed).await.is_err() {
            let message = format!("the backend is still there after {KILL_TIMEOUT:?}");
            self.shared.injection_failed(&fault, message);
            return false;
        }
        self.shared.record_fault(&fault, self.running);
        true
    }

    /// Makes ready that the statement waits for a lock and gives up; gives whether there was
    /// something to make ready. Nothing is done before what could set `lock_timeout` itself.
    pub(super) async fn arm(
        &mut self,
        statement: &Statement,
        in_pipeline: bool,
    ) -> Result<bool, End> {
        if probes::takes_nothing(&statement.kind) && statement.kind != Kind::Commit {
            return Ok(false);
        }
        let Some(fault) = self.shared.take_preparation(&statement.text) else { return Ok(false) };
        let Action::TimeOutWaiting { relation, mode } = &fault.action else { return Ok(false) };
        let block = self.shared.watch.block(relation, *mode);
        let blocked = timeout(BLOCK_TIMEOUT, block).await;
        let blocked =
            blocked.unwrap_or_else(|_| Err(format!("no answer within {BLOCK_TIMEOUT:?}")));
        let hold = match blocked {
            Ok(hold) => hold,
            Err(why) => {
                self.unarmed = Some(format!("the lock on {relation} cannot be had: {why}"));
                self.shared.put_back(fault);
                return Ok(true);
            }
        };
        match self.limit(in_pipeline).await {
            Ok(true) => self.armed = Some(Armed { fault, hold }),
            unlimited => {
                self.unarmed = Some(UNASKED.to_owned());
                hold.release().await;
                self.shared.put_back(fault);
                unlimited?;
            }
        }
        Ok(true)
    }

    /// Sees to it that the next statement does not wait long for a lock. False: it cannot be seen
    /// to.
    async fn limit(&mut self, in_pipeline: bool) -> Result<bool, End> {
        let shown = self.ask(injected::lock_timeout(in_pipeline)?, in_pipeline).await?;
        let Some(was) = shown.and_then(|rows| first(&rows)) else { return Ok(false) };
        match milliseconds(&was) {
            None => return Ok(false),
            // Its own is as short.
            Some(1..=LIMIT_MS) => return Ok(true),
            Some(_) => {}
        }
        let local = self.conversation.transaction() == TransactionStatus::InTransaction;
        let question = injected::set_lock_timeout(LIMIT, local, in_pipeline)?;
        let set = self.ask(question, in_pipeline).await?.is_some();
        if set {
            self.limited = Some(Limited { was, local });
        }
        Ok(set)
    }

    /// The statement has ended: no session is to wait for its lock any longer.
    pub(super) async fn disarm(&mut self, error: Option<&ServerError>) {
        let Some(Armed { fault, hold }) = self.armed.take() else { return };
        hold.release().await;
        if error.is_some_and(|error| is(error, SqlState::LOCK_NOT_AVAILABLE)) {
            let statement = self.tracer.number();
            self.shared.record_fault(&fault.action, statement);
        }
    }

    /// What was prepared has not been run; it may still be.
    pub(super) async fn stand_down(&mut self) {
        self.unarmed = None;
        if let Some(Armed { fault, hold }) = self.armed.take() {
            hold.release().await;
            self.shared.put_back(fault);
        }
    }

    /// Records what was done to the statement that has ended, if it was in time.
    pub(super) fn record_injected(&self, error: Option<&ServerError>) {
        let Some(action) = self.shared.take_injected(self.number) else { return };
        match action {
            Action::KillBackend | Action::KillBackendBefore => {
                self.shared.record_fault(&action, error.and(self.running));
            }
            _ if error.is_some_and(|error| is(error, SqlState::QUERY_CANCELED)) => {
                self.shared.record_fault(&action, self.running);
            }
            // It was over: the server forgets a cancel that finds nothing to cancel.
            _ => {}
        }
    }

    /// Whether `lock_timeout` can be put back now that a statement has ended; else it is when the
    /// server is ready.
    pub(super) fn lift_due(&self, outcome: &StatementOutcome) -> bool {
        let in_transaction = outcome.transaction == TransactionStatus::InTransaction;
        let ran = self.conversation.pipeline() == Pipeline::Executed;
        self.limited.is_some() && (!outcome.in_pipeline || in_transaction && ran)
    }

    /// Puts `lock_timeout` back to what the change has set, as soon as that is possible: what a
    /// rollback takes back is taken back, and what the statement itself has set is left.
    pub(super) async fn lift(
        &mut self,
        transaction: TransactionStatus,
        in_pipeline: bool,
    ) -> Result<(), End> {
        use TransactionStatus::{Failed, Gone, Idle, InTransaction};
        let Some(limited) = self.limited.take() else { return Ok(()) };
        match transaction {
            Gone => return Ok(()),
            Idle if limited.local => return Ok(()),
            // A ROLLBACK TO may leave ours in force.
            Failed => {
                self.limited = Some(limited);
                return Ok(());
            }
            Idle | InTransaction => {}
        }
        let question = injected::lock_timeout(in_pipeline)?;
        if self.shown(question, in_pipeline).await?.as_deref() == Some(LIMIT) {
            if transaction == InTransaction {
                let question = injected::set_lock_timeout(&limited.was, true, in_pipeline)?;
                self.ask(question, in_pipeline).await?;
            } else if self.shown(injected::reset_lock_timeout()?, false).await?.as_ref()
                != Some(&limited.was)
            {
                let question = injected::set_lock_timeout(&limited.was, false, false)?;
                self.ask(question, false).await?;
            }
        }
        if !limited.local && transaction == InTransaction {
            // The statement began a transaction; ours is there again after it.
            self.limited = Some(limited);
        }
        Ok(())
    }

    async fn shown(&mut self, ask: Question, in_pipeline: bool) -> Result<Option<String>, End> {
        Ok(self.ask(ask, in_pipeline).await?.and_then(|rows| first(&rows)))
    }
}

fn first(rows: &[Vec<Option<String>>]) -> Option<String> {
    rows.first()?.first()?.clone()
}

fn is(error: &ServerError, state: &str) -> bool {
    error.sqlstate.as_ref().is_some_and(|own| own.is(state))
}
