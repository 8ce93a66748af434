//! A table that the change copies and puts the copy in its place: what is written meanwhile is in
//! neither.

use crate::history::{LedgerMismatch, OperationOutcome};
use crate::pg::facts::{Relation, RelationName, Work, works};
use crate::result::evidence::ReplacedTable;

use super::super::outcomes::name;
use super::super::trace::StatementRecord;
use super::Evidence;

/// Of the table to which the lost write went.
pub fn table(evidence: &Evidence<'_, '_>, lost: &LedgerMismatch) -> Option<ReplacedTable> {
    let table = RelationName::of(&lost.table);
    let done: Vec<&StatementRecord<'_>> =
        evidence.trace.statements().filter(|record| record.succeeded()).collect();
    let gone = *done.iter().find(|record| removes(record, &table))?;
    let copies = |record: &&&StatementRecord<'_>| {
        record.at < gone.at && record.session == gone.session && copies(record, &table)
    };
    let copy = *done.iter().rev().find(copies)?;
    let (from, to) = (copy.span(evidence.trace.end).0, gone.span(evidence.trace.end).1);
    let meanwhile = evidence.trace.operations.iter().filter(|operation| {
        name(evidence.scenario, operation) == lost.operation
            && operation.outcome == OperationOutcome::Succeeded
            && from <= operation.finished_us
            && operation.finished_us <= to
    });
    let meanwhile = meanwhile.count() as u64;
    let (copy, gone) = (evidence.refer(copy), evidence.refer(gone));
    (meanwhile > 0).then_some(ReplacedTable { copy, gone, meanwhile })
}

/// DROP TABLE, or a new name for it.
fn removes(record: &StatementRecord<'_>, table: &RelationName) -> bool {
    let text = works(&record.began.text);
    let is = |work: &Work| matches!(work, Work::Drop | Work::Rename);
    text.iter().any(is) && names(record, table)
}

/// It reads the table and writes another one.
fn copies(record: &StatementRecord<'_>, table: &RelationName) -> bool {
    let writes = record.facts().statements.iter().any(|facts| {
        let others = facts.writes.iter().chain(&facts.defines);
        !facts.writes_to(table) && others.into_iter().any(|other| !other.may_be(table))
    });
    writes && names(record, table)
}

fn names(record: &StatementRecord<'_>, table: &RelationName) -> bool {
    record.facts().locks().any(|lock| match &lock.relation {
        Relation::Named(name) => name.may_be(table),
        _ => false,
    })
}
