//! What is known of a disturbance while its sessions get into place.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::connect;
use crate::history::{DisturbanceEvent, Event, Held, Moment, Recorder, ServerError};

use super::error::{Error, recorded};

/// One for each session of a disturbance. The last session that is in place says so for all.
#[derive(Clone)]
pub(super) struct Marker(Arc<Place>);

struct Place {
    event: DisturbanceEvent,
    recorder: Recorder,
    waiting: Mutex<Waiting>,
}

struct Waiting {
    /// Sessions that are not in place yet.
    sessions: usize,
    /// Who waits for all of them.
    starter: Option<oneshot::Sender<Result<(), Error>>>,
}

impl Marker {
    /// For so many sessions; and what says that all are in place, or why they are not.
    pub fn new(
        event: DisturbanceEvent,
        recorder: &Recorder,
        sessions: usize,
    ) -> (Marker, oneshot::Receiver<Result<(), Error>>) {
        let (starter, started) = oneshot::channel();
        let waiting = Mutex::new(Waiting { sessions, starter: Some(starter) });
        let place = Place { event, recorder: recorder.clone(), waiting };
        (Marker(Arc::new(place)), started)
    }

    /// A session is in place, and holds that.
    pub fn holds(self, held: Result<Held, connect::Error>) {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.sessions = waiting.sessions.saturating_sub(1);
        if waiting.sessions > 0 {
            return;
        }
        let Some(starter) = waiting.starter.take() else { return };
        match held {
            Ok(held) => {
                let event = DisturbanceEvent {
                    moment: Moment::Holding,
                    held: Some(held),
                    ..self.0.event.clone()
                };
                self.0.recorder.record(Event::Disturbance(event.into()));
                // Without a starter nobody waits.
                let _ = starter.send(Ok(()));
            }
            Err(error) => {
                let _ = starter.send(Err(Error::statement(&self.0.event.name, error)));
            }
        }
    }

    /// A session does not get into place; what is recorded of that.
    pub fn failed(self, error: Error) -> ServerError {
        let recorded = recorded(&error);
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(starter) = waiting.starter.take() {
            let _ = starter.send(Err(error));
        }
        recorded
    }
}
