//! Tables that have fewer rows than they were to have: the server refused the others, or the
//! scenario could not be made with as many.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a table came to have fewer rows than it was to have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShortTable {
    /// Its name, as the scenario has it.
    pub table: String,
    /// Rows that it was to have.
    pub asked: u64,
    /// Rows that the scenario makes, where those are fewer than were asked for already; None: as
    /// many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<u64>,
    /// Rows that were loaded.
    pub loaded: u64,
    /// Why rows were left out, with how many; and why the scenario makes fewer.
    pub why: Vec<String>,
    /// Constraints of the table that refused rows, and columns that may not be null.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_by: Vec<String>,
    /// Rows of those left out that refer to a row which is not there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dangling: u64,
    /// The tables in which those rows are missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refers_to: Vec<String>,
}

impl ShortTable {
    /// Whether it is short only because rows of other tables are not there.
    pub fn only_follows(&self) -> bool {
        self.dangling > 0 && self.dangling >= self.asked.saturating_sub(self.loaded)
    }

    /// Rows that the scenario makes of those.
    pub fn made(&self) -> u64 {
        self.made.unwrap_or(self.asked)
    }

    /// Whether the server refused some of its rows.
    pub fn was_refused(&self) -> bool {
        self.loaded < self.made()
    }

    /// Whether it has fewer than 99 % of its rows: what happens to it is not what would happen to
    /// the table that was asked for.
    pub fn lacks_rows(&self) -> bool {
        u128::from(self.loaded) * 100 < u128::from(self.asked) * 99
    }

    /// Share of its rows that it has, in thousandths.
    pub fn share(&self) -> u128 {
        u128::from(self.loaded) * 1_000 / u128::from(self.asked.max(1))
    }

    /// `orders has 9,998 of 10,000 rows: 2 rows: …`
    pub fn to_text(&self) -> String {
        format!("{self}: {}", self.why.join("; "))
    }
}

/// `orders has 9998 of 10000 rows`
impl fmt::Display for ShortTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ShortTable { table, asked, loaded, .. } = self;
        write!(f, "{table} has {loaded} of {asked} rows")
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(rows: &u64) -> bool {
    *rows == 0
}
