//! A suite for what is predicted of a size that was not tried.

use crate::clock::Micros;
use crate::explain;
use crate::result::{ChangeAssessment, Finding};
use crate::scenario::Verdict;

use super::{About, Case, CaseOutcome, Remark, SourcePlace, Suite};

/// None: no size is asked about.
pub fn of_predictions(change: &ChangeAssessment) -> Option<Suite> {
    let prediction = change.prediction.as_ref()?;
    let (verdict, sentence) = (prediction.verdict?, explain::predicted_verdict(prediction)?);
    let outcome = match (prediction.as_expected, verdict) {
        (true, _) => CaseOutcome::Held,
        (false, Verdict::Unproven) => CaseOutcome::Unproven,
        (false, _) => CaseOutcome::Broken,
    };
    let found: Vec<&Finding> =
        change.findings.iter().filter(|finding| finding.kind.is_predicted()).collect();
    let lines: Vec<&str> = found.iter().map(|finding| finding.sentence.as_str()).collect();
    let case = Case {
        name: "the verdict at the size that is asked about is the expected one".to_owned(),
        outcome,
        message: if prediction.as_expected { String::new() } else { sentence.clone() },
        about: About::Verdict,
    };
    let expected = prediction.as_expected;
    let remark =
        |finding: &&Finding| Remark { place: place(finding), expected, ..Remark::of(finding) };
    let remarks = found.iter().map(remark).collect();
    Some(Suite {
        name: format!("{}, at other sizes", change.scenario),
        took_us: Micros::ZERO,
        started_at: String::new(),
        properties: Vec::new(),
        cases: vec![case],
        remarks,
        text: std::iter::once(sentence.as_str()).chain(lines).collect::<Vec<_>>().join("\n"),
    })
}

/// The statement that comes to the timeout, or takes the lock.
fn place(finding: &Finding) -> Option<SourcePlace> {
    let statement = finding.subject.statement.as_ref()?;
    let (file, line) = statement.file.clone().zip(statement.line)?;
    Some(SourcePlace { file, line })
}
