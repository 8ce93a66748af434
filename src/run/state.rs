//! Brings a database into a trial's starting state.

use crate::clock::Clock;
use crate::connect::Address;
use crate::history::{AttemptEnd, Event, Listener, Progress, Recorder};
use crate::migrate;

use super::effects::Effects;
use super::{Error, TrialSpec};

/// Applies the state's path, where it has one. Nothing goes on around it, and what it does is not
/// recorded.
pub async fn walk(
    effects: &dyn Effects,
    spec: &TrialSpec,
    (address, change_address): (&Address, &Address),
    listener: &Listener,
) -> Result<(), Error> {
    let Some(path) = &spec.state.path else { return Ok(()) };
    let name = &spec.state.name;
    listener(Progress::SeedStep(format!("bring the database into the state {name}")));
    let recorder = Recorder::in_memory(Clock::start());
    let declared = spec.scenario.declared_sizes();
    effects.prepare(change_address, path).await?;
    let setup = migrate::ApplySetup {
        address,
        change_address,
        change: path,
        declared: &declared,
        sizes: &spec.sizes,
        recorder: &recorder,
        listener,
        faults: &[],
        pooled: None,
        output: None,
    };
    let end = effects.apply(&setup, 0).await?;
    let printed = last_words(&recorder)?;
    let why = match (&end, &path.stop) {
        (AttemptEnd::Finished { .. }, None) | (AttemptEnd::Stopped, Some(_)) => return Ok(()),
        (AttemptEnd::Finished { .. }, Some(_)) => {
            "it came to its end before the statement at which it is to stop".to_owned()
        }
        (AttemptEnd::Failed { error, .. }, _) => format!("{error}{printed}"),
        (AttemptEnd::DeadlineExceeded, _) => "it took longer than its deadline".to_owned(),
        (AttemptEnd::Stopped | AttemptEnd::Killed, _) => "it was ended".to_owned(),
    };
    let (scenario, state) = (spec.scenario.name.clone(), spec.state.name.clone());
    Err(Error::State { scenario, state, why })
}

/// The last line that a command printed, as it follows its error.
fn last_words(recorder: &Recorder) -> Result<String, Error> {
    let history = recorder.finish()?;
    let output = history.entries.iter().rev().find_map(|entry| match &entry.event {
        Event::CommandEnded(ended) => Some(&ended.output),
        _ => None,
    });
    let last = output.and_then(|output| output.lines().rev().find(|line| !line.trim().is_empty()));
    Ok(last.map_or_else(String::new, |line| format!(" ({})", line.trim())))
}
