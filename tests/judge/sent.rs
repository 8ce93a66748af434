//! Statements as a command sends them, on connections of its own.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use pgauntlet::clock::Micros;
use pgauntlet::history::{
    AttemptEnd, ClosedBy, CommandEnded, ConnectionClosed, ConnectionOpened, Event, FaultEvent,
    HeldLock, Protocol, ServerError, Source, StatementBegan, StatementEnded, TransactionStatus,
};
use pgauntlet::pg::LockMode;
use pgauntlet::scenario::Command;

use super::made::{Made, error};

/// The pid of a command's first connection; the others count up.
pub const COMMAND: i32 = 800;

/// A command's statement, to be changed and then added to a history.
#[derive(Clone)]
pub struct Sent {
    at: u64,
    until: u64,
    began: StatementBegan,
    ended: StatementEnded,
}

/// In autocommit, on the first connection, with a lock_timeout of 3 s.
pub fn sent(statement: u32, at: u64, until: u64, text: &str) -> Sent {
    let (began_us, ended_us) = (Micros::from_millis(at), Micros::from_millis(until));
    let began = StatementBegan {
        attempt: 0,
        statement,
        connection: 0,
        session: COMMAND.into(),
        migration: String::new(),
        source: Source::Command,
        text: text.to_owned(),
        statements: 1,
        protocol: Protocol::Simple,
        parameter_types: Vec::new(),
        lock_timeout_ms: 3_000,
        statement_timeout_ms: 0,
        idle_in_transaction_session_timeout_ms: 0,
        transaction_timeout_ms: None,
        transaction: TransactionStatus::Idle,
    };
    let ended = StatementEnded {
        attempt: 0,
        statement,
        began_us,
        ended_us,
        error: None,
        tags: Vec::new(),
        rows: None,
        wal_bytes: None,
        rewritten: Vec::new(),
        held: Vec::new(),
        taken: Vec::new(),
        transaction: TransactionStatus::Idle,
        notices: Vec::new(),
        paused_us: Micros::ZERO,
    };
    Sent { at, until, began, ended }
}

impl Sent {
    /// Its transaction's status before and after: `"i"` idle, `"t"` in one, `"f"` in a failed one.
    pub fn status(mut self, before_after: &str) -> Sent {
        let status = |letter| match letter {
            b't' => TransactionStatus::InTransaction,
            b'f' => TransactionStatus::Failed,
            _ => TransactionStatus::Idle,
        };
        let [before, after] = before_after.as_bytes() else { panic!("two letters") };
        (self.began.transaction, self.ended.transaction) = (status(*before), status(*after));
        self
    }

    /// In the midst of a transaction.
    pub fn inside(self) -> Sent {
        self.status("tt")
    }

    pub fn on(mut self, connection: u32) -> Sent {
        (self.began.connection, self.began.session) =
            (connection, (COMMAND + connection as i32).into());
        self
    }

    pub fn of_attempt(mut self, attempt: u32) -> Sent {
        (self.began.attempt, self.ended.attempt) = (attempt, attempt);
        self
    }

    pub fn message_of(mut self, statements: u32) -> Sent {
        self.began.statements = statements;
        self
    }

    pub fn timeouts(mut self, lock_ms: u64, statement_ms: u64) -> Sent {
        (self.began.lock_timeout_ms, self.began.statement_timeout_ms) = (lock_ms, statement_ms);
        self
    }

    pub fn holds(mut self, relation: &str, mode: LockMode) -> Sent {
        self.ended.held.push(HeldLock { relation: relation.to_owned(), mode });
        self
    }

    pub fn takes(mut self, relation: &str, mode: LockMode) -> Sent {
        self.ended.taken.push(HeldLock { relation: relation.to_owned(), mode });
        self
    }

    pub fn rewrites(mut self, relations: &[&str]) -> Sent {
        self.ended.rewritten = relations.iter().map(|&relation| relation.to_owned()).collect();
        self
    }

    pub fn tag(mut self, tag: &str) -> Sent {
        self.ended.tags.push(tag.to_owned());
        self
    }

    pub fn fails(self, code: &str, message: &str) -> Sent {
        self.fails_with(error(code, message))
    }

    pub fn fails_with(mut self, error: ServerError) -> Sent {
        self.ended.error = Some(error);
        self
    }

    pub fn notices(mut self, notice: &str) -> Sent {
        self.ended.notices.push(notice.to_owned());
        self
    }

    pub fn paused_ms(mut self, ms: u64) -> Sent {
        self.ended.paused_us = Micros::from_millis(ms);
        self
    }

    pub fn add_to(self, made: &mut Made) {
        made.at(self.at, Event::StatementBegan(self.began.into()));
        made.at(self.until, Event::StatementEnded(self.ended.into()));
    }
}

/// A change by command, with as many connections.
pub fn by_command(connections: u32) -> Made {
    let mut made = Made::with_change();
    made.scenario.change.command = Some(Command {
        line: "migrate up".to_owned(),
        requires: Vec::new(),
        directory: PathBuf::new(),
        environment: BTreeMap::new(),
    });
    for connection in 0..connections {
        let session = (COMMAND + connection as i32).into();
        let application_name = "migrate".to_owned();
        let opened = ConnectionOpened {
            attempt: 0,
            connection,
            session,
            application_name,
            settings: Vec::new(),
        };
        made.at(5_000, Event::ConnectionOpened(opened));
    }
    exits(&mut made, 0, Some(0), "done");
    made.ends(AttemptEnd::Finished { applied: None });
    made
}

pub fn exits(made: &mut Made, attempt: u32, exit_code: Option<i32>, output: &str) {
    let output = output.to_owned();
    let signal = exit_code.is_none().then_some(9);
    let ended = CommandEnded { attempt, exit_code, signal, output, output_cut: 0 };
    made.at(18_900 + u64::from(attempt) * 3_115, Event::CommandEnded(ended));
}

/// The attempt's end where the command has nothing but its exit status to tell.
pub fn failed_with_status(code: i32) -> AttemptEnd {
    let message = format!("the command exited with status {code}");
    let error = ServerError { sqlstate: None, message, ..ServerError::default() };
    AttemptEnd::Failed { migration: String::new(), error: error.into() }
}

pub fn closes(made: &mut Made, connection: u32, by: ClosedBy, transaction: TransactionStatus) {
    let session = (COMMAND + connection as i32).into();
    let closed = ConnectionClosed { attempt: 0, connection, session, by, error: None, transaction };
    made.at(18_800, Event::ConnectionClosed(closed.into()));
}

pub fn meets_fault(made: &mut Made, at: u64, statement: u32) {
    let fault = "kill before the statement".to_owned();
    made.at(at, Event::Fault(FaultEvent { attempt: 0, fault, statement: Some(statement) }));
}
