//! As whom the application and the change ran.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The application's role on a server of ours, where the scenario names none. It owns nothing.
pub const APPLICATION_ROLE: &str = "pgauntlet_app";
/// The change's: it owns the tables.
pub const MIGRATOR_ROLE: &str = "pgauntlet_migrator";

/// As whom the application and the change ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RolesFacts {
    /// The user of the pool's sessions.
    pub application: RoleFacts,
    /// The user of the change's sessions.
    pub change: RoleFacts,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleFacts {
    /// As in `pg_roles`.
    pub name: String,
    /// Row security and missing privileges do not show with one.
    pub superuser: bool,
}

/// `application as pgauntlet_app, change as postgres (superuser)`
impl fmt::Display for RolesFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RolesFacts { application, change } = self;
        write!(f, "application as {application}, change as {change}")
    }
}

impl fmt::Display for RoleFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.superuser { " (superuser)" } else { "" };
        write!(f, "{}{kind}", self.name)
    }
}
