//! Carries one connection of the change, and probes the server between its statements.

mod armed;
mod faults;
mod lent;
mod pooled;
mod questions;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use postgres_protocol::message::frontend;
use tokio_util::sync::CancellationToken;

use crate::clock::Micros;
use crate::history::{
    ClosedBy, ConnectionClosed, ConnectionOpened, Event, Role, SessionId, SessionSeen, StatementId,
    TransactionStatus,
};

use super::conversation::{
    ClientStep, Conversation, Pipeline, ServerStep, Statement, StatementOutcome,
};
use super::fault::Action;
use super::frame::{Frame, Sender};
use super::injected;
use super::message::{FromClient, FromServer, without_channel_binding};
use super::probes;
use super::rewritten::{ProbedRelations, rewritten_by};
use super::shared::TapState;
use super::side::{Incoming, Outgoing, split};
use super::tracer::{self, Tracer, probe_failed};
use super::watch::{BoxStream, LockSnapshot};
use armed::{Armed, Limited};
use lent::{Pooled, next_request};

/// Longest probe by our own session; it takes a millisecond.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// What was said before the client had a session.
#[derive(Default)]
pub struct Opening {
    /// The client's startup packet, where the server has not had it.
    pub startup: Bytes,
    /// What the server said to it, where it has.
    pub welcome: BytesMut,
    pub application_name: String,
    /// Settings that the client asked for.
    pub settings: Vec<String>,
    /// Read beyond the startup packet.
    pub rest: BytesMut,
    /// Replication follows rules of its own; it passes without a probe.
    pub replication: bool,
}

pub struct Connection {
    shared: Arc<TapState>,
    number: u32,
    application_name: String,
    settings: Vec<String>,
    cut: CancellationToken,
    from_client: Incoming,
    to_client: Outgoing,
    from_server: Incoming,
    to_server: Outgoing,
    conversation: Conversation,
    tracer: Tracer,
    /// What the running statement may rewrite, where it is outside a transaction.
    relations: ProbedRelations,
    /// A client's message that has to wait for the server.
    held: Option<(Frame, FromClient)>,
    /// The answer of the running statement, where a fault keeps it back.
    withheld: Option<Vec<Bytes>>,
    fault: Option<Action>,
    running: Option<StatementId>,
    /// A fault is prepared for the statement that is about to be sent.
    armed: Option<Armed>,
    /// Why none could be.
    unarmed: Option<String>,
    limited: Option<Limited>,
    unframed: bool,
    said_goodbye: bool,
    announced_itself: bool,
    /// Some: a pooler's connection to the server, which serves one client after the other.
    pooled: Option<Box<Pooled>>,
}

/// Why a connection ends before its sides do.
enum End {
    /// A side is gone in the middle of something.
    Gone,
    /// A fault cut it.
    Fault,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> End {
        End::Gone
    }
}

impl Connection {
    pub fn new(
        shared: &Arc<TapState>,
        number: u32,
        opening: Opening,
        client: BoxStream,
        server: BoxStream,
    ) -> Connection {
        let (mut from_client, to_client) = split(client, Sender::Client);
        let (mut from_server, mut to_server) = split(server, Sender::Server);
        from_client.frames.buffer().unsplit(opening.rest);
        from_server.frames.buffer().unsplit(opening.welcome);
        to_server.push(opening.startup);
        let cut = CancellationToken::new();
        shared.opened(number, &cut);
        Connection {
            shared: Arc::clone(shared),
            number,
            application_name: opening.application_name,
            settings: opening.settings,
            cut,
            from_client,
            to_client,
            from_server,
            to_server,
            conversation: Conversation::default(),
            tracer: Tracer::new(shared, number),
            relations: ProbedRelations::None,
            held: None,
            withheld: None,
            fault: None,
            running: None,
            armed: None,
            unarmed: None,
            limited: None,
            unframed: opening.replication,
            said_goodbye: false,
            announced_itself: false,
            pooled: None,
        }
    }

    /// Carries the connection to its end and records it.
    pub async fn run(mut self) {
        let cut = self.cut.clone();
        let ended = tokio::select! {
            biased;
            () = cut.cancelled() => Err(End::Fault),
            ended = self.carry() => ended,
        };
        let transaction = self.conversation.transaction();
        if let Some(mut outcome) = self.conversation.gone() {
            let fault = self.fault.take().or_else(|| self.shared.cut_by(self.number));
            if let (Err(End::Fault), Some(fault)) = (&ended, fault) {
                outcome.error = Some(tracer::cut(&fault.to_string()));
            } else if let Some(error) = &self.conversation.parting {
                outcome.error = Some(error.clone());
            }
            self.shared.rests(self.number).await;
            self.record_injected(outcome.error.as_ref());
            let now = self.shared.recorder.clock().now();
            self.tracer.ended(now, *outcome, None, &BTreeMap::new(), Micros::ZERO);
        } else if let Some(error) = &self.conversation.parting
            && !self.shared.giving_up.load(Ordering::Relaxed)
        {
            self.shared.failed(error);
        }
        let by = match ended {
            Err(End::Fault) => ClosedBy::Fault,
            _ if self.conversation.parting.is_some() => ClosedBy::Server,
            _ if self.said_goodbye => ClosedBy::Client,
            // A server closes as well, once its client has gone.
            _ if !self.from_client.open => ClosedBy::ClientGone,
            _ => ClosedBy::Server,
        };
        if let Err(End::Fault) = ended {
            // Unsent bytes must not reach the client, so there is no orderly end.
            self.to_client.give_up();
            self.to_server.give_up();
        }
        self.leaves_pool();
        self.shared.closed(self.number);
        self.shared.transaction(TransactionStatus::Gone);
        if self.announced_itself {
            let (connection, session) = (self.number, self.tracer.session.clone());
            let attempt = self.shared.attempt;
            let error = self.conversation.parting.take();
            let event = ConnectionClosed { attempt, connection, session, by, error, transaction };
            self.shared.recorder.record(Event::ConnectionClosed(event.into()));
        }
    }

    async fn carry(&mut self) -> Result<(), End> {
        loop {
            self.pump().await?;
            self.tell_state().await?;
            if !self.from_server.open {
                // What the server said last has to reach the client, which may have to be rid of
                // what it is saying before it listens.
                self.to_client.push(self.from_server.frames.take_rest());
                tokio::select! {
                    () = self.to_client.close() => {}
                    () = self.from_client.discard() => {}
                }
                return Ok(());
            }
            if !self.from_client.open {
                self.to_server.push(self.from_client.frames.take_rest());
                if self.to_server.is_empty() {
                    self.to_server.close().await;
                }
            }
            let to_server_due = !self.to_server.is_empty();
            let to_client_due = !self.to_client.is_empty();
            let read_client =
                self.from_client.open && self.held.is_none() && self.to_server.has_room();
            let read_server = self.to_client.has_room();
            tokio::select! {
                written = self.to_server.write(), if to_server_due => {
                    if written.is_err() {
                        // Its last words may still be on their way.
                        self.to_server.give_up();
                    }
                }
                written = self.to_client.write(), if to_client_due => {
                    if written.is_err() {
                        self.client_is_gone();
                    }
                }
                read = self.from_server.read(), if read_server => {
                    if read.is_err() {
                        self.from_server.open = false;
                    }
                }
                read = self.from_client.read(), if read_client => {
                    if read.is_err() {
                        self.client_is_gone();
                    }
                }
                () = next_request(&mut self.pooled) => {}
            }
        }
    }

    /// The server learns of it as it would without us: it notices when it next reads or writes.
    fn client_is_gone(&mut self) {
        self.from_client.open = false;
        self.to_client.give_up();
    }

    /// Moves what can be moved from one side's input to the other's output.
    async fn pump(&mut self) -> Result<(), End> {
        loop {
            if self.shared.killed.is_cancelled() {
                // A process that is dead says no more.
                self.held = None;
                self.from_client.frames.take_rest();
            }
            if self.unframed {
                if let Some((frame, _)) = self.held.take() {
                    self.to_server.push(frame.bytes().clone());
                }
                self.to_server.push(self.from_client.frames.take_rest());
                self.to_client.push(self.from_server.frames.take_rest());
                return Ok(());
            }
            let moved = self.pump_server().await? | self.pump_client().await?;
            if !moved {
                return Ok(());
            }
        }
    }

    async fn pump_client(&mut self) -> Result<bool, End> {
        let mut moved = false;
        while !self.unframed && self.to_server.has_room() {
            let (frame, message) = match self.held.take() {
                Some(held) => held,
                None => match self.from_client.frames.next_frame() {
                    Ok(Some(frame)) => {
                        let message = FromClient::of(&frame);
                        (frame, message)
                    }
                    Ok(None) => return Ok(moved),
                    Err(_) => {
                        // Not this protocol: the server will say so.
                        self.unframe();
                        return Ok(true);
                    }
                },
            };
            self.said_goodbye |= message == FromClient::Terminate;
            let pipeline = self.conversation.pipeline();
            let mut goes = true;
            match self.conversation.client(&message) {
                ClientStep::Forward => {}
                ClientStep::Hold => {
                    self.held = Some((frame, message));
                    return Ok(moved);
                }
                ClientStep::FlushAndHold => {
                    let mut flush = BytesMut::new();
                    frontend::flush(&mut flush);
                    self.to_server.push(flush.freeze());
                    self.held = Some((frame, message));
                    return Ok(moved);
                }
                ClientStep::Settle => {
                    self.ask(injected::nothing(), false).await?;
                    self.conversation.settled();
                    self.held = Some((frame, message));
                    continue;
                }
                ClientStep::Begin(statement) => {
                    goes = self.begin(*statement, &message, pipeline).await?;
                }
                ClientStep::Run(statement) => {
                    goes = self.runs(Some(*statement)).await?;
                }
            }
            if goes {
                self.to_server.push(frame.bytes().clone());
            }
            moved = true;
        }
        Ok(moved)
    }

    async fn pump_server(&mut self) -> Result<bool, End> {
        let mut moved = false;
        while !self.unframed && self.to_client.has_room() {
            let frame = match self.from_server.frames.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(moved),
                Err(_) => {
                    self.unframe();
                    return Ok(true);
                }
            };
            moved = true;
            match frame.tag() {
                Some(_) => self.server_says(&frame).await?,
                None => self.tell(frame.bytes().clone()),
            }
        }
        Ok(moved)
    }

    /// Something could have been seen and was not.
    fn missed(&self, what: &str) {
        self.shared.recorder.record(probe_failed(what.to_owned()));
    }

    /// From here on bytes pass and nothing is traced.
    fn unframe(&mut self) {
        self.unframed = true;
        self.missed("a connection of the change left the protocol that is traced");
    }

    /// For the client, which hears of it when everything before it has been probed.
    fn tell(&mut self, bytes: Bytes) {
        match &mut self.withheld {
            Some(withheld) => withheld.push(bytes),
            None => self.to_client.push(bytes),
        }
    }

    async fn server_says(&mut self, frame: &Frame) -> Result<(), End> {
        let message = FromServer::of(frame);
        if let FromServer::Notice { text } = &message {
            self.tracer.notice(text.clone());
        }
        let ready = matches!(message, FromServer::Ready { .. });
        let step = self.conversation.server(message);
        if matches!(step, ServerStep::Answered | ServerStep::Ended(_)) {
            self.keep_answer_back();
        }
        let bytes = without_channel_binding(frame).unwrap_or(frame.bytes().clone());
        self.tell(bytes);
        match step {
            ServerStep::Forward | ServerStep::Answered => {}
            ServerStep::Ended(outcome) => self.ended(*outcome).await?,
            ServerStep::Dropped => {
                self.stand_down().await;
                self.tracer.dropped();
            }
            ServerStep::Unframed => self.unframe(),
        }
        if ready {
            self.is_ready().await;
            self.lift(self.conversation.transaction(), false).await?;
        }
        Ok(())
    }

    async fn is_ready(&mut self) {
        if self.pooled.as_ref().is_some_and(|pooled| pooled.session.pid == 0) {
            let session = self.session(self.conversation.pid).await;
            self.pooled.iter_mut().for_each(|pooled| pooled.session = session.clone());
        } else if self.pooled.is_none() && !self.announced_itself {
            self.announced_itself = true;
            let (connection, pid) = (self.number, self.conversation.pid);
            self.shared.has_pid(connection, pid);
            let session = self.session(pid).await;
            self.tracer.session = session.clone();
            let seen = SessionSeen { session: session.clone(), role: Role::Change };
            self.shared.recorder.record(Event::Session(seen));
            let (attempt, application_name) = (self.shared.attempt, self.application_name.clone());
            let settings = self.settings.clone();
            let event =
                ConnectionOpened { attempt, connection, session, application_name, settings };
            self.shared.recorder.record(Event::ConnectionOpened(event));
        }
        let transaction = self.conversation.transaction();
        if transaction == TransactionStatus::Idle {
            self.tracer.outside_transactions();
        }
        self.shared.transaction(transaction);
    }

    /// The backend of the connection. Where its start cannot be read, its pid has to do.
    async fn session(&mut self, pid: i32) -> SessionId {
        let since = tokio::time::timeout(PROBE_TIMEOUT, self.shared.watch.since(pid)).await;
        SessionId::new(pid, since.ok().and_then(Result::ok).flatten())
    }

    fn keep_answer_back(&mut self) {
        if let Some(Action::CutAfter | Action::DelayAnswer(_)) = self.fault {
            self.withheld.get_or_insert_default();
        }
    }

    /// A statement begins with the message, after what the pipeline has held before it. False: a
    /// fault keeps the message here.
    async fn begin(
        &mut self,
        statement: Statement,
        message: &FromClient,
        pipeline: Pipeline,
    ) -> Result<bool, End> {
        let transaction = self.conversation.transaction();
        if !self.is_of_the_change(&statement) {
            return Ok(true);
        }
        let Some(announced) = self.tracer.announced(&statement) else { return Ok(true) };
        let clock = self.shared.recorder.clock();
        let from = clock.now();
        let usable =
            matches!(transaction, TransactionStatus::Idle | TransactionStatus::InTransaction);
        let mut before = None;
        let mut probed = false;
        if usable && self.tracer.probes.settings_due(&statement.kind) {
            // A statement of our own would be the first that the pipeline runs, and there are
            // statements that have to be.
            if pipeline == Pipeline::Prepared {
                self.missed("no question is possible in a pipeline that has run nothing");
            } else {
                self.read_settings(pipeline == Pipeline::Executed).await?;
                if self.conversation.pipeline_failed() {
                    return Ok(true);
                }
                probed = true;
            }
        }
        let in_transaction = transaction == TransactionStatus::InTransaction;
        let due = self.tracer.probes.due(&statement.kind, &statement.text, in_transaction);
        if usable && due && !self.tracer.knows(transaction) {
            let relations = match in_transaction || probes::moves_rows(&statement.kind) {
                true => ProbedRelations::None,
                false => rewritten_by(&statement.text),
            };
            before = self.probe(&relations).await;
            self.relations = relations;
            probed = true;
        }
        if usable && pipeline != Pipeline::Prepared {
            probed |= self.arm(&statement, pipeline == Pipeline::Executed).await?;
            if self.conversation.pipeline_failed() {
                return Ok(true);
            }
        }
        let paused = if probed { clock.now() - from } else { Micros::ZERO };
        self.tracer.begin(statement, announced, transaction, before, paused);
        match message {
            FromClient::Query { .. }
            | FromClient::FunctionCall { .. }
            | FromClient::Execute { .. } => self.runs(None).await,
            _ => Ok(true),
        }
    }

    async fn ended(&mut self, outcome: StatementOutcome) -> Result<(), End> {
        let ended = self.shared.recorder.clock().now();
        self.shared.rests(self.number).await;
        self.disarm(outcome.error.as_ref()).await;
        self.record_injected(outcome.error.as_ref());
        let running = self.running.take();
        let (mut after, mut own) = (None, BTreeMap::new());
        let due = self.tracer.probe_due(&outcome);
        let relations = std::mem::take(&mut self.relations);
        if due {
            after = self.probe(&relations).await;
            if let Some(snapshot) = &after
                && outcome.transaction == TransactionStatus::InTransaction
                && self.conversation.pipeline() != Pipeline::Prepared
                && self.from_client.open
            {
                own = self.own_filenodes(snapshot, &outcome).await?;
            }
        }
        let lifted = self.lift_due(&outcome);
        if lifted {
            self.lift(outcome.transaction, outcome.in_pipeline).await?;
        }
        let paused = match due || lifted {
            true => self.shared.recorder.clock().now() - ended,
            false => Micros::ZERO,
        };
        self.tracer.ended(ended, outcome, after, &own, paused);
        self.answer(running).await
    }

    /// Brings about what a fault does to the answer.
    async fn answer(&mut self, statement: Option<StatementId>) -> Result<(), End> {
        let delayed = self.shared.take_delay(self.number);
        if let Some(by) = delayed {
            tokio::time::sleep(by).await;
        }
        match &self.fault {
            Some(fault @ Action::CutAfter) => {
                self.shared.record_fault(fault, statement);
                return Err(End::Fault);
            }
            Some(fault @ Action::DelayAnswer(by)) => {
                self.shared.record_fault(fault, statement);
                tokio::time::sleep(*by).await;
            }
            _ => {}
        }
        self.fault = None;
        for bytes in self.withheld.take().unwrap_or_default() {
            self.to_client.push(bytes);
        }
        Ok(())
    }

    /// Probes the backend from the second session. A probe that fails is recorded.
    async fn probe(&mut self, relations: &ProbedRelations) -> Option<LockSnapshot> {
        let probe = self.shared.watch.probe(self.conversation.pid, relations);
        let probed = match tokio::time::timeout(PROBE_TIMEOUT, probe).await {
            Ok(probed) => probed,
            Err(_) => Err(format!("no answer within {} s", PROBE_TIMEOUT.as_secs())),
        };
        probed.map_err(|message| self.shared.recorder.record(probe_failed(message))).ok()
    }
}
