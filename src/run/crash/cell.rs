//! One cell: a copy of the snapshot, the application, the death, one rerun, and what is left.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::connect::Address;
use crate::drive;
use crate::history::{AttemptEnd, Contents, Death, Event, History, Phase, Reference, silent};
use crate::judge::crash::Lethal;
use crate::migrate;
use crate::observe;
use crate::pg::syntax::{Kind, kind};
use crate::provision::Server;
use crate::scenario::{Ground, Scenario};
use crate::seed;
use crate::tap::Fault;

use super::super::files::{Facts, start_history};
use super::super::state::{Start, change_address};
use super::super::trial::Place;
use super::super::{CRASH_DIRECTORY, Error, Run};
use super::by_hand::by_hand;
use super::faults::faults;

/// What all cells of a matrix share.
pub struct Cells<'a> {
    pub run: &'a Run<'a>,
    pub server: &'a dyn Server,
    pub start: &'a Start,
    /// The database that each cell begins as a copy of.
    pub snapshot: &'a str,
}

/// What every cell is compared with: the database in which nothing was disturbed, as it was left.
pub struct Kept {
    pub ended: Reference,
    /// Tables whose rows have to be the same.
    pub comparable: BTreeSet<String>,
    pub address: Address,
}

impl Cells<'_> {
    /// Applies the change on a copy of the snapshot that nothing disturbs, and leaves it there.
    pub async fn undisturbed(&self, name: &str, database: &str) -> Result<History, Error> {
        let address = self.copy(database).await?;
        let change_address = change_address(self.server, &address, database);
        self.recorded(name, None, &address, &change_address, async |place| {
            migrate::prepare(place.address, &self.start.scenario.change).await?;
            place.snapshot(&self.start.scenario.change, None).await?;
            place.enter(Phase::Change);
            self.apply(place, 0, &[]).await?;
            place.enter(Phase::Checks);
            let tables = observe::contents(place.address, &|_| true, &[]).await?;
            place.recorder.record(Event::Contents(Contents { after: Some(0), tables }));
            place.enter(Phase::End);
            Ok(())
        })
        .await
    }

    /// Runs the change on a copy of the snapshot to its death, and again.
    pub async fn live(&self, name: &str, lethal: &Lethal, kept: &Kept) -> Result<History, Error> {
        let database = self.run.databases.name();
        let lived = match self.copy(&database).await {
            Ok(address) => {
                let change_address = change_address(self.server, &address, &database);
                let death = Some(lethal.death.clone());
                self.recorded(name, death, &address, &change_address, async |place| {
                    self.phases(place, lethal, kept).await
                })
                .await
            }
            Err(error) => Err(error),
        };
        let dropped = self.run.databases.drop(&self.server.address(), &database).await;
        let history = lived?;
        dropped?;
        Ok(history)
    }

    async fn copy(&self, database: &str) -> Result<Address, Error> {
        Ok(seed::copy_small(&self.server.address(), self.snapshot, database).await?)
    }

    async fn recorded(
        &self,
        name: &str,
        death: Option<Death>,
        address: &Address,
        change_address: &Address,
        live: impl AsyncFnOnce(&Place<'_>) -> Result<(), Error>,
    ) -> Result<History, Error> {
        let output = self.directory(name);
        let facts = Facts { start: self.start, server: self.server.facts(), death };
        let recorder = start_history(facts, output.as_deref())?;
        let listener = silent();
        let place = Place {
            address,
            change_address,
            recorder: &recorder,
            listener: &listener,
            output: output.as_deref(),
        };
        let lived = live(&place).await;
        let history = recorder.finish()?;
        lived?;
        Ok(history)
    }

    fn directory(&self, name: &str) -> Option<PathBuf> {
        let out = self.run.out?;
        Some(out.join(&self.start.scenario.name).join(CRASH_DIRECTORY).join(name))
    }

    async fn phases(&self, place: &Place<'_>, lethal: &Lethal, kept: &Kept) -> Result<(), Error> {
        let Start { scenario, state, sizes } = self.start;
        let Place { address, recorder, listener, .. } = *place;
        migrate::prepare(address, &scenario.change).await?;
        let before = place.snapshot(&scenario.change, None).await?;
        let populated = state.from == Ground::Base;
        if populated {
            observe::read_once(address, scenario, sizes, recorder, false).await?;
        }
        let traffic = scenario.crash.as_ref().is_none_or(|crash| crash.traffic);
        let driving = match populated && traffic {
            true => Some(
                drive::start(drive::Setup { address, scenario, sizes, recorder, listener }).await?,
            ),
            false => None,
        };
        place.enter(Phase::Change);
        self.apply(place, 0, &faults(lethal)).await?;
        place.enter(Phase::Rerun);
        let end = self.apply(place, 1, &[]).await?;
        if !matches!(end, AttemptEnd::Finished { .. }) {
            by_hand(self, place, &before, &end).await?;
        }
        let written = match driving {
            Some(driving) => self.settle(place, driving).await,
            None => Vec::new(),
        };
        place.enter(Phase::Checks);
        self.compare(place, kept, &written).await?;
        observe::read_once(address, scenario, sizes, recorder, true).await?;
        place.enter(Phase::End);
        Ok(())
    }

    /// Ends the traffic, and gives what it wrote.
    async fn settle(&self, place: &Place<'_>, driving: drive::Driving) -> Vec<observe::Written> {
        let scenario = &self.start.scenario;
        let stopped = driving.stop().await;
        match stopped.ledger.check(place.address, scenario).await {
            Ok(report) => place.recorder.record(Event::Ledger(report)),
            Err(error) => place.failed("comparing the ledger with the tables", &error),
        }
        let written = stopped.ledger.written(&scenario.traffic.operations).into_iter();
        written
            .map(|(table, key_column, keys)| observe::Written { table, key_column, keys })
            .collect()
    }

    /// What is in the tables, here and where nothing was disturbed, both without the rows that the
    /// application wrote here.
    async fn compare(
        &self,
        place: &Place<'_>,
        kept: &Kept,
        written: &[observe::Written],
    ) -> Result<(), Error> {
        let unknown = unaccounted(&self.start.scenario);
        let comparable = |table: &str| {
            kept.comparable.contains(table) && !unknown.iter().any(|sql| names(sql, table))
        };
        let tables = observe::contents(place.address, &comparable, written).await?;
        place.recorder.record(Event::Contents(Contents { after: None, tables }));
        let mut tables = observe::contents(&kept.address, &comparable, written).await?;
        tables.retain(|table, _| comparable(table));
        let reference = Reference { tables, ..kept.ended.clone() };
        place.recorder.record(Event::Reference(reference));
        Ok(())
    }

    /// Applies the change once, and looks at the catalogue afterwards. Timeouts are the declared
    /// ones: what dies here dies by our hand.
    pub async fn apply(
        &self,
        place: &Place<'_>,
        attempt: u32,
        faults: &[Fault],
    ) -> Result<AttemptEnd, Error> {
        let (change, sizes) = (&self.start.scenario.change, &self.start.sizes);
        let end = place.apply(change, (sizes, sizes), attempt, faults).await?;
        place.snapshot(change, Some(attempt)).await?;
        Ok(end)
    }
}

/// What the application writes without a ledger: nobody knows which rows.
fn unaccounted(scenario: &Scenario) -> Vec<&str> {
    let writes = |sql: &&str| matches!(kind(sql), Kind::Insert | Kind::Update | Kind::Delete);
    let bare = scenario.traffic.operations.iter().filter(|o| o.ledger.is_none());
    bare.flat_map(|o| &o.statements).map(|s| s.sql.as_str()).filter(writes).collect()
}

/// Whether the statement may be about the table.
fn names(sql: &str, table: &str) -> bool {
    let bare = table.rsplit('.').next().unwrap_or(table).trim_matches('"');
    sql.to_lowercase().contains(&bare.to_lowercase())
}
