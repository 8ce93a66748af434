//! What the change did to the application: stalls, the pool, failures, latency.

use crate::clock::Micros;
use crate::history::{Operation, Outcome, Phase};
use crate::result::{Finding, Witness};
use crate::scenario::{FindingKind, Verdict};

use super::super::blame::Posture;
use super::super::measure::error_name;
use super::super::stalls::Stall;
use super::words::{count, statement_words};
use super::{Evidence, finding};

/// A pool that is full for less than this had a burst, not a blockage.
const EXHAUSTED_MIN: Micros = Micros::from_millis(100);
/// A stall of which the tap's own looks make less than one part in so many is told without them.
const LOOKING_SHARE: u64 = 10;

/// The worst stall that is beyond the limit, and how many there were.
pub fn stalls(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let limit = evidence.stall_limit();
    let beyond: Vec<&Stall<'_>> = evidence.stalls.iter().filter(|s| s.longest > limit).collect();
    let worst = *beyond.iter().max_by_key(|s| (stall_verdict(evidence, s), s.longest))?;
    let sentence = format!(
        "{} waited up to {} (limit {limit}) {}{}{}",
        count(worst.operations, "operation"),
        worst.longest,
        stall_words(worst),
        looking_words(worst, limit),
        match beyond.len() {
            1 => String::new(),
            n => format!("; {n} such stalls in all"),
        }
    );
    let verdict = stall_verdict(evidence, worst);
    let mut stall = finding(FindingKind::Stall, verdict, sentence);
    stall.witness = Some(witness(evidence, worst));
    stall.remedy = Some(stall_remedy(worst));
    Some(stall)
}

/// What the tap's own looks add to a stall, where that is more than a tenth of it or decides.
fn looking_words(stall: &Stall<'_>, limit: Micros) -> String {
    let looking = stall.blame.looking;
    let decides = stall.longest - looking <= limit;
    if looking.0 * LOOKING_SHARE <= stall.longest.0 && !decides {
        return String::new();
    }
    let without = match decides {
        true => ", and without that it would have been within the limit",
        false => "",
    };
    format!(
        "; for {looking} of it the tap itself held the change back to look at its locks, which is \
         not the tool's idling{without}"
    )
}

/// Bounded where each part of it has an end that the change itself has set: the waiting by
/// lock_timeout, the idling by its own timeout. Work under the lock has none, and grows with size.
/// A stall that our own looks have lengthened beyond the limit proves nothing.
fn stall_verdict(evidence: &Evidence<'_, '_>, stall: &Stall<'_>) -> Verdict {
    // What piled up behind the lock has to drain after it.
    let limit = evidence.stall_limit();
    if stall.longest > limit && stall.longest - stall.blame.looking <= limit {
        return Verdict::Unproven;
    }
    let within = |part: Micros, own: Option<Micros>| part <= own.unwrap_or_default() + limit;
    let blame = &stall.blame;
    let bounded = within(blame.waiting, blame.lock_timeout)
        && within(blame.idle, blame.idle_timeout)
        && within(blame.holding, None)
        && within(blame.rest, None)
        && blame.lock_timeout.or(blame.idle_timeout).is_some();
    match bounded {
        true => Verdict::Bounded,
        false => Verdict::Unsafe,
    }
}

fn stall_words(stall: &Stall<'_>) -> String {
    let during = stall.blame.during.as_ref().map(statement_words);
    let during = during.unwrap_or_else(|| "the change".to_owned());
    match stall.blame.posture {
        Posture::Waiting => {
            let behind = stall.blame.behind.as_deref().unwrap_or("somebody else");
            format!("in the queue behind {during}, which itself waited for {behind}")
        }
        Posture::Holding => format!("while {during} ran and its transaction held the lock"),
        Posture::Idle => format!("while the transaction sat idle after {during} with the lock"),
    }
}

fn stall_remedy(stall: &Stall<'_>) -> String {
    let text = stall.blame.during.as_ref().map_or("", |s| s.text.as_str()).to_uppercase();
    let remedy = match stall.blame.posture {
        Posture::Waiting if stall.blame.lock_timeout.is_none() => {
            "SET lock_timeout (a few seconds) before the statement and retry with backoff: the \
             queue behind a waiting request lasts as long as the request waits"
        }
        Posture::Waiting => {
            "a shorter lock_timeout with retries makes each wait shorter; so does running when \
             no long reader does"
        }
        Posture::Idle => {
            "set idle_in_transaction_session_timeout, and do nothing between statements of a \
             transaction that holds a strong lock"
        }
        Posture::Holding if stall.blame.taken_by.is_some() => {
            "one statement per transaction: a lock is held to the end of its transaction; \
             backfill in batches that each commit, add keys NOT VALID and VALIDATE them later, \
             build indexes CONCURRENTLY"
        }
        Posture::Holding if text.starts_with("CREATE") && text.contains("INDEX") => {
            "CREATE INDEX CONCURRENTLY, outside a transaction and without a statement_timeout"
        }
        Posture::Holding if text.starts_with("UPDATE") || text.starts_with("DELETE") => {
            "batches that each commit, by key range, with a pause between them: row locks are \
             held to the end of the transaction"
        }
        Posture::Holding => {
            "the form of the statement that does not scan or rewrite under the lock (NOT VALID \
             then VALIDATE, USING INDEX, a new column), under a lock_timeout with retries"
        }
    };
    remedy.to_owned()
}

fn witness(evidence: &Evidence<'_, '_>, stall: &Stall<'_>) -> Witness {
    let wait = &stall.witness.wait;
    let operation = stall.witness.operation;
    let own = wait.blockers.iter().filter(|b| evidence.timeline.is_change(&b.session));
    let blocker = own.max_by_key(|b| (b.blocked, b.hard)).or(wait.blockers.first());
    Witness {
        at_us: wait.from,
        waited_us: operation.map_or(wait.seen_for(), |o| o.finished_us - wait.from),
        waiter: match operation {
            Some(operation) => operation_words(evidence, operation),
            None => evidence.timeline.name(&wait.session),
        },
        relation: wait.relation.clone().or_else(|| relation_of(stall)),
        requested: match wait.locktype.as_str() {
            "relation" => wait.mode.clone(),
            other => format!("{} ({other})", wait.mode),
        },
        blocker: blocker.map_or_else(String::new, |b| evidence.timeline.name(&b.session)),
        held: blocker.and_then(|b| b.mostly_held()).map(str::to_owned),
        during: stall.blame.during.clone(),
        taken_by: stall.blame.taken_by.clone(),
        behind: match stall.blame.posture {
            Posture::Waiting => stall.blame.behind.clone(),
            Posture::Holding | Posture::Idle => None,
        },
    }
}

/// A row-lock wait names no relation; the statement that holds the row does, in its text.
fn relation_of(stall: &Stall<'_>) -> Option<String> {
    let text = &stall.blame.during.as_ref()?.text;
    let mut words = text.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("update"))?;
    words.next().map(str::to_owned)
}

fn operation_words(evidence: &Evidence<'_, '_>, operation: &Operation) -> String {
    let operations = &evidence.scenario.traffic.operations;
    let name = operations.get(usize::from(operation.kind)).map_or("operation", |o| &o.name);
    match &operation.session {
        Some(session) => format!("{name} ({session})"),
        None => name.to_owned(),
    }
}

/// What the worst stall amounts to; without one, the application's trouble has no such excuse.
fn verdict_with_stall(evidence: &Evidence<'_, '_>) -> Verdict {
    stalls(evidence).map_or(Verdict::Unsafe, |stall| stall.verdict)
}

pub fn pool_exhaustion(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let pool = evidence.pool;
    if pool.exhausted_longest < EXHAUSTED_MIN {
        return None;
    }
    let after = match pool.time_to_exhaustion {
        Some(time) => format!(", {time} after the first operation was stopped"),
        None => String::new(),
    };
    let sentence = format!(
        "all {} connections were checked out for {} on end{after}; at worst {} waited for one",
        pool.capacity,
        pool.exhausted_longest,
        count(pool.queue_max, "operation"),
    );
    // Within the limit on stalls it is the pool doing its work.
    let verdict = match pool.exhausted_longest > evidence.stall_limit() {
        true => verdict_with_stall(evidence),
        false => Verdict::Safe,
    };
    Some(finding(FindingKind::PoolExhaustion, verdict, sentence))
}

pub fn acquire_timeouts(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let timeouts = evidence.measured.operations.acquire_timeouts;
    if timeouts <= evidence.scenario.limits.acquire_timeouts_max {
        return None;
    }
    let first = match evidence.pool.time_to_acquire_timeout {
        Some(time) => format!(", the first {time} after the first operation was stopped"),
        None => String::new(),
    };
    let sentence = format!(
        "the pool gave up on {} after {} ms{first}",
        count(timeouts, "operation"),
        evidence.scenario.pool.acquire_timeout_ms
    );
    Some(finding(FindingKind::AcquireTimeout, Verdict::Unsafe, sentence))
}

pub fn failed_operations(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let began = evidence.change_began();
    let failed = evidence.timeline.operations.iter().filter_map(|o| {
        let how = match &o.outcome {
            Outcome::Failed(error) => format!("{}: {}", error_name(error), error.message),
            Outcome::Indeterminate(message) => format!("its connection, applied or not: {message}"),
            Outcome::Unanswered => "no answer before the traffic ended".to_owned(),
            Outcome::Succeeded | Outcome::AcquireTimeout => return None,
        };
        (o.finished_us >= began).then_some((*o, how))
    });
    let failed: Vec<_> = failed.collect();
    if failed.len() as u64 <= evidence.scenario.limits.failed_operations_max {
        return None;
    }
    let (operation, how) = failed.first()?;
    let sentence = format!(
        "{} failed after the change began; the first, {}, with {how}",
        count(failed.len() as u64, "operation"),
        operation_words(evidence, operation),
    );
    let mut finding = finding(FindingKind::OperationFailed, Verdict::Unsafe, sentence);
    finding.remedy = how.starts_with("0A000").then(|| {
        "name the columns in the application's prepared statements: SELECT * changes its result \
         type with every added column, and every open connection fails once"
            .to_owned()
    });
    Some(finding)
}

/// p99 while the change ran, after it, and while it was applied again: a change that took an index
/// away is felt when it is done.
pub fn latency(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let limits = &evidence.scenario.limits;
    let latency = &evidence.measured.latency;
    let floor = Micros::from_millis(limits.p99_ms_floor);
    let limit = Micros((latency.before.p99_us.0 as f64 * limits.p99_ratio_max) as u64);
    // A noisy baseline must not excuse what is no longer bearable.
    let limit = limit.clamp(floor, evidence.stall_limit().max(floor));
    let phases = [
        ("during", &latency.during),
        ("after", &latency.after),
        ("in the rerun of", &latency.rerun),
    ];
    let (when, worst) = phases.into_iter().max_by_key(|(_, summary)| summary.p99_us)?;
    if latency.before.count == 0 || worst.p99_us <= limit {
        return None;
    }
    let sentence = format!(
        "p99 latency was {} {when} the change and {} before it (limit {limit})",
        worst.p99_us, latency.before.p99_us
    );
    Some(finding(FindingKind::Latency, verdict_with_stall(evidence), sentence))
}

/// Latency has to come back within the time that the scenario gives it.
pub fn not_recovered(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let reached = evidence.timeline.phase(Phase::Recovery).is_some();
    let sentence = format!(
        "latency was not back at the baseline {} ms after the change had ended",
        evidence.scenario.traffic.recovery_max_ms
    );
    let never = reached && evidence.measured.recovery_us.is_none();
    never.then(|| finding(FindingKind::NotRecovered, Verdict::Unsafe, sentence))
}

/// Before the change, the limits hold; otherwise nothing can be put down to the change. One slow
/// operation is the machine's hiccup, and a stall needs a lock wait besides: what counts is p99.
pub fn baseline_broken(evidence: &Evidence<'_, '_>) -> Option<Finding> {
    let (limit, began) = (evidence.stall_limit(), evidence.change_began());
    let p99 = evidence.measured.latency.before.p99_us;
    let failed = evidence.timeline.scheduled_in(Phase::Baseline).filter(|operation| {
        operation.finished_us < began && operation.outcome != Outcome::Succeeded
    });
    let failed = failed.count() as u64;
    let broken = p99 > limit || failed > evidence.scenario.limits.failed_operations_max;
    let sentence = format!(
        "before the change began p99 latency was {p99} (limit {limit}) and {} failed: what \
         followed cannot be put down to the change",
        count(failed, "operation")
    );
    broken.then(|| finding(FindingKind::BaselineBroken, Verdict::Unproven, sentence))
}
