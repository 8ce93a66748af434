//! Where histories are kept, and what their headers say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::clock::Clock;
use crate::history::{
    Applied, Header, Recorder, RolesFacts, ServerFacts, ShortTable, TrialFacts, Tried, VERSION,
};
use crate::provision;
use crate::scenario::{Change, Scenario, Sizes, StoredScenario};

use super::{Error, TrialSpec};

/// File of a trial's history in its directory below `--out`.
pub const HISTORY_FILE: &str = "history.jsonl";

/// Where a scenario's cases are kept below its directory in `--out`.
pub const CRASH_DIRECTORY: &str = "crash";
/// Below it, the runs without a fault.
pub const UNDISTURBED: &str = "undisturbed";
pub const UNDISTURBED_AGAIN: &str = "undisturbed-again";

/// What a header states.
pub struct Facts<'a> {
    pub spec: &'a TrialSpec,
    pub server: ServerFacts,
    pub roles: Option<RolesFacts>,
    /// Tables of the seed that have fewer rows than were asked for.
    pub short: &'a [ShortTable],
    /// Rows per table, where they were there already; None: those of the seed.
    pub found: Option<BTreeMap<String, u64>>,
}

fn applied(change: &Change) -> Option<Applied> {
    let tool = change.tool.as_ref();
    Some(Applied {
        tool: tool.map(|recognised| recognised.tool.to_string()),
        recognised_by: tool.and_then(|recognised| recognised.by.clone()),
        transactions: change.transaction_words()?.to_owned(),
    })
}

/// Tables with fewer rows than were asked for: those that the server took fewer of, and those that
/// the scenario was made with fewer of.
fn short(scenario: &Scenario, sizes: &Sizes, refused: &[ShortTable]) -> Vec<ShortTable> {
    let mut short = refused.to_vec();
    for table in &scenario.tables {
        let made = sizes.rows(&table.name);
        let Some((asked, of)) = table.asked_at(made).zip(table.asked.as_ref()) else { continue };
        let at = short.iter().position(|known| known.table == table.name).unwrap_or_else(|| {
            let (table, loaded) = (table.name.clone(), made);
            short.push(ShortTable { table, asked, loaded, ..ShortTable::default() });
            short.len() - 1
        });
        let known = &mut short[at];
        (known.asked, known.made) = (asked, Some(made));
        known.why.extend(of.why.iter().cloned());
    }
    short
}

fn tried(scenario: &Scenario, sizes: &Sizes, short: Vec<ShortTable>) -> Tried {
    let traffic = &scenario.traffic;
    let declared = scenario.declared_sizes().0.into_iter();
    Tried {
        rate_per_s: if traffic.operations.is_empty() { 0.0 } else { traffic.rate.per_s() },
        background: scenario.disturbances.iter().map(|session| session.name.clone()).collect(),
        runners: scenario.change.runners.max(1),
        declared: declared.filter(|(table, rows)| sizes.rows(table) != *rows).collect(),
        short,
    }
}

/// Rows per table, as many as are there.
fn loaded(sizes: &Sizes, short: &[ShortTable]) -> BTreeMap<String, u64> {
    let mut loaded = sizes.0.clone();
    loaded.extend(short.iter().map(|short| (short.table.clone(), short.loaded)));
    loaded
}

/// A recorder, and its file where there is a directory for it.
pub fn start_history(facts: Facts<'_>, output: Option<&Path>) -> Result<Recorder, Error> {
    let path = output.map(history_path).transpose()?;
    let TrialSpec { key, scenario, sizes, fault, .. } = facts.spec;
    // Of a clone the scenario makes no rows.
    let short = match facts.found {
        Some(_) => facts.short.to_vec(),
        None => short(scenario, sizes, facts.short),
    };
    let header = Header {
        pgauntlet_history: VERSION,
        trial: TrialFacts {
            key: facts.server.place(key.clone()),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: jiff::Timestamp::now().to_string(),
            rng_seed: scenario.rng_seed,
            fault: fault.as_ref().map(|feasible| feasible.fault.clone()),
            sizes: facts.found.unwrap_or_else(|| loaded(sizes, facts.short)),
            server: facts.server,
            machine: provision::machine_facts(),
            applied: applied(&scenario.change),
            roles: facts.roles,
            tried: Some(tried(scenario, sizes, short)),
        },
        scenario: serde_json::to_value(StoredScenario::from(scenario)).map_err(Error::Scenario)?,
    };
    Ok(Recorder::start(Clock::start(), header, path.as_deref())?)
}

fn history_path(directory: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(directory).map_err(|e| Error::out(directory, e))?;
    Ok(directory.join(HISTORY_FILE))
}

/// The directory is there, writable and empty.
pub fn prepare_out(out: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(out).map_err(|e| Error::out(out, e))?;
    let mut entries = std::fs::read_dir(out).map_err(|e| Error::out(out, e))?;
    if entries.next().is_some() {
        return Err(Error::OutTaken { path: out.to_owned() });
    }
    let probe = out.join(".pgauntlet-writable");
    std::fs::write(&probe, b"").map_err(|e| Error::out(out, e))?;
    std::fs::remove_file(&probe).map_err(|e| Error::out(out, e))?;
    Ok(out.to_owned())
}
