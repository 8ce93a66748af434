//! What is read of a database's statistics, and found again by the names of a schema.
//!
//! It is read in one query, as JSON ([`STATISTICS`]), from catalogues alone: no row of a table, and
//! of the values in rows only the least and the greatest of a number or a time, unless the common
//! ones are asked for.

use serde::Deserialize;

use super::super::catalogue::{Catalogue, Oid, Table};

/// The query whose one value, a JSON text, a [`Statistics`] is read from; for servers 14 to 18. Its
/// parameters say whether the most common values are wanted, of which tables (with a greater oid
/// than this), and of how many. `search_path` has to be empty, times in UTC and ISO's form.
pub const STATISTICS: &str = include_str!("../sql/statistics.sql");

/// What a database knows of its tables.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// The database's name.
    pub database: String,
    /// As whom it was read.
    pub role: String,
    /// When it was read, in UTC: `2026-01-31 12:00:00`.
    pub read_at: String,
    /// The greatest oid of a table that was read; None: there was none.
    pub last: Option<Oid>,
    /// Its tables and partitions, those without statistics as well.
    pub tables: Vec<TableStatistics>,
}

/// What is known of a table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableStatistics {
    /// Its schema's name.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether it is partitioned, so that only its partitions hold rows.
    pub partitioned: bool,
    /// Schema and name of what it is a partition of, at the top.
    pub root: Option<(String, String)>,
    /// `reltuples`; None: it was never analysed or vacuumed.
    pub tuples: Option<f64>,
    /// `relpages`.
    pub pages: i64,
    /// Whether the role may read a column of it: else `pg_stats` shows none.
    pub readable: bool,
    /// When it was analysed last, in UTC.
    pub analysed: Option<String>,
    /// How it is used, by the cumulative statistics; None: they do not know it.
    pub activity: Option<Activity>,
    /// Columns that were analysed.
    pub columns: Vec<ColumnStatistics>,
}

/// How a table was used since its counters were set to zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Scans that were begun, `seq_scan` and `idx_scan` together.
    pub scans: i64,
    /// `n_tup_ins`.
    pub inserts: i64,
    /// `n_tup_upd`.
    pub updates: i64,
    /// `n_tup_del`.
    pub deletes: i64,
}

/// What ANALYZE found of a column.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnStatistics {
    /// Its name.
    pub name: String,
    /// Its type, as `format_type` prints it.
    pub type_name: String,
    /// Share of NULLs, 0 to 1.
    pub null_fraction: f64,
    /// `n_distinct`: a count, below zero a share of all rows; 0: not known.
    pub distinct: f64,
    /// Average width in bytes.
    pub width: f64,
    /// Correlation of the values' order with that on disk, -1 to 1.
    pub correlation: Option<f64>,
    /// Shares of all rows that the most common values have, the most frequent first.
    pub frequencies: Vec<f64>,
    /// Least and greatest value of the histogram, as text, of a number or a time.
    pub bounds: Option<[String; 2]>,
    /// The most common values as text, in the order of their frequencies, if they were asked for.
    pub common: Vec<String>,
}

/// A table with all that its partitions hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Whole {
    /// Rows; None: they are not known.
    pub tuples: Option<f64>,
    /// When the table, or of its partitions the last one, was analysed.
    pub analysed: Option<String>,
    pub columns: Vec<ColumnStatistics>,
}

/// What of a schema and of the statistics has no counterpart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmatched {
    /// Tables of the schema that the statistics do not know.
    pub without: Vec<String>,
    /// Tables of the statistics that the schema does not have.
    pub unknown: Vec<String>,
}

impl Statistics {
    /// Adds what was read after it; whether there may be more.
    pub fn extend(&mut self, next: Statistics) -> bool {
        self.tables.extend(next.tables);
        self.last = next.last;
        self.last.is_some()
    }

    /// Why nothing can be learned from them, with the remedy.
    pub fn empty(&self) -> Option<String> {
        let Statistics { database, role, tables, .. } = self;
        let known = |table: &TableStatistics| table.tuples.is_some() || !table.columns.is_empty();
        if tables.is_empty() {
            return Some(format!("database {database} has no tables that {role} could see"));
        }
        if !tables.iter().any(known) {
            return Some(format!(
                "no table of database {database} was ever analysed: run ANALYZE there"
            ));
        }
        let hidden = |table: &TableStatistics| table.columns.is_empty();
        if tables.iter().all(hidden) && !tables.iter().any(|table| table.readable) {
            return Some(format!(
                "{role} may read no table of database {database}, and pg_stats shows columns only \
                 to those who may: GRANT pg_read_all_data TO {role}, or name another role"
            ));
        }
        // Empty tables have no statistics of columns.
        let filled = |table: &TableStatistics| table.tuples.is_some_and(|tuples| tuples > 0.0);
        if tables.iter().all(hidden) && tables.iter().any(filled) {
            return Some(format!(
                "pg_stats of database {database} shows no column to {role}: run ANALYZE there"
            ));
        }
        None
    }

    /// A table of that name, with all that its partitions hold; None: there is none.
    pub(super) fn whole(&self, table: &Table) -> Option<Whole> {
        let is_named =
            |known: &&TableStatistics| known.schema == table.schema && known.name == table.name;
        let own = self.tables.iter().find(is_named)?;
        if !own.partitioned {
            let TableStatistics { tuples, analysed, columns, .. } = own.clone();
            return Some(Whole { tuples, analysed, columns });
        }
        let is_leaf = |known: &&TableStatistics| {
            let root = known.root.as_ref().map(|(schema, name)| (schema.as_str(), name.as_str()));
            !known.partitioned && root == Some((own.schema.as_str(), own.name.as_str()))
        };
        Some(Whole::of(own, self.tables.iter().filter(is_leaf).collect()))
    }

    /// Tables of a schema that are known: the name with the schema, rows, and when the table was
    /// analysed last, in UTC.
    pub fn of_tables(&self, catalogue: &Catalogue) -> Vec<(String, Option<f64>, Option<String>)> {
        let known = catalogue.seeded().filter_map(|table| {
            let whole = self.whole(table).filter(Whole::is_known)?;
            Some((table.seeded_name(), whole.tuples, whole.analysed))
        });
        known.collect()
    }

    /// What has no counterpart, of tables that hold rows of their own.
    pub fn unmatched(&self, catalogue: &Catalogue) -> Unmatched {
        let known = |table: &&Table| self.whole(table).is_some_and(|whole| whole.is_known());
        let without = catalogue.seeded().filter(|table| !known(table)).map(Table::seeded_name);
        let tops = self.tables.iter().filter(|table| table.root.is_none());
        let there = |known: &&TableStatistics| {
            catalogue.seeded().any(|table| table.schema == known.schema && table.name == known.name)
        };
        let unknown = tops.filter(|known| !there(known));
        Unmatched {
            without: without.collect(),
            unknown: unknown.map(|table| format!("{}.{}", table.schema, table.name)).collect(),
        }
    }
}

impl Whole {
    fn is_known(&self) -> bool {
        self.tuples.is_some() || !self.columns.is_empty()
    }

    /// Of a partitioned table and its partitions. ANALYZE of the whole is a thing that autovacuum
    /// does not do, so what the partitions say is put together where it was not done.
    fn of(own: &TableStatistics, leaves: Vec<&TableStatistics>) -> Whole {
        let known: Vec<f64> = leaves.iter().filter_map(|leaf| leaf.tuples).collect();
        let sum = (!known.is_empty()).then(|| known.iter().sum::<f64>());
        // A partition that was never analysed is in the whole's number.
        let tuples = match (sum, own.tuples) {
            (Some(sum), Some(own)) if known.len() < leaves.len() => Some(sum.max(own)),
            (sum, own) => sum.or(own),
        };
        let latest = leaves.iter().chain([&own]).filter_map(|table| table.analysed.clone()).max();
        let mut columns = own.columns.clone();
        if columns.is_empty() {
            columns = together(&leaves);
        }
        Whole { tuples, analysed: latest, columns }
    }
}

/// Columns of partitions, put together by how many rows each has.
fn together(leaves: &[&TableStatistics]) -> Vec<ColumnStatistics> {
    let weight = |leaf: &TableStatistics| leaf.tuples.unwrap_or(0.0).max(1.0);
    let analysed = leaves.iter().filter(|leaf| !leaf.columns.is_empty());
    let Some(largest) = analysed.max_by(|a, b| weight(a).total_cmp(&weight(b))) else {
        return Vec::new();
    };
    let of_column = |column: &ColumnStatistics| {
        let own: Vec<(f64, &ColumnStatistics)> = leaves
            .iter()
            .filter_map(|leaf| {
                let known = leaf.columns.iter().find(|known| known.name == column.name)?;
                Some((weight(leaf), known))
            })
            .collect();
        let total: f64 = own.iter().map(|(weight, _)| weight).sum();
        let mean = |value: fn(&ColumnStatistics) -> f64| {
            own.iter().map(|(weight, known)| weight * value(known)).sum::<f64>() / total
        };
        let bounds = own.iter().filter_map(|(_, known)| known.bounds.as_ref());
        ColumnStatistics {
            null_fraction: mean(|known| known.null_fraction),
            width: mean(|known| known.width),
            bounds: widest(bounds.collect()),
            ..column.clone()
        }
    };
    largest.columns.iter().map(of_column).collect()
}

/// The least of the lower bounds and the greatest of the upper ones: numbers by their value, times
/// by their text, which has one form.
fn widest(bounds: Vec<&[String; 2]>) -> Option<[String; 2]> {
    let by_value = |a: &String, b: &String| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    };
    let least = bounds.iter().map(|[least, _]| least).min_by(|a, b| by_value(a, b))?;
    let most = bounds.iter().map(|[_, most]| most).max_by(|a, b| by_value(a, b))?;
    Some([least.clone(), most.clone()])
}
