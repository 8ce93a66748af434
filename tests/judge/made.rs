//! Histories made by hand.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use pgauntlet::assess::{self, Against};
use pgauntlet::clock::Micros;
use pgauntlet::explain::explain;
use pgauntlet::history::{
    AttemptEnd, CatalogueSnapshot, Counters, DisturbanceEvent, Entry, Event, GrantedLock, Header,
    HeldLock, History, LedgerMismatch, LedgerReport, Mismatch, Moment, Operation, OperationOutcome,
    Phase, Protocol, Role, SamplerReport, ServerError, SessionId, SessionSeen, Source,
    StatementBegan, StatementEnded, TransactionStatus, Wait, WaitSample,
};
use pgauntlet::judge::observe;
use pgauntlet::pg::{LockMode, SqlState};
use pgauntlet::result::Judgement;
use pgauntlet::scenario::{
    Arrivals, Change, Expect, FindingKind, Limits, Migration, On, OperationSpec, Pool, Rate,
    Retries, RunsAs, Scenario, Scope, Script, Timeouts, Traffic, TransactionRule, Verdict,
    VersionRows, Versions,
};

/// The first of the application's pids.
pub const APP: i32 = 100;
pub const CHANGE: i32 = 900;
pub const READER: i32 = 950;

const PHASES: [(Phase, u64); 6] = [
    (Phase::Baseline, 0),
    (Phase::Change, 5_000),
    (Phase::Recovery, 20_000),
    (Phase::Rerun, 22_000),
    (Phase::Checks, 23_000),
    (Phase::End, 23_100),
];

/// A history in the making; times are milliseconds.
#[derive(Clone)]
pub struct Made {
    pub scenario: Scenario,
    pub lock_timeout_ms: u64,
    pub idle_timeout_ms: u64,
    pub sampler: SamplerReport,
    pub counters: Counters,
    pub entries: Vec<(u64, Event)>,
    end: AttemptEnd,
    reruns: Vec<AttemptEnd>,
    last_phase: Option<Phase>,
}

impl Made {
    /// A trial in which the change runs one statement and nobody notices.
    pub fn calm() -> Made {
        let mut made = Made::with_change();
        made.statement(0, 5_000, 5_010, "CREATE INDEX CONCURRENTLY i ON spans (name)", false);
        made
    }

    /// A trial with traffic and with an attempt that has no statement yet.
    pub fn with_change() -> Made {
        let samples = 2_300;
        let sampler = SamplerReport { samples, ..SamplerReport::default() };
        let mut made = Made {
            scenario: scenario(),
            lock_timeout_ms: 0,
            idle_timeout_ms: 0,
            sampler,
            counters: Counters::default(),
            entries: Vec::new(),
            end: AttemptEnd::Finished { applied: Some(1) },
            reruns: Vec::new(),
            last_phase: None,
        };
        for at in (0..22_000).step_by(500) {
            made.operation(at, Some(at), at + 2, OperationOutcome::Succeeded, Some(APP + 50));
        }
        for (pid, role) in
            [(CHANGE, Role::Change), (READER, Role::Disturbance("long-reader".to_owned()))]
        {
            made.at(0, Event::Session(SessionSeen { session: pid.into(), role }));
        }
        for pid in APP..APP + 60 {
            made.at(
                0,
                Event::Session(SessionSeen { session: pid.into(), role: Role::Application }),
            );
        }
        made
    }

    pub fn capacity(&self) -> i32 {
        (self.scenario.pool.size + self.scenario.pool.overflow) as i32
    }

    pub fn at(&mut self, ms: u64, event: Event) {
        self.entries.push((ms, event));
    }

    /// Operations that were due from then on met no row.
    pub fn empty_from(&mut self, ms: u64) {
        for (_, event) in &mut self.entries {
            if let Event::Operation(operation) = event {
                operation.empty = operation.scheduled_us >= Micros::from_millis(ms);
            }
        }
    }

    pub fn operation(
        &mut self,
        due: u64,
        acquired: Option<u64>,
        finished: u64,
        outcome: OperationOutcome,
        pid: Option<i32>,
    ) {
        self.counters.scheduled += 1;
        self.counters.count(&outcome);
        let seq = self.counters.scheduled;
        let operation = Operation {
            kind: 0,
            seq,
            scheduled_us: Micros::from_millis(due),
            dispatched_us: Micros::from_millis(due),
            acquired_us: acquired.map(Micros::from_millis),
            connecting_us: Micros::ZERO,
            finished_us: Micros::from_millis(finished),
            session: pid.map(SessionId::from),
            outcome,
            empty: false,
            on_replica: false,
        };
        self.at(finished, Event::Operation(operation));
    }

    /// One that was let go late, and took no time.
    pub fn late(&mut self, due: u64, dispatched: u64, finished: u64) {
        let pid = Some(APP + 52);
        self.operation(due, Some(dispatched), finished, OperationOutcome::Succeeded, pid);
        if let Some((_, Event::Operation(operation))) = self.entries.last_mut() {
            operation.dispatched_us = Micros::from_millis(dispatched);
        }
    }

    /// Operations that the generator let go late.
    pub fn late_operations(&mut self, count: u64) {
        for n in 0..count {
            let due = 5_100 + n * 10;
            self.operation(
                due,
                Some(due + 400),
                due + 401,
                OperationOutcome::Succeeded,
                Some(APP + 51),
            );
        }
        for (_, event) in &mut self.entries {
            if let Event::Operation(operation) = event {
                operation.dispatched_us = operation.acquired_us.unwrap_or_default();
            }
        }
    }

    pub fn statement(&mut self, id: u32, from: u64, to: u64, text: &str, holds: bool) {
        self.traced(id, from, to, text, holds, None);
    }

    pub fn failed_statement(
        &mut self,
        id: u32,
        from: u64,
        to: u64,
        text: &str,
        code: &str,
        message: &str,
    ) {
        self.traced(id, from, to, text, false, Some(error(code, message)));
    }

    /// One at that line of that file, with the code and message of its error.
    pub fn statement_of(
        &mut self,
        (file, line): (&str, u32),
        (from, to): (u64, u64),
        text: &str,
        failed: Option<(&str, &str)>,
    ) {
        let failed = failed.map(|(code, message)| error(code, message));
        self.traced(line - 1, from, to, text, false, failed);
        let sent = self.entries.iter_mut().rev().find_map(|(_, event)| match event {
            Event::StatementBegan(began) => Some(began),
            _ => None,
        });
        if let Some(began) = sent {
            began.source = Source::File { path: file.to_owned(), line };
        }
    }

    fn traced(
        &mut self,
        statement: u32,
        from: u64,
        to: u64,
        text: &str,
        holds: bool,
        error: Option<ServerError>,
    ) {
        let (began_us, ended_us) = (Micros::from_millis(from), Micros::from_millis(to));
        let lock = || HeldLock { relation: "spans".into(), mode: LockMode::AccessExclusiveLock };
        let source = Source::File { path: "migration.sql".to_owned(), line: statement + 1 };
        let began = StatementBegan {
            attempt: 0,
            statement,
            connection: 0,
            session: CHANGE.into(),
            migration: "m".to_owned(),
            source,
            text: text.to_owned(),
            statements: 1,
            protocol: Protocol::Simple,
            parameter_types: Vec::new(),
            lock_timeout_ms: self.lock_timeout_ms,
            statement_timeout_ms: 0,
            idle_in_transaction_session_timeout_ms: self.idle_timeout_ms,
            transaction_timeout_ms: None,
            transaction: TransactionStatus::InTransaction,
        };
        let ended = StatementEnded {
            attempt: 0,
            statement,
            began_us,
            ended_us,
            error,
            tags: Vec::new(),
            rows: None,
            wal_bytes: None,
            rewritten: Vec::new(),
            held: holds.then(lock).into_iter().collect(),
            taken: Vec::new(),
            transaction: TransactionStatus::InTransaction,
            notices: Vec::new(),
            paused_us: Micros::ZERO,
        };
        self.at(from, Event::StatementBegan(began.into()));
        self.at(to, Event::StatementEnded(ended.into()));
    }

    /// One operation that waits for a lock which the change holds.
    pub fn blocked_by_change(&mut self, from: u64, to: u64) {
        self.blocked_pid(APP, from, to, &[CHANGE]);
    }

    pub fn blocked_by(&mut self, from: u64, to: u64, blocker: i32) {
        self.blocked_pid(APP, from, to, &[blocker]);
    }

    pub fn blocked_pid(&mut self, pid: i32, from: u64, to: u64, blockers: &[i32]) {
        self.operation(from, Some(from), to + 1, OperationOutcome::Succeeded, Some(pid));
        for at in (from + 10..to).step_by(10) {
            let waits = vec![wait(pid, at - from, blockers, true)];
            self.at(at, Event::Waits(WaitSample { waits }));
        }
    }

    /// The session waits for a lock of others on a relation; no operation does.
    pub fn waits_for(&mut self, pid: i32, (from, to): (u64, u64), relation: &str, of: &[i32]) {
        for at in (from + 10..=to).step_by(10) {
            let mut wait = wait(pid, at - from, of, true);
            wait.relation = Some(relation.to_owned());
            self.at(at, Event::Waits(WaitSample { waits: vec![wait] }));
        }
    }

    /// The same for a lock in this mode.
    pub fn waits_in_mode(
        &mut self,
        pid: i32,
        (from, to): (u64, u64),
        relation: &str,
        of: &[i32],
        mode: LockMode,
    ) {
        for at in (from + 10..=to).step_by(10) {
            let mut wait = wait(pid, at - from, of, true);
            (wait.relation, wait.mode) = (Some(relation.to_owned()), mode.as_str().to_owned());
            self.at(at, Event::Waits(WaitSample { waits: vec![wait] }));
        }
    }

    /// The change waits for a reader; an operation queues behind its request.
    pub fn queued_behind_waiting_change(&mut self, from: u64, to: u64) {
        self.operation(from, Some(from), to + 1, OperationOutcome::Succeeded, Some(APP));
        for at in (from + 10..to).step_by(10) {
            let mut change = wait(CHANGE, at - from + 50, &[READER], true);
            change.mode = "AccessExclusiveLock".to_owned();
            change.holders[0].mode = "AccessShareLock".to_owned();
            let waits = vec![change, wait(APP, at - from, &[CHANGE], false)];
            self.at(at, Event::Waits(WaitSample { waits }));
        }
    }

    /// A second operation waits for the first, which waits for the change.
    pub fn chain_to_change(&mut self, from: u64, to: u64) {
        self.operation(from, Some(from), to + 1, OperationOutcome::Succeeded, Some(APP));
        self.operation(from, Some(from), to + 2, OperationOutcome::Succeeded, Some(APP + 1));
        for at in (from + 10..to).step_by(10) {
            let waits =
                vec![wait(APP + 1, at - from, &[APP], true), wait(APP, at - from, &[CHANGE], true)];
            self.at(at, Event::Waits(WaitSample { waits }));
        }
    }

    pub fn attempt_fails(&mut self, code: &str, message: &str) {
        self.end = failed(code, message);
    }

    pub fn ends(&mut self, end: AttemptEnd) {
        self.end = end;
    }

    pub fn rerun(&mut self, end: AttemptEnd) {
        self.reruns.push(end);
    }

    pub fn invalid_index_after(&mut self, attempt: u32) {
        let properties = [("indisvalid", "false"), ("indisready", "false")];
        let properties = properties.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let objects = BTreeMap::from([("index public.ix".to_owned(), properties)]);
        let (after, versions) = (Some(attempt), Vec::new());
        let at = 19_900 + u64::from(attempt) * 2_500;
        self.at(at, Event::Catalogue(CatalogueSnapshot { after, objects, versions }));
    }

    pub fn catalogue_after(&mut self, attempt: u32) {
        let (after, objects, versions) = (Some(attempt), BTreeMap::new(), Vec::new());
        let at = 19_900 + u64::from(attempt) * 2_500;
        self.at(at, Event::Catalogue(CatalogueSnapshot { after, objects, versions }));
    }

    pub fn lost_write(&mut self) {
        let example = LedgerMismatch {
            operation: "insert-span".to_owned(),
            table: "spans".to_owned(),
            key: "42".to_owned(),
            kind: Mismatch::Lost,
        };
        let examples = vec![example];
        let report =
            LedgerReport { acknowledged: 9, mismatches: 1, examples, ..Default::default() };
        self.at(23_050, Event::Ledger(report));
    }

    pub fn disturbance_breaks(&mut self) {
        let moment = Moment::Broken(error("25P03", "terminating connection"));
        let name = "long-reader".to_owned();
        self.at(
            5_100,
            Event::Disturbance(DisturbanceEvent { name, moment, held: None, rerun: false }.into()),
        );
    }

    /// Operations that were sent late, in the change only, too few to show in the whole.
    pub fn late_in_the_change(&mut self) {
        for (_, event) in &mut self.entries {
            if let Event::Operation(operation) = event
                && (5_000_000..5_600_000).contains(&operation.scheduled_us.0)
            {
                operation.dispatched_us = operation.scheduled_us + Micros::from_millis(300);
                operation.finished_us = operation.dispatched_us + Micros::from_millis(2);
                operation.acquired_us = Some(operation.dispatched_us);
            }
        }
    }

    pub fn only_statements_of_the_runner(&mut self) {
        for (_, event) in &mut self.entries {
            if let Event::StatementBegan(statement) = event {
                statement.source = Source::Runner;
            }
        }
    }

    pub fn stage_failed(&mut self) {
        let (stage, message) = ("sampling".to_owned(), "the server closed it".to_owned());
        self.at(9_000, Event::MeasurementFailed { stage, message });
    }

    pub fn cut_before(&mut self, phase: Phase) {
        self.last_phase = Some(phase);
    }

    pub fn expect_unsafe_stall(&mut self) {
        self.scenario.expect.verdict = vec![Verdict::Unsafe];
        self.scenario.expect.findings = vec![FindingKind::Stall];
    }

    pub fn judge(self) -> Judgement {
        let scenario = self.scenario.clone();
        explain(assess::trial(&scenario, observe(&scenario, &self.history()), Against::Nothing))
    }

    pub fn history(mut self) -> History {
        let phases = PHASES.into_iter().filter(|(phase, _)| Some(*phase) != self.last_phase);
        for (phase, at) in phases.collect::<Vec<_>>() {
            self.entries.insert(0, (at, Event::Phase { phase }));
        }
        self.entries.insert(0, (5_000, Event::AttemptBegan { attempt: 0 }));
        self.at(19_000, Event::AttemptEnded { attempt: 0, end: self.end.clone() });
        for (number, end) in (1..).zip(self.reruns.clone()) {
            let at = 22_000 + u64::from(number) * 10;
            self.at(at, Event::AttemptBegan { attempt: number });
            self.at(at + 5, Event::AttemptEnded { attempt: number, end });
        }
        self.at(23_000, Event::Counters(self.counters));
        self.at(23_000, Event::Sampler(self.sampler.clone()));
        let entry = |(ms, event)| Entry { at_us: Micros::from_millis(ms), event };
        History::new(Header::unnamed(), self.entries.into_iter().map(entry).collect())
    }
}

fn wait(pid: i32, waited_ms: u64, blockers: &[i32], hard: bool) -> Wait {
    let relation = Some("spans".to_owned());
    let holder = |pid: &i32| GrantedLock {
        session: (*pid).into(),
        relation: relation.clone(),
        mode: "AccessExclusiveLock".to_owned(),
    };
    Wait {
        session: pid.into(),
        locktype: "relation".to_owned(),
        mode: "RowExclusiveLock".to_owned(),
        relation: relation.clone(),
        waited_us: Some(Micros::from_millis(waited_ms)),
        blockers: blockers.iter().copied().map(SessionId::from).collect(),
        holders: if hard { blockers.iter().map(holder).collect() } else { Vec::new() },
    }
}

pub fn error(code: &str, message: &str) -> ServerError {
    ServerError {
        sqlstate: Some(SqlState::new(code)),
        message: message.to_owned(),
        ..ServerError::default()
    }
}

pub fn failed(code: &str, message: &str) -> AttemptEnd {
    AttemptEnd::Failed { migration: "m".to_owned(), error: error(code, message).into() }
}

fn scenario() -> Scenario {
    Scenario {
        name: "made".to_owned(),
        dir: PathBuf::new(),
        analysis: "made by hand".to_owned(),
        rng_seed: 1,
        schema: Script::default(),
        indexes: Script::default(),
        whole: false,
        tables: Vec::new(),
        server: BTreeMap::new(),
        replica: None,
        sizes: None,
        traffic: Traffic {
            rate: Rate::PerS(2.0),
            arrivals: Arrivals::Uniform,
            operations: vec![OperationSpec {
                name: "insert-span".to_owned(),
                weight: 1.0,
                statements: Vec::new(),
                parameters: BTreeMap::new(),
                ledger: None,
                on: On::Primary,
            }],
            baseline_ms: 5_000,
            recovery_min_ms: 0,
            recovery_max_ms: 10_000,
        },
        pool: Pool {
            size: 2,
            overflow: 1,
            acquire_timeout_ms: 30_000,
            settings: BTreeMap::new(),
            role: None,
        },
        change: change(),
        states: Vec::new(),
        accept: Vec::new(),
        acceptances: Vec::new(),
        crash: None,
        disturbances: Vec::new(),
        conditions: Vec::new(),
        invariants: Vec::new(),
        limits: Limits::default(),
        expect: Expect { verdict: vec![Verdict::Safe], findings: Vec::new(), absent: Vec::new() },
    }
}

fn change() -> Change {
    Change {
        tool: None,
        command: None,
        migrations: vec![Migration::new("m".to_owned(), Script::default(), None)],
        transaction: TransactionRule::PerMigration,
        timeouts: Timeouts {
            scope: Scope::Local,
            lock_timeout_ms: None,
            statement_timeout_ms: None,
            idle_in_transaction_session_timeout_ms: None,
            scale_with: None,
        },
        retries: Retries { backoff_ms: 0, ..Retries::default() },
        versions: Some(Versions {
            table: "versions".to_owned(),
            column: "version".to_owned(),
            rows: VersionRows::Each,
            tool: None,
        }),
        deadline_ms: 60_000,
        stop: None,
        runners: 1,
        advisory_lock: None,
        rerun_attempts: 1,
        rerun: None,
        other_databases: false,
        runs_as: RunsAs::Superuser,
    }
}

/// A wait as it really was.
#[derive(Clone, Debug)]
pub struct Truth {
    pub pid: i32,
    pub from: Micros,
    pub to: Micros,
}

/// Waits (backend, gap before, length, all in ms) of which no two of one backend overlap.
pub fn separate_waits(drawn: &[(u64, u64, u64)]) -> Vec<Truth> {
    let mut free_at: BTreeMap<u64, u64> = BTreeMap::new();
    let mut waits = Vec::new();
    for (backend, gap, length) in drawn {
        // Two waits that begin within the tolerance of each other could not be told apart.
        let from = free_at.get(backend).copied().unwrap_or(0) + gap + 30;
        let to = from + length + 10;
        free_at.insert(*backend, to);
        let (from, to) = (Micros::from_millis(from), Micros::from_millis(to));
        waits.push(Truth { pid: APP + *backend as i32, from, to });
    }
    waits
}

/// What a sampler that looks every `interval_ms` records of them.
pub fn sampled(truth: &[Truth], interval_ms: u64) -> History {
    let end = truth.iter().map(|w| w.to.0).max().unwrap_or(0) / 1_000 + interval_ms;
    let mut entries = Vec::new();
    let mut sessions: Vec<(i32, Role)> =
        (APP..APP + 8).map(|pid| (pid, Role::Application)).collect();
    sessions.push((CHANGE, Role::Change));
    for (pid, role) in sessions {
        let event = Event::Session(SessionSeen { session: pid.into(), role });
        entries.push(Entry { at_us: Micros::ZERO, event });
    }
    for at in (0..end).step_by(interval_ms as usize) {
        let at_us = Micros::from_millis(at);
        let waiting = truth.iter().filter(|w| w.from <= at_us && at_us <= w.to);
        let waits: Vec<Wait> =
            waiting.map(|w| wait(w.pid, (at_us - w.from).0 / 1_000, &[CHANGE], true)).collect();
        if !waits.is_empty() {
            entries.push(Entry { at_us, event: Event::Waits(WaitSample { waits }) });
        }
    }
    History::new(Header::unnamed(), entries)
}
