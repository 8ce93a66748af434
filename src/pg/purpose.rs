//! What a statement that an external tool sends is for: work, or the noise around it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a statement is for. Ordered: of several statements the greatest counts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// BEGIN, COMMIT, ROLLBACK, savepoints.
    Transaction,
    /// SET, SHOW, PREPARE, LOCK, temporary tables: about the session itself.
    Setting,
    /// SELECT, EXPLAIN, COPY TO.
    Read,
    /// Whatever changes the schema or data, or may.
    Work,
}

/// Tables in which migration tools remember what is applied, and hold their own lock, by default.
pub const TOOLS_TABLES: &[&str] = &[
    "alembic_version",
    "django_migrations",
    "_sqlx_migrations",
    "schema_migrations", // dbmate, golang-migrate, Rails
    "ar_internal_metadata",
    "knex_migrations",
    "knex_migrations_lock",
    "pgmigrations",
    "flyway_schema_history",
    "goose_db_version",
    "__diesel_schema_migrations",
    "refinery_schema_history",
    "_prisma_migrations",
    "databasechangelog",
    "databasechangeloglock",
];

/// Whether a value of a timeout means none: `0`, `0s`.
pub fn is_zero(value: &str) -> bool {
    value.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ') == "0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_of_zero_is_none_in_every_unit() {
        assert!(["0", "0s", "0 ms"].into_iter().all(is_zero));
        assert!(!["10", "1s", "default", ""].into_iter().any(is_zero));
    }
}
