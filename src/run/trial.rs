//! One trial: baseline, change, recovery, rerun, checks, on a database in its starting state.

use std::path::Path;
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::clock::Micros;
use crate::connect::{Address, Session};
use crate::history::{
    Attempt, AttemptEnd, CatalogueSnapshot, Contents, Event, Listener, Phase, Progress, Recorder,
    Reference,
};
use crate::scenario::{Change, Ground, Scenario, Sizes};
use crate::schema::Fingerprint;
use crate::tap::Injection;
use crate::{disturb, drive, migrate, observe};

use super::state::Start;
use super::{Error, recovery};

/// Declared reads are read again this often.
const INVARIANT_INTERVAL: Duration = Duration::from_secs(1);

pub struct Setup<'a> {
    pub start: &'a Start,
    pub against: Against<'a>,
    pub place: &'a Place<'a>,
}

/// What the trial's end is compared with.
#[derive(Clone, Copy)]
pub enum Against<'a> {
    /// This is the reference state, or the only one.
    Nothing,
    /// What the reference state ended with.
    Reference(&'a Reference),
    /// From the reference state the change never came to its end.
    Missing,
}

/// Where a change is applied, and where that is recorded.
pub struct Place<'a> {
    /// The trial's own database, and how the change gets to it.
    pub address: &'a Address,
    pub change_address: &'a Address,
    pub recorder: &'a Recorder,
    pub listener: &'a Listener,
    /// Where the trial's history is kept.
    pub output: Option<&'a Path>,
}

impl Place<'_> {
    pub fn enter(&self, phase: Phase) {
        self.recorder.record(Event::Phase { phase });
        (self.listener)(Progress::Phase(phase));
    }

    /// Says how long the phase that has begun takes at most, for whoever shows progress.
    fn takes(&self, most_ms: u64, exactly: bool) {
        (self.listener)(Progress::PhaseLength { most: Micros::from_millis(most_ms), exactly });
    }

    /// Part of the measurement failed: the trial goes on, and cannot be called safe.
    pub fn failed(&self, stage: &str, error: &dyn std::error::Error) {
        let (stage, message) = (stage.to_owned(), error.to_string());
        self.recorder.record(Event::MeasurementFailed { stage, message });
    }

    /// Applies the change once.
    pub async fn apply(
        &self,
        change: &Change,
        (declared, sizes): (&Sizes, &Sizes),
        attempt: Attempt,
        faults: &[Injection],
    ) -> Result<AttemptEnd, Error> {
        let setup = migrate::Setup {
            address: self.address,
            change_address: self.change_address,
            change,
            declared,
            sizes,
            recorder: self.recorder,
            listener: self.listener,
            faults,
            output: self.output,
        };
        Ok(migrate::apply(&setup, attempt).await?)
    }

    pub async fn snapshot(
        &self,
        change: &Change,
        after: Option<Attempt>,
    ) -> Result<Fingerprint, Error> {
        let none = Default::default();
        let session = Session::open(self.address, "pgauntlet observe", &none).await?;
        let fingerprint = observe::fingerprint(&session).await?;
        let versions = migrate::versions(&session, change).await?;
        let objects = fingerprint.objects.clone();
        let snapshot = CatalogueSnapshot { after, objects, versions };
        self.recorder.record(Event::Catalogue(snapshot));
        Ok(fingerprint)
    }
}

impl Setup<'_> {
    fn scenario(&self) -> &Scenario {
        &self.start.scenario
    }

    async fn apply(&self, attempt: Attempt) -> Result<AttemptEnd, Error> {
        let declared = self.scenario().declared_sizes();
        let sizes = (&declared, &self.start.sizes);
        self.place.apply(&self.scenario().change, sizes, attempt, &[]).await
    }

    async fn apply_and_look(&self, attempt: Attempt) -> Result<AttemptEnd, Error> {
        let end = self.apply(attempt).await?;
        self.place.snapshot(&self.scenario().change, Some(attempt)).await?;
        Ok(end)
    }

    /// Applies the change for the first time, by as many runners at once as the scenario says.
    async fn apply_first(&self) -> Result<Vec<AttemptEnd>, Error> {
        let runners = self.scenario().change.runners;
        let ends = try_join_all((0..runners).map(|runner| self.apply(runner))).await?;
        for runner in 0..runners {
            self.place.snapshot(&self.scenario().change, Some(runner)).await?;
        }
        Ok(ends)
    }
}

/// Runs the trial; what it saw is in the recorder.
pub async fn run(setup: &Setup<'_>) -> Result<(), Error> {
    let place = setup.place;
    match setup.against {
        Against::Nothing => {}
        Against::Reference(reference) => {
            place.recorder.record(Event::Reference(reference.clone()));
        }
        Against::Missing => {
            let stage = "comparing with the reference state".to_owned();
            let message = "from there the change never came to its end".to_owned();
            place.recorder.record(Event::MeasurementFailed { stage, message });
        }
    }
    control(place).await;
    migrate::prepare(place.address, &setup.scenario().change).await?;
    place.snapshot(&setup.scenario().change, None).await?;
    let sampling =
        observe::sample(place.address, place.recorder, observe::INTERVAL, place.listener).await?;
    let last = match setup.start.state.from {
        Ground::Base => beside_the_application(setup).await?,
        Ground::Empty => alone(setup).await?,
    };
    if let Err(error) = sampling.stop().await {
        place.failed("sampling the lock table", &error);
    }
    if let Some(finished) = last {
        rerun_in_peace(setup, finished).await?;
    }
    let (scenario, sizes) = (setup.scenario(), &setup.start.sizes);
    let read = observe::read_once(place.address, scenario, sizes, place.recorder, true).await;
    if let Err(error) = read {
        place.failed("reading the invariants", &error);
    }
    control(place).await;
    place.enter(Phase::End);
    Ok(())
}

/// What this machine is good for just now. Without it the trial still says whether the change is
/// safe; it cannot be compared with another one.
async fn control(place: &Place<'_>) {
    if let Err(error) = observe::control(place.address, place.recorder).await {
        (place.listener)(Progress::Note(format!("failed to {error}")));
    }
}

/// Gives the last attempt, where one has finished.
async fn beside_the_application(setup: &Setup<'_>) -> Result<Option<Attempt>, Error> {
    let Place { address, recorder, listener, .. } = *setup.place;
    let (scenario, sizes) = (setup.scenario(), &setup.start.sizes);
    let invariants =
        observe::watch_invariants(address, scenario, sizes, recorder, INVARIANT_INTERVAL).await?;
    let driving =
        drive::start(drive::Setup { address, scenario, sizes, recorder, listener }).await?;
    let last = under_traffic(setup, &driving, &invariants).await?;
    let stopped = driving.stop().await;
    if let Err(error) = invariants.stop().await {
        setup.place.failed("reading the invariants", &error);
    }
    setup.place.enter(Phase::Checks);
    match stopped.ledger.check(address, scenario).await {
        Ok(report) => recorder.record(Event::Ledger(report)),
        Err(error) => setup.place.failed("comparing the ledger with the tables", &error),
    }
    Ok(last)
}

/// The phases in which the application runs.
async fn under_traffic(
    setup: &Setup<'_>,
    driving: &drive::Driving,
    invariants: &observe::Invariants,
) -> Result<Option<Attempt>, Error> {
    let place = setup.place;
    let traffic = &setup.scenario().traffic;
    place.enter(Phase::Baseline);
    place.takes(traffic.baseline_ms, true);
    tokio::time::sleep(Duration::from_millis(traffic.baseline_ms)).await;
    let baseline = driving.quantile_since(Micros::ZERO, 0.99).unwrap_or_default();
    let disturbances = &setup.scenario().disturbances;
    let mut disturbing = disturb::start(place.address, disturbances, place.recorder).await?;
    place.enter(Phase::Change);
    place.takes(setup.scenario().change.deadline_ms, false);
    disturbing.begin_countdown();
    let ends = setup.apply_first().await?;
    // The newer release of the application comes out when the change is there.
    if ends.iter().any(finished) {
        invariants.change_is_over();
    }
    place.enter(Phase::Recovery);
    place.takes(traffic.recovery_max_ms, false);
    recovery::wait(driving, place.recorder, traffic, baseline).await;
    disturbing.ended().await;
    place.enter(Phase::Rerun);
    let last = rerun(setup, &ends).await?;
    invariants.change_is_over();
    Ok(last)
}

fn finished(end: &AttemptEnd) -> bool {
    matches!(end, AttemptEnd::Finished { .. })
}

/// On a database without tables there is no application.
async fn alone(setup: &Setup<'_>) -> Result<Option<Attempt>, Error> {
    setup.place.enter(Phase::Change);
    let ends = setup.apply_first().await?;
    setup.place.enter(Phase::Rerun);
    let last = rerun(setup, &ends).await?;
    setup.place.enter(Phase::Checks);
    Ok(last)
}

/// Applies the change again until an attempt succeeds, and once more: a finished change that is
/// applied again changes nothing. Gives the last attempt, where one has finished.
async fn rerun(setup: &Setup<'_>, first: &[AttemptEnd]) -> Result<Option<Attempt>, Error> {
    let runners = setup.scenario().change.runners;
    let mut done = first.iter().any(finished);
    let mut attempts = runners..runners + setup.scenario().change.rerun_attempts;
    let was_done = done;
    for attempt in attempts.by_ref() {
        let again = finished(&setup.apply_and_look(attempt).await?);
        if done {
            return Ok(Some(attempt));
        }
        done = again;
    }
    if done && !was_done {
        setup.apply_and_look(attempts.end).await?;
        return Ok(Some(attempts.end));
    }
    Ok(done.then(|| attempts.end.saturating_sub(1)))
}

/// Applies the finished change once more while nobody writes: no row may change.
async fn rerun_in_peace(setup: &Setup<'_>, last: Attempt) -> Result<(), Error> {
    let place = setup.place;
    let contents = async |after| {
        let tables = observe::contents(place.address, &|_| true, &[]).await?;
        place.recorder.record(Event::Contents(Contents { after: Some(after), tables }));
        Ok::<(), observe::Error>(())
    };
    if let Err(error) = contents(last).await {
        place.failed("reading what is in the tables", &error);
        return Ok(());
    }
    setup.apply_and_look(last + 1).await?;
    if let Err(error) = contents(last + 1).await {
        place.failed("reading what is in the tables", &error);
    }
    Ok(())
}
