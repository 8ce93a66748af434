//! How many rows each table gets: as many as is said, or in proportion to another database's.

use std::collections::BTreeMap;

use super::super::catalogue::{Catalogue, ConstraintKind, Oid, Table};
use super::super::own_rows::OwnRows;
use super::read::Statistics;

/// Rows that a table keeps at least, where the real one has so many.
const ROWS_MIN: f64 = 100.0;

/// Rows by table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Of a table that is not named.
    pub default: u64,
    /// By the table's name with its schema.
    pub of: BTreeMap<String, u64>,
    /// Tables that keep the rows which the schema's own script put in them, unless they are in
    /// `of`: lists of codes, and what a migration tool keeps.
    pub own: BTreeMap<String, OwnRows>,
}

impl Rows {
    /// Rows of a table, by its name with its schema.
    pub fn of(&self, table: &str) -> u64 {
        self.of.get(table).copied().unwrap_or(self.default)
    }
}

/// Rows per table in proportion to the statistics: the largest table gets `most`, or as many as it
/// has, the others the same share of theirs, but 100 where they have so many. Partitions count for
/// what they are partitions of. A table of which the number of rows is not known is not named.
pub fn rows(catalogue: &Catalogue, statistics: &Statistics, most: u64) -> BTreeMap<String, u64> {
    let own: Vec<&Table> = catalogue.seeded().collect();
    let tuples = |table: &&Table| {
        let whole = statistics.whole(table)?;
        Some((table.oid, whole.tuples?))
    };
    let known: BTreeMap<Oid, f64> = own.iter().filter_map(tuples).collect();
    let largest = known.values().copied().fold(0.0, f64::max);
    let share = if largest > 0.0 { (most as f64 / largest).min(1.0) } else { 0.0 };
    let scaled = |tuples: f64| (tuples * share).max(tuples.min(ROWS_MIN)).round() as u64;
    let mut rows: BTreeMap<Oid, u64> =
        known.iter().map(|(oid, tuples)| (*oid, scaled(*tuples).min(most))).collect();
    // A table that was empty when it was analysed, and has rows now that others refer to.
    for _ in 0..own.len() {
        let filled = |table: &&&Table| rows.get(&table.oid).copied().unwrap_or(most) > 0;
        let needed = own.iter().filter(filled).flat_map(|table| needed(table));
        let empty: Vec<Oid> = needed.filter(|target| rows.get(target) == Some(&0)).collect();
        if empty.is_empty() {
            break;
        }
        rows.extend(empty.into_iter().map(|target| (target, (ROWS_MIN as u64).min(most))));
    }
    let named = own.iter().filter_map(|table| Some((table.seeded_name(), *rows.get(&table.oid)?)));
    named.collect()
}

/// Tables to which each row of this one refers.
fn needed(table: &Table) -> Vec<Oid> {
    let is_there = |number: &i16| table.column(*number).is_some_and(|column| column.not_null);
    let keys = table.constraints.iter().filter(|c| c.kind == ConstraintKind::ForeignKey);
    let keys = keys.filter(|key| key.columns.iter().all(is_there));
    keys.filter_map(|key| key.refers.as_ref()).map(|refers| refers.table).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::catalogue::{Column, Constraint, Referred};
    use super::super::read::TableStatistics;
    use super::*;

    fn named(oid: Oid, name: &str) -> Table {
        Table { oid, schema: "public".to_owned(), name: name.to_owned(), ..Table::default() }
    }

    fn known(name: &str, tuples: Option<f64>) -> TableStatistics {
        let (schema, name) = ("public".to_owned(), name.to_owned());
        TableStatistics { schema, name, tuples, ..TableStatistics::default() }
    }

    fn of(tables: Vec<Table>, known: Vec<TableStatistics>, most: u64) -> Vec<(String, u64)> {
        let catalogue = Catalogue { tables, ..Catalogue::default() };
        let statistics = Statistics { tables: known, ..Statistics::default() };
        let found = rows(&catalogue, &statistics, most);
        let short = |name: String| name.trim_start_matches("public.").to_owned();
        found.into_iter().map(|(name, rows)| (short(name), rows)).collect()
    }

    fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
        expected.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect()
    }

    #[rstest::rstest]
    #[case::scaled(10_000, &[("a", 10_000), ("b", 1_000), ("c", 100), ("d", 7), ("e", 0)])]
    #[case::as_large_as_it_is(
        5_000_000,
        &[("a", 1_000_000), ("b", 100_000), ("c", 5_000), ("d", 7), ("e", 0)]
    )]
    #[case::smaller_than_the_least(50, &[("a", 50), ("b", 50), ("c", 50), ("d", 7), ("e", 0)])]
    fn rows_are_in_proportion(#[case] most: u64, #[case] expected: &[(&str, u64)]) {
        let tables = (1..).zip(["a", "b", "c", "d", "e", "f"]).map(|(oid, n)| named(oid, n));
        let statistics = [("a", 1e6), ("b", 1e5), ("c", 5e3), ("d", 7.0), ("e", 0.0)];
        let mut statistics: Vec<TableStatistics> =
            statistics.iter().map(|(name, tuples)| known(name, Some(*tuples))).collect();
        statistics.push(known("f", None));
        assert_eq!(of(tables.collect(), statistics, most), pairs(expected));
    }

    #[test]
    fn rows_of_partitions_are_those_of_the_whole() {
        let whole = Table { partitioned: true, ..named(1, "event") };
        let part = |oid, name| Table {
            bound: Some("DEFAULT".to_owned()),
            parents: vec![1],
            ..named(oid, name)
        };
        let tables = vec![whole, part(2, "event_1"), part(3, "event_2"), named(4, "other")];
        let root = Some(("public".to_owned(), "event".to_owned()));
        let leaf = |name, tuples| TableStatistics { root: root.clone(), ..known(name, tuples) };
        let top = |tuples| TableStatistics { partitioned: true, ..known("event", tuples) };
        let rows = |top, parts: [Option<f64>; 2]| {
            let [one, two] = parts;
            let statistics = vec![
                top,
                leaf("event_1", one),
                leaf("other_name", two),
                known("other", Some(10.0)),
            ];
            of(tables.clone(), statistics, 1_000_000)
        };
        let expected = |rows| pairs(&[("event", rows), ("other", 10)]);
        assert_eq!(rows(top(None), [Some(300.0), Some(20.0)]), expected(320));
        assert_eq!(rows(top(Some(7.0)), [Some(300.0), Some(20.0)]), expected(320));
        assert_eq!(rows(top(Some(500.0)), [Some(300.0), None]), expected(500));
        assert_eq!(rows(top(Some(500.0)), [None, None]), expected(500));
        assert_eq!(rows(top(None), [None, None]), pairs(&[("other", 10)]));
    }

    #[test]
    fn a_table_that_rows_refer_to_is_not_empty() {
        let key = |column: &str| Constraint {
            name: "key".to_owned(),
            kind: ConstraintKind::ForeignKey,
            columns: vec![1],
            expression: None,
            definition: column.to_owned(),
            validated: true,
            deferrable: false,
            refers: Some(Referred {
                table: 2,
                columns: vec![1],
                match_full: false,
                cascades: false,
            }),
            index: None,
            operators: Vec::new(),
        };
        let refers = |not_null| {
            let columns = vec![Column { number: 1, not_null, ..Column::default() }];
            Table { columns, constraints: vec![key("a")], ..named(1, "orders") }
        };
        let statistics = || vec![known("orders", Some(500.0)), known("customers", Some(0.0))];
        let tables = |not_null| vec![refers(not_null), named(2, "customers")];
        let filled = pairs(&[("customers", 100), ("orders", 500)]);
        assert_eq!(of(tables(true), statistics(), 1_000), filled);
        let empty = pairs(&[("customers", 0), ("orders", 500)]);
        assert_eq!(of(tables(false), statistics(), 1_000), empty);
    }
}
