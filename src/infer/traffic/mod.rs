//! An application that uses the tables of a catalogue, as its release of before a change would:
//! named columns, prepared statements, keys of rows that are there.
//!
//! Of the seed's rows none is deleted: what an application deletes hides what a change loses.

mod beside;
mod draft;
mod new_row;
mod reads;
mod secured;
mod stable;
pub(super) mod subject;
mod together;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::{Invariant, OperationSpec};

use super::{Catalogue, Inferred, Oid};

pub(super) use draft::{Drawn, plain};
pub(super) use new_row::REMEMBERED_MAX;
pub(super) use writes::{is_key, stays_as_sent};

use draft::Draft;
use secured::World;

/// Which operations the application has most of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mix {
    /// Four of five operations read.
    ReadHeavy,
    /// Three of five operations read.
    #[default]
    Mixed,
    /// Three of four operations write.
    WriteHeavy,
}

/// The application's operations, and what it leaves alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Application {
    /// In an order that a person can read: by table.
    pub operations: Vec<OperationSpec>,
    /// Reads of rows that it leaves alone.
    pub invariants: Vec<Invariant>,
    /// Operations that are to be tried as the application's role before they are its own.
    pub doubts: BTreeMap<String, Doubt>,
    /// What has no operation, and why: `insert into t: …`.
    pub left_out: Vec<String>,
}

/// What may refuse an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Row security; with what to do where the policies do not let it in.
    Policies(String),
    /// A trigger of a table that it writes.
    Triggers,
}

/// What an operation is, which its weight goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Insert,
    Update,
    Refer,
    Delete,
    ReadKey,
    ReadIndex,
    Page,
    Join,
    Together,
}

impl Mix {
    /// The share of a role's operations, in parts of a thousand of the schedule.
    fn share(self, role: Role) -> f64 {
        let [read_heavy, mixed, write_heavy] = match role {
            Role::Insert => [80.0, 160.0, 330.0],
            Role::Update => [80.0, 160.0, 280.0],
            Role::Refer => [10.0, 20.0, 40.0],
            Role::Delete => [10.0, 20.0, 40.0],
            Role::ReadKey => [330.0, 250.0, 100.0],
            Role::ReadIndex => [220.0, 160.0, 70.0],
            Role::Page => [100.0, 70.0, 30.0],
            Role::Join => [150.0, 120.0, 50.0],
            Role::Together => [30.0, 60.0, 100.0],
        };
        match self {
            Mix::ReadHeavy => read_heavy,
            Mix::Mixed => mixed,
            Mix::WriteHeavy => write_heavy,
        }
    }
}

/// An application over the tables with these oids, with what the seed puts into them; one without
/// rows has no operation.
pub fn application(
    catalogue: &Catalogue,
    inferred: &Inferred,
    concerned: &[Oid],
    mix: Mix,
) -> Application {
    let mut made = Made::default();
    let subjects = subject::subjects(catalogue, inferred, concerned, &mut made.left_out);
    for subject in &subjects {
        let inserted = new_row::insert(subject);
        let deleted = inserted.as_ref().ok().and_then(|insert| writes::delete(subject, insert));
        made.add(Role::Insert, inserted);
        deleted.into_iter().for_each(|draft| made.add(Role::Delete, Ok(draft)));
        made.add(Role::Update, writes::update(subject));
        writes::refer(subject).into_iter().for_each(|draft| made.add(Role::Refer, Ok(draft)));
        made.add(Role::ReadKey, reads::by_key(subject));
        reads::by_index(subject).into_iter().for_each(|d| made.add(Role::ReadIndex, Ok(d)));
        reads::pages(subject).into_iter().for_each(|d| made.add(Role::Page, Ok(d)));
        reads::joins(subject, &subjects).into_iter().for_each(|d| made.add(Role::Join, Ok(d)));
        let together = together::transactions(subject, &subjects);
        together.into_iter().for_each(|d| made.add(Role::Together, Ok(d)));
    }
    made.keep_ledgers_whole();
    made.let_in(&World { catalogue, inferred, subjects: &subjects });
    let changed = made.drafts.iter().flat_map(|(_, draft)| draft.changes.iter().cloned()).collect();
    let of = |oid: &Oid| subjects.iter().find(|subject| subject.table.oid == *oid);
    made.invariants = stable::reads(concerned.iter().filter_map(of), &changed);
    made.weighed(mix)
}

#[derive(Default)]
struct Made {
    drafts: Vec<(Role, Draft)>,
    invariants: Vec<Invariant>,
    doubts: BTreeMap<String, Doubt>,
    left_out: Vec<String>,
}

impl Role {
    fn writes(self) -> bool {
        matches!(self, Role::Insert | Role::Update | Role::Refer | Role::Delete | Role::Together)
    }
}

impl Made {
    fn add(&mut self, role: Role, draft: Result<Draft, String>) {
        match draft {
            Ok(draft) => self.drafts.push((role, draft)),
            Err(why) => self.left_out.push(why),
        }
    }

    /// A ledger knows what a column holds only where every operation that changes it keeps one. Of
    /// a row that an operation inserts it knows that anyway: the others change the seed's.
    fn keep_ledgers_whole(&mut self) {
        let without = self.drafts.iter().filter(|(_, draft)| draft.ledger.is_none());
        let unknown: BTreeSet<(String, String)> =
            without.flat_map(|(_, draft)| draft.changes.iter().cloned()).collect();
        for (_, draft) in &mut self.drafts {
            let whole = draft.changes.iter().all(|change| !unknown.contains(change));
            draft.ledger = draft.ledger.take().filter(|_| whole);
        }
    }

    /// What is followed comes before what follows it.
    fn let_in(&mut self, world: &World<'_, '_>) {
        for at in 0..self.drafts.len() {
            let (before, rest) = self.drafts.split_at_mut(at);
            let Some((role, draft)) = rest.first_mut() else { continue };
            let before: Vec<&Draft> = before.iter().map(|(_, draft)| draft).collect();
            let used: BTreeSet<Oid> = draft.used().into_iter().flatten().collect();
            let triggers = role.writes() && has_triggers(world.catalogue, &used);
            let policies = world.apply(draft, &before).map(Doubt::Policies);
            let doubt = policies.or_else(|| triggers.then_some(Doubt::Triggers));
            self.doubts.extend(doubt.map(|doubt| (draft.name().to_owned(), doubt)));
        }
    }

    /// Each role's share is divided evenly between its operations.
    fn weighed(self, mix: Mix) -> Application {
        let mut counts: BTreeMap<Role, u32> = BTreeMap::new();
        self.drafts.iter().for_each(|(role, _)| *counts.entry(*role).or_default() += 1);
        let weight = |role: Role| {
            let of_role = f64::from(counts.get(&role).copied().unwrap_or(1));
            // Three digits are enough, and a person reads them.
            ((mix.share(role) / of_role) * 1e3).round().max(1.0) / 1e3
        };
        let operation = |(role, draft): (Role, Draft)| draft.operation(weight(role));
        Application {
            operations: self.drafts.into_iter().map(operation).collect(),
            invariants: self.invariants,
            doubts: self.doubts,
            left_out: self.left_out,
        }
    }
}

/// Whether a trigger of one of the tables, or of a part of it, may refuse a write.
fn has_triggers(catalogue: &Catalogue, tables: &BTreeSet<Oid>) -> bool {
    catalogue.tables.iter().any(|table| {
        let is_part = table.parents.iter().any(|oid| tables.contains(oid));
        !table.triggers.is_empty() && (is_part || tables.contains(&table.oid))
    })
}
