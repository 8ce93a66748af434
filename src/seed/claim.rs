//! A process's hold on a server: by an advisory lock that all its databases name, others see that
//! it lives.
//!
//! The name of a database says which lock that is, so a database is its process's from the moment
//! at which it exists; its label, which says who that is, comes a moment later.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Mutex;

use crate::connect::{Address, Session};
use crate::history::{Listener, Progress};

use super::Error;
use super::cache::{open, sweep_by, try_lock};
use super::names;

/// The hold. Dropped, the lock goes with its session, and what is left is without an owner.
pub struct Claim {
    server: Address,
    lock: i64,
    holder: Mutex<Session>,
    made: AtomicU32,
}

impl Claim {
    /// Sweeps what processes left that are gone, and takes a lock of this one's own.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn take(server: &Address, listener: &Listener) -> Result<Claim, Error> {
        let lock = i64::from_be_bytes(rand::random());
        let holder = open(server).await?;
        try_lock(&holder, lock).await?;
        let swept = sweep_by(&holder).await?;
        for database in swept.dropped {
            let sentence = format!("dropped {database}, which a process that is gone left");
            listener(Progress::Server(sentence));
        }
        for failed in swept.failed {
            listener(Progress::Note(format!("failed to {failed}")));
        }
        let (server, holder) = (server.clone(), Mutex::new(holder));
        Ok(Claim { server, lock, holder, made: AtomicU32::new(0) })
    }

    /// A name for a database that is about to be made; no other process makes one of it.
    pub fn name(&self) -> String {
        names::trial(self.lock, self.made.fetch_add(1, Ordering::Relaxed))
    }

    /// Takes the lock again where its session is gone: a server that crashed has ended it.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn renew(&self) -> Result<(), Error> {
        let mut holder = self.holder.lock().await;
        if holder.is_closed() {
            *holder = open(&self.server).await?;
            try_lock(&holder, self.lock).await?;
        }
        Ok(())
    }
}
