//! Checks generators: that exactly one is named, and that what it names exists.

use toml::Spanned;

use super::super::generate::{Pattern, Template};
use super::super::problem::Source;
use super::super::{FakeKind, Generator, wire};
use super::Checker;
use super::reference::{EACH_MAX, SKEW_MAX};

/// Digits of a 64-bit number that are all free.
const SCALE_MAX: u32 = 18;
/// No document is larger than Postgres would take in a row of this size.
const JSON_BYTES_MAX: u32 = 10 << 20;
/// The smallest JSON object with a key: `{"a":1}` with some room for a word.
const JSON_BYTES_MIN: u32 = 16;

/// What a value asks for, one variant per key that names a generator.
enum Named<'a> {
    Uuid,
    Serial,
    Integer(&'a Spanned<Vec<i64>>),
    Reference(&'a wire::Reference),
    Timestamp(&'a Spanned<wire::Timestamp>),
    Now,
    Fake(FakeKind),
    Json(&'a wire::Json),
    Choice(&'a Spanned<wire::Choice>),
    Constant(&'a Spanned<toml::Value>),
    Pool(&'a wire::PoolColumn),
    Pattern(&'a Spanned<String>),
    Decimal(&'a Spanned<wire::Decimal>),
    Numbered(&'a Spanned<String>),
}

/// Every key that names a generator, with what the value says under it. The pattern has no `..`:
/// a key that is added to the format and not handled here does not compile.
fn named(value: &wire::Value) -> [(&'static str, Option<Named<'_>>); 14] {
    let wire::Value {
        uuid,
        serial,
        integer,
        reference,
        timestamp,
        now,
        fake,
        json,
        choice,
        constant,
        pool,
        pattern,
        decimal,
        numbered,
        unique: _,
        distinct: _,
        skew: _,
        follow: _,
        null_fraction: _,
        null_with: _,
    } = value;
    [
        ("uuid", uuid.as_ref().map(|_| Named::Uuid)),
        ("serial", serial.as_ref().map(|_| Named::Serial)),
        ("integer", integer.as_ref().map(Named::Integer)),
        ("reference", reference.as_ref().map(|r| Named::Reference(r.get_ref()))),
        ("timestamp", timestamp.as_ref().map(Named::Timestamp)),
        ("now", now.as_ref().map(|_| Named::Now)),
        ("fake", fake.as_ref().map(|kind| Named::Fake(*kind.get_ref()))),
        ("json", json.as_ref().map(|json| Named::Json(json.get_ref()))),
        ("choice", choice.as_ref().map(Named::Choice)),
        ("constant", constant.as_ref().map(Named::Constant)),
        ("pool", pool.as_ref().map(|pool| Named::Pool(pool.get_ref()))),
        ("pattern", pattern.as_ref().map(Named::Pattern)),
        ("decimal", decimal.as_ref().map(Named::Decimal)),
        ("numbered", numbered.as_ref().map(Named::Numbered)),
    ]
}

/// The generator of a place where nothing else is allowed.
pub(super) fn only_generator(
    checker: &mut Checker<'_>,
    source: &Source,
    value: &Spanned<wire::Value>,
) -> Option<Generator> {
    if let Some(follow) = &value.get_ref().follow {
        let remedy = "only the parameters of an operation can follow another operation";
        checker.push_with(source, follow, "`follow` has no place here", remedy);
        return None;
    }
    generator(checker, source, value)
}

/// The one generator that a value names, with how many of its values there are.
pub(super) fn generator(
    checker: &mut Checker<'_>,
    source: &Source,
    value: &Spanned<wire::Value>,
) -> Option<Generator> {
    let of = one_generator(checker, source, value);
    let wire::Value { distinct, skew, .. } = value.get_ref();
    if let (Some(skew), None) = (skew, distinct) {
        let remedy = "it says how unevenly the values of `distinct` come";
        checker.push_with(source, skew, "`skew` has no place here", remedy);
    }
    let (Some(distinct), Some(of)) = (distinct, of.clone()) else { return of };
    if !repeats(&of) {
        let remedy = format!("it goes with {}", REPEATING.join(", "));
        checker.push_with(source, distinct, "`distinct` has no place here", remedy);
        return None;
    }
    let skew = match skew {
        Some(skew) => checker.within(source, "skew", skew, 0.0..=SKEW_MAX),
        None => 0.0,
    };
    let distinct = checker.within(source, "distinct", distinct, 1..=EACH_MAX);
    Some(Generator::Repeated { of: Box::new(of), distinct, skew })
}

/// Generators whose values are drawn by chance and from nothing but themselves.
const REPEATING: &[&str] = &["integer", "decimal", "timestamp", "fake", "json", "pattern", "uuid"];

fn repeats(of: &Generator) -> bool {
    match of {
        Generator::Uuid
        | Generator::Integer { .. }
        | Generator::Decimal { .. }
        | Generator::Timestamp { .. }
        | Generator::Fake { unique: false, .. }
        | Generator::Json { .. }
        | Generator::Pattern { .. } => true,
        Generator::Serial
        | Generator::Reference { .. }
        | Generator::Now
        | Generator::Fake { unique: true, .. }
        | Generator::Choice { .. }
        | Generator::Constant { .. }
        | Generator::Pool { .. }
        | Generator::Numbered { .. }
        | Generator::Repeated { .. } => false,
    }
}

fn one_generator(
    checker: &mut Checker<'_>,
    source: &Source,
    value: &Spanned<wire::Value>,
) -> Option<Generator> {
    let keys = named(value.get_ref());
    let names = keys.each_ref().map(|(name, _)| *name);
    let mut set: Vec<_> = keys.into_iter().filter_map(|(n, asked)| Some((n, asked?))).collect();
    let asked = match (set.pop(), set.is_empty()) {
        (Some((_, asked)), true) => asked,
        (last, _) => {
            let set: Vec<&str> = set.iter().chain(&last).map(|(name, _)| *name).collect();
            let message = match set.as_slice() {
                [] => "no generator is named here".to_owned(),
                several => {
                    format!("only one generator may be named, not {}", several.join(" and "))
                }
            };
            let remedy = format!("generators: {}", names.join(", "));
            checker.push_with(source, value, message, remedy);
            return None;
        }
    };
    let unique = value.get_ref().unique.as_ref();
    if let (Some(unique), false) = (unique, matches!(asked, Named::Fake(_))) {
        checker.push_with(source, unique, "`unique` has no place here", "it goes with `fake`");
    }
    match asked {
        Named::Uuid => Some(Generator::Uuid),
        Named::Serial => Some(Generator::Serial),
        Named::Now => Some(Generator::Now),
        Named::Integer(range) => {
            let [min, max] = pair(checker, source, "integer", range)?;
            Some(Generator::Integer { min, max })
        }
        Named::Reference(reference) => checker.reference(source, reference),
        Named::Timestamp(timestamp) => checker.timestamp(source, timestamp),
        Named::Json(json) => checker.json(source, json),
        Named::Choice(choice) => checker.choice(source, choice),
        Named::Constant(constant) => {
            let value = checker.scalar(source, constant)?;
            Some(Generator::Constant { value })
        }
        Named::Pool(pool) => checker.pool_column(source, pool),
        Named::Pattern(pattern) => {
            let parsed = Pattern::parse(pattern.get_ref());
            checker.parsed(source, "pattern", pattern, parsed)?;
            Some(Generator::Pattern { pattern: pattern.get_ref().clone() })
        }
        Named::Decimal(decimal) => checker.decimal(source, decimal),
        Named::Numbered(template) => {
            let parsed = Template::parse(template.get_ref());
            checker.parsed(source, "numbered", template, parsed)?;
            Some(Generator::Numbered { template: template.get_ref().clone() })
        }
        Named::Fake(kind) => {
            Some(Generator::Fake { kind, unique: unique.is_some_and(|unique| *unique.get_ref()) })
        }
    }
}

/// Two numbers, the first not beyond the second.
fn pair<T: PartialOrd + Copy>(
    checker: &mut Checker<'_>,
    source: &Source,
    key: &str,
    range: &Spanned<Vec<T>>,
) -> Option<[T; 2]> {
    match range.get_ref().as_slice() {
        [least, most] if least <= most => Some([*least, *most]),
        _ => {
            let message = format!("`{key}` needs the least and the most value");
            checker.push_with(source, range, message, format!("right would be {key} = [1, 100]"));
            None
        }
    }
}

impl Checker<'_> {
    /// Reports a text of a language of its own that does not parse.
    fn parsed<T>(
        &mut self,
        source: &Source,
        key: &str,
        text: &Spanned<String>,
        parsed: Result<T, String>,
    ) -> Option<T> {
        let problem = |why| source.problem(text.span(), format!("`{key}` does not parse: {why}"));
        parsed.map_err(|why| self.problems.push(problem(why))).ok()
    }

    fn decimal(&mut self, source: &Source, decimal: &Spanned<wire::Decimal>) -> Option<Generator> {
        let stated = decimal.get_ref();
        let scale = self.within(source, "scale", &stated.scale, 0..=SCALE_MAX);
        let min = self.units(source, &stated.min, scale);
        let max = self.units(source, &stated.max, scale);
        let (min_units, max_units) = (min?, max?);
        if min_units > max_units {
            self.push(source, &stated.max, "`max` is less than `min`");
        }
        Some(Generator::Decimal { min_units, max_units, scale })
    }

    /// A decimal in units of 10^-scale.
    fn units(&mut self, source: &Source, value: &Spanned<toml::Value>, scale: u32) -> Option<i64> {
        let text = self.scalar(source, value)?;
        let units = units(&text, scale);
        if units.is_none() {
            let message = format!("`{text}` is no decimal of {scale} digits behind the point");
            let remedy = "right would be \"0.01\", with at most 18 digits in all";
            self.push_with(source, value, message, remedy);
        }
        units
    }

    fn timestamp(
        &mut self,
        source: &Source,
        timestamp: &Spanned<wire::Timestamp>,
    ) -> Option<Generator> {
        let stated = timestamp.get_ref();
        let from = self.instant(source, &stated.from);
        let to = self.instant(source, &stated.to);
        let (from_us, to_us) = (from?, to?);
        if from_us >= to_us {
            self.push(source, &stated.to, "`to` is not later than `from`");
        }
        let hot_fraction = match &stated.hot_fraction {
            Some(fraction) => self.within(source, "hot_fraction", fraction, 0.0..=1.0),
            None => 0.0,
        };
        let span_s_max = u64::try_from(to_us.saturating_sub(from_us) / 1_000_000).unwrap_or(0);
        let hot_span_s = match &stated.hot_span_s {
            Some(span) => self.within(source, "hot_span_s", span, 1..=span_s_max.max(1)),
            None => 0,
        };
        if stated.hot_fraction.is_some() != stated.hot_span_s.is_some() {
            let message = "`hot_fraction` and `hot_span_s` go together";
            self.push(source, timestamp, message);
        }
        let hot_span_us = i64::try_from(hot_span_s).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        Some(Generator::Timestamp { from_us, to_us, hot_fraction, hot_span_us })
    }

    fn instant(&mut self, source: &Source, text: &Spanned<String>) -> Option<i64> {
        match text.get_ref().parse::<jiff::Timestamp>() {
            Ok(instant) => Some(instant.as_microsecond()),
            Err(_) => {
                let message = format!("`{}` is no instant", text.get_ref());
                let remedy = "right would be 2026-01-01T00:00:00Z";
                self.push_with(source, text, message, remedy);
                None
            }
        }
    }

    fn json(&mut self, source: &Source, json: &wire::Json) -> Option<Generator> {
        let [min_bytes, max_bytes] = pair(self, source, "bytes", &json.bytes)?;
        if min_bytes < JSON_BYTES_MIN || max_bytes > JSON_BYTES_MAX {
            let message = format!("`bytes` = [{min_bytes}, {max_bytes}] is out of range");
            let remedy = format!("right would be {JSON_BYTES_MIN} to {JSON_BYTES_MAX}");
            self.push_with(source, &json.bytes, message, remedy);
        }
        Some(Generator::Json { min_bytes, max_bytes })
    }

    fn choice(&mut self, source: &Source, choice: &Spanned<wire::Choice>) -> Option<Generator> {
        let values = choice.get_ref().values.get_ref().clone();
        if values.is_empty() {
            self.push(source, &choice.get_ref().values, "there is nothing to choose from");
            return None;
        }
        let weights = match &choice.get_ref().weights {
            None => vec![1.0; values.len()],
            Some(weights) => {
                let (given, wanted) = (weights.get_ref().len(), values.len());
                if given != wanted {
                    let message = format!("{given} weights for {wanted} values");
                    self.push(source, weights, message);
                }
                if !is_distribution(weights.get_ref()) {
                    let remedy = "right would be numbers of 0 or more, one of them above 0";
                    self.push_with(source, weights, "these are no weights", remedy);
                }
                weights.get_ref().clone()
            }
        };
        Some(Generator::Choice { values, weights })
    }
}

fn is_distribution(weights: &[f64]) -> bool {
    weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0)
        && weights.iter().sum::<f64>() > 0.0
}

/// `-1.5` is -150 of a scale of 2.
fn units(text: &str, scale: u32) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let digit = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digit(whole) || !digit(part) || part.len() > scale as usize {
        return None;
    }
    format!("{sign}{whole}{part:0<width$}", width = scale as usize).parse().ok()
}
