//! When the server has to be probed between two statements, and when nothing can have changed.
//!
//! Each probe keeps the change waiting, so one is due only where it can show something new. What is
//! held between statements is read after every statement of a transaction but for reads and writes
//! of rows of a shape that this transaction has been probed after: they take the same locks
//! again (a partition that a row is routed to excepted, and its lock blocks no session). What
//! gives locks back without ending the transaction is probed whatever it is. Outside
//! a transaction nothing is held, and such statements are probed the first time, for the WAL
//! that they write, and again as long as they are slow.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::clock::Micros;
use crate::history::TransactionStatus;
use crate::pg::normal_text;
use crate::pg::syntax::Kind;

/// A probe takes less than a twentieth of this.
const SLOW: Micros = Micros::from_millis(5);
/// Shapes remembered; with more, each new one is probed.
const SHAPES_MAX: usize = 10_000;
/// Bytes of a text that make its shape.
const SHAPE_BYTES_MAX: usize = 4 * 1024;

/// What is remembered of a connection's statements.
#[derive(Debug)]
pub struct Probes {
    /// Outside transactions: shape to whether it was slow.
    seen: HashMap<u64, bool>,
    in_transaction: HashSet<u64>,
    /// The settings may be others than those read last.
    settings_stale: bool,
    /// Something in this transaction may have set a setting, which its end takes back.
    set_in_transaction: bool,
}

impl Default for Probes {
    fn default() -> Probes {
        Probes {
            seen: HashMap::new(),
            in_transaction: HashSet::new(),
            settings_stale: true,
            set_in_transaction: false,
        }
    }
}

impl Probes {
    /// Whether the settings in force have to be read before the statement. What stops others is
    /// never reported with settings that were cached.
    pub fn settings_due(&self, kind: &Kind) -> bool {
        self.settings_stale || !(moves_rows(kind) || takes_nothing(kind))
    }

    /// What is met with another value inside a transaction was set there, by whatever means.
    pub fn settings_read(&mut self, are_others: bool, in_transaction: bool) {
        self.settings_stale = false;
        self.set_in_transaction |= are_others && in_transaction;
    }

    /// Whether locks, WAL and relations have to be read after the statement (and before it,
    /// where nothing is known yet).
    pub fn due(&self, kind: &Kind, text: &str, in_transaction: bool) -> bool {
        if takes_nothing(kind) {
            return false;
        }
        if !moves_rows(kind) {
            return true;
        }
        let shape = shape(text);
        match in_transaction {
            true => !self.in_transaction.contains(&shape),
            false => self.seen.get(&shape).is_none_or(|slow| *slow),
        }
    }

    /// The transaction that was open, if one was, is over.
    pub fn outside_transactions(&mut self) {
        self.in_transaction.clear();
        self.settings_stale |= std::mem::take(&mut self.set_in_transaction);
    }

    /// To be called after each statement, with the tags of what finished.
    pub fn ended(
        &mut self,
        kind: &Kind,
        text: &str,
        tags: &[String],
        took: Micros,
        status: TransactionStatus,
    ) {
        let in_transaction = status != TransactionStatus::Idle;
        if moves_rows(kind) {
            let (shape, slow) = (shape(text), took >= SLOW);
            if in_transaction && !slow && self.in_transaction.len() < SHAPES_MAX {
                self.in_transaction.insert(shape);
            } else if !in_transaction && self.seen.len() < SHAPES_MAX {
                self.seen.insert(shape, slow);
            }
        }
        if tags.len() > 1 || may_set(kind, text) {
            (self.settings_stale, self.set_in_transaction) = (true, in_transaction);
        }
        if gives_back(tags) {
            self.in_transaction.clear();
            self.settings_stale |= self.set_in_transaction;
        }
        if !in_transaction {
            self.outside_transactions();
        }
    }
}

/// Whether locks and settings of the transaction, or of a part of it, ended with what ran: ROLLBACK
/// TO a savepoint has the tag of a ROLLBACK, and COMMIT AND CHAIN is in a transaction as before.
pub fn gives_back(tags: &[String]) -> bool {
    tags.iter().any(|tag| matches!(tag.as_str(), "COMMIT" | "ROLLBACK"))
}

/// Reads and writes of rows, however many, of which a change may have very many.
pub fn moves_rows(kind: &Kind) -> bool {
    matches!(kind, Kind::Select | Kind::Insert | Kind::Update | Kind::Delete)
}

/// Transaction control and settings: no lock, and nothing written.
pub fn takes_nothing(kind: &Kind) -> bool {
    use Kind::{Begin, Commit, Rollback, Savepoint, Set, Show};
    matches!(kind, Begin | Commit | Rollback | Savepoint | Set | Show)
}

/// Whether all that ran takes no snapshot, so that a SET TRANSACTION may still follow. It rewrites
/// nothing either, although LOCK takes the lock of a rewrite.
pub fn took_no_snapshot(tags: &[String]) -> bool {
    const TAGS: [&str; 10] = [
        "BEGIN",
        "CHECKPOINT",
        "LISTEN",
        "LOCK TABLE",
        "NOTIFY",
        "SET CONSTRAINTS",
        "SET",
        "SHOW",
        "START TRANSACTION",
        "UNLISTEN",
    ];
    tags.iter().all(|tag| TAGS.contains(&tag.as_str()))
}

/// Whether the statement may leave another setting in force. A function that sets one inside is
/// met by the probe before the next statement that is more than rows.
fn may_set(kind: &Kind, text: &str) -> bool {
    match kind {
        Kind::Set | Kind::Do | Kind::Call | Kind::Other => true,
        Kind::Select => text.to_ascii_lowercase().contains("set_config"),
        _ => false,
    }
}

/// Equal for texts that differ in numbers and strings only.
fn shape(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let beginning = &text[..text.floor_char_boundary(SHAPE_BYTES_MAX)];
    normal_text(beginning).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_of_a_transaction_is_stale_after_it() {
        let mut probes = Probes::default();
        probes.settings_read(false, false);
        probes.ended(
            &Kind::Set,
            "SET LOCAL lock_timeout = 1",
            &["SET".to_owned()],
            Micros::ZERO,
            TransactionStatus::InTransaction,
        );
        assert!(probes.settings_due(&Kind::Select));
        probes.settings_read(true, true);
        assert!(!probes.settings_due(&Kind::Select));
        let tags = ["COMMIT".to_owned()];
        probes.ended(&Kind::Commit, "COMMIT", &tags, Micros::ZERO, TransactionStatus::Idle);
        assert!(probes.settings_due(&Kind::Select));
    }
}
