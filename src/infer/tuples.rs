//! Tuples for columns that share constraints: an alternative of each constraint is taken, each
//! column drawn under what it asks, and pairs put in order. The server decides.

use rand::RngExt as _;

use crate::scenario::generate::Rng;

use super::candidates::{self, DAY_S};
use super::condition::{Alternative, Condition};
use super::types::{Kind, Profile};

/// Redraws of a value that must differ from another one.
const REDRAWS_MAX: usize = 4;
/// Choices of alternatives until they do not contradict each other.
const CHOICES_MAX: usize = 6;

/// A column of the tuples.
pub(super) struct Part<'a> {
    /// Its name.
    pub name: &'a str,
    /// What its values may be.
    pub profile: &'a Profile,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether a row that says nothing of it has a value: NULL is drawn only where it is asked for.
    pub by_default: bool,
    /// Keys of which it has to be one.
    pub keys: Option<&'a [String]>,
}

/// Tuples, each once, in the order in which they were drawn.
pub(super) fn draw(
    rng: &mut Rng,
    parts: &[Part],
    checks: &[&[Alternative]],
    wanted: usize,
) -> Vec<Vec<Option<String>>> {
    let mut lines = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..wanted {
        let line = line(rng, parts, checks);
        if seen.insert(line.clone()) {
            lines.push(line);
        }
    }
    lines
}

fn line(rng: &mut Rng, parts: &[Part], checks: &[&[Alternative]]) -> Vec<Option<String>> {
    let chosen = choose(rng, checks);
    let mut line: Vec<Option<String>> =
        parts.iter().map(|part| value(rng, part, &chosen)).collect();
    for condition in &chosen {
        if let Condition::Pair { left, operator, right } = condition {
            let at = |name: &str| parts.iter().position(|part| part.name == name);
            if let (Some(left), Some(right)) = (at(left), at(right)) {
                order(rng, parts, &mut line, (left, operator, right), &chosen);
            }
        }
    }
    line
}

/// An alternative of each check, those that contradict each other avoided.
fn choose<'c>(rng: &mut Rng, checks: &[&'c [Alternative]]) -> Vec<&'c Condition> {
    let mut order: Vec<usize> = (0..checks.len()).filter(|at| !checks[*at].is_empty()).collect();
    let mut best: (usize, Vec<&Condition>) = (usize::MAX, Vec::new());
    for _ in 0..CHOICES_MAX {
        for at in (1..order.len()).rev() {
            order.swap(at, rng.random_range(0..=at));
        }
        let mut chosen: Vec<&Condition> = Vec::new();
        let mut contradictions = 0;
        for at in &order {
            let alternatives = checks[*at];
            let first = rng.random_range(0..alternatives.len());
            let turned = alternatives[first..].iter().chain(&alternatives[..first]);
            let mut turned = turned.clone();
            let fitting = turned.find(|alternative| fits(alternative, &chosen));
            contradictions += usize::from(fitting.is_none());
            chosen.extend(fitting.unwrap_or(&alternatives[first]));
        }
        if contradictions < best.0 {
            best = (contradictions, chosen);
        }
        if contradictions == 0 {
            break;
        }
    }
    best.1
}

/// Whether conditions can hold beside others, as far as that is plain.
fn fits(alternative: &Alternative, chosen: &[&Condition]) -> bool {
    alternative.iter().all(|condition| {
        let Some(column) = condition.column() else { return true };
        let mut own: Vec<&Condition> =
            chosen.iter().copied().filter(|c| c.column() == Some(column)).collect();
        own.push(condition);
        let null = |wanted: bool| {
            own.iter().any(|c| matches!(c, Condition::Null { null, .. } if *null == wanted))
        };
        let lists = own.iter().filter_map(|c| match c {
            Condition::In { among: true, values, .. } => Some(values),
            _ => None,
        });
        let lists: Vec<&Vec<String>> = lists.collect();
        let excluded = |value: &String| {
            own.iter().any(|c| {
                matches!(c, Condition::In { among: false, values, .. } if values.contains(value))
            })
        };
        let possible = |value: &&String| {
            lists.iter().all(|list| list.contains(value))
                && !excluded(value)
                && candidates::is_within(value, &own)
        };
        let pinned = lists.first().is_none_or(|first| first.iter().any(|v| possible(&v)));
        !(null(true) && null(false)) && pinned
    })
}

fn value(rng: &mut Rng, part: &Part, chosen: &[&Condition]) -> Option<String> {
    let own: Vec<&Condition> =
        chosen.iter().copied().filter(|c| c.column() == Some(part.name)).collect();
    let asked = own.iter().any(|condition| matches!(condition, Condition::Null { null: true, .. }));
    let nullable = part.nullable && (asked || !part.by_default);
    let drawn = candidates::draw(rng, part.profile, &own, nullable)?;
    match part.keys {
        None => Some(drawn),
        Some([]) => None,
        Some(keys) if keys.contains(&drawn) => Some(drawn),
        Some(keys) => Some(keys[rng.random_range(0..keys.len())].clone()),
    }
}

/// Makes a pair hold, where both have a value.
fn order(
    rng: &mut Rng,
    parts: &[Part],
    line: &mut [Option<String>],
    (left, operator, right): (usize, &str, usize),
    chosen: &[&Condition],
) {
    let (Some(l), Some(r)) = (line[left].clone(), line[right].clone()) else { return };
    match operator {
        "=" => line[right] = Some(l),
        "<>" => {
            for _ in 0..REDRAWS_MAX {
                if line[right] != line[left] {
                    return;
                }
                line[right] = value(rng, &parts[right], chosen);
            }
        }
        _ => {
            let kind = parts[left].profile.kind;
            let (small, large) =
                if operator.starts_with('<') { (left, right) } else { (right, left) };
            let (low, high) = if small == left { (l, r) } else { (r, l) };
            if !is_less(kind, &low, &high) {
                (line[small], line[large]) = (Some(high.clone()), Some(low.clone()));
            }
            let (low, high) = (line[small].clone(), line[large].clone());
            if parts[large].keys.is_none()
                && (low == high || rng.random_ratio(1, 3))
                && let Some(beyond) = low.and_then(|low| beyond(rng, kind, &low))
            {
                line[large] = Some(beyond);
            }
        }
    }
}

fn is_less(kind: Kind, low: &str, high: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    match kind {
        Kind::Integer { .. } | Kind::Decimal { .. } => number(low) <= number(high),
        Kind::Date | Kind::Instant => candidates::seconds(low) <= candidates::seconds(high),
        _ => match (number(low), number(high)) {
            (Some(low), Some(high)) => low <= high,
            _ => low <= high,
        },
    }
}

/// A value that lies behind another one, near or far.
fn beyond(rng: &mut Rng, kind: Kind, low: &str) -> Option<String> {
    let step: i64 = if rng.random_ratio(1, 2) { 1 } else { rng.random_range(2..60) };
    match kind {
        Kind::Integer { .. } => Some(low.parse::<i64>().ok()?.checked_add(step)?.to_string()),
        Kind::Decimal { scale, .. } => {
            let digits = scale as usize;
            Some(format!("{:.digits$}", low.parse::<f64>().ok()? + step as f64))
        }
        Kind::Date | Kind::Instant => {
            candidates::moment(kind, candidates::seconds(low)?.checked_add(step * DAY_S)?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::generate::stream;

    #[test]
    fn a_column_with_a_default_is_null_only_where_a_condition_asks_for_it() {
        let profile = Profile { candidates: vec!["x".to_owned()], ..Profile::default() };
        let nulls = |by_default, null: &[bool]| {
            let part =
                Part { name: "c", profile: &profile, nullable: true, by_default, keys: None };
            let of = |null: &bool| vec![Condition::Null { column: "c".to_owned(), null: *null }];
            let alternatives: Vec<Alternative> = null.iter().map(of).collect();
            let drawn = draw(&mut stream(1, "tuples", 0), &[part], &[&alternatives], 100);
            drawn.contains(&vec![None])
        };
        assert!(nulls(false, &[]) && !nulls(true, &[]));
        assert!(nulls(true, &[true, false]) && !nulls(true, &[false]));
    }
}
