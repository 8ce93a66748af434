//! A matrix that broke off: what of the plan is missing, and what the rest amounts to.

use crate::result::{Expectation, ExpectationOf, Matrix};
use crate::scenario::Verdict;

/// The matrix without the cases that are missing. An outcome that was seen was seen; any other may
/// come of a missing case, so the change is not known to be safe, and nothing that was expected is
/// known not to occur. Sentences are left as they are: `explain` makes them.
pub fn incomplete(matrix: Matrix, missing: Vec<String>) -> Matrix {
    if missing.is_empty() {
        return matrix;
    }
    let is_of_outcome = |e: &Expectation| matches!(e.about, Some(ExpectationOf::NoOutcome(_)));
    let mut expectations = matrix.expectations;
    expectations.retain(|e| e.held || is_of_outcome(e));
    expectations.push(Expectation::all_cases(false));
    let verdict = match matrix.verdict {
        Verdict::Unsafe => Verdict::Unsafe,
        _ => Verdict::Unproven,
    };
    Matrix { verdict, as_expected: false, expectations, missing, ..matrix }
}
