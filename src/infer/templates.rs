//! Templates that keep what constraints ask of a column: numbers and instants from a bound on, and
//! texts that were drawn with the row's number in place of their end. The server says which it
//! takes, and how far.

use std::collections::BTreeSet;

use super::candidates::{self, DAY_S};
use super::condition::{Alternative, Condition};
use super::types::Kind;

/// Bounds that are tried.
const BOUNDS_MAX: usize = 4;
/// Texts of which the end is looked at, and how many of them are tried.
const TEXTS_MAX: usize = 96;
const TRIED_MAX: usize = 4;
/// Templates of each way to put a number into a text.
const TEMPLATES_MAX: usize = 8;
/// Fewer digits at the end number hardly more rows than texts are drawn.
const DIGITS_MIN: usize = 4;
/// More digits than any number of rows has.
const DIGITS_MAX: usize = 18;
/// The instant from which the forms `time` and `date` count: 2020-01-01.
const EPOCH_S: i64 = 1_577_836_800;

/// What checks and a domain say of the ends of a column's values.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// The number, or the instant in seconds, before the first one that is allowed.
    before: Vec<i64>,
    /// The last one.
    last: Vec<i64>,
}

impl Ends {
    pub fn of(kind: Kind, checks: &[&[Alternative]]) -> Ends {
        let mut ends = Ends::default();
        for condition in checks.iter().flat_map(|check| check.iter().flatten()) {
            let Condition::Bound { least, strict, value, .. } = condition else { continue };
            let (Some(value), step) = number(kind, value) else { continue };
            match (least, strict) {
                (true, true) => ends.before.push(value.floor() as i64),
                (true, false) => ends.before.push((value.ceil() as i64).saturating_sub(step)),
                (false, true) => ends.last.push((value.ceil() as i64).saturating_sub(step)),
                (false, false) => ends.last.push(value.floor() as i64),
            }
        }
        if let Kind::Integer { max, .. } = kind {
            ends.last.push(max);
        }
        for of in [&mut ends.before, &mut ends.last] {
            let mut seen = BTreeSet::new();
            of.retain(|value| seen.insert(*value));
            of.truncate(BOUNDS_MAX);
        }
        ends
    }

    /// Rows at which a number from one of the bounds on is the last one, and those after them.
    pub fn rows(&self) -> impl Iterator<Item = u64> {
        let before = self.before.iter().chain(&[0]);
        let pairs = before.flat_map(|before| self.last.iter().map(move |last| (before, last)));
        let rows = pairs.filter_map(|(before, last)| last.checked_sub(*before));
        let rows = rows.filter_map(|rows| u64::try_from(rows).ok());
        rows.flat_map(|rows| [rows, rows.saturating_add(1)])
    }

    /// Templates of the kind from each bound on.
    pub fn templates(&self, kind: Kind) -> Vec<String> {
        let of = |before: &i64| {
            let plus = |by: i64| if by < 0 { by.to_string() } else { format!("+{by}") };
            match kind {
                Kind::Integer { .. } => vec![format!("{{n{}}}", plus(*before))],
                Kind::Decimal { scale, .. } => decimal(scale, &plus(*before)),
                Kind::Date => {
                    vec![format!("{{n{}:date}}", plus(before.saturating_sub(EPOCH_S) / DAY_S))]
                }
                Kind::Instant => {
                    vec![format!("{{n{}:time}}", plus(before.saturating_sub(EPOCH_S)))]
                }
                _ => Vec::new(),
            }
        };
        self.before.iter().flat_map(of).collect()
    }
}

/// Whole numbers, and then those with all digits after the point.
fn decimal(scale: u32, plus: &str) -> Vec<String> {
    let mut found = vec![format!("{{n{plus}}}")];
    if scale > 0 && !plus.starts_with('-') {
        let unit = 10_u64.pow(scale);
        found.push(format!("{{n/{unit}{plus}}}.{{n%{unit}:0{scale}}}"));
    }
    found
}

/// A bound as a number, and the distance of two values.
fn number(kind: Kind, value: &str) -> (Option<f64>, i64) {
    match kind {
        Kind::Integer { .. } | Kind::Decimal { .. } => (value.parse().ok(), 1),
        Kind::Date => (candidates::seconds(value).map(|at| at as f64), DAY_S),
        Kind::Instant => (candidates::seconds(value).map(|at| at as f64), 1),
        _ => (None, 1),
    }
}

/// Templates from texts that were drawn: the row's number takes the place of their last run of
/// digits, or of their last letters and digits.
pub(super) fn of_texts(texts: &[String]) -> Vec<String> {
    let plain = texts.iter().filter(|text| !text.contains(['{', '}'])).take(TEXTS_MAX);
    let plain: Vec<&String> = plain.collect();
    let mut found = Vec::new();
    for text in &plain {
        let template = in_digits(text);
        if !found.contains(&template) && found.len() < TEMPLATES_MAX {
            found.push(template);
        }
    }
    // The longest have most room.
    let mut longest = plain;
    longest.sort_by_key(|text| std::cmp::Reverse(text.chars().count()));
    longest.dedup_by_key(|text| text.chars().count());
    let mut tried = Vec::new();
    for template in longest.into_iter().take(TRIED_MAX).flat_map(|text| at_the_end(text)) {
        if !found.contains(&template) && !tried.contains(&template) {
            tried.push(template);
        }
    }
    found.extend(tried);
    found
}

fn in_digits(text: &str) -> String {
    let end = text.rfind(|c: char| c.is_ascii_digit()).map_or(text.len(), |at| at + 1);
    let head = &text[..end];
    let start = head.len() - head.chars().rev().take_while(char::is_ascii_digit).count();
    let (before, after) = (&text[..start], &text[end..]);
    match end - start {
        0 => format!("{text}{{n}}"),
        width => format!("{before}{{n:0{width}}}{after}"),
    }
}

/// The last letters and digits of a text as a number, all of them first, then fewer: those in
/// front may have to be letters.
fn at_the_end(text: &str) -> Vec<String> {
    let is_part = |c: &char| c.is_ascii_alphanumeric();
    let run = text.chars().rev().take_while(is_part).count();
    let most = run.min(DIGITS_MAX);
    let mut widths: Vec<usize> = (DIGITS_MIN..=most).rev().collect();
    // The next ones are much like them.
    if widths.len() > TEMPLATES_MAX {
        let (first, rest) = widths.split_at(TEMPLATES_MAX / 2);
        let rest = rest.iter().copied().filter(|width| width % 2 == 0);
        widths = first.iter().copied().chain(rest).collect();
    }
    let of = |width: usize| format!("{}{{n:0{width}}}", &text[..text.len() - width]);
    widths.into_iter().take(TEMPLATES_MAX).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(least: bool, strict: bool, value: &str) -> Condition {
        Condition::Bound { column: "c".to_owned(), least, strict, value: value.to_owned() }
    }

    const INTEGER: Kind = Kind::Integer { min: -32_768, max: 32_767 };
    const DECIMAL: Kind = Kind::Decimal { scale: 2, below: 1e8 };

    #[rstest::rstest]
    #[case(INTEGER, bound(true, false, "100000"), &["{n+99999}"])]
    #[case(INTEGER, bound(true, true, "100"), &["{n+100}"])]
    #[case(INTEGER, bound(true, false, "-90"), &["{n-91}"])]
    #[case(INTEGER, bound(false, true, "100"), &[])]
    #[case(DECIMAL, bound(true, true, "0.5"), &["{n+0}", "{n/100+0}.{n%100:02}"])]
    #[case(Kind::Date, bound(true, false, "2020-01-03"), &["{n+1:date}"])]
    #[case(Kind::Instant, bound(true, false, "2020-01-01 00:01:00+00"), &["{n+59:time}"])]
    #[case(Kind::Json, bound(true, false, "1"), &[])]
    fn numbers_go_on_from_a_bound(
        #[case] kind: Kind,
        #[case] bound: Condition,
        #[case] expected: &[&str],
    ) {
        let checks = [vec![bound]];
        assert_eq!(Ends::of(kind, &[&checks]).templates(kind), expected);
    }

    #[test]
    fn the_last_row_of_a_range_is_tried() {
        let checks = [vec![bound(true, false, "100"), bound(false, true, "200")]];
        let rows: Vec<u64> = Ends::of(INTEGER, &[&checks]).rows().collect();
        assert_eq!(rows, [100, 101, 32_668, 32_669, 199, 200, 32_767, 32_768]);
    }

    #[test]
    fn a_number_takes_the_end_of_a_text() {
        let found = of_texts(&["cus_aB3dE6gH9jK2mN".to_owned(), "x-1y".to_owned()]);
        let digits = ["cus_aB3dE6gH9jK{n:01}mN", "x-{n:01}y"];
        assert_eq!(found[..2], digits.map(str::to_owned));
        let ends = ["cus_{n:014}", "cus_a{n:013}", "cus_aB{n:012}", "cus_aB3{n:011}"];
        assert_eq!(found[2..6], ends.map(str::to_owned));
        assert!(found.contains(&"cus_aB3dE6gH{n:06}".to_owned()), "{found:?}");
    }
}
