//! What replaced views and functions answer now, set beside what they answered before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// Views and functions that were there before the change and have another definition after it.
/// Both definitions were asked in one snapshot, with nobody writing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswersCompared {
    /// Those that the application may use, in the order of their names.
    pub objects: Vec<ComparedAnswers>,
    /// How long all of it took.
    pub took_us: Micros,
}

/// What two definitions of one object answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComparedAnswers {
    /// As the fingerprint names it, its kind first: `view public.active_users`.
    pub object: String,
    /// Whether it is a materialized view, whose queries were compared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_materialized: bool,
    /// Rows that the old definition returned.
    pub rows: u64,
    /// Rows of those that the new one does not return.
    pub gone: u64,
    /// Rows that only the new one returns.
    pub new: u64,
    /// Some that are gone, as text, each cut to 200 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone_rows: Vec<String>,
    /// Some that are new, in the same form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_rows: Vec<String>,
    /// Why the two were not compared; None: they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<NotCompared>,
}

/// Why two definitions were not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotCompared {
    /// The old definition does not run on the schema after the change: the server's message.
    OldFails(String),
    /// Neither returned a row.
    NoRows,
    /// The new one returns, or writes, other rows each time.
    Volatile,
    /// Something else was in the way: what.
    Because(String),
}

impl ComparedAnswers {
    /// Of an object that was not compared.
    pub fn not_compared(object: &str, why: NotCompared) -> ComparedAnswers {
        let object = object.to_owned();
        ComparedAnswers { object, not_compared: Some(why), ..ComparedAnswers::default() }
    }
}

/// Rows of each side that are kept as samples.
pub const SAMPLES_MAX: usize = 3;
/// Characters of a sample.
pub const SAMPLE_CHARS_MAX: usize = 200;
