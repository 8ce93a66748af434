//! What was left on a pooler's server connections.

use crate::result::evidence::{LeftLock, LeftOnSessions, LeftSetting};

use super::files::Files;
use super::words::{count, quoted};

pub fn left(of: &LeftOnSessions, files: &Files) -> String {
    let locks = of.locks.iter().map(|lock| left_lock(lock, files));
    let settings = of.settings.iter().map(|setting| left_setting(setting, files));
    let parts: Vec<String> = locks.chain(settings).collect();
    let next = match (of.shared, of.locks.is_empty()) {
        (true, _) => "the application's next transactions run there",
        (false, true) => "the next session of the change's role gets it",
        (false, false) => {
            "no other session gets the lock, and the next client of that connection has it \
             unasked"
        }
    };
    format!(
        "left on {} of PgBouncer ({} mode): {}; {next}",
        count(of.sessions, "server connection"),
        of.mode,
        parts.join("; ")
    )
}

fn left_lock(of: &LeftLock, files: &Files) -> String {
    let key = match of.classid {
        0 => of.objid.to_string(),
        classid => format!("{classid}, {}", of.objid),
    };
    format!("the advisory lock ({key}) that {} took", quoted(&of.statement, files))
}

fn left_setting(of: &LeftSetting, files: &Files) -> String {
    format!("{} = {}, as {} set it", of.name, of.value, quoted(&of.statement, files))
}

/// What to do instead.
pub fn remedy(of: &LeftOnSessions) -> &'static str {
    match of.locks.is_empty() {
        false => {
            "let migrations connect to the server itself and not to PgBouncer, or take the lock \
             with pg_advisory_xact_lock in the transaction that works: a lock of the session \
             stays on the server connection when the client goes"
        }
        true => {
            "SET LOCAL in the transaction that needs it, or let migrations connect to the server \
             itself and not to PgBouncer: in transaction mode a SET stays on the server \
             connection, and the next statement may run on another one"
        }
    }
}
