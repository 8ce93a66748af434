//! The rules: each looks at the evidence and gives findings, or none.
//!
//! A new rule is a function here or in a sibling file, called from `findings`, with its kind in
//! `scenario::FindingKind`. What a finding amounts to alone is its verdict; the worst one wins.

mod accepted;
mod already_there;
mod answers;
mod background;
mod between;
mod change;
mod command;
mod constraints;
mod contents;
mod doubt;
mod earlier;
mod ending;
mod evidence;
mod failed_here;
mod failures;
mod gaps;
mod hang;
mod kept;
mod latency;
mod left_out;
mod margins;
mod new_rows;
mod on_purpose;
mod plans;
mod pooled;
mod proved;
mod race;
mod reads;
mod refused;
mod replaced;
mod replica;
mod rerun;
mod result_type;
mod rights;
mod runners;
mod sessions;
mod slower;
mod stale;
mod state;
mod timeouts;
mod touched;
mod traffic;
mod unseen;
mod work;
mod written;

pub use ending::ending;
pub use evidence::{Evidence, SchemaChange};
pub use margins::margins;

use crate::result::Finding;
use crate::scenario::{FindingKind, Verdict};

pub fn findings(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let (aborts, runners) = (change::aborts(evidence), runners::runners(evidence));
    // A cycle that nobody ends is why the application stalls.
    let (cycles, aborts): (Vec<_>, Vec<_>) = aborts.into_iter().partition(hang::is_cycle);
    let (of_runners, runners): (Vec<_>, Vec<_>) = runners.into_iter().partition(hang::is_cycle);
    let left_out = left_out::rows(evidence).into_iter();
    let (left_out, spared): (Vec<_>, Vec<_>) = left_out.partition(|f| f.verdict > Verdict::Safe);
    let mut findings = cycles;
    findings.extend(of_runners);
    findings.extend(traffic::stalls(evidence));
    findings.extend(traffic::pool_exhaustion(evidence));
    findings.extend(traffic::acquire_timeouts(evidence));
    findings.extend(failures::failed_operations(evidence));
    let lag = replica::replica_lag(evidence).into_iter();
    let conflicts = replica::recovery_conflicts(evidence).into_iter();
    let of_standby = lag.chain(conflicts).partition(|f| f.verdict > Verdict::Safe);
    let (harm, noted): (Vec<_>, Vec<_>) = of_standby;
    findings.extend(harm);
    findings.extend(unseen::rows(evidence));
    findings.extend(latency::operation_waited(evidence));
    findings.extend(latency::latency(evidence));
    findings.extend(latency::not_recovered(evidence));
    let slower = slower::operations(evidence).into_iter();
    let (slower, little): (Vec<_>, Vec<_>) = slower.partition(|f| f.verdict > Verdict::Safe);
    findings.extend(slower);
    findings.extend(aborts);
    findings.extend(change::timeout_covers_block(evidence));
    findings.extend(change::reruns(evidence));
    findings.extend(rerun::wrote(evidence));
    findings.extend(rerun::lock(evidence));
    findings.extend(command::error_swallowed(evidence));
    findings.extend(refused::connections(evidence));
    findings.extend(sessions::open_transaction(evidence));
    findings.extend(state::debris(evidence));
    findings.extend(state::left_behind(evidence));
    findings.extend(runners);
    let (on_sessions, informing): (Vec<_>, Vec<_>) =
        pooled::left(evidence).into_iter().partition(|f| f.verdict > Verdict::Safe);
    findings.extend(on_sessions);
    findings.extend(state::writes(evidence));
    findings.extend(contents::rows(evidence));
    let (weaker, of_access): (Vec<_>, Vec<_>) =
        contents::access(evidence).into_iter().partition(|f| f.verdict == Verdict::Safe);
    findings.extend(of_access);
    findings.extend(no_trial_shows(evidence));
    let (new_rows, of_new_rows): (Vec<_>, Vec<_>) =
        new_rows::differ(evidence).into_iter().partition(|f| f.verdict == Verdict::Safe);
    findings.extend(of_new_rows);
    findings.extend(answers::differ(evidence));
    findings.extend(reads::reads(evidence));
    findings.extend(plans::plans(evidence));
    findings.extend(failures::ended_from_outside(evidence));
    findings.extend(between::pooler(evidence));
    findings.extend(between::network(evidence));
    findings.extend(gaps::gaps(evidence));
    findings.extend(replica::unseen_standby(evidence));
    findings.extend(left_out);
    // Where operations failed because of the change, something was.
    let failed = |f: &Finding| f.kind == FindingKind::OperationFailed && f.verdict > Verdict::Safe;
    if !findings.iter().any(failed) {
        findings.extend(touched::nothing_tried(evidence));
    }
    findings.extend(notes(evidence, little));
    findings.extend(spared.into_iter().chain(noted));
    findings.extend(left_out::fitted(evidence));
    findings.extend(weaker.into_iter().chain(new_rows));
    findings.extend(on_change(evidence));
    findings.extend(informing);
    doubt::weigh(evidence, findings)
}

/// What the catalogue says, and no operation of a trial meets.
fn no_trial_shows(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let mut findings = rights::of_callers(evidence);
    findings.extend(kept::otherwise(evidence));
    findings.extend(stale::values(evidence));
    findings.extend(already_there::skipped(evidence));
    findings
}

/// What informs and decides nothing, `slower` of operations among it.
fn notes(evidence: &Evidence<'_, '_>, slower: Vec<Finding>) -> Vec<Finding> {
    let mut findings = sessions::statements_under_lock(evidence);
    findings.extend(work::work_under_lock(evidence));
    findings.extend(slower);
    findings.extend(contents::informing(evidence));
    findings.extend(constraints::changed(evidence));
    findings
}

/// The same, of how the change is run.
fn on_change(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let mut findings = accepted::unused(evidence);
    findings.extend(sessions::one_transaction(evidence));
    findings.extend(sessions::one_message(evidence));
    findings.extend(timeouts::none_in_force(evidence));
    findings.extend(timeouts::not_in_force(evidence));
    findings
}
