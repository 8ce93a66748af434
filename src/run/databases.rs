//! The databases that a run has made and not dropped yet.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::connect::Address;

use super::Error;
use super::effects::{Claim, Effects};

pub struct Databases {
    claim: Box<dyn Claim>,
    names: Mutex<BTreeSet<String>>,
}

impl Databases {
    pub fn of(claim: Box<dyn Claim>) -> Databases {
        Databases { claim, names: Mutex::default() }
    }

    /// A name for a database that is about to be made.
    pub fn name(&self) -> String {
        let name = self.claim.name();
        self.with(|names| names.insert(name.clone()));
        name
    }

    /// How often the server has crashed, or was stopped, so far.
    pub async fn crashes(&self) -> u32 {
        self.claim.losses().await
    }

    /// Before a database is made: others take what is not claimed for left behind.
    pub async fn renew(&self, server: &Address) -> Result<(), Error> {
        self.claim.renew(server).await
    }

    pub async fn drop(
        &self,
        effects: &dyn Effects,
        server: &Address,
        name: &str,
    ) -> Result<(), Error> {
        effects.drop(server, name).await?;
        self.with(|names| names.remove(name));
        Ok(())
    }

    /// Drops what is left, as far as that goes.
    pub async fn drop_all(&self, effects: &dyn Effects, server: &Address) {
        for name in self.with(std::mem::take) {
            // The next start's sweep finds what cannot be dropped now.
            let _ = effects.drop(server, &name).await;
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        act(&mut self.names.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
