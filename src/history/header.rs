//! What a history says of its trial before the first event: the header line.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trial::{Axis, Fault, TrialKey};

use super::roles::RolesFacts;
use super::short::ShortTable;

/// Version of the file format. A reader knows this one and [`VERSION_READ`] before it.
pub const VERSION: u32 = 5;

/// The oldest version that is still read.
pub const VERSION_READ: u32 = 4;

/// First line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of the history's format.
    pub pgauntlet_history: u32,
    /// The trial that follows.
    pub trial: TrialFacts,
    /// The stored form of the scenario as it was checked, so that a history can be judged without
    /// its directory. Those who read it know the form.
    pub scenario: serde_json::Value,
}

impl Header {
    /// A header that names nothing, for histories made by hand.
    pub fn unnamed() -> Header {
        Header {
            pgauntlet_history: VERSION,
            trial: TrialFacts {
                key: TrialKey::new(""),
                tool: env!("CARGO_PKG_VERSION").to_owned(),
                started_at: String::new(),
                rng_seed: 0,
                fault: None,
                sizes: BTreeMap::new(),
                server: ServerFacts::default(),
                machine: MachineFacts::default(),
                applied: None,
                roles: None,
                tried: None,
            },
            scenario: serde_json::Value::Null,
        }
    }
}

/// What has to be known to read the numbers, or to run the trial again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialFacts {
    /// The identity of the trial.
    pub key: TrialKey,
    /// Version of this program.
    pub tool: String,
    /// RFC 3339.
    pub started_at: String,
    /// Random seed of the schedule, the parameters and the rows.
    pub rng_seed: u64,
    /// What is done to the change, and where; None: it is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Rows per table, as many as are there.
    pub sizes: BTreeMap<String, u64>,
    /// The server on which the trial ran.
    pub server: ServerFacts,
    /// The machine on which this program ran.
    pub machine: MachineFacts,
    /// By whose rules the migrations are applied; None: a command applies them, or the trial is
    /// older than the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// As whom the application and the change ran; None: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<RolesFacts>,
    /// What went on beside the change; None: an older version made the trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Tried>,
}

/// For what a verdict holds, beyond the rows and the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// Operations a second; 0: no application ran.
    pub rate_per_s: f64,
    /// Names of the background sessions.
    pub background: Vec<String>,
    /// How many runners applied the change at once.
    pub runners: u32,
    /// Rows that the scenario declares, of tables for which others were asked for.
    pub declared: BTreeMap<String, u64>,
    /// Tables that have fewer rows than were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub short: Vec<ShortTable>,
}

impl TrialFacts {
    /// Tables that have fewer rows than were asked for.
    pub fn short(&self) -> &[ShortTable] {
        self.tried.as_ref().map(|tried| tried.short.as_slice()).unwrap_or_default()
    }

    /// Rows per table that the scenario makes, those included that the server refused.
    pub fn asked(&self) -> BTreeMap<String, u64> {
        let mut asked = self.sizes.clone();
        asked.extend(self.short().iter().map(|short| (short.table.clone(), short.made())));
        asked
    }
}

/// By whose rules migrations are applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// The migration tool whose directory it is; null: plain SQL files.
    pub tool: Option<String>,
    /// By what the tool was recognised; null: the user named it, or there is none.
    pub recognised_by: Option<String>,
    /// For which statements a transaction is opened, in words.
    pub transactions: String,
}

/// `sqlx (../Cargo.toml: sqlx): one transaction per file, …`
impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tool = self.tool.as_deref().unwrap_or("plain SQL");
        let by = self.recognised_by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
        write!(f, "{tool}{by}: {}", self.transactions)
    }
}

impl ServerFacts {
    /// None: the server is not known.
    pub fn major(&self) -> Option<u32> {
        (self.version_num > 0).then_some(self.version_num / 10_000)
    }

    /// The trial's key with the server on which it runs.
    pub fn place(&self, key: TrialKey) -> TrialKey {
        match self.major() {
            Some(major) => key.with(Axis::SERVER, major.to_string()),
            None => key,
        }
    }
}

/// The machine on which this program ran; an external server may be on another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineFacts {
    /// `linux x86_64`.
    pub system: String,
    /// Kernel release; empty: not known.
    pub kernel: String,
    /// As the processor names itself; empty: not known.
    pub processor: String,
    /// Cores that the process may use.
    pub cores: u32,
    /// Physical memory.
    pub memory_bytes: u64,
}

/// The server, as it describes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerFacts {
    /// `local`, `docker` or `url`.
    pub source: String,
    /// `server_version` as the server tells it.
    pub version: String,
    /// `server_version_num`: 170002 is 17.2.
    pub version_num: u32,
    /// Settings that are not the server's defaults.
    pub settings: BTreeMap<String, String>,
}
