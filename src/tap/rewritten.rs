//! Which relations a statement outside a transaction may give new storage.

use std::collections::BTreeSet;

use crate::pg::facts::{AskedLock, Certainty, Relation, StatementFacts, facts};

/// Relations whose storage is read, to find what a statement outside a transaction rewrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProbedRelations {
    /// The statement rewrites none.
    #[default]
    None,
    /// Those of these names in any schema, their indexes and their partitions. Without a schema:
    /// the change's search_path is its own.
    Named(Vec<String>),
    /// Every one of the database: the statement's text does not say which it may rewrite.
    All,
}

/// Which relations a statement outside a transaction may rewrite, as far as its text says. A
/// schema of ten thousand tables takes seventy times as long to read as one table of it.
pub fn rewritten_by(text: &str) -> ProbedRelations {
    let facts = facts(text);
    let mut rewriting = facts.statements.iter().filter(|of| may_rewrite(of)).peekable();
    if rewriting.peek().is_none() {
        return ProbedRelations::None;
    }
    // TRUNCATE goes on to tables that refer to those that it names.
    if text.to_ascii_lowercase().contains("cascade") {
        return ProbedRelations::All;
    }
    let names: Option<Vec<BTreeSet<String>>> = rewriting.map(named).collect();
    names.map_or(ProbedRelations::All, |names| {
        let all: BTreeSet<String> = names.into_iter().flatten().collect();
        ProbedRelations::Named(all.into_iter().collect())
    })
}

fn may_rewrite(of: &StatementFacts) -> bool {
    of.rewrites != Certainty::No || of.dynamic
}

/// Names of what the statement locks; None: the text does not name all of it.
fn named(of: &StatementFacts) -> Option<BTreeSet<String>> {
    let locks = of.locks.as_ref().filter(|locks| !locks.is_empty() && !of.dynamic)?;
    let name = |lock: &AskedLock| match &lock.relation {
        Relation::Named(relation) | Relation::OfIndex(relation) => Some(relation.name.clone()),
        _ => None,
    };
    locks.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_statement_may_rewrite_is_read() {
        let named = |names: &[&str]| {
            ProbedRelations::Named(names.iter().map(|name| (*name).to_owned()).collect())
        };
        let cases = [
            ("CREATE INDEX CONCURRENTLY i ON t (a)", ProbedRelations::None),
            ("COMMENT ON TABLE t IS 'x'", ProbedRelations::None),
            ("ALTER TABLE s.t ALTER a TYPE bigint", named(&["t"])),
            ("VACUUM (FULL) a, b", named(&["a", "b"])),
            ("REINDEX INDEX i", named(&["i"])),
            ("VACUUM (FULL)", ProbedRelations::All),
            ("TRUNCATE t CASCADE", ProbedRelations::All),
            ("ALTER DOMAIN d ADD CHECK (value > 0)", ProbedRelations::All),
            ("DO $$ BEGIN EXECUTE 'TRUNCATE t'; END $$", ProbedRelations::All),
            ("no SQL at all", ProbedRelations::All),
        ];
        for (text, expected) in cases {
            assert_eq!(rewritten_by(text), expected, "{text}");
        }
    }
}
