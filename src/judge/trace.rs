//! The trace of a trial: its history, indexed by subject. Nothing is derived here that the events
//! do not say.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::clock::Micros;
use crate::history::{
    ActivitySample, AnswersCompared, Attempt, AttemptEnd, CatalogueSnapshot, CommandEnded,
    ConnectionClosed, ConnectionOpened, ConnectionRefused, Contents, ContentsChange,
    ControlReading, Counters, DisturbanceEvent, Event, FaultEvent, History, InvariantRead,
    LedgerReport, LogReport, LoggedDeadlock, LoggedWait, NetworkEvent, Operation, OperationPlan,
    Phase, PlanRead, PooledSessions, PoolerEvent, ProgressSeen, Reference, ReplicaSample, Role,
    SamplerReport, SessionId, StatementBegan, StatementEnded, StepEvent, TableStates, WaitSample,
    WalSample,
};
use crate::pg::facts::Facts;
use crate::result::evidence::{Application, Progressed};

use super::roles::Roles;

#[derive(Default)]
pub struct Trace<'h> {
    phases: Vec<(Phase, Micros)>,
    /// The last event's time.
    pub end: Micros,
    roles: Roles<'h>,
    /// Of the primary.
    pub operations: Vec<&'h Operation>,
    /// Of the standby.
    pub on_replica: Vec<&'h Operation>,
    pub replica: Vec<(Micros, &'h ReplicaSample)>,
    /// By the phase for which they were scheduled: most questions are about one.
    by_phase: OnceCell<BTreeMap<Phase, Vec<&'h Operation>>>,
    /// Those that got a connection, with the time at which they finished, in that order.
    by_session: HashMap<SessionId, Vec<(Micros, &'h Operation)>>,
    texts: HashMap<&'h str, Rc<TextFacts>>,
    pub counters: Option<Counters>,
    pub attempts: Vec<AttemptRecord<'h>>,
    /// How many runners applied the change at once; 0: one.
    runners: u32,
    /// The finished change was not applied again, because it keeps no versions.
    pub rerun_left_out: bool,
    pub waits: Vec<(Micros, &'h WaitSample)>,
    /// By the server's log, with the time at which they were over.
    pub logged: Vec<(Micros, &'h LoggedWait)>,
    pub deadlocks: Vec<(Micros, &'h LoggedDeadlock)>,
    pub log: Option<&'h LogReport>,
    pub activity: Vec<(Micros, &'h ActivitySample)>,
    /// What the server calls the sessions that are none of ours, by session.
    strangers: OnceCell<BTreeMap<&'h SessionId, &'h str>>,
    pub wal: Vec<(Micros, &'h WalSample)>,
    /// The machine control, as often as it was measured.
    pub controls: Vec<&'h ControlReading>,
    pub sampler: Vec<&'h SamplerReport>,
    pub disturbances: Vec<(Micros, &'h DisturbanceEvent)>,
    /// A pooler's begin and end.
    pub poolers: Vec<&'h PoolerEvent>,
    /// A network's begin and end.
    pub networks: Vec<&'h NetworkEvent>,
    /// When all of the application's connections were cut.
    pub cuts: Vec<Micros>,
    /// What was left on its server connections.
    pub pooled: Vec<&'h PooledSessions>,
    pub catalogues: Vec<&'h CatalogueSnapshot>,
    /// What another run ended with.
    pub reference: Option<&'h Reference>,
    pub contents: Vec<&'h Contents>,
    /// How tables were stored, before the change and after it.
    pub tables: Vec<&'h TableStates>,
    pub contents_change: Option<&'h ContentsChange>,
    /// What replaced views and functions answer.
    pub answers: Option<&'h AnswersCompared>,
    pub invariants: Vec<(Micros, &'h InvariantRead)>,
    pub plans: Vec<(Micros, &'h PlanRead)>,
    /// Of the application's statements.
    pub operation_plans: Vec<(Micros, &'h OperationPlan)>,
    pub steps: Vec<&'h StepEvent>,
    pub ledger: Option<&'h LedgerReport>,
    pub failures: Vec<(&'h str, &'h str)>,
    /// When it was noticed that the server was down.
    pub server_down: Vec<Micros>,
}

pub struct AttemptRecord<'h> {
    pub attempt: Attempt,
    pub began: Micros,
    pub ended: Option<Micros>,
    pub end: Option<&'h AttemptEnd>,
    /// In the order in which they began, of all connections.
    pub statements: Vec<StatementRecord<'h>>,
    /// As they were opened.
    pub connections: Vec<ConnectionRecord<'h>>,
    /// How the command ended, where the change is one.
    pub command: Option<&'h CommandEnded>,
    pub faults: Vec<(Micros, &'h FaultEvent)>,
    /// Why faults that were asked for could not be injected.
    pub skipped: Vec<&'h str>,
    /// Clients that the tap did not let in.
    pub refused: Vec<&'h ConnectionRefused>,
}

impl AttemptRecord<'_> {
    pub fn finished(&self) -> bool {
        matches!(self.end, Some(AttemptEnd::Finished { .. }))
    }
}

/// A connection of the change.
pub struct ConnectionRecord<'h> {
    pub session: SessionId,
    pub opened: &'h ConnectionOpened,
    /// How it ended, with its transaction's status; None: it was not seen to end.
    pub closed: Option<(Micros, &'h ConnectionClosed)>,
}

pub struct StatementRecord<'h> {
    pub at: Micros,
    pub session: SessionId,
    pub began: &'h StatementBegan,
    pub ended: Option<&'h StatementEnded>,
    pub known: Rc<TextFacts>,
}

/// What a statement's text says, worked out once per text: a backfill in batches sends one and the
/// same very often.
#[derive(Default)]
pub struct TextFacts {
    pub facts: OnceCell<Facts>,
    /// Whether it writes the table in which the tool remembers what is applied.
    pub bookkeeping: OnceCell<bool>,
}

impl StatementRecord<'_> {
    /// From when to when it ran; one without an end ran until the history's.
    pub fn span(&self, end: Micros) -> (Micros, Micros) {
        self.ended.map_or((self.at, end), |e| (e.began_us, e.ended_us))
    }
}

impl<'h> Trace<'h> {
    pub fn of(history: &'h History) -> Trace<'h> {
        let mut trace = Trace { roles: Roles::of(history), ..Trace::default() };
        for entry in &history.entries {
            trace.end = trace.end.max(entry.at_us);
            trace.add(entry.at_us, &entry.event);
        }
        for operations in trace.by_session.values_mut() {
            operations.sort_by_key(|(finished, _)| *finished);
        }
        trace
    }

    /// Of a change that so many runners apply at once.
    pub fn of_runners(history: &'h History, runners: u32) -> Trace<'h> {
        Trace { runners, ..Trace::of(history) }
    }

    fn add(&mut self, at: Micros, event: &'h Event) {
        match event {
            Event::Phase { phase } => self.phases.push((*phase, at)),
            Event::Session(_) => {}
            Event::Operation(operation) => self.add_operation(operation),
            Event::Counters(counters) => self.counters = Some(*counters),
            Event::AttemptBegan { attempt } => self.attempt(*attempt, at).began = at,
            Event::AttemptEnded { attempt, end } => {
                let record = self.attempt(*attempt, at);
                (record.ended, record.end) = (Some(at), Some(end));
            }
            Event::RerunLeftOut { .. } => self.rerun_left_out = true,
            Event::StatementBegan(began) => {
                let session = self.session(&began.session, at);
                let known = Rc::clone(self.texts.entry(&began.text).or_default());
                let record = StatementRecord { at, session, began, ended: None, known };
                self.attempt(began.attempt, at).statements.push(record);
            }
            Event::StatementEnded(ended) => self.end_statement(ended, at),
            Event::ConnectionOpened(opened) => {
                let session = self.session(&opened.session, at);
                let record = ConnectionRecord { session, opened, closed: None };
                self.attempt(opened.attempt, at).connections.push(record);
            }
            Event::ConnectionClosed(closed) => self.close_connection(closed, at),
            Event::ConnectionRefused(refused) => {
                self.attempt(refused.attempt, at).refused.push(refused);
            }
            Event::CommandEnded(ended) => self.attempt(ended.attempt, at).command = Some(ended),
            Event::Fault(fault) => self.attempt(fault.attempt, at).faults.push((at, fault)),
            Event::FaultSkipped { attempt, why, .. } => {
                self.attempt(*attempt, at).skipped.push(why)
            }
            Event::Waits(sample) => self.waits.push((at, sample)),
            Event::LoggedWait(wait) => self.logged.push((at, wait)),
            Event::LoggedDeadlock(deadlock) => self.deadlocks.push((at, deadlock)),
            Event::Log(report) => self.log = Some(report),
            Event::Activity(sample) => self.activity.push((at, sample)),
            Event::Wal(sample) => self.wal.push((at, sample)),
            Event::Replica(sample) => self.replica.push((at, sample)),
            Event::Control(reading) => self.controls.push(reading),
            Event::Sampler(report) => self.sampler.push(report),
            Event::Disturbance(event) => self.disturbances.push((at, event)),
            Event::Pooler(event) => self.poolers.push(event),
            Event::Network(event) => self.networks.push(event),
            Event::NetworkCut { .. } => self.cuts.push(at),
            Event::PooledSessions(left) => self.pooled.push(left),
            Event::Catalogue(snapshot) => self.catalogues.push(snapshot),
            Event::Reference(reference) => self.reference = Some(reference),
            Event::Contents(contents) => self.contents.push(contents),
            Event::Tables(tables) => self.tables.push(tables),
            Event::ContentsChange(change) => self.contents_change = Some(change),
            Event::Answers(answers) => self.answers = Some(answers),
            Event::Plan(read) => self.plans.push((at, read)),
            Event::OperationPlan(plan) => self.operation_plans.push((at, plan)),
            Event::Step(step) => self.steps.push(step),
            Event::Invariant(read) => self.invariants.push((at, read)),
            Event::Ledger(report) => self.ledger = Some(report),
            Event::ServerDown => self.server_down.push(at),
            Event::MeasurementFailed { stage, message } => self.failures.push((stage, message)),
        }
    }

    fn add_operation(&mut self, operation: &'h Operation) {
        match operation.on_replica {
            true => self.on_replica.push(operation),
            false => self.operations.push(operation),
        }
        if let (Some(session), Some(acquired)) = (&operation.session, operation.acquired_us) {
            let session = self.session(session, acquired);
            let finished = (operation.finished_us, operation);
            self.by_session.entry(session).or_default().push(finished);
        }
    }

    /// A connection may be opened before the event of its attempt's begin, and closed after it.
    fn attempt(&mut self, attempt: Attempt, at: Micros) -> &mut AttemptRecord<'h> {
        let known = self.attempts.iter().position(|a| a.attempt == attempt);
        let index = known.unwrap_or_else(|| {
            self.attempts.push(AttemptRecord {
                attempt,
                began: at,
                ended: None,
                end: None,
                statements: Vec::new(),
                connections: Vec::new(),
                command: None,
                faults: Vec::new(),
                skipped: Vec::new(),
                refused: Vec::new(),
            });
            self.attempts.len() - 1
        });
        &mut self.attempts[index]
    }

    fn end_statement(&mut self, ended: &'h StatementEnded, at: Micros) {
        let open = self.attempt(ended.attempt, at).statements.iter_mut().rev();
        for record in open.filter(|record| record.began.statement == ended.statement).take(1) {
            record.ended = Some(ended);
        }
    }

    fn close_connection(&mut self, closed: &'h ConnectionClosed, at: Micros) {
        let open = self.attempt(closed.attempt, at).connections.iter_mut().rev();
        for record in open.filter(|r| r.opened.connection == closed.connection).take(1) {
            record.closed = Some((at, closed));
        }
    }

    /// The phases that were entered, in order, with their beginnings.
    pub fn phases(&self) -> &[(Phase, Micros)] {
        &self.phases
    }

    /// When the phase began and ended; None: the trial did not get there.
    pub fn phase(&self, phase: Phase) -> Option<(Micros, Micros)> {
        let index = self.phases.iter().position(|(p, _)| *p == phase)?;
        let end = self.phases.get(index + 1).map_or(self.end, |(_, at)| *at);
        Some((self.phases[index].1, end))
    }

    /// Those of both servers.
    pub fn all_operations(&self) -> impl Iterator<Item = &'h Operation> {
        self.operations.iter().chain(&self.on_replica).copied()
    }

    /// Operations of the primary scheduled in the phase.
    pub fn scheduled_in(&self, phase: Phase) -> impl Iterator<Item = &'h Operation> {
        let by_phase = self.by_phase.get_or_init(|| self.derive_phases());
        by_phase.get(&phase).into_iter().flatten().copied()
    }

    fn derive_phases(&self) -> BTreeMap<Phase, Vec<&'h Operation>> {
        let mut by_phase: BTreeMap<Phase, Vec<&Operation>> = BTreeMap::new();
        for operation in &self.operations {
            let at = operation.scheduled_us;
            let begun = self.phases.partition_point(|(_, from)| *from <= at);
            let phase = begun.checked_sub(1).and_then(|last| self.phases.get(last));
            if let Some((phase, _)) = phase.filter(|_| at < self.end) {
                by_phase.entry(*phase).or_default().push(operation);
            }
        }
        by_phase
    }

    /// The session that was seen at that time: see [`Roles`]. What follows takes such a session.
    pub fn session(&self, seen: &SessionId, at: Micros) -> SessionId {
        self.roles.session(seen, at)
    }

    pub fn role(&self, session: &SessionId) -> Option<&'h Role> {
        self.roles.role(session)
    }

    pub fn is_change(&self, session: &SessionId) -> bool {
        self.role(session) == Some(&Role::Change)
    }

    pub fn is_application(&self, session: &SessionId) -> bool {
        self.role(session) == Some(&Role::Application)
    }

    /// The operation that the session ran at that time. It runs one at a time, so the first that
    /// had not finished before is it, if it had begun.
    pub fn running(&self, session: &SessionId, at: Micros) -> Option<&'h Operation> {
        let operations = self.by_session.get(session)?;
        let first = operations.partition_point(|(finished, _)| *finished < at);
        let (_, running) = operations.get(first)?;
        running.acquired_us.is_some_and(|acquired| acquired <= at).then_some(*running)
    }

    /// Every statement of every application of the change.
    pub fn statements(&self) -> impl DoubleEndedIterator<Item = &StatementRecord<'h>> + Clone {
        self.attempts.iter().flat_map(|attempt| &attempt.statements)
    }

    /// The change itself, before any rerun.
    pub fn change(&self) -> Option<&AttemptRecord<'h>> {
        self.attempts.iter().find(|a| a.attempt == 0)
    }

    /// Catalogue before the change.
    pub fn catalogue_before(&self) -> Option<&'h CatalogueSnapshot> {
        self.catalogues.iter().copied().find(|c| c.after.is_none())
    }

    /// Before any rerun.
    pub fn catalogue_after_change(&self) -> Option<&'h CatalogueSnapshot> {
        self.catalogues.iter().copied().find(|c| c.after.is_some())
    }

    pub fn catalogue_after(&self, attempt: Attempt) -> Option<&'h CatalogueSnapshot> {
        self.catalogues.iter().copied().find(|c| c.after == Some(attempt))
    }

    /// What the server said of the statement's progress shortly before that time, where it went on.
    pub fn progress(&self, record: &StatementRecord<'_>, at: Micros) -> Option<Progressed> {
        const LOOKED_BACK: Micros = Micros::from_secs(10);
        let from = record.at.max(at - LOOKED_BACK);
        let first = self.activity.partition_point(|(then, _)| *then < from);
        let within = self.activity[first..].iter().take_while(|(then, _)| *then <= at);
        let seen = within.flat_map(|(then, sample)| {
            let own = move |p: &&ProgressSeen| self.session(&p.session, *then) == record.session;
            sample.progress.iter().filter(own)
        });
        let seen: Vec<&ProgressSeen> = seen.collect();
        let (first, last) = (seen.first()?, seen.last()?);
        let went_on = (&first.phase, first.done) != (&last.phase, last.done);
        went_on.then(|| Progressed {
            command: last.command.clone(),
            phase: last.phase.clone(),
            done: last.done,
            total: last.total,
        })
    }

    /// Which application of the change it is.
    pub fn application(&self, attempt: Attempt) -> Application {
        Application { attempt, runners: self.runners.max(1) }
    }

    /// What a session of the change is called: of several runners, whose it is.
    pub fn change_name(&self, session: &SessionId) -> String {
        let owns = |a: &&AttemptRecord<'_>| a.connections.iter().any(|c| c.session == *session);
        let owner = self.attempts.iter().find(owns);
        let runner = owner.and_then(|owner| self.application(owner.attempt).runner());
        runner.map_or_else(|| "the change".to_owned(), |n| format!("runner {n} of the change"))
    }

    /// A session in words: what it is to us, else what the server calls it.
    pub fn name(&self, session: &SessionId) -> String {
        match self.role(session) {
            Some(Role::Application) => format!("an operation of the application ({session})"),
            Some(Role::Change) => format!("{} ({session})", self.change_name(session)),
            Some(Role::Disturbance(name)) => format!("{name} ({session})"),
            Some(Role::Observer) => format!("pgauntlet's own session ({session})"),
            None => self.stranger(session),
        }
    }

    fn stranger(&self, session: &SessionId) -> String {
        if session.pid == 0 {
            return "a prepared transaction".to_owned();
        }
        let strangers = self.strangers.get_or_init(|| {
            let backends = self.activity.iter().rev().flat_map(|(_, sample)| &sample.backends);
            // Of several samples the first says what it is.
            backends.map(|backend| (&backend.session, backend.backend_type.as_str())).collect()
        });
        match strangers.get(session) {
            Some(backend_type) => format!("{backend_type} ({session})"),
            None => session.to_string(),
        }
    }
}
