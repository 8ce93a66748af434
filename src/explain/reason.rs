//! The verdict's reason in one sentence.

use crate::clock::Micros;
use crate::result::evidence::Application;
use crate::result::{Evidence, Finding, Judgement, Measured, RerunEnding};
use crate::scenario::Verdict;

use super::files::Files;
use super::words::count;

pub fn reason(judgement: &Judgement, files: &Files) -> String {
    let worst = judgement.findings.iter().find(|f| f.verdict == judgement.verdict);
    let reason = match (judgement.verdict, worst) {
        (Verdict::Safe, _) | (_, None) => safe(judgement),
        (Verdict::Bounded, Some(_)) => bounded(judgement, files),
        (_, Some(finding)) => return super::sentence::sentence_among(finding, files),
    };
    reason + &super::accepted::not_counted(judgement)
}

fn bounded(judgement: &Judgement, files: &Files) -> String {
    let waited = match judgement.measured.longest_stall_us {
        Micros::ZERO => "no operation was seen waiting for the change".to_owned(),
        longest => format!("operations waited for the change no longer than {longest}"),
    };
    let not_again = match judgement.ending.rerun {
        Some(RerunEnding::LeftOut) => rerun(judgement.ending.rerun),
        _ => "",
    };
    format!("{waited}; {}; {}{not_again}", ended(judgement, files), left_behind(judgement))
}

/// What a rerun had to repair.
fn left_behind(judgement: &Judgement) -> &'static str {
    let repaired = |f: &&Finding| matches!(f.evidence, Some(Evidence::InvalidIndex(_)));
    match judgement.findings.iter().any(|finding| repaired(&finding)) {
        true => "it left an INVALID index behind, which applying the change again repaired",
        false => "nothing was left behind",
    }
}

/// Which application of the change came to its end, and what ended those before it.
fn ended(judgement: &Judgement, files: &Files) -> String {
    let ending = &judgement.ending;
    let runners = ending.runners;
    let by = |ended: Ended| judgement.findings.iter().find(move |f| was_ended(f) == Some(ended));
    let failed = by(Ended::Error).map(|failed| super::sentence::sentence_among(failed, files));
    let gave_up = by(Ended::Timeout).map(|_| "it gave up within its own timeouts".to_owned());
    let before = failed.or(gave_up);
    match (ending.first_success, before) {
        (Some(attempt), _) if attempt < runners && runners > 1 => {
            format!("{runners} runners started at once, and runner {} finished", attempt + 1)
        }
        (Some(0), _) => "it finished within its own timeouts".to_owned(),
        (Some(attempt), before) => {
            let later = Application { attempt, runners }.name().filter(|_| runners > 1);
            let later = later.unwrap_or_else(|| format!("attempt {}", attempt + 1));
            let before = before.map(|before| format!("{before}, and ")).unwrap_or_default();
            format!("{before}{later} succeeded")
        }
        (None, Some(before)) => before,
        (None, None) => "it did not finish".to_owned(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// A timeout of the change's own ended it.
    Timeout,
    Error,
}

/// What ended an application of the change, where the finding is about that.
fn was_ended(finding: &Finding) -> Option<Ended> {
    match finding.evidence.as_ref()? {
        Evidence::LockTimeout(_)
        | Evidence::StatementTimeout(_)
        | Evidence::IdleInTransactionTimeout(_)
        | Evidence::TransactionTimeout(_) => Some(Ended::Timeout),
        Evidence::Deadlock(_)
        | Evidence::ConcurrentlyInTransaction(_)
        | Evidence::ChangeFailed(_)
        | Evidence::CommandFailed(_) => Some(Ended::Error),
        _ => None,
    }
}

fn safe(judgement: &Judgement) -> String {
    let (measured, ending) = (&judgement.measured, &judgement.ending);
    let (converged, rerun) = (converged(judgement), rerun(ending.rerun));
    if ending.begins_empty {
        return format!("the change finished on a database without tables{converged}{rerun}");
    }
    let stalled = match measured.stalled_operations {
        0 => "no operation was seen waiting for the change".to_owned(),
        n => format!(
            "{} waited for the change, at most {}",
            count(n, "operation"),
            measured.longest_stall_us
        ),
    };
    let ledger = ledger(measured);
    format!("{stalled} (limit {}){ledger}{converged}{rerun}", ending.stall_limit_us)
}

/// What the application's own memory of its writes is worth: nothing, where there is none.
fn ledger(measured: &Measured) -> String {
    match &measured.ledger {
        Some(ledger) if ledger.acknowledged > 0 => {
            format!(", all {} are in the tables", count(ledger.acknowledged, "acknowledged write"))
        }
        Some(_) => ", no write of the application was remembered and compared".to_owned(),
        None if measured.operations.scheduled > 0 => ", no write was compared".to_owned(),
        None => String::new(),
    }
}

/// Where there is a reference to compare with, and nothing was found against it.
fn converged(judgement: &Judgement) -> String {
    match &judgement.ending.converged_with {
        Some(state) => format!(", the schema is that from {state}"),
        None => String::new(),
    }
}

/// What applying the finished change again showed.
fn rerun(ending: Option<RerunEnding>) -> &'static str {
    match ending {
        None => "",
        Some(RerunEnding::AllApplied) => ", a rerun found every version applied and ran nothing",
        Some(RerunEnding::ChangedNothing) => ", a rerun ran nothing that changes anything",
        Some(RerunEnding::Succeeded) => ", a rerun succeeded and left the schema as it was",
        Some(RerunEnding::LeftOut) => {
            ", not run again: the command keeps no versions that are known (--rerun runs it again)"
        }
    }
}
