//! From typed findings to sentences: what was found, why the verdict is what it is, what to do.
//!
//! This is the one place that makes prose of a judgement. A kind of finding has a sentence in one
//! of the files by subject, and a remedy in `remedy` where there is a known way; a case of a crash
//! matrix and the matrix have theirs in `case` and `matrix`. Nothing reads a sentence back.

mod accepted;
mod answers;
mod assessment;
mod case;
mod change;
mod constraints;
mod contents;
mod files;
mod hang;
mod majors;
mod matrix;
mod pooled;
mod prediction;
mod quality;
mod reads;
mod reason;
mod remedy;
mod replica;
mod retries;
mod runners;
mod sentence;
mod sessions;
mod state;
mod timeouts;
mod traffic;
mod waits;
mod words;
mod work;

pub use assessment::assessed;
pub use case::{case_remedy, explain_case};
pub use files::Files;
pub use matrix::explain_matrix;
pub use prediction::{
    growth as growth_of_statement, replayed as replayed_stall, verdict as predicted_verdict,
};
pub use remedy::remedy;
pub use retries::retries;

use crate::result::{Finding, Judgement};

use sentence::sentence_among;

/// Fills in the sentences and remedies of the findings, and the verdict's reason.
pub fn explain(judgement: Judgement) -> Judgement {
    let files = Files::of_judgement(&judgement);
    let mut judgement = judgement;
    for finding in &mut judgement.findings {
        finding.sentence = sentence_among(finding, &files);
        finding.remedy = remedy(finding);
    }
    judgement.reason = reason::reason(&judgement, &files);
    judgement
}

/// What was found, in one sentence.
pub fn sentence(finding: &Finding) -> String {
    sentence_among(finding, &Files::of_finding(finding))
}
