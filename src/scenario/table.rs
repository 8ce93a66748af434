//! What the tables hold before the change: row counts and a generator per column.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Distinct dangling values of a reference, where the scenario does not say.
pub const MISSES_DEFAULT: u64 = 1_000;

/// A table to fill.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The table's name, with its schema where it is not found by the search path.
    pub name: String,
    /// Rows at the declared size; a trial may scale it.
    pub rows: u64,
    /// Columns that are not listed keep their default.
    pub columns: Vec<Column>,
    /// What was asked for where the table was made with fewer rows; None: it has what was asked.
    pub asked: Option<AskedRows>,
    /// Columns for which no values were found, which are NULL in every row, and why.
    pub unfilled: BTreeMap<String, String>,
    /// What the change demands of its rows, which are made to fit, as are the values that the
    /// application writes: constraints, indexes and types of columns.
    pub fitted: Vec<String>,
}

/// Rows that were asked for, of a table that the scenario makes fewer of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedRows {
    /// How many, at the declared size.
    pub rows: u64,
    /// Why there are fewer.
    pub why: Vec<String>,
}

impl Table {
    /// Rows that were asked for, at a size at which the scenario makes so many of the table; None:
    /// no more than those.
    pub fn asked_at(&self, rows: u64) -> Option<u64> {
        let asked = self.asked.as_ref()?.rows;
        let scaled = match rows < self.rows {
            true => u128::from(asked) * u128::from(rows) / u128::from(self.rows),
            false => u128::from(asked),
        };
        u64::try_from(scaled).ok().filter(|asked| *asked > rows)
    }
}

/// A column to fill.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// Share of rows that are NULL, 0 to 1.
    pub null_fraction: f64,
    /// Columns of the table with the same name here are NULL in the same rows.
    pub null_with: Option<String>,
    /// Where its values come from.
    pub generator: Generator,
}

impl Column {
    /// Whether it is NULL in every row.
    pub fn is_null(&self) -> bool {
        let is_empty = |generator: &Generator| match generator {
            Generator::Pool { values, .. } => values.iter().all(Option::is_none),
            _ => false,
        };
        self.null_fraction >= 1.0
            || match &self.generator {
                Generator::Reference { nulls: Some(pool), .. } => is_empty(pool),
                other => is_empty(other),
            }
    }
}

/// Where a value comes from. The same generators serve columns and operation parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Generator {
    /// A UUID as text. In a column it is a function of (rng_seed, table, column, row), so any
    /// other place can name row n's key; as a parameter it is new each time.
    Uuid,
    /// 1, 2, 3, … by row.
    Serial,
    /// Uniform integers from `min` to `max`, both included.
    Integer {
        /// Least value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// A value of a column that is a function of its row: a uuid, a serial, a numbered text, a
    /// line of a pool, a constant, or a reference that is one by `each` or `row`.
    Reference {
        /// The table that is referred to.
        table: String,
        /// Its column.
        column: String,
        /// Share of values that exist there, 0 to 1; the others are well-formed and dangle.
        hit_rate: f64,
        /// Zipf exponent over the referenced rows: 0 is uniform, 1 gives a few very many.
        skew: f64,
        /// How many distinct dangling values there are.
        misses: u64,
        /// Share of the newest rows of the referenced table that are drawn from, 0 to 1.
        newest: f64,
        /// So many rows in turn refer to one row, the next ones to the next.
        each: Option<u64>,
        /// Only rows before this one are referred to, in the same table; the first row is NULL.
        earlier: bool,
        /// Columns of the table (or parameters of the operation) with the same name here draw
        /// the same row, and are NULL together.
        row: Option<String>,
        /// A pool's column: the value is NULL where that is NULL in the line that the row holds.
        nulls: Option<Box<Generator>>,
    },
    /// Instants from `from` to `to` (microseconds since the Unix epoch), ascending with the row.
    /// `hot_fraction` of the rows fall into the last `hot_span_us`.
    Timestamp {
        /// Earliest instant.
        from_us: i64,
        /// Latest instant.
        to_us: i64,
        /// Share of the rows, 0 to 1.
        hot_fraction: f64,
        /// Length of the span before `to_us`.
        hot_span_us: i64,
    },
    /// The moment at which the value is drawn.
    Now,
    /// Text from the `fake` crate.
    Fake {
        /// What the text is.
        kind: FakeKind,
        /// Whether every value differs from the others.
        unique: bool,
    },
    /// A JSON object whose text is between `min_bytes` and `max_bytes` long; sizes are
    /// log-uniform: most documents are small, some are large.
    Json {
        /// Least length.
        min_bytes: u32,
        /// Largest length.
        max_bytes: u32,
    },
    /// One of these, with these weights.
    Choice {
        /// The values, as text.
        values: Vec<String>,
        /// Their weights, in the same order.
        weights: Vec<f64>,
    },
    /// Always this.
    Constant {
        /// The value, as text.
        value: String,
    },
    /// A line of a file of candidates: columns of a table that name the same file hold the same
    /// line in one row.
    Pool {
        /// The file, as the scenario names it; only its identity counts.
        file: String,
        /// The field's name in the file.
        column: String,
        /// This field of each line, as text; None is NULL.
        values: Arc<[Option<String>]>,
        /// So many rows in turn hold one line, the next ones the next; None: any line.
        each: Option<u64>,
    },
    /// Text that a regular expression matches.
    Pattern {
        /// The expression, without anchors.
        pattern: String,
    },
    /// Uniform decimals, both ends included, in units of 10^-scale.
    Decimal {
        /// Least value, in units.
        min_units: i64,
        /// Largest value, in units.
        max_units: i64,
        /// Digits behind the point.
        scale: u32,
    },
    /// Text by the row's number, from 1: `user-{n}@example.org`.
    Numbered {
        /// The text with its places; `generate::Template` reads it.
        template: String,
    },
    /// One of so many values of another generator, some of them more often than others.
    Repeated {
        /// A generator whose values are drawn by chance, from nothing but itself.
        of: Box<Generator>,
        /// How many different values there are at most.
        distinct: u64,
        /// Zipf exponent over them: 0 is uniform, 1 gives a few very often.
        skew: f64,
    },
}

/// What a text of the `fake` crate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FakeKind {
    /// A person's name.
    Name,
    /// An e-mail address.
    Email,
    /// A company's name.
    Company,
    /// A street's name.
    Street,
    /// A sentence of words.
    Sentence,
    /// One word.
    Word,
}

/// Rows per table for one trial.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sizes(pub BTreeMap<String, u64>);

impl Sizes {
    /// Rows of a table; 0: it is not declared.
    pub fn rows(&self, table: &str) -> u64 {
        self.0.get(table).copied().unwrap_or(0)
    }

    /// Rows of the largest table; 0: there is none.
    pub fn largest(&self) -> u64 {
        self.0.values().copied().max().unwrap_or(0)
    }

    /// Every table times `factor`, at least one row each. An empty table stays empty, and a table
    /// of one row keeps one: it holds a version or a setting, and a second would be wrong.
    pub fn scaled(&self, factor: f64) -> Sizes {
        let scale = |rows: u64| match rows {
            0 | 1 => rows,
            rows => ((rows as f64 * factor).round() as u64).max(1),
        };
        Sizes(self.0.iter().map(|(t, rows)| (t.clone(), scale(*rows))).collect())
    }
}
