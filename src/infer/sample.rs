//! A table of which a sample is known: which columns belong together, and what may still be drawn.

use std::collections::BTreeSet;

use super::catalogue::{ConstraintKind, Table};
use super::draft::ColumnDraft;

/// Columns that a new row has no value for: those of a unique index that the server does not fill
/// in itself. Those of which a CHECK or a domain asks something get no values at all: what the
/// server takes of them was not asked.
pub(super) fn used_up(table: &Table, columns: &mut [ColumnDraft]) -> BTreeSet<usize> {
    let at = |number: &i16| table.columns.iter().position(|column| column.number == *number);
    let checks = table.constraints.iter().filter(|c| c.kind == ConstraintKind::Check);
    for checked in checks.flat_map(|check| &check.columns).filter_map(at) {
        columns[checked].profile.natural = None;
    }
    let unique = table.indexes.iter().filter(|index| index.unique);
    let unique = unique.flat_map(|index| index.columns.iter().filter_map(at));
    let made = |at: &usize| columns[*at].numbered || columns[*at].has_default;
    unique.filter(|at| !made(at)).collect()
}

/// Of the columns that were read, those of each key and of each reference: a value of one may stand
/// beside any value of another.
pub(super) fn groups(table: &Table, read: &[usize]) -> Vec<Vec<usize>> {
    let at = |number: &i16| table.columns.iter().position(|column| column.number == *number);
    let unique = table.indexes.iter().filter(|index| index.unique).map(|index| &index.columns);
    let referring = table.constraints.iter().filter(|c| c.refers.is_some()).map(|c| &c.columns);
    let mut groups: Vec<BTreeSet<usize>> = Vec::new();
    let alone = read.iter().map(|column| BTreeSet::from([*column]));
    let keys = unique.chain(referring).map(|numbers| numbers.iter().filter_map(at).collect());
    for group in keys.chain(alone) {
        let group: BTreeSet<usize> = group;
        let group: BTreeSet<usize> = group.into_iter().filter(|at| read.contains(at)).collect();
        let (joined, apart): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|known| !known.is_disjoint(&group));
        groups = apart;
        let group = joined.into_iter().fold(group, |all, one| all.union(&one).copied().collect());
        if !group.is_empty() {
            groups.push(group);
        }
    }
    groups.into_iter().map(|group| group.into_iter().collect()).collect()
}
