//! The phases of a full trial: baseline, change, recovery, rerun, checks.

use std::time::Duration;

use futures_util::future::{LocalBoxFuture, try_join_all};

use crate::clock::Micros;
use crate::history::{Attempt, AttemptEnd, Entry, Event, Phase, Progress, Source};
use crate::pg::purpose::keeps_versions;
use crate::scenario::Scenario;

use super::contents::{self, may_write};
use super::effects::{Invariants, States, Traffic};
use super::execute::{Procedure, Stage};
use super::{Error, recovery};

/// The change beside the application, from the baseline to the checks.
pub struct FullTrial;

impl Procedure for FullTrial {
    fn run<'a>(&'a self, stage: &'a Stage<'a>) -> LocalBoxFuture<'a, Result<(), Error>> {
        Box::pin(Phases(stage).all())
    }

    fn compares(&self) -> bool {
        true
    }
}

/// What fails where tables cannot be read around a rerun.
const READING: &str = "reading what is in the tables";

struct Phases<'a>(&'a Stage<'a>);

impl Phases<'_> {
    fn scenario(&self) -> &Scenario {
        &self.0.spec.scenario
    }

    async fn all(self) -> Result<(), Error> {
        let stage = self.0;
        self.control().await;
        stage.prepare().await?;
        stage.snapshot(None).await?;
        let before = stage.states(None).await?;
        let sampling = stage.effects.sample(stage.at).await?;
        let last = match stage.spec.is_empty_database() {
            false => self.beside_the_application(&before).await?,
            true => self.alone().await?,
        };
        if let Err(error) = sampling.stop().await {
            stage.failed("sampling the lock table", &error);
        }
        if let Some(finished) = last {
            self.rerun_undisturbed(finished).await?;
        }
        if let Err(error) = stage.effects.read_invariants(stage.at, stage.spec, true).await {
            stage.failed("reading the invariants", &error);
        }
        self.control().await;
        stage.enter(Phase::End);
        Ok(())
    }

    /// Tells a live view how long the phase that has begun takes at most.
    fn takes(&self, most_ms: u64, exactly: bool) {
        let most = Micros::from_millis(most_ms);
        (self.0.at.listener)(Progress::PhaseLength { most, exactly });
    }

    /// What this machine is good for just now. Without it the trial still says whether the change
    /// is safe; it cannot be compared with another one.
    async fn control(&self) {
        if let Err(error) = self.0.effects.control(self.0.at).await {
            (self.0.at.listener)(Progress::Note(format!("failed to {error}")));
        }
    }

    async fn apply(&self, attempt: Attempt) -> Result<AttemptEnd, Error> {
        self.0.apply(&self.scenario().declared_sizes(), attempt, &[]).await
    }

    async fn apply_and_snapshot(&self, attempt: Attempt) -> Result<AttemptEnd, Error> {
        let end = self.apply(attempt).await?;
        self.0.snapshot(Some(attempt)).await?;
        Ok(end)
    }

    /// Applies the change for the first time, by as many runners at once as the scenario says.
    async fn apply_first(&self) -> Result<Vec<AttemptEnd>, Error> {
        let runners = self.scenario().change.runners;
        let ends = try_join_all((0..runners).map(|runner| self.apply(runner))).await?;
        for runner in 0..runners {
            self.0.snapshot(Some(runner)).await?;
        }
        Ok(ends)
    }

    /// Returns the last attempt, where one has finished.
    async fn beside_the_application(&self, before: &States) -> Result<Option<Attempt>, Error> {
        let stage = self.0;
        let invariants = stage.effects.watch_invariants(stage.at, stage.spec).await?;
        let driving = stage.effects.drive(stage.at, stage.spec).await?;
        let last = self.under_traffic(&*driving, &*invariants).await;
        let ledger = driving.stop().await;
        if let Err(error) = invariants.stop().await {
            stage.failed("reading the invariants", &error);
        }
        stage.enter(Phase::Checks);
        // What was acknowledged is there whatever went wrong, a crash of the server too.
        stage.check(&ledger).await;
        if let Ok(last) = &last
            && let Err(error) = contents::compare(stage, before, last.unwrap_or(0), &ledger).await
        {
            stage.failed(contents::STAGE, &error);
        }
        if last.is_ok()
            && let Err(error) = contents::answers(stage).await
        {
            stage.failed(contents::ANSWERS, &error);
        }
        last
    }

    /// The phases in which the application runs.
    async fn under_traffic(
        &self,
        driving: &dyn Traffic,
        invariants: &dyn Invariants,
    ) -> Result<Option<Attempt>, Error> {
        let stage = self.0;
        let traffic = &self.scenario().traffic;
        stage.enter(Phase::Baseline);
        self.takes(traffic.baseline_ms, true);
        tokio::time::sleep(Duration::from_millis(traffic.baseline_ms)).await;
        let baseline = driving.quantile_since(Micros::ZERO, 0.99).unwrap_or_default();
        let disturbances = &self.scenario().disturbances;
        let mut disturbing = stage.effects.disturb(stage.at, disturbances).await?;
        stage.enter(Phase::Change);
        self.takes(self.scenario().change.deadline_ms, false);
        disturbing.begin_countdown();
        let ends = self.apply_first().await?;
        disturbing.change_is_over();
        // The newer release of the application comes out when the change is there.
        if ends.iter().any(finished) {
            invariants.change_is_over();
        }
        stage.enter(Phase::Recovery);
        self.takes(traffic.recovery_max_ms, false);
        recovery::wait(driving, stage.recorder(), traffic, baseline).await;
        self.replayed().await;
        disturbing.ended().await;
        stage.enter(Phase::Rerun);
        disturbing.rerun_begins().await?;
        let watch = async || {
            invariants.change_is_over();
            self.takes(traffic.recovery_max_ms, false);
            recovery::wait(driving, stage.recorder(), traffic, baseline).await;
        };
        let last = self.rerun(&ends, watch).await?;
        disturbing.ended().await;
        invariants.change_is_over();
        Ok(last)
    }

    /// What the change wrote has to come to the standby's readers while they are watched. The
    /// judge sees in the samples where it does not.
    async fn replayed(&self) {
        let Some(replica) = self.0.at.replica else { return };
        let limit = Duration::from_millis(self.scenario().traffic.recovery_max_ms);
        let caught_up = self.0.effects.caught_up(self.0.at.address, &replica.address, limit);
        let _ = caught_up.await;
    }

    /// On a database without tables there is no application.
    async fn alone(&self) -> Result<Option<Attempt>, Error> {
        self.0.enter(Phase::Change);
        let ends = self.apply_first().await?;
        self.0.enter(Phase::Rerun);
        let last = self.rerun(&ends, async || {}).await?;
        self.0.enter(Phase::Checks);
        Ok(last)
    }

    /// Applies the change again until an attempt succeeds, and once more: a finished change that is
    /// applied again changes nothing. The first success that comes only now is watched as long as
    /// one at once would have been. Returns the last attempt, where one has finished and the change
    /// is one to be applied again.
    async fn rerun(
        &self,
        first: &[AttemptEnd],
        watch: impl AsyncFn(),
    ) -> Result<Option<Attempt>, Error> {
        let runners = self.scenario().change.runners;
        let mut attempts = runners..runners + self.scenario().change.rerun_attempts;
        let mut succeeded = first.iter().position(finished).and_then(|n| Attempt::try_from(n).ok());
        if succeeded.is_none() {
            for attempt in attempts.by_ref() {
                if finished(&self.apply_and_snapshot(attempt).await?) {
                    succeeded = Some(attempt);
                    watch().await;
                    break;
                }
            }
        }
        let Some(succeeded) = succeeded else { return Ok(None) };
        if !self.is_repeatable() {
            self.0.recorder().record(Event::RerunLeftOut { attempt: succeeded });
            return Ok(None);
        }
        let again = attempts.start;
        self.apply_and_snapshot(again).await?;
        Ok(Some(again))
    }

    /// Whether the finished change is to be applied again. A command that keeps no versions does
    /// its work once more each time, which says nothing of the change: `psql -f` adds the column
    /// again.
    fn is_repeatable(&self) -> bool {
        let change = &self.scenario().change;
        let keeps = |entry: &Entry| match &entry.event {
            Event::StatementBegan(began) => keeps_versions(&began.text),
            _ => false,
        };
        change.rerun.unwrap_or_else(|| {
            change.command.is_none() || change.versions.is_some() || self.0.recorder().any(keeps)
        })
    }

    /// Applies the finished change once more without other writes: no row may change. Where the
    /// attempt before has sent nothing that could change one, this one is not expected to, and no
    /// table is read for it.
    async fn rerun_undisturbed(&self, last: Attempt) -> Result<(), Error> {
        let stage = self.0;
        let contents = async |after| stage.contents(Some(after), &|_| true, &[]).await.map(|_| ());
        let expected = self.worked(last);
        if expected && let Err(error) = contents(last).await {
            stage.failed(READING, &error);
            return Ok(());
        }
        self.apply_and_snapshot(last + 1).await?;
        match expected {
            true => {
                if let Err(error) = contents(last + 1).await {
                    stage.failed(READING, &error);
                }
            }
            false if self.worked(last + 1) => {
                let message = "a rerun that had nothing to do is followed by one that works";
                let (stage_name, message) = (READING.to_owned(), message.to_owned());
                stage.record(Event::MeasurementFailed { stage: stage_name, message });
            }
            false => {}
        }
        Ok(())
    }

    /// Whether the attempt sent a statement that may change rows, as far as their texts show; the
    /// runner's own are about its versions.
    fn worked(&self, attempt: Attempt) -> bool {
        self.0.recorder().any(|entry| match &entry.event {
            Event::StatementBegan(began) if began.attempt == attempt => {
                began.source != Source::Runner && may_write(&began.text)
            }
            _ => false,
        })
    }
}

fn finished(end: &AttemptEnd) -> bool {
    matches!(end, AttemptEnd::Finished { .. })
}
