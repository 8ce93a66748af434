//! What the change did to rows: what is in the tables after it, beside what was in them before.
//!
//! A trial begins as a copy of a database that nothing changes any more. So nothing is read before
//! the change; afterwards a second copy is made, and only the tables that the change may have
//! changed are read in both.

mod application;
mod names;
mod suspects;

use crate::drive::Ledger;
use crate::history::{Attempt, Event};
use crate::observe::Written;

use super::Error;
use super::effects::States;
use super::execute::Stage;

use application::application;
use suspects::suspects;

/// Compares the tables with what they were, and records what differs. Nobody writes meanwhile.
pub async fn compare(
    stage: &Stage<'_>,
    before: &States,
    last: Attempt,
    ledger: &Ledger,
) -> Result<(), Error> {
    let (effects, scenario) = (stage.effects, &stage.spec.scenario);
    let after = stage.states(Some(last)).await?;
    let reach = effects.reach(stage.at.address).await?;
    let application = application(scenario, before, &reach, ledger.is_whole());
    let tables = suspects(before, &after, stage.change(), &application);
    if tables.is_empty() {
        return Ok(());
    }
    let executor = &stage.executor;
    let original = match stage.kept {
        Some(kept) => kept.to_owned(),
        None => {
            executor.databases.renew(&executor.server.address()).await?;
            let name = executor.databases.name();
            let made = effects.make(executor.server, stage.order.origin, &name).await;
            made.map(|_| name)?
        }
    };
    let address = executor.server.address().with_database(&original);
    let written: Vec<Written> = ledger
        .written(&scenario.traffic.operations)
        .into_iter()
        .map(|(table, key_column, keys)| Written { table, key_column, keys })
        .collect();
    let changes = effects.changes(&address, stage.at.address, &tables, &written).await;
    if stage.kept.is_none() {
        executor.drop(&original).await?;
    }
    stage.record(Event::ContentsChange(Box::new(changes?)));
    Ok(())
}
