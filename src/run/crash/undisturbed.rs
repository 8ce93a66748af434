//! What every case is compared with: the database in which nothing was disturbed, as it was left.

use std::collections::{BTreeMap, BTreeSet};

use crate::connect::Address;
use crate::history::{Attempt, AttemptEnd, Event, History, Reference, TableContents};
use crate::pg::facts::facts;
use crate::pg::lex;
use crate::pg::purpose::Purpose;
use crate::scenario::{OperationSpec, Scenario};

use super::super::effects::Tables;

pub struct Kept {
    pub ended: Reference,
    /// What was in its tables before the change, and after it.
    pub before: Tables,
    pub after: Tables,
    pub compared: Compared,
    pub address: Address,
}

/// What of the tables has to be the same.
#[derive(Default)]
pub struct Compared {
    /// Tables whose number of rows has to be.
    pub rows: BTreeSet<String>,
    /// Those of them whose rows have to be.
    pub digests: BTreeSet<String>,
}

impl Compared {
    /// What is the same in both databases.
    pub fn of(here: &Tables, there: &Tables) -> Compared {
        let mut compared = Compared::default();
        for (table, contents) in here {
            let Some(other) = there.get(table) else { continue };
            if other.rows == contents.rows {
                compared.rows.insert(table.clone());
            }
            if other == contents {
                compared.digests.insert(table.clone());
            }
        }
        compared
    }
}

impl Kept {
    pub fn of(history: &History, ended: Reference, address: Address) -> Kept {
        let (before, after) = (contents(history, None), contents(history, Some(0)));
        Kept { ended, before, after, compared: Compared::default(), address }
    }

    /// Rows that the change adds.
    pub fn grown(&self) -> BTreeMap<String, u64> {
        let of = |(table, after): (&String, &TableContents)| {
            let before = self.before.get(table).map_or(0, |before| before.rows);
            (table.clone(), after.rows.saturating_sub(before))
        };
        self.after.iter().map(of).filter(|(_, rows)| *rows > 0).collect()
    }
}

/// What later trials are compared with; None where the change never came to its end.
pub fn ended_with(history: &History) -> Option<Reference> {
    let finished = |event: &Event| {
        matches!(event, Event::AttemptEnded { end: AttemptEnd::Finished { .. }, .. })
    };
    let events = || history.entries.iter().map(|entry| &entry.event);
    events().any(finished).then_some(())?;
    let last = events().rev().find_map(|event| match event {
        Event::Catalogue(snapshot) => Some(snapshot),
        _ => None,
    })?;
    Some(Reference {
        state: history.header.trial.key.state().to_owned(),
        objects: last.objects.clone(),
        versions: last.versions.clone(),
        tables: Default::default(),
        grown: Default::default(),
    })
}

/// What was in the tables at a moment.
fn contents(history: &History, at: Option<Attempt>) -> Tables {
    let found = history.entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Contents(contents) if contents.after == at => Some(contents.tables.clone()),
        _ => None,
    });
    found.unwrap_or_default()
}

/// Statements of the application that write rows of which no ledger knows, and those of operations
/// whose ledger does not know all that they wrote.
pub fn unaccounted<'s>(scenario: &'s Scenario, unknown: &BTreeSet<usize>) -> Vec<&'s str> {
    let of = |operation: &OperationSpec| -> Option<String> {
        operation.ledger.as_ref().map(|rule| rule.table().to_owned())
    };
    let mut found = Vec::new();
    for (kind, operation) in scenario.traffic.operations.iter().enumerate() {
        let own = of(operation).filter(|_| !unknown.contains(&kind));
        let works = operation.statements.iter().map(|s| s.sql.as_str());
        found.extend(works.filter(|sql| {
            let facts = facts(sql);
            let accounted = own.as_ref().is_some_and(|table| facts.writes_to(table) > 0);
            facts.purpose() == Purpose::Work && !accounted
        }));
    }
    found
}

/// Whether one of the statements names the table.
pub fn may_write(statements: &[&str], table: &str) -> bool {
    let bare = table.rsplit('.').next().unwrap_or(table).trim_matches('"');
    let names = |sql: &&&str| {
        let words = lex::tokens(sql).unwrap_or_default();
        words.iter().any(|token| token.text(sql).trim_matches('"').eq_ignore_ascii_case(bare))
    };
    statements.iter().any(|sql| names(&sql))
}
