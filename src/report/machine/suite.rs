//! What the formats for test cases, annotations and code scanning are written from.

use crate::clock::Micros;
use crate::result::Finding;
use crate::scenario::Verdict;

/// What belongs together: the expectations of one trial, the cases of one matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// The same from run to run.
    pub name: String,
    /// From the begin of the trial or matrix to its end.
    pub took_us: Micros,
    /// RFC 3339; empty: not known.
    pub started_at: String,
    /// Facts about it, in order.
    pub properties: Vec<(String, String)>,
    /// Expectations, each of them a test case.
    pub cases: Vec<Case>,
    /// Findings, the worst first.
    pub remarks: Vec<Remark>,
    /// The whole as a person reads it, without colours.
    pub text: String,
}

/// An expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The expectation as a name that stays the same from run to run.
    pub name: String,
    /// Whether it held.
    pub outcome: CaseOutcome,
    /// Why it did not hold; empty where it did.
    pub message: String,
    /// Which remarks repeat it where it did not hold.
    pub about: About,
}

/// Which remarks say the same as a case that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// All of them: each contributes to the verdict.
    Verdict,
    /// Those of the rule.
    Rule(String),
    /// None.
    Other,
}

/// What came of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    /// It held.
    Held,
    /// It did not hold.
    Broken,
    /// The evidence carries no answer, which a trial has to.
    Unproven,
    /// The evidence carries no answer, as it may be with few repetitions.
    Undecided,
}

/// Something that was found, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// How severe it is.
    pub level: Level,
    /// A stable name for what it is: `stall`.
    pub rule: String,
    /// What the rule means, in a sentence.
    pub rule_text: String,
    /// The finding's sentence.
    pub sentence: String,
    /// What to do instead; empty: no known way.
    pub remedy: String,
    /// File and line to annotate; None: it is about no file.
    pub place: Option<SourcePlace>,
    /// The scenario says that it is to be found.
    pub expected: bool,
    /// Why it is accepted; None: nobody accepts it.
    pub accepted: Option<String>,
}

impl Remark {
    /// What a finding says by itself: about no file, not expected, accepted by nobody.
    pub fn of(finding: &Finding) -> Remark {
        Remark {
            level: match finding.verdict {
                Verdict::Safe => Level::Note,
                Verdict::Bounded | Verdict::Unproven => Level::Warning,
                Verdict::Unsafe => Level::Error,
            },
            rule: finding.kind.to_string(),
            rule_text: finding.kind.describe().to_owned(),
            sentence: finding.sentence.clone(),
            remedy: finding.remedy.clone().unwrap_or_default(),
            place: None,
            expected: false,
            accepted: None,
        }
    }
}

/// Ordered: the worst is last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It informs.
    Note,
    /// It bounds the harm, or leaves it unproven.
    Warning,
    /// It makes the change unsafe.
    Error,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// Path, as the repository has it.
    pub file: String,
    /// From 1.
    pub line: u32,
}
