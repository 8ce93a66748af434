//! Which faults a change leaves room for, from the trace of a run that was left alone.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{History, StatementId, TransactionStatus};
use crate::pg::purpose::Purpose;
use crate::pg::syntax::Kind;
use crate::pg::{LockMode, StatementKeys};
use crate::trial::{Fault, FaultKind, InjectionPoint};

use super::super::trace::{StatementRecord, Trace};

/// A statement that ends sooner is over before a fault can be injected while it works.
const TOOK_MIN: Micros = Micros::from_millis(2);

/// A fault that a statement leaves room for, and what injecting it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeasibleFault {
    /// Kind and place.
    pub fault: Fault,
    /// What has to be there for it.
    pub needs: Needs,
}

/// What injecting a fault needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing but the statement.
    Nothing,
    /// Another session that holds this lock on these relations meanwhile.
    /// The statement has to wait for a lock on one of these.
    Lock {
        /// Qualified names, any of which serves.
        relations: Vec<String>,
        /// A mode that conflicts with the statement's own.
        mode: LockMode,
    },
    /// The moment before the statement is sent: once it runs, it is over too soon.
    Boundary,
    /// The moment before this statement, the one after, is sent.
    Next(StatementId),
}

/// Every fault that the statements of the undisturbed run leave room for, in their order. Of a
/// statement that is repeated more than three times, the first, the last, and the one in the
/// middle have faults.
pub fn faults(history: &History, kinds: &[FaultKind]) -> Vec<FeasibleFault> {
    let timeline = Trace::of(history);
    let Some(attempt) = timeline.change() else { return Vec::new() };
    let relations = tables(&timeline);
    let rounds = rounds(&attempt.statements);
    let mut found = Vec::new();
    let nth = numbered(&attempt.statements);
    for (index, record) in attempt.statements.iter().enumerate() {
        let skipped = rounds.get(&index).is_some_and(|skipped| *skipped);
        if skipped || !can_matter(&attempt.statements, index) {
            continue;
        }
        let next = attempt.statements.get(index + 1).filter(|_| leaves_committed(record));
        for kind in kinds {
            let mut feasible = feasible(record, *kind, &relations, next);
            if let Some(feasible) = &mut feasible {
                feasible.fault.at.key.nth = nth[index];
            }
            found.extend(feasible);
        }
    }
    found
}

/// A statement of the undisturbed run, for faults at a moment of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its number within the attempt.
    pub statement: StatementId,
    /// Its text.
    pub text: String,
    /// Which of the statements with this text it is, from 0.
    pub nth: u32,
    /// How long it ran, undisturbed.
    pub took: Micros,
}

/// The statements that can matter, in their order.
pub fn spans(history: &History) -> Vec<Span> {
    let timeline = Trace::of(history);
    let Some(attempt) = timeline.change() else { return Vec::new() };
    let statements = &attempt.statements;
    let nth = numbered(statements);
    let mattering = (0..statements.len()).filter(|index| can_matter(statements, *index));
    let span = |index: usize| Span {
        statement: statements[index].began.statement,
        text: statements[index].began.text.clone(),
        nth: nth[index],
        took: took(&statements[index]),
    };
    mattering.map(span).collect()
}

/// Of each statement, how many before it have its text, whatever its constants.
fn numbered(statements: &[StatementRecord<'_>]) -> Vec<u32> {
    let mut keys = StatementKeys::default();
    statements.iter().map(|record| keys.next(None, &record.began.text).nth).collect()
}

fn took(record: &StatementRecord<'_>) -> Micros {
    record.ended.map_or(Micros::ZERO, |ended| ended.ended_us - ended.began_us)
}

/// A fault in what only sets up, reads or begins is the same as one before what follows it, and so
/// is one in a COMMIT of nothing else.
fn can_matter(statements: &[StatementRecord<'_>], index: usize) -> bool {
    let record = &statements[index];
    match record.purpose() {
        Purpose::Work => true,
        Purpose::Transaction => {
            *record.kind() == Kind::Commit && record.open_before() && ends_work(statements, index)
        }
        Purpose::Setting | Purpose::Read => false,
    }
}

/// Whether the transaction that is open before the statement has done work.
fn ends_work(statements: &[StatementRecord<'_>], index: usize) -> bool {
    let connection = statements[index].began.connection;
    let earlier = statements[..index].iter().rev().filter(|s| s.began.connection == connection);
    earlier.take_while(|s| s.open_after()).any(|s| s.purpose() == Purpose::Work)
}

/// Whether the statement left something behind that no rollback takes away.
fn leaves_committed(record: &StatementRecord<'_>) -> bool {
    let idle = |ended: &&crate::history::StatementEnded| {
        ended.transaction == TransactionStatus::Idle && ended.error.is_none()
    };
    record.ended.as_ref().is_some_and(idle)
}

fn feasible(
    record: &StatementRecord<'_>,
    kind: FaultKind,
    relations: &[String],
    next: Option<&StatementRecord<'_>>,
) -> Option<FeasibleFault> {
    let works = record.purpose() == Purpose::Work;
    match kind {
        FaultKind::CutBefore | FaultKind::CutAfter => Some(plain(record, kind)),
        FaultKind::Cancel if works && took(record) >= TOOK_MIN => Some(plain(record, kind)),
        FaultKind::Cancel => None,
        FaultKind::KillBackend if works && took(record) >= TOOK_MIN => Some(plain(record, kind)),
        FaultKind::KillBackend => {
            Some(FeasibleFault { needs: Needs::Boundary, ..plain(record, kind) })
        }
        FaultKind::LockTimeout if works => {
            let needs = blocked(record, relations)?;
            Some(FeasibleFault { needs, ..plain(record, kind) })
        }
        FaultKind::LockTimeout => None,
        FaultKind::KillRunner => {
            let needs = Needs::Next(next?.began.statement);
            Some(FeasibleFault { needs, ..plain(record, kind) })
        }
    }
}

fn plain(record: &StatementRecord<'_>, kind: FaultKind) -> FeasibleFault {
    let at = InjectionPoint::new(record.began.statement, record.began.text.clone(), 0);
    FeasibleFault { fault: Fault { kind, at }, needs: Needs::Nothing }
}

/// A writer that stays open is what DDL meets. It does not stop CREATE INDEX CONCURRENTLY at the
/// door: that one has made its index by then and waits for the writer's end. What writes rows
/// waits for a lock that blocks all writes.
fn blocked(record: &StatementRecord<'_>, relations: &[String]) -> Option<Needs> {
    let asked = record.facts().strongest_lock();
    let mode = match (writes_rows(record), record.kind(), asked) {
        (true, ..) => LockMode::ShareLock,
        // Writers do not stop VALIDATE CONSTRAINT and its kind.
        (false, Kind::AlterTable, Some(LockMode::ShareUpdateExclusiveLock)) => {
            LockMode::ShareUpdateExclusiveLock
        }
        _ => LockMode::RowExclusiveLock,
    };
    let taken = record.ended.map(|ended| ended.taken.as_slice()).unwrap_or_default();
    let strong = taken.iter().filter(|lock| lock.mode.conflicts_with(mode));
    // An index cannot be locked from outside.
    let tables = strong.filter_map(|lock| Some((lock.mode, table(&lock.relation, relations)?)));
    let strongest = tables.max_by_key(|(mode, _)| *mode).map(|(_, table)| vec![table.clone()]);
    // A statement that commits by itself holds nothing any more when its locks are read.
    let unseen = || (!record.open_after()).then(|| relations.to_vec());
    let relations = strongest.or_else(unseen).filter(|relations| !relations.is_empty())?;
    Some(Needs::Lock { relations, mode })
}

fn writes_rows(record: &StatementRecord<'_>) -> bool {
    let says = |words: &[&str]| {
        let text = record.began.text.to_lowercase();
        words.iter().any(|word| text.contains(word))
    };
    match record.kind() {
        Kind::Insert | Kind::Update | Kind::Delete | Kind::Select => true,
        Kind::Do => says(&["insert into", "update ", "delete from"]) && !says(&["alter table"]),
        _ => false,
    }
}

/// A relation as the server shows it, without its schema where that is on the search path, among
/// the tables.
fn table<'t>(relation: &str, tables: &'t [String]) -> Option<&'t String> {
    let bare = |table: &&String| table.rsplit('.').next() == Some(relation);
    tables.iter().find(|table| *table == relation).or_else(|| tables.iter().find(bare))
}

/// Tables that were there before the change, with their schemas.
fn tables(timeline: &Trace<'_>) -> Vec<String> {
    let Some(before) = timeline.catalogue_before() else { return Vec::new() };
    let foreign = |properties: &BTreeMap<String, String>| {
        properties.get("kind").is_some_and(|kind| kind == "foreign table")
    };
    let lockable = before.objects.iter().filter(|(_, properties)| !foreign(properties));
    lockable.filter_map(|(object, _)| object.strip_prefix("table ")).map(str::to_owned).collect()
}

/// What a transaction has said so far.
#[derive(Default)]
struct Said<'r> {
    /// Each text once, with its short form and that of all texts before it.
    texts: BTreeMap<&'r str, usize>,
    last: usize,
}

/// How many statements were left out as rounds like others.
pub fn rounds_left_out(history: &History) -> u64 {
    let timeline = Trace::of(history);
    let left = timeline.change().map(|attempt| {
        let rounds = rounds(&attempt.statements);
        let left = rounds
            .iter()
            .filter(|(index, skipped)| **skipped && can_matter(&attempt.statements, **index));
        left.count() as u64
    });
    left.unwrap_or(0)
}

/// Statements of more than three rounds: by index, whether it is left out. Equal texts are rounds
/// of one statement only where what their transactions said before is equal too: every COMMIT
/// reads the same.
fn rounds(statements: &[StatementRecord<'_>]) -> BTreeMap<usize, bool> {
    let mut known: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut said: BTreeMap<u32, Said<'_>> = BTreeMap::new();
    let mut same: BTreeMap<(u32, usize), Vec<usize>> = BTreeMap::new();
    for (index, record) in statements.iter().enumerate() {
        let (connection, text) = (record.began.connection, record.began.text.as_str());
        let said = said.entry(connection).or_default();
        if !record.open_before() {
            *said = Said::default();
        }
        let number = *said.texts.entry(text).or_insert_with(|| {
            let next = known.len() + 1;
            said.last = *known.entry((said.last, text)).or_insert(next);
            said.last
        });
        same.entry((connection, number)).or_default().push(index);
    }
    let mut rounds = BTreeMap::new();
    for indexes in same.into_values().filter(|indexes| indexes.len() > 3) {
        let kept = [0, indexes.len() / 2, indexes.len() - 1];
        for (round, index) in indexes.iter().enumerate() {
            rounds.insert(*index, !kept.contains(&round));
        }
    }
    rounds
}
