//! A change applied once to a database without an application: what a base makes, and which tables
//! a change is about.

use crate::clock::Clock;
use crate::connect::Address;
use crate::history::{AttemptEnd, CatalogueSnapshot, Event, History, Listener, Recorder};
use crate::migrate::ApplySetup;
use crate::scenario::{Change, Sizes};

use super::super::Error;
use super::super::effects::Effects;

/// How a change ended that was applied once, and what was seen of it.
pub(super) struct Rehearsal {
    pub end: AttemptEnd,
    pub history: History,
}

impl Rehearsal {
    /// Applies the change through the tap, as the user that connects.
    pub async fn of(
        effects: &dyn Effects,
        (address, change_address): (&Address, &Address),
        change: &Change,
        listener: &Listener,
    ) -> Result<Rehearsal, Error> {
        let recorder = Recorder::in_memory(Clock::start());
        let sizes = Sizes::default();
        let snapshot = async |after| {
            let catalogue = effects.catalogue(address, change).await?;
            let objects = catalogue.fingerprint.objects;
            let versions = catalogue.versions;
            recorder.record(Event::Catalogue(CatalogueSnapshot { after, objects, versions }));
            Ok::<(), Error>(())
        };
        effects.prepare(address, change).await?;
        snapshot(None).await?;
        let setup = ApplySetup {
            address,
            change_address,
            change,
            declared: &sizes,
            sizes: &sizes,
            recorder: &recorder,
            listener,
            faults: &[],
            pooled: None,
            output: None,
        };
        let end = effects.apply(&setup, 0).await?;
        snapshot(Some(0)).await?;
        Ok(Rehearsal { end, history: recorder.finish()? })
    }

    /// Why it did not come to its end; None: it did. What a command printed last goes with it.
    pub fn failure(&self) -> Option<String> {
        let failure = match &self.end {
            AttemptEnd::Finished { .. } => return None,
            AttemptEnd::Failed { error, .. } => error.to_string(),
            AttemptEnd::DeadlineExceeded => "it takes longer than its deadline".to_owned(),
            _ => "it was ended".to_owned(),
        };
        let printed = self.history.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::CommandEnded(ended) => Some(ended.output.as_str()),
            _ => None,
        });
        let last = printed.unwrap_or_default().trim().lines().rev().take(OUTPUT_LINES);
        let last: Vec<&str> = last.collect();
        let output: String = last.iter().rev().map(|line| format!("\n  {line}")).collect();
        Some(format!("{failure}{output}"))
    }
}

/// Of a command's output, the last lines.
const OUTPUT_LINES: usize = 8;
