//! Findings: what was found, about what, by which evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::scenario::{FindingKind, Verdict};
use crate::trial::TrialKey;

use super::accepted::AcceptedAs;
use super::evidence::{EndedBy, Evidence};
use super::statement::StatementRef;

/// One broken or kept expectation with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What was found.
    pub kind: FindingKind,
    /// What the trial would be with this finding alone; safe where it is accepted.
    pub verdict: Verdict,
    /// Why it does not count; null: nobody accepts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<AcceptedAs>,
    /// What it is about.
    #[serde(default)]
    pub subject: Subject,
    /// What the sentence is made from; null: an older version wrote the result, and only the
    /// sentence is known.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    /// Why the evidence proves nothing although it is there; null: it holds.
    #[serde(default)]
    pub doubt: Option<Doubt>,
    /// The trials that show it.
    #[serde(default)]
    pub trials: Vec<TrialKey>,
    /// For people; made from the above.
    pub sentence: String,
    /// The wait that shows it; null: no wait does.
    pub witness: Option<Witness>,
    /// What to do instead, where there is a known way.
    pub remedy: Option<String>,
}

impl Finding {
    /// Without a sentence, which is made later.
    pub fn new(verdict: Verdict, subject: Subject, evidence: Evidence) -> Finding {
        Finding {
            kind: evidence.kind(),
            verdict,
            accepted: None,
            subject,
            evidence: Some(evidence),
            doubt: None,
            trials: Vec::new(),
            sentence: String::new(),
            witness: None,
            remedy: None,
        }
    }
}

/// What is wrong with the evidence of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Doubt {
    /// Operations were let go late meanwhile, for so long; without that time the limit holds.
    GeneratorLag(Micros),
    /// The load generator was late throughout: p99 of (sent − due).
    LateThroughout(Micros),
    /// Samples are missing meanwhile, for so long; 0: throughout.
    SamplesMissing(Micros),
    /// It was so before the change too.
    BaselineBroken,
    /// No operation was seen at work or waiting in the server, so it may be this machine's doing.
    NotSeen,
    /// Something outside of the change ended it.
    Ended(EndedBy),
    /// The change failed at rows that were made up from the schema.
    MadeUpRows,
    /// The change needs what the server of the trial does not have.
    NotOnThisServer,
    /// The change needs a right that the role of pgauntlet's own has not, in which it runs unless
    /// another one is named.
    OwnRole,
    /// The application's role, which is pgauntlet's own unless another one is named, may use only
    /// what its operations used before the change.
    ApplicationRole,
}

/// What a finding is about: any that apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// A statement of the change.
    pub statement: Option<StatementRef>,
    /// A table, an index or another relation.
    pub relation: Option<String>,
    /// A runner, a background session.
    pub session: Option<String>,
    /// By its name in the scenario.
    pub operation: Option<String>,
}

impl Subject {
    /// The trial as a whole.
    pub fn none() -> Subject {
        Subject::default()
    }

    /// A finding about a statement.
    pub fn statement(statement: StatementRef) -> Subject {
        Subject { statement: Some(statement), ..Subject::default() }
    }

    /// A finding about a relation.
    pub fn relation(relation: impl Into<String>) -> Subject {
        Subject { relation: Some(relation.into()), ..Subject::default() }
    }

    /// A finding about an operation.
    pub fn operation(operation: impl Into<String>) -> Subject {
        Subject { operation: Some(operation.into()), ..Subject::default() }
    }

    /// A finding about a session.
    pub fn session(session: impl Into<String>) -> Subject {
        Subject { session: Some(session.into()), ..Subject::default() }
    }
}

/// Who waited for whom, on which relation, in which mode, how long, during which statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// When it was seen, in microseconds of the trial's clock.
    pub at_us: Micros,
    /// How long the waiter had waited by the end, in microseconds.
    pub waited_us: Micros,
    /// The operation, with its backend's pid where it had one.
    pub waiter: String,
    /// Qualified name; null: the lock is on no relation.
    pub relation: Option<String>,
    /// Requested by the waiter, as in `pg_locks.mode`.
    pub requested: String,
    /// The session that was in the way: `the change`, the name of a background session.
    pub blocker: String,
    /// Held by the blocker; None: it was ahead in the queue (a soft block).
    pub held: Option<String>,
    /// What the change was doing.
    pub during: Option<StatementRef>,
    /// The statement that took the lock, where it is another one.
    pub taken_by: Option<StatementRef>,
    /// For whom the change itself waited.
    pub behind: Option<String>,
}
