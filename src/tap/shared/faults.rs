//! Faults that come from outside a connection, while a statement runs or by the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::history::{Event, StatementId};

use super::super::fault::Action;
use super::{Backend, TapState, lock};

/// How long tries follow each other without a pause: a short statement ends soon.
const EAGER: Duration = Duration::from_millis(20);
/// After that, the pause between two tries.
const POLL: Duration = Duration::from_millis(1);
/// Between two cancels of one statement: a server forgets one that comes while it reads a message.
const REPEAT: Duration = Duration::from_millis(5);

impl TapState {
    /// Cancels or kills what runs on the connection as soon as it is in the state that the action
    /// needs, again and again until it has ended; does nothing to one that has ended before.
    /// Whether the fault was injected shows in how the statement ends.
    pub async fn inject(
        self: Arc<TapState>,
        action: Action,
        connection: u32,
        statement: StatementId,
    ) {
        let begun = Instant::now();
        while let Some(backend) = self.backend_of(connection, statement) {
            let injecting = backend.injecting.lock().await;
            if !self.runs(connection, statement) {
                return;
            }
            let injected = match self.watch.inject(backend.pid, &action).await {
                Ok(injected) => injected,
                Err(message) => return self.injection_failed(&action, message),
            };
            if injected {
                self.has_injected(connection, &action);
            }
            drop(injecting);
            if injected {
                tokio::time::sleep(REPEAT).await;
            } else if begun.elapsed() >= EAGER {
                tokio::time::sleep(POLL).await;
            }
        }
    }

    /// Injects a fault that long after the statement was sent, if it still runs then.
    pub async fn inject_into(
        self: Arc<TapState>,
        action: Action,
        connection: u32,
        statement: StatementId,
        after: Duration,
    ) {
        tokio::time::sleep(after).await;
        while let Some(backend) = self.backend_of(connection, statement) {
            let injecting = backend.injecting.lock().await;
            if !self.runs(connection, statement) {
                return;
            }
            match action {
                Action::CancelWaiting
                | Action::CancelWorking
                | Action::KillBackend
                | Action::KillBackendBefore => {
                    if let Err(message) = self.hit(&action, connection, backend.pid).await {
                        return self.injection_failed(&action, message);
                    }
                }
                action => return self.inject_here(&action, Some(connection), Some(statement)),
            }
            drop(injecting);
            tokio::time::sleep(REPEAT).await;
        }
    }

    /// Injects a fault that is due by the clock, into the statement that runs then, if any.
    pub async fn inject_now(self: Arc<TapState>, action: Action) {
        let target = {
            let connections = lock(&self.connections);
            let busy = connections.iter().find(|(_, b)| b.running.is_some());
            busy.or_else(|| connections.iter().next()).map(|(n, b)| (*n, b.clone()))
        };
        let running = target.as_ref().and_then(|(_, backend)| backend.running);
        match (&action, target) {
            (
                Action::CancelWaiting
                | Action::CancelWorking
                | Action::KillBackend
                | Action::KillBackendBefore,
                Some((number, backend)),
            ) => match running {
                Some(statement) => self.inject(action, number, statement).await,
                None if matches!(action, Action::KillBackend | Action::KillBackendBefore) => {
                    self.record_fault(&action, None);
                    // A backend that is gone already is what was wanted.
                    let _ = self.watch.terminate(backend.pid).await;
                }
                None => {}
            },
            (_, target) => self.inject_here(&action, target.map(|(number, _)| number), running),
        }
    }

    /// For actions that need no query on the server.
    fn inject_here(
        &self,
        action: &Action,
        connection: Option<u32>,
        statement: Option<StatementId>,
    ) {
        let mut connections = lock(&self.connections);
        let backend = connection.and_then(|number| connections.get_mut(&number));
        // Recorded first: a reader may look as soon as it has happened.
        match (action, backend) {
            (Action::Refuse(time), _) => {
                self.record_fault(action, statement);
                self.refuse(*time);
            }
            (Action::KillClient, _) => {
                self.record_fault(action, statement);
                self.killed.cancel();
            }
            (Action::CutBefore | Action::CutAfter, Some(backend)) => {
                self.record_fault(action, statement);
                backend.cut_by = Some(action.clone());
                backend.cut.cancel();
            }
            (Action::DelayAnswer(by), Some(backend)) => {
                self.record_fault(action, statement);
                backend.delay = Some(*by);
            }
            _ => {}
        }
    }

    /// Cancels or ends the backend whatever it does.
    async fn hit(&self, action: &Action, connection: u32, pid: i32) -> Result<(), String> {
        match action {
            Action::KillBackend | Action::KillBackendBefore => {
                self.watch.terminate(pid).await?;
            }
            _ => self.watch.cancel(pid).await?,
        }
        self.has_injected(connection, action);
        Ok(())
    }

    /// To be called with `injecting` held: the statement's end waits for that.
    fn has_injected(&self, connection: u32, action: &Action) {
        if let Some(backend) = lock(&self.connections).get_mut(&connection) {
            backend.injected = Some(action.clone());
        }
    }

    pub fn injection_failed(&self, action: &Action, message: String) {
        let stage = format!("injecting a fault: {action}");
        self.recorder.record(Event::MeasurementFailed { stage, message });
    }

    /// The connection's backend, while it runs this statement.
    fn backend_of(&self, connection: u32, statement: StatementId) -> Option<Backend> {
        let backend = lock(&self.connections).get(&connection).cloned();
        backend.filter(|backend| backend.running == Some(statement))
    }
}
