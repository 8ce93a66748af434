//! The order of a run's phases, its faults and what is kept of them, without a server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pgauntlet::clock::Micros;
use pgauntlet::history::{Event, History, Phase, silent};
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::report::{self, Document, Width};
use pgauntlet::result::{CrashRequest, ResultFile};
use pgauntlet::run::{
    AxisValue, AxisValues, Error, ExitStatus, OnJudged, Plan, Request, SizeRequest, Work, WorkUnit,
    ending, expand, product, run_plan, stored, units_of,
};
use pgauntlet::scenario::{self, Outcome, Rate, Scenario, Verdict};
use pgauntlet::trial::Axis;
use rstest::rstest;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::world::World;

const ADD: &str = "ALTER TABLE t ADD COLUMN a int";
const INDEX: &str = "CREATE INDEX i ON t (a)";

const STATES: &str = "[[state]]\nname = 'base'\n[[state]]\nname = 'fewer'\nrows.t = 50\n";
const CRASH: &str = "[crash]\nfaults = ['cut-before', 'cut-after']\nrows = 20\n";

struct Ran {
    directory: TempDir,
    world: World,
    outcome: Result<ResultFile, Error>,
}

fn scenario(directory: &Path, more: &str) -> Scenario {
    let text = format!(
        "analysis = 'No server.'\n\
         [schema]\ntables = 'schema.sql'\n\
         [[table]]\nname = 't'\nrows = 500\ncolumns.id = {{ serial = {{}} }}\n\
         [traffic]\nrate_per_s = 50\nbaseline_ms = 500\nrecovery_min_ms = 0\n\
         [[operation]]\nname = 'count'\nweight = 1\nsql = 'SELECT count(*) FROM t'\n\
         [[change.migration]]\nversion = '1'\nfile = 'change.sql'\n\
         [expect]\nverdict = ['safe', 'unproven']\n{more}"
    );
    let directory = directory.join("spans");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("scenario.toml"), text).unwrap();
    std::fs::write(directory.join("schema.sql"), "CREATE TABLE t (id bigint);").unwrap();
    std::fs::write(directory.join("change.sql"), format!("{ADD};\n{INDEX};\n")).unwrap();
    let loaded = scenario::load(&directory);
    let mut scenario = loaded.unwrap_or_else(|p| panic!("{}", scenario::render(&p))).value;
    // Nothing happens meanwhile.
    scenario.traffic.baseline_ms = 1;
    scenario
}

pub fn request(scenario: Scenario, work: Work, out: Option<PathBuf>) -> Request {
    Request {
        scenarios: vec![scenario],
        work,
        crash: CrashRequest { at_once: Some(1), ..CrashRequest::default() },
        state: None,
        repeat: 1,
        share: None,
        sizes: SizeRequest::default(),
        server: provision::Request {
            source: SourceRequest::Any { major: None, image: None, fetch: false },
            cache: None,
            run_as: None,
        },
        other_majors: Vec::new(),
        clones: None,
        retry: None,
        out,
        answers: false,
        at: Vec::new(),
    }
}

/// The same request, which has no copy of its own.
fn copy(request: &Request) -> Request {
    self::request(request.scenarios[0].clone(), request.work, request.out.clone())
}

impl Ran {
    async fn of(more: &str, work: Work, world: World) -> Ran {
        Ran::of_plan(more, work, world, |request| Plan::of(request).expect("a plan")).await
    }

    async fn of_plan(
        more: &str,
        work: Work,
        mut world: World,
        plan: impl FnOnce(&Request) -> Plan,
    ) -> Ran {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        world.watched = Some(out.clone());
        let request = request(scenario(directory.path(), more), work, Some(out));
        let plan = plan(&request);
        let cancel = match &world.interrupted {
            Some((_, cancel)) => cancel.clone(),
            None => CancellationToken::new(),
        };
        let on_judged: OnJudged = Arc::new(|_| {});
        let outcome = run_plan(&world, &request, plan, &silent(), &on_judged, &cancel).await;
        Ran { directory, world, outcome }
    }

    fn out(&self) -> PathBuf {
        self.directory.path().join("out")
    }

    fn result(&self) -> &ResultFile {
        self.outcome.as_ref().expect("a result")
    }

    fn phases(&self, path: &str) -> Vec<Phase> {
        let history = History::read(&self.out().join(path).join("history.jsonl")).unwrap();
        let phases = history.entries.iter().filter_map(|entry| match entry.event {
            Event::Phase { phase } => Some(phase),
            _ => None,
        });
        phases.collect()
    }
}

fn interrupted(applications: usize) -> World {
    World::default().interrupted_at(applications)
}

#[tokio::test]
async fn a_share_of_the_capacity_is_measured_once_and_becomes_a_rate_of_the_scenario() {
    let share = |request: &Request| {
        let mut plan = Plan::of(&Request { repeat: 2, ..copy(request) }).expect("a plan");
        let specs = plan.units.iter_mut().flat_map(|unit| match unit {
            WorkUnit::Trials(specs) => specs.iter_mut(),
            WorkUnit::Matrix(_) | WorkUnit::Retries(_) => [].iter_mut(),
        });
        specs.for_each(|spec| spec.scenario.traffic.rate = Rate::CapacityShare(0.1));
        plan
    };
    let ran = Ran::of_plan("", Work::Trials, World::default(), share).await;
    let measured = ran.world.log().iter().filter(|done| *done == "measure the capacity").count();
    assert_eq!(measured, 1, "{:#?}", ran.world.log());
    // 123.4, of which two digits mean something.
    let rates = ran.result().trials.iter().map(|t| t.trial.tried.as_ref().unwrap().rate_per_s);
    assert_eq!(rates.collect::<Vec<_>>(), [120.0, 120.0]);
    let stored = Scenario::from(ran.result().scenarios["spans"].clone());
    assert_eq!(stored.traffic.rate, Rate::PerS(120.0));
}

#[tokio::test]
async fn a_full_trial_has_all_phases_in_their_order() {
    let ran = Ran::of("", Work::Trials, World::default()).await;
    assert_eq!(ending(ran.result()), ExitStatus::AsExpected, "{:#?}", ran.result().trials);
    let all =
        [Phase::Baseline, Phase::Change, Phase::Recovery, Phase::Rerun, Phase::Checks, Phase::End];
    assert_eq!(ran.phases("spans"), all);
    assert_eq!(
        ran.world.log(),
        [
            "start the server",
            "seed 500 rows",
            "make the database",
            "control",
            "prepare",
            "catalogue",
            "sample",
            "watch invariants",
            "drive",
            "disturb",
            "count down",
            "apply 0 (planned)",
            "catalogue",
            "what goes with the change ends",
            "the change is over",
            "disturbances have ended",
            "the reruns begin",
            "apply 1 (planned)",
            "catalogue",
            "disturbances have ended",
            "the change is over",
            "end the traffic",
            "end the watch",
            "end sampling",
            "contents",
            "apply 2 (planned)",
            "catalogue",
            "contents",
            "read invariants, over: true",
            "control",
            "drop the database",
            "stop the server",
        ]
    );
    assert_eq!(ran.world.databases(), [""; 0]);
}

/// Longer than anything that is done between two applications, and the least that a recovery takes.
const WATCHED: Micros = Micros::from_millis(80);

#[rstest]
#[case::at_once(World::default(), (1, false))]
#[case::later(World::default().that_fails_first(INDEX), (1, true))]
#[tokio::test]
async fn a_success_that_comes_later_is_watched_before_the_change_is_applied_again(
    #[case] world: World,
    #[case] (attempt, is_watched): (u32, bool),
) {
    let ran = Ran::of("", Work::Trials, world).await;
    let history = History::read(&ran.out().join("spans/history.jsonl")).unwrap();
    let at = |of: &dyn Fn(&Event) -> bool| {
        history.entries.iter().find(|entry| of(&entry.event)).map(|entry| entry.at_us)
    };
    let ended =
        at(&|event| matches!(event, Event::AttemptEnded { attempt: n, .. } if *n == attempt));
    let next =
        at(&|event| matches!(event, Event::AttemptBegan { attempt: n } if *n == attempt + 1));
    let between = next.expect("it is applied again") - ended.expect("it ends");
    assert_eq!(between >= WATCHED, is_watched, "{between}");
}

#[tokio::test]
async fn a_case_is_a_trial_with_a_fault_on_a_copy_of_the_snapshot() {
    let ran = Ran::of(CRASH, Work::Crash, World::default()).await;
    let matrix = &ran.result().crash_matrices[0];
    let cases = matrix.cases.iter().map(|c| (c.fault.label(), c.outcome));
    let clean = |label: &str| (label.to_owned(), Some(Outcome::Clean));
    let expected = [
        clean("cut-before at statement 0"),
        clean("cut-after at statement 0"),
        clean("cut-before at statement 1"),
        clean("cut-after at statement 1"),
    ];
    assert_eq!(cases.collect::<Vec<_>>(), expected, "{matrix:#?}");
    let planned = &ran.result().planned.crash_matrices[0];
    let labels: Vec<String> = expected.map(|(label, _)| label).into();
    assert_eq!(planned.cases.as_ref(), Some(&labels));
    assert_eq!(ending(ran.result()), ExitStatus::AsExpected);
    let case = [Phase::Change, Phase::Rerun, Phase::Checks, Phase::End];
    assert_eq!(ran.phases("spans/crash/000-cut-before"), case);
    let log = ran.world.log();
    let first = log.iter().position(|what| what.contains("with")).expect("a fault");
    assert_eq!(
        log[first - 5..first + 13],
        [
            "copy the snapshot",
            "prepare",
            "catalogue",
            "read invariants, over: false",
            "drive",
            "apply 0 with cut before the statement (planned)",
            "catalogue",
            "apply 1 (planned)",
            "catalogue",
            "end the traffic",
            "contents",
            "contents",
            "read invariants, over: true",
            "drop the database",
            "copy the snapshot",
            "prepare",
            "catalogue",
            "read invariants, over: false",
        ]
    );
    assert_eq!(ran.world.databases(), [""; 0]);
}

#[tokio::test]
async fn where_a_rerun_fails_the_declared_step_is_taken_by_hand() {
    let world = World::default().that_fails_again(ADD);
    let step = "[[crash.step]]\nname = 'start-over'\nsql = 'ALTER TABLE t DROP COLUMN a'\n\
                [[crash.step]]\nname = 'never'\nsql = 'SELECT 1'\n";
    let ran = Ran::of(&format!("{CRASH}{step}"), Work::Crash, world).await;
    let matrix = &ran.result().crash_matrices[0];
    let outcomes: Vec<_> = matrix.cases.iter().map(|case| case.outcome).collect();
    let manual = Some(Outcome::ManualStep);
    assert_eq!(outcomes, [Some(Outcome::Clean), manual, manual, manual], "{matrix:#?}");
    let by_hand = ran.world.log().iter().filter(|what| what.starts_with("by hand")).count();
    assert_eq!(by_hand, 3);
}

#[tokio::test]
async fn a_matrix_that_is_interrupted_is_unproven_in_every_format() {
    // Twice undisturbed, twice in the first case, and in the second.
    let ran = Ran::of(CRASH, Work::Crash, interrupted(5)).await;
    assert!(matches!(ran.outcome, Err(Error::Interrupted)), "{:?}", ran.outcome);
    assert_eq!(ran.world.databases(), [""; 0]);
    let result = stored(&ran.out()).expect("what is there").result;
    let matrix = &result.crash_matrices[0];
    assert_eq!(matrix.cases.len(), 1);
    assert_eq!(matrix.missing.len(), 3, "{matrix:#?}");
    assert_eq!((matrix.verdict, matrix.as_expected), (Verdict::Unproven, false));
    assert!(matrix.reason.starts_with("3 of 4 planned cases did not run to their end: cut-after"));
    assert_eq!((result.finished, ending(&result)), (false, ExitStatus::Unproven));
    let document = Document { result: &result, timelines: &[], path: "out" };
    let suites = report::suites(&document, &[]);
    let failed = |case: &&report::Case| case.outcome != report::CaseOutcome::Held;
    let failed: Vec<_> = suites.iter().flat_map(|s| s.cases.iter().filter(failed)).collect();
    assert_eq!(failed.len(), 2, "{failed:#?}");
    assert!(
        report::text(&result, Width::default())
            .contains("the run broke off, verdicts until then: 1")
    );
}

/// With and without a result.json, which an older version had not written yet.
#[rstest]
#[case(true)]
#[case(false)]
#[tokio::test]
async fn a_bad_outcome_before_the_interruption_stays(#[case] with_result: bool) {
    let ran = Ran::of(CRASH, Work::Crash, interrupted(7).that_fails_again(ADD)).await;
    assert!(matches!(ran.outcome, Err(Error::Interrupted)), "{:?}", ran.outcome);
    if !with_result {
        std::fs::remove_file(ran.out().join("result.json")).unwrap();
    }
    let result = stored(&ran.out()).expect("what is there").result;
    let matrix = &result.crash_matrices[0];
    assert_eq!((matrix.verdict, matrix.missing.len()), (Verdict::Unsafe, 2), "{matrix:#?}");
    assert_eq!((result.finished, ending(&result)), (false, ExitStatus::NotAsExpected));
}

#[tokio::test]
async fn what_is_expected_and_not_there_yet_is_unproven() {
    let expects = format!("{CRASH}expect = ['fails-forever', 'debris']\nmay = ['clean']\n");
    let ran = Ran::of(&expects, Work::Crash, interrupted(7).that_fails_again(ADD)).await;
    assert!(matches!(ran.outcome, Err(Error::Interrupted)), "{:?}", ran.outcome);
    let result = stored(&ran.out()).expect("what is there").result;
    assert_eq!(result.crash_matrices[0].verdict, Verdict::Unsafe);
    assert_eq!(ending(&result), ExitStatus::Unproven, "{:#?}", result.crash_matrices[0]);
}

#[tokio::test]
async fn a_run_that_ends_in_its_first_trial_says_what_is_missing() {
    let ran = Ran::of(&format!("{STATES}{CRASH}"), Work::All, interrupted(1)).await;
    let result = ResultFile::read(&ran.out()).expect("a result from the start");
    assert!(!result.finished);
    let paths: Vec<_> = result.planned.trials.iter().map(|t| t.path.as_str()).collect();
    assert_eq!(paths, ["spans/base", "spans/fewer"]);
    assert_eq!(result.planned.crash_matrices[0].cases, None);
    let told = result.broken_off().expect("a sentence");
    assert!(told.ends_with(": spans from base; spans from fewer; spans, crash matrix"), "{told}");
}

#[tokio::test]
async fn a_part_of_a_finished_run_is_whole_and_alone_it_is_not() {
    let ran = Ran::of(STATES, Work::Trials, World::default()).await;
    assert_eq!(ran.world.log().iter().filter(|what| *what == "seed 50 rows").count(), 1);
    let part = stored(&ran.out().join("spans/fewer")).expect("one trial").result;
    assert_eq!((part.trials.len(), part.finished), (1, true));
    std::fs::remove_file(ran.out().join("result.json")).unwrap();
    let alone = stored(&ran.out()).expect("two trials").result;
    assert_eq!((alone.trials.len(), alone.finished), (2, false));
    assert_eq!(ending(&alone), ExitStatus::Unproven);
    assert!(alone.broken_off().expect("a sentence").starts_with("there is no result.json"));
}

#[test]
fn sizes_that_are_asked_for_are_the_trials_and_no_case_has_them() {
    let directory = tempfile::tempdir().unwrap();
    let sizes = SizeRequest { rows: vec![("t".to_owned(), 1_000_000)], ..SizeRequest::default() };
    let twice = SizeRequest { scale: Some(2.0), ..SizeRequest::default() };
    let rows = |work, sizes: &SizeRequest| {
        let scenario = scenario(directory.path(), CRASH);
        let request = Request { sizes: sizes.clone(), ..request(scenario, work, None) };
        let plan = Plan::of(&request).expect("a plan");
        let of_unit = |unit: &WorkUnit| match unit {
            WorkUnit::Trials(specs) => specs[0].sizes.rows("t"),
            WorkUnit::Matrix(spec) => spec.base.sizes.rows("t"),
            WorkUnit::Retries(spec) => spec.base.sizes.rows("t"),
        };
        plan.units.iter().map(of_unit).collect::<Vec<_>>()
    };
    assert_eq!(rows(Work::All, &sizes), [1_000_000, 20]);
    assert_eq!(rows(Work::All, &twice), [1_000, 20]);
    assert_eq!(rows(Work::Crash, &sizes), [1_000_000]);
    assert_eq!(rows(Work::Crash, &twice), [1_000]);
    assert_eq!(rows(Work::Crash, &SizeRequest::default()), [20]);
}

/// An axis that nothing else knows of.
fn weather() -> AxisValues {
    let sun = AxisValue::new("sun", |_| {});
    let rain = AxisValue::new("rain", |spec| {
        spec.scenario.traffic.rate = Rate::PerS(5.0);
    });
    AxisValues { axis: Axis::named("weather"), values: vec![sun, rain] }
}

fn in_all_weather(request: &Request) -> Plan {
    let specs = expand(&request.scenarios[0], request).expect("trials");
    let specs = specs.iter().flat_map(|spec| product(spec, &[weather()], 2)).collect();
    Plan::new(units_of(specs), request.scenarios.clone())
}

#[tokio::test]
async fn a_new_axis_needs_no_code_where_trials_are_planned_executed_and_stored() {
    let ran = Ran::of_plan(STATES, Work::Trials, World::default(), in_all_weather).await;
    let result = ran.result();
    let plan = [
        "spans, weather sun",
        "spans, weather rain",
        "spans, weather sun, repetition 2",
        "spans, weather rain, repetition 2",
    ];
    assert_eq!(result.plan, plan);
    let labels: Vec<&str> = result.planned.trials.iter().map(|t| t.label.as_str()).collect();
    assert_eq!(labels[..2], ["spans from base, weather sun", "spans from fewer, weather sun"]);
    assert_eq!(labels.len(), 8);
    let last = result.planned.trials.last().expect("a trial");
    assert_eq!(last.path, "spans/fewer/weather-rain/repetition-2");
    assert_eq!(last.key.get(&Axis::named("weather")), Some("rain"));
    let json = serde_json::to_value(&last.key).unwrap();
    assert_eq!(json["axes"][1], serde_json::json!({"axis": "weather", "value": "rain"}));
    let history = History::read(&ran.out().join(&last.path).join("history.jsonl")).unwrap();
    assert_eq!(history.header.scenario["traffic"]["rate_per_s"], 5.0);
    let again = stored(&ran.out()).expect("histories").result;
    let keys = |of: &ResultFile| of.trials.iter().map(|j| j.trial.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&again), keys(result));
    assert_eq!(keys(&again).iter().collect::<std::collections::BTreeSet<_>>().len(), 8);
    let named = "spans from fewer, weather rain, repetition 2";
    assert!(
        report::text(&again, Width::default()).contains(named),
        "{}",
        report::text(&again, Width::default())
    );
    let metrics = report::prometheus(&again);
    assert!(metrics.contains("state=\"fewer\",server=\"17\",weather=\"rain\""), "{metrics}");
    let document = Document { result: &again, timelines: &[], path: "out" };
    let suites = report::suites(&document, &[]);
    assert!(suites.iter().any(|suite| suite.name == named));
}
