//! What a change is said to do on purpose and did not do: a mistake in the name, or a change that
//! is not what it was.

use crate::result::evidence::UnusedAccept;
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{LedgerRule, Meant, Verdict};

use super::Evidence;
use super::touched::untried;

/// Of a change that finished; of one that did not, nothing is expected.
pub fn unused(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    if evidence.first_success().is_none() || evidence.begins_empty() {
        return Vec::new();
    }
    let unused = evidence.scenario.accept.iter().filter(|one| !covers(evidence, one));
    let finding =
        |one: &Meant| Finding::new(Verdict::Safe, Subject::none(), Shown::AcceptUnused(named(one)));
    unused.map(finding).collect()
}

fn named(one: &Meant) -> UnusedAccept {
    let difference = one.difference.as_ref().map(ToString::to_string);
    let texts = [("rows", &one.rows), ("values", &one.values), ("difference", &difference)];
    let set = texts.into_iter().find_map(|(key, text)| Some((key, text.clone()?)));
    match set {
        Some((key, names)) => UnusedAccept { key: key.to_owned(), names: Some(names) },
        None => UnusedAccept { key: "no_rows".to_owned(), names: None },
    }
}

/// Whether something happened that it is about.
fn covers(evidence: &Evidence<'_, '_>, one: &Meant) -> bool {
    if one.no_rows {
        return untried(evidence).is_some();
    }
    if let Some(difference) = &one.difference {
        // Without both catalogues nothing is known.
        let Some(schema) = &evidence.schema else { return true };
        return schema.differences.iter().any(|d| difference.covers(&d.object, &d.property));
    }
    if remembered(evidence, one) {
        return true;
    }
    let mut tables = evidence.trace.contents_change.into_iter().flat_map(|change| &change.tables);
    tables.any(|table| {
        let columns = table.columns.iter().filter(|column| column.changed > 0);
        let columns = columns.map(|column| column.column.as_str());
        let mut columns = columns.chain(table.dropped.iter().map(|c| c.column.as_str()));
        let rows = (table.gone > 0 || table.added > 0) && one.covers_rows(&table.table);
        let whole = table.replaced > 0 && one.covers_values(&table.table, "");
        rows || whole || columns.any(|column| one.covers_values(&table.table, column))
    })
}

/// Whether the ledger knows values that it is about, of which it then says nothing.
fn remembered(evidence: &Evidence<'_, '_>, one: &Meant) -> bool {
    let rules = evidence.scenario.traffic.operations.iter().filter_map(|o| o.ledger.as_ref());
    rules.into_iter().any(|rule| match rule {
        LedgerRule::Insert { table, set, .. } | LedgerRule::Update { table, set, .. } => {
            set.keys().any(|column| one.covers_values(table, column))
        }
        LedgerRule::Delete { .. } => false,
    })
}
