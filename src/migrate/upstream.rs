//! The server as the tap sees it: connections for the change, and a session of ours beside it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio_postgres::{Row, Statement};

use crate::connect::{Address, Session, server_error};
use crate::history::{Event, Recorder, Role, SessionSeen, Since, since};
use crate::pg::LockMode;
use crate::tap::{
    Action, BoxStream, Hold, LockSnapshot, ProbedRelations, SeenLock, Upstream, Watch,
};

/// The tap's probes must not queue behind a lock on the catalogue that the change itself holds.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// A standby has no insert position, and no migration runs on one.
const WAL: &str =
    "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::int8";

/// Table-level locks on relations of users (oids below 16384 are the system's own). TOAST tables
/// follow their table in every lock; an index is named together with its table. The catalogue as
/// this session sees it lacks what the change's open transaction made: a lock on it blocks none.
const LOCKS: &str = "
SELECT l.relation, l.relation::pg_catalog.regclass::text, l.mode, c.relfilenode,
       CASE WHEN c.relkind IN ('i', 'I') THEN
         (SELECT i.indrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i
          WHERE i.indexrelid = l.relation)
       END
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
WHERE l.pid = $1 AND l.granted AND l.locktype = 'relation' AND l.relation >= 16384
  AND c.relnamespace <> 'pg_toast'::pg_catalog.regnamespace";

/// Named as a `regclass` is, whose output asks the catalogue again for each of them.
const ALL_RELATIONS: &str = "
SELECT c.oid,
       CASE WHEN n.nspname = ANY (pg_catalog.current_schemas(true)) THEN ''
       ELSE pg_catalog.quote_ident(n.nspname) || '.' END || pg_catalog.quote_ident(c.relname),
       c.relfilenode
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'i', 'm', 'p', 'I', 'S')
  AND c.relnamespace <> 'pg_toast'::pg_catalog.regnamespace";

/// Relations of these names in any schema, their partitions, and the indexes and sequences of all.
const NAMED_RELATIONS: &str = "
WITH RECURSIVE tables AS (
  SELECT c.oid FROM pg_catalog.pg_class c
  WHERE c.relname = ANY ($1::text[]::pg_catalog.name[]) AND c.oid >= 16384
  UNION
  SELECT i.inhrelid FROM tables t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
), relations AS (
  SELECT t.oid FROM tables t
  UNION
  SELECT x.indexrelid FROM tables t JOIN pg_catalog.pg_index x ON x.indrelid = t.oid
  UNION
  SELECT d.objid FROM tables t JOIN pg_catalog.pg_depend d ON d.refobjid = t.oid
  WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
)
SELECT c.oid, c.oid::pg_catalog.regclass::text, c.relfilenode
FROM relations r JOIN pg_catalog.pg_class c ON c.oid = r.oid
WHERE c.relkind IN ('r', 'i', 'm', 'p', 'I', 'S')
  AND c.relnamespace <> 'pg_toast'::pg_catalog.regnamespace";

/// The probes ask for few rows by key. Whatever statistics the catalogue has, and while the change
/// fills it, they are to go by its indexes, and to be planned once: planning takes three times as
/// long as running.
const PROBE_SETTINGS: [(&str, &str); 4] = [
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// One backend's start, for which the view above the function would read all sessions.
const SINCE: &str = "
SELECT (extract(epoch FROM a.backend_start) * 1000000)::pg_catalog.int8
FROM pg_catalog.pg_stat_get_activity($1) AS a";

/// Looks and acts in one step: of a short statement there is no time for two. The function below
/// pg_stat_activity looks at one backend; the view looks at all.
fn interruption(act: &str, state: &str) -> String {
    format!(
        "SELECT pg_catalog.{act}(a.pid) FROM pg_catalog.pg_stat_get_activity($1) AS a
         WHERE a.state = 'active' AND {state}"
    )
}

/// How long a session of ours waits for a lock that the change is to wait for: the application
/// queues behind it meanwhile.
const BLOCK_LOCK_TIMEOUT: Duration = Duration::from_millis(200);
/// Tries to get it.
const BLOCK_TRIES: u32 = 10;
/// Longest wait for the session to give the lock back, which nothing can hold up.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// The server behind the tap of one attempt.
pub struct Server {
    /// Where the change's connections go.
    pub change: Address,
    /// Where ours go.
    pub ours: Address,
    /// Where the pids of our own sessions are recorded, so that samples leave them out.
    pub recorder: Recorder,
}

impl Upstream for Server {
    fn dial(&self) -> BoxFuture<'_, std::io::Result<BoxStream>> {
        self.change.dial().map(|dialled| dialled.map(|wire| Box::new(wire) as BoxStream)).boxed()
    }

    fn watch(&self) -> BoxFuture<'_, Result<Arc<dyn Watch>, String>> {
        async {
            let watching = Watching::open(&self.ours, &self.recorder).await?;
            let session = SessionSeen { session: watching.session.id(), role: Role::Observer };
            self.recorder.record(Event::Session(session));
            Ok(Arc::new(watching) as Arc<dyn Watch>)
        }
        .boxed()
    }
}

struct Watching {
    address: Address,
    recorder: Recorder,
    session: Session,
    wal: Statement,
    locks: Statement,
    all_relations: Statement,
    named_relations: Statement,
    since: Statement,
    cancel_waiting: Statement,
    cancel_working: Statement,
    terminate: Statement,
}

impl Watching {
    async fn open(address: &Address, recorder: &Recorder) -> Result<Watching, String> {
        let timeout = format!("{}s", PROBE_TIMEOUT.as_secs());
        let mut settings = BTreeMap::from([("statement_timeout".to_owned(), timeout)]);
        settings.extend(PROBE_SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let session = Session::open(address, "pgauntlet observe", &settings).await;
        let session = session.map_err(|error| error.to_string())?;
        let prepare = async |sql: &str| session.client().prepare(sql).await.map_err(|e| words(&e));
        let (wal, locks) = (prepare(WAL).await?, prepare(LOCKS).await?);
        let all_relations = prepare(ALL_RELATIONS).await?;
        let named_relations = prepare(NAMED_RELATIONS).await?;
        let since = prepare(SINCE).await?;
        let waits = "a.wait_event_type = 'Lock'";
        let works = "a.wait_event_type IS DISTINCT FROM 'Lock'";
        let cancel_waiting = prepare(&interruption("pg_cancel_backend", waits)).await?;
        let cancel_working = prepare(&interruption("pg_cancel_backend", works)).await?;
        let terminate = prepare(&interruption("pg_terminate_backend", "true")).await?;
        let (address, recorder) = (address.clone(), recorder.clone());
        Ok(Watching {
            address,
            recorder,
            session,
            wal,
            locks,
            all_relations,
            named_relations,
            since,
            cancel_waiting,
            cancel_working,
            terminate,
        })
    }

    /// Locks last: what the change holds while the rest is read, it holds at the end as well.
    async fn see(
        &self,
        pid: i32,
        relations: &ProbedRelations,
    ) -> Result<LockSnapshot, tokio_postgres::Error> {
        let client = self.session.client();
        let known = match relations {
            ProbedRelations::None => Vec::new(),
            ProbedRelations::Named(names) => client.query(&self.named_relations, &[names]).await?,
            ProbedRelations::All => client.query(&self.all_relations, &[]).await?,
        };
        let pid: &(dyn tokio_postgres::types::ToSql + Sync) = &pid;
        let parameters = [pid];
        let wal = client.query_one(&self.wal, &[]);
        let locks = client.query(&self.locks, &parameters);
        let (wal, locks) = futures_util::future::try_join(wal, locks).await?;
        Ok(LockSnapshot {
            wal_bytes: u64::try_from(wal.get::<_, i64>(0)).unwrap_or(0),
            locks: locks.iter().filter_map(lock).collect(),
            relations: known.iter().map(relation).collect(),
        })
    }

    async fn hold(&self, relation: &str, mode: LockMode) -> Result<Held, String> {
        let settings = BTreeMap::new();
        let session = Session::open(&self.address, "pgauntlet disturbance", &settings).await;
        let session = session.map_err(|error| error.to_string())?;
        let role = Role::Disturbance("the lock that the change is to give up waiting for".into());
        self.recorder.record(Event::Session(SessionSeen { session: session.id(), role }));
        let lock = format!(
            "BEGIN; SET LOCAL lock_timeout = {}; LOCK TABLE {relation} IN {} MODE",
            BLOCK_LOCK_TIMEOUT.as_millis(),
            mode.sql(),
        );
        let mut tries = 1;
        while let Err(error) = session.batch(&lock).await {
            if tries == BLOCK_TRIES {
                return Err(error.to_string());
            }
            tries += 1;
            session.batch("ROLLBACK").await.map_err(|error| error.to_string())?;
        }
        Ok(Held { session })
    }

    async fn signal(&self, sql: &str, pid: i32) -> Result<(), String> {
        // Whether the backend was there to be signalled shows in what it does.
        self.session.client().execute(sql, &[&pid]).await.map(drop).map_err(|e| words(&e))
    }
}

impl Watch for Watching {
    fn probe(
        &self,
        pid: i32,
        relations: &ProbedRelations,
    ) -> BoxFuture<'_, Result<LockSnapshot, String>> {
        let relations = relations.clone();
        async move { self.see(pid, &relations).await.map_err(|error| words(&error)) }.boxed()
    }

    fn since(&self, pid: i32) -> BoxFuture<'_, Result<Option<Since>, String>> {
        async move {
            let row = self.session.client().query_opt(&self.since, &[&pid]).await;
            let row = row.map_err(|error| words(&error))?;
            Ok(row.and_then(|row| since(row.get(0))))
        }
        .boxed()
    }

    fn inject(&self, pid: i32, action: &Action) -> BoxFuture<'_, Result<bool, String>> {
        let statement = match action {
            Action::CancelWaiting => &self.cancel_waiting,
            Action::CancelWorking => &self.cancel_working,
            Action::KillBackend | Action::KillBackendBefore => &self.terminate,
            _ => return std::future::ready(Ok(false)).boxed(),
        };
        async move {
            let injected = self.session.client().query_opt(statement, &[&pid]).await;
            injected.map(|row| row.is_some()).map_err(|error| words(&error))
        }
        .boxed()
    }

    fn cancel(&self, pid: i32) -> BoxFuture<'_, Result<(), String>> {
        self.signal("SELECT pg_catalog.pg_cancel_backend($1)", pid).boxed()
    }

    fn terminate(&self, pid: i32) -> BoxFuture<'_, Result<(), String>> {
        self.signal("SELECT pg_catalog.pg_terminate_backend($1)", pid).boxed()
    }

    fn block<'a>(
        &'a self,
        relation: &'a str,
        mode: LockMode,
    ) -> BoxFuture<'a, Result<Box<dyn Hold>, String>> {
        async move { Ok(Box::new(self.hold(relation, mode).await?) as Box<dyn Hold>) }.boxed()
    }
}

/// A session with a lock in its transaction.
struct Held {
    session: Session,
}

impl Hold for Held {
    fn release(self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            // A session that cannot roll back is gone, and its lock with it.
            let _ = tokio::time::timeout(RELEASE_TIMEOUT, self.session.batch("ROLLBACK")).await;
        }
        .boxed()
    }
}

fn words(error: &tokio_postgres::Error) -> String {
    server_error(error).to_string()
}

fn relation(row: &Row) -> (u32, (String, u32)) {
    (row.get(0), (row.get(1), row.get(2)))
}

fn lock(row: &Row) -> Option<SeenLock> {
    let mode = LockMode::parse(row.get(2))?;
    Some(SeenLock {
        oid: row.get(0),
        name: row.get(1),
        table: row.get(4),
        mode,
        filenode: row.get(3),
    })
}
