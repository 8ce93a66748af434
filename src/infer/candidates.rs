//! Values that may satisfy what constraints say of a column: pinned ones first, then between
//! bounds, then texts of a length or a pattern, then what its type and name suggest.

use rand::RngExt as _;

use crate::scenario::generate::{Pattern, Rng};

use super::condition::Condition;
use super::types::{Kind, Profile};

pub(super) const DAY_S: i64 = 86_400;
/// Instants that are drawn between bounds: about two years.
const SPAN_S: i64 = 700 * DAY_S;
/// 2023-01-01, from which unbounded instants go on.
const START_S: i64 = 1_672_531_200;

/// Bytes that are drawn at most, whatever length is asked for.
const BYTES_MAX: usize = 1 << 16;

/// A value for a column under these conditions, drawn; None: NULL.
pub(super) fn draw(
    rng: &mut Rng,
    profile: &Profile,
    conditions: &[&Condition],
    nullable: bool,
) -> Option<String> {
    let null = conditions.iter().rev().find_map(|condition| match condition {
        Condition::Null { null, .. } => Some(*null),
        _ => None,
    });
    let pinned = pinned(conditions);
    let is_null = null.unwrap_or_else(|| pinned.is_none() && rng.random_ratio(1, 8));
    if is_null && nullable {
        return None;
    }
    if let Some(values) = pinned {
        return one_of(rng, &values).map(|value| (*value).clone());
    }
    Some(unpinned(rng, profile, conditions))
}

/// Values of which it has to be one, by all conditions; by the first alone where they leave none.
pub(super) fn pinned<'c>(conditions: &[&'c Condition]) -> Option<Vec<&'c String>> {
    let lists: Vec<&Vec<String>> = conditions
        .iter()
        .filter_map(|condition| match condition {
            Condition::In { among: true, values, .. } => Some(values),
            _ => None,
        })
        .collect();
    let (first, others) = lists.split_first()?;
    let allowed = first.iter().filter(|value| {
        let in_all = others.iter().all(|list| list.contains(value));
        in_all && !is_excluded(value, conditions) && is_within(value, conditions)
    });
    let allowed: Vec<&String> = allowed.collect();
    Some(if allowed.is_empty() { first.iter().collect() } else { allowed })
}

/// Whether a number is within all bounds; of anything else nothing is known.
pub(super) fn is_within(value: &str, conditions: &[&Condition]) -> bool {
    let Ok(value) = value.parse::<f64>() else { return true };
    bounds(conditions).all(|(least, strict, bound)| match bound.parse::<f64>() {
        Ok(bound) if value == bound => !strict,
        Ok(bound) => (value > bound) == least,
        Err(_) => true,
    })
}

fn unpinned(rng: &mut Rng, profile: &Profile, conditions: &[&Condition]) -> String {
    for condition in conditions {
        let text = match condition {
            Condition::Matches { pattern, .. } => matching(rng, pattern),
            Condition::Like { pattern, .. } => Some(like(rng, pattern)),
            _ => None,
        };
        // One that a hint or a length would break is drawn from the others now and then.
        if let Some(text) = text
            && rng.random_ratio(15, 16)
        {
            return shaped(rng, text, profile, conditions);
        }
    }
    let bounded = conditions.iter().any(|c| matches!(c, Condition::Bound { .. }));
    if (bounded || rng.random_ratio(1, 3))
        && let Some(text) = between(rng, profile.kind, conditions)
    {
        return text;
    }
    let hinted: Vec<String> = hints(profile, conditions);
    if !hinted.is_empty() && rng.random_ratio(1, 2) {
        let text = one_of(rng, &hinted).cloned().unwrap_or_default();
        return shaped(rng, text, profile, conditions);
    }
    if let Kind::Text { longest } = profile.kind
        && rng.random_ratio(1, 3)
    {
        let text = code(rng, longest);
        return shaped(rng, text, profile, conditions);
    }
    let fitting: Vec<&String> =
        profile.candidates.iter().filter(|v| !is_excluded(v, conditions)).collect();
    let text = one_of(rng, &fitting).map(|text| (*text).clone()).unwrap_or_default();
    shaped(rng, text, profile, conditions)
}

/// A short code of letters or digits.
fn code(rng: &mut Rng, longest: usize) -> String {
    let digits = rng.random_ratio(1, 3);
    let length = rng.random_range(1..=longest.clamp(1, 8));
    let one = |rng: &mut Rng| match digits {
        true => char::from(b'0' + rng.random_range(0..10_u8)),
        false => letter(rng),
    };
    (0..length).map(|_| one(rng)).collect()
}

fn one_of<'v, T>(rng: &mut Rng, values: &'v [T]) -> Option<&'v T> {
    (!values.is_empty()).then(|| &values[rng.random_range(0..values.len())])
}

fn is_excluded(value: &str, conditions: &[&Condition]) -> bool {
    conditions.iter().any(|condition| match condition {
        Condition::In { among: false, values, .. } => values.iter().any(|v| v == value),
        _ => false,
    })
}

/// What constants of a condition make of the column: themselves, or texts with them.
fn hints(profile: &Profile, conditions: &[&Condition]) -> Vec<String> {
    let mut found = Vec::new();
    for condition in conditions {
        let Condition::Hint { constants, .. } = condition else { continue };
        for constant in constants {
            match profile.kind {
                Kind::Json => {
                    let key = serde_json::Value::from(constant.as_str());
                    found.push(format!("{{{key}: \"a\"}}"));
                    found.push(format!("{{{key}: 1}}"));
                    found.push(format!("{{{key}: [\"a\"]}}"));
                    found.push(format!("{{{key}: {{}}}}"));
                }
                Kind::Array => found.push(format!("{{\"{constant}\"}}")),
                Kind::Text { .. } => {
                    found.push(format!("a{constant}b.c"));
                    found.push(format!("{constant}a"));
                }
                _ => {}
            }
            found.push(constant.clone());
        }
        if let (Kind::Json, [_, _, ..]) = (profile.kind, constants.as_slice()) {
            for key in constants {
                for value in constants.iter().filter(|value| *value != key) {
                    let json = serde_json::Value::from;
                    found.push(format!("{{{}: {}}}", json(key.as_str()), json(value.as_str())));
                }
            }
        }
        if let (Kind::Json, [_, ..]) = (profile.kind, constants.as_slice()) {
            let pairs: Vec<String> = constants
                .iter()
                .map(|c| format!("{}: \"a\"", serde_json::Value::from(c.as_str())))
                .collect();
            found.push(format!("{{{}}}", pairs.join(", ")));
        }
    }
    found
}

/// A text that the regular expression matches, as far as the crate and Postgres agree on it.
pub(super) fn matching(rng: &mut Rng, pattern: &str) -> Option<String> {
    let compiled = Pattern::parse(&plain(pattern)).ok()?;
    let mut text = String::new();
    compiled.draw(rng, &mut text);
    Some(text)
}

/// Postgres's classes by name stay; its escapes that the crate has not become what they mean.
fn plain(pattern: &str) -> String {
    let pattern = pattern.strip_prefix("***:").unwrap_or(pattern);
    let pattern = pattern.strip_prefix("(?:").and_then(|p| p.strip_suffix(')')).unwrap_or(pattern);
    pattern
        .replace("\\m", "")
        .replace("\\M", "")
        .replace("\\y", "")
        .replace("\\A", "")
        .replace("\\Z", "")
}

fn like(rng: &mut Rng, pattern: &str) -> String {
    let mut text = String::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '%' => {
                for _ in 0..rng.random_range(1..5) {
                    text.push(letter(rng));
                }
            }
            '_' => text.push(letter(rng)),
            '\\' => text.extend(characters.next()),
            c => text.push(c),
        }
    }
    text
}

fn letter(rng: &mut Rng) -> char {
    char::from(b'a' + rng.random_range(0..26_u8))
}

/// The text with the length and case that are asked for.
fn shaped(rng: &mut Rng, text: String, profile: &Profile, conditions: &[&Condition]) -> String {
    let (mut least, mut most) = (
        0,
        match profile.kind {
            Kind::Text { longest } => longest,
            _ => usize::MAX,
        },
    );
    let mut text = text;
    for condition in conditions {
        match condition {
            Condition::Length { least: true, length, .. } => least = least.max(*length),
            Condition::Length { least: false, length, .. } => most = most.min(*length),
            Condition::Case { upper: true, .. } => text = text.to_uppercase(),
            Condition::Case { upper: false, .. } => text = text.to_lowercase(),
            _ => {}
        }
    }
    match profile.kind {
        Kind::Text { .. } => {
            let length = text.chars().count();
            if length > most {
                text = text.chars().take(most).collect();
            }
            let missing = least.min(most).saturating_sub(length);
            let digits = rng.random_range(0..2) == 0;
            text.extend((0..missing).map(|_| if digits { '1' } else { 'a' }));
            text
        }
        Kind::Array => elements(&text, least, most),
        Kind::Bytes if least > 0 || most < usize::MAX => {
            let longest = most.min(least.saturating_add(8));
            let length = rng.random_range(least..=longest.max(least)).min(BYTES_MAX);
            let digits = (0..length).map(|_| {
                let byte: u8 = rng.random();
                format!("{byte:02x}")
            });
            format!("\\x{}", digits.collect::<String>())
        }
        _ => text,
    }
}

/// An array's text with as many elements as are asked for; of simple elements.
fn elements(text: &str, least: usize, most: usize) -> String {
    let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return text.to_owned();
    };
    let parts: Vec<&str> = inner.split(',').filter(|part| !part.is_empty()).collect();
    match parts.is_empty() || (least..=most).contains(&parts.len()) {
        true => text.to_owned(),
        false => {
            let wanted = parts.len().clamp(least.min(most), most);
            let parts: Vec<&str> = parts.iter().copied().cycle().take(wanted).collect();
            format!("{{{}}}", parts.join(","))
        }
    }
}

/// A value between the bounds; None: the type has no order that is known here.
fn between(rng: &mut Rng, kind: Kind, conditions: &[&Condition]) -> Option<String> {
    match kind {
        Kind::Integer { min, max } => {
            let (mut low, mut high) = (min.max(-1_000_000), max.min(1_000_000));
            let (mut from, mut to) = (None, None);
            for (least, strict, value) in bounds(conditions) {
                let value: f64 = value.parse().ok()?;
                match least {
                    true => {
                        from = Some(
                            (value.ceil() as i64)
                                .saturating_add(i64::from(strict && value.fract() == 0.0)),
                        )
                    }
                    false => {
                        to = Some(
                            (value.floor() as i64)
                                .saturating_sub(i64::from(strict && value.fract() == 0.0)),
                        )
                    }
                }
            }
            if let Some(from) = from {
                low = from;
                high = to.unwrap_or(from.saturating_add(1_000)).min(max);
            } else if let Some(to) = to {
                high = to;
                low = to.saturating_sub(1_000).max(min).max(to.min(0));
            } else {
                (low, high) = (low.max(0), high.min(100));
            }
            (low <= high).then(|| edged(rng, low, high).to_string())
        }
        Kind::Decimal { scale, below } => decimal(rng, scale, below, conditions),
        Kind::Date | Kind::Instant => instant(rng, kind, conditions),
        _ => None,
    }
}

/// Uniform, and the ends more often.
fn edged(rng: &mut Rng, low: i64, high: i64) -> i64 {
    match rng.random_range(0..8) {
        0 => low,
        1 => high,
        _ => rng.random_range(low..=high),
    }
}

fn bounds<'c>(conditions: &'c [&Condition]) -> impl Iterator<Item = (bool, bool, &'c str)> {
    conditions.iter().filter_map(|condition| match condition {
        Condition::Bound { least, strict, value, .. } => Some((*least, *strict, value.as_str())),
        _ => None,
    })
}

fn decimal(rng: &mut Rng, scale: u32, below: f64, conditions: &[&Condition]) -> Option<String> {
    let (mut low, mut high) = (None::<f64>, None::<f64>);
    for (least, strict, value) in bounds(conditions) {
        let value: f64 = value.parse().ok()?;
        let step = if strict { 10_f64.powi(-(scale as i32)) } else { 0.0 };
        match least {
            true => low = Some(low.map_or(value + step, |low| low.max(value + step))),
            false => high = Some(high.map_or(value - step, |high| high.min(value - step))),
        }
    }
    let low = low.unwrap_or_else(|| high.map_or(0.0, |high| (high - 1_000.0).max(high.min(0.0))));
    let high = high.unwrap_or(low + 1_000.0).min(below - 10_f64.powi(-(scale as i32)));
    if low > high {
        return None;
    }
    let value = match rng.random_range(0..8) {
        0 => low,
        1 => high,
        _ => low + (high - low) * f64::from(rng.random_range(0..=10_000_u32)) / 10_000.0,
    };
    let factor = 10_f64.powi(scale as i32);
    let value = ((value * factor).round() / factor).clamp(low, high.max(low));
    Some(format!("{value:.digits$}", digits = scale as usize))
}

fn instant(rng: &mut Rng, kind: Kind, conditions: &[&Condition]) -> Option<String> {
    let (mut low, mut high) = (None::<i64>, None::<i64>);
    for (least, strict, value) in bounds(conditions) {
        let at = seconds(value)?;
        let step = match (strict, kind) {
            (false, _) => 0,
            (true, Kind::Date) => DAY_S,
            (true, _) => 1,
        };
        match least {
            true => low = Some(low.map_or(at + step, |low| low.max(at + step))),
            false => high = Some(high.map_or(at - step, |high| high.min(at - step))),
        }
    }
    let low = low.unwrap_or_else(|| high.map_or(START_S, |high| (high - SPAN_S).min(START_S)));
    let high = high.unwrap_or(low + SPAN_S);
    (low <= high).then(|| moment(kind, edged(rng, low, high)))?
}

/// Seconds since the Unix epoch of a date or an instant as Postgres prints it.
pub(super) fn seconds(text: &str) -> Option<i64> {
    if let Ok(date) = text.get(..10).unwrap_or(text).parse::<jiff::civil::Date>()
        && text.len() <= 10
    {
        let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        return Some(zoned.timestamp().as_second());
    }
    let text = text.replacen(' ', "T", 1);
    let zoned = match text.get(11..)?.contains(['+', '-']) || text.ends_with('Z') {
        true if text.get(text.len() - 3..)?.starts_with(['+', '-']) => format!("{text}:00"),
        true => text,
        false => format!("{text}Z"),
    };
    zoned.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

/// An instant as Postgres reads it.
pub(super) fn moment(kind: Kind, at_s: i64) -> Option<String> {
    let text = jiff::Timestamp::from_second(at_s).ok()?.to_string();
    Some(match kind {
        Kind::Date => text.get(..text.find('T')?)?.to_owned(),
        _ => text,
    })
}
