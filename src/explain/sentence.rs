//! Which sentence a finding has, by its kind.

use crate::result::{Evidence, Finding, Subject};

use super::files::Files;
use super::{
    accepted, answers, change, constraints, contents, hang, majors, pooled, prediction, quality,
    reads, replica, runners, sessions, state, timeouts, traffic, waits, work,
};

/// With as much of a file's path as tells it apart from the others.
pub fn sentence_among(finding: &Finding, files: &Files) -> String {
    // An older version wrote the result: its sentence is all that is known.
    let Some(evidence) = &finding.evidence else { return finding.sentence.clone() };
    let doubt = finding.doubt.map(quality::doubt).unwrap_or_default();
    let accepted = finding.accepted.as_ref().map(accepted::accepted).unwrap_or_default();
    format!("{}{doubt}{accepted}", of_kind(evidence, &finding.subject, files))
}

/// Of rows that are written from now on.
fn from_now_on(evidence: &Evidence, subject: &Subject) -> String {
    match evidence {
        Evidence::SequenceEnds(of) => contents::ending(of),
        Evidence::NewRowsDiffer(of) => contents::new_rows(of, subject),
        _ => String::new(),
    }
}

/// Of what is read by definitions that the change replaced, and by declared reads.
fn of_reads(evidence: &Evidence, subject: &Subject) -> String {
    match evidence {
        Evidence::AnswersDiffer(of) => answers::differ(of),
        Evidence::StaleValues(of) => contents::stale(of, subject),
        Evidence::ReadChanged(of) => reads::read_changed(of),
        Evidence::PlanChanged(of) => reads::plan_changed(of),
        _ => String::new(),
    }
}

/// Of what did nothing.
fn idle(evidence: &Evidence, subject: &Subject, files: &Files) -> String {
    match evidence {
        Evidence::NothingTried(of) => contents::nothing_tried(of),
        Evidence::AlreadyThere(of) => contents::already_there(of, subject, files),
        _ => String::new(),
    }
}

/// Of rows that were made up.
fn of_made_up(evidence: &Evidence, subject: &Subject) -> String {
    match evidence {
        Evidence::RowsLeftOut(of) => contents::left_out(of, subject),
        Evidence::RowsFitted(of) => contents::fitted(of, subject),
        _ => String::new(),
    }
}

fn of_kind(evidence: &Evidence, subject: &Subject, files: &Files) -> String {
    match evidence {
        Evidence::Stall(of) => traffic::stall(of, subject, files),
        Evidence::PoolExhaustion(of) => traffic::pool_exhaustion(of),
        Evidence::AcquireTimeout(of) => traffic::acquire_timeout(of),
        Evidence::OperationFailed(of) => traffic::operation_failed(of, files),
        Evidence::OperationWaited(of) => waits::operation_waited(of, files),
        Evidence::OperationSlower(of) => waits::operation_slower(of, subject),
        Evidence::Latency(of) => waits::latency(of, files),
        Evidence::ReplicaLag(of) => replica::lag(of, subject, files),
        Evidence::RecoveryConflict(of) => replica::conflict(of, subject, files),
        Evidence::NotRecovered(of) => waits::not_recovered(of),
        Evidence::LockTimeout(of)
        | Evidence::StatementTimeout(of)
        | Evidence::IdleInTransactionTimeout(of)
        | Evidence::TransactionTimeout(of)
        | Evidence::Deadlock(of)
        | Evidence::ChangeFailed(of) => change::aborted(of, subject, files),
        Evidence::ConcurrentlyInTransaction(of) => change::refused(of, subject, files),
        Evidence::CommandFailed(of) => change::command_failed(of),
        Evidence::ConnectionRefused(of) => change::connection_refused(of),
        Evidence::ErrorSwallowed(of) => change::error_swallowed(of, subject, files),
        Evidence::TimeoutCoversBlock(of) => change::covered_block(of, subject, files),
        Evidence::RerunFailed(of) => change::rerun_failed(of, files),
        Evidence::RerunChanged(of) => change::rerun_changed(of),
        Evidence::RerunWrote(of) => change::rerun_wrote(of, subject),
        Evidence::RerunLock(of) => change::rerun_lock(of, subject, files),
        Evidence::OpenTransaction(of) => sessions::open_transaction(of, files),
        Evidence::OneTransaction(of) => sessions::one_transaction(of, subject, files),
        Evidence::OneMessage(of) => sessions::one_message(of, subject, files),
        Evidence::StatementsUnderLock(of) => sessions::under_lock(of, subject, files),
        Evidence::WorkUnderLock(of) => work::under_lock(of, subject, files),
        Evidence::NoTimeout(of) => timeouts::none_in_force(of, subject, files),
        Evidence::TimeoutNotInForce(of) => timeouts::not_in_force(of, files),
        Evidence::SessionStateLeft(of) => pooled::left(of, files),
        Evidence::InvalidIndex(of) => state::invalid_index(of, subject),
        Evidence::NotValidConstraint(of) => state::not_valid(of),
        Evidence::LeftBehind(of) => state::left_behind(of),
        Evidence::HiddenDebris(of) => state::hidden(of, subject),
        Evidence::Diverged(of) => state::diverged(of),
        Evidence::LostWrite(of) | Evidence::DoubledWrite(of) => state::wrong_writes(of, files),
        Evidence::ChangeHung(of) => hang::change_hung(of, subject, files),
        Evidence::RunnersOverlap(of) => runners::overlap(of, subject, files),
        Evidence::RunnerHung(of) => runners::hung(of, subject, files),
        Evidence::RunnerWaited(of) => runners::waited(of),
        Evidence::RowsGone(of) => contents::gone(of, subject),
        Evidence::ValuesChanged(of) => contents::values(of, subject),
        Evidence::Orphans(of) => contents::orphans(of),
        Evidence::SequenceBehind(of) => contents::sequence(of),
        Evidence::SequenceEnds(_) | Evidence::NewRowsDiffer(_) => from_now_on(evidence, subject),
        Evidence::AnswersDiffer(_) | Evidence::StaleValues(_) => of_reads(evidence, subject),
        Evidence::ReadChanged(_) | Evidence::PlanChanged(_) => of_reads(evidence, subject),
        Evidence::AccessChanged(of) => contents::access(of, subject),
        Evidence::ConstraintChanged(of) => constraints::changed(of, subject),
        Evidence::ValuesDropped(of) => contents::dropped(of, subject),
        Evidence::RowsAdded(of) => contents::added(of, subject),
        Evidence::AcceptUnused(of) => contents::accept_unused(of),
        Evidence::MajorsDiffer(of) => majors::differ(of),
        Evidence::PredictedTimeout(of) => prediction::timeout(of, subject, files),
        Evidence::PredictedStall(of) => prediction::stall(of, subject, files),
        Evidence::NothingTried(_) | Evidence::AlreadyThere(_) => idle(evidence, subject, files),
        Evidence::RowsLeftOut(_) | Evidence::RowsFitted(_) => of_made_up(evidence, subject),
        Evidence::RowsUnseen(of) => traffic::rows_unseen(of, subject),
        Evidence::GeneratorLag(of) => quality::generator_lag(of),
        Evidence::SamplesMissing(of) => quality::samples_missing(of),
        Evidence::BaselineBroken(of) => quality::baseline_broken(of),
        Evidence::NotReached(of) => quality::not_reached(of, subject, files),
        Evidence::MeasurementFailed(of) => quality::measurement_failed(of),
    }
}
