//! What the application remembers of its writes, to be compared with the tables afterwards.
//!
//! Pure: it decides what each table must hold; `settle` asks the tables.
//!
//! What it takes for granted, and a scenario must keep to: a key that is inserted is new (a
//! generated uuid), an operation that deletes what another one inserted has a ledger too, nothing
//! but the operations writes the `set` columns of a key, and rules that set the same column name
//! rows by the same key column.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::clock::Micros;
use crate::history::OperationOutcome;
use crate::pg::SqlState;
use crate::scenario::{LedgerRule, OperationSpec};

use super::keyed::KeyedWrites;
use super::operation::OperationTrace;
use super::parameters::Values;
use super::plan::LedgerPlan;

/// What was written, and whether the application saw it acknowledged.
#[derive(Default)]
pub struct Ledger {
    pub(super) writes: Vec<Write>,
    /// Writes beyond the limit, of which nothing is known.
    pub(super) dropped: u64,
    /// What operations without a rule wrote by a key.
    pub(super) keyed: Arc<KeyedWrites>,
}

/// One write of an operation that has a ledger rule.
pub struct Write {
    pub kind: u16,
    /// None: no answer came that says it.
    pub key: Option<String>,
    /// In the order of the rule's columns; empty for a delete.
    pub set: Values,
    pub fate: Fate,
    /// It took effect, if it did, within these.
    pub began: Micros,
    pub ended: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Acknowledged,
    /// The server answered with an error.
    Refused,
    /// No answer came.
    Unknown,
}

impl Write {
    /// What is to be remembered of an operation that has ended; None where there is nothing.
    pub fn of(
        plan: &LedgerPlan,
        kind: u16,
        mut values: Values,
        trace: &OperationTrace,
        outcome: &OperationOutcome,
        ended: Micros,
    ) -> Option<Write> {
        let began = trace.acquired?;
        let fate = fate(outcome, trace.rows)?;
        let set = plan.set.iter().map(|index| values[*index].clone()).collect();
        let key = match plan.key {
            Some(key) => Some(values[key].take()?),
            // Of what the server refused nothing is there.
            None if fate == Fate::Refused => return None,
            None => trace.returned.clone(),
        };
        Some(Write { kind, key, set, fate, began, ended })
    }
}

fn fate(outcome: &OperationOutcome, rows: Option<u64>) -> Option<Fate> {
    match outcome {
        // The application saw that no row was touched: nothing to find again.
        OperationOutcome::Succeeded if rows == Some(0) => None,
        OperationOutcome::Succeeded => Some(Fate::Acknowledged),
        OperationOutcome::Failed(error) => match &error.sqlstate {
            Some(state) if may_be_there_all_the_same(state) => None,
            Some(_) => Some(Fate::Refused),
            None => None,
        },
        OperationOutcome::Indeterminate(_) | OperationOutcome::Unanswered => Some(Fate::Unknown),
        OperationOutcome::AcquireTimeout => None,
    }
}

/// Errors after which the key's presence proves nothing: another session's row was the reason
/// (class 23), or the key is no value of the column's type (class 22).
fn may_be_there_all_the_same(state: &SqlState) -> bool {
    state.is(SqlState::UNIQUE_VIOLATION)
        || state.code() == "23P01"
        || state.code().starts_with("22")
}

/// The writes of one table by one key column, by key.
pub struct Group<'a> {
    pub table: &'a str,
    pub key_column: &'a str,
    pub columns: Vec<WrittenColumn<'a>>,
    pub keys: Vec<KeyFacts<'a>>,
}

/// A column whose values are known.
pub struct WrittenColumn<'a> {
    pub name: &'a str,
    /// An update sets it; else inserts alone do.
    pub updated: bool,
}

/// What is known of one key.
pub struct KeyFacts<'a> {
    pub key: &'a str,
    /// Kind of the operation to name in a mismatch: the last one that wrote the key.
    pub kind: u16,
    inserts: Tally,
    deletes: Tally,
    updates_acknowledged: u64,
    updates: Vec<Update<'a>>,
}

#[derive(Default)]
struct Tally {
    acknowledged: u64,
    refused: u64,
    unknown: u64,
}

impl Tally {
    fn add(&mut self, fate: Fate) {
        match fate {
            Fate::Acknowledged => self.acknowledged += 1,
            Fate::Refused => self.refused += 1,
            Fate::Unknown => self.unknown += 1,
        }
    }
}

/// One update's value for one column.
struct Update<'a> {
    column: usize,
    value: Option<&'a str>,
    acknowledged: bool,
    began: Micros,
    ended: Micros,
}

/// A value that a column may hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    pub value: Option<&'a str>,
    /// From a write that was acknowledged, rather than one whose fate is unknown.
    pub acknowledged: bool,
}

/// What the number of rows with a key says.
#[derive(Debug, PartialEq, Eq)]
pub enum Presence {
    AsAcknowledged,
    /// This many writes of unknown fate turned out to be applied.
    Applied(u64),
    Lost,
    Doubled,
    Unacknowledged,
    Restored,
}

impl Ledger {
    pub(super) fn new(writes: Vec<Write>, dropped: u64) -> Ledger {
        Ledger { writes, dropped, keyed: Arc::default() }
    }

    /// Statements, by their places among the operations and within theirs, of which `written` has
    /// the key of every row that they may have written.
    pub fn keyed(&self) -> BTreeSet<(usize, usize)> {
        self.keyed.known()
    }

    /// Operations, by their place among the scenario's, that may have written rows of which it
    /// knows no key.
    pub fn unknown(&self, operations: &[OperationSpec]) -> BTreeSet<usize> {
        match self.dropped {
            0 => self.writes.iter().filter(|w| w.key.is_none()).map(|w| w.kind.into()).collect(),
            _ => (0..operations.len()).collect(),
        }
    }

    /// Writes of known and of unknown fate.
    pub(super) fn totals(&self) -> (u64, u64) {
        let of = |fate| self.writes.iter().filter(|w| w.fate == fate).count() as u64;
        (of(Fate::Acknowledged), of(Fate::Unknown))
    }

    /// Table, key column and keys of all that was written, or may have been.
    pub fn written(&self, operations: &[OperationSpec]) -> Vec<(String, String, Vec<String>)> {
        let of_group = |group: Group<'_>| {
            let keys = group.keys.iter().map(|facts| facts.key.to_owned()).collect();
            (group.table.to_owned(), group.key_column.to_owned(), keys)
        };
        let mut written: Vec<_> = self.groups(operations).into_iter().map(of_group).collect();
        written.extend(self.keyed.written().into_iter().filter(|(.., keys)| !keys.is_empty()));
        written
    }

    /// The writes by table and key column, in the order of the scenario's operations.
    pub(super) fn groups<'a>(&'a self, operations: &'a [OperationSpec]) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut keys: Vec<HashMap<&str, usize>> = Vec::new();
        let places: Vec<Option<WritePlace>> =
            operations.iter().map(|spec| WritePlace::of(spec, &mut groups)).collect();
        keys.resize_with(groups.len(), HashMap::new);
        for write in &self.writes {
            let place = places.get(usize::from(write.kind)).and_then(Option::as_ref);
            let Some(place) = place else { continue };
            let Some(key) = &write.key else { continue };
            let group = &mut groups[place.group];
            let index = *keys[place.group].entry(key).or_insert_with(|| {
                group.keys.push(KeyFacts::new(key, write.kind));
                group.keys.len() - 1
            });
            group.keys[index].add(write, place);
        }
        groups
    }
}

/// Where the writes of an operation go.
struct WritePlace {
    group: usize,
    /// Columns of the group, in the order of the rule's.
    columns: Vec<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Insert,
    Update,
    Delete,
}

impl WritePlace {
    fn of<'a>(spec: &'a OperationSpec, groups: &mut Vec<Group<'a>>) -> Option<WritePlace> {
        let (table, key_column, set) = match spec.ledger.as_ref()? {
            LedgerRule::Insert { table, key_column, set, .. }
            | LedgerRule::Update { table, key_column, set, .. } => (table, key_column, Some(set)),
            LedgerRule::Delete { table, key_column, .. } => (table, key_column, None),
        };
        let kind = match spec.ledger.as_ref()? {
            LedgerRule::Insert { .. } => Kind::Insert,
            LedgerRule::Update { .. } => Kind::Update,
            LedgerRule::Delete { .. } => Kind::Delete,
        };
        let known = groups.iter().position(|g| g.table == table && g.key_column == key_column);
        let index = known.unwrap_or_else(|| {
            groups.push(Group { table, key_column, columns: Vec::new(), keys: Vec::new() });
            groups.len() - 1
        });
        let group = &mut groups[index];
        let updated = kind == Kind::Update;
        let columns = set.into_iter().flatten();
        let columns = columns.map(|(column, _)| group.column(column, updated)).collect();
        Some(WritePlace { group: index, columns, kind })
    }
}

impl<'a> Group<'a> {
    fn column(&mut self, name: &'a str, updated: bool) -> usize {
        let known = self.columns.iter().position(|known| known.name == name);
        let at = known.unwrap_or_else(|| {
            self.columns.push(WrittenColumn { name, updated });
            self.columns.len() - 1
        });
        self.columns[at].updated |= updated;
        at
    }
}

impl<'a> KeyFacts<'a> {
    fn new(key: &'a str, kind: u16) -> KeyFacts<'a> {
        KeyFacts {
            key,
            kind,
            inserts: Tally::default(),
            deletes: Tally::default(),
            updates_acknowledged: 0,
            updates: Vec::new(),
        }
    }

    fn add(&mut self, write: &'a Write, place: &WritePlace) {
        let acknowledged = write.fate == Fate::Acknowledged;
        match place.kind {
            Kind::Update if write.fate == Fate::Refused => return,
            Kind::Update => self.updates_acknowledged += u64::from(acknowledged),
            Kind::Insert => self.inserts.add(write.fate),
            Kind::Delete => self.deletes.add(write.fate),
        }
        self.kind = write.kind;
        // Whether an insert of unknown fate was applied, the row's presence says.
        if place.kind == Kind::Insert && !acknowledged {
            return;
        }
        for (column, value) in place.columns.iter().zip(&write.set) {
            let may_be_filled = place.kind == Kind::Insert && value.is_none();
            if may_be_filled {
                continue;
            }
            self.updates.push(Update {
                column: *column,
                value: value.as_deref(),
                acknowledged,
                began: write.began,
                ended: write.ended,
            });
        }
    }

    /// What it means that the table holds `rows` rows with the key.
    pub fn presence(&self, rows: u64) -> Presence {
        let Tally { acknowledged, refused, unknown } = self.inserts;
        // A key is new when it is inserted, so what is deleted stays so.
        match rows {
            0 if self.deletes.acknowledged > 0 => return Presence::AsAcknowledged,
            0 if self.deletes.unknown > 0 => return Presence::Applied(self.deletes.unknown),
            _ if self.deletes.acknowledged > 0 => return Presence::Restored,
            _ => {}
        }
        match rows {
            0 if acknowledged > 0 || self.updates_acknowledged > 0 => Presence::Lost,
            0 => Presence::AsAcknowledged,
            1 if acknowledged > 0 => Presence::AsAcknowledged,
            rows if acknowledged > 0 || (unknown > 0 && rows > unknown) => Presence::Doubled,
            rows if unknown > 0 => Presence::Applied(rows),
            _ if refused > 0 => Presence::Unacknowledged,
            // Updates alone say nothing about how many rows share a key.
            _ => Presence::AsAcknowledged,
        }
    }

    /// The values that the column may hold. Of acknowledged updates, those that no other one
    /// surely followed: where two overlapped, the order of their commits is not known. An update
    /// of unknown fate may take effect at any time after it began.
    pub fn candidates(&self, column: usize) -> Vec<Candidate<'a>> {
        let of_column = || self.updates.iter().filter(|update| update.column == column);
        let superseded = |update: &Update<'_>| {
            update.acknowledged
                && of_column().any(|later| later.acknowledged && later.began > update.ended)
        };
        of_column()
            .filter(|update| !superseded(update))
            .map(|u| Candidate { value: u.value, acknowledged: u.acknowledged })
            .collect()
    }

    /// Whether an update of the column was acknowledged, so that the column must hold some value
    /// of [`KeyFacts::candidates`].
    pub fn updated_for_certain(&self, column: usize) -> bool {
        self.updates.iter().any(|update| update.column == column && update.acknowledged)
    }

    /// What a mismatch says was expected: the value that was acknowledged last.
    pub fn expected(&self, column: usize) -> Option<&'a str> {
        let acknowledged =
            self.updates.iter().filter(|update| update.column == column && update.acknowledged);
        acknowledged.max_by_key(|update| update.ended).and_then(|update| update.value)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn update(value: &str, fate: Fate, began: u64, ended: u64) -> Write {
        Write {
            kind: 0,
            key: Some("k".to_owned()),
            set: vec![Some(value.to_owned())],
            fate,
            began: Micros(began),
            ended: Micros(ended),
        }
    }

    fn facts<'w>(writes: impl IntoIterator<Item = (Kind, &'w Write)>) -> KeyFacts<'w> {
        let mut facts = KeyFacts::new("k", 0);
        for (kind, write) in writes {
            facts.add(write, &WritePlace { group: 0, columns: vec![0], kind });
        }
        facts
    }

    fn candidates(writes: &[Write]) -> Vec<&str> {
        let facts = facts(writes.iter().map(|write| (Kind::Update, write)));
        facts.candidates(0).into_iter().filter_map(|c| c.value).collect()
    }

    #[test]
    fn the_last_acknowledged_value_is_the_only_one_when_updates_follow_each_other() {
        let writes = [
            update("a", Fate::Acknowledged, 0, 10),
            update("b", Fate::Acknowledged, 11, 20),
            update("refused", Fate::Refused, 21, 30),
        ];
        assert_eq!(candidates(&writes), ["b"]);
    }

    #[test]
    fn either_value_is_accepted_when_updates_overlapped() {
        let writes =
            [update("a", Fate::Acknowledged, 0, 10), update("b", Fate::Acknowledged, 5, 8)];
        assert_eq!(candidates(&writes), ["a", "b"]);
    }

    #[test]
    fn an_update_of_unknown_fate_may_come_last_whenever_it_began() {
        let writes = [update("lost?", Fate::Unknown, 0, 1), update("b", Fate::Acknowledged, 5, 8)];
        assert_eq!(candidates(&writes), ["lost?", "b"]);
    }

    #[rstest]
    #[case(&[Fate::Acknowledged], 0, Presence::Lost)]
    #[case(&[Fate::Acknowledged], 1, Presence::AsAcknowledged)]
    #[case(&[Fate::Acknowledged], 2, Presence::Doubled)]
    #[case(&[Fate::Refused], 0, Presence::AsAcknowledged)]
    #[case(&[Fate::Refused], 1, Presence::Unacknowledged)]
    #[case(&[Fate::Unknown], 0, Presence::AsAcknowledged)]
    #[case(&[Fate::Unknown], 1, Presence::Applied(1))]
    #[case(&[Fate::Unknown], 2, Presence::Doubled)]
    fn rows_of_an_inserted_key_are_held_against_what_was_said(
        #[case] fates: &[Fate],
        #[case] rows: u64,
        #[case] expected: Presence,
    ) {
        let writes: Vec<Write> = fates.iter().map(|fate| update("", *fate, 0, 1)).collect();
        let facts = facts(writes.iter().map(|write| (Kind::Insert, write)));
        assert_eq!(facts.presence(rows), expected);
    }

    #[rstest]
    #[case(Fate::Acknowledged, 0, Presence::AsAcknowledged)]
    #[case(Fate::Acknowledged, 1, Presence::Restored)]
    #[case(Fate::Unknown, 0, Presence::Applied(1))]
    #[case(Fate::Unknown, 1, Presence::AsAcknowledged)]
    #[case(Fate::Refused, 0, Presence::Lost)]
    #[case(Fate::Refused, 1, Presence::AsAcknowledged)]
    fn a_row_that_was_inserted_and_deleted_is_gone(
        #[case] fate: Fate,
        #[case] rows: u64,
        #[case] expected: Presence,
    ) {
        let (inserted, deleted) = (update("", Fate::Acknowledged, 0, 1), update("", fate, 2, 3));
        let facts = facts([(Kind::Insert, &inserted), (Kind::Delete, &deleted)]);
        assert_eq!(facts.presence(rows), expected);
    }

    #[test]
    fn a_row_holds_what_was_inserted_until_an_update_follows() {
        let inserted = update("sent", Fate::Acknowledged, 0, 10);
        let held = facts([(Kind::Insert, &inserted)]);
        assert!(held.updated_for_certain(0) && held.expected(0) == Some("sent"));
        let later = update("later", Fate::Acknowledged, 11, 20);
        let held = facts([(Kind::Insert, &inserted), (Kind::Update, &later)]);
        let values: Vec<_> = held.candidates(0).into_iter().map(|c| c.value).collect();
        assert_eq!(values, [Some("later")]);
        assert_eq!(held.presence(2), Presence::Doubled);
    }

    #[rstest]
    #[case::null(Write { set: vec![None], ..update("", Fate::Acknowledged, 0, 1) })]
    #[case::nobody_knows(update("sent", Fate::Unknown, 0, 1))]
    #[case::refused(update("sent", Fate::Refused, 0, 1))]
    fn nothing_is_expected_of_an_insert_that_does_not_say_it(#[case] write: Write) {
        let held = facts([(Kind::Insert, &write)]);
        assert!(held.candidates(0).is_empty() && !held.updated_for_certain(0));
    }
}
