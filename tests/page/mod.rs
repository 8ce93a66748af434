//! Results made by hand, for pages to be rendered from.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::ops::Range;

use pgauntlet::assess::{self, Against, Effort};
use pgauntlet::clock::Micros;
use pgauntlet::explain::{explain, explain_matrix};
use pgauntlet::history::{
    AttemptEnd, CatalogueSnapshot, DisturbanceEvent, Entry, Event, GrantedLock, Header, History,
    Moment, Operation, OperationOutcome, Phase, Role, SamplerReport, SessionId, SessionSeen, Wait,
    WaitSample, WalSample,
};
use pgauntlet::judge::crash;
use pgauntlet::judge::observe;
use pgauntlet::judge::timeline::{Timeline, timeline};
use pgauntlet::pg::LockMode;
use pgauntlet::report::{self, Document};
use pgauntlet::result::{Case, Matrix, ResultFile};
use pgauntlet::scenario::{
    Crash, Disturbance, Outcome as CrashOutcome, Scenario, StoredScenario, Verdict,
};
use pgauntlet::trial::{Axis, Fault, FaultKind, InjectionPoint};

use super::made::{APP, CHANGE, Made, READER};
use super::sent::{by_command, sent};

/// What a hostile scenario may call its things.
pub const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'&<!--";
pub const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";

/// A result with the timelines of its trials.
#[derive(Default)]
pub struct Run {
    pub result: ResultFile,
    pub timelines: Vec<Option<Timeline>>,
}

impl Run {
    pub fn of(trials: Vec<(Scenario, History)>) -> Run {
        let mut run = Run { result: ResultFile::empty(), timelines: Vec::new() };
        trials.into_iter().for_each(|(scenario, history)| run.add(scenario, history));
        run
    }

    pub fn one(made: Made) -> Run {
        Run::of(vec![(made.scenario.clone(), made.history())])
    }

    pub fn add(&mut self, scenario: Scenario, history: History) {
        let observation = observe(&scenario, &history);
        let mut judgement = explain(assess::trial(&scenario, observation, Against::Nothing));
        judgement.trial.key.scenario = scenario.name.clone();
        judgement.trial.key = judgement.trial.key.clone().with(Axis::STATE, "base");
        judgement.trial.server.source = "local".to_owned();
        judgement.trial.server.version = "15.18".to_owned();
        judgement.trial.server.version_num = 150_018;
        self.result.trials.push(judgement);
        self.timelines.push(Some(timeline(&scenario, &history)));
        let value = StoredScenario::from(&scenario);
        self.result.scenarios.insert(scenario.name.clone(), value);
    }

    pub fn document(&self) -> Document<'_> {
        Document { result: &self.result, timelines: &self.timelines, path: "out/result.json" }
    }

    pub fn page(&self) -> String {
        report::page(&self.document())
    }
}

/// The change holds a lock for three seconds: three operations wait for it, and three for them.
pub fn stalled() -> Made {
    let mut made = by_command(1);
    sent(0, 5_000, 5_010, "BEGIN").status("it").add_to(&mut made);
    sent(1, 5_010, 5_020, ADD_COLUMN)
        .inside()
        .holds("spans", LockMode::AccessExclusiveLock)
        .add_to(&mut made);
    sent(2, 5_020, 8_000, "UPDATE spans SET task_id = trace_id")
        .inside()
        .holds("spans", LockMode::AccessExclusiveLock)
        .add_to(&mut made);
    sent(3, 8_000, 8_010, "COMMIT").status("ti").add_to(&mut made);
    for pid in APP..APP + 3 {
        made.operation(5_100, Some(5_100), 8_001, OperationOutcome::Succeeded, Some(pid));
    }
    for entry in queue(5_100..8_000, 3, super::sent::COMMAND) {
        made.at(entry.at_us.0 / 1_000, entry.event);
    }
    for due in [5_200, 5_300, 5_400] {
        made.operation(due, Some(8_001), 8_005, OperationOutcome::Succeeded, Some(APP));
    }
    for (n, at) in (0..22_000).step_by(250).enumerate() {
        let grown = if (5_000..8_000).contains(&at) { 900_000 } else { 20_000 };
        made.at(at, Event::Wal(WalSample { bytes: 1_000_000 + n as u64 * grown }));
    }
    made.at(4_900, disturbance("long-reader", Moment::Holding));
    made.at(9_000, disturbance("long-reader", Moment::Ended));
    let (name, statements) = ("long-reader".to_owned(), vec!["SELECT 1".to_owned()]);
    let reader = Disturbance::transaction(&name, statements, 4_000);
    made.scenario.disturbances.push(reader);
    made.scenario.expect.verdict = vec![Verdict::Unsafe];
    snapshot(&mut made, 4_950, None, &[("column public.spans.id", "type", "bigint")]);
    let after =
        [("column public.spans.id", "type", "text"), ("index public.ix", "indisvalid", "true")];
    snapshot(&mut made, 19_950, Some(0), &after);
    made.sampler.interval_us = Micros::from_millis(10);
    made
}

fn disturbance(name: &str, moment: Moment) -> Event {
    Event::Disturbance(
        DisturbanceEvent { name: name.to_owned(), moment, held: None, rerun: false }.into(),
    )
}

fn snapshot(made: &mut Made, at: u64, after: Option<u32>, objects: &[(&str, &str, &str)]) {
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (object, property, value) in objects {
        let properties = found.entry((*object).to_owned()).or_default();
        properties.insert((*property).to_owned(), (*value).to_owned());
    }
    let versions = Vec::new();
    made.at(at, Event::Catalogue(CatalogueSnapshot { after, objects: found, versions }));
}

/// A trial in which every name and text is hostile.
pub fn hostile() -> Made {
    let mut made = by_command(1);
    sent(0, 5_000, 8_000, HOSTILE)
        .inside()
        .holds(HOSTILE, LockMode::AccessExclusiveLock)
        .fails("42601", HOSTILE)
        .add_to(&mut made);
    for at in (5_200..7_900).step_by(10) {
        let relation = Some(HOSTILE.to_owned());
        let mode = "AccessExclusiveLock".to_owned();
        let change: SessionId = super::sent::COMMAND.into();
        let holder =
            GrantedLock { session: change.clone(), relation: relation.clone(), mode: mode.clone() };
        let wait = Wait {
            session: APP.into(),
            locktype: "relation".to_owned(),
            mode,
            relation,
            waited_us: Some(Micros::from_millis(at - 5_100)),
            blockers: vec![change],
            holders: vec![holder],
        };
        made.at(at, Event::Waits(WaitSample { waits: vec![wait] }));
    }
    made.operation(5_100, Some(5_100), 7_901, OperationOutcome::Succeeded, Some(APP));
    made.at(4_900, disturbance(HOSTILE, Moment::Holding));
    snapshot(&mut made, 4_950, None, &[(HOSTILE, HOSTILE, "1")]);
    snapshot(&mut made, 19_950, Some(0), &[(HOSTILE, HOSTILE, HOSTILE)]);
    made.scenario.name = HOSTILE.to_owned();
    made.scenario.analysis = HOSTILE.to_owned();
    made.scenario.traffic.operations[0].name = HOSTILE.to_owned();
    made
}

/// Operations at this rate for this long, with a stall of four seconds in the middle.
pub fn long(seconds: u64, rate_per_s: u64) -> (Scenario, History) {
    let scenario = Made::with_change().scenario;
    let (begin, middle) = (seconds * 100, seconds * 500);
    let (stall, end) = (middle..middle + 4_000, seconds * 1_000);
    let mut entries = Vec::new();
    let mut at = |ms: u64, event| entries.push(Entry { at_us: Micros::from_millis(ms), event });
    let phases = [Phase::Baseline, Phase::Change, Phase::Recovery, Phase::Checks, Phase::End];
    for (phase, ms) in phases.into_iter().zip([0, begin, end - begin, end - 2, end]) {
        at(ms, Event::Phase { phase });
    }
    for (pid, role) in [(CHANGE, Role::Change), (READER, Role::Observer)] {
        at(0, Event::Session(SessionSeen { session: i32::into(pid), role }));
    }
    (APP..APP + 30).for_each(|pid| {
        at(0, Event::Session(SessionSeen { session: i32::into(pid), role: Role::Application }))
    });
    at(begin, Event::AttemptBegan { attempt: 0 });
    at(
        end - begin,
        Event::AttemptEnded { attempt: 0, end: AttemptEnd::Finished { applied: None } },
    );
    let mut counters = pgauntlet::history::Counters::default();
    for seq in 0..seconds * rate_per_s {
        let due = seq * 1_000 / rate_per_s;
        let took = if stall.contains(&due) { stall.end - due } else { 2 + seq * 7 % 5 };
        counters.scheduled += 1;
        counters.count(&OperationOutcome::Succeeded);
        let time = |ms: u64| Micros::from_millis(ms);
        let operation = Operation {
            kind: 0,
            seq,
            scheduled_us: time(due),
            dispatched_us: time(due),
            acquired_us: Some(time(due)),
            connecting_us: Micros::ZERO,
            finished_us: time(due + took),
            session: Some((APP + (seq % 30) as i32).into()),
            outcome: OperationOutcome::Succeeded,
            empty: false,
            on_replica: false,
        };
        at(due + took, Event::Operation(operation));
    }
    for ms in (0..end).step_by(250) {
        at(ms, Event::Wal(WalSample { bytes: 1_000_000 + ms * (900 + ms / 250 * 31 % 200) }));
    }
    at(end, Event::Counters(counters));
    let samples = seconds * 100;
    let interval_us = Micros::from_millis(10);
    at(end, Event::Sampler(SamplerReport { samples, interval_us, ..SamplerReport::default() }));
    let mut made = Made::calm();
    batches(&mut made, begin, end - begin - 1);
    let statements =
        made.history().entries.into_iter().filter(|entry| {
            matches!(entry.event, Event::StatementBegan(_) | Event::StatementEnded(_))
        });
    entries.extend(statements.filter(|entry| entry.at_us >= Micros::from_millis(begin)));
    entries.extend(queue(stall, 30, CHANGE));
    entries.sort_by_key(|entry| entry.at_us);
    (scenario, History::new(Header::unnamed(), entries))
}

/// A backfill in a thousand batches, the one in the middle with its lock.
fn batches(made: &mut Made, from: u64, to: u64) {
    let each = (to - from) / 1_000;
    for n in 0..1_000_u32 {
        let begin = from + u64::from(n) * each;
        let text = "UPDATE spans SET task_id = trace_id WHERE id BETWEEN 1 AND 1000";
        made.statement(n + 1, begin, begin + each.max(2) - 1, text, (440..450).contains(&n));
    }
}

/// As many operations that wait for the blocker, in every sample of the stall.
fn queue(stall: Range<u64>, waiters: i32, blocker: i32) -> impl Iterator<Item = Entry> {
    let from = stall.start;
    stall.step_by(10).skip(1).map(move |ms| {
        let relation = Some("spans".to_owned());
        let mode = "AccessExclusiveLock".to_owned();
        let holder = GrantedLock { session: blocker.into(), relation: relation.clone(), mode };
        let wait = |pid: i32| Wait {
            session: pid.into(),
            locktype: "relation".to_owned(),
            mode: "RowExclusiveLock".to_owned(),
            relation: relation.clone(),
            waited_us: Some(Micros::from_millis(ms - from)),
            blockers: vec![blocker.into()],
            holders: vec![holder.clone()],
        };
        let waits = (APP..APP + waiters).map(wait).collect();
        Entry { at_us: Micros::from_millis(ms), event: Event::Waits(WaitSample { waits }) }
    })
}

/// A crash matrix with every outcome.
pub fn matrix() -> Matrix {
    let mut made = by_command(1);
    for (id, text) in (0..).zip(["BEGIN", ADD_COLUMN, "COMMIT", "CREATE INDEX CONCURRENTLY ix"]) {
        let at = 5_000 + u64::from(id) * 20;
        sent(id, at, at + 15, text).add_to(&mut made);
    }
    let (scenario, history) = (made.scenario.clone(), made.history());
    let outcomes = CrashOutcome::ALL.iter().map(|outcome| Some(*outcome));
    let cases: Vec<Case> = FaultKind::ALL
        .iter()
        .flat_map(|kind| [1, 3].map(|statement| (statement, *kind)))
        .zip(outcomes.chain([None]).cycle())
        .map(|((statement, kind), outcome)| case(statement, kind, outcome))
        .collect();
    let took_us = Micros::from_secs(4);
    let shown = crash::undisturbed(&history);
    let run = (&shown, Effort { took_us, at_once: 2 });
    explain_matrix(assess::matrix(&scenario, &Crash::default(), run, cases, None))
}

fn case(statement: u32, kind: FaultKind, outcome: Option<CrashOutcome>) -> Case {
    let text = if statement == 1 { ADD_COLUMN } else { "CREATE INDEX CONCURRENTLY ix" }.to_owned();
    Case {
        fault: Fault { kind, at: InjectionPoint::new(statement, text, 0) },
        outcome,
        seen: "57P01 admin_shutdown".to_owned(),
        sentence: outcome.map_or("it was over".to_owned(), |outcome| format!("it is {outcome}")),
        ending: None,
        differences: Vec::new(),
        broken: false,
        not_compared: Vec::new(),
        reruns: 1,
        took_us: Micros::from_millis(900),
    }
}
