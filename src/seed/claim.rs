//! A process's hold on a server: by an advisory lock that all its databases name, others see that
//! it lives.
//!
//! The name of a database says which lock that is, so a database is its process's from the moment
//! at which it exists; its label, which says who that is, comes a moment later.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::connect::{Address, Session};
use crate::history::{Listener, Progress};

use super::Error;
use super::cache::{open, sweep_by, try_lock};
use super::names;

/// Longest wait for a server that crashed to let sessions in again.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(60);
/// How often such a server is asked.
const RECOVERY_POLL: Duration = Duration::from_millis(200);

/// A session as soon as the server lets one in.
async fn recovered(server: &Address) -> Result<Session, Error> {
    let begun = Instant::now();
    loop {
        match open(server).await {
            Err(_) if begun.elapsed() < RECOVERY_TIMEOUT => {
                tokio::time::sleep(RECOVERY_POLL).await;
            }
            opened => return opened,
        }
    }
}

/// The hold. Dropped, the lock goes with its session, and what is left is without an owner.
pub struct Claim {
    lock: i64,
    holder: Mutex<Session>,
    made: AtomicU32,
    /// Times that the lock was taken again.
    renewed: AtomicU32,
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
        let holder = Mutex::new(holder);
        Ok(Claim { lock, holder, made: AtomicU32::new(0), renewed: AtomicU32::new(0) })
    }

    /// A name for a database that is about to be made; no other process makes one of it.
    pub fn name(&self) -> String {
        names::trial(self.lock, self.made.fetch_add(1, Ordering::Relaxed))
    }

    /// How often the server has ended the claim's session, as one does that crashes or is stopped.
    pub async fn losses(&self) -> u32 {
        let is_lost = self.holder.lock().await.is_closed();
        self.renewed.load(Ordering::Relaxed) + u32::from(is_lost)
    }

    /// Takes the lock again where its session is gone: a server that crashed, or was started with
    /// other settings, has ended it. It may be at another address than before.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn renew(&self, server: &Address) -> Result<(), Error> {
        let mut holder = self.holder.lock().await;
        if holder.is_closed() {
            *holder = recovered(server).await?;
            try_lock(&holder, self.lock).await?;
            self.renewed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
