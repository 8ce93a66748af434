//! What the server itself says of a backend, and what a fault leaves in the history.

use std::path::PathBuf;

use pgauntlet::history::{FaultEvent, ServerError, StatementId};
use pgauntlet::tap::Action;

use super::eventually;

pub struct Log {
    pub path: PathBuf,
}

impl Log {
    /// Lines about a backend.
    pub fn of(&self, pid: i32) -> Vec<String> {
        let text = std::fs::read(&self.path).expect("the server's log");
        let text = String::from_utf8_lossy(&text).into_owned();
        let backend = format!("[{pid}]");
        text.lines().filter(|line| line.contains(&backend)).map(str::to_owned).collect()
    }

    pub async fn says_soon(&self, pid: i32, what: &str) {
        let says = async || self.of(pid).iter().any(|line| line.contains(what));
        eventually(what, says).await;
    }
}

pub fn event(kind: Action, statement: Option<StatementId>) -> Vec<FaultEvent> {
    vec![FaultEvent { attempt: 0, fault: kind.to_string(), statement }]
}

pub fn state(error: Option<&ServerError>) -> &str {
    error.and_then(|error| error.sqlstate.as_ref()).map_or("", |state| state.code())
}
