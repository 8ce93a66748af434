//! The sampler: a thread of its own that samples the lock table at a fixed rate.
//!
//! It has its own runtime on its own thread, so that a busy trial does not delay it, and its own
//! session, so that nothing it does waits behind the trial. It never ends silently: it reconnects,
//! and where it had to give up, the history says so.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::Micros;
use crate::connect::Address;
use crate::history::{Event, Listener, Node, Progress, Recorder};

use super::Error;
use super::pace::Pace;
use super::session::SamplerSession;
use super::thinning::Thinning;

/// 100 Hz: a wait of 20 ms or more is always seen, at 3 % of a core while nothing waits.
pub const INTERVAL: Duration = Duration::from_millis(10);

/// Between two readings of all sessions while something waits, and while nothing does.
const ACTIVITY_INTERVAL_WAITING: Micros = Micros::from_millis(100);
const ACTIVITY_INTERVAL_CALM: Micros = Micros::from_secs(1);
/// A number that changes faster is unreadable.
const QUEUE_INTERVAL: Micros = Micros::from_millis(300);
/// Between two readings of how much WAL there is: fine enough for a timeline, and next to nothing.
const WAL_INTERVAL: Micros = Micros::from_millis(250);
/// Between two attempts to open the session again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);
/// A sampler that has seen nothing for so long gives up.
const BLIND_MAX: Micros = Micros::from_secs(60);

/// A sampler at work. Dropped, it ends by itself, but its report is lost.
pub struct Sampling {
    stop: DropGuard,
    thread: JoinHandle<Result<(), Error>>,
}

/// Starts sampling the address's database; returns when the session is open.
///
/// # Errors
/// The sessions cannot be opened, or the server refuses the sampler's statements.
pub async fn sample(
    address: &Address,
    recorder: &Recorder,
    interval: Duration,
    listener: &Listener,
) -> Result<Sampling, Error> {
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    let (ready, is_ready) = oneshot::channel();
    let (address, recorder) = (address.clone(), recorder.clone());
    let sampler = Sampler { address, recorder, listener: Arc::clone(listener), stop };
    let thread = std::thread::Builder::new()
        .name("pgauntlet-observe".to_owned())
        .spawn(move || sampler.run(interval.into(), ready))
        .map_err(Error::Thread)?;
    match is_ready.await {
        Ok(Ok(())) => Ok(Sampling { stop: guard, thread }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::Panicked("samples")),
    }
}

impl Sampling {
    /// Takes the sample that is under way, records the report, ends the session. Fails when the
    /// sampler had given up before.
    ///
    /// # Errors
    /// Its task ended by itself.
    pub async fn stop(self) -> Result<(), Error> {
        drop(self.stop);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        match joined {
            Ok(Ok(ended)) => ended,
            _ => Err(Error::Panicked("samples")),
        }
    }
}

/// What has been recorded already.
#[derive(Default)]
struct Recorded {
    waits: Thinning,
    activity_at: Option<Micros>,
    wal_at: Option<Micros>,
    /// What the listener heard of the lock queue, and when.
    queue: (usize, Micros),
}

struct Sampler {
    address: Address,
    recorder: Recorder,
    listener: Listener,
    stop: CancellationToken,
}

impl Sampler {
    fn run(self, interval: Micros, ready: oneshot::Sender<Result<(), Error>>) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = ready.send(Err(Error::Thread(error)));
                return Ok(());
            }
        };
        runtime.block_on(async {
            match SamplerSession::open(&self.address, Node::Primary, &self.recorder).await {
                Ok(session) => {
                    // A caller that is gone has cancelled `stop` as well.
                    let _ = ready.send(Ok(()));
                    self.run_with(session, interval).await
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                    Ok(())
                }
            }
        })
    }

    /// Samples until it is stopped, then reports; a sampler that gave up reports too.
    async fn run_with(&self, session: SamplerSession, interval: Micros) -> Result<(), Error> {
        let mut pace = Pace::new(self.recorder.clock().now(), interval);
        let mut recorded = Recorded::default();
        let ended = self.sample_until_stopped(session, &mut recorded, &mut pace).await;
        if let Some((at, sample)) = recorded.waits.end() {
            self.recorder.record_at(at, Event::Waits(sample));
        }
        if let Err(error) = &ended {
            let stage = "observe".to_owned();
            let message = error.to_string();
            self.recorder.record(Event::MeasurementFailed { stage, message });
            // What the trial does until it ends goes unseen, and the report has to cover it.
            self.stop.cancelled().await;
        }
        let report = pace.report(self.recorder.clock().now());
        self.recorder.record(Event::Sampler(report));
        ended
    }

    async fn sample_until_stopped(
        &self,
        session: SamplerSession,
        recorded: &mut Recorded,
        pace: &mut Pace,
    ) -> Result<(), Error> {
        let clock = self.recorder.clock();
        let mut session = Some(session);
        let mut seen = clock.now();
        while self.waited_until(clock.instant(pace.due()).into()).await {
            match self.tick(&mut session, recorded, pace).await {
                Ok(()) => seen = clock.now(),
                Err(last) => {
                    pace.failed(clock.now());
                    if clock.now() - seen > BLIND_MAX {
                        let after = BLIND_MAX.duration();
                        return Err(Error::Blind { after, last: Box::new(last) });
                    }
                    let timed_out = matches!(last, Error::SampleTimeout(_));
                    session = session.filter(|session| !timed_out && !session.is_closed());
                    if session.is_none() {
                        self.waited_until(Instant::now() + RECONNECT_PAUSE).await;
                    }
                }
            }
        }
        Ok(())
    }

    /// One sample, and a reading of all sessions where one is scheduled.
    async fn tick(
        &self,
        session: &mut Option<SamplerSession>,
        recorded: &mut Recorded,
        pace: &mut Pace,
    ) -> Result<(), Error> {
        let session = match session {
            Some(session) => session,
            None => session
                .insert(SamplerSession::open(&self.address, Node::Primary, &self.recorder).await?),
        };
        let clock = self.recorder.clock();
        let asked = clock.now();
        let sample = session.waits().await?;
        let answered = clock.now();
        let waiting = !sample.waits.is_empty();
        let (heard, at) = recorded.queue;
        if heard != sample.waits.len() && answered - at >= QUEUE_INTERVAL {
            recorded.queue = (sample.waits.len(), answered);
            (self.listener)(Progress::LockQueue(sample.waits.len()));
        }
        // The server's own moment lies between; half the round trip bounds the error.
        for (at, sample) in recorded.waits.offer(middle(asked, answered), sample) {
            self.recorder.record_at(at, Event::Waits(sample));
        }
        let interval = if waiting { ACTIVITY_INTERVAL_WAITING } else { ACTIVITY_INTERVAL_CALM };
        if recorded.activity_at.is_none_or(|at| answered - at >= interval) {
            recorded.activity_at = Some(answered);
            let activity = session.activity().await?;
            let at = middle(answered, clock.now());
            self.recorder.record_at(at, Event::Activity(activity));
        }
        let before_wal = clock.now();
        if recorded.wal_at.is_none_or(|at| before_wal - at >= WAL_INTERVAL) {
            recorded.wal_at = Some(before_wal);
            let sample = session.wal().await?;
            self.recorder.record_at(middle(before_wal, clock.now()), Event::Wal(sample));
        }
        pace.sampled(asked, answered, clock.now());
        Ok(())
    }

    /// False: the sampler was stopped.
    async fn waited_until(&self, at: Instant) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep_until(at) => true,
        }
    }
}

fn middle(asked: Micros, answered: Micros) -> Micros {
    asked + Micros((answered - asked).0 / 2)
}
