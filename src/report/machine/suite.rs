//! What the formats for test cases, annotations and code scanning are written from.

use crate::clock::Micros;

/// What belongs together: the expectations of one trial, the cases of one matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// The same from run to run.
    pub name: String,
    pub took_us: Micros,
    /// RFC 3339; empty: not known.
    pub started_at: String,
    /// Facts about it, in order.
    pub properties: Vec<(String, String)>,
    pub cases: Vec<Case>,
    pub remarks: Vec<Remark>,
    /// The whole as a person reads it, without colours.
    pub text: String,
}

/// An expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub name: String,
    pub outcome: CaseOutcome,
    /// Why it did not hold; empty where it did.
    pub message: String,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    Held,
    Broken,
    /// The evidence carries no answer, which a trial has to.
    Unproven,
    /// The evidence carries no answer, as it may be with few repetitions.
    Undecided,
}

/// Something that was found, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub level: Level,
    /// A stable name for what it is: `stall`.
    pub rule: String,
    pub rule_text: String,
    pub sentence: String,
    /// What to do instead; empty: no known way.
    pub remedy: String,
    pub place: Option<SourcePlace>,
    /// The scenario says that it is to be found.
    pub expected: bool,
}

/// Ordered: the worst is last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It informs.
    Note,
    Warning,
    Error,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    pub file: String,
    /// From 1.
    pub line: u32,
}
