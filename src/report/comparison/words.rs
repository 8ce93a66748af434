//! The words that every format of a comparison shares.

use crate::clock::Micros;
use crate::compare::{Interval, MetricRow, Sample, Side, Unit};
use crate::stats::grouped;

use super::super::bytes;

/// The median with its unit, and of how many.
pub fn sample(sample: &Sample, unit: Unit) -> String {
    let text = match (sample.median, unit) {
        (None, _) => "never".to_owned(),
        (Some(us), Unit::Microseconds) => Micros(us).to_string(),
        (Some(count), Unit::Count) => grouped(count),
        (Some(size), Unit::Bytes) => bytes(size),
    };
    format!("{text} (n {})", sample.values.len())
}

/// `1.52 (1.31 to 1.80)`; of a length of time, without the machine's speed.
pub fn ratio(row: &MetricRow) -> String {
    format!("{} ({})", times(row.ratio), interval(&row.interval))
}

pub fn interval(of: &Interval) -> String {
    format!("{} to {}", times(of.low), times(of.high))
}

fn times(ratio: Option<f64>) -> String {
    ratio.map_or("∞".to_owned(), |ratio| format!("{ratio:.2}"))
}

/// With what and when a side was measured.
pub fn side(side: &Side) -> String {
    // RFC 3339; fractions of a second carry no information.
    let second = |at: &str| at.split('.').next().unwrap_or(at).to_owned();
    let when = match side.first_at == side.last_at {
        true => second(&side.first_at),
        false => format!("{} to {}", second(&side.first_at), second(&side.last_at)),
    };
    let machines = side.machines.join("; ");
    format!("{} · pgauntlet {} · {when} · {machines}", side.name, side.tools.join(", "))
}

/// How differences were judged, in a sentence.
pub fn how(options: &crate::compare::Options) -> String {
    format!(
        "A number differs where the Mann–Whitney test has p < {}, the {:.0} % bootstrap interval \
         of the ratio of medians excludes 1, and the ratio is beyond {:.2} and its floor; of \
         lengths of time the machine's speed is taken out",
        options.alpha,
        options.confidence * 100.0,
        options.ratio_min
    )
}
