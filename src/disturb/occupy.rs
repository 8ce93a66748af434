//! One background session, from its statements to its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::connect::{self, Session};
use crate::history::{Moment, Rounds, ServerError};
use crate::scenario::Disturbance;

use super::error::{Error, SETUP_MAX, closed, said, without_sqlstate};
use super::order::{Orders, Over};
use super::place::Marker;
use super::watcher::Watcher;

/// Longest time that an end may take: a COMMIT checks deferred constraints and waits for the disk.
const END_MAX: Duration = Duration::from_secs(30);
/// Between two requests to cancel.
const CANCEL_EVERY: Duration = Duration::from_millis(200);
/// Rounds that may fail before the first one succeeds.
const FAILURES_MAX: u64 = 20;
/// Before a round that failed is tried again.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// One session of a disturbance.
pub(super) struct Occupant {
    pub session: Session,
    pub disturbance: Arc<Disturbance>,
    pub watcher: Arc<Watcher>,
    pub orders: Orders,
    /// How long after the others' first round its own begins.
    pub delay: Duration,
}

impl Occupant {
    /// Does what its disturbance declares. `place` is informed once that is in place.
    pub async fn occupies(self, place: Marker) -> Moment {
        let goes_on = self.disturbance.in_place.is_some();
        match self.disturbance.every_ms.is_some() && !goes_on {
            true => self.rounds(place).await,
            false => self.once(place).await,
        }
    }

    /// Runs the statements and holds what they hold until the time has come. `place` is informed
    /// once that is in place.
    async fn once(self, place: Marker) -> Moment {
        match self.occupied(place).await {
            Ok(moment) => moment,
            Err(error) => Moment::Broken(error),
        }
    }

    async fn occupied(mut self, place: Marker) -> Result<Moment, ServerError> {
        let in_place = self.disturbance.in_place.clone();
        let (held, over) = match in_place {
            None => {
                let ran = tokio::time::timeout(SETUP_MAX, self.run()).await;
                if let Err(error) = ran
                    .map_err(|_| Error::setup_timeout(&self.disturbance.name))
                    .and_then(|ran| ran.map_err(|e| Error::statement(&self.disturbance.name, e)))
                {
                    self.session.canceller().cancel().await;
                    return Err(place.failed(error));
                }
                let pids = [self.session.pid()];
                place.holds(self.watcher.held(&pids).await);
                let over = self.until_over(&pids).await?;
                (pids.to_vec(), over)
            }
            Some(query) => self.occupied_meanwhile(&query, place).await?,
        };
        self.watcher.end(&held).await;
        self.end(over).await?;
        Ok(Moment::Ended)
    }

    /// As [`Occupant::once`], where a statement goes on as long as the session is to be there.
    async fn occupied_meanwhile(
        &mut self,
        query: &str,
        place: Marker,
    ) -> Result<(Vec<i32>, Over), ServerError> {
        let name = self.disturbance.name.clone();
        let every = self.disturbance.every_ms.map(Duration::from_millis);
        let mut orders = self.orders.clone();
        let this = &*self;
        let mut work = pin!(async {
            loop {
                this.run().await?;
                match every {
                    None => return Ok::<_, connect::Error>(()),
                    Some(every) => tokio::time::sleep(every).await,
                }
            }
        });
        let watcher = Arc::clone(&this.watcher);
        let mut finding = pin!(tokio::time::timeout(SETUP_MAX, watcher.in_place(query)));
        let mut working = true;
        let found = loop {
            tokio::select! {
                found = &mut finding => break found,
                ran = &mut work, if working => match ran {
                    Ok(()) => working = false,
                    Err(error) => return Err(place.failed(Error::statement(&name, error))),
                },
            }
        };
        let own = this.session.pid();
        let pids = match found {
            Ok(Ok(pid)) => vec![pid.unwrap_or(own)],
            Ok(Err(error)) => return Err(place.failed(Error::statement(&name, error))),
            Err(_) => return Err(place.failed(Error::setup_timeout(&name))),
        };
        place.holds(watcher.held(&pids).await);
        let since = Instant::now();
        let over = {
            let waited = watcher.waited(&pids);
            let mut ended = pin!(orders.ended(&this.disturbance, since, waited));
            loop {
                tokio::select! {
                    over = &mut ended => break over,
                    ran = &mut work, if working => match ran {
                        Ok(()) => working = false,
                        Err(error) => return Err(said(&error)),
                    },
                    error = this.session.closed() => return Err(error.unwrap_or_else(closed)),
                }
            }
        };
        if working {
            // One that comes between two statements cancels nothing.
            let cancelled = async {
                loop {
                    this.session.canceller().cancel().await;
                    tokio::time::sleep(CANCEL_EVERY).await;
                }
            };
            tokio::select! {
                // Cancelled or finished: both are its end.
                _ = &mut work => {}
                () = cancelled => {}
                () = tokio::time::sleep(END_MAX) => {}
            }
        }
        Ok((pids, over))
    }

    /// Waits until its time has come, or until the server ends the session.
    async fn until_over(&mut self, pids: &[i32]) -> Result<Over, ServerError> {
        let since = Instant::now();
        let waited = self.watcher.waited(pids);
        tokio::select! {
            biased;
            over = self.orders.ended(&self.disturbance, since, waited) => Ok(over),
            error = self.session.closed() => Err(error.unwrap_or_else(closed)),
        }
    }

    /// Runs its statements again and again until the attempts are over.
    async fn rounds(mut self, place: Marker) -> Moment {
        let mut rounds = Rounds::default();
        let mut place = Some(place);
        let every = Duration::from_millis(self.disturbance.every_ms.unwrap_or_default());
        let mut orders = self.orders.clone();
        let mut over = pin!(orders.over());
        let mut last = None;
        tokio::time::sleep(self.delay).await;
        loop {
            let began = Instant::now();
            let round = tokio::select! {
                biased;
                _ = &mut over => break,
                round = self.round(&mut place) => round,
            };
            match round {
                Ok(()) => rounds.finished += 1,
                Err(error) if self.session.is_closed() => return Moment::Broken(error),
                Err(error) if failures(&rounds) == FAILURES_MAX && place.is_some() => {
                    let source = connect::Error::Query {
                        sql: self.disturbance.statements.join("; "),
                        error: Box::new(error),
                    };
                    let error = Error::statement(&self.disturbance.name, source);
                    return Moment::Broken(
                        place.take().map_or_else(ServerError::default, |place| place.failed(error)),
                    );
                }
                Err(error) => {
                    let sqlstate = error.sqlstate.as_ref().map(|state| state.code().to_owned());
                    *rounds.failed.entry(sqlstate.unwrap_or_default()).or_default() += 1;
                    last = Some(error);
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
            tokio::select! {
                biased;
                _ = &mut over => break,
                () = tokio::time::sleep_until(began + every) => {}
            }
        }
        // The round that was cut off ends first.
        self.session.canceller().cancel().await;
        let ended = self.end(Over::Stopped).await;
        match (ended, last) {
            (_, Some(error)) if rounds.finished == 0 => Moment::Broken(error),
            (Err(error), _) => Moment::Broken(error),
            (Ok(()), _) => Moment::Repeated(rounds),
        }
    }

    /// One round; the first is the one that is looked at.
    async fn round(&mut self, place: &mut Option<Marker>) -> Result<(), ServerError> {
        let ran = self.run().await.map_err(|error| said(&error));
        if ran.is_ok()
            && let Some(place) = place.take()
        {
            place.holds(self.watcher.held(&[self.session.pid()]).await);
        }
        if ran.is_ok() {
            tokio::time::sleep(Duration::from_millis(self.disturbance.hold_ms)).await;
        }
        let over = if ran.is_ok() { Over::InTime } else { Over::Stopped };
        let ended = self.end(over).await;
        ran.and(ended)
    }

    async fn run(&self) -> Result<(), connect::Error> {
        if self.disturbance.transaction {
            match &self.disturbance.isolation {
                Some(level) => {
                    self.session.batch(&format!("BEGIN ISOLATION LEVEL {level}")).await?
                }
                None => self.session.batch("BEGIN").await?,
            }
        }
        for statement in &self.disturbance.statements {
            self.session.batch(statement).await?;
        }
        Ok(())
    }

    /// Ends the transaction: as one does whose work is done, or by taking it back.
    async fn end(&self, over: Over) -> Result<(), ServerError> {
        if !self.disturbance.transaction {
            return Ok(());
        }
        let end = match over {
            Over::InTime => "COMMIT",
            Over::Stopped => "ROLLBACK",
        };
        match tokio::time::timeout(END_MAX, self.session.client().batch_execute(end)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.is_closed() => {
                Err(self.session.closed().await.unwrap_or_else(closed))
            }
            Ok(Err(error)) => Err(connect::server_error(&error)),
            Err(_) => {
                let message = format!("{end} did not end within {} s", END_MAX.as_secs());
                Err(without_sqlstate(message))
            }
        }
    }
}

/// Sessions that only take up the server's connections.
pub(super) async fn crowd(
    sessions: Vec<Session>,
    disturbance: &Disturbance,
    watcher: &Watcher,
    mut orders: Orders,
    place: Marker,
) -> Moment {
    let pids: Vec<i32> = sessions.iter().map(Session::pid).collect();
    place.holds(watcher.held(&pids).await);
    // Nobody waits for a lock of theirs: they are there until the attempts are over, or in time.
    let since = Instant::now();
    orders.ended(disturbance, since, std::future::pending()).await;
    Moment::Ended
}

fn failures(rounds: &Rounds) -> u64 {
    rounds.failed.values().sum()
}
