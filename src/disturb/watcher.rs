//! What the server says of background sessions, asked on a session of our own.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::connect::{self, Address, Session};
use crate::history::{Held, HeldRelation};

/// Between two questions whether the change waits.
const WAITED_EVERY: Duration = Duration::from_millis(25);
/// Between two questions whether a session is in place.
const IN_PLACE_EVERY: Duration = Duration::from_millis(10);
/// Locks that are recorded of a disturbance.
const LOCKS_MAX: i64 = 500;

const LOCKS: &str = "SELECT DISTINCT \
     CASE l.locktype WHEN 'relation' THEN l.relation::pg_catalog.regclass::text \
       ELSE pg_catalog.format('advisory lock (%s, %s)', l.classid, l.objid) END, l.mode \
     FROM pg_catalog.pg_locks l WHERE l.pid = ANY($1) AND l.granted \
     AND l.locktype IN ('relation', 'advisory') \
     AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
     ORDER BY 1, 2 LIMIT $2";
const ACTIVITY: &str = "SELECT coalesce(bool_or(backend_xmin IS NOT NULL), false), \
     coalesce(bool_or(backend_xid IS NOT NULL), false), \
     coalesce(bool_or(state = 'active' OR backend_type <> 'client backend'), false), \
     count(*) FROM pg_catalog.pg_stat_activity WHERE pid = ANY($1)";
/// Whether a session that is neither the application's nor ours waits for one of these.
const WAITED: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l \
     JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE NOT l.granted \
     AND a.application_name NOT LIKE 'pgauntlet app%' \
     AND a.application_name NOT LIKE 'pgauntlet disturb%' \
     AND pg_catalog.pg_blocking_pids(l.pid) && $1)";

/// Asks the server about other sessions.
pub(super) struct Watcher {
    session: Session,
}

impl Watcher {
    pub async fn open(address: &Address) -> Result<Watcher, connect::Error> {
        let session = Session::open(address, "pgauntlet observe", &BTreeMap::new()).await?;
        Ok(Watcher { session })
    }

    /// What these sessions hold now.
    pub async fn held(&self, pids: &[i32]) -> Result<Held, connect::Error> {
        let client = self.session.client();
        let locks = client.query(LOCKS, &[&pids, &LOCKS_MAX]).await;
        let locks = locks.map_err(|error| connect::Error::query(LOCKS, &error))?;
        let row = client.query_one(ACTIVITY, &[&pids]).await;
        let row = row.map_err(|error| connect::Error::query(ACTIVITY, &error))?;
        let lock =
            |row: &tokio_postgres::Row| HeldRelation { relation: row.get(0), mode: row.get(1) };
        Ok(Held {
            locks: locks.iter().map(lock).collect(),
            snapshot: row.get(0),
            transaction_id: row.get(1),
            active: row.get(2),
            sessions: u64::try_from(row.get::<_, i64>(3)).unwrap_or_default(),
        })
    }

    /// Returns when the query has a row, with its first column: the pid that it is about.
    pub async fn in_place(&self, query: &str) -> Result<Option<i32>, connect::Error> {
        loop {
            let rows = self.session.client().query(query, &[]).await;
            let rows = rows.map_err(|error| connect::Error::query(query, &error))?;
            if let Some(row) = rows.first() {
                return Ok(row.try_get(0).ok());
            }
            tokio::time::sleep(IN_PLACE_EVERY).await;
        }
    }

    /// Returns when the change waits for one of these sessions. Never, where the server does not
    /// say it.
    pub async fn waited(&self, pids: &[i32]) {
        loop {
            match self.session.client().query_one(WAITED, &[&pids]).await {
                Ok(row) if row.get::<_, bool>(0) => return,
                Ok(_) => {}
                Err(_) => std::future::pending().await,
            }
            tokio::time::sleep(WAITED_EVERY).await;
        }
    }

    /// Ends sessions of the server's own.
    pub async fn end(&self, pids: &[i32]) {
        let sql = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
                   WHERE pid = ANY($1) AND backend_type <> 'client backend'";
        // One that is not there any more has ended.
        let _ = self.session.client().query(sql, &[&pids]).await;
    }
}
