//! Which session of which server: an identity that survives the return of a pid.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A session: its node, its backend's pid, and since when it is there.
///
/// A pid alone names a session only for as long as it lasts: the operating system gives it to
/// another one later, and each server counts its own. `since` is `pg_stat_activity.backend_start`
/// in microseconds since the Unix epoch, which its observer reads from the server itself:
/// the session that is opened, in the question for its own pid; the tap and the sampler, by pid.
/// The trial's clock would not do, because only the opener of a session could read it.
///
/// Stored as `pid`, with `since_us` and `node` only where they say something.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId {
    /// Server process or pooler that the pid belongs to.
    #[serde(default, skip_serializing_if = "Node::is_primary")]
    pub node: Node,
    /// 0: a prepared transaction, which `pg_blocking_pids` names so.
    pub pid: i32,
    /// None: not known. The server shows no `backend_start` of another role's session to a role
    /// without pg_read_all_stats, and a history of format 4 has none.
    #[serde(rename = "since_us", default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

/// Microseconds since the Unix epoch; never zero, which keeps an unknown one as small.
pub type Since = NonZeroU64;

/// Reads what the server gives for a `backend_start`.
pub fn since(epoch_us: Option<i64>) -> Option<Since> {
    epoch_us.and_then(|us| u64::try_from(us).ok()).and_then(NonZeroU64::new)
}

impl SessionId {
    /// A session of the primary.
    pub fn new(pid: i32, since: Option<Since>) -> SessionId {
        SessionId { node: Node::Primary, pid, since }
    }
}

/// A session of the primary of which only the pid is known.
impl From<i32> for SessionId {
    fn from(pid: i32) -> SessionId {
        SessionId::new(pid, None)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Node::Primary => write!(f, "pid {}", self.pid),
            Node::Standby(name) => write!(f, "pid {} on standby {name}", self.pid),
            Node::Pooler(name) => write!(f, "pid {} of pooler {name}", self.pid),
        }
    }
}

/// Where a session is: a server, or a pooler in front of one, which counts pids of its own.
///
/// Stored as `standby:NAME` and `pooler:NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Node {
    /// The server that takes the writes.
    #[default]
    Primary,
    /// A standby by its name.
    Standby(NodeName),
    /// A pooler by its name; its pids are no backends.
    Pooler(NodeName),
}

/// The name of the standby of a trial.
pub const STANDBY: &str = "standby";

/// A node's name. Each recorded operation carries its session, so it is one pointer, and shared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Arc<String>);

impl From<&str> for NodeName {
    fn from(name: &str) -> NodeName {
        NodeName(Arc::new(name.to_owned()))
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Node {
    /// Whether it is the primary, which is not stored.
    pub fn is_primary(&self) -> bool {
        *self == Node::Primary
    }
}

impl From<Node> for String {
    fn from(node: Node) -> String {
        match node {
            Node::Primary => "primary".to_owned(),
            Node::Standby(name) => format!("standby:{name}"),
            Node::Pooler(name) => format!("pooler:{name}"),
        }
    }
}

impl TryFrom<String> for Node {
    type Error = String;

    fn try_from(text: String) -> Result<Node, String> {
        match text.split_once(':') {
            None if text == "primary" => Ok(Node::Primary),
            Some(("standby", name)) => Ok(Node::Standby(name.into())),
            Some(("pooler", name)) => Ok(Node::Pooler(name.into())),
            _ => Err(format!("unknown node {text}: primary, standby:NAME, pooler:NAME")),
        }
    }
}

/// A session that belongs to us, so that samples can be distinguished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSeen {
    /// Its identity.
    #[serde(flatten)]
    pub session: SessionId,
    /// Whose it is.
    pub role: Role,
}

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A connection of the application's pool.
    Application,
    /// A connection of the change.
    Change,
    /// A background session by its name in the scenario.
    Disturbance(String),
    /// Our own sampling, probing and checking sessions.
    Observer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_alone_is_stored_as_before_and_read_as_a_session_of_the_primary() {
        let seen = SessionSeen { session: 7.into(), role: Role::Change };
        let stored = r#"{"pid":7,"role":"change"}"#;
        assert_eq!(serde_json::to_string(&seen).unwrap(), stored);
        assert_eq!(serde_json::from_str::<SessionSeen>(stored).unwrap(), seen);
    }

    #[test]
    fn a_session_of_another_node_is_read_as_it_was_written() {
        for (node, stored) in [
            (
                Node::Standby("b".into()),
                r#"{"node":"standby:b","pid":7,"since_us":1764359532000123}"#,
            ),
            (
                Node::Pooler("p".into()),
                r#"{"node":"pooler:p","pid":7,"since_us":1764359532000123}"#,
            ),
        ] {
            let session = SessionId { node, pid: 7, since: since(Some(1_764_359_532_000_123)) };
            assert_eq!(serde_json::to_string(&session).unwrap(), stored);
            assert_eq!(serde_json::from_str::<SessionId>(stored).unwrap(), session);
        }
        assert!(serde_json::from_str::<SessionId>(r#"{"node":"replica","pid":7}"#).is_err());
    }

    #[test]
    fn a_session_is_small_and_no_larger_where_there_is_none() {
        assert_eq!(size_of::<SessionId>(), 32);
        assert_eq!(size_of::<Option<SessionId>>(), 32);
    }
}
