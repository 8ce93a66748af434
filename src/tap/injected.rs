//! Questions that the tap puts to the change's own session, unseen by the client.
//!
//! What only that session knows: its settings, and what its open transaction made of a relation.
//! They go by named statements and portals of their own, which are closed at once, because the
//! unnamed ones may be the client's; and settings are asked for by SHOW, which takes no snapshot,
//! so that a SET TRANSACTION may still follow.

use bytes::{Bytes, BytesMut};
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend;

use crate::pg::milliseconds;

/// Statement and portal; closed before the client speaks again.
const NAME: &str = "pgauntlet_tap";

/// GUCs read, in order; the last exists from 17 on.
const SETTINGS: [&str; 4] = [
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
];
/// `role` is in no list of settings.
const SESSION_STATE: &str = "
SELECT 'setting', s.name, s.setting FROM pg_catalog.pg_settings s
WHERE s.source = 'session' AND s.setting IS DISTINCT FROM s.reset_val
  AND s.name NOT IN ('client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings',
                     'application_name')
UNION ALL
SELECT 'setting', 'role', pg_catalog.current_setting('role')
WHERE pg_catalog.current_setting('role') <> 'none'
UNION ALL
SELECT 'advisory', l.classid::pg_catalog.text, l.objid::pg_catalog.text
FROM pg_catalog.pg_locks l
WHERE l.locktype = 'advisory' AND l.granted AND l.pid = pg_catalog.pg_backend_pid()";
const TRANSACTION_TIMEOUT_SINCE: u32 = 170_000;

/// What limits a statement, in milliseconds; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub lock_timeout_ms: u64,
    pub statement_timeout_ms: u64,
    pub idle_in_transaction_session_timeout_ms: u64,
    /// None: the server has no such setting.
    pub transaction_timeout_ms: Option<u64>,
}

impl Settings {
    /// From the rows of [`settings`]' answer; None: they are not what was asked for.
    pub fn of_rows(rows: &[Vec<Option<String>>]) -> Option<Settings> {
        let value = |index: usize| milliseconds(rows.get(index)?.first()?.as_deref()?);
        Some(Settings {
            lock_timeout_ms: value(0)?,
            statement_timeout_ms: value(1)?,
            idle_in_transaction_session_timeout_ms: value(2)?,
            transaction_timeout_ms: value(3),
        })
    }
}

/// Messages to send, and how many CloseComplete end the answer where no ReadyForQuery does.
#[derive(Debug)]
pub struct Question {
    pub bytes: Bytes,
    pub closes: usize,
    /// The server may warn of what we ask for, which is no business of the client's.
    pub warns: bool,
}

/// Asks for the settings in force.
pub fn settings(server_version: u32, in_pipeline: bool) -> std::io::Result<Question> {
    let known = if server_version < TRANSACTION_TIMEOUT_SINCE { 3 } else { SETTINGS.len() };
    let sql: Vec<String> = SETTINGS[..known].iter().map(|name| format!("SHOW {name}")).collect();
    ask(&sql, in_pipeline)
}

/// Asks what the session has set that is not as in a new one, but for what poolers keep of each
/// client, and for the advisory locks that it holds.
pub fn session_state() -> std::io::Result<Question> {
    ask(&[SESSION_STATE.to_owned()], false)
}

/// Asks for the `lock_timeout` in force.
pub fn lock_timeout(in_pipeline: bool) -> std::io::Result<Question> {
    ask(&["SHOW lock_timeout".to_owned()], in_pipeline)
}

/// Sets `lock_timeout` to a value as SHOW tells it, for the transaction or for the session. In a
/// pipeline without a BEGIN, the server takes the first for a mistake and does it.
pub fn set_lock_timeout(value: &str, local: bool, in_pipeline: bool) -> std::io::Result<Question> {
    let scope = if local { "LOCAL" } else { "SESSION" };
    let question = ask(&[format!("SET {scope} lock_timeout = '{value}'")], in_pipeline)?;
    Ok(Question { warns: true, ..question })
}

/// Takes back what the session has set, and asks for the `lock_timeout` that is in force then.
pub fn reset_lock_timeout() -> std::io::Result<Question> {
    ask(&["RESET lock_timeout".to_owned(), "SHOW lock_timeout".to_owned()], false)
}

/// Asks for the relfilenodes of relations, as the open transaction sees them.
pub fn filenodes(oids: &[u32], in_pipeline: bool) -> std::io::Result<Question> {
    let oids: Vec<String> = oids.iter().map(u32::to_string).collect();
    let sql = format!(
        "SELECT oid, relfilenode FROM pg_catalog.pg_class WHERE oid IN ({})",
        oids.join(", ")
    );
    ask(&[sql], in_pipeline)
}

/// Asks for nothing; what the server says before the answer, it says to what it had before.
pub fn nothing() -> Question {
    let mut out = BytesMut::new();
    // A statement without text is prepared in a failed transaction as well.
    let built = frontend::parse(NAME, "", std::iter::empty(), &mut out)
        .and_then(|()| frontend::close(b'S', NAME, &mut out));
    debug_assert!(built.is_ok(), "short names fit");
    frontend::sync(&mut out);
    Question { bytes: out.freeze(), closes: 1, warns: false }
}

/// Each statement prepared, run and closed; at the end a Sync, or a Flush inside the client's own
/// pipeline, which a Sync would end.
fn ask(statements: &[String], in_pipeline: bool) -> std::io::Result<Question> {
    let mut out = BytesMut::new();
    for sql in statements {
        frontend::parse(NAME, sql, std::iter::empty(), &mut out)?;
        let bound = frontend::bind(
            NAME,
            NAME,
            std::iter::empty::<i16>(),
            std::iter::empty::<()>(),
            |(), _| Ok(IsNull::Yes),
            std::iter::empty::<i16>(),
            &mut out,
        );
        bound.map_err(|_| std::io::Error::other("a message of the tap's own is too long"))?;
        frontend::execute(NAME, 0, &mut out)?;
        frontend::close(b'P', NAME, &mut out)?;
        frontend::close(b'S', NAME, &mut out)?;
    }
    match in_pipeline {
        true => frontend::flush(&mut out),
        false => frontend::sync(&mut out),
    }
    Ok(Question { bytes: out.freeze(), closes: 2 * statements.len(), warns: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_in_every_unit_in_which_they_are_shown() {
        let read = |text| milliseconds(text).expect("a timeout");
        assert_eq!(
            ["0", "250ms", "3s", "2min", "1h", "1d"].map(read),
            [0, 250, 3_000, 120_000, 3_600_000, 86_400_000]
        );
        assert_eq!(milliseconds("3 parsecs"), None);
        assert_eq!(milliseconds("18446744073709551615d"), None);
    }
}
