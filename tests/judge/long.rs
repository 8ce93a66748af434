//! A long trial made by hand: a backfill in batches, each of which makes an operation wait.

// Each binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use pgauntlet::clock::Micros;
use pgauntlet::history::{
    Attempt, AttemptEnd, Counters, Entry, Event, GrantedLock, Header, History, Operation,
    OperationOutcome, Phase, Protocol, Role, SamplerReport, SessionId, SessionSeen, Since, Source,
    StatementBegan, StatementEnded, TransactionStatus, Wait, WaitSample,
};

const RATE_PER_S: u64 = 100;
const CONNECTIONS: u64 = 30;
/// How long a batch runs, and how long the operation behind it waits, in microseconds.
const BATCH: u64 = 120_000;
const WAIT: u64 = 100_000;
/// Samples that show the wait, and when the first of them was taken.
const SAMPLES: u64 = 3;
const FIRST_SAMPLE: u64 = 15_000;
const ATTEMPT: Attempt = 0;

fn session(pid: i32) -> SessionId {
    SessionId::new(pid, Since::new(1_764_000_000_000_000 + pid.unsigned_abs() as u64))
}

fn application(number: u64) -> SessionId {
    session(100 + (number % CONNECTIONS) as i32)
}

fn change() -> SessionId {
    session(900)
}

struct Long {
    entries: Vec<Entry>,
}

impl Long {
    fn at(&mut self, us: u64, event: Event) {
        self.entries.push(Entry { at_us: Micros(us), event });
    }

    fn operation(&mut self, seq: u64, waits: bool) {
        let due = seq * 1_000_000 / RATE_PER_S;
        let finished = due + if waits { WAIT + 1_000 } else { 900 };
        let operation = Operation {
            kind: 0,
            seq,
            scheduled_us: Micros(due),
            dispatched_us: Micros(due + 50),
            acquired_us: Some(Micros(due + 60)),
            connecting_us: Micros::ZERO,
            finished_us: Micros(finished),
            session: Some(application(seq)),
            outcome: OperationOutcome::Succeeded,
            empty: false,
            on_replica: false,
        };
        self.at(finished, Event::Operation(operation));
    }

    fn batch(&mut self, statement: u32, from: u64) {
        let began = StatementBegan {
            attempt: ATTEMPT,
            statement,
            connection: 0,
            session: change(),
            migration: "backfill".to_owned(),
            source: Source::File { path: "backfill.sql".to_owned(), line: 1 },
            text: "UPDATE spans SET task_id = trace_id WHERE task_id IS NULL".to_owned(),
            statements: 1,
            protocol: Protocol::Simple,
            parameter_types: Vec::new(),
            lock_timeout_ms: 2_000,
            statement_timeout_ms: 0,
            idle_in_transaction_session_timeout_ms: 0,
            transaction_timeout_ms: None,
            transaction: TransactionStatus::Idle,
        };
        let ended = StatementEnded {
            attempt: ATTEMPT,
            statement,
            began_us: Micros(from),
            ended_us: Micros(from + BATCH),
            error: None,
            tags: vec!["UPDATE 1000".to_owned()],
            rows: Some(1_000),
            wal_bytes: Some(1 << 20),
            rewritten: Vec::new(),
            held: Vec::new(),
            taken: Vec::new(),
            transaction: TransactionStatus::Idle,
            notices: Vec::new(),
            paused_us: Micros::ZERO,
        };
        self.at(from, Event::StatementBegan(began.into()));
        self.at(from + BATCH, Event::StatementEnded(ended.into()));
    }

    fn samples(&mut self, waiter: &SessionId, from: u64) {
        for sample in 0..SAMPLES {
            let at = FIRST_SAMPLE + sample * (WAIT - FIRST_SAMPLE) / SAMPLES;
            let (relation, mode) = (Some("spans".to_owned()), "ExclusiveLock".to_owned());
            let wait = Wait {
                session: waiter.clone(),
                locktype: "transactionid".to_owned(),
                mode: "ShareLock".to_owned(),
                relation: relation.clone(),
                waited_us: Some(Micros(at)),
                blockers: vec![change()],
                holders: vec![GrantedLock { session: change(), relation, mode }],
            };
            self.at(from + at, Event::Waits(WaitSample { waits: vec![wait] }));
        }
    }

    /// The phases, who is who, and the totals.
    fn frame(&mut self, operations: u64, waits: u64) {
        let end = operations * 1_000_000 / RATE_PER_S;
        for (phase, at) in [
            (Phase::Baseline, 0),
            (Phase::Change, end / 20),
            (Phase::Recovery, end - end / 20),
            (Phase::End, end + 1_000_000),
        ] {
            self.at(at, Event::Phase { phase });
        }
        let seen = |session, role| Event::Session(SessionSeen { session, role });
        self.at(0, seen(change(), Role::Change));
        (0..CONNECTIONS).for_each(|n| self.at(0, seen(application(n), Role::Application)));
        self.at(end / 20, Event::AttemptBegan { attempt: ATTEMPT });
        let finished = AttemptEnd::Finished { applied: Some(1) };
        self.at(end - end / 20, Event::AttemptEnded { attempt: ATTEMPT, end: finished });
        let samples = SamplerReport { samples: waits * SAMPLES, ..SamplerReport::default() };
        self.at(end, Event::Sampler(samples));
        let counters =
            Counters { scheduled: operations, succeeded: operations, ..Counters::default() };
        self.at(end, Event::Counters(counters));
    }
}

/// `waits` stalls spread over the change, among `operations` at a steady rate.
pub fn history(operations: u64, waits: u64) -> History {
    let mut long = Long { entries: Vec::new() };
    long.frame(operations, waits);
    let (from, to) = (operations / 20, operations - operations / 20);
    let every = (to - from) / waits;
    for seq in 0..operations {
        let batch = (seq.max(from) - from) / every;
        let waits = seq >= from && batch < waits && (seq - from) % every == 0;
        long.operation(seq, waits);
        if waits {
            let due = seq * 1_000_000 / RATE_PER_S;
            long.batch(batch as u32, due - 1_000);
            long.samples(&application(seq), due + 60);
        }
    }
    History::new(Header::unnamed(), long.entries)
}
