//! What trials at several sizes say of another size.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::result::evidence::{PredictedStall, PredictedTimeout};
use crate::result::{
    Crossing, Interval, Leftover, PredictedPool, Prediction, ReplayedStall, StatementGrowth,
    Subject, setting_words,
};
use crate::scenario::{Verdict, size_name};
use crate::stats::{Law, SIZES_MIN};

use super::files::Files;
use super::words::{count, quoted, relation, statement};

/// The share of what was measured by which the model of the pool may be off.
const REPLAY_MISS_MAX: f64 = 0.2;

/// `CREATE INDEX … (7.sql:1) reaches its statement_timeout of 30 s between 19M and 31M rows of
/// spans; at 24M rows it works 25.1 s to 37.0 s, and is cancelled with a chance of about one half,
/// which leaves an INVALID index that IF NOT EXISTS then takes for done`.
pub fn timeout(of: &PredictedTimeout, subject: &Subject, files: &Files) -> String {
    let timeout = &of.timeout;
    let (from, table) = (size_name(timeout.from_rows), relation(subject));
    let sizes = match timeout.to_rows {
        Some(to) => format!("between {from} and {} rows of {table}", size_name(to)),
        None => format!("from {from} rows of {table} on"),
    };
    let leaves = leaves(timeout.leaves);
    let there = match timeout.chance {
        Some(chance) => format!(
            "; at {} rows it works {}, and is cancelled with {}, which leaves {leaves}",
            size_name(of.rows),
            interval(&of.took),
            odds(chance)
        ),
        None => format!("; cancelled it leaves {leaves}"),
    };
    let case = match &timeout.crash_case {
        Some(outcome) => format!("; cancelled in the crash matrix, it ended with {outcome}"),
        None => String::new(),
    };
    format!(
        "{} reaches its {} of {} {sizes}{there}{case}; predicted from {} rows",
        statement(subject, files),
        timeout.setting,
        setting_words(timeout.limit_us.0 / 1_000),
        sizes_tried(&of.tried)
    )
}

/// `AccessExclusiveLock on spans, which stops reads and writes, would be held 12.1 s to 19.4 s …`.
pub fn stall(of: &PredictedStall, subject: &Subject, files: &Files) -> String {
    let hold = &of.hold;
    let under = match hold.longest == hold.taken_by {
        true => String::new(),
        false => format!(", and {} runs longest under it", quoted(&hold.longest, files)),
    };
    let largest = of.tried.last().copied().unwrap_or_default();
    let pool = hold.pool.as_ref().map(pool).unwrap_or_default();
    format!(
        "{} on {}, which stops {}, is held {} at {} (limit {}, broken with {}): {} takes \
         it{under}; {} at {} rows; predicted from {} rows{pool}",
        hold.mode.as_str(),
        relation(subject),
        hold.mode.stops(),
        interval(&hold.held),
        asked(&of.at),
        hold.limit_us,
        odds(hold.chance),
        statement(subject, files),
        hold.tried_us,
        size_name(largest),
        sizes_tried(&of.tried)
    )
}

fn pool(of: &PredictedPool) -> String {
    let exhausted = match of.exhausted_after_us {
        Some(after) => format!("the pool is empty after {after}, "),
        None => String::new(),
    };
    format!(
        "; meanwhile {exhausted}{} wait longer than the limit and {} fail; all are served \
         {} after it",
        count(of.waiting, "operation"),
        of.failing,
        of.recovery_us
    )
}

/// `the model of the pool, for the stall of 7.95 s on spans at 2M rows: every connection is taken
/// after 0.19 s and 0 operations fail; measured: after 0.19 s, and 0`.
pub fn replayed(of: &ReplayedStall) -> String {
    let after = |at: Option<Micros>| match at {
        Some(at) => format!("after {at}"),
        None => "never".to_owned(),
    };
    let model = &of.replayed;
    let off = match of.missed() {
        Some(missed) if missed <= REPLAY_MISS_MAX => "",
        _ => "; what it says of another size is as far off",
    };
    format!(
        "the model of the pool, for the stall of {} on {} at {} rows: every connection is taken {} \
         and {} fail; measured: {}, and {}{off}",
        of.held_us,
        of.relation,
        size_name(of.rows),
        after(model.exhausted_after_us),
        count(model.failing, "operation"),
        after(of.exhausted_after_us),
        of.failed
    )
}

/// The verdict at the size that is asked about, and why; None: nothing is asked.
pub fn verdict(of: &Prediction) -> Option<String> {
    let verdict = of.verdict?;
    let (at, tried) = (asked(&of.at), sizes_tried(&of.tried));
    let share = (of.coverage * 100.0).round();
    let basis = format!("predicted from {tried} rows, intervals of {share} %");
    if of.tried.len() < SIZES_MIN {
        return Some(format!(
            "nothing is predicted at {at}: it takes trials at {SIZES_MIN} sizes, and {} made",
            match of.tried.len() {
                1 => "one was".to_owned(),
                n => format!("{n} were"),
            }
        ));
    }
    Some(match verdict {
        Verdict::Safe => format!(
            "safe at {at}, as far as growth goes: no timeout in force is reached and no lock is \
             held longer than operations may wait; {basis}"
        ),
        verdict => format!("{verdict} at {at}: {basis}"),
    })
}

/// `CREATE INDEX … (7.sql:1): 19.2 s to 29.0 s at 24M rows of spans (n log n; 0.85 s at 1M)`.
pub fn growth(of: &StatementGrowth, is_asked: bool, files: &Files) -> String {
    let last = of.points.last();
    let measured = last.map_or_else(String::new, |point| {
        format!("{} at {}", point.took_us, size_name(point.rows))
    });
    let law = of.law.map_or("no law fits", law);
    let there = match is_asked {
        true => format!(
            "{} at {} rows of {} ({law}; {measured})",
            interval(&of.took),
            size_name(of.rows),
            of.table
        ),
        false => format!("{law} in the rows of {}; {measured}", of.table),
    };
    let crossings: Vec<&str> = of.crossings.iter().map(|crossing| crossed(*crossing)).collect();
    let wider = match crossings.is_empty() {
        true => String::new(),
        false => format!("; wider because {}", crossings.join(", and ")),
    };
    format!("{}: {there}{wider}", quoted(&of.statement, files))
}

fn law(law: Law) -> &'static str {
    match law {
        Law::Constant => "constant",
        Law::Linear => "linear",
        Law::Linearithmic => "n log n",
        Law::Quadratic => "quadratic",
    }
}

fn crossed(crossing: Crossing) -> &'static str {
    match crossing {
        Crossing::SharedBuffers => "the table outgrows shared_buffers",
        Crossing::Memory => "the table outgrows the memory",
        Crossing::SortMemory => "the sort outgrows maintenance_work_mem",
        Crossing::Checkpoints => "its WAL outgrows max_wal_size",
    }
}

fn leaves(of: Leftover) -> &'static str {
    match of {
        Leftover::Nothing => "nothing: it is rolled back",
        Leftover::InvalidIndex => "an INVALID index",
        Leftover::HiddenInvalidIndex => "an INVALID index that IF NOT EXISTS then takes for done",
        Leftover::CommittedPart => "what it had committed before",
    }
}

/// `12.1 s to 19.4 s`, or one figure where both are the same.
fn interval(of: &Interval) -> String {
    let [low, _, high] = of.micros().map(|us| us.to_string());
    if low == high { low } else { format!("{low} to {high}") }
}

fn odds(chance: f64) -> String {
    match chance {
        c if c < 0.01 => "a chance below 1 %".to_owned(),
        c if c > 0.99 => "near certainty".to_owned(),
        c if (0.4..=0.6).contains(&c) => "a chance of about one half".to_owned(),
        c => format!("a chance of about {:.0} %", c * 100.0),
    }
}

/// `24M rows of spans`: the largest of them.
fn asked(at: &BTreeMap<String, u64>) -> String {
    let largest = at.iter().max_by_key(|(_, rows)| **rows);
    largest.map_or_else(
        || "the largest size".to_owned(),
        |(table, rows)| match table.is_empty() {
            true => format!("{} rows", size_name(*rows)),
            false => format!("{} rows of {table}", size_name(*rows)),
        },
    )
}

fn sizes_tried(tried: &[u64]) -> String {
    tried.iter().map(|rows| size_name(*rows)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_are_said_as_people_say_them() {
        let said = [0.001, 0.07, 0.5, 0.83, 0.999].map(odds);
        let expected = [
            "a chance below 1 %",
            "a chance of about 7 %",
            "a chance of about one half",
            "a chance of about 83 %",
            "near certainty",
        ];
        assert_eq!(said, expected);
    }
}
