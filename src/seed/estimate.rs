//! How large a seeded database will be, roughly, before anything is started.

use std::collections::{HashMap, HashSet};

use crate::scenario::{FakeKind, Generator, Table};

use super::Plan;

/// A tuple's header and its line pointer.
const ROW_OVERHEAD_BYTES: f64 = 28.0;
/// An index entry on a uuid's text: the commonest key, and a wide one.
const INDEX_ENTRY_BYTES: f64 = 64.0;
/// Text of a uuid with its length.
const UUID_BYTES: f64 = 37.0;
/// A text that a pattern describes: a code, a number with a prefix.
const PATTERN_BYTES: f64 = 16.0;
/// What a database holds before there is a table in it.
const EMPTY_DATABASE_BYTES: f64 = 8e6;
/// Pages are never quite full.
const FILL: f64 = 1.05;

/// Bytes of one copy of the plan's database: tables and indexes, no WAL.
pub fn estimated_bytes(plan: &Plan) -> u64 {
    let scripts = [&plan.scenario.schema, &plan.scenario.indexes];
    let statements = scripts.into_iter().flat_map(|script| &script.statements);
    let mut indexes: HashMap<String, usize> = HashMap::new();
    for word in statements.flat_map(|statement| indexed(&statement.text)) {
        *indexes.entry(word).or_default() += 1;
    }
    let tables = plan.scenario.tables.iter().map(|table| {
        let built = indexes.get(&bare(&table.name)).copied().unwrap_or_default();
        row_bytes(table, built) * plan.sizes.rows(&table.name) as f64
    });
    (tables.sum::<f64>() + EMPTY_DATABASE_BYTES) as u64
}

/// Bytes of a row with its entries in so many indexes.
fn row_bytes(table: &Table, indexes: usize) -> f64 {
    let columns: f64 =
        table.columns.iter().map(|c| width(&c.generator) * (1.0 - c.null_fraction)).sum();
    (ROW_OVERHEAD_BYTES + columns) * FILL + INDEX_ENTRY_BYTES * indexes as f64
}

/// Average bytes of a value.
fn width(generator: &Generator) -> f64 {
    match generator {
        Generator::Uuid | Generator::Reference { .. } => UUID_BYTES,
        Generator::Serial
        | Generator::Integer { .. }
        | Generator::Timestamp { .. }
        | Generator::Now => 8.0,
        Generator::Fake { kind, .. } => match kind {
            FakeKind::Word => 8.0,
            FakeKind::Name | FakeKind::Street => 16.0,
            FakeKind::Email | FakeKind::Company => 24.0,
            FakeKind::Sentence => 60.0,
        },
        Generator::Json { min_bytes, max_bytes } => {
            let (low, high) = (f64::from((*min_bytes).max(2)), f64::from((*max_bytes).max(2)));
            if high > low { (high - low) / (high / low).ln() } else { low }
        }
        Generator::Choice { values, .. } => {
            values.iter().map(String::len).sum::<usize>() as f64 / values.len().max(1) as f64 + 1.0
        }
        Generator::Constant { value } => value.len() as f64 + 1.0,
        Generator::Pool { values, .. } => {
            let bytes: usize = values.iter().flatten().map(String::len).sum();
            bytes as f64 / values.len().max(1) as f64 + 1.0
        }
        Generator::Pattern { .. } => PATTERN_BYTES,
        Generator::Decimal { .. } => 8.0,
        Generator::Repeated { of, .. } => width(of),
        Generator::Numbered { template } => template.len() as f64 + 1.0,
    }
}

/// The words of a statement that seems to build an index, a primary key included: its table is one
/// of them. Of any other statement none.
fn indexed(text: &str) -> HashSet<String> {
    let text = text.to_ascii_lowercase();
    let builds = ["create index", "create unique index", "primary key", "unique"];
    if !builds.iter().any(|words| text.contains(words)) {
        return HashSet::new();
    }
    text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect()
}

/// A table's name without its schema.
fn bare(table: &str) -> String {
    table.rsplit('.').next().unwrap_or(table).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("CREATE INDEX a ON public.spans (b)", true)]
    #[case("CREATE TABLE spans (id text PRIMARY KEY)", true)]
    #[case("CREATE INDEX ix_spans ON tasks (b)", false)]
    #[case("CREATE TABLE spans (id text)", false)]
    fn an_index_is_seen_by_its_statement(#[case] text: &str, #[case] seen: bool) {
        assert_eq!(indexed(text).contains(&bare("public.spans")), seen);
    }
}
