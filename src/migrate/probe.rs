//! Looks at the change's backend between two statements: from its own session what only its own
//! transaction can see, from a second one the locks that it holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Row;

use crate::connect::{Session, server_error};
use crate::history::TransactionStatus;
use crate::pg::LockMode;
use crate::tap::{Probe, Sight};

/// Settings in milliseconds and the WAL position; 0 ms is "none". A standby has no insert
/// position, and nobody migrates on one.
const SETTINGS: &str = "
SELECT (SELECT setting::int8 FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'),
       (SELECT setting::int8 FROM pg_catalog.pg_settings WHERE name = 'statement_timeout'),
       (SELECT setting::int8 FROM pg_catalog.pg_settings
        WHERE name = 'idle_in_transaction_session_timeout'),
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::int8";

/// User relations with storage, TOAST tables among them. `relfilenode` is read from the catalogue
/// as the transaction sees it, so a rewrite shows before it is committed.
const RELATIONS: &str = "
SELECT c.oid, c.oid::pg_catalog.regclass::text, c.relfilenode
FROM pg_catalog.pg_class c
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'i', 'm', 'p', 'I', 'S', 't')";

/// Table-level locks on user relations (oids below 16384 are the system's own).
const LOCKS: &str = "
SELECT relation, mode FROM pg_catalog.pg_locks
WHERE pid = $1 AND granted AND locktype = 'relation' AND relation >= 16384";

pub struct TwoSessions {
    change: Arc<Session>,
    observer: Session,
}

impl TwoSessions {
    pub fn new(change: Arc<Session>, observer: Session) -> TwoSessions {
        TwoSessions { change, observer }
    }

    /// Ends the change's backend, as an administrator would.
    pub async fn terminate(&self) {
        let sql = "SELECT pg_terminate_backend($1)";
        // A backend that is gone already is what was wanted.
        let _ = self.observer.client().execute(sql, &[&self.change.pid()]).await;
    }

    /// Returns when the change's backend runs nothing any more.
    pub async fn idle(&self) {
        const POLL: Duration = Duration::from_millis(20);
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'";
        // A server that cannot be asked is left to the caller's own limit.
        while !self
            .observer
            .client()
            .query_one(sql, &[&self.change.pid()])
            .await
            .is_ok_and(|row| row.get::<_, i64>(0) == 0)
        {
            tokio::time::sleep(POLL).await;
        }
    }

    async fn see(&self) -> Result<Sight, tokio_postgres::Error> {
        let locks = self.observer.client().query(LOCKS, &[&self.change.pid()]).await?;
        let settings = self.change.client().query_one(SETTINGS, &[]).await?;
        let relations = self.change.client().query(RELATIONS, &[]).await?;
        Ok(Sight {
            lock_timeout_ms: millis(&settings, 0),
            statement_timeout_ms: millis(&settings, 1),
            idle_in_transaction_session_timeout_ms: millis(&settings, 2),
            wal_bytes: millis(&settings, 3),
            relations: relations.iter().map(relation).collect::<BTreeMap<_, _>>(),
            locks: locks.iter().filter_map(lock).collect(),
        })
    }
}

impl Probe for TwoSessions {
    async fn look(&mut self, transaction: TransactionStatus) -> Result<Option<Sight>, String> {
        match transaction {
            TransactionStatus::Idle | TransactionStatus::InTransaction => {}
            TransactionStatus::Failed | TransactionStatus::Gone => return Ok(None),
        }
        match self.see().await {
            Ok(sight) => Ok(Some(sight)),
            Err(_) if self.change.is_closed() => Ok(None),
            Err(error) => Err(server_error(&error).to_string()),
        }
    }
}

fn millis(row: &Row, index: usize) -> u64 {
    u64::try_from(row.get::<_, i64>(index)).unwrap_or(0)
}

fn relation(row: &Row) -> (u32, (String, u32)) {
    (row.get(0), (row.get(1), row.get(2)))
}

fn lock(row: &Row) -> Option<(u32, LockMode)> {
    Some((row.get(0), LockMode::parse(row.get(1))?))
}
