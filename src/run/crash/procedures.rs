//! The procedures of a crash matrix: left alone, left alone beside the application, with a fault.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use futures_util::future::LocalBoxFuture;

use crate::drive::Ledger;
use crate::history::{AttemptEnd, Event, Phase, Reference};
use crate::judge::crash::FeasibleFault;
use crate::observe;
use crate::tap::Injection;

use super::super::Error;
use super::super::effects::Traffic;
use super::super::execute::{OnFailure, Procedure, Stage};
use super::by_hand::by_hand;
use super::faults::injections;
use super::undisturbed::{Compared, Kept, may_write, unaccounted};

/// The change alone. Its history shows where faults can be injected.
pub struct Undisturbed;

impl Procedure for Undisturbed {
    fn run<'a>(&'a self, stage: &'a Stage<'a>) -> LocalBoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            stage.prepare().await?;
            stage.snapshot(None).await?;
            stage.contents(None, &|_| true, &[]).await?;
            stage.enter(Phase::Change);
            apply(stage, 0, &[]).await?;
            stage.enter(Phase::Checks);
            stage.contents(Some(0), &|_| true, &[]).await?;
            stage.enter(Phase::End);
            Ok(())
        })
    }
}

/// The change beside the application, which shows what of the tables follows from the change alone.
pub struct UndisturbedAgain<'k> {
    pub kept: &'k Kept,
    pub compared: Mutex<Compared>,
}

impl Procedure for UndisturbedAgain<'_> {
    fn run<'a>(&'a self, stage: &'a Stage<'a>) -> LocalBoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            stage.prepare().await?;
            stage.snapshot(None).await?;
            let driving = drive(stage).await?;
            stage.enter(Phase::Change);
            apply(stage, 0, &[]).await?;
            let (written, _) = settle(stage, driving).await;
            stage.enter(Phase::Checks);
            let here = stage.contents(Some(0), &|_| true, &written).await?;
            let there = stage.effects.contents(&self.kept.address, &|_| true, &written).await?;
            *self.compared.lock().unwrap_or_else(PoisonError::into_inner) =
                Compared::of(&here, &there);
            stage.enter(Phase::End);
            Ok(())
        })
    }
}

/// The change with a fault, then again as an operator would apply it: once, and where that fails
/// after each step by hand.
pub struct WithFault<'k> {
    pub fault: &'k FeasibleFault,
    pub kept: &'k Kept,
}

impl Procedure for WithFault<'_> {
    fn run<'a>(&'a self, stage: &'a Stage<'a>) -> LocalBoxFuture<'a, Result<(), Error>> {
        Box::pin(self.phases(stage))
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Record
    }
}

impl WithFault<'_> {
    async fn phases(&self, stage: &Stage<'_>) -> Result<(), Error> {
        stage.prepare().await?;
        let before = stage.snapshot(None).await?;
        if !stage.spec.is_empty_database() {
            stage.effects.read_invariants(stage.at, stage.spec, false).await?;
        }
        let driving = drive(stage).await?;
        stage.enter(Phase::Change);
        apply(stage, 0, &injections(self.fault)).await?;
        stage.enter(Phase::Rerun);
        let end = apply(stage, 1, &[]).await?;
        let (mut finished, mut last) = (matches!(end, AttemptEnd::Finished { .. }), 1);
        if !finished {
            let again = async |attempt| apply(stage, attempt, &[]).await;
            (finished, last) = by_hand(stage, &before, end, again).await?;
        }
        let written = settle(stage, driving).await;
        stage.enter(Phase::Checks);
        self.compare(stage, &written, last).await?;
        // The newer release of the application comes out when the change is there.
        stage.effects.read_invariants(stage.at, stage.spec, finished).await?;
        stage.enter(Phase::End);
        Ok(())
    }

    /// What is in the tables, here and where nothing was disturbed, both without the rows that the
    /// application wrote here.
    async fn compare(
        &self,
        stage: &Stage<'_>,
        (written, unknown): &Settled,
        last: u32,
    ) -> Result<(), Error> {
        let Compared { rows, digests } = &self.kept.compared;
        let unknown = unaccounted(&stage.spec.scenario, unknown);
        let comparable = |table: &str| rows.contains(table) && !may_write(&unknown, table);
        let digested = |table: &str| digests.contains(table);
        stage.contents(Some(last), &digested, written).await?;
        let address = &self.kept.address;
        let mut tables = stage.effects.contents(address, &digested, written).await?;
        tables.retain(|table, _| comparable(table));
        let reference = Reference { tables, grown: self.kept.grown(), ..self.kept.ended.clone() };
        stage.record(Event::Reference(reference.into()));
        Ok(())
    }
}

/// Applies the change once, and records the catalogue afterwards. Timeouts are the declared ones:
/// what ends a change here is a fault of ours.
async fn apply(stage: &Stage<'_>, attempt: u32, faults: &[Injection]) -> Result<AttemptEnd, Error> {
    let end = stage.apply(&stage.spec.sizes, attempt, faults).await?;
    stage.snapshot(Some(attempt)).await?;
    Ok(end)
}

/// The application beside the change, where there is to be one.
async fn drive(stage: &Stage<'_>) -> Result<Option<Box<dyn Traffic>>, Error> {
    let spec = stage.spec;
    let wanted = spec.scenario.crash.as_ref().is_none_or(|crash| crash.traffic);
    if spec.is_empty_database() || !wanted {
        return Ok(None);
    }
    Ok(Some(stage.effects.drive(stage.at, spec).await?))
}

/// What the application wrote, and its operations that may have written what no ledger knows.
type Settled = (Vec<observe::Written>, BTreeSet<usize>);

/// Ends the traffic, and returns what it wrote.
async fn settle(stage: &Stage<'_>, driving: Option<Box<dyn Traffic>>) -> Settled {
    let Some(driving) = driving else { return Settled::default() };
    let ledger: Ledger = driving.stop().await;
    stage.check(&ledger).await;
    let operations = &stage.spec.scenario.traffic.operations;
    let written = ledger.written(operations).into_iter();
    let written =
        written.map(|(table, key_column, keys)| observe::Written { table, key_column, keys });
    (written.collect(), ledger.unknown(operations))
}
