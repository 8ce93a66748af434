//! What came of a case of a crash matrix, in a sentence.

use crate::history::ServerError;
use crate::result::{Case, CaseEnding, DataLost, NotInjected, Reached, WrittenRow};

use super::words::listed;

/// Fills in the sentence of a case. One that an older version judged keeps its own.
pub fn explain_case(case: Case) -> Case {
    match &case.ending {
        Some(ending) => Case { sentence: sentence(ending), ..case },
        None => case,
    }
}

/// What to write instead, so that a rerun does by itself what the fault has kept from being done.
pub fn case_remedy(case: &Case) -> Option<String> {
    Some(match case.ending.as_ref()? {
        CaseEnding::Rerun(Reached::InvalidIndex(index)) => format!(
            "DROP INDEX CONCURRENTLY IF EXISTS {index} before it, and no IF NOT EXISTS: what an \
             interrupted build has left is then built again"
        ),
        CaseEnding::Rerun(Reached::NotValidConstraint(constraint)) => format!(
            "VALIDATE CONSTRAINT {constraint} in a statement of its own, which a rerun reaches"
        ),
        CaseEnding::AfterSteps { steps, .. } if !steps.is_empty() => {
            format!("{} before it, so that a rerun needs nobody's hand", steps.join(", "))
        }
        CaseEnding::RerunFails { .. } => {
            "one transaction around what belongs together, or statements that may run again: IF \
             EXISTS, IF NOT EXISTS"
                .to_owned()
        }
        CaseEnding::DataLost(_)
        | CaseEnding::Rerun(
            Reached::OtherRows(_) | Reached::OtherCount { .. } | Reached::UnwantedWrite(_),
        ) => "each round of writes in one transaction with the mark of how far it is, or written \
              so that a second time changes nothing"
            .to_owned(),
        _ => return None,
    })
}

fn sentence(ending: &CaseEnding) -> String {
    match ending {
        CaseEnding::MeasurementFailed { stage, message } => format!("{stage} failed: {message}"),
        CaseEnding::NotInjected(why) => not_injected(why),
        CaseEnding::DataLost(lost) => data_lost(lost),
        CaseEnding::NotAppliedAgain => "the change was not applied again".to_owned(),
        CaseEnding::CutOff { deadline_us: Some(deadline) } => format!(
            "the rerun was cut off after {deadline} (change.deadline_s): whether it would have \
             come to its end is not known"
        ),
        CaseEnding::CutOff { deadline_us: None } => {
            "the rerun was cut off before its end".to_owned()
        }
        CaseEnding::Rerun(left) => reached("the rerun", left),
        CaseEnding::RerunFails { error, steps } => {
            let by_hand = match steps.is_empty() {
                true => String::new(),
                false => format!(", also after {}", steps.join(", ")),
            };
            format!("a rerun fails{by_hand}: {}", failure(error.as_ref()))
        }
        CaseEnding::AfterSteps { error, steps, reached: left } => {
            let (failure, steps) = (failure(error.as_ref()), steps.join(", "));
            let then = match left {
                Reached::Same => format!("after {steps} it converges"),
                left => reached(&format!("a rerun after {steps}"), left),
            };
            format!("a rerun fails: {failure}; {then}")
        }
    }
}

fn failure(error: Option<&ServerError>) -> String {
    error.map_or("it does not finish".to_owned(), ToString::to_string)
}

fn not_injected(why: &NotInjected) -> String {
    let words = match why {
        NotInjected::ChangeNeverBegan => "the change never began",
        NotInjected::Skipped(why) => why,
        NotInjected::StatementNotReached => "the change did not get to the statement",
        NotInjected::NoLockToWaitFor => "it waits for no lock that another can hold",
        NotInjected::StatementEnded => "the statement ended before the fault",
        NotInjected::IntoAnotherStatement => "the fault was injected into another statement",
    };
    words.to_owned()
}

fn data_lost(lost: &DataLost) -> String {
    match lost {
        DataLost::Write(row) => format!("an acknowledged write is gone: {}", written(row)),
        DataLost::Rows { table, found, seeded } => format!("{table} has {found} rows of {seeded}"),
        DataLost::Read(read) => format!("the read {read} returns other rows than before"),
    }
}

fn written(row: &WrittenRow) -> String {
    let WrittenRow { table, key, operation } = row;
    format!("{table} {key} ({operation})")
}

/// What the rerun left.
fn reached(which: &str, left: &Reached) -> String {
    let what = match left {
        Reached::NotCompared => return "there is nothing to compare with".to_owned(),
        Reached::Same => return format!("{which} reaches the same schema, versions and rows"),
        Reached::InvalidIndex(index) => {
            return format!("{which} reports success, and index {index} is INVALID");
        }
        Reached::NotValidConstraint(constraint) => {
            return format!("{which} reports success, and constraint {constraint} is NOT VALID");
        }
        Reached::OtherSchema(first) => format!("the schema is another one: {first}"),
        Reached::OtherVersions { found, expected } => {
            format!("the versions are {} instead of {}", listed(found), listed(expected))
        }
        Reached::OtherRows(table) => format!("rows of {table} are not those of an undisturbed run"),
        Reached::OtherCount { table, found, expected } => {
            format!("{table} has {found} rows where an undisturbed run leaves {expected}")
        }
        Reached::UnwantedWrite(row) => {
            format!("a write is there that must not be: {}", written(row))
        }
        Reached::UnwantedRows { read, rows } => {
            format!("the read {read} returns {rows} rows that must not be there")
        }
    };
    format!("{which} succeeds, and {what}")
}
