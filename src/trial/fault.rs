//! A fault: what is done to a change on purpose, and at which of its statements.

use std::fmt;

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::clock::Micros;
use crate::pg::StatementKey;

/// Number of a statement within an attempt.
pub type StatementId = u32;

/// One fault of a crash matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What is done.
    pub kind: FaultKind,
    /// At which statement, and when.
    pub at: InjectionPoint,
}

/// Where in the change a fault is injected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct InjectionPoint {
    /// Number of the statement within the attempt of the undisturbed run.
    pub statement: StatementId,
    /// Its identity in every attempt: where a round is repeated for as long as there are rows,
    /// later statements have other numbers the next time.
    pub key: StatementKey,
    /// Its text in the undisturbed run.
    pub text: String,
    /// How far into the statement, in microseconds; None: at its boundary, or as soon as it is in
    /// the state that the kind needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into_us: Option<Micros>,
}

impl InjectionPoint {
    /// At the boundary of the statement with this number and text, which `nth` others of the same
    /// text, whatever its constants, come before.
    pub fn new(statement: StatementId, text: String, nth: u32) -> InjectionPoint {
        let key = StatementKey::new(None, &text, nth);
        InjectionPoint { statement, key, text, into_us: None }
    }
}

/// As it is read: `nth` stood in the place of `key`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPoint {
    statement: StatementId,
    text: String,
    key: Option<StatementKey>,
    nth: Option<u32>,
    into_us: Option<Micros>,
}

impl<'de> Deserialize<'de> for InjectionPoint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<InjectionPoint, D::Error> {
        let StoredPoint { statement, text, key, nth, into_us } = Deserialize::deserialize(from)?;
        let key = match (key, nth) {
            (Some(key), None) => key,
            (None, Some(nth)) => StatementKey::new(None, &text, nth),
            _ => return Err(D::Error::custom("an injection point has a `key`, or `nth` instead")),
        };
        Ok(InjectionPoint { statement, key, text, into_us })
    }
}

impl Fault {
    /// As the key of a trial has it: `cut-before at statement 1`.
    pub fn label(&self) -> String {
        let at = format!("{} at statement {}", self.kind, self.at.statement);
        match self.at.into_us {
            Some(into) => format!("{at} after {} us", into.0),
            None => at,
        }
    }
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal),+ $(,)?) => {
        /// What is done to the change.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum FaultKind {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl FaultKind {
            /// All of them, in the order of a matrix's columns.
            pub const ALL: &'static [FaultKind] = &[$(FaultKind::$variant),+];

            /// The name in files.
            pub fn as_str(self) -> &'static str {
                match self { $(FaultKind::$variant => $name,)+ }
            }

            /// What it means, in a sentence.
            pub fn describe(self) -> &'static str {
                let text = match self { $(FaultKind::$variant => concat!($($doc),+),)+ };
                text.trim_start()
            }

            /// The kind of that name in files.
            pub fn parse(name: &str) -> Option<FaultKind> {
                FaultKind::ALL.iter().copied().find(|known| known.as_str() == name)
            }
        }
    };
}

kinds! {
    /// The connection is cut instead of sending the statement.
    CutBefore "cut-before",
    /// 55P03: the statement waits for a lock that another session holds, and gives up.
    LockTimeout "lock-timeout",
    /// 57014: the statement is cancelled while it works.
    Cancel "cancel",
    /// 57P01: the backend is terminated.
    KillBackend "kill-backend",
    /// The statement runs to its end, and the connection is cut before its answer.
    CutAfter "cut-after",
    /// SIGKILL to the process that applies the change, after a commit and before the statement that
    /// would have followed.
    KillRunner "kill-runner",
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
