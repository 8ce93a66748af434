//! One case: a copy of the snapshot, the application, the fault, one rerun, and what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::connect::Address;
use crate::drive;
use crate::history::{
    Attempt, AttemptEnd, Contents, Event, History, Phase, Reference, TableContents, silent,
};
use crate::judge::crash::FeasibleFault;
use crate::migrate;
use crate::observe;
use crate::pg::lex;
use crate::pg::purpose::{Purpose, purpose, writes_to};
use crate::provision::Server;
use crate::scenario::{Ground, LedgerRule, OperationSpec, Scenario};
use crate::seed;
use crate::tap::Injection;
use crate::trial::Fault;

use super::super::error::Fault as Whose;
use super::super::files::{Facts, start_history};
use super::super::state::{Start, change_address};
use super::super::trial::Place;
use super::super::{CRASH_DIRECTORY, Error, Run};
use super::by_hand::by_hand;
use super::faults::injections;

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
    /// What was in its tables before the change, and after it.
    pub before: Tables,
    pub after: Tables,
    pub compared: Compared,
    pub address: Address,
}

pub type Tables = BTreeMap<String, TableContents>;

/// What of the tables has to be the same.
#[derive(Default)]
pub struct Compared {
    /// Tables whose number of rows has to be.
    pub rows: BTreeSet<String>,
    /// Those of them whose rows have to be.
    pub digests: BTreeSet<String>,
}

impl Kept {
    /// Rows that the change adds.
    fn grown(&self) -> BTreeMap<String, u64> {
        let of = |(table, after): (&String, &TableContents)| {
            let before = self.before.get(table).map_or(0, |before| before.rows);
            (table.clone(), after.rows.saturating_sub(before))
        };
        self.after.iter().map(of).filter(|(_, rows)| *rows > 0).collect()
    }
}

impl Cells<'_> {
    /// Applies the change on a copy of the snapshot that nothing disturbs, and leaves it there.
    pub async fn undisturbed(&self, name: &str, database: &str) -> Result<History, Error> {
        let address = self.copy(database).await?;
        let change_address = change_address(self.server, &address, database);
        self.recorded(name, None, &address, &change_address, async |place| {
            migrate::prepare(place.address, &self.start.scenario.change).await?;
            place.snapshot(&self.start.scenario.change, None).await?;
            self.look(place, None).await?;
            place.enter(Phase::Change);
            self.apply(place, 0, &[]).await?;
            place.enter(Phase::Checks);
            self.look(place, Some(0)).await?;
            place.enter(Phase::End);
            Ok(())
        })
        .await
    }

    async fn look(&self, place: &Place<'_>, after: Option<Attempt>) -> Result<(), Error> {
        let tables = observe::contents(place.address, &|_| true, &[]).await?;
        place.recorder.record(Event::Contents(Contents { after, tables }));
        Ok(())
    }

    /// The same beside the application, which shows what of the tables follows from the change
    /// alone.
    pub async fn again(&self, name: &str, database: &str, kept: &Kept) -> Result<Compared, Error> {
        let address = self.copy(database).await?;
        let change_address = change_address(self.server, &address, database);
        let mut compared = Compared::default();
        self.recorded(name, None, &address, &change_address, async |place| {
            migrate::prepare(place.address, &self.start.scenario.change).await?;
            place.snapshot(&self.start.scenario.change, None).await?;
            let driving = self.drive(place).await?;
            place.enter(Phase::Change);
            self.apply(place, 0, &[]).await?;
            let written = self.settle(place, driving).await;
            place.enter(Phase::Checks);
            let here = observe::contents(place.address, &|_| true, &written).await?;
            let there = observe::contents(&kept.address, &|_| true, &written).await?;
            for (table, contents) in &here {
                let Some(other) = there.get(table) else { continue };
                if other.rows == contents.rows {
                    compared.rows.insert(table.clone());
                }
                if other == contents {
                    compared.digests.insert(table.clone());
                }
            }
            let tables = here;
            place.recorder.record(Event::Contents(Contents { after: Some(0), tables }));
            place.enter(Phase::End);
            Ok(())
        })
        .await?;
        Ok(compared)
    }

    /// Runs the change on a copy of the snapshot with the fault, and again.
    pub async fn live(
        &self,
        name: &str,
        feasible: &FeasibleFault,
        kept: &Kept,
    ) -> Result<History, Error> {
        let database = self.run.databases.name();
        let lived = match self.copy(&database).await {
            Ok(address) => {
                let change_address = change_address(self.server, &address, &database);
                let fault = Some(feasible.fault.clone());
                self.recorded(name, fault, &address, &change_address, async |place| {
                    // One cell that cannot be lived to its end says nothing; others may.
                    match self.phases(place, feasible, kept).await {
                        Err(error) if error.fault() != Whose::Interrupted => {
                            place.failed("the cell", &error);
                            Ok(())
                        }
                        lived => lived,
                    }
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
        fault: Option<Fault>,
        address: &Address,
        change_address: &Address,
        live: impl AsyncFnOnce(&Place<'_>) -> Result<(), Error>,
    ) -> Result<History, Error> {
        let output = self.directory(name);
        let facts = Facts { start: self.start, server: self.server.facts(), fault };
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

    /// The application beside the change, where there is to be one.
    async fn drive(&self, place: &Place<'_>) -> Result<Option<drive::Driving>, Error> {
        let Start { scenario, state, sizes, .. } = self.start;
        let Place { address, recorder, listener, .. } = *place;
        let wanted = scenario.crash.as_ref().is_none_or(|crash| crash.traffic);
        if state.from == Ground::Empty || !wanted {
            return Ok(None);
        }
        let setup = drive::Setup { address, scenario, sizes, recorder, listener };
        Ok(Some(drive::start(setup).await?))
    }

    async fn phases(
        &self,
        place: &Place<'_>,
        feasible: &FeasibleFault,
        kept: &Kept,
    ) -> Result<(), Error> {
        let Start { scenario, state, sizes, .. } = self.start;
        let Place { address, recorder, .. } = *place;
        migrate::prepare(address, &scenario.change).await?;
        let before = place.snapshot(&scenario.change, None).await?;
        if state.from == Ground::Base {
            observe::read_once(address, scenario, sizes, recorder, false).await?;
        }
        let driving = self.drive(place).await?;
        place.enter(Phase::Change);
        self.apply(place, 0, &injections(feasible)).await?;
        place.enter(Phase::Rerun);
        let end = self.apply(place, 1, &[]).await?;
        let (mut finished, mut last) = (matches!(end, AttemptEnd::Finished { .. }), 1);
        if !finished {
            let again = async |attempt| self.apply(place, attempt, &[]).await;
            (finished, last) = by_hand(scenario, place, &before, end, again).await?;
        }
        let written = self.settle(place, driving).await;
        place.enter(Phase::Checks);
        self.compare(place, kept, &written, last).await?;
        // The newer release of the application comes out when the change is there.
        observe::read_once(address, scenario, sizes, recorder, finished).await?;
        place.enter(Phase::End);
        Ok(())
    }

    /// Ends the traffic, and gives what it wrote.
    async fn settle(
        &self,
        place: &Place<'_>,
        driving: Option<drive::Driving>,
    ) -> Vec<observe::Written> {
        let scenario = &self.start.scenario;
        let Some(driving) = driving else { return Vec::new() };
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
        last: Attempt,
    ) -> Result<(), Error> {
        let Compared { rows, digests } = &kept.compared;
        let unknown = unaccounted(&self.start.scenario);
        let comparable = |table: &str| rows.contains(table) && !may_write(&unknown, table);
        let digested = |table: &str| digests.contains(table);
        let tables = observe::contents(place.address, &digested, written).await?;
        place.recorder.record(Event::Contents(Contents { after: Some(last), tables }));
        let mut tables = observe::contents(&kept.address, &digested, written).await?;
        tables.retain(|table, _| comparable(table));
        let reference = Reference { tables, grown: kept.grown(), ..kept.ended.clone() };
        place.recorder.record(Event::Reference(reference));
        Ok(())
    }

    /// Applies the change once, and looks at the catalogue afterwards. Timeouts are the declared
    /// ones: what dies here dies by our hand.
    pub async fn apply(
        &self,
        place: &Place<'_>,
        attempt: u32,
        faults: &[Injection],
    ) -> Result<AttemptEnd, Error> {
        let (change, sizes) = (&self.start.scenario.change, &self.start.sizes);
        let end = place.apply(change, (sizes, sizes), attempt, faults).await?;
        place.snapshot(change, Some(attempt)).await?;
        Ok(end)
    }
}

/// Statements of the application whose rows no ledger tells: nobody knows which they are.
fn unaccounted(scenario: &Scenario) -> Vec<&str> {
    let of = |operation: &OperationSpec| -> Option<String> {
        Some(match operation.ledger.as_ref()? {
            LedgerRule::Insert { table, .. } | LedgerRule::Update { table, .. } => table.clone(),
        })
    };
    let mut found = Vec::new();
    for operation in &scenario.traffic.operations {
        let own = of(operation);
        let works = operation.statements.iter().map(|s| s.sql.as_str());
        found.extend(works.filter(|sql| {
            let accounted = own.as_ref().is_some_and(|table| writes_to(sql, table) > 0);
            purpose(sql) == Purpose::Work && !accounted
        }));
    }
    found
}

/// Whether one of the statements names the table.
fn may_write(statements: &[&str], table: &str) -> bool {
    let bare = table.rsplit('.').next().unwrap_or(table).trim_matches('"');
    let names = |sql: &&&str| {
        let words = lex::tokens(sql).unwrap_or_default();
        words.iter().any(|token| token.text(sql).trim_matches('"').eq_ignore_ascii_case(bare))
    };
    statements.iter().any(|sql| names(&sql))
}
