//! For whom a change that did not come to its end waited, and what a deadlock could have left.

use crate::result::evidence::{Hang, HungWait, Opponent, Polled, Race, WorstSide};
use crate::result::{StatementRef, Subject};

use super::files::Files;
use super::words::{on, quoted, statement, which};

pub fn change_hung(of: &Hang, subject: &Subject, files: &Files) -> String {
    format!(
        "the change{} did not come to its end within {}: {}",
        which(of.application),
        of.deadline_us,
        words(of, subject, files)
    )
}

/// For whom it waited, in words.
pub fn words(of: &Hang, subject: &Subject, files: &Files) -> String {
    if let Some(polled) = &of.polled {
        return polling(polled, subject, files);
    }
    let waits: Vec<String> = of.waits.iter().map(|wait| waited(wait, files)).collect();
    let end = match (of.cycle, waits_for_itself(of)) {
        (true, true) => {
            "; one connection of the change waits for another one of it: that is a cycle which \
             nobody ends, so no deadline is long enough"
        }
        (true, false) => "; that is a cycle which nobody ends, so no deadline is long enough",
        (false, _) => "; it goes on for as long as that session keeps the lock",
    };
    format!("{}{end}", waits.join("; "))
}

/// All of its sessions are of one application of the change.
fn waits_for_itself(of: &Hang) -> bool {
    of.waits.iter().all(|wait| {
        let sides = [&wait.statement, &wait.holder_statement];
        let own = |side: &&Option<StatementRef>| {
            side.as_ref().is_some_and(|side| side.attempt == of.application.attempt)
        };
        sides.iter().all(own)
    })
}

fn waited(of: &HungWait, files: &Files) -> String {
    let waiter = match &of.statement {
        Some(statement) => format!("{} ({})", quoted(statement, files), of.waiter),
        None => of.waiter.clone(),
    };
    let lock = match of.locktype.as_str() {
        "relation" => of.mode.clone(),
        other => format!("{} ({other})", of.mode),
    };
    let held = match &of.held {
        Some(mode) => format!("{} held {mode}", of.holder),
        None => format!("{} was ahead", of.holder),
    };
    let doing = match (&of.holder_statement, of.holder_is_idle) {
        (Some(last), true) => format!(
            " and sat idle after {}, its client waiting for something else",
            quoted(last, files)
        ),
        (Some(last), false) => format!(" and ran {}", quoted(last, files)),
        (None, _) => String::new(),
    };
    let since = of.since_us.as_secs_f64();
    format!(
        "{waiter} had waited {}, since {since:.2} s, for {lock}{}, while {held}{doing}",
        of.waited_us,
        on(of.relation.as_deref()),
    )
}

fn polling(of: &Polled, subject: &Subject, files: &Files) -> String {
    let holder = match of.runner {
        Some(runner) => format!("runner {runner} had not come to its end either"),
        None => "another session kept the lock".to_owned(),
    };
    if of.tries == 0 {
        return format!(
            "{} asked for its lock again and again for {}, since {:.2} s, and did not get it: \
             {holder}",
            statement(subject, files),
            of.waited_us,
            of.since_us.as_secs_f64(),
        );
    }
    format!(
        "{} was sent {} times in {}, since {:.2} s, and did not get its lock: {holder}",
        statement(subject, files),
        of.tries,
        of.waited_us,
        of.since_us.as_secs_f64(),
    )
}

/// What could have come of a deadlock, as it follows the sentence about its victim.
pub fn race(of: &Race, files: &Files) -> String {
    let other = match &of.with {
        Opponent::Application => "an operation of the application".to_owned(),
        Opponent::Runner(runner) => format!("runner {runner}"),
        Opponent::OtherConnection => "another connection of the same runner".to_owned(),
        Opponent::Other(name) => name.clone(),
    };
    let ran = match &of.statement {
        Some(statement) => format!(", which ran {}", quoted(statement, files)),
        None => String::new(),
    };
    format!(
        "; the other side was {other}{ran}, and which of the two the server ends is chance: {}",
        worst(&of.worst, files)
    )
}

/// The same where an operation was the victim.
pub fn change_spared(of: &Race, files: &Files) -> String {
    let ran = match &of.statement {
        Some(statement) => format!("the change, which ran {},", quoted(statement, files)),
        None => "the change".to_owned(),
    };
    format!(
        "; {ran} could have been the victim of that deadlock as well: {}",
        worst(&of.worst, files)
    )
}

fn worst(of: &WorstSide, files: &Files) -> String {
    match of {
        WorstSide::InvalidIndex(build) => format!(
            "{} leaves an INVALID index where it fails, which IF NOT EXISTS takes for the \
             finished one",
            quoted(build, files)
        ),
        WorstSide::HalfDroppedIndex(drop) => format!(
            "{} leaves the index INVALID where it fails, which writes still maintain",
            quoted(drop, files)
        ),
        WorstSide::PendingDetach(detach) => format!(
            "{} leaves the partition half detached where it fails, until DETACH … FINALIZE",
            quoted(detach, files)
        ),
        WorstSide::FailedOperation => "an operation would have failed instead".to_owned(),
        WorstSide::RolledBack => "either is rolled back, and leaves nothing".to_owned(),
    }
}
