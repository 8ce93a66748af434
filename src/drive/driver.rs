//! The driver: fills the pool, checks the operations, lets them go as scheduled, and ends.
//!
//! The load generator never waits for the server: it lets an operation go on a task of its own and
//! reads the clock again. How late it was is part of every record.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, Micros};
use crate::connect::{self, Address, Session};
use crate::history::{
    Counters, Event, Listener, Operation, OperationOutcome, Progress, Recorder, Role, SessionId,
    SessionSeen, TrafficGauge,
};
use crate::scenario::generate::stream;
use crate::scenario::{Pool, Replica, Scenario, Sizes};

use super::accounting::Accounting;
use super::connection::{APPLICATION_NAME, Pooled, SessionOpener};
use super::error::Error;
use super::keyed::KeyedWrites;
use super::ledger::{Ledger, Write};
use super::operation::{self, OperationTrace};
use super::parameters::{Drawing, Feeds, Values};
use super::plan::Plan;
use super::pool::QueuePool;
use super::schedule::{Arrival, Mix, Schedule, Timetable};
use super::settle::OBSERVER_NAME;
use super::warm;

/// Operations that are out at once. Each costs some kilobytes; at 6,000 operations a second this
/// is a stall as long as the usual acquire timeout.
const OUTSTANDING_MAX: u64 = 200_000;
/// Longest wait for outstanding operations at the end; less where they must time out sooner.
const DRAIN_MAX: Duration = Duration::from_secs(35);
/// What the drain allows beyond the acquire timeout for the operation itself.
const DRAIN_AFTER_ACQUIRE: Duration = Duration::from_secs(5);
/// How long a backend that is terminated may take to be gone.
const TERMINATE_TIMEOUT: Duration = Duration::from_secs(5);
/// Operations let go in one go before other tasks have a turn.
const BURST_MAX: u32 = 64;
/// How long closed connections may take to say so to the server.
const GOODBYE_MAX: Duration = Duration::from_secs(1);
/// Between two gauges for the listener.
const GAUGE_INTERVAL: Duration = Duration::from_millis(500);
/// What the gauge's p99 looks back on.
const GAUGE_WINDOW: Micros = Micros::from_secs(1);

/// What the driver needs to know.
pub struct DriveSetup<'a> {
    /// Where our own sessions go.
    pub address: &'a Address,
    /// Where the application's go.
    pub application: &'a Address,
    /// Where those of its reads on the standby go; None: they go to the primary too.
    pub replica: Option<&'a Address>,
    /// The pooler that the application's go through; None: they are the server's.
    pub pooled: Option<&'a Pooled>,
    /// The scenario whose traffic is driven.
    pub scenario: &'a Scenario,
    /// Rows per table, for parameters that refer to rows.
    pub sizes: &'a Sizes,
    /// Where operations and sessions are recorded.
    pub recorder: &'a Recorder,
    /// Who is shown the gauge.
    pub listener: &'a Listener,
}

/// Traffic that is going on. Dropped without [`Driving::stop`], it ends at once.
pub struct Driving {
    shared: Arc<LoadState>,
    gauges: JoinHandle<()>,
    address: Address,
    /// The standby's.
    replica: Option<Address>,
    drain_limit: Duration,
}

/// What is left when traffic has ended.
pub struct Stopped {
    /// The driver's own totals.
    pub counters: Counters,
    /// What the application remembers of its acknowledged writes.
    pub ledger: Ledger,
}

struct LoadState {
    plan: Plan,
    pool: QueuePool<SessionOpener>,
    /// Connections to the standby, and what became of the operations that run there.
    replica: Option<Readers>,
    recorder: Recorder,
    pooled: Option<Pooled>,
    clock: Clock,
    accounting: Accounting,
    feeds: Feeds,
    keyed: Arc<KeyedWrites>,
    /// Load generators and operations.
    tasks: TaskTracker,
    /// No operation is scheduled after this reading of the clock.
    last_scheduled: AtomicU64,
    stopping: CancellationToken,
    /// Outstanding operations end unanswered.
    given_up: CancellationToken,
    /// Nothing is left to do; the thread of the traffic ends.
    ended: CancellationToken,
    outstanding: AtomicU64,
    /// [`OUTSTANDING_MAX`] was reached.
    overloaded: AtomicBool,
    /// Backends whose operation was given up while it ran.
    abandoned: Mutex<Vec<SessionId>>,
}

/// The pool of the standby's readers, and what became of their operations.
type Readers = (QueuePool<SessionOpener>, Accounting);

/// An operation whose time has come, by the trial's clock.
struct Scheduled {
    seq: u64,
    kind: u16,
    scheduled: Micros,
}

/// An operation that has been let go.
struct Job {
    kind: u16,
    seq: u64,
    scheduled: Micros,
    dispatched: Micros,
    values: Values,
}

/// Fills the pool, checks every operation against the server, and begins the scenario's schedule.
///
/// # Errors
/// A name leads nowhere, or a connection or a statement of the pool cannot be prepared.
pub async fn start(setup: DriveSetup<'_>) -> Result<Driving, Error> {
    let schedule = Schedule::of(&setup.scenario.traffic);
    start_on(setup, schedule).await
}

/// The same with a schedule of the caller's.
///
/// Traffic has a thread and a runtime of its own. Nothing else that goes on in the process can
/// make the load generator late, and an operation's steps need not wake another thread.
///
/// # Errors
/// As [`start`].
pub async fn start_on(setup: DriveSetup<'_>, schedule: Schedule) -> Result<Driving, Error> {
    let DriveSetup { address, application, replica, pooled, scenario, sizes, recorder, listener } =
        setup;
    let acquire_timeout = Duration::from_millis(scenario.pool.acquire_timeout_ms);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
    let (sender, receiver) = oneshot::channel();
    let task = Traffic {
        address: application.clone(),
        replica: replica.cloned(),
        pooled: pooled.cloned(),
        scenario: scenario.clone(),
        sizes: sizes.clone(),
        recorder: recorder.clone(),
        schedule,
    };
    let thread = std::thread::Builder::new().name("drive".to_owned());
    let spawned = thread.spawn(move || {
        runtime.block_on(task.carry_on(sender));
        runtime.block_on(end_sessions());
    });
    spawned.map_err(Error::Thread)?;
    let shared = receiver.await.map_err(|_| Error::Panicked)??;
    let gauges = tokio::spawn(tell(Arc::clone(&shared), Arc::clone(listener)));
    let drain_limit = DRAIN_MAX.min(acquire_timeout + DRAIN_AFTER_ACQUIRE);
    let (address, replica) = (address.clone(), replica.cloned());
    Ok(Driving { shared, gauges, address, replica, drain_limit })
}

/// What the thread of the traffic is given.
struct Traffic {
    /// The application's.
    address: Address,
    /// The same on the standby.
    replica: Option<Address>,
    pooled: Option<Pooled>,
    scenario: Scenario,
    sizes: Sizes,
    recorder: Recorder,
    schedule: Schedule,
}

impl Traffic {
    /// Begins, tells how that went, and lasts until the driver is asked to end.
    async fn carry_on(self, sender: oneshot::Sender<Result<Arc<LoadState>, Error>>) {
        let begun = self.begin().await;
        let ended = begun.as_ref().ok().map(|shared| shared.ended.clone());
        // A receiver that is gone has lost interest: the caller was cancelled.
        if let (Ok(()), Some(ended)) = (sender.send(begun), ended) {
            ended.cancelled().await;
        }
    }

    async fn begin(&self) -> Result<Arc<LoadState>, Error> {
        let Traffic { address, replica, pooled, scenario, sizes, recorder, schedule } = self;
        let plan = Plan::new(&scenario.traffic)?;
        let plan = if replica.is_some() { plan } else { plan.without_replica() };
        let Pool { size, overflow, acquire_timeout_ms, settings, role: _ } = &scenario.pool;
        let opener = SessionOpener::new(address, settings, recorder).through(pooled.clone());
        let acquire_timeout = Duration::from_millis(*acquire_timeout_ms);
        let pool = QueuePool::new(opener, *size, *overflow, acquire_timeout);
        let operations = |replica| warm::Operations { plan: &plan, replica };
        warm::fill((&pool, *size), operations(false), scenario, sizes).await?;
        let mut readers = None;
        if let (Some(address), Some(Replica { connections, .. })) = (replica, &scenario.replica) {
            let opener = SessionOpener::new(address, settings, recorder).on_replica();
            let pool = QueuePool::new(opener, *connections, 0, acquire_timeout);
            warm::fill((&pool, *connections), operations(true), scenario, sizes).await?;
            readers = Some((pool, Accounting::default()));
        }
        let keyed = KeyedWrites::new(&scenario.traffic.operations);
        let shared =
            Arc::new(LoadState::new(plan, (pool, readers), keyed, recorder, pooled.clone()));
        generate_on(&shared, scenario, sizes, *schedule);
        Ok(shared)
    }
}

/// Lets closed connections say goodbye before their thread ends.
async fn end_sessions() {
    let said = async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    // What has not ended by then is cut off; the server notices.
    let _ = tokio::time::timeout(GOODBYE_MAX, said).await;
}

/// Sets the load generator, or the workers of a closed loop, going.
fn generate_on(shared: &Arc<LoadState>, scenario: &Scenario, sizes: &Sizes, schedule: Schedule) {
    let operations = &scenario.traffic.operations;
    match schedule {
        Schedule::Open { arrivals, rate_per_s } => {
            let timetable = Timetable::new(arrivals, rate_per_s, operations, scenario.rng_seed);
            let drawing = Drawing::new(scenario, sizes, &shared.plan, 0);
            shared.tasks.spawn(generate(Arc::clone(shared), timetable, drawing));
        }
        Schedule::Closed { workers } => {
            let seq = Arc::new(AtomicU64::new(0));
            for worker in 0..u64::from(workers) {
                let rng = stream(scenario.rng_seed, "schedule-kinds", worker);
                let Some(mix) = Mix::new(operations, rng) else { return };
                let drawing = Drawing::new(scenario, sizes, &shared.plan, worker);
                shared.tasks.spawn(work(Arc::clone(shared), Arc::clone(&seq), mix, drawing));
            }
        }
    }
}

/// Lets every operation of the timetable go as scheduled. The runtime's timer has a resolution
/// of a millisecond: up to that much of every latency is ours; it is dispatched − scheduled.
async fn generate(shared: Arc<LoadState>, timetable: Timetable, mut drawing: Drawing) {
    let began = shared.clock.now();
    let mut burst = 0;
    for arrival in timetable {
        let Arrival { seq, offset, kind } = arrival;
        let scheduled = began + offset;
        if scheduled > shared.clock.now() {
            burst = 0;
            let timer = tokio::time::sleep_until(shared.clock.instant(scheduled).into());
            tokio::select! {
                () = timer => {}
                () = shared.stopping.cancelled() => {}
            }
        }
        // Read after the wait: what was scheduled before the end is let go, however late.
        if scheduled.0 > shared.last_scheduled.load(Ordering::Acquire) {
            return;
        }
        shared.let_go(Scheduled { seq, kind, scheduled }, &mut drawing);
        burst += 1;
        if burst == BURST_MAX {
            burst = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// A closed loop: the next operation is scheduled when the one before it has finished.
async fn work(shared: Arc<LoadState>, seq: Arc<AtomicU64>, mut mix: Mix, mut drawing: Drawing) {
    while !shared.stopping.is_cancelled() {
        let scheduled = shared.clock.now();
        let (seq, kind) = (seq.fetch_add(1, Ordering::Relaxed), mix.draw());
        let job = shared.begin(Scheduled { seq, kind, scheduled }, &mut drawing);
        carry_out(Arc::clone(&shared), job).await;
    }
}

async fn carry_out(shared: Arc<LoadState>, job: Job) {
    let mut trace = OperationTrace::default();
    let outcome = if shared.given_up.is_cancelled() {
        OperationOutcome::Unanswered
    } else {
        let operation = &shared.plan.operations[usize::from(job.kind)];
        let (pool, clock) = (shared.pool_of(operation.on_replica), shared.clock);
        let attempt = operation::attempt(pool, operation, &job.values, clock, &mut trace);
        tokio::select! {
            biased;
            outcome = attempt => outcome,
            () = shared.given_up.cancelled() => OperationOutcome::Unanswered,
        }
    };
    // The standby's readers connect to it past the pooler.
    let on_replica = shared.plan.operations[usize::from(job.kind)].on_replica;
    if let Some(pooled) = shared.pooled.as_ref().filter(|_| !on_replica) {
        trace.served_by(|client, since| pooled.served(client, since));
    }
    shared.finish(job, &trace, outcome);
}

/// Tells the listener how traffic goes.
async fn tell(shared: Arc<LoadState>, listener: Listener) {
    let mut ticks = tokio::time::interval(GAUGE_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // The first tick is now, when there is nothing to tell yet.
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = ticks.tick() => listener(Progress::Traffic(shared.gauge())),
            () = shared.stopping.cancelled() => return,
        }
    }
}

impl LoadState {
    fn new(
        plan: Plan,
        (pool, replica): (QueuePool<SessionOpener>, Option<Readers>),
        keyed: KeyedWrites,
        recorder: &Recorder,
        pooled: Option<Pooled>,
    ) -> LoadState {
        LoadState {
            feeds: Feeds::new(&plan),
            keyed: keyed.into(),
            plan,
            pool,
            replica,
            recorder: recorder.clone(),
            pooled,
            clock: recorder.clock(),
            accounting: Accounting::default(),
            tasks: TaskTracker::new(),
            last_scheduled: AtomicU64::new(u64::MAX),
            stopping: CancellationToken::new(),
            given_up: CancellationToken::new(),
            ended: CancellationToken::new(),
            outstanding: AtomicU64::new(0),
            overloaded: AtomicBool::new(false),
            abandoned: Mutex::default(),
        }
    }

    fn pool_of(&self, on_replica: bool) -> &QueuePool<SessionOpener> {
        self.replica.as_ref().filter(|_| on_replica).map_or(&self.pool, |(pool, _)| pool)
    }

    /// Apart from each other: the standby's readers say nothing of the primary.
    fn accounting_of(&self, kind: u16) -> &Accounting {
        let on_replica = self.plan.operations[usize::from(kind)].on_replica;
        self.replica.as_ref().filter(|_| on_replica).map_or(&self.accounting, |(_, of)| of)
    }

    fn counters(&self) -> Counters {
        let of_replica = self.replica.as_ref().map(|(_, accounting)| accounting.counters());
        self.accounting.counters().plus(of_replica.unwrap_or_default())
    }

    fn let_go(self: &Arc<Self>, operation: Scheduled, drawing: &mut Drawing) {
        let job = self.begin(operation, drawing);
        if self.outstanding.load(Ordering::Relaxed) > OUTSTANDING_MAX {
            if !self.overloaded.swap(true, Ordering::Relaxed) {
                self.failed(format!("more than {OUTSTANDING_MAX} operations are outstanding"));
            }
            return self.finish(job, &OperationTrace::default(), OperationOutcome::Unanswered);
        }
        self.tasks.spawn(carry_out(Arc::clone(self), job));
    }

    fn begin(&self, operation: Scheduled, drawing: &mut Drawing) -> Job {
        let Scheduled { seq, kind, scheduled } = operation;
        self.accounting_of(kind).begin(seq, scheduled);
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        let values = drawing.draw(kind, seq, self.clock.now(), &self.feeds);
        Job { kind, seq, scheduled, dispatched: self.clock.now(), values }
    }

    fn finish(&self, job: Job, trace: &OperationTrace, outcome: OperationOutcome) {
        let finished = self.clock.now();
        let Job { kind, seq, scheduled, dispatched, mut values } = job;
        let planned = &self.plan.operations[usize::from(kind)];
        if planned.returned.is_some() {
            values.push(trace.returned.clone());
        }
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        match (&outcome, &trace.session) {
            (OperationOutcome::Succeeded, _) => {
                self.feeds.feed(&self.plan, kind, &values, finished)
            }
            (OperationOutcome::Unanswered, Some(session)) => {
                self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push(session.clone());
            }
            _ => {}
        }
        if trace.acquired.is_some() {
            self.keyed.sent(kind, &values);
        }
        let ledger = self.plan.operations[usize::from(kind)].ledger.as_ref();
        let write = ledger.and_then(|l| Write::of(l, kind, values, trace, &outcome, finished));
        self.accounting_of(kind).finish(seq, finished, &outcome, write);
        let operation = Operation {
            kind,
            seq,
            scheduled_us: scheduled,
            dispatched_us: dispatched,
            acquired_us: trace.acquired,
            connecting_us: trace.connecting,
            finished_us: finished,
            session: trace.session.clone(),
            empty: outcome == OperationOutcome::Succeeded && trace.affected == 0,
            on_replica: self.plan.operations[usize::from(kind)].on_replica,
            outcome,
        };
        self.recorder.record_at(finished, Event::Operation(operation));
    }

    /// Something that makes the numbers worth less.
    fn failed(&self, message: String) {
        let stage = "drive".to_owned();
        self.recorder.record(Event::MeasurementFailed { stage, message });
    }

    fn gauge(&self) -> TrafficGauge {
        let at = self.clock.now();
        let counters = self.counters();
        let failed = counters.failed + counters.acquire_timeouts + counters.indeterminate;
        let p99 = self.accounting.quantile_finished_since(at - GAUGE_WINDOW, 0.99);
        TrafficGauge {
            at,
            scheduled: counters.scheduled,
            finished: failed + counters.succeeded + counters.unanswered,
            failed,
            waiting: self.pool.waiting(),
            in_use: self.pool.in_use(),
            capacity: self.pool.capacity(),
            p99: p99.unwrap_or_default(),
        }
    }

    /// Ends backends that still run what no caller waits for any more, and waits until they are
    /// gone: the ledger is about to be compared with tables that must not change.
    async fn terminate_abandoned(
        &self,
        address: &Address,
        replica: Option<&Address>,
    ) -> Result<(), connect::Error> {
        let on_replica = replica.is_some_and(|replica| std::ptr::eq(replica, address));
        let pids: Vec<i32> = {
            let abandoned = self.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
            let of_node = abandoned.iter().filter(|id| id.node.is_primary() != on_replica);
            of_node.map(|id| id.pid).collect()
        };
        if pids.is_empty() {
            return Ok(());
        }
        let session = Session::open(address, OBSERVER_NAME, &Default::default()).await?;
        if !on_replica {
            let seen = SessionSeen { session: session.id(), role: Role::Observer };
            self.recorder.record(Event::Session(seen));
        }
        let sql = "SELECT pg_terminate_backend(pid, $2) FROM pg_stat_activity \
                   WHERE pid = ANY($1) AND datname = current_database() \
                   AND starts_with(application_name, $3)";
        let wait_ms = TERMINATE_TIMEOUT.as_millis() as i64;
        let terminated = session.client().query(sql, &[&pids, &wait_ms, &APPLICATION_NAME]).await;
        terminated.map(|_| ()).map_err(|e| connect::Error::query(sql, &e))
    }

    fn close_pools(&self) {
        self.pool.close();
        if let Some((pool, _)) = &self.replica {
            pool.close();
        }
    }
}

impl Driving {
    /// The state at this moment. Cheap.
    pub fn gauge(&self) -> TrafficGauge {
        self.shared.gauge()
    }

    /// Latency at quantile `q` of the operations scheduled since `since` that have finished,
    /// whatever their outcome; None while there are none. What is still outstanding is not in it:
    /// see [`Driving::oldest_outstanding`].
    pub fn quantile_since(&self, since: Micros, q: f64) -> Option<Micros> {
        self.shared.accounting.quantile_scheduled_since(since, q)
    }

    /// How many of the operations scheduled since `since` have finished without success.
    pub fn failed_since(&self, since: Micros) -> u64 {
        self.shared.accounting.failed_scheduled_since(since)
    }

    /// Scheduled time of the oldest operation that has not finished.
    pub fn oldest_outstanding(&self) -> Option<Micros> {
        self.shared.accounting.oldest_outstanding()
    }

    /// Connections that the pool holds open, idle ones included.
    pub fn open_connections(&self) -> u64 {
        self.shared.pool.open_connections()
    }

    /// Ends traffic: nothing is scheduled any more, outstanding operations get a bounded time and
    /// are unanswered after it, their backends are ended, the pool is closed.
    pub async fn stop(self) -> Stopped {
        let shared = Arc::clone(&self.shared);
        shared.last_scheduled.store(shared.clock.now().0, Ordering::Release);
        shared.stopping.cancel();
        shared.tasks.close();
        if tokio::time::timeout(self.drain_limit, shared.tasks.wait()).await.is_err() {
            shared.given_up.cancel();
            shared.tasks.wait().await;
        }
        let places = [Some(&self.address), self.replica.as_ref()];
        for address in places.into_iter().flatten() {
            if let Err(error) = shared.terminate_abandoned(address, self.replica.as_ref()).await {
                shared.failed(format!("end abandoned backends: {error}"));
            }
        }
        shared.close_pools();
        let counters = shared.counters();
        shared.recorder.record(Event::Counters(counters));
        let ledger = Ledger { keyed: Arc::clone(&shared.keyed), ..shared.accounting.take_ledger() };
        Stopped { counters, ledger }
    }
}

/// A run that ends early must not leave traffic behind.
impl Drop for Driving {
    fn drop(&mut self) {
        self.shared.last_scheduled.fetch_min(0, Ordering::AcqRel);
        self.shared.stopping.cancel();
        self.shared.given_up.cancel();
        self.shared.close_pools();
        self.shared.ended.cancel();
        self.gauges.abort();
    }
}
