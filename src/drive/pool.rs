//! The application's pool: SQLAlchemy's QueuePool, built on `deadpool`.
//!
//! `size` connections stay, `overflow` more are opened under pressure, a connection that comes
//! back while `size` are idle is closed, waiters are served in order, and an acquire takes no
//! longer than its timeout, opening a connection included. What a connection is, is the opener's
//! business: this module knows no Postgres, so that its limits can be tested without one.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{Manager, Metrics, Object, PoolError, RecycleError, RecycleResult};

use crate::clock::Micros;

tokio::task_local! {
    /// When the acquire that runs on this task began to open a connection. The pool library
    /// does not tell an opener for whom it opens.
    static OPENING_BEGAN: Cell<Option<Instant>>;
}

/// Opens connections and knows a broken one.
pub trait Opener: Send + Sync + 'static {
    type Connection: Send;
    type Error: Send;

    fn open(&self) -> impl Future<Output = Result<Self::Connection, Self::Error>> + Send;
    fn is_broken(&self, connection: &Self::Connection) -> bool;
}

/// Clones share one pool.
pub struct QueuePool<O: Opener> {
    pool: deadpool::managed::Pool<Adapter<O>>,
    shared: Arc<PoolCounters>,
    acquire_timeout: Duration,
}

impl<O: Opener> Clone for QueuePool<O> {
    fn clone(&self) -> Self {
        let shared = Arc::clone(&self.shared);
        QueuePool { pool: self.pool.clone(), shared, acquire_timeout: self.acquire_timeout }
    }
}

struct PoolCounters {
    size: u64,
    /// Idle connections: counted before one is put back and uncounted after one was taken, so
    /// that the pool never holds more than are counted here.
    idle: AtomicU64,
    in_use: AtomicU64,
    waiting: AtomicU64,
}

#[derive(Debug, PartialEq, Eq)]
pub enum AcquireError<E> {
    /// The acquire timeout passed.
    TimedOut,
    /// A new connection was refused.
    Open(E),
    /// The pool was closed meanwhile.
    Closed,
}

/// An acquired connection, or why there is none.
pub struct Acquired<O: Opener> {
    pub result: Result<Lease<O>, AcquireError<O::Error>>,
    /// Part of the acquire that went into opening a connection.
    pub connecting: Micros,
}

impl<O: Opener> QueuePool<O> {
    pub fn new(opener: O, size: u32, overflow: u32, acquire_timeout: Duration) -> QueuePool<O> {
        let shared = Arc::new(PoolCounters {
            size: u64::from(size),
            idle: AtomicU64::new(0),
            in_use: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
        });
        let adapter = Adapter { opener, shared: Arc::clone(&shared) };
        // deadpool's own timeouts stay unset: one limit must cover the wait and the opening.
        let config = deadpool::managed::PoolConfig::new(size.saturating_add(overflow) as usize);
        let pool = deadpool::managed::Pool::builder(adapter).config(config).build();
        let Ok(pool) = pool else { unreachable!("a pool fails to build over its timeouts only") };
        QueuePool { pool, shared, acquire_timeout }
    }

    /// A connection, after a wait in turn if need be.
    pub async fn acquire(&self) -> Acquired<O> {
        self.acquire_within(self.acquire_timeout).await
    }

    /// The same with another limit than the pool's own.
    pub async fn acquire_within(&self, limit: Duration) -> Acquired<O> {
        let waiting = Counted::new(Arc::clone(&self.shared), |shared| &shared.waiting);
        let acquiring = OPENING_BEGAN.scope(Cell::new(None), async {
            let got = tokio::time::timeout(limit, self.pool.get()).await;
            (got, OPENING_BEGAN.with(Cell::get))
        });
        let (got, opening_began) = acquiring.await;
        drop(waiting);
        let connecting = opening_began.map_or(Micros::ZERO, |began| began.elapsed().into());
        let result = match got {
            Ok(Ok(object)) => Ok(Lease {
                object: Some(object),
                in_use: Counted::new(Arc::clone(&self.shared), |shared| &shared.in_use),
            }),
            Ok(Err(PoolError::Backend(error))) => Err(AcquireError::Open(error)),
            Ok(Err(PoolError::Timeout(_))) | Err(_) => Err(AcquireError::TimedOut),
            Ok(Err(_)) => Err(AcquireError::Closed),
        };
        Acquired { result, connecting }
    }

    /// Idle connections are closed now, the others when they come back; waiters get an error.
    pub fn close(&self) {
        self.pool.close();
    }

    /// Connections that there can be, overflow included.
    pub fn capacity(&self) -> u64 {
        self.pool.status().max_size as u64
    }

    /// Connections checked out.
    pub fn in_use(&self) -> u64 {
        self.shared.in_use.load(Ordering::Relaxed)
    }

    /// Acquires that have not got a connection yet.
    pub fn waiting(&self) -> u64 {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Open connections, idle or checked out.
    pub fn open_connections(&self) -> u64 {
        self.pool.status().size as u64
    }
}

/// Counts one up for as long as it lives.
struct Counted {
    shared: Arc<PoolCounters>,
    counter: fn(&PoolCounters) -> &AtomicU64,
}

impl Counted {
    fn new(shared: Arc<PoolCounters>, counter: fn(&PoolCounters) -> &AtomicU64) -> Counted {
        counter(&shared).fetch_add(1, Ordering::Relaxed);
        Counted { shared, counter }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.counter)(&self.shared).fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that is checked out. Dropped without [`Lease::give_back`] it is closed: a caller
/// that was interrupted in the middle of a statement cannot say what state the session is in.
pub struct Lease<O: Opener> {
    object: Option<Object<Adapter<O>>>,
    in_use: Counted,
}

impl<O: Opener> Lease<O> {
    pub fn connection(&mut self) -> &mut O::Connection {
        match &mut self.object {
            Some(object) => object,
            None => unreachable!("a lease is emptied only by what consumes it"),
        }
    }

    /// Returns the connection; it is closed if enough are idle already, or if it is broken.
    pub fn give_back(mut self) {
        let Some(object) = self.object.take() else { return };
        let size = self.in_use.shared.size;
        let counted =
            self.in_use.shared.idle.fetch_update(Ordering::AcqRel, Ordering::Acquire, |idle| {
                (idle < size).then_some(idle + 1)
            });
        match counted {
            Ok(_) => drop(object),
            Err(_) => drop(Object::take(object)),
        }
    }
}

impl<O: Opener> Drop for Lease<O> {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

/// What the library asks of us.
struct Adapter<O: Opener> {
    opener: O,
    shared: Arc<PoolCounters>,
}

impl<O: Opener> Manager for Adapter<O> {
    type Type = O::Connection;
    type Error = O::Error;

    async fn create(&self) -> Result<O::Connection, O::Error> {
        OPENING_BEGAN.with(|began| began.set(Some(Instant::now())));
        self.opener.open().await
    }

    async fn recycle(
        &self,
        connection: &mut O::Connection,
        _: &Metrics,
    ) -> RecycleResult<O::Error> {
        self.shared.idle.fetch_sub(1, Ordering::AcqRel);
        match self.opener.is_broken(connection) {
            true => Err(RecycleError::message("the connection is closed")),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::AtomicBool;

    use proptest::prelude::*;
    use tokio::task::JoinHandle;

    use super::*;

    /// Opens counters: a connection is counted for as long as it lives.
    #[derive(Default)]
    struct FakeOpener {
        alive: Arc<AtomicU64>,
        refuses: Arc<AtomicBool>,
    }

    struct FakeConnection {
        alive: Arc<AtomicU64>,
        broken: bool,
    }

    impl Drop for FakeConnection {
        fn drop(&mut self) {
            self.alive.fetch_sub(1, Ordering::SeqCst);
        }
    }

    impl Opener for FakeOpener {
        type Connection = FakeConnection;
        type Error = &'static str;

        async fn open(&self) -> Result<FakeConnection, &'static str> {
            if self.refuses.load(Ordering::SeqCst) {
                return Err("too many connections");
            }
            self.alive.fetch_add(1, Ordering::SeqCst);
            Ok(FakeConnection { alive: Arc::clone(&self.alive), broken: false })
        }

        fn is_broken(&self, connection: &FakeConnection) -> bool {
            connection.broken
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Acquire,
        GiveBack,
        /// The session ends while it is out; it is given back all the same.
        GiveBackBroken,
        /// Closed instead of given back.
        Discard,
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Acquire),
            3 => Just(Step::GiveBack),
            1 => Just(Step::GiveBackBroken),
            1 => Just(Step::Discard),
        ]
    }

    /// SQLAlchemy's QueuePool, in as few words as will do.
    struct Model {
        size: usize,
        max: usize,
        held: usize,
        waiting: usize,
        /// Whether each idle connection works, in the order in which they came back.
        idle: VecDeque<bool>,
    }

    impl Model {
        fn acquire(&mut self) {
            self.waiting += 1;
            self.serve();
        }

        /// `works`: None is a connection that is closed instead.
        fn release(&mut self, works: Option<bool>) {
            self.held -= 1;
            if let Some(works) = works.filter(|_| self.idle.len() < self.size) {
                self.idle.push_back(works);
            }
            self.serve();
        }

        fn serve(&mut self) {
            while self.waiting > 0 && self.held < self.max {
                while self.idle.pop_front() == Some(false) {}
                self.waiting -= 1;
                self.held += 1;
            }
        }
    }

    struct Driven {
        pool: QueuePool<FakeOpener>,
        alive: Arc<AtomicU64>,
        acquiring: VecDeque<JoinHandle<Acquired<FakeOpener>>>,
        leases: VecDeque<Lease<FakeOpener>>,
        model: Model,
    }

    impl Driven {
        fn new(size: u32, overflow: u32) -> Driven {
            let opener = FakeOpener::default();
            let alive = Arc::clone(&opener.alive);
            let pool = QueuePool::new(opener, size, overflow, Duration::from_secs(3_600));
            let (size, max) = (size as usize, (size + overflow) as usize);
            let model = Model { size, max, held: 0, waiting: 0, idle: VecDeque::new() };
            let (acquiring, leases) = (VecDeque::new(), VecDeque::new());
            Driven { pool, alive, acquiring, leases, model }
        }

        async fn step(&mut self, step: Step) {
            if let Step::Acquire = step {
                let pool = self.pool.clone();
                self.acquiring.push_back(tokio::spawn(async move { pool.acquire().await }));
                self.model.acquire();
            } else if let Some(mut lease) = self.leases.pop_front() {
                match step {
                    Step::GiveBackBroken => {
                        lease.connection().broken = true;
                        lease.give_back();
                        self.model.release(Some(false));
                    }
                    Step::Discard => {
                        drop(lease);
                        self.model.release(None);
                    }
                    Step::GiveBack | Step::Acquire => {
                        lease.give_back();
                        self.model.release(Some(true));
                    }
                }
            }
            // Enough turns for the woken task to take what it was woken for.
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            // Waiters are served in the order in which they came: only the front may be done.
            while self.acquiring.front().is_some_and(JoinHandle::is_finished) {
                let acquired = self.acquiring.pop_front().expect("looked at").await;
                self.leases.push_back(acquired.expect("no panic").result.expect("no error"));
            }
        }

        fn compare(&self) -> Result<(), TestCaseError> {
            let Model { held, waiting, idle, .. } = &self.model;
            prop_assert_eq!(self.leases.len(), *held);
            prop_assert_eq!(self.pool.in_use(), *held as u64);
            prop_assert_eq!(self.pool.waiting(), *waiting as u64);
            prop_assert_eq!(self.acquiring.len(), *waiting);
            let open = (held + idle.len()) as u64;
            prop_assert_eq!(self.alive.load(Ordering::SeqCst), open);
            prop_assert_eq!(self.pool.open_connections(), open);
            Ok(())
        }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
    }

    proptest! {
        #[test]
        fn the_pool_does_what_the_model_does(
            size in 1u32..4,
            overflow in 0u32..4,
            steps in prop::collection::vec(any_step(), 0..80),
        ) {
            runtime().block_on(async {
                let mut driven = Driven::new(size, overflow);
                for step in steps {
                    driven.step(step).await;
                    driven.compare()?;
                }
                Ok::<(), TestCaseError>(())
            })?;
        }
    }

    #[test]
    fn an_acquire_gives_up_after_its_timeout_and_leaves_no_trace() {
        runtime().block_on(async {
            let pool = QueuePool::new(FakeOpener::default(), 1, 0, Duration::from_millis(20));
            let held = pool.acquire().await.result.map_err(|_| "refused").expect("the only one");
            let second = pool.acquire().await;
            assert!(matches!(second.result, Err(AcquireError::TimedOut)));
            assert_eq!((pool.in_use(), pool.waiting()), (1, 0));
            held.give_back();
            assert!(pool.acquire().await.result.is_ok());
        });
    }

    #[test]
    fn a_refused_connection_is_an_error_of_its_own_and_frees_its_place() {
        runtime().block_on(async {
            let opener = FakeOpener::default();
            let refuses = Arc::clone(&opener.refuses);
            let pool = QueuePool::new(opener, 1, 0, Duration::from_secs(10));
            refuses.store(true, Ordering::SeqCst);
            let refused = pool.acquire().await.result.map(|_| ());
            assert_eq!(refused, Err(AcquireError::Open("too many connections")));
            refuses.store(false, Ordering::SeqCst);
            assert!(pool.acquire().await.result.is_ok());
        });
    }
}
