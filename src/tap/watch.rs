//! What the tap needs of the server, and who provides it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::history::Since;
use crate::pg::LockMode;

use super::fault::Action;
use super::rewritten::ProbedRelations;

/// A connection to the server, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection of either sort.
pub type BoxStream = Box<dyn Stream>;

/// The server behind the tap.
pub trait Upstream: Send + Sync {
    /// Opens a connection on which nothing has been said yet but what encryption takes.
    fn dial(&self) -> BoxFuture<'_, std::io::Result<BoxStream>>;
    /// Opens a session of our own, from which the change's backends are seen.
    fn watch(&self) -> BoxFuture<'_, Result<Arc<dyn Watch>, String>>;
}

/// Our own session beside the change's. Errors are sentences: the probe has failed, and what it
/// would have shown is unknown.
pub trait Watch: Send + Sync {
    /// Probes a backend, and reads the storage of these relations.
    fn probe(
        &self,
        pid: i32,
        relations: &ProbedRelations,
    ) -> BoxFuture<'_, Result<LockSnapshot, String>>;
    /// Since when the backend is there, as [`crate::history::SessionId`] has it; None: it is gone.
    fn since(&self, pid: i32) -> BoxFuture<'_, Result<Option<Since>, String>>;
    /// Cancels or terminates a backend if it is in the state that the action needs, in one step;
    /// returns whether it was. A backend that runs no statement is left alone, and so is every
    /// backend by an action of another sort.
    fn inject(&self, pid: i32, action: &Action) -> BoxFuture<'_, Result<bool, String>>;
    /// Calls `pg_cancel_backend`.
    fn cancel(&self, pid: i32) -> BoxFuture<'_, Result<(), String>>;
    /// Calls `pg_terminate_backend`.
    fn terminate(&self, pid: i32) -> BoxFuture<'_, Result<(), String>>;
    /// Locks a relation, named as a `regclass` is shown, in a transaction of a session of its own.
    /// An error says why the lock cannot be had now.
    fn block<'a>(
        &'a self,
        relation: &'a str,
        mode: LockMode,
    ) -> BoxFuture<'a, Result<Box<dyn Hold>, String>>;
}

/// A lock that is held until it is released or dropped.
pub trait Hold: Send {
    /// Others have the lock when this returns.
    fn release(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// What a second session sees of a backend at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockSnapshot {
    /// `pg_current_wal_insert_lsn()` as a byte position.
    pub wal_bytes: u64,
    /// Table-level locks granted to the backend on relations of users that others can see; a
    /// relation that its own transaction made blocks no session.
    pub locks: Vec<SeenLock>,
    /// Of the relations asked for that have storage and are no system's: oid to name and
    /// relfilenode.
    pub relations: BTreeMap<u32, (String, u32)>,
}

/// A lock that a backend holds on a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenLock {
    /// `pg_class.oid`.
    pub oid: u32,
    /// Qualified name.
    pub name: String,
    /// The table of an index.
    pub table: Option<String>,
    /// `pg_locks.mode`.
    pub mode: LockMode,
    /// As others see it: before the backend's transaction.
    pub filenode: u32,
}

impl SeenLock {
    /// The relation as its users know it: a key's index is its table.
    pub fn relation(&self) -> &str {
        self.table.as_deref().unwrap_or(&self.name)
    }
}
