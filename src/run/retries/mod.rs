//! A retry policy under a condition: attempts until one gets through, several times, each time on a
//! fresh copy of a few rows.

mod locks_first;
mod procedure;

use crate::assess::{self, RetriesTried};
use crate::history::{Listener, Progress, silent};
use crate::judge;
use crate::provision::Server;
use crate::result::{LocksFirst, RetryOdds, RetryRound};

use super::Error;
use super::effects::Origin;
use super::execute::{Executor, Order};
use super::expand::{RetrySpec, TrialSpec};
use super::shared::Run;

use procedure::Round;

/// Directory of the rounds, below that of the scenario.
const DIRECTORY: &str = "retries";

/// Runs the rounds.
pub async fn retries(
    run: &Run<'_>,
    server: &mut dyn Server,
    spec: &RetrySpec,
) -> Result<RetryOdds, Error> {
    let rated = run.rated(server, std::slice::from_ref(&spec.base)).await?;
    let base = rated.first().unwrap_or(&spec.base);
    server.apply_settings(&base.scenario.server).await?;
    let executor = run.executor(server);
    let origin = run.effects.origin(executor.server, base, run.listener).await?;
    let on = Place { run, executor: &executor, origin: &origin, spec };
    let rounds = on.rounds(base, "").await?;
    let tried = RetriesTried {
        scenario: base.scenario.name.clone(),
        condition: spec.condition.clone(),
        server: executor.server.facts().major().map_or_else(String::new, |m| m.to_string()),
        policy: spec.policy.clone(),
        sizes: base.sizes.0.clone(),
        rate_per_s: base.scenario.traffic.rate.per_s(),
    };
    let mut odds = assess::retries(tried.clone(), rounds);
    if odds.deadlocked > 0
        && let Some((cured, statements)) = locks_first::locks_first(&base.scenario, &odds.rounds)
    {
        let cured = TrialSpec { scenario: cured, ..base.clone() };
        let of = assess::retries(tried, on.rounds(&cured, "-locks-first").await?);
        let (through, deadlocked, took_us) = (of.through, of.deadlocked, of.took_us);
        let of = of.of;
        odds.locks_first = Some(LocksFirst { statements, of, through, deadlocked, took_us });
    }
    Ok(odds)
}

/// Where rounds are run.
struct Place<'p> {
    run: &'p Run<'p>,
    executor: &'p Executor<'p>,
    origin: &'p Origin,
    spec: &'p RetrySpec,
}

impl Place<'_> {
    /// As many as are asked for. `kind`: what tells their directories from those of others.
    async fn rounds(&self, trial: &TrialSpec, kind: &str) -> Result<Vec<RetryRound>, Error> {
        let Place { run, executor, origin, spec } = self;
        let quiet: Listener = silent();
        let mut rounds = Vec::new();
        for number in 1..=spec.rounds {
            let output = run.out.map(|out| {
                let condition = if spec.condition.is_empty() { "calm" } else { &spec.condition };
                let round = format!("{condition}{kind}-{number:03}");
                out.join(&trial.scenario.name).join(DIRECTORY).join(round)
            });
            let order = Order {
                spec: trial,
                origin,
                short: origin.short(),
                listener: &quiet,
                output: output.as_deref(),
                standby: None,
            };
            let round = Round { policy: &spec.policy, number };
            let history = executor.execute(order, &round).await?;
            rounds.push(judge::retry_round(&trial.scenario, &history));
            let (done, of) = (number, spec.rounds);
            (run.listener)(Progress::Round { done, of, policy: spec.policy.to_string() });
        }
        Ok(rounds)
    }
}
