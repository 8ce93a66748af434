//! The server as the tap sees it: connections for the change, and a session of ours beside it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio_postgres::{Row, Statement};

use crate::connect::{Address, Session, server_error};
use crate::history::{Event, Recorder, Role, SessionSeen};
use crate::pg::LockMode;
use crate::tap::{BoxStream, Doing, SeenLock, Sight, Upstream, Watch};

/// The tap's looks must not queue behind a lock on the catalogue that the change itself holds.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// A standby has no insert position, and nobody migrates on one.
const WAL: &str =
    "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::int8";

/// Table-level locks on relations of users (oids below 16384 are the system's own). TOAST tables
/// follow their table in every lock. The catalogue as this session sees it lacks what the change's
/// open transaction made: a lock on that stops nobody.
const LOCKS: &str = "
SELECT l.relation, l.relation::pg_catalog.regclass::text, l.mode, c.relfilenode
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
WHERE l.pid = $1 AND l.granted AND l.locktype = 'relation' AND l.relation >= 16384
  AND c.relnamespace <> 'pg_toast'::pg_catalog.regnamespace";

const RELATIONS: &str = "
SELECT c.oid, c.oid::pg_catalog.regclass::text, c.relfilenode
FROM pg_catalog.pg_class c
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'i', 'm', 'p', 'I', 'S')
  AND c.relnamespace <> 'pg_toast'::pg_catalog.regnamespace";

const DOING: &str = "
SELECT state = 'active', wait_event_type = 'Lock'
FROM pg_catalog.pg_stat_activity WHERE pid = $1";

/// The server behind the tap of one attempt.
pub struct Server {
    /// Where the change's connections go.
    pub change: Address,
    /// Where ours go.
    pub ours: Address,
    pub recorder: Recorder,
}

impl Upstream for Server {
    fn dial(&self) -> BoxFuture<'_, std::io::Result<BoxStream>> {
        self.change.dial().map(|dialled| dialled.map(|wire| Box::new(wire) as BoxStream)).boxed()
    }

    fn watch(&self) -> BoxFuture<'_, Result<Arc<dyn Watch>, String>> {
        async {
            let watching = Watching::open(&self.ours).await?;
            let session = SessionSeen { pid: watching.session.pid(), role: Role::Observer };
            self.recorder.record(Event::Session(session));
            Ok(Arc::new(watching) as Arc<dyn Watch>)
        }
        .boxed()
    }
}

struct Watching {
    session: Session,
    wal: Statement,
    locks: Statement,
    relations: Statement,
    doing: Statement,
}

impl Watching {
    async fn open(address: &Address) -> Result<Watching, String> {
        let timeout = format!("{}s", LOOK_TIMEOUT.as_secs());
        let settings = BTreeMap::from([("statement_timeout".to_owned(), timeout)]);
        let session = Session::open(address, "pgauntlet observe", &settings).await;
        let session = session.map_err(|error| error.to_string())?;
        let prepare = async |sql| session.client().prepare(sql).await.map_err(|e| words(&e));
        let (wal, locks) = (prepare(WAL).await?, prepare(LOCKS).await?);
        let (relations, doing) = (prepare(RELATIONS).await?, prepare(DOING).await?);
        Ok(Watching { session, wal, locks, relations, doing })
    }

    /// Locks last: what the change holds while the rest is read, it holds at the end as well.
    async fn see(&self, pid: i32, relations: bool) -> Result<Sight, tokio_postgres::Error> {
        let client = self.session.client();
        let known = match relations {
            true => client.query(&self.relations, &[]).await?,
            false => Vec::new(),
        };
        let pid: &(dyn tokio_postgres::types::ToSql + Sync) = &pid;
        let parameters = [pid];
        let wal = client.query_one(&self.wal, &[]);
        let locks = client.query(&self.locks, &parameters);
        let (wal, locks) = futures_util::future::try_join(wal, locks).await?;
        Ok(Sight {
            wal_bytes: u64::try_from(wal.get::<_, i64>(0)).unwrap_or(0),
            locks: locks.iter().filter_map(lock).collect(),
            relations: known.iter().map(relation).collect(),
        })
    }

    async fn signal(&self, sql: &str, pid: i32) -> Result<(), String> {
        // Whether the backend was there to be signalled shows in what it does.
        self.session.client().execute(sql, &[&pid]).await.map(drop).map_err(|e| words(&e))
    }
}

impl Watch for Watching {
    fn look(&self, pid: i32, relations: bool) -> BoxFuture<'_, Result<Sight, String>> {
        async move { self.see(pid, relations).await.map_err(|error| words(&error)) }.boxed()
    }

    fn doing(&self, pid: i32) -> BoxFuture<'_, Result<Doing, String>> {
        async move {
            let row = self.session.client().query_opt(&self.doing, &[&pid]).await;
            let row = row.map_err(|error| words(&error))?;
            let is = |column: usize| {
                row.as_ref().and_then(|row| row.get::<_, Option<bool>>(column)).unwrap_or(false)
            };
            Ok(match (is(0), is(1)) {
                (true, true) => Doing::Waiting,
                (true, false) => Doing::Working,
                (false, _) => Doing::Nothing,
            })
        }
        .boxed()
    }

    fn cancel(&self, pid: i32) -> BoxFuture<'_, Result<(), String>> {
        self.signal("SELECT pg_catalog.pg_cancel_backend($1)", pid).boxed()
    }

    fn terminate(&self, pid: i32) -> BoxFuture<'_, Result<(), String>> {
        self.signal("SELECT pg_catalog.pg_terminate_backend($1)", pid).boxed()
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
    Some(SeenLock { oid: row.get(0), name: row.get(1), mode, filenode: row.get(3) })
}
