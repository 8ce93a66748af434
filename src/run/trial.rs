//! One trial: baseline, change, recovery, rerun, checks, on a copy of the seeded database.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::clock::Micros;
use crate::connect::{Address, Session};
use crate::history::{
    Attempt, AttemptEnd, CatalogueSnapshot, Event, Listener, Phase, Progress, Recorder,
};
use crate::scenario::{Scenario, Sizes};
use crate::{disturb, drive, migrate, observe};

use super::{Error, recovery};

/// Declared reads are read again this often.
const INVARIANT_INTERVAL: Duration = Duration::from_secs(1);

pub struct Setup<'a> {
    pub scenario: &'a Scenario,
    pub sizes: &'a Sizes,
    /// The trial's own database, and how the change gets to it.
    pub address: &'a Address,
    pub change_address: &'a Address,
    pub recorder: &'a Recorder,
    pub listener: &'a Listener,
    /// Where the trial's history is kept.
    pub output: Option<&'a Path>,
}

impl Setup<'_> {
    fn enter(&self, phase: Phase) {
        self.recorder.record(Event::Phase { phase });
        (self.listener)(Progress::Phase(phase));
    }

    /// Part of the measurement failed: the trial goes on, and cannot be called safe.
    fn failed(&self, stage: &str, error: &dyn std::error::Error) {
        let (stage, message) = (stage.to_owned(), error.to_string());
        self.recorder.record(Event::MeasurementFailed { stage, message });
    }

    async fn apply(&self, attempt: Attempt) -> Result<AttemptEnd, Error> {
        let declared = self.scenario.declared_sizes();
        let setup = migrate::Setup {
            address: self.address,
            change_address: self.change_address,
            change: &self.scenario.change,
            declared: &declared,
            sizes: self.sizes,
            recorder: self.recorder,
            listener: self.listener,
            faults: &[],
            output: self.output,
        };
        let end = migrate::apply(&setup, attempt).await?;
        self.snapshot(Some(attempt)).await?;
        Ok(end)
    }

    async fn snapshot(&self, after: Option<Attempt>) -> Result<(), Error> {
        let none = BTreeMap::new();
        let session = Session::open(self.address, "pgauntlet observe", &none).await?;
        let fingerprint = observe::fingerprint(&session).await?;
        let versions = migrate::versions(&session, &self.scenario.change).await?;
        let objects = fingerprint.objects;
        let snapshot = CatalogueSnapshot { after, objects, versions };
        self.recorder.record(Event::Catalogue(snapshot));
        Ok(())
    }
}

/// Runs the trial; what it saw is in the recorder.
pub async fn run(setup: &Setup<'_>) -> Result<(), Error> {
    let Setup { scenario, sizes, address, recorder, listener, .. } = setup;
    migrate::prepare(address, &scenario.change).await?;
    setup.snapshot(None).await?;
    let sampling = observe::sample(address, recorder, observe::INTERVAL).await?;
    let invariants =
        observe::watch_invariants(address, scenario, sizes, recorder, INVARIANT_INTERVAL).await?;
    let driving =
        drive::start(drive::Setup { address, scenario, sizes, recorder, listener }).await?;
    under_traffic(setup, &driving, &invariants).await?;
    let stopped = driving.stop().await;
    if let Err(error) = invariants.stop().await {
        setup.failed("reading the invariants", &error);
    }
    if let Err(error) = sampling.stop().await {
        setup.failed("sampling the lock table", &error);
    }
    setup.enter(Phase::Checks);
    match stopped.ledger.check(address, scenario).await {
        Ok(report) => recorder.record(Event::Ledger(report)),
        Err(error) => setup.failed("comparing the ledger with the tables", &error),
    }
    if let Err(error) = observe::read_once(address, scenario, sizes, recorder, true).await {
        setup.failed("reading the invariants", &error);
    }
    setup.enter(Phase::End);
    Ok(())
}

/// The phases in which the application runs.
async fn under_traffic(
    setup: &Setup<'_>,
    driving: &drive::Driving,
    invariants: &observe::Invariants,
) -> Result<(), Error> {
    let traffic = &setup.scenario.traffic;
    setup.enter(Phase::Baseline);
    tokio::time::sleep(Duration::from_millis(traffic.baseline_ms)).await;
    let baseline = driving.quantile_since(Micros::ZERO, 0.99).unwrap_or_default();
    let disturbances = &setup.scenario.disturbances;
    let mut disturbing = disturb::start(setup.address, disturbances, setup.recorder).await?;
    setup.enter(Phase::Change);
    disturbing.begin_countdown();
    let end = setup.apply(0).await?;
    setup.enter(Phase::Recovery);
    invariants.change_is_over();
    recovery::wait(driving, setup.recorder, traffic, baseline).await;
    disturbing.ended().await;
    setup.enter(Phase::Rerun);
    rerun(setup, &end).await
}

/// Applies the change again until an attempt succeeds, and once more: a finished change that is
/// applied again changes nothing.
async fn rerun(setup: &Setup<'_>, first: &AttemptEnd) -> Result<(), Error> {
    let finished = |end: &AttemptEnd| matches!(end, AttemptEnd::Finished { .. });
    let mut done = finished(first);
    let attempts = setup.scenario.change.rerun_attempts;
    for attempt in 1..=attempts {
        let again = finished(&setup.apply(attempt).await?);
        if done {
            return Ok(());
        }
        done = again;
    }
    if done && !finished(first) {
        setup.apply(attempts + 1).await?;
    }
    Ok(())
}
