//! What the tables that stay promise no more, or otherwise.

use crate::result::Subject;
use crate::result::evidence::{
    ChangedConstraints, ForeignKeyActions, GoneConstraint, UnindexedKey,
};

use super::words::relation;

pub fn changed(of: &ChangedConstraints, subject: &Subject) -> String {
    let table = relation(subject);
    let gone = |gone: &GoneConstraint| {
        format!("nothing enforces {} any more: {}", gone.name, gone.definition)
    };
    let action = |text: &str| match text {
        "" => "no action".to_owned(),
        text => text.to_owned(),
    };
    let acts = |key: &ForeignKeyActions| {
        format!(
            "{} acts otherwise: {}, before: {}",
            key.name,
            action(&key.after),
            action(&key.before)
        )
    };
    let unindexed = |key: &UnindexedKey| {
        format!(
            "no index begins with {}: each DELETE of a row of {} reads all of {table} ({})",
            key.columns, key.refers_to, key.name
        )
    };
    let parts = of.gone.iter().map(gone).chain(of.actions.iter().map(acts));
    let parts: Vec<String> = parts.chain(of.unindexed.iter().map(unindexed)).collect();
    format!("{table}: {}", parts.join("; "))
}
