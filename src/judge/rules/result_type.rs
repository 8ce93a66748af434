//! Which columns gave a prepared statement another result type (0A000).

use std::collections::BTreeSet;

use crate::pg::facts::{RelationName, facts, returns_all_columns};
use crate::pg::lex::{TokenKind, tokens};
use crate::result::evidence::{FailureCount, OperationFailure};
use crate::schema::{Difference, differences};

use super::Evidence;

/// Of the operations that failed so: the columns that they name, of tables that they use, and all
/// of those tables where they return `*`.
pub fn columns(evidence: &Evidence<'_, '_>, causes: &[FailureCount]) -> Vec<Difference> {
    let failed: BTreeSet<&str> = causes
        .iter()
        .filter(|c| is_cached_plan(&c.failure))
        .map(|c| c.operation.as_str())
        .collect();
    let snapshots = evidence.trace.catalogue_before().zip(evidence.trace.catalogue_after_change());
    let Some((before, after)) = snapshots.filter(|_| !failed.is_empty()) else { return Vec::new() };
    let differences = differences(&before.objects, &after.objects);
    let operations = &evidence.scenario.traffic.operations;
    let failed = operations.iter().filter(|operation| failed.contains(operation.name.as_str()));
    let uses: Vec<Use> =
        failed.flat_map(|o| o.statements.iter().map(|s| Use::of(&s.sql))).collect();
    let returned = |d: &Difference| uses.iter().any(|one| one.returns(d));
    differences.into_iter().filter(returned).collect()
}

fn is_cached_plan(failure: &OperationFailure) -> bool {
    matches!(failure, OperationFailure::Error(error) if error.is_cached_plan())
}

/// What a statement uses and returns.
struct Use {
    relations: Vec<RelationName>,
    words: BTreeSet<String>,
    all_columns: bool,
}

impl Use {
    fn of(sql: &str) -> Use {
        let facts = facts(sql);
        let relations = facts.named_locks().map(|(name, _)| name.clone());
        let named = |kind| matches!(kind, TokenKind::Word | TokenKind::QuotedIdent);
        let tokens = tokens(sql).unwrap_or_default().into_iter().filter(|t| named(t.kind));
        let word = |text: &str| match text.strip_prefix('"') {
            Some(quoted) => quoted.trim_end_matches('"').to_owned(),
            None => text.to_lowercase(),
        };
        Use {
            relations: relations.collect(),
            words: tokens.map(|token| word(token.text(sql))).collect(),
            all_columns: returns_all_columns(sql),
        }
    }

    fn returns(&self, difference: &Difference) -> bool {
        let Some(column) = difference.object.strip_prefix("column ") else { return false };
        let Some((table, name)) = column.rsplit_once('.') else { return false };
        let (table, name) = (RelationName::unquoted(table), RelationName::unquoted(name).name);
        let is_used = self.relations.iter().any(|relation| relation.may_be(&table));
        let is_other = match difference.property.as_str() {
            "type" | "collation" => self.all_columns || self.words.contains(&name),
            "object" => self.all_columns,
            _ => false,
        };
        is_used && is_other
    }
}
