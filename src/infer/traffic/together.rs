//! Short transactions over neighbours, in both orders: what two releases, or a web request and a
//! worker, do to the same two tables.

use super::draft::Draft;
use super::new_row::into;
use super::reads::parent;
use super::subject::Subject;
use super::writes::changing;

/// Below so many rows two transactions in opposite orders meet on the same two rows too often, and
/// would end in a deadlock without any change.
const ROWS_MIN: u64 = 1_000;

/// For each table that this one refers to: its row and the other's in one order, and in the other.
pub fn transactions(child: &Subject<'_>, subjects: &[Subject<'_>]) -> Vec<Draft> {
    let mut known = Vec::new();
    let mut found = Vec::new();
    for foreign in child.foreign_keys() {
        let Some(parent) = parent(foreign, subjects) else { continue };
        let itself = parent.table.oid == child.table.oid;
        if itself || known.contains(&parent.table.oid) {
            continue;
        }
        known.push(parent.table.oid);
        let both = child.rows().min(parent.rows()) >= ROWS_MIN;
        found.extend(in_order("first-parent", parent, child, child));
        if both {
            found.extend(in_order("first-child", child, parent, child));
        }
    }
    found
}

/// A change of a row of the first, then of the second; the child's may be a new row instead.
fn in_order(
    name: &str,
    first: &Subject<'_>,
    second: &Subject<'_>,
    child: &Subject<'_>,
) -> Option<Draft> {
    let mut draft = Draft::new(&format!("{name}-{}-{}", first.name(), second.name()));
    for subject in [first, second] {
        let is_child = subject.table.oid == child.table.oid;
        let mut changed = draft.clone();
        let mut added = draft.clone();
        draft = match (changing(&mut changed, subject, true), is_child) {
            (Ok(_), _) => changed,
            (Err(_), true) => into(&mut added, subject).ok().map(|_| added)?,
            (Err(_), false) => return None,
        };
    }
    Some(draft)
}
