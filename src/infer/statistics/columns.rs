//! What statistics say of a column, as the generators of a scenario: how many values there are, how
//! unevenly they come, between which bounds, how long, in which order.
//!
//! Constraints win: what is made here draws a column only where nothing else decides its values.

use std::collections::BTreeMap;

use crate::scenario::{FakeKind, Generator};

use super::super::catalogue::{Catalogue, Column, Oid, Table};
use super::super::types::{Kind, Profile};
use super::fit;
use super::read::{ColumnStatistics, Statistics, Whole};
use super::rows::Rows;

/// So few values are listed, each with its frequency.
const LISTED_MAX: f64 = 50.0;
/// Share of the rows with a value that differ, above which all are taken to.
const ALL_DIFFER: f64 = 0.9;
/// Correlation with the order on disk above which values ascend with the rows.
const ASCENDING: f64 = 0.9;
/// Values per row of a time that does not ascend and hardly repeats.
const SCATTERED: f64 = 8.0;
/// Share of the rows of a referenced table below which only that share is referred to.
const REFERRED: f64 = 0.5;
/// Rows that an application may add to a table.
const HEADROOM: i64 = 1_000_000;
/// Longest text that is made, in characters.
const TEXT_MAX: f64 = 8_000.0;
/// Widths of values up to this many bytes have a header of one byte, others of four.
const SHORT_MAX: f64 = 126.0;
/// The largest numbers that a float has exactly.
const EXACT: f64 = 9e15;
/// Digits after the point of a number without a scale.
const SCALE_MAX: u32 = 6;
/// Different numbers without a scale that there is room for, per row.
const UNITS_PER_ROW: f64 = 8.0;
/// Bytes of the smallest document that is made.
const JSON_MIN: f64 = 16.0;
const SECOND_US: i64 = 1_000_000;

/// How references spread over the rows that they refer to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Spread {
    /// Zipf exponent.
    pub skew: f64,
    /// Share of the rows that are referred to at all.
    pub newest: f64,
}

/// What statistics say of a schema's tables.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Likenesses {
    tables: BTreeMap<Oid, Whole>,
    rows: BTreeMap<Oid, u64>,
}

/// What they say of a column.
#[derive(Clone, Copy)]
pub(in super::super) struct Likeness<'a> {
    own: &'a ColumnStatistics,
    /// Rows of the scenario's table.
    rows: f64,
    /// Rows of the real one.
    real: f64,
}

impl Likenesses {
    pub fn new(catalogue: &Catalogue, statistics: Option<&Statistics>, rows: &Rows) -> Likenesses {
        let Some(statistics) = statistics else { return Likenesses::default() };
        let whole = |table: &Table| Some((table.oid, statistics.whole(table)?));
        let rows = |table: &Table| (table.oid, rows.of(&table.seeded_name()));
        Likenesses {
            tables: catalogue.tables.iter().filter_map(whole).collect(),
            rows: catalogue.tables.iter().map(rows).collect(),
        }
    }

    /// None: nothing is known of the column.
    pub fn of(&self, table: Oid, column: &str) -> Option<Likeness<'_>> {
        let whole = self.tables.get(&table)?;
        let own = whole.columns.iter().find(|known| known.name == column)?;
        let rows = self.rows.get(&table).copied().unwrap_or(0) as f64;
        Some(Likeness { own, rows, real: whole.tuples.unwrap_or(rows).max(1.0) })
    }

    /// How a column's references spread over the rows of a table.
    pub fn spread(&self, table: Oid, column: &str, target: Oid) -> Option<Spread> {
        let likeness = self.of(table, column)?;
        let rows = self.rows.get(&target).copied().unwrap_or(0) as f64;
        let real = self.tables.get(&target).and_then(|whole| whole.tuples).unwrap_or(rows);
        let referred = likeness.different(likeness.real) / real.max(1.0);
        let newest = if referred > 0.0 && referred < REFERRED { referred } else { 1.0 };
        let newest = ((newest * 1e6).round() / 1e6).max(1.0 / rows.max(1.0));
        let skew = fit::skew((rows * newest).round(), likeness.most_frequent());
        Some(Spread { skew, newest })
    }
}

impl Likeness<'_> {
    /// Share of NULLs, in three digits.
    pub fn null_fraction(&self) -> f64 {
        // What is not NULL in one row of a thousand is not made NULL in all.
        let share = self.own.null_fraction.clamp(0.0, 1.0);
        let rounded = (share * 1e3).round() / 1e3;
        if rounded >= 1.0 && share < 1.0 { 0.999 } else { rounded }
    }

    /// Share of rows that have a value.
    fn filled(&self) -> f64 {
        (1.0 - self.own.null_fraction).max(1e-6)
    }

    /// Values that differ in so many rows; 0: it is not known.
    fn different(&self, rows: f64) -> f64 {
        match self.own.distinct {
            share if share < 0.0 => -share * rows,
            count => count,
        }
    }

    fn all_differ(&self) -> bool {
        -self.own.distinct / self.filled() >= ALL_DIFFER
    }

    /// How many values are drawn from; None: it is not known, or no two rows have the same.
    fn values(&self) -> Option<f64> {
        let filled = self.rows * self.filled();
        let real = self.real * self.filled();
        match self.own.distinct {
            0.0 => None,
            _ if self.all_differ() => None,
            share if share < 0.0 => {
                Some(fit::values(filled.max(1.0), -share / self.filled()).round())
            }
            // Rows that show nearly all of the values show all of them.
            count if count < real * 0.05 => Some(count.round()),
            count => Some(fit::values(real, (count / real).min(ALL_DIFFER)).round()),
        }
    }

    /// Shares of the rows with a value that the most common values have.
    fn frequencies(&self) -> Vec<f64> {
        self.own.frequencies.iter().map(|share| (share / self.filled()).min(1.0)).collect()
    }

    fn most_frequent(&self) -> f64 {
        self.frequencies().first().copied().unwrap_or(0.0)
    }

    fn skew(&self, values: f64) -> f64 {
        fit::skew(values, self.most_frequent())
    }

    /// Weights of the values, where there are so few that each is known by its own; empty: there
    /// are more.
    pub fn shares(&self) -> Vec<f64> {
        match self.values() {
            Some(values) if values <= LISTED_MAX => self.weights((values as usize).max(1)),
            _ => Vec::new(),
        }
    }

    /// Weights of so many values: those that are known, what is left for each of the others.
    fn weights(&self, values: usize) -> Vec<f64> {
        let known = self.frequencies();
        let known = &known[..known.len().min(values)];
        let others = values - known.len();
        let rest = (1.0 - known.iter().sum::<f64>()).max(0.0) / others.max(1) as f64;
        let rounded = |share: f64| ((share * 1e4).round() / 1e4).max(1e-4);
        (0..values).map(|at| rounded(known.get(at).copied().unwrap_or(rest))).collect()
    }

    fn listed(&self, values: Vec<String>) -> Generator {
        let weights = self.weights(values.len());
        Generator::Choice { values, weights }
    }

    /// Of a generator's values as many as there are, as unevenly as they come.
    fn repeated(&self, of: Generator) -> Generator {
        match self.values() {
            None => of,
            Some(values) => {
                let skew = self.skew(values);
                Generator::Repeated { of: Box::new(of), distinct: values as u64, skew }
            }
        }
    }

    fn ascends(&self) -> bool {
        self.own.correlation.is_none_or(|correlation| correlation > ASCENDING)
    }

    /// What draws the column; None: as without statistics.
    pub fn natural(&self, profile: &Profile, column: &Column) -> Option<Generator> {
        if self.own.distinct == 0.0 {
            return None;
        }
        if let Some(common) = self.common(profile, column) {
            return Some(common);
        }
        match (profile.kind, profile.natural.as_ref()) {
            (Kind::Text { longest }, natural) => Some(self.text(longest, natural, &column.name)),
            (Kind::Integer { min, max }, natural) => self.integer(min, max, natural),
            (Kind::Decimal { scale, below }, _) => self.decimal(scale, below, &column.type_name),
            (Kind::Date | Kind::Instant, natural) => self.time(natural),
            (Kind::Json, Some(_)) => Some(self.json()),
            (_, Some(Generator::Choice { values, .. })) => Some(self.choice(values)),
            (_, Some(Generator::Uuid)) => Some(self.repeated(Generator::Uuid)),
            _ => None,
        }
    }

    /// The most common values themselves, where they were read.
    fn common(&self, profile: &Profile, column: &Column) -> Option<Generator> {
        let closed = matches!(profile.kind, Kind::Other)
            && matches!(profile.natural, Some(Generator::Choice { .. }));
        let written = |text: &String| match (column.type_name.as_str(), text.as_str()) {
            ("boolean", "t") => "true".to_owned(),
            ("boolean", "f") => "false".to_owned(),
            _ => text.clone(),
        };
        let mut values: Vec<String> = self.own.common.iter().map(written).collect();
        let fits = values.iter().all(|text| !closed || profile.candidates.contains(text));
        if values.is_empty() || self.own.type_name != column.type_name || !fits {
            return None;
        }
        let others = self.values().unwrap_or(0.0) - values.len() as f64;
        let others = others.clamp(0.0, LISTED_MAX) as usize;
        let more: Vec<String> = match (profile.kind, self.bounds_of(i64::MIN, i64::MAX)) {
            (Kind::Integer { .. }, Some((least, most))) => steps(least, most, others),
            (Kind::Text { longest }, _) => self.texts(longest, others, &column.name),
            _ => Vec::new(),
        };
        values.extend(more.into_iter().filter(|text| !self.own.common.contains(text)));
        Some(self.listed(values))
    }

    fn choice(&self, values: &[String]) -> Generator {
        let count = self.values().map_or(values.len(), |count| count as usize);
        self.listed(values.iter().take(count.max(1)).cloned().collect())
    }

    /// Bounds of whole numbers within these; None: they are not known.
    fn bounds_of(&self, min: i64, max: i64) -> Option<(i64, i64)> {
        let [least, most] = self.own.bounds.as_ref()?;
        let (least, most): (i64, i64) = (least.parse().ok()?, most.parse().ok()?);
        (least <= most).then(|| (least.clamp(min, max), most.clamp(min, max)))
    }

    fn integer(&self, min: i64, max: i64, natural: Option<&Generator>) -> Option<Generator> {
        let usual = match natural {
            Some(Generator::Integer { min, max }) => Some((*min, *max)),
            _ => None,
        };
        let few = self.values().filter(|values| *values <= LISTED_MAX);
        // All of few values are common ones, which are not known: codes, counted on.
        let codes = |(least, most): (i64, i64)| match few {
            Some(values) => (least, most.min(least.saturating_add(values as i64 - 1))),
            None => (least, most),
        };
        let (least, most) = self.bounds_of(min, max).or(usual.map(codes))?;
        let known = self.own.bounds.is_some();
        let span = most.saturating_sub(least).saturating_add(1) as f64;
        let ascending = self.own.correlation.is_some_and(|correlation| correlation > ASCENDING);
        let plain = Generator::Integer { min: least, max: most };
        Some(match self.values() {
            Some(values) if values <= LISTED_MAX && values <= span => {
                self.listed(steps(least, most, values as usize))
            }
            _ if ascending && known => self.ascending(least, most, max).unwrap_or(plain),
            // Nearly every number in between.
            Some(values) if values * 2.0 >= span && self.skew(values) == 0.0 => plain,
            _ => self.repeated(plain),
        })
    }

    /// Numbers that grow with the row; None: those of rows that an application adds would be too
    /// large for the type.
    fn ascending(&self, least: i64, most: i64, max: i64) -> Option<Generator> {
        let rows = (self.rows as i64).max(1);
        let different = self.values().unwrap_or(self.rows).clamp(1.0, self.rows.max(1.0)) as i64;
        let span = most.checked_sub(least)?;
        let each = rows.div_euclid(different).max(1) + i64::from(rows % different > 0);
        let step = (span / (rows / each).max(1)).max(1);
        let each = if step * (rows / each) > span { rows / span.max(1) + 1 } else { each };
        let added = HEADROOM.checked_div(each)?.checked_mul(step)?;
        if most.checked_add(added)? > max {
            return None;
        }
        let divided = if each > 1 { format!("/{each}") } else { String::new() };
        let times = if step > 1 { format!("*{step}") } else { String::new() };
        let plus = match least {
            0 => String::new(),
            least if least < 0 => format!("{least}"),
            least => format!("+{least}"),
        };
        Some(Generator::Numbered { template: format!("{{n{divided}{times}{plus}}}") })
    }

    fn decimal(&self, scale: u32, below: f64, type_name: &str) -> Option<Generator> {
        let [least, most] = self.own.bounds.as_ref()?;
        let (least, most): (f64, f64) = (least.parse().ok()?, most.parse().ok()?);
        if !least.is_finite() || !most.is_finite() || least > most {
            return None;
        }
        let fixed = type_name.starts_with("numeric(");
        let enough = (self.rows * UNITS_PER_ROW).max(1e3);
        let wanted = |scale: &u32| (most - least) * 10_f64.powi(*scale as i32) >= enough;
        let scale = match fixed {
            true => scale,
            // A small range has its values behind the point.
            false => (scale..SCALE_MAX).find(wanted).unwrap_or(SCALE_MAX.max(scale)),
        };
        let below = if fixed { below } else { f64::MAX };
        let unit = 10_f64.powi(scale as i32);
        let units = |value: f64| (value.clamp(-below, below) * unit).clamp(-EXACT, EXACT);
        let (min_units, max_units) = (units(least).ceil() as i64, units(most).floor() as i64);
        let max_units = max_units.max(min_units);
        Some(self.repeated(Generator::Decimal { min_units, max_units, scale }))
    }

    fn time(&self, natural: Option<&Generator>) -> Option<Generator> {
        let bounds = self.own.bounds.as_ref().and_then(|[least, most]| {
            Some((instant_us(least)?, instant_us(most)?)).filter(|(least, most)| least <= most)
        });
        let of = match bounds {
            Some((from_us, to_us)) => Generator::Timestamp {
                from_us,
                to_us: to_us.max(from_us + SECOND_US),
                hot_fraction: 0.0,
                hot_span_us: 0,
            },
            None => natural?.clone(),
        };
        if self.ascends() {
            return Some(of);
        }
        Some(match self.repeated(of) {
            repeated @ Generator::Repeated { .. } => repeated,
            of => {
                let distinct = (self.rows * SCATTERED).max(1.0) as u64;
                Generator::Repeated { of: Box::new(of), distinct, skew: 0.0 }
            }
        })
    }

    /// Sizes are log-uniform: with a ratio of four their mean is 2.16 times the least.
    fn json(&self) -> Generator {
        let least = (self.own.width / 2.16).clamp(JSON_MIN, 1e6);
        let most = least * 4.0;
        self.repeated(Generator::Json { min_bytes: least as u32, max_bytes: most as u32 })
    }

    /// Characters of a text, on average.
    fn length(&self, longest: usize) -> usize {
        let header = if self.own.width <= SHORT_MAX { 1.0 } else { 4.0 };
        let length = (self.own.width - header).round().clamp(1.0, TEXT_MAX) as usize;
        length.min(longest.max(1))
    }

    fn text(&self, longest: usize, natural: Option<&Generator>, column: &str) -> Generator {
        let values = self.values();
        if let Some(values) = values.filter(|values| *values <= LISTED_MAX) {
            let typical: &[String] = match natural {
                Some(Generator::Choice { values, .. }) => values,
                _ => &[],
            };
            let count = (values as usize).max(1);
            return self.listed(match typical.len() >= count {
                true => typical[..count].to_vec(),
                false => self.texts(longest, count, column),
            });
        }
        match natural {
            // Prose is as long as it is; names are names.
            Some(Generator::Fake { kind, .. }) if *kind != FakeKind::Sentence => match values {
                None => Generator::Fake { kind: *kind, unique: self.unique_fits(longest) },
                Some(_) => self.repeated(Generator::Fake { kind: *kind, unique: false }),
            },
            _ => self.repeated(self.pattern(longest)),
        }
    }

    /// Whether a row's number has room behind a name.
    fn unique_fits(&self, longest: usize) -> bool {
        self.all_differ() && longest >= 100
    }

    fn pattern(&self, longest: usize) -> Generator {
        let length = self.length(longest);
        let (least, most) = (length.div_ceil(2), (length + length / 2).min(longest));
        // Around the same mean.
        let least = least.max(length.saturating_sub(most - length)).min(length);
        let counted = if least == most { format!("{least}") } else { format!("{least},{most}") };
        // Prose has words.
        let class = if length > 30 { "[a-z ]" } else { "[a-z0-9]" };
        Generator::Pattern { pattern: format!("{class}{{{counted}}}") }
    }

    /// So many texts that differ, as long as the column's: the column's name and a number where it
    /// has room.
    fn texts(&self, longest: usize, count: usize, column: &str) -> Vec<String> {
        let length = self.length(longest);
        let digits = count.to_string().len();
        let text = |number: usize| match length.checked_sub(column.chars().count() + 1) {
            Some(width) if width >= digits => format!("{column}-{number:0width$}"),
            _ => {
                let width = length.max(digits).min(longest.max(1));
                format!("{number:0width$}")
            }
        };
        // One character has room for ten digits.
        let most = 10_usize.saturating_pow(longest.min(9) as u32).saturating_sub(1);
        (1..=count.min(most)).map(text).collect()
    }
}

/// So many whole numbers at equal distances, both ends included.
fn steps(least: i64, most: i64, count: usize) -> Vec<String> {
    let span = most as f64 - least as f64;
    let gaps = count.saturating_sub(1).max(1) as f64;
    let at = |index: usize| least.saturating_add((span * (index as f64 / gaps)).round() as i64);
    let mut values: Vec<i64> = (0..count).map(|index| at(index).clamp(least, most)).collect();
    values.dedup();
    values.iter().map(i64::to_string).collect()
}

/// Microseconds since 1970 of a date or a time in ISO's form; None: it has none, as `infinity`.
fn instant_us(text: &str) -> Option<i64> {
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.as_microsecond());
    }
    let civil: jiff::civil::DateTime = match text.parse() {
        Ok(civil) => civil,
        Err(_) => text.parse::<jiff::civil::Date>().ok()?.at(0, 0, 0, 0),
    };
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_microsecond())
}
