//! What goes on in one connection, from its messages alone: what runs, and what has to wait.
//!
//! A pure state machine. It holds the client back where two statements would otherwise be on the
//! way at once, so that the owner of the connection can probe between them: after each Sync, Query
//! or FunctionCall until the server is ready, and between two Executes of one pipeline, where it
//! asks for a Flush, because a server keeps its answer to itself until then. A statement begins
//! when everything before it is answered, so that an error is never taken for another's. All this
//! changes when a message arrives, never which, and servers work on one message at a time anyway.

use std::collections::{HashMap, VecDeque};

use crate::history::{Protocol, ServerError, TransactionStatus};
use crate::pg::syntax::Kind;

use super::message::{FromClient, FromServer};
use super::statement::{Leaves, Prepared, recorded, statements_in};

/// Prepared statements remembered by name. A client that leaves more open is traced without text.
const NAMES_MAX: usize = 10_000;

/// A statement that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub text: String,
    /// Of a message of several statements, that of the one which is most to probe.
    pub kind: Kind,
    /// In the message.
    pub count: u32,
    pub protocol: Protocol,
    pub parameter_types: Vec<u32>,
}

/// What to do with a client's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientStep {
    Forward,
    /// Not now: again after the server's next message.
    Hold,
    /// Send a Flush, then as [`ClientStep::Hold`].
    FlushAndHold,
    /// Pass on what the server still answers to what it has, say so to [`Conversation::settled`],
    /// and come again.
    Settle,
    /// A statement begins with it: what follows is about this one.
    Begin(Box<Statement>),
    /// It lets the statement run whose Parse or Bind began it; to be reported with this text.
    Run(Box<Statement>),
}

/// What a server's message means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerStep {
    Forward,
    /// The statement's answer begins to end: nothing that may still come changes its outcome.
    Answered,
    /// The statement has ended, with the transaction as it is from now on.
    Ended(Box<StatementOutcome>),
    /// What was prepared has not been run.
    Dropped,
    /// From here on nothing is probed any more.
    Unframed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementOutcome {
    pub error: Option<ServerError>,
    pub tags: Vec<String>,
    pub transaction: TransactionStatus,
    /// The statement ended inside a pipeline: its transaction is open, and no message says so.
    pub in_pipeline: bool,
}

/// A message that is owed an answer, and what its name referred to before it.
#[derive(Debug)]
enum Owed {
    Answer,
    Statement(String, Option<Prepared>),
    Portal(String, Option<Prepared>),
}

/// Whether a Sync that was sent ahead of copied data is answered. One is passed over with the data,
/// unless the server refuses before it reads any, and nothing that it says tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EarlySync {
    /// None was sent, or it is settled.
    None,
    /// The server asked for data.
    Sent,
    /// It refused after that.
    Refused,
    /// Another Sync was sent: one answer will come, or two.
    Doubled,
    /// One has come.
    Answered,
}

/// How far the statement is that was begun last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// None was begun, or it has ended.
    None,
    /// Parsed or bound in this pipeline.
    Prepared,
    /// Execute was sent.
    Executing,
    /// Execute was sent, and a Flush or Sync after it.
    Flushed,
}

/// What was sent since the last Sync that a Sync would end: an implicit transaction, its portals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipeline {
    /// Nothing, or it has been committed.
    Empty,
    /// Something was parsed or bound, and nothing run; or that is not known.
    Prepared,
    Executed,
}

#[derive(Debug)]
pub struct Conversation {
    prepared: HashMap<String, Prepared>,
    /// Portal to the statement that it was bound from.
    portals: HashMap<String, Prepared>,
    transaction: TransactionStatus,
    progress: Progress,
    protocol: Protocol,
    /// Sync, Query or FunctionCall was sent, and the server is not ready yet. True at the start.
    awaiting_ready: bool,
    pipeline: Pipeline,
    /// Answers to Parse, Bind, Describe and Close that have not come.
    owed: VecDeque<Owed>,
    /// A Flush was sent after the last message that is owed an answer.
    owed_flushed: bool,
    /// An error ended the pipeline: the server passes over everything up to the next Sync.
    pipeline_failed: bool,
    /// The server reads copied data.
    copying_in: bool,
    /// Ends of copied data that were sent before the server asked for the data.
    copy_ends_ahead: u32,
    /// A Sync was sent before such an end.
    sync_before_end: bool,
    early_sync: EarlySync,
    /// The server waits for a password.
    asked_for_password: bool,
    /// The first ReadyForQuery has come.
    started: bool,
    /// What the running statement leaves of the pipeline's transaction when it succeeds.
    leaves: Leaves,
    outcome: StatementOutcome,
    pub pid: i32,
    /// `server_version_num`; 0: unknown.
    pub server_version: u32,
    /// What the server said last before it closed the connection.
    pub parting: Option<ServerError>,
}

impl Default for Conversation {
    fn default() -> Conversation {
        Conversation {
            prepared: HashMap::new(),
            portals: HashMap::new(),
            transaction: TransactionStatus::Idle,
            progress: Progress::None,
            protocol: Protocol::Simple,
            awaiting_ready: true,
            pipeline: Pipeline::Empty,
            owed: VecDeque::new(),
            owed_flushed: false,
            pipeline_failed: false,
            copying_in: false,
            copy_ends_ahead: 0,
            sync_before_end: false,
            early_sync: EarlySync::None,
            asked_for_password: false,
            started: false,
            leaves: Leaves::Open,
            outcome: StatementOutcome::none(),
            pid: 0,
            server_version: 0,
            parting: None,
        }
    }
}

impl StatementOutcome {
    fn none() -> StatementOutcome {
        let transaction = TransactionStatus::Idle;
        StatementOutcome { error: None, tags: Vec::new(), transaction, in_pipeline: false }
    }
}

impl Conversation {
    pub fn transaction(&self) -> TransactionStatus {
        self.transaction
    }

    pub fn pipeline(&self) -> Pipeline {
        self.pipeline
    }

    /// Nothing is under way, and no transaction is open.
    pub fn rests(&self) -> bool {
        self.started
            && !self.awaiting_ready
            && self.progress == Progress::None
            && self.owed.is_empty()
            && self.pipeline == Pipeline::Empty
            && self.transaction == TransactionStatus::Idle
    }

    /// Nothing up to the next Sync is run or answered.
    pub fn pipeline_failed(&self) -> bool {
        self.pipeline_failed
    }

    /// To be called with each message in order; again with the same one after a hold.
    pub fn client(&mut self, message: &FromClient) -> ClientStep {
        if !self.started {
            return self.before_ready(message);
        }
        match message {
            FromClient::CopyData | FromClient::Terminate => return ClientStep::Forward,
            FromClient::CopyEnd => {
                if !self.copying_in && self.progress != Progress::None {
                    self.copy_ends_ahead += 1;
                    self.sync_before_end |= self.awaiting_ready;
                }
                self.copying_in = false;
                return ClientStep::Forward;
            }
            // A server that reads copied data passes over Sync and Flush, and nothing else.
            _ if self.copying_in => return ClientStep::Forward,
            _ if self.awaiting_ready => return ClientStep::Hold,
            _ if self.early_sync == EarlySync::Answered => return ClientStep::Settle,
            FromClient::Sync => {
                self.awaiting_ready = true;
                if self.early_sync == EarlySync::Refused {
                    self.early_sync = EarlySync::Doubled;
                }
                self.flushed();
                return ClientStep::Forward;
            }
            FromClient::Flush => {
                self.flushed();
                return ClientStep::Forward;
            }
            _ if self.pipeline_failed => return ClientStep::Forward,
            // It takes nothing, begins nothing and cannot fail, so that a Sync after it is no one's
            // loss; and drivers send it with the Execute.
            FromClient::CloseStatement { name } => {
                let before = self.prepared.remove(name);
                self.owe(Owed::Statement(name.clone(), before));
                return ClientStep::Forward;
            }
            FromClient::ClosePortal => {
                self.owe(Owed::Answer);
                return ClientStep::Forward;
            }
            _ if self.progress == Progress::Executing => {
                self.flushed();
                return ClientStep::FlushAndHold;
            }
            _ if self.progress == Progress::Flushed => return ClientStep::Hold,
            _ if !self.owed.is_empty() && self.begins(message) => {
                let flushed = std::mem::replace(&mut self.owed_flushed, true);
                return if flushed { ClientStep::Hold } else { ClientStep::FlushAndHold };
            }
            _ => {}
        }
        self.next(message)
    }

    /// Nothing that was sent is still to be answered.
    pub fn settled(&mut self) {
        self.early_sync = EarlySync::None;
    }

    /// A client may send statements before it knows that it has a session. What comes in place of
    /// a password is for the server to refuse.
    fn before_ready(&mut self, message: &FromClient) -> ClientStep {
        match message {
            FromClient::Other => {
                self.asked_for_password = false;
                ClientStep::Forward
            }
            FromClient::Terminate => ClientStep::Forward,
            _ if self.asked_for_password => ClientStep::Forward,
            _ => ClientStep::Hold,
        }
    }

    fn flushed(&mut self) {
        self.owed_flushed = true;
        if self.progress == Progress::Executing {
            self.progress = Progress::Flushed;
        }
    }

    /// Whether a statement begins with the message.
    fn begins(&self, message: &FromClient) -> bool {
        match message {
            FromClient::Query { .. } | FromClient::FunctionCall { .. } => true,
            FromClient::Parse { .. } | FromClient::Bind { .. } | FromClient::Execute { .. } => {
                self.progress == Progress::None
            }
            _ => false,
        }
    }

    /// A message was let go that is owed an answer.
    fn owe(&mut self, owed: Owed) {
        self.owed.push_back(owed);
        self.owed_flushed = false;
    }

    /// The server passes over what it has not answered.
    fn pass_over(&mut self) {
        while let Some(owed) = self.owed.pop_back() {
            let (names, name, before) = match owed {
                Owed::Answer => continue,
                Owed::Statement(name, before) => (&mut self.prepared, name, before),
                Owed::Portal(name, before) => (&mut self.portals, name, before),
            };
            match before {
                Some(before) => names.insert(name, before),
                None => names.remove(&name),
            };
        }
    }

    /// A message that may go on now.
    fn next(&mut self, message: &FromClient) -> ClientStep {
        match message {
            FromClient::Query { text } => {
                self.awaiting_ready = true;
                let (count, kind) = statements_in(text);
                let prepared = Prepared { text: text.clone(), kind, types: Vec::new() };
                self.begin(Progress::Flushed, Protocol::Simple, prepared, count)
            }
            FromClient::FunctionCall { oid } => {
                self.awaiting_ready = true;
                let text = format!("function call of oid {oid}");
                let prepared = Prepared { text, kind: Kind::Other, types: vec![*oid] };
                self.begin(Progress::Flushed, Protocol::FunctionCall, prepared, 1)
            }
            FromClient::Parse { name, text, types } => {
                let prepared = Prepared::of(text, types.clone());
                let before = remember(&mut self.prepared, name, &prepared);
                self.owe(Owed::Statement(name.clone(), before));
                self.prepare(prepared)
            }
            FromClient::Bind { portal, statement } => {
                let prepared = self.prepared.get(statement).cloned();
                let prepared =
                    prepared.unwrap_or_else(|| Prepared::unknown("statement", statement));
                let before = remember(&mut self.portals, portal, &prepared);
                self.owe(Owed::Portal(portal.clone(), before));
                self.prepare(prepared)
            }
            FromClient::Execute { portal } => {
                let prepared = self.portals.get(portal).cloned();
                // A cursor that SQL declared is a portal as well.
                let prepared = prepared.unwrap_or_else(|| Prepared::unknown("portal", portal));
                let begun = self.progress == Progress::Prepared;
                let step = self.begin(Progress::Executing, Protocol::Extended, prepared, 1);
                self.pipeline = Pipeline::Executed;
                match step {
                    ClientStep::Begin(statement) if begun => ClientStep::Run(statement),
                    // Without a Parse or Bind: the rest of a portal that gave a part of its rows.
                    step => step,
                }
            }
            FromClient::Describe => {
                self.owe(Owed::Answer);
                ClientStep::Forward
            }
            _ => ClientStep::Forward,
        }
    }

    /// Parse analysis takes locks, and so does planning at Bind: the statement begins with the
    /// first message that is about it.
    fn prepare(&mut self, prepared: Prepared) -> ClientStep {
        if self.pipeline == Pipeline::Empty {
            self.pipeline = Pipeline::Prepared;
        }
        match self.progress {
            Progress::None => self.begin(Progress::Prepared, Protocol::Extended, prepared, 1),
            _ => ClientStep::Forward,
        }
    }

    fn begin(
        &mut self,
        progress: Progress,
        protocol: Protocol,
        prepared: Prepared,
        count: u32,
    ) -> ClientStep {
        (self.progress, self.protocol, self.outcome) =
            (progress, protocol, StatementOutcome::none());
        (self.copy_ends_ahead, self.sync_before_end) = (0, false);
        let Prepared { text, kind, types } = prepared;
        self.leaves = Leaves::of(&kind, &text);
        let text = recorded(&text);
        ClientStep::Begin(Box::new(Statement {
            text,
            kind,
            count,
            protocol,
            parameter_types: types,
        }))
    }

    pub fn server(&mut self, message: FromServer) -> ServerStep {
        match message {
            FromServer::Complete { tag } => self.complete(tag),
            FromServer::Suspended => self.complete("suspended".to_owned()),
            FromServer::Error { error, fatal } => self.error(error, fatal),
            FromServer::Ready { status } => self.ready(status),
            FromServer::Key { pid } => {
                self.pid = pid;
                ServerStep::Forward
            }
            FromServer::Parameter { name, value } => {
                if name == "server_version" {
                    self.server_version = version_num(&value);
                }
                ServerStep::Forward
            }
            FromServer::CopyIn => self.copy_in(),
            FromServer::Done => {
                self.owed.pop_front();
                ServerStep::Forward
            }
            FromServer::Authentication { done } => {
                self.asked_for_password = !done;
                ServerStep::Forward
            }
            FromServer::CopyBoth => ServerStep::Unframed,
            FromServer::Notice { .. } | FromServer::Other => ServerStep::Forward,
        }
    }

    /// The server begins to read data, all of which may have been sent already.
    fn copy_in(&mut self) -> ServerStep {
        self.copying_in = self.copy_ends_ahead == 0;
        self.copy_ends_ahead = self.copy_ends_ahead.saturating_sub(1);
        let sync_ahead = self.copying_in || std::mem::take(&mut self.sync_before_end);
        if self.protocol == Protocol::Extended && self.awaiting_ready && sync_ahead {
            // A Sync that was sent ahead is passed over; another one follows the data.
            (self.awaiting_ready, self.early_sync) = (false, EarlySync::Sent);
        }
        if self.protocol == Protocol::Extended && self.progress == Progress::Flushed {
            // So is a Flush.
            self.progress = Progress::Executing;
        }
        ServerStep::Forward
    }

    fn complete(&mut self, tag: String) -> ServerStep {
        (self.copying_in, self.early_sync) = (false, EarlySync::None);
        self.owed.clear();
        self.outcome.tags.push(tag);
        self.answered()
    }

    /// Of a simple query more may follow, and with a Sync on its way the transaction's status is
    /// about to be reported.
    fn answered(&mut self) -> ServerStep {
        if self.awaiting_ready || self.progress == Progress::None {
            return ServerStep::Answered;
        }
        let tag = self.outcome.tags.last().map(String::as_str);
        let ends = matches!(tag, Some("COMMIT" | "ROLLBACK" | "PREPARE TRANSACTION"));
        // Of a failed transaction only its end succeeds, and an empty text.
        let failed = self.transaction == TransactionStatus::Failed && !ends;
        match self.leaves {
            Leaves::Nothing => self.pipeline = Pipeline::Empty,
            Leaves::AsItsTag if ends => self.pipeline = Pipeline::Empty,
            Leaves::Unknown => self.pipeline = Pipeline::Prepared,
            Leaves::AsItsTag | Leaves::Open => {}
        }
        let status = match self.pipeline {
            _ if failed => TransactionStatus::Failed,
            Pipeline::Empty => TransactionStatus::Idle,
            Pipeline::Prepared | Pipeline::Executed => TransactionStatus::InTransaction,
        };
        self.end(status, true)
    }

    /// The server answered a question of the tap's own, inside the client's pipeline, with an
    /// error: what was about to begin is passed over like the rest of the pipeline.
    pub fn question_failed(&mut self, message: FromServer) {
        (self.progress, self.awaiting_ready) = (Progress::None, false);
        self.server(message);
    }

    fn error(&mut self, error: ServerError, fatal: bool) -> ServerStep {
        self.copying_in = false;
        if self.early_sync == EarlySync::Sent {
            self.early_sync =
                if self.awaiting_ready { EarlySync::Doubled } else { EarlySync::Refused };
        }
        self.pass_over();
        if fatal {
            self.parting = Some(error.clone());
        }
        self.outcome.error = Some(error);
        self.pipeline_failed = !self.awaiting_ready;
        match self.progress {
            Progress::None => ServerStep::Forward,
            _ if fatal => self.end(TransactionStatus::Gone, false),
            _ if !self.awaiting_ready => self.end(TransactionStatus::Failed, true),
            _ => ServerStep::Answered,
        }
    }

    fn ready(&mut self, status: TransactionStatus) -> ServerStep {
        (self.started, self.awaiting_ready, self.pipeline) = (true, false, Pipeline::Empty);
        (self.copying_in, self.pipeline_failed, self.transaction) = (false, false, status);
        self.owed.clear();
        self.early_sync = match self.early_sync {
            EarlySync::Doubled => EarlySync::Answered,
            _ => EarlySync::None,
        };
        if status == TransactionStatus::Idle {
            // Portals end with their transaction.
            self.portals.clear();
        }
        match self.progress {
            Progress::None => ServerStep::Forward,
            // Prepared, without an error, and not run.
            Progress::Prepared if self.outcome.error.is_none() => {
                self.progress = Progress::None;
                ServerStep::Dropped
            }
            _ => self.end(status, false),
        }
    }

    fn end(&mut self, transaction: TransactionStatus, in_pipeline: bool) -> ServerStep {
        (self.progress, self.transaction) = (Progress::None, transaction);
        let outcome = std::mem::replace(&mut self.outcome, StatementOutcome::none());
        ServerStep::Ended(Box::new(StatementOutcome { transaction, in_pipeline, ..outcome }))
    }

    /// The connection is gone: what ran has ended, one way or the other.
    pub fn gone(&mut self) -> Option<Box<StatementOutcome>> {
        if self.progress == Progress::None {
            return None;
        }
        self.outcome.error.get_or_insert(ServerError {
            sqlstate: None,
            message: "the connection was closed before the answer came".to_owned(),
            ..ServerError::default()
        });
        match self.end(TransactionStatus::Gone, false) {
            ServerStep::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }
}

/// What the name referred to before.
fn remember(
    names: &mut HashMap<String, Prepared>,
    name: &str,
    prepared: &Prepared,
) -> Option<Prepared> {
    match names.len() < NAMES_MAX || names.contains_key(name) {
        true => names.insert(name.to_owned(), prepared.clone()),
        false => None,
    }
}

/// `15.4 (Debian …)` and `18beta1` as `server_version_num`'s major.
fn version_num(version: &str) -> u32 {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<u32>().unwrap_or_default().saturating_mul(10_000)
}
