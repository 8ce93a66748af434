//! Timeouts that were not in force.

use crate::pg::syntax::{Kind, kind};
use crate::result::evidence::{LockNeed, OtherTimeout, OtherTimeouts, Unlimited};
use crate::result::{Subject, setting_words};

use super::files::Files;
use super::words::{count, on, quoted, statement};

pub fn none_in_force(of: &Unlimited, subject: &Subject, files: &Files) -> String {
    let why = match &of.lock {
        LockNeed::Waited { waited_us, mode, relation } => {
            format!("was seen waiting {waited_us} for {mode}{}", on(relation.as_deref()))
        }
        LockNeed::Took { mode, relation } => format!("took {mode} on {relation}"),
        LockNeed::Held { mode, relation } => format!("held {mode} on {relation}"),
        // Whether a branch of a block ran is not known.
        LockNeed::AsksFor { mode, relation } if is_block(subject) => {
            format!("may take {mode} on {relation}, as its text says")
        }
        LockNeed::AsksFor { mode, relation } => format!("takes {mode} on {relation}"),
    };
    let others = match of.others {
        0 => String::new(),
        n => format!("; so did {}", count(n, "more statement")),
    };
    let limits = match of.may_limit_itself {
        true => {
            "whether what it runs sets one itself is not known; if not, nothing limits how long it \
             waits, or how long others wait behind it"
        }
        false => "nothing limits how long it waits, or how long others wait behind it",
    };
    format!(
        "{} ran with no lock_timeout, statement_timeout or transaction_timeout in force, and \
         {why}: {limits}{others}",
        statement(subject, files),
    )
}

fn is_block(subject: &Subject) -> bool {
    subject.statement.as_ref().is_some_and(|statement| kind(&statement.text) == Kind::Do)
}

pub fn not_in_force(of: &OtherTimeouts, files: &Files) -> String {
    let parts: Vec<String> = of.timeouts.iter().map(|timeout| other(timeout, files)).collect();
    parts.join("; ")
}

/// `lock_timeout is declared as 3 s and was 0 (none) when … began (4 statements)`.
fn other(of: &OtherTimeout, files: &Files) -> String {
    let lifted = match of.lifted {
        0 => String::new(),
        n => format!(", not counting {} after SET {} = 0", count(n, "statement"), of.setting),
    };
    format!(
        "{} is declared as {} and was {} when {} began ({}{lifted})",
        of.setting,
        setting_words(of.declared_ms),
        setting_words(of.in_force_ms),
        quoted(&of.statement, files),
        count(of.statements, "statement"),
    )
}
