//! The hot standby that a scenario has: how it replays, and which operations read there.

use crate::pg::LockMode;
use crate::pg::facts::facts;
use crate::pg::syntax::Kind;

use super::traffic::SqlPlace;

/// The server's own default.
pub(super) const DELAY_MS_DEFAULT: u64 = 30_000;
pub(super) const CONNECTIONS_DEFAULT: u32 = 5;

/// A hot standby of the server, with readers of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Replica {
    /// How long replay waits for a reader before it cancels it, in milliseconds.
    pub max_standby_streaming_delay_ms: u64,
    /// Whether the standby tells the primary which rows its readers may still see.
    pub hot_standby_feedback: bool,
    /// Whether a replication slot keeps the WAL that the standby has not received.
    pub slot: bool,
    /// Connections of its readers.
    pub connections: u32,
    /// Where it is written, for messages; None: the result does not say.
    pub place: Option<SqlPlace>,
}

impl Default for Replica {
    fn default() -> Replica {
        Replica {
            max_standby_streaming_delay_ms: DELAY_MS_DEFAULT,
            hot_standby_feedback: false,
            slot: true,
            connections: CONNECTIONS_DEFAULT,
            place: None,
        }
    }
}

/// Whether a hot standby surely refuses one of the statements of a text: it writes, locks rows or
/// tables against writers, or defines something. What a function does is not in a text.
pub(super) fn is_refused(sql: &str) -> bool {
    let strong = |mode: LockMode| mode > LockMode::AccessShareLock;
    facts(sql).statements.iter().any(|statement| {
        let reads = matches!(
            statement.kind,
            Kind::Select | Kind::Show | Kind::Set | Kind::Begin | Kind::Commit | Kind::Rollback
        );
        let locks = statement.locks.iter().flatten().any(|lock| strong(lock.mode));
        let defines = statement.created.is_some() || statement.defines.is_some();
        let other = !reads && !matches!(statement.kind, Kind::Other | Kind::Savepoint | Kind::Lock);
        other || locks || defines || !statement.writes.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("SELECT id FROM t WHERE id = $1", false)]
    #[case("WITH a AS (SELECT 1) SELECT * FROM a", false)]
    #[case("VALUES (1)", false)]
    #[case("TABLE t", false)]
    #[case("SHOW work_mem", false)]
    #[case("SET work_mem = '8MB'", false)]
    #[case("SELECT id FROM t FOR UPDATE", true)]
    #[case("SELECT id FROM t FOR KEY SHARE", true)]
    #[case("INSERT INTO t VALUES (1)", true)]
    #[case("UPDATE t SET a = 1", true)]
    #[case("WITH a AS (DELETE FROM t RETURNING id) SELECT * FROM a", true)]
    #[case("SELECT 1 AS a INTO u", true)]
    #[case("CREATE TABLE t (id int)", true)]
    #[case("LOCK TABLE t IN SHARE MODE", true)]
    #[case("CALL p()", true)]
    fn what_a_standby_refuses_is_told(#[case] sql: &str, #[case] refused: bool) {
        assert_eq!(is_refused(sql), refused);
    }
}
