//! Where the trial is: what begins and ends background sessions.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::scenario::{Beside, Disturbance, Until};

/// What has begun and ended by now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Order {
    /// When the first attempts began.
    change: Option<Instant>,
    change_is_over: bool,
    /// When the attempts that follow began.
    rerun: Option<Instant>,
    rerun_is_over: bool,
    /// Everything ends now.
    stop: bool,
}

impl Order {
    /// Returns whether that is new.
    pub fn begin(&mut self, beside: Beside) -> bool {
        let begun = match beside {
            Beside::Change => &mut self.change,
            Beside::Rerun => &mut self.rerun,
        };
        let new = begun.is_none();
        begun.get_or_insert_with(Instant::now);
        new
    }

    /// Attempts that have not begun are not over.
    pub fn end(&mut self, beside: Beside) {
        match beside {
            Beside::Change => self.change_is_over = true,
            Beside::Rerun => self.rerun_is_over = self.rerun.is_some(),
        }
    }

    pub fn stop(&mut self) {
        self.stop = true;
    }

    fn begun(&self, beside: Beside) -> Option<Instant> {
        match beside {
            Beside::Change => self.change,
            Beside::Rerun => self.rerun,
        }
    }

    fn is_over(&self, beside: Beside) -> bool {
        match beside {
            Beside::Change => self.change_is_over,
            Beside::Rerun => self.rerun_is_over,
        }
    }
}

/// Follows the order for one disturbance.
#[derive(Clone)]
pub(super) struct Orders {
    order: watch::Receiver<Order>,
    beside: Beside,
}

/// Why a session goes on no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Its time has come.
    InTime,
    /// Everything ends, whatever its time.
    Stopped,
}

impl Orders {
    pub fn new(order: watch::Receiver<Order>, disturbance: &Disturbance) -> Orders {
        Orders { order, beside: disturbance.at }
    }

    /// Returns when the attempts have begun, with the time; None: they never will.
    pub async fn begun(&mut self) -> Option<Instant> {
        let beside = self.beside;
        let known = |order: &Order| order.stop || order.begun(beside).is_some();
        let order = *self.order.wait_for(known).await.ok()?;
        order.begun(beside).filter(|_| !order.stop)
    }

    /// Returns when the attempts are over, or when everything stops.
    pub async fn over(&mut self) -> Over {
        let beside = self.beside;
        match self.order.wait_for(|order| order.stop || order.is_over(beside)).await {
            Ok(order) if !order.stop => Over::InTime,
            _ => Over::Stopped,
        }
    }

    /// Returns when everything stops.
    pub async fn stopped(&mut self) {
        // Without a sender there is nobody to go on for.
        let _ = self.order.wait_for(|order| order.stop).await;
    }

    /// Returns when the time of a session that is in place since then has come. `waited`: returns
    /// when the change waits for it.
    pub async fn ended(
        &mut self,
        disturbance: &Disturbance,
        since: Instant,
        waited: impl Future<Output = ()>,
    ) -> Over {
        let hold = Duration::from_millis(disturbance.hold_ms);
        match disturbance.until {
            Until::Time => {
                let Some(begun) = self.begun().await else { return Over::Stopped };
                tokio::select! {
                    biased;
                    () = self.stopped() => Over::Stopped,
                    () = tokio::time::sleep_until(begun.max(since) + hold) => Over::InTime,
                }
            }
            Until::Change => {
                let enough = async {
                    waited.await;
                    tokio::time::sleep(hold).await;
                };
                tokio::select! {
                    biased;
                    over = self.over() => over,
                    () = enough => Over::InTime,
                }
            }
        }
    }
}
