//! What the change did to rows: what is in the tables after it, beside what was in them before.
//!
//! A trial begins as a copy of a database that nothing changes any more. So nothing is read before
//! the change; afterwards a second copy is made, and only the tables that the change may have
//! changed are read in both.

mod answers;
mod application;
mod names;
mod suspects;

use crate::drive::Ledger;
use crate::history::{Attempt, ContentsChange, Event};
use crate::observe::{ComparedTable, Written};
use crate::stats::grouped;

use super::Error;
use super::effects::States;
use super::execute::{Stage, went_down};

use application::application;
use names::root_of;
use suspects::{endings, suspects};

pub use answers::{STAGE as ANSWERS, compare as answers};
pub use suspects::may_write;

/// Where the server did not count what was written, any table may have been: rows that are read of
/// all of them, a minute's work.
const UNCOUNTED_ROWS_MAX: u64 = 10_000_000;
/// What cannot be done where there are more of them.
pub const STAGE: &str = "comparing the tables with what they were";

/// Why the server's counters do not show what the change wrote; None: they do.
async fn uncounted(stage: &Stage<'_>) -> Result<Option<String>, Error> {
    if let Some(why) = stage.effects.uncounted(stage.at.address).await? {
        return Ok(Some(why));
    }
    let turns_off = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.contains("track_counts") || text.contains("pg_stat_reset")
    };
    let said = stage.recorder().any(|entry| match &entry.event {
        Event::StatementBegan(began) => turns_off(&began.text),
        Event::ConnectionOpened(opened) => opened.settings.iter().any(|text| turns_off(text)),
        _ => false,
    });
    Ok(said.then(|| "the change turns track_counts off, or resets the counters".to_owned()))
}

/// Rows of these tables, their partitions' included.
fn rows(tables: &[ComparedTable], states: &States) -> u64 {
    let among = |table: &str| tables.iter().any(|one| one.table == table);
    let of = states.iter().filter(|(table, state)| among(root_of(table, state)));
    of.map(|(_, state)| state.rows).sum()
}

/// Compares the tables with what they were, and records what differs. Nobody writes meanwhile.
pub async fn compare(
    stage: &Stage<'_>,
    before: &States,
    last: Attempt,
    ledger: &Ledger,
) -> Result<(), Error> {
    let (effects, scenario) = (stage.effects, &stage.spec.scenario);
    if went_down(stage.recorder()) {
        // It has emptied unlogged tables, and counts anew.
        let message = "the server went down".to_owned();
        stage.record(Event::MeasurementFailed { stage: STAGE.to_owned(), message });
        return Ok(());
    }
    let after = stage.states(Some(last)).await?;
    let reach = effects.reach(stage.at.address).await?;
    let unknown = ledger.unknown(&scenario.traffic.operations);
    let application = application(scenario, before, &reach, (&unknown, &ledger.keyed()));
    let why = uncounted(stage).await?;
    let counted = why.is_none();
    let mut tables = suspects((before, &after), stage.change(), &application, counted);
    if let Some(why) = why
        && rows(&tables, before) > UNCOUNTED_ROWS_MAX
    {
        let message = format!(
            "{why}, so what the change wrote to any table is not known, and they have more rows \
             ({}) than are read for that",
            grouped(rows(&tables, before))
        );
        stage.record(Event::MeasurementFailed { stage: STAGE.to_owned(), message });
        tables = suspects((before, &after), stage.change(), &application, true);
    }
    let endings = endings(before, &after);
    if tables.is_empty() {
        if !endings.is_empty() {
            let change = ContentsChange { endings, ..ContentsChange::default() };
            stage.record(Event::ContentsChange(Box::new(change)));
        }
        return Ok(());
    }
    let executor = &stage.executor;
    let server = executor.server.address();
    let (original, address) = match stage.kept {
        Some(kept) => (kept.to_owned(), server.with_database(kept)),
        None => {
            executor.ready().await?;
            let name = executor.databases.name();
            let made = effects.make(executor.server, stage.order.origin, &name).await?;
            (name, made)
        }
    };
    let written: Vec<Written> = ledger
        .written(&scenario.traffic.operations)
        .into_iter()
        .map(|(table, key_column, keys)| Written { table, key_column, keys })
        .collect();
    let changes = effects.changes(&address, stage.at.address, &tables, &written).await;
    if stage.kept.is_none() {
        executor.drop(&original).await?;
    }
    let changes = ContentsChange { endings, ..changes? };
    stage.record(Event::ContentsChange(Box::new(changes)));
    Ok(())
}
