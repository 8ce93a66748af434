//! The rate of a scenario that names a share of what its server carries: measured once, on a copy
//! of the seed, before the scenario's first trial.

use std::sync::{Mutex, PoisonError};

use futures_util::future::LocalBoxFuture;

use crate::history::{Progress, silent};
use crate::provision::Server;
use crate::scenario::{Rate, Scenario, StoredScenario};
use crate::stats::grouped;

use super::execute::{Order, Procedure, Stage};
use super::shared::Run;
use super::{Error, TrialSpec};

/// Drives the operations in a closed loop, without the change.
#[derive(Default)]
struct Calibration {
    /// Operations per second.
    capacity_per_s: Mutex<f64>,
}

impl Procedure for Calibration {
    fn run<'a>(&'a self, stage: &'a Stage<'a>) -> LocalBoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let found = stage.effects.capacity(stage.at, stage.spec).await?;
            *self.capacity_per_s.lock().unwrap_or_else(PoisonError::into_inner) = found;
            Ok(())
        })
    }
}

impl Run<'_> {
    /// The trials, with a rate in operations per second. All trials of a scenario have the same
    /// one, and the stored scenario has it too: a trial that is run again is the same trial.
    pub async fn rated(
        &self,
        server: &mut dyn Server,
        specs: &[TrialSpec],
    ) -> Result<Vec<TrialSpec>, Error> {
        let mut specs = specs.to_vec();
        let is_open =
            |spec: &&TrialSpec| matches!(spec.scenario.traffic.rate, Rate::CapacityShare(_));
        let Some(first) = specs.iter().find(is_open) else { return Ok(specs) };
        let name = first.scenario.name.clone();
        let known = self.rates.lock().unwrap_or_else(PoisonError::into_inner).get(&name).copied();
        let per_s = match known {
            Some(per_s) => per_s,
            None => {
                let per_s = self.calibrate(server, &specs).await?;
                self.keep_rate(name, per_s)?;
                per_s
            }
        };
        specs.iter_mut().for_each(|spec| spec.scenario.traffic.rate = Rate::PerS(per_s));
        Ok(specs)
    }

    fn keep_rate(&self, name: String, per_s: f64) -> Result<(), Error> {
        self.keep(|result| {
            if let Some(stored) = result.scenarios.get_mut(&name) {
                let mut scenario = Scenario::from(stored.clone());
                scenario.traffic.rate = Rate::PerS(per_s);
                *stored = StoredScenario::from(&scenario);
            }
        })?;
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).insert(name, per_s);
        Ok(())
    }

    async fn calibrate(&self, server: &mut dyn Server, specs: &[TrialSpec]) -> Result<f64, Error> {
        let drives = |spec: &&TrialSpec| {
            !spec.is_empty_database() && !spec.scenario.traffic.operations.is_empty()
        };
        let Some(spec) = specs.iter().find(drives) else {
            return Ok(specs.first().map_or(0.0, |spec| spec.scenario.traffic.rate.on(0.0)));
        };
        server.apply_settings(&spec.scenario.server).await?;
        let executor = self.executor(server);
        let origin = self.effects.origin(executor.server, spec, self.listener).await?;
        (self.listener)(Progress::SeedStep("measure what the server carries".to_owned()));
        let listener = silent();
        let order = Order {
            spec,
            origin: &origin,
            short: origin.short(),
            listener: &listener,
            output: None,
            standby: None,
        };
        let calibration = Calibration::default();
        executor.execute(order, &calibration).await?;
        let capacity = *calibration.capacity_per_s.lock().unwrap_or_else(PoisonError::into_inner);
        let per_s = spec.scenario.traffic.rate.on(capacity);
        (self.listener)(Progress::Note(format!(
            "{per_s} operations per second: the idle server carries {} of {}",
            grouped(capacity as u64),
            spec.scenario.name,
        )));
        Ok(per_s)
    }
}
