//! A generator compiled for drawing: pools made, tables looked up, sums taken, once.

use std::time::{SystemTime, UNIX_EPOCH};

use fake::Fake as _;
use fake::faker::address::en::StreetName;
use fake::faker::company::en::CompanyName;
use fake::faker::internet::en::SafeEmail;
use fake::faker::lorem::en::{Sentence, Word};
use fake::faker::name::en::Name;
use rand::Rng as _;

use super::document;
use super::key::{KeySpace, push_uuid};
use super::math::{below, chance, unit};
use super::pattern::Pattern;
use super::pool::Lines;
use super::reference::{Asked, Reference, Tables};
use super::targets::{Ranked, group, row_unit};
use super::template::Template;
use super::value::{Drawn, Rng, Value, stream};
use crate::scenario::{Column, FakeKind, Generator, Sizes, Table};

/// Distinct texts from `fake` per column; a real column of names repeats as well.
const FAKE_POOL: usize = 4_096;

/// Draws values of one column or parameter.
#[derive(Debug)]
pub struct Drawer {
    null_fraction: f64,
    /// What the columns of a group are NULL by; None: each by its own stream.
    nulls: Option<u64>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The key of the row.
    Key(KeySpace),
    /// A uuid that was not drawn before.
    NewKey,
    /// One more than the row, counted from here.
    Serial {
        after: i64,
    },
    Integer {
        min: i64,
        span: u64,
    },
    Reference(Reference),
    /// By the row's place in the table.
    Ascending(Times),
    /// Anywhere in the range.
    Scattered(Times),
    Now,
    Fake {
        pool: Vec<String>,
        unique: Option<Unique>,
    },
    Documents(Vec<String>),
    Choice {
        values: Vec<String>,
        up_to: Vec<f64>,
    },
    Constant(String),
    Line {
        lines: Lines,
        /// The first row's number: for a parameter, rows that are there already.
        after: u64,
    },
    Pattern(Pattern),
    Decimal {
        min: i64,
        span: u64,
        scale: u32,
    },
    Numbered {
        template: Template,
        after: i64,
    },
    /// One of the values that the drawer draws from a stream of their own.
    Repeated {
        values: Ranked,
        of: Box<Drawer>,
    },
}

/// Whether values are texts that only the server can read as their column's type.
#[derive(Clone, Copy, Debug)]
pub enum Written<'a> {
    /// They are values of a known kind, or texts that are what they say.
    No,
    /// These are all the values; None is NULL.
    Among(&'a [Option<String>]),
    /// They may be any text.
    Freely,
}

/// What keeps texts apart: the row's number, in a form that rows and parameters do not share.
#[derive(Clone, Copy, Debug)]
struct Unique {
    prefix: &'static str,
    /// In front of the at sign of an address, at the end of anything else.
    address: bool,
}

#[derive(Debug)]
struct Times {
    from_us: i64,
    hot_from_us: i64,
    to_us: i64,
    hot_fraction: f64,
    rows: u64,
}

/// The position of a drawer: what it needs to know beside its generator.
struct ColumnPlace<'a> {
    tables: &'a [Table],
    sizes: &'a Sizes,
    rng_seed: u64,
    /// The column's table and name; None for a parameter.
    column: Option<(&'a str, &'a str)>,
}

impl Drawer {
    /// For the rows of a column. `Now` alone is not a function of `rng_seed`: rows that hold it
    /// differ from one load to the next.
    pub fn for_column(
        tables: &[Table],
        sizes: &Sizes,
        rng_seed: u64,
        table: &str,
        column: &Column,
    ) -> Drawer {
        let place = ColumnPlace { tables, sizes, rng_seed, column: Some((table, &column.name)) };
        let nulls = column.null_with.as_ref().map(|name| group(rng_seed, table, "null", name));
        place.drawer(&column.generator, column.null_fraction, nulls)
    }

    /// For an operation's parameter. What is made from the row in a column is new here: a uuid is
    /// random, and a serial goes on after the largest table, by the operation's number.
    pub fn for_parameter(
        tables: &[Table],
        sizes: &Sizes,
        rng_seed: u64,
        generator: &Generator,
        null_fraction: f64,
    ) -> Drawer {
        let place = ColumnPlace { tables, sizes, rng_seed, column: None };
        place.drawer(generator, null_fraction, None)
    }

    /// The value for a row (from 0), or for the operation of that number in the schedule.
    pub fn draw(&self, rng: &mut Rng, row: u64) -> Value {
        let mut text = String::new();
        self.draw_into(rng, row, &mut text).to_value()
    }

    /// The same without allocating: a text that is not at hand is written to `text`.
    pub fn draw_into<'a>(&'a self, rng: &mut Rng, row: u64, text: &'a mut String) -> Drawn<'a> {
        let null = match self.nulls {
            None => chance(rng, self.null_fraction),
            Some(salt) => row_unit(salt, row) < self.null_fraction,
        };
        if null {
            return Drawn::Null;
        }
        text.clear();
        match &self.kind {
            Kind::Key(keys) => keys.push(row, text),
            Kind::NewKey => push_uuid(rng.next_u64(), rng.next_u64(), text),
            Kind::Serial { after } => return Drawn::Int(after.saturating_add_unsigned(row + 1)),
            Kind::Integer { min, span } => {
                // A span of zero means all 2^64 values.
                let offset = if *span == 0 { rng.next_u64() } else { below(rng, *span) };
                return Drawn::Int(min.wrapping_add_unsigned(offset));
            }
            Kind::Reference(reference) => return reference.draw(rng, row, text),
            Kind::Ascending(times) => return Drawn::Instant(times.at(row, unit(rng))),
            Kind::Scattered(times) => return Drawn::Instant(times.anywhere(rng)),
            Kind::Now => return Drawn::Instant(now_us()),
            Kind::Fake { pool, unique } => {
                let drawn = one_of(pool, rng);
                match unique {
                    None => return Drawn::Text(drawn),
                    Some(unique) => unique.push(drawn, row, text),
                }
            }
            Kind::Documents(pool) => return Drawn::Text(one_of(pool, rng)),
            Kind::Choice { values, up_to } => {
                let at = unit(rng);
                let index = up_to.iter().position(|limit| at < *limit);
                let index = index.unwrap_or(values.len().saturating_sub(1));
                return Drawn::Text(values.get(index).map_or("", String::as_str));
            }
            Kind::Constant(value) => return Drawn::Text(value),
            Kind::Line { lines, after } => {
                return lines.of_row(after + row).map_or(Drawn::Null, Drawn::Text);
            }
            Kind::Pattern(pattern) => pattern.draw(rng, text),
            Kind::Decimal { min, span, scale } => {
                let offset = if *span == 0 { rng.next_u64() } else { below(rng, *span) };
                push_decimal(min.wrapping_add_unsigned(offset), *scale, text);
            }
            Kind::Numbered { template, after } => {
                return template.drawn(after.saturating_add_unsigned(row + 1), text);
            }
            Kind::Repeated { values, of } => {
                let (value, mut own) = values.draw(rng);
                return of.draw_into(&mut own, value, text);
            }
        }
        Drawn::Text(text)
    }

    /// Whether the values need the server to read them.
    pub fn written(&self) -> Written<'_> {
        match &self.kind {
            Kind::Line { lines, .. } => Written::Among(lines.values()),
            Kind::Reference(reference) if reference.is_written() => Written::Freely,
            Kind::Pattern(_) => Written::Freely,
            Kind::Repeated { of, .. } => of.written(),
            Kind::Numbered { template, .. } if template.is_written() => Written::Freely,
            _ => Written::No,
        }
    }
}

impl ColumnPlace<'_> {
    fn drawer(&self, generator: &Generator, null_fraction: f64, nulls: Option<u64>) -> Drawer {
        let row = Asked::of(generator).and_then(|asked| asked.wanted.row);
        // Columns of one reference are NULL together.
        let own = row.map(|name| group(self.rng_seed, self.table(), "null row", name));
        Drawer { null_fraction, nulls: nulls.or(own), kind: self.compile(generator) }
    }

    /// The column's table; empty for a parameter.
    fn table(&self) -> &str {
        self.column.map_or("", |(table, _)| table)
    }

    fn compile(&self, generator: &Generator) -> Kind {
        match generator {
            Generator::Uuid => match self.column {
                Some((table, column)) => {
                    Kind::Key(KeySpace::of_column(self.rng_seed, table, column))
                }
                None => Kind::NewKey,
            },
            Generator::Serial => Kind::Serial { after: self.after() },
            Generator::Integer { min, max } => {
                let (min, span) = span(*min, *max);
                Kind::Integer { min, span }
            }
            Generator::Timestamp { from_us, to_us, hot_fraction, hot_span_us } => {
                self.times(*from_us, *to_us, *hot_fraction, *hot_span_us)
            }
            Generator::Now => Kind::Now,
            Generator::Fake { kind, unique } => {
                let unique = unique.then(|| self.unique(*kind));
                Kind::Fake { pool: fake_pool(&mut self.pool_stream("fake"), *kind), unique }
            }
            Generator::Json { min_bytes, max_bytes } => {
                let mut rng = self.pool_stream("json");
                Kind::Documents(document::pool(&mut rng, *min_bytes, *max_bytes))
            }
            Generator::Choice { values, weights } => {
                Kind::Choice { values: values.clone(), up_to: running_shares(values, weights) }
            }
            Generator::Constant { value } => Kind::Constant(value.clone()),
            Generator::Pool { file, values, each, .. } => {
                let lines = Lines::new(self.rng_seed, self.table(), file, values, *each);
                let after = if each.is_some() { self.after() } else { 0 };
                Kind::Line { lines, after: after.unsigned_abs() }
            }
            Generator::Pattern { pattern } => match Pattern::parse(pattern) {
                Ok(pattern) => Kind::Pattern(pattern),
                // Checked when the scenario was read.
                Err(_) => Kind::Constant(pattern.clone()),
            },
            Generator::Decimal { min_units, max_units, scale } => {
                let (min, span) = span(*min_units, *max_units);
                Kind::Decimal { min, span, scale: *scale }
            }
            Generator::Numbered { template } => {
                Kind::Numbered { template: Template::of(template), after: self.after() }
            }
            Generator::Repeated { of, distinct, skew } => {
                let values = Ranked::new(self.rng_seed, *distinct, *skew);
                let of = Box::new(self.repeated(of, *distinct));
                Kind::Repeated { values, of }
            }
            Generator::Reference { .. } => {
                let (tables, sizes, rng_seed) = (self.tables, self.sizes, self.rng_seed);
                let of = Tables { tables, sizes, rng_seed };
                let asked = Asked::of(generator);
                asked.map_or(Kind::Now, |asked| {
                    Kind::Reference(Reference::compile(of, self.table(), &asked))
                })
            }
        }
    }

    /// What draws the values that repeat: the same in rows as in parameters, so that an
    /// application writes what is there.
    fn repeated(&self, of: &Generator, distinct: u64) -> Drawer {
        let kind = match of {
            Generator::Timestamp { from_us, to_us, hot_fraction, hot_span_us } => {
                let hot = (*hot_fraction, *hot_span_us);
                Kind::Ascending(Times::new(*from_us, *to_us, hot, distinct))
            }
            other => ColumnPlace { column: None, ..*self }.compile(other),
        };
        Drawer { null_fraction: 0.0, nulls: None, kind }
    }

    fn after(&self) -> i64 {
        match self.column {
            Some(_) => 0,
            None => self.sizes.largest() as i64,
        }
    }

    fn times(&self, from_us: i64, to_us: i64, hot_fraction: f64, hot_span_us: i64) -> Kind {
        let rows = self.column.map_or(1, |(table, _)| self.sizes.rows(table));
        let times = Times::new(from_us, to_us, (hot_fraction, hot_span_us), rows);
        match self.column {
            Some(_) => Kind::Ascending(times),
            None => Kind::Scattered(times),
        }
    }

    fn unique(&self, kind: FakeKind) -> Unique {
        let prefix = if self.column.is_some() { "" } else { "p" };
        Unique { prefix, address: kind == FakeKind::Email }
    }

    /// What the pool is made from. Parameters of a kind share theirs.
    fn pool_stream(&self, kind: &str) -> Rng {
        let purpose = match self.column {
            Some((table, column)) => format!("{kind} pool of {table}.{column}"),
            None => format!("{kind} pool of parameters"),
        };
        stream(self.rng_seed, &purpose, 0)
    }
}

/// The least value and how many there are; 0: all 2^64.
fn span(min: i64, max: i64) -> (i64, u64) {
    let span = max.max(min).wrapping_sub(min) as u64;
    (min, span.wrapping_add(1))
}

/// `-0.05` is -5 units of a scale of 2.
pub fn push_decimal(units: i64, scale: u32, text: &mut String) {
    use std::fmt::Write as _;
    let digits = units.unsigned_abs().to_string();
    let behind = scale as usize;
    if units < 0 {
        text.push('-');
    }
    let whole = digits.len().saturating_sub(behind);
    let (whole, part) = digits.split_at(whole);
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if behind > 0 {
        // A String takes all that is written to it.
        let _ = write!(text, ".{part:0>behind$}");
    }
}

impl Times {
    /// `hot`: the share of the rows that falls into so many microseconds before the end.
    fn new(from_us: i64, to_us: i64, hot: (f64, i64), rows: u64) -> Times {
        let (hot_fraction, hot_span_us) = hot;
        let to_us = to_us.max(from_us);
        let hot_from_us = to_us.saturating_sub(hot_span_us.max(0)).max(from_us);
        let hot_fraction = hot_fraction.clamp(0.0, 1.0);
        Times { from_us, hot_from_us, to_us, hot_fraction, rows: rows.max(1) }
    }

    /// The instant of a row, `jitter` of the way to the next row's.
    fn at(&self, row: u64, jitter: f64) -> i64 {
        let hot_rows = (self.rows as f64 * self.hot_fraction).round() as u64;
        let cold_rows = self.rows - hot_rows.min(self.rows);
        let row = row.min(self.rows - 1);
        match row.checked_sub(cold_rows) {
            None => {
                between(self.from_us, self.hot_from_us, (row as f64 + jitter) / cold_rows as f64)
            }
            Some(row) => {
                between(self.hot_from_us, self.to_us, (row as f64 + jitter) / hot_rows as f64)
            }
        }
    }

    fn anywhere(&self, rng: &mut Rng) -> i64 {
        match chance(rng, self.hot_fraction) {
            true => between(self.hot_from_us, self.to_us, unit(rng)),
            false => between(self.from_us, self.hot_from_us, unit(rng)),
        }
    }
}

fn between(from_us: i64, to_us: i64, share: f64) -> i64 {
    let span = to_us as f64 - from_us as f64;
    from_us.saturating_add((span * share) as i64).min(to_us)
}

impl Unique {
    fn push(self, drawn: &str, row: u64, text: &mut String) {
        use std::fmt::Write as _;
        let (prefix, number) = (self.prefix, row + 1);
        let at = drawn.find('@').filter(|_| self.address);
        // A String takes all that is written to it.
        let _ = match at {
            Some(at) => write!(text, "{}.{prefix}{number}{}", &drawn[..at], &drawn[at..]),
            None => write!(text, "{drawn} {prefix}{number}"),
        };
    }
}

/// Where each value's share of [0, 1) ends. A weight that is missing counts as 1.
fn running_shares(values: &[String], weights: &[f64]) -> Vec<f64> {
    let weight = |index: usize| weights.get(index).copied().unwrap_or(1.0).max(0.0);
    let total: f64 = (0..values.len()).map(weight).sum();
    let mut sum = 0.0;
    (0..values.len())
        .map(|index| {
            sum += weight(index);
            sum / total
        })
        .collect()
}

fn one_of<'a>(pool: &'a [String], rng: &mut Rng) -> &'a str {
    pool.get(below(rng, pool.len() as u64) as usize).map_or("", String::as_str)
}

fn fake_pool(rng: &mut Rng, kind: FakeKind) -> Vec<String> {
    let draw = |rng: &mut Rng| -> String {
        match kind {
            FakeKind::Name => Name().fake_with_rng(rng),
            FakeKind::Email => SafeEmail().fake_with_rng(rng),
            FakeKind::Company => CompanyName().fake_with_rng(rng),
            FakeKind::Street => StreetName().fake_with_rng(rng),
            FakeKind::Sentence => Sentence(4..12).fake_with_rng(rng),
            FakeKind::Word => Word().fake_with_rng(rng),
        }
    };
    (0..FAKE_POOL).map(|_| draw(rng)).collect()
}

fn now_us() -> i64 {
    // A clock before 1970 is no clock; zero is as good as any answer.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}
