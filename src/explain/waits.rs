//! How long operations took, and for what they waited.

use crate::clock::Micros;
use crate::result::Subject;
use crate::result::evidence::{
    Holder, LatencyPhase, LongWaits, SlowPhase, SlowerOperation, Unrecovered, WaitCause, WaitCount,
};
use crate::stats::{bytes, grouped};

use super::files::Files;
use super::words::{count, on, quoted};

/// Causes that a sentence names.
const NAMED_MAX: usize = 3;

pub fn operation_waited(of: &LongWaits, files: &Files) -> String {
    let when = match (of.while_it_ran, &of.meanwhile) {
        (true, Some(statement)) => format!("while {} ran", quoted(statement, files)),
        (true, None) => "while the change ran".to_owned(),
        (false, _) => "after the change began".to_owned(),
    };
    let before = match of.before_us {
        Micros::ZERO => String::new(),
        before => format!("; before the change the longest took {before}"),
    };
    format!(
        "{} waited up to {} (limit {}) {when}, and not for a lock of the change: {}{before}{}",
        count(of.operations, "operation"),
        of.longest_us,
        of.limit_us,
        causes(&of.causes),
        little_wal(of.wal_bytes),
    )
}

/// Why the change is not what they waited for.
fn little_wal(written: Option<u64>) -> String {
    match written {
        Some(written) => {
            let written = bytes(written);
            format!("; the change had written {written} of WAL by then, which nobody waits for")
        }
        None => String::new(),
    }
}

pub fn operation_slower(of: &SlowerOperation, subject: &Subject) -> String {
    let name = subject.operation.as_deref().unwrap_or("an operation");
    let [before, after] = [&of.before, &of.after].map(|served| match served.operations {
        0 => "an unknown time (none ran)".to_owned(),
        n => format!("{} (median of {})", served.p50_us, grouped(n)),
    });
    let times = format!("takes {after} since the change, and took {before} before it");
    let Some(scan) = &of.scan else { return format!("{name} {times}") };
    let rows = scan.rows.map_or_else(String::new, |rows| format!("all {} of ", count(rows, "row")));
    let [before_cost, cost] =
        [scan.before_cost, scan.cost].map(|cost| grouped(cost.round() as u64));
    format!(
        "{name} reads {rows}{} by {} since the change, and by {} before it: estimated cost {cost}, \
         before it {before_cost}, and it grows with the table; it {times}",
        scan.relation, scan.node_type, scan.index,
    )
}

pub fn latency(of: &SlowPhase, files: &Files) -> String {
    let when = match of.phase {
        LatencyPhase::During => "during",
        LatencyPhase::After => "after",
        LatencyPhase::Rerun => "in the rerun of",
    };
    let (p99, before, limit): (Micros, Micros, Micros) = (of.p99_us, of.before_p99_us, of.limit_us);
    let beyond: u64 = of.causes.iter().map(|cause| cause.operations).sum();
    let waited = match beyond {
        0 => String::new(),
        beyond => {
            format!("; {} beyond it: {}", count(beyond, "operation"), causes(&of.causes))
        }
    };
    let meanwhile = match (&of.meanwhile, beyond) {
        (Some(statement), 1..) => format!(", while {} ran", quoted(statement, files)),
        _ => String::new(),
    };
    format!(
        "p99 latency was {p99} {when} the change and {before} before it (limit {limit}){waited}\
         {meanwhile}{}",
        little_wal(of.wal_bytes)
    )
}

/// `80 for AccessShareLock on totals, which the change stopped; 2 for IO DataFileRead`.
fn causes(counts: &[WaitCount]) -> String {
    let named = counts.iter().take(NAMED_MAX);
    let mut parts: Vec<String> = named
        .map(|count| format!("{} {}", grouped(count.operations), cause(&count.cause)))
        .collect();
    let others: u64 = counts.iter().skip(NAMED_MAX).map(|count| count.operations).sum();
    if others > 0 {
        parts.push(format!("{} for others", grouped(others)));
    }
    parts.join("; ")
}

fn cause(cause: &WaitCause) -> String {
    match cause {
        WaitCause::Lock { mode, locktype, relation, by, holder } => {
            let lock = match locktype.as_str() {
                "relation" => format!("{mode}{}", on(relation.as_deref())),
                other => format!("{mode} ({other}){}", on(relation.as_deref())),
            };
            match by {
                Holder::Change => format!("for {lock}, behind the change"),
                Holder::Application => format!("for {lock}, behind another operation"),
                Holder::Disturbance | Holder::Other => format!("for {lock}, behind {holder}"),
            }
        }
        WaitCause::Event { event_type, event } => {
            format!("on the wait event {event_type} {event}")
        }
        WaitCause::Running => "with a backend that ran and waited for nothing".to_owned(),
        WaitCause::NotBegun => "with an idle backend, which had not begun the statement".to_owned(),
        WaitCause::Connection => "for a connection of the pool".to_owned(),
        WaitCause::Unseen => "for nothing that a sample showed".to_owned(),
    }
}

pub fn not_recovered(of: &Unrecovered) -> String {
    match of.failed {
        0 => {
            let allowed = of.allowed_ms;
            format!("latency was not back at the baseline {allowed} ms after the change had ended")
        }
        failed => format!(
            "operations still failed {} after the change had ended: {} of the {} that were due in \
             the last {} of that time",
            of.watched_us,
            grouped(failed),
            grouped(of.operations),
            of.to_us - of.from_us,
        ),
    }
}
