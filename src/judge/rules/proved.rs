//! Which valid CHECKs a table has when a statement begins: what one of them proves, the server does
//! not read the rows for.

use std::collections::BTreeMap;

use crate::pg::facts::{Proof, RelationName, proof_of, proofs, words_of_key};

use super::super::trace::StatementRecord;
use super::Evidence;

/// CHECKs of a table by name.
struct Checks(BTreeMap<String, Check>);

struct Check {
    /// Columns that are not NULL by it.
    columns: Vec<String>,
    /// Every word of it.
    words: Vec<String>,
    valid: bool,
}

/// Whether valid CHECKs say that each column is not NULL that the statement makes NOT NULL.
pub fn has_no_null(
    evidence: &Evidence<'_, '_>,
    record: &StatementRecord<'_>,
    table: &RelationName,
) -> bool {
    let mut checks = Checks::when_begun(evidence, record, table);
    let mut needed = Vec::new();
    // In one statement DROP comes first, VALIDATE last.
    for proof in proofs(&record.began.text) {
        match proof {
            Proof::Dropped(constraint) => drop(checks.0.remove(&constraint)),
            Proof::Needed(column) => needed.push(column),
            Proof::Added { .. } | Proof::Validated(_) => {}
        }
    }
    let is_known = |column: &String| checks.valid().any(|check| check.columns.contains(column));
    !needed.is_empty() && needed.iter().all(is_known)
}

/// Whether a valid CHECK of a partition speaks of every column of the parent's partition key: then
/// it is taken for a proof that the rows are where they belong.
pub fn is_within_bounds(
    evidence: &Evidence<'_, '_>,
    record: &StatementRecord<'_>,
    (parent, partition): (Option<&RelationName>, &RelationName),
) -> bool {
    let of_parent = |object: &str| {
        let table = object.strip_prefix("table ").map(RelationName::unquoted);
        table.zip(parent).is_some_and(|(table, parent)| table.may_be(parent))
    };
    let before = evidence.trace.catalogue_before();
    let objects = before.into_iter().flat_map(|before| &before.objects);
    let mut parents = objects.filter(|(object, _)| of_parent(object));
    let key = parents.find_map(|(_, properties)| properties.get("partition key"));
    let key = key.map(|key| words_of_key(key)).unwrap_or_default();
    let speaks = |check: &Check| key.iter().all(|word| check.words.contains(word));
    Checks::when_begun(evidence, record, partition).valid().any(speaks)
}

impl Checks {
    /// Those of before the change, and what its statements made of them before this one.
    fn when_begun(
        evidence: &Evidence<'_, '_>,
        record: &StatementRecord<'_>,
        table: &RelationName,
    ) -> Checks {
        let mut checks = Checks::before(evidence, table);
        let done = |s: &&StatementRecord<'_>| {
            let is_of = |defined: &RelationName| defined.may_be(table);
            let succeeded = s.ended.is_some_and(|ended| ended.error.is_none());
            s.at < record.at
                && succeeded
                && s.facts().statements.iter().any(|f| f.defines.as_ref().is_some_and(is_of))
        };
        let statements = evidence.trace.statements().filter(done);
        for proof in statements.flat_map(|statement| proofs(&statement.began.text)) {
            checks.take(proof);
        }
        checks
    }

    fn before(evidence: &Evidence<'_, '_>, table: &RelationName) -> Checks {
        let mut checks = Checks(BTreeMap::new());
        let before = evidence.trace.catalogue_before();
        let objects = before.into_iter().flat_map(|before| &before.objects);
        for (object, properties) in objects {
            let Some(object) = object.strip_prefix("constraint ") else { continue };
            let Some((of, name)) = object.rsplit_once('.') else { continue };
            let Some(definition) = properties.get("definition") else { continue };
            if RelationName::unquoted(of).may_be(table) {
                let name = RelationName::unquoted(name).name;
                let is_valid = properties.get("convalidated").is_some_and(|valid| valid == "true");
                if let Some(Proof::Added { constraint, columns, words, .. }) =
                    proof_of(&name, definition)
                {
                    checks.0.insert(constraint, Check { columns, words, valid: is_valid });
                }
            }
        }
        checks
    }

    fn take(&mut self, proof: Proof) {
        match proof {
            Proof::Added { constraint, columns, words, valid } => {
                self.0.insert(constraint, Check { columns, words, valid });
            }
            Proof::Validated(constraint) => {
                self.0.entry(constraint).and_modify(|check| check.valid = true);
            }
            Proof::Dropped(constraint) => drop(self.0.remove(&constraint)),
            Proof::Needed(_) => {}
        }
    }

    fn valid(&self) -> impl Iterator<Item = &Check> {
        self.0.values().filter(|check| check.valid)
    }
}
