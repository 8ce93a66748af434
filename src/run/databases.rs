//! The databases that a run has made and not dropped yet.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::connect::Address;
use crate::provision;

use super::Error;
use super::effects::Effects;

#[derive(Default)]
pub struct Databases(Mutex<BTreeSet<String>>);

impl Databases {
    /// A name for a database that is about to be made. Two machines may use one server, and a
    /// killed process may have left a database behind.
    pub fn name(&self) -> String {
        let (prefix, pid) = (provision::TRIAL_DATABASE_PREFIX, std::process::id());
        let name = format!("{prefix}{pid}_{:08x}", rand::random::<u32>());
        self.with(|names| names.insert(name.clone()));
        name
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
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
