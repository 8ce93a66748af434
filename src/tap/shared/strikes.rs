//! Faults that come from outside a connection, while a statement runs or by the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::history::{Event, StatementId};

use super::super::fault::FaultKind;
use super::super::watch::Blow;
use super::{Backend, TapState, lock};

/// How long a statement is struck at without a pause: a short one is over soon.
const EAGER: Duration = Duration::from_millis(20);
/// After that, between two tries.
const STRIKE_POLL: Duration = Duration::from_millis(1);
/// Between two cancels of one statement: a server forgets one that comes while it reads a message.
const STRIKE_AGAIN: Duration = Duration::from_millis(5);

impl TapState {
    /// Cancels or kills what runs on the connection as soon as it is in the state that the fault
    /// asks for, again and again until it has ended; spares it when it has ended before. Whether it
    /// was met, its end shows.
    pub async fn strike(
        self: Arc<TapState>,
        kind: FaultKind,
        connection: u32,
        statement: StatementId,
    ) {
        let blow = match kind {
            FaultKind::CancelWaiting => Blow::CancelWaiting,
            FaultKind::CancelWorking => Blow::CancelWorking,
            _ => Blow::Terminate,
        };
        let begun = Instant::now();
        while let Some(backend) = self.backend_of(connection, statement) {
            let striking = backend.striking.lock().await;
            if !self.runs(connection, statement) {
                return;
            }
            let struck = match self.watch.strike(backend.pid, blow).await {
                Ok(struck) => struck,
                Err(message) => return self.strike_failed(&kind, message),
            };
            if struck {
                self.has_struck(connection, &kind);
            }
            drop(striking);
            if struck {
                tokio::time::sleep(STRIKE_AGAIN).await;
            } else if begun.elapsed() >= EAGER {
                tokio::time::sleep(STRIKE_POLL).await;
            }
        }
    }

    /// Brings a fault about so long after the statement was sent, if it still runs then.
    pub async fn strike_into(
        self: Arc<TapState>,
        kind: FaultKind,
        connection: u32,
        statement: StatementId,
        after: Duration,
    ) {
        tokio::time::sleep(after).await;
        while let Some(backend) = self.backend_of(connection, statement) {
            let striking = backend.striking.lock().await;
            if !self.runs(connection, statement) {
                return;
            }
            match kind {
                FaultKind::CancelWaiting
                | FaultKind::CancelWorking
                | FaultKind::KillBackend
                | FaultKind::KillBackendBefore => {
                    if let Err(message) = self.hit(&kind, connection, backend.pid).await {
                        return self.strike_failed(&kind, message);
                    }
                }
                kind => return self.bring_about(&kind, Some(connection), Some(statement)),
            }
            drop(striking);
            tokio::time::sleep(STRIKE_AGAIN).await;
        }
    }

    /// Brings a fault about that is due by the clock, on whatever goes on.
    pub async fn strike_now(self: Arc<TapState>, kind: FaultKind) {
        let target = {
            let connections = lock(&self.connections);
            let busy = connections.iter().find(|(_, b)| b.running.is_some());
            busy.or_else(|| connections.iter().next()).map(|(n, b)| (*n, b.clone()))
        };
        let running = target.as_ref().and_then(|(_, backend)| backend.running);
        match (&kind, target) {
            (
                FaultKind::CancelWaiting
                | FaultKind::CancelWorking
                | FaultKind::KillBackend
                | FaultKind::KillBackendBefore,
                Some((number, backend)),
            ) => match running {
                Some(statement) => self.strike(kind, number, statement).await,
                None if matches!(kind, FaultKind::KillBackend | FaultKind::KillBackendBefore) => {
                    self.record_fault(&kind, None);
                    // A backend that is gone already is what was wanted.
                    let _ = self.watch.terminate(backend.pid).await;
                }
                None => {}
            },
            (_, target) => self.bring_about(&kind, target.map(|(number, _)| number), running),
        }
    }

    /// What takes no question to the server.
    fn bring_about(
        &self,
        kind: &FaultKind,
        connection: Option<u32>,
        statement: Option<StatementId>,
    ) {
        let mut connections = lock(&self.connections);
        let backend = connection.and_then(|number| connections.get_mut(&number));
        // Recorded first: somebody may read it as soon as it has happened.
        match (kind, backend) {
            (FaultKind::Refuse(time), _) => {
                self.record_fault(kind, statement);
                self.refuse(*time);
            }
            (FaultKind::KillClient, _) => {
                self.record_fault(kind, statement);
                self.killed.cancel();
            }
            (FaultKind::CutBefore | FaultKind::CutAfter, Some(backend)) => {
                self.record_fault(kind, statement);
                backend.cut_by = Some(kind.clone());
                backend.cut.cancel();
            }
            (FaultKind::DelayAnswer(by), Some(backend)) => {
                self.record_fault(kind, statement);
                backend.delay = Some(*by);
            }
            _ => {}
        }
    }

    /// Cancels or ends the backend whatever it does.
    async fn hit(&self, kind: &FaultKind, connection: u32, pid: i32) -> Result<(), String> {
        match kind {
            FaultKind::KillBackend | FaultKind::KillBackendBefore => {
                self.watch.terminate(pid).await?;
            }
            _ => self.watch.cancel(pid).await?,
        }
        self.has_struck(connection, kind);
        Ok(())
    }

    /// To be called while nobody else may strike: the statement's end waits for that.
    fn has_struck(&self, connection: u32, kind: &FaultKind) {
        if let Some(backend) = lock(&self.connections).get_mut(&connection) {
            backend.struck = Some(kind.clone());
        }
    }

    pub fn strike_failed(&self, kind: &FaultKind, message: String) {
        let stage = format!("bringing about: {kind}");
        self.recorder.record(Event::MeasurementFailed { stage, message });
    }

    /// The connection's backend, while it runs this statement.
    fn backend_of(&self, connection: u32, statement: StatementId) -> Option<Backend> {
        let backend = lock(&self.connections).get(&connection).cloned();
        backend.filter(|backend| backend.running == Some(statement))
    }
}
