//! One round: the application, the condition, and attempts until one gets through.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::clock::Micros;
use crate::history::{AttemptEnd, Phase};
use crate::scenario::RetryPolicy;

use super::super::execute::{OnFailure, Procedure, Stage};
use super::super::{Error, recovery};

/// Enough for the application to be under way.
const BASELINE: Duration = Duration::from_millis(700);
/// Longest time that is waited for the application to be back.
const RECOVERY_MAX_MS: u64 = 3_000;

/// A round of a policy.
pub(super) struct Round<'p> {
    pub policy: &'p RetryPolicy,
    /// From 1; with the rng_seed it decides the draws.
    pub number: u32,
}

impl Procedure for Round<'_> {
    fn run<'a>(&'a self, stage: &'a Stage<'a>) -> LocalBoxFuture<'a, Result<(), Error>> {
        Box::pin(self.phases(stage))
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Record
    }
}

impl Round<'_> {
    async fn phases(&self, stage: &Stage<'_>) -> Result<(), Error> {
        stage.prepare().await?;
        let sampling = stage.effects.sample(stage.at).await?;
        let driving = stage.effects.drive(stage.at, stage.spec).await?;
        stage.enter(Phase::Baseline);
        tokio::time::sleep(BASELINE).await;
        let baseline = driving.quantile_since(Micros::ZERO, 0.99).unwrap_or_default();
        let disturbances = &stage.spec.scenario.disturbances;
        let mut disturbing = stage.effects.disturb(stage.at, disturbances).await?;
        stage.enter(Phase::Change);
        disturbing.begin_countdown();
        self.attempts(stage).await?;
        disturbing.change_is_over();
        stage.enter(Phase::Recovery);
        let mut traffic = stage.spec.scenario.traffic.clone();
        (traffic.recovery_min_ms, traffic.recovery_max_ms) = (0, RECOVERY_MAX_MS);
        recovery::wait(&*driving, stage.recorder(), &traffic, baseline).await;
        disturbing.ended().await;
        let ledger = driving.stop().await;
        stage.enter(Phase::Checks);
        stage.check(&ledger).await;
        if let Err(error) = sampling.stop().await {
            stage.failed("sampling the lock table", &error);
        }
        stage.enter(Phase::End);
        Ok(())
    }

    async fn attempts(&self, stage: &Stage<'_>) -> Result<(), Error> {
        let seed = stage.spec.scenario.rng_seed.wrapping_add(u64::from(self.number) << 32);
        let mut draws = ChaCha8Rng::seed_from_u64(seed);
        for attempt in 0..self.policy.attempts {
            if attempt > 0 {
                let draw = draws.random_range(-1.0..=1.0);
                tokio::time::sleep(self.policy.pause(attempt, draw)).await;
            }
            let sizes = stage.spec.scenario.declared_sizes();
            match stage.apply(&sizes, attempt, &[]).await? {
                AttemptEnd::Failed { error, .. } if error.is_one_of(&RetryPolicy::TRIED_AFTER) => {}
                // A command's own words are not to be read for a reason: it may be this one.
                AttemptEnd::Failed { .. } if stage.spec.scenario.change.command.is_some() => {}
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}
