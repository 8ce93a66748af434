//! A matrix that broke off: what of the plan is missing, and what the rest amounts to.

use crate::result::{Expectation, ExpectationOf, Matrix};
use crate::scenario::Verdict;

/// Missing cases that a sentence names.
const NAMED_MAX: usize = 3;

/// The matrix without the cases that are missing. An outcome that was seen was seen; any other may
/// come of a missing case, so the change is not known to be safe, and nothing that was expected is
/// known not to occur.
pub fn incomplete(matrix: Matrix, missing: Vec<String>) -> Matrix {
    if missing.is_empty() {
        return matrix;
    }
    let planned = matrix.cases.len() + missing.len();
    let more = match missing.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = missing[..missing.len().min(NAMED_MAX)].join(", ");
    let lacks = format!(
        "{} of {planned} planned cases did not run to their end: {named}{more}",
        missing.len()
    );
    let is_of_outcome = |e: &Expectation| matches!(e.about, Some(ExpectationOf::NoOutcome(_)));
    let mut expectations = matrix.expectations;
    expectations.retain(|e| e.held || is_of_outcome(e));
    expectations.push(Expectation::all_cases(Some(lacks.clone())));
    let (verdict, reason) = match matrix.verdict {
        Verdict::Unsafe => (Verdict::Unsafe, format!("{}; {lacks}", matrix.reason)),
        _ => (Verdict::Unproven, lacks),
    };
    let mismatches = Expectation::mismatches(&expectations);
    Matrix { verdict, reason, as_expected: false, expectations, mismatches, missing, ..matrix }
}
