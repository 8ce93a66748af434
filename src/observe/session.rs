//! The sampler's own session, and its prepared queries.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use crate::clock::Micros;
use crate::connect::{self, Address, Session};
use crate::history::{
    ActivitySample, Backend, Event, GrantedLock, Node, ProgressSeen, Recorder, Role, SessionId,
    SessionSeen, Since, Wait, WaitSample, WalSample, since,
};

use super::{APPLICATION_NAME, Error};

/// The server gives up on a sample: a stuck one is a missed one. Over a hundred times what a
/// sample takes with 100 blocked backends.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(1);
/// The client gives up on a server that does not even do that.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for the session itself.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

const WAITS: &str = include_str!("sql/waits.sql");
const OWNERS: &str = include_str!("sql/owners.sql");
const SESSIONS: &str = include_str!("sql/sessions.sql");
const PROGRESS: &str = include_str!("sql/progress.sql");
const ACTIVITY: &str = include_str!("sql/activity.sql");
/// Insert, not write: what a transaction adds counts when it adds it.
const WAL: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8";

type Parameter<'a> = &'a (dyn ToSql + Sync);

/// The session that a pid belongs to.
#[derive(Clone, Copy)]
struct KnownBackend {
    since: Option<Since>,
    /// It is one of ours, and only probes.
    probes: bool,
}

pub(super) struct SamplerSession {
    session: Session,
    waits: Statement,
    sessions: Statement,
    owners: Statement,
    activity: Statement,
    progress: Statement,
    wal: Statement,
    /// The server that it asks.
    node: Node,
    /// Oid of the trial's database: the server may hold others.
    database: u32,
    /// By pid, the sessions of the samples since something began to wait. They are asked for when a
    /// sample has an unknown pid: at every sample it would cost more than the rest of the sample.
    /// Each [`SamplerSession::activity`], ten times a second while something waits, forgets those
    /// that are gone: no pid comes back as soon as that.
    known: BTreeMap<i32, KnownBackend>,
    /// Relations for which something has waited since then, by oid, as their users know them: a
    /// key's index by its table.
    names: BTreeMap<u32, String>,
}

impl SamplerSession {
    pub(super) async fn open(
        address: &Address,
        node: Node,
        recorder: &Recorder,
    ) -> Result<SamplerSession, Error> {
        match tokio::time::timeout(OPEN_TIMEOUT, open(address, node, recorder)).await {
            Ok(opened) => opened.map_err(|error| Error::Open(Box::new(error))),
            Err(_) => Err(Error::OpenTimeout(OPEN_TIMEOUT)),
        }
    }

    /// Whether the session is of no more use.
    pub(super) fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// What is not granted now.
    pub(super) async fn waits(&mut self) -> Result<WaitSample, Error> {
        let rows = self.ask(&self.waits, WAITS, &[&self.database]).await?;
        self.learn_names(&rows).await?;
        let mut waits = waits_of(&rows, self.session.pid(), &self.names);
        if waits.is_empty() {
            // A pid may come back as another session.
            self.known.clear();
            self.names.clear();
            return Ok(WaitSample::default());
        }
        if waits.iter().flat_map(pids).any(|pid| !self.known.contains_key(&pid)) {
            self.learn_sessions(&waits).await?;
        }
        waits.retain(|wait| self.known.get(&wait.session.pid).is_some_and(|known| !known.probes));
        waits.iter_mut().for_each(|wait| identify(wait, &self.known, &self.node));
        Ok(WaitSample { waits })
    }

    async fn learn_names(&mut self, rows: &[Row]) -> Result<(), Error> {
        let relations: BTreeSet<u32> = rows.iter().filter_map(|row| row.get(8)).collect();
        let unknown = relations.into_iter().filter(|oid| !self.names.contains_key(oid));
        let unknown: Vec<u32> = unknown.collect();
        if !unknown.is_empty() {
            let rows = self.ask(&self.owners, OWNERS, &[&unknown]).await?;
            self.names.extend(rows.iter().map(|row| (row.get(0), row.get(1))));
        }
        Ok(())
    }

    async fn learn_sessions(&mut self, waits: &[Wait]) -> Result<(), Error> {
        let parameters: [Parameter<'_>; 2] = [&self.database, &APPLICATION_NAME];
        let rows = self.ask(&self.sessions, SESSIONS, &parameters).await?;
        // One that is gone by now stays without its start, and is not asked for again.
        let gone = KnownBackend { since: None, probes: false };
        self.known.extend(waits.iter().flat_map(pids).map(|pid| (pid, gone)));
        // Only of those: one that is about to begin has no application_name yet.
        for row in &rows {
            if let Some(known) = self.known.get_mut(&row.get::<_, i32>(0)) {
                *known = KnownBackend { since: since(row.get(1)), probes: row.get(2) };
            }
        }
        Ok(())
    }

    /// Who is there now, and what each does.
    pub(super) async fn activity(&mut self) -> Result<ActivitySample, Error> {
        let rows = self.ask(&self.activity, ACTIVITY, &[&self.database]).await?;
        let backends: Vec<Backend> = rows.iter().map(backend_of).collect();
        // A pid that has come back is asked for anew when it is in a sample.
        let there: BTreeSet<&SessionId> = backends.iter().map(|backend| &backend.session).collect();
        self.known.retain(|pid, known| there.contains(&SessionId::new(*pid, known.since)));
        let is_active = |b: &Backend| b.state.as_deref() == Some("active");
        let progress = match backends.iter().any(is_active) {
            true => self.progress(&backends).await?,
            false => Vec::new(),
        };
        Ok(ActivitySample { backends, progress })
    }

    /// How far long statements are.
    async fn progress(&self, backends: &[Backend]) -> Result<Vec<ProgressSeen>, Error> {
        let rows = self.ask(&self.progress, PROGRESS, &[&self.database]).await?;
        let seen = |row: &Row| {
            let pid: i32 = row.get(0);
            let count = |column| u64::try_from(row.get::<_, i64>(column)).unwrap_or(0);
            let session = backends.iter().map(|b| &b.session).find(|s| s.pid == pid)?.clone();
            let (command, phase) = (row.get(1), row.get(2));
            Some(ProgressSeen { session, command, phase, done: count(3), total: count(4) })
        };
        Ok(rows.iter().filter_map(seen).collect())
    }

    /// How much WAL the server has written so far.
    pub(super) async fn wal(&self) -> Result<WalSample, Error> {
        let rows = self.ask(&self.wal, WAL, &[]).await?;
        let bytes: i64 = rows.first().map_or(0, |row| row.get(0));
        Ok(WalSample { bytes: u64::try_from(bytes).unwrap_or(0) })
    }

    async fn ask(
        &self,
        statement: &Statement,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        let asked = self.session.client().query(statement, parameters);
        match tokio::time::timeout(ANSWER_TIMEOUT, asked).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(Error::Sample(Box::new(connect::Error::query(sql, &error)))),
            Err(_) => Err(Error::SampleTimeout(ANSWER_TIMEOUT)),
        }
    }
}

async fn open(
    address: &Address,
    node: Node,
    recorder: &Recorder,
) -> Result<SamplerSession, connect::Error> {
    let session = Session::open(address, APPLICATION_NAME, &settings()).await?;
    let id = SessionId { node: node.clone(), ..session.id() };
    let seen = SessionSeen { session: id, role: Role::Observer };
    recorder.record(Event::Session(seen));
    let client = session.client();
    let sql = "SELECT oid FROM pg_database WHERE datname = current_database()";
    let row = client.query_one(sql, &[]).await.map_err(|e| connect::Error::query(sql, &e))?;
    let database = row.get(0);
    let waits = prepare(&session, WAITS).await?;
    let sessions = prepare(&session, SESSIONS).await?;
    let owners = prepare(&session, OWNERS).await?;
    let activity = prepare(&session, ACTIVITY).await?;
    let progress = prepare(&session, PROGRESS).await?;
    let wal = prepare(&session, WAL).await?;
    let (known, names) = (BTreeMap::new(), BTreeMap::new());
    Ok(SamplerSession {
        session,
        waits,
        sessions,
        owners,
        activity,
        progress,
        wal,
        node,
        database,
        known,
        names,
    })
}

async fn prepare(session: &Session, sql: &str) -> Result<Statement, connect::Error> {
    session.client().prepare(sql).await.map_err(|e| connect::Error::query(sql, &e))
}

/// A database or a role may have settings of its own that would end, slow or replan the sampler.
fn settings() -> BTreeMap<String, String> {
    let statement_timeout = STATEMENT_TIMEOUT.as_millis().to_string();
    [
        ("statement_timeout", statement_timeout.as_str()),
        ("idle_session_timeout", "0"),
        ("default_transaction_isolation", "read committed"),
        ("plan_cache_mode", "force_generic_plan"),
        ("max_parallel_workers_per_gather", "0"),
        ("jit", "off"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// Rows come ordered by waiter, one per lock that a blocker holds on the same object.
fn waits_of(rows: &[Row], own_pid: i32, names: &BTreeMap<u32, String>) -> Vec<Wait> {
    let mut waits: Vec<Wait> = Vec::new();
    for row in rows {
        let pid: i32 = row.get(0);
        if waits.last().is_none_or(|wait| wait.session.pid != pid) {
            waits.push(wait_of(pid, row, names));
        }
        let mode: Option<String> = row.get(7);
        if let (Some(wait), Some(mode)) = (waits.last_mut(), mode) {
            let relation = wait.relation.clone();
            wait.holders.push(GrantedLock { session: row.get::<_, i32>(6).into(), relation, mode });
        }
    }
    waits.retain_mut(|wait| is_not_of_our_making(wait, own_pid));
    waits
}

fn wait_of(pid: i32, row: &Row, names: &BTreeMap<u32, String>) -> Wait {
    let relation: Option<u32> = row.get(8);
    let owner = relation.and_then(|oid| names.get(&oid).cloned());
    let mut blockers: Vec<SessionId> = Vec::new();
    // A parallel query is there once per worker.
    for blocker in row.get::<_, Vec<i32>>(5).into_iter().map(SessionId::from) {
        if !blockers.contains(&blocker) {
            blockers.push(blocker);
        }
    }
    Wait {
        session: pid.into(),
        locktype: row.get(1),
        mode: row.get(2),
        relation: owner.or_else(|| row.get(3)),
        waited_us: micros(row.get(4)),
        blockers,
        holders: Vec::new(),
    }
}

/// Of everybody whom the wait names.
fn pids(wait: &Wait) -> impl Iterator<Item = i32> {
    // Holders are among the blockers.
    std::iter::once(&wait.session).chain(&wait.blockers).map(|session| session.pid)
}

fn identify(wait: &mut Wait, known: &BTreeMap<i32, KnownBackend>, node: &Node) {
    let holders = wait.holders.iter_mut().map(|lock| &mut lock.session);
    for session in std::iter::once(&mut wait.session).chain(&mut wait.blockers).chain(holders) {
        session.since = known.get(&session.pid).and_then(|known| known.since);
        session.node.clone_from(node);
    }
}

/// A concurrent index build waits for every older snapshot of its database, for the sample's own
/// too: that wait ends with the sample that sees it.
fn is_not_of_our_making(wait: &mut Wait, own_pid: i32) -> bool {
    let before = wait.blockers.len();
    wait.blockers.retain(|blocker| blocker.pid != own_pid);
    wait.holders.retain(|lock| lock.session.pid != own_pid);
    wait.blockers.len() == before || !wait.blockers.is_empty()
}

fn backend_of(row: &Row) -> Backend {
    Backend {
        session: SessionId::new(row.get(0), since(row.get(9))),
        backend_type: row.get(1),
        application_name: row.get(2),
        state: row.get(3),
        wait_event_type: row.get(4),
        wait_event: row.get(5),
        transaction_age_us: micros(row.get(6)),
        query_age_us: micros(row.get(7)),
        query: row.get(8),
    }
}

/// A start that the server's clock has not reached yet is an age of zero.
fn micros(age: Option<i64>) -> Option<Micros> {
    age.map(|us| Micros(u64::try_from(us).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: i32 = 7;

    fn wait_behind(blockers: &[i32]) -> Wait {
        Wait {
            session: 1.into(),
            locktype: "virtualxid".to_owned(),
            mode: "ShareLock".to_owned(),
            relation: None,
            waited_us: None,
            blockers: blockers.iter().copied().map(SessionId::from).collect(),
            holders: blockers
                .iter()
                .map(|&pid| GrantedLock {
                    session: pid.into(),
                    relation: None,
                    mode: "ExclusiveLock".to_owned(),
                })
                .collect(),
        }
    }

    #[test]
    fn a_wait_for_the_sample_itself_is_none_and_one_for_others_too_is_theirs() {
        assert!(!is_not_of_our_making(&mut wait_behind(&[OURS]), OURS));
        let mut both = wait_behind(&[OURS, 8]);
        assert!(is_not_of_our_making(&mut both, OURS));
        assert_eq!(both, wait_behind(&[8]));
    }

    #[test]
    fn a_wait_whose_blockers_are_gone_already_stays() {
        assert!(is_not_of_our_making(&mut wait_behind(&[]), OURS));
    }

    #[test]
    fn an_age_below_zero_is_zero_and_none_stays_none() {
        assert_eq!(micros(Some(-5)), Some(Micros::ZERO));
        assert_eq!(micros(None), None);
    }
}
