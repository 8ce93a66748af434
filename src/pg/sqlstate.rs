//! SQLSTATE codes with the condition names that Postgres documents for them.
//!
//! Source: PostgreSQL documentation, appendix A, "PostgreSQL Error Codes".

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A five-character SQLSTATE, such as `55P03`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct SqlState(String);

macro_rules! states {
    ($($constant:ident $code:literal $name:literal),+ $(,)?) => {
        /// The codes that this crate tells apart, by condition name.
        impl SqlState {
            $(#[doc = concat!("`", $code, "`, `", $name, "`.")]
            pub const $constant: &'static str = $code;)+

            /// The condition name, for the codes that a schema change or its traffic meets.
            pub fn condition(&self) -> Option<&'static str> {
                match self.0.as_str() {
                    $($code => Some($name),)+
                    _ => None,
                }
            }
        }
    };
}

states! {
    CONNECTION_EXCEPTION "08000" "connection_exception",
    CONNECTION_FAILURE "08006" "connection_failure",
    FEATURE_NOT_SUPPORTED "0A000" "feature_not_supported",
    NOT_NULL_VIOLATION "23502" "not_null_violation",
    FOREIGN_KEY_VIOLATION "23503" "foreign_key_violation",
    UNIQUE_VIOLATION "23505" "unique_violation",
    CHECK_VIOLATION "23514" "check_violation",
    INVALID_TRANSACTION_STATE "25000" "invalid_transaction_state",
    ACTIVE_SQL_TRANSACTION "25001" "active_sql_transaction",
    IN_FAILED_SQL_TRANSACTION "25P02" "in_failed_sql_transaction",
    IDLE_IN_TRANSACTION_SESSION_TIMEOUT "25P03" "idle_in_transaction_session_timeout",
    TRANSACTION_TIMEOUT "25P04" "transaction_timeout",
    INVALID_CATALOG_NAME "3D000" "invalid_catalog_name",
    SERIALIZATION_FAILURE "40001" "serialization_failure",
    DEADLOCK_DETECTED "40P01" "deadlock_detected",
    INSUFFICIENT_PRIVILEGE "42501" "insufficient_privilege",
    SYNTAX_ERROR "42601" "syntax_error",
    UNDEFINED_COLUMN "42703" "undefined_column",
    UNDEFINED_FUNCTION "42883" "undefined_function",
    UNDEFINED_TABLE "42P01" "undefined_table",
    UNDEFINED_OBJECT "42704" "undefined_object",
    DUPLICATE_COLUMN "42701" "duplicate_column",
    DUPLICATE_OBJECT "42710" "duplicate_object",
    DUPLICATE_TABLE "42P07" "duplicate_table",
    DUPLICATE_SCHEMA "42P06" "duplicate_schema",
    DUPLICATE_FUNCTION "42723" "duplicate_function",
    DUPLICATE_DATABASE "42P04" "duplicate_database",
    INVALID_TABLE_DEFINITION "42P16" "invalid_table_definition",
    DISK_FULL "53100" "disk_full",
    OUT_OF_MEMORY "53200" "out_of_memory",
    TOO_MANY_CONNECTIONS "53300" "too_many_connections",
    OBJECT_NOT_IN_PREREQUISITE_STATE "55000" "object_not_in_prerequisite_state",
    OBJECT_IN_USE "55006" "object_in_use",
    LOCK_NOT_AVAILABLE "55P03" "lock_not_available",
    UNSAFE_NEW_ENUM_VALUE_USAGE "55P04" "unsafe_new_enum_value_usage",
    QUERY_CANCELED "57014" "query_canceled",
    ADMIN_SHUTDOWN "57P01" "admin_shutdown",
    CRASH_SHUTDOWN "57P02" "crash_shutdown",
    CANNOT_CONNECT_NOW "57P03" "cannot_connect_now",
    IDLE_SESSION_TIMEOUT "57P05" "idle_session_timeout",
    UNDEFINED_FILE "58P01" "undefined_file",
    INTERNAL_ERROR "XX000" "internal_error",
}

impl SqlState {
    /// Takes a code as the server sends it: five characters.
    pub fn new(code: impl Into<String>) -> SqlState {
        SqlState(code.into())
    }

    /// The five characters.
    pub fn code(&self) -> &str {
        &self.0
    }

    /// Whether it is this code.
    pub fn is(&self, code: &str) -> bool {
        self.0 == code
    }
}

/// `55P03 lock_not_available`, or the bare code when it is none of ours.
impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.condition() {
            Some(name) => write!(f, "{} {name}", self.0),
            None => f.write_str(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_is_told_with_its_condition_name() {
        assert_eq!(SqlState::new("55P03").to_string(), "55P03 lock_not_available");
        assert_eq!(SqlState::new("99999").to_string(), "99999");
    }
}
