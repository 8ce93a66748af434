//! Several runners that apply the change at once.

use crate::result::Subject;
use crate::result::evidence::{HungRunner, Overlap, RunnerLock, WaitingRunner};

use super::files::Files;
use super::words::{count, on, quoted, statement};

pub fn overlap(of: &Overlap, subject: &Subject, files: &Files) -> String {
    format!(
        "{} of {} runners at once did the same work, first {}: nothing keeps a second one out",
        count(of.statements, "statement"),
        of.runners,
        statement(subject, files)
    )
}

pub fn hung(of: &HungRunner, subject: &Subject, files: &Files) -> String {
    let place = subject.statement.as_ref().map_or_else(String::new, |last| {
        format!(", the last it sent being {}", quoted(last, files))
    });
    let hang = of
        .hang
        .as_ref()
        .map_or_else(String::new, |hang| format!("; {}", super::hang::words(hang, subject, files)));
    format!("runner {} did not come to its end within {}{place}{hang}", of.runner, of.deadline_us)
}

pub fn waited(of: &WaitingRunner) -> String {
    let (runner, waited) = (of.runner, of.waited_us);
    match &of.lock {
        RunnerLock::Advisory => {
            format!("runner {runner} waited {waited} for the advisory lock that another one held")
        }
        RunnerLock::Server { runner: blocker, mode, relation } => {
            let on = on(relation.as_deref());
            format!("runner {runner} waited {waited} for runner {blocker}: {mode}{on}")
        }
    }
}
