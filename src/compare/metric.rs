//! What is compared of a trial: which numbers, which way is worse, what a slower machine does to
//! them, and which differences are too small to matter.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::pg::StatementPlace;
use crate::pg::purpose::Purpose;
use crate::result::{Measured, StatementRow};

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Time.
    Microseconds,
    /// Operations, connections or statements.
    Count,
    /// Bytes of write-ahead log.
    Bytes,
}

/// What a machine of half the speed makes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Speed {
    /// Twice as much: a length of time in which the server works.
    Scales,
    /// Up to twice as much: operations are due at their rate while the work takes longer.
    UpToProportional,
    /// Any amount: it counts what is beyond a limit of time.
    BeyondALimit,
    /// The same.
    None,
}

/// A number of a trial that can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in files: `longest-stall`.
    pub key: &'static str,
    /// For people.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// How it depends on the machine's speed.
    pub speed: Speed,
    /// Whether a larger number is the worse one.
    pub more_is_worse: bool,
    /// A difference of medians below this is none.
    pub floor: f64,
    /// What it means where the value is not there: the event never came.
    pub never: &'static str,
    read: fn(&Measured) -> Read,
}

/// What a trial says of a metric.
enum Read {
    Value(u64),
    Never,
    /// It was not measured.
    Nothing,
}

const fn time(
    key: &'static str,
    name: &'static str,
    floor_ms: u64,
    read: fn(&Measured) -> Read,
) -> Metric {
    Metric {
        key,
        name,
        unit: Unit::Microseconds,
        speed: Speed::Scales,
        more_is_worse: true,
        floor: Micros::from_millis(floor_ms).0 as f64,
        never: "never",
        read,
    }
}

const fn count(
    key: &'static str,
    name: &'static str,
    speed: Speed,
    floor: f64,
    read: fn(&Measured) -> Read,
) -> Metric {
    let unit = Unit::Count;
    Metric { key, name, unit, speed, more_is_worse: true, floor, never: "never", read }
}

fn of(time: Micros) -> Read {
    Read::Value(time.0)
}

/// In the order of a report.
pub const METRICS: &[Metric] = &[
    time("longest-stall", "longest stall", 50, |m| of(m.longest_stall_us)),
    count("stalled-operations", "stalled operations", Speed::UpToProportional, 5.0, |m| {
        Read::Value(m.stalled_operations)
    }),
    count("queue-max", "longest queue", Speed::BeyondALimit, 5.0, |m| Read::Value(m.queue_max)),
    count("acquire-timeouts", "acquire timeouts", Speed::BeyondALimit, 1.0, |m| {
        Read::Value(m.operations.acquire_timeouts)
    }),
    Metric {
        more_is_worse: false,
        // The pool fills at the traffic's rate, whatever the server does.
        speed: Speed::None,
        ..time("time-to-exhaustion", "time to exhaustion", 100, |m| {
            m.time_to_exhaustion_us.map_or(Read::Never, of)
        })
    },
    time("p99-before", "p99 before", 50, |m| phase(m.latency.before)),
    time("p99-during", "p99 during", 50, |m| phase(m.latency.during)),
    time("p99-after", "p99 after", 50, |m| phase(m.latency.after)),
    time("change", "the change", 100, |m| of(m.change_us)),
    time("recovery", "recovery", 500, |m| m.recovery_us.map_or(Read::Never, of)),
    Metric {
        unit: Unit::Bytes,
        speed: Speed::None,
        floor: 1_000_000.0,
        ..time("wal", "WAL of its statements", 0, wal)
    },
];

/// How long one statement of the change took; its key is this and the text.
pub const STATEMENT: Metric = time("statement ", "statement", 100, |_| Read::Nothing);

/// Columns of a statement's text that name it.
const TEXT_MAX: usize = 100;

/// Without what no application can have measured.
fn phase(summary: crate::stats::Summary) -> Read {
    if summary.count == 0 { Read::Nothing } else { of(summary.p99_us) }
}

fn wal(measured: &Measured) -> Read {
    let known = measured.statements.iter().filter(|s| s.attempt == 0);
    let bytes: Vec<u64> = known.filter_map(|s| s.wal_bytes).collect();
    if bytes.is_empty() { Read::Nothing } else { Read::Value(bytes.iter().sum()) }
}

/// The metric of a key; None: there is none of that name.
pub fn metric(key: &str) -> Option<Metric> {
    let named = METRICS.iter().find(|metric| metric.key == key);
    named.copied().or_else(|| key.starts_with(STATEMENT.key).then_some(STATEMENT))
}

/// Values by key; None is "never". What was not measured is left out.
pub fn values(measured: &Measured) -> BTreeMap<String, Option<u64>> {
    let mut values = BTreeMap::new();
    let silent = measured.operations.scheduled == 0;
    for metric in METRICS {
        let of_traffic = !["change", "wal"].contains(&metric.key);
        if silent && of_traffic {
            continue;
        }
        match (metric.read)(measured) {
            Read::Value(value) => values.insert(metric.key.to_owned(), Some(value)),
            Read::Never => values.insert(metric.key.to_owned(), None),
            Read::Nothing => None,
        };
    }
    for row in measured.statements.iter().filter(|row| is_work(row)) {
        let sum = values.entry(statement_key(row)).or_insert(Some(0));
        *sum = sum.map(|sum| sum + row.statement.took_us.0);
    }
    values
}

/// One that failed took as long as whatever ended it, which says nothing of the work.
fn is_work(row: &StatementRow) -> bool {
    row.attempt == 0 && row.purpose == Purpose::Work && row.error.is_none()
}

/// By text: a comment above it moves a line and changes nothing, and of an original and its fix the
/// same line is not the same statement. Rounds that differ in their constants are one statement.
fn statement_key(row: &StatementRow) -> String {
    let text = StatementPlace::new(None, &row.statement.text).to_string();
    let mut key = format!("{}{}", STATEMENT.key, text.replace(" . ", ".").replace(" ,", ","));
    if let Some((cut, _)) = key.char_indices().nth(TEXT_MAX) {
        key.truncate(cut);
        key.push('…');
    }
    key
}
