//! The sampler of a standby: what the primary says of it and what it says of itself, ten times a
//! second, on sessions of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_postgres::{Row, Statement};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::Micros;
use crate::connect::{self, Address, Session};
use crate::history::{
    Event, Node, Recorder, ReplicaSample, Role, STANDBY, SessionId, SessionSeen, Startup,
    WaitSample, WalSender,
};

use super::session::SamplerSession;
use super::{APPLICATION_NAME, Error};

/// Between two samples: a wait beyond any limit is in several.
const INTERVAL: Duration = Duration::from_millis(100);
/// Longest wait for one sample.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two attempts to open sessions again.
const REOPEN_PAUSE: Duration = Duration::from_millis(200);
/// Between two looks at how far the standby is.
const CATCH_UP_POLL: Duration = Duration::from_millis(20);

const PRIMARY: &str = include_str!("sql/primary.sql");
const STANDBY_SAYS: &str = include_str!("sql/standby.sql");
/// How WAL positions are compared: what is there on the primary, and what is replayed.
const WRITTEN: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8";
const REPLAYED: &str = "SELECT COALESCE(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::int8, 0)";
/// The standby's conflicts, in the order in which they are asked for.
const CONFLICTS: [&str; 5] = ["tablespace", "lock", "snapshot", "bufferpin", "deadlock"];
/// Where they begin.
const FIRST_CONFLICT: usize = 3;

/// A sampler at work. Dropped, it ends by itself.
pub struct ReplicaSampling {
    stop: DropGuard,
    task: JoinHandle<()>,
}

impl ReplicaSampling {
    /// Ends it; returns when its last sample is recorded.
    pub async fn stop(self) {
        drop(self.stop);
        // One that panicked has recorded no sample since, which the judge sees.
        let _ = self.task.await;
    }
}

/// Starts to sample a database and its copy on a standby that names itself so.
///
/// # Errors
/// The sessions cannot be opened.
pub async fn sample_replica(
    (primary, standby): (&Address, &Address),
    name: &'static str,
    recorder: &Recorder,
) -> Result<ReplicaSampling, Error> {
    let places = (primary.clone(), standby.clone());
    let first = Pair::open(&places, recorder).await?;
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    let sampler = Sampler { places, name, recorder: recorder.clone(), stop };
    Ok(ReplicaSampling { stop: guard, task: tokio::spawn(sampler.run(first)) })
}

struct Sampler {
    places: (Address, Address),
    name: &'static str,
    recorder: Recorder,
    stop: CancellationToken,
}

impl Sampler {
    /// A sample that fails is one that is not there.
    async fn run(self, first: Pair) {
        let mut pair = Some(first);
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.stop.cancelled() => return,
            }
            let Some(known) = &mut pair else {
                pair = Pair::open(&self.places, &self.recorder).await.ok();
                if pair.is_none() {
                    tokio::time::sleep(REOPEN_PAUSE).await;
                }
                continue;
            };
            let clock = self.recorder.clock();
            let asked = clock.now();
            match tokio::time::timeout(ANSWER_TIMEOUT, known.sample(self.name)).await {
                Ok(Ok(sample)) => {
                    let middle = asked + Micros((clock.now() - asked).0 / 2);
                    self.recorder.record_at(middle, Event::Replica(Box::new(sample)));
                }
                Ok(Err(_)) | Err(_) => pair = None,
            }
        }
    }
}

/// Sessions on both servers, with what is asked there.
struct Pair {
    primary: (Session, Statement),
    standby: (Session, Statement),
    waits: SamplerSession,
}

impl Pair {
    async fn open(
        (primary, standby): &(Address, Address),
        recorder: &Recorder,
    ) -> Result<Pair, Error> {
        let on_standby = Node::Standby(STANDBY.into());
        Ok(Pair {
            primary: opened(primary, Node::Primary, PRIMARY, recorder).await?,
            standby: opened(standby, on_standby.clone(), STANDBY_SAYS, recorder).await?,
            waits: SamplerSession::open(standby, on_standby, recorder).await?,
        })
    }

    async fn sample(&mut self, name: &'static str) -> Result<ReplicaSample, Error> {
        let (session, statement) = &self.primary;
        let row = session.client().query_one(statement, &[&name]).await;
        let primary = row.map_err(|error| failed(PRIMARY, &error))?;
        let (session, statement) = &self.standby;
        let row = session.client().query_one(statement, &[]).await;
        let standby = row.map_err(|error| failed(STANDBY_SAYS, &error))?;
        let waits = self.waits.waits().await?;
        Ok(sample_of(&primary, &standby, waits))
    }
}

async fn opened(
    address: &Address,
    node: Node,
    sql: &'static str,
    recorder: &Recorder,
) -> Result<(Session, Statement), Error> {
    let open = |error| Error::Open(Box::new(error));
    let settings = BTreeMap::from([("statement_timeout".to_owned(), "1s".to_owned())]);
    let session = Session::open(address, APPLICATION_NAME, &settings).await.map_err(open)?;
    let id = SessionId { node, ..session.id() };
    recorder.record(Event::Session(SessionSeen { session: id, role: Role::Observer }));
    let statement = session.client().prepare(sql).await;
    let statement = statement.map_err(|e| open(connect::Error::query(sql, &e)))?;
    Ok((session, statement))
}

fn failed(sql: &str, error: &tokio_postgres::Error) -> Error {
    Error::Sample(Box::new(connect::Error::query(sql, error)))
}

fn sample_of(primary: &Row, standby: &Row, waits: WaitSample) -> ReplicaSample {
    let bytes = |row: &Row, at: usize| row.get::<_, Option<i64>>(at).map(unsigned);
    let sender = primary.get::<_, Option<String>>(1).map(|state| WalSender {
        state,
        sent: bytes(primary, 2),
        written: bytes(primary, 3),
        flushed: bytes(primary, 4),
        replayed: bytes(primary, 5),
        replay_lag_us: bytes(primary, 6).map(Micros),
    });
    let slots: Vec<String> = primary.get(7);
    let kept: Vec<i64> = primary.get(8);
    let conflict = |(n, name): (usize, &&str)| {
        ((*name).to_owned(), bytes(standby, FIRST_CONFLICT + n).unwrap_or_default())
    };
    let after = FIRST_CONFLICT + CONFLICTS.len();
    let startup = standby.get::<_, Option<i32>>(after).map(|pid| Startup {
        pid,
        wait_event: standby.get(after + 1),
        locks: standby.get(after + 2),
    });
    ReplicaSample {
        current: bytes(primary, 0).unwrap_or_default(),
        sender,
        kept_bytes: slots.into_iter().zip(kept.into_iter().map(unsigned)).collect(),
        received: bytes(standby, 0),
        replayed: bytes(standby, 1).unwrap_or_default(),
        replayed_commit_age_us: bytes(standby, 2).map(Micros),
        conflicts: CONFLICTS.iter().enumerate().map(conflict).collect(),
        startup,
        waits,
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Waits until the standby has replayed what the primary has written by now; both are maintenance
/// databases.
///
/// # Errors
/// It does not in this time, or one of the two does not answer.
pub async fn caught_up(
    (primary, standby): (&Address, &Address),
    limit: Duration,
) -> Result<(), Error> {
    let written = position(&quiet(primary).await?, WRITTEN).await?;
    let standby = quiet(standby).await?;
    let begun = Instant::now();
    while position(&standby, REPLAYED).await? < written {
        if begun.elapsed() > limit {
            return Err(Error::NotReplayed(limit));
        }
        tokio::time::sleep(CATCH_UP_POLL).await;
    }
    Ok(())
}

/// A session of which no sample tells.
async fn quiet(address: &Address) -> Result<Session, Error> {
    let session = Session::open(address, APPLICATION_NAME, &BTreeMap::new()).await;
    session.map_err(|error| Error::Open(Box::new(error)))
}

async fn position(session: &Session, sql: &str) -> Result<i64, Error> {
    let row = session.client().query_one(sql, &[]).await.map_err(|error| failed(sql, &error))?;
    Ok(row.get(0))
}
