//! How large a seeded database will be, roughly, before anything is started.

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
    let tables = plan.scenario.tables.iter().map(|table| table_bytes(plan, table));
    (tables.sum::<f64>() + EMPTY_DATABASE_BYTES) as u64
}

fn table_bytes(plan: &Plan, table: &Table) -> f64 {
    let columns: f64 =
        table.columns.iter().map(|c| width(&c.generator) * (1.0 - c.null_fraction)).sum();
    let scripts = [&plan.scenario.schema, &plan.scenario.indexes];
    let statements = scripts.into_iter().flat_map(|script| &script.statements);
    let indexes = statements.filter(|s| makes_index(&s.text, &table.name)).count();
    let row = (ROW_OVERHEAD_BYTES + columns) * FILL + INDEX_ENTRY_BYTES * indexes as f64;
    row * plan.sizes.rows(&table.name) as f64
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

/// Whether a statement seems to build an index on the table: a primary key or an index that
/// names it.
fn makes_index(text: &str, table: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let builds = ["create index", "create unique index", "primary key", "unique"];
    let table = table.rsplit('.').next().unwrap_or(table).to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    builds.iter().any(|words| text.contains(words)) && words.any(|word| word == table)
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
        assert_eq!(makes_index(text, "public.spans"), seen);
    }
}
