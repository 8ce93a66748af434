//! A lock of the change, as a result holds it.

use std::fmt;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::pg::LockMode;

/// A lock on a relation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationLock {
    /// Qualified name.
    pub relation: String,
    /// As in `pg_locks.mode`.
    pub mode: LockMode,
}

/// `public.spans AccessExclusiveLock`.
impl fmt::Display for RelationLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.relation, self.mode)
    }
}

/// How a lock was written: by older versions as `relation mode`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Fields(Fields),
    Words(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    relation: String,
    mode: LockMode,
}

impl<'de> Deserialize<'de> for RelationLock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RelationLock, D::Error> {
        let expected = "a lock is a relation and a mode of pg_locks";
        let written = Written::deserialize(deserializer).map_err(|_| D::Error::custom(expected))?;
        match written {
            Written::Fields(Fields { relation, mode }) => Ok(RelationLock { relation, mode }),
            Written::Words(words) => {
                let parts = words.rsplit_once(' ');
                let parts =
                    parts.and_then(|(relation, mode)| Some((relation, LockMode::parse(mode)?)));
                let (relation, mode) = parts.ok_or_else(|| D::Error::custom(expected))?;
                Ok(RelationLock { relation: relation.to_owned(), mode })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    #[rstest]
    #[case::of_today(json!({ "relation": "a \"b c\"", "mode": "ShareLock" }))]
    #[case::of_before(json!("a \"b c\" ShareLock"))]
    fn a_lock_is_read_as_it_is_written_and_as_it_was(#[case] written: Value) {
        let lock: RelationLock = serde_json::from_value(written).expect("a lock");
        assert_eq!((lock.relation.as_str(), lock.mode), ("a \"b c\"", LockMode::ShareLock));
        let again = serde_json::to_value(&lock).expect("JSON");
        assert_eq!(again, json!({ "relation": "a \"b c\"", "mode": "ShareLock" }));
    }

    #[rstest]
    #[case(json!("ShareLock"))]
    #[case(json!("a StrangeLock"))]
    #[case(json!({ "relation": "a", "mode": "ShareLock", "since": 1 }))]
    #[case(json!(5))]
    fn what_is_no_lock_is_refused(#[case] written: Value) {
        assert!(serde_json::from_value::<RelationLock>(written).is_err());
    }
}
