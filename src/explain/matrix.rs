//! Why a crash matrix has its verdict, and what of it was not expected.

use crate::result::{
    Case, Expectation, ExpectationOf, Injected, Matrix, MatrixEnding, RandomFaults, Unfinished,
};
use crate::scenario::Verdict;

use super::accepted;
use super::case::explain_case;

/// Missing cases that a sentence names.
const NAMED_MAX: usize = 3;

/// Fills in the sentences of a matrix and of its cases. One that an older version judged keeps its
/// own.
pub fn explain_matrix(matrix: Matrix) -> Matrix {
    let mut matrix = matrix;
    matrix.cases = matrix.cases.into_iter().map(explain_case).collect();
    matrix.random = matrix
        .random
        .map(|random| RandomFaults { earliest: random.earliest.map(explain_case), ..random });
    let Some(ending) = &matrix.ending else { return matrix };
    let decided = decided(ending, &matrix);
    let decided = match &matrix.accepted {
        Some(by) => decided + &accepted::accepted(by),
        None => decided,
    };
    matrix.reason = match (matrix.missing.is_empty(), matrix.verdict) {
        (true, _) => decided,
        (false, Verdict::Unsafe) => format!("{decided}; {}", lacks(&matrix)),
        (false, _) => lacks(&matrix),
    };
    let explained =
        |of: &Expectation| Expectation { mismatch: mismatch(of, &matrix), ..of.clone() };
    matrix.expectations = matrix.expectations.iter().map(explained).collect();
    matrix.mismatches = Expectation::mismatches(&matrix.expectations);
    matrix
}

/// Without the cases that are missing.
fn decided(ending: &MatrixEnding, matrix: &Matrix) -> String {
    match ending {
        MatrixEnding::Unfinished(how) => {
            let how = match how {
                Unfinished::Failed(error) => format!(": {error}"),
                Unfinished::DeadlineExceeded(deadline) => {
                    format!(" within {deadline}, the longest that a case may take")
                }
                Unfinished::Otherwise => String::new(),
            };
            format!("the change does not finish when nothing disturbs it{how}")
        }
        MatrixEnding::RowsLeftOut { first, others } => {
            let more = match others {
                0 => String::new(),
                1 => " (and another table is short)".to_owned(),
                more => format!(" (and {more} more tables are short)"),
            };
            format!("{first} that were asked for, and the change is about it{more}")
        }
        MatrixEnding::NoneInjected => "no fault could be injected".to_owned(),
        MatrixEnding::NotMeasured(cases) => {
            format!("{cases} cases could not be measured to the end")
        }
        MatrixEnding::Clean(of) => format!(
            "after each of {} faults a rerun reaches the same schema and rows{}",
            of.injected,
            others(of)
        ),
        MatrixEnding::NotClean { worst, cases, of } => {
            let is_worst = |case: &&Case| case.outcome == Some(*worst);
            let example = with_random(matrix).find(is_worst);
            let sentence = example.map_or("", |case| case.sentence.as_str());
            let (injected, others) = (of.injected, others(of));
            format!("{cases} of {injected} faults do not end clean{others}: {sentence}")
        }
    }
}

fn with_random(matrix: &Matrix) -> impl Iterator<Item = &Case> {
    let earliest = matrix.random.as_ref().and_then(|random| random.earliest.as_ref());
    matrix.cases.iter().chain(earliest)
}

/// Cases that have no outcome.
fn others(of: &Injected) -> String {
    match (of.not_injected, of.no_outcome) {
        (0, 0) => String::new(),
        (skipped, 0) => format!(" ({skipped} more could not be injected)"),
        (0, cut) => format!(" ({cut} more have no outcome)"),
        (skipped, cut) => {
            format!(" ({skipped} more could not be injected, {cut} have no outcome)")
        }
    }
}

/// What of the plan is missing.
fn lacks(matrix: &Matrix) -> String {
    let missing = &matrix.missing;
    let planned = matrix.cases.len() + missing.len();
    let more = match missing.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = missing[..missing.len().min(NAMED_MAX)].join(", ");
    format!("{} of {planned} planned cases did not run to their end: {named}{more}", missing.len())
}

/// Why an expectation did not hold; empty: it did.
fn mismatch(of: &Expectation, matrix: &Matrix) -> String {
    match of.about {
        _ if of.held => String::new(),
        Some(ExpectationOf::Answer) => matrix.reason.clone(),
        Some(ExpectationOf::AllCases) => lacks(matrix),
        Some(ExpectationOf::SomeOutcome(outcome)) => {
            format!("no case ends with {outcome}, which was expected")
        }
        Some(ExpectationOf::NoOutcome(outcome)) => {
            let count = matrix.outcomes.get(&outcome).copied().unwrap_or(0);
            let cases = if count == 1 { "case ends" } else { "cases end" };
            format!("{count} {cases} with {outcome}, which was not expected")
        }
        Some(ExpectationOf::Verdict | ExpectationOf::Found(_) | ExpectationOf::NotFound(_))
        | None => of.mismatch.clone(),
    }
}
