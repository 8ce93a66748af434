//! What trials at several sizes say of another size: each trial is made by hand.

use std::collections::BTreeMap;

use pgauntlet::assess::{self, Against};
use pgauntlet::clock::Micros;
use pgauntlet::explain::{self, explain};
use pgauntlet::judge::observe;
use pgauntlet::pg::LockMode;
use pgauntlet::result::{
    ChangeAssessment, Judgement, Leftover, PredictedPool, Prediction, ReplayedStall, ResultFile,
};
use pgauntlet::scenario::{
    FindingKind, OperationStatement, Scenario, StoredScenario, Verdict, size_name,
};
use pgauntlet::stats::Law;
use pgauntlet::trial::{Axis, TrialKey};
use rstest::rstest;

use crate::made::Made;
use crate::sent::{Sent, by_command, sent};

const SIZES: [u64; 4] = [125_000, 250_000, 500_000, 1_000_000];
const BUILD: &str = "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON spans (task_id)";
const CHECK: &str = "ALTER TABLE spans ADD CONSTRAINT c CHECK (id IS NOT NULL)";
const CATALOGUE: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";

/// Milliseconds at a million rows, in proportion to them.
fn linear(ms: u64) -> impl Fn(u64) -> u64 {
    move |rows| ms * rows / 1_000_000
}

/// A trial of the change at that size.
fn trial(rows: u64, statements: Vec<Sent>) -> (Scenario, Judgement) {
    let mut made: Made = by_command(1);
    let sql = "INSERT INTO spans (id) VALUES (1)".to_owned();
    let insert = OperationStatement { sql, placeholders: Vec::new(), place: None };
    made.scenario.traffic.operations[0].statements = vec![insert];
    statements.into_iter().for_each(|statement| statement.add_to(&mut made));
    let scenario = made.scenario.clone();
    let mut history = made.history();
    history.header.trial.key = TrialKey::new("made").with(Axis::SIZE, size_name(rows));
    history.header.trial.sizes = [("spans".to_owned(), rows)].into();
    let judged = assess::trial(&scenario, observe(&scenario, &history), Against::Nothing);
    (scenario, explain(judged))
}

/// Of trials at each size, asked about so many rows.
fn assessed(at: Option<u64>, of: impl Fn(u64) -> Vec<Sent>) -> ChangeAssessment {
    let trials: Vec<_> = SIZES.map(|rows| trial(rows, of(rows))).into();
    let scenario = StoredScenario::from(&trials[0].0);
    let at: BTreeMap<String, u64> = at.map(|rows| ("spans".to_owned(), rows)).into_iter().collect();
    let mut result = ResultFile {
        trials: trials.into_iter().map(|(_, judgement)| judgement).collect(),
        scenarios: [("made".to_owned(), scenario)].into(),
        at,
        finished: true,
        ..ResultFile::empty()
    };
    explain::assessed(&mut result);
    result.changes.remove(0)
}

fn prediction(change: &ChangeAssessment) -> &Prediction {
    change.prediction.as_ref().expect("a prediction")
}

/// A build that runs by itself, under 30 s.
fn build(rows: u64) -> Vec<Sent> {
    vec![sent(0, 5_000, 5_000 + linear(1_200)(rows), BUILD).timeouts(3_000, 30_000)]
}

#[test]
fn a_timeout_is_reached_between_two_sizes_and_what_is_left_is_said() {
    let change = assessed(Some(24_000_000), build);
    let of = prediction(&change);
    let [growth] = of.statements.as_slice() else { panic!("{of:?}") };
    assert_eq!((growth.law, growth.table.as_str()), (Some(Law::Linear), "spans"));
    let timeout = growth.timeout.as_ref().expect("a timeout");
    let to_rows = timeout.to_rows.expect("it is sure from there on");
    assert!((8_000_000..24_000_000).contains(&timeout.from_rows), "{timeout:?}");
    assert!((25_000_000..100_000_000).contains(&to_rows), "{timeout:?}");
    let chance = timeout.chance.expect("a chance");
    assert!((0.25..=0.6).contains(&chance), "{chance}");
    assert_eq!(timeout.leaves, Leftover::HiddenInvalidIndex);
    assert_eq!((change.verdict, of.verdict), (Verdict::Unsafe, Some(Verdict::Unsafe)));
    assert!(!change.as_expected, "safe was expected");
    assert_eq!(change.decided_by, None);
    for part in [
        "unsafe at 24M rows of spans: predicted from 125k, 250k, 500k, 1M rows",
        "reaches its statement_timeout of 30 s between",
        "which leaves an INVALID index that IF NOT EXISTS then takes for done",
    ] {
        assert!(change.reason.contains(part), "{part}: {}", change.reason);
    }
}

#[rstest]
#[case::far_below(Some(4_000_000), Verdict::Safe)]
#[case::nothing_is_asked(None, Verdict::Safe)]
#[case::far_above(Some(200_000_000), Verdict::Unsafe)]
fn only_a_size_that_is_asked_about_makes_a_change_unsafe(
    #[case] at: Option<u64>,
    #[case] verdict: Verdict,
) {
    let change = assessed(at, build);
    assert_eq!(change.verdict, verdict);
    let found = change.findings.iter().find(|f| f.kind == FindingKind::PredictedTimeout);
    // The sizes between which it happens are said in any case.
    assert_eq!(found.expect("a finding").verdict, verdict);
    assert_eq!(prediction(&change).verdict.is_some(), at.is_some());
}

#[test]
fn without_a_timeout_no_size_is_too_large_for_a_build_that_stops_nobody() {
    let free = |rows| vec![sent(0, 5_000, 5_000 + linear(1_200)(rows), BUILD)];
    let change = assessed(Some(24_000_000), free);
    let of = prediction(&change);
    assert_eq!((change.verdict, of.verdict), (Verdict::Safe, Some(Verdict::Safe)));
    let [growth] = of.statements.as_slice() else { panic!("{of:?}") };
    let [low, _, high] = growth.took.micros();
    assert!(low < Micros::from_millis(28_800) && high > Micros::from_millis(28_800));
    assert!(of.holds.is_empty(), "{of:?}");
}

/// A scan under AccessExclusiveLock, with a catalogue change before it in its transaction.
fn scan(ms_at_a_million: u64) -> impl Fn(u64) -> Vec<Sent> {
    move |rows| {
        let until = 5_002 + linear(ms_at_a_million)(rows);
        let strong = LockMode::AccessExclusiveLock;
        vec![
            sent(0, 5_000, 5_001, "BEGIN").status("it"),
            sent(1, 5_001, 5_002, CATALOGUE).inside().holds("spans", strong).takes("spans", strong),
            sent(2, 5_002, until, CHECK).inside().holds("spans", strong),
            sent(3, until, until + 1, "COMMIT").status("ti").tag("COMMIT"),
        ]
    }
}

#[test]
fn a_lock_that_is_short_here_is_a_stall_at_the_size_that_is_asked_about() {
    let change = assessed(Some(24_000_000), scan(400));
    let of = prediction(&change);
    assert_eq!(change.verdict, Verdict::Unsafe);
    let [hold] = of.holds.as_slice() else { panic!("{of:?}") };
    assert_eq!((hold.relation.as_str(), hold.mode), ("spans", LockMode::AccessExclusiveLock));
    let [low, mid, high] = hold.held.micros();
    assert!(low < mid && mid < high && mid > Micros::from_secs(7), "{low} {mid} {high}");
    assert!(hold.chance > 0.99, "{}", hold.chance);
    let pool = hold.pool.as_ref().expect("what becomes of the pool");
    assert!(pool.waiting > 0 && pool.exhausted_after_us.is_some(), "{pool:?}");
    let found = change.findings.iter().find(|f| f.kind == FindingKind::PredictedStall);
    let found = found.expect("a finding");
    let remedy = found.remedy.as_deref().unwrap_or_default();
    assert!(found.sentence.contains("is held"), "{}", found.sentence);
    assert!(!remedy.is_empty());
}

#[test]
fn a_scan_that_stays_within_the_limit_is_told_as_such() {
    let change = assessed(Some(24_000_000), scan(4));
    let of = prediction(&change);
    assert_eq!((change.verdict, of.verdict), (Verdict::Safe, Some(Verdict::Safe)));
    assert!(change.findings.iter().all(|f| f.kind != FindingKind::PredictedStall));
}

#[test]
fn a_prediction_never_makes_an_unsafe_change_safe() {
    let blocked = |rows| {
        let mut made = Made::with_change();
        made.statement(0, 5_000, 9_000, CATALOGUE, true);
        made.blocked_by_change(5_500, 9_000);
        let scenario = made.scenario.clone();
        let mut history = made.history();
        history.header.trial.key = TrialKey::new("made").with(Axis::SIZE, size_name(rows));
        history.header.trial.sizes = [("spans".to_owned(), rows)].into();
        let judged = assess::trial(&scenario, observe(&scenario, &history), Against::Nothing);
        (StoredScenario::from(&scenario), explain(judged))
    };
    let trials = SIZES.map(blocked);
    let mut result = ResultFile {
        scenarios: [("made".to_owned(), trials[0].0.clone())].into(),
        trials: trials.into_iter().map(|(_, judgement)| judgement).collect(),
        at: [("spans".to_owned(), 130_000)].into(),
        finished: true,
        ..ResultFile::empty()
    };
    explain::assessed(&mut result);
    let change = &result.changes[0];
    assert_eq!(change.verdict, Verdict::Unsafe);
    assert_eq!(prediction(change).verdict, Some(Verdict::Unsafe));
}

#[test]
fn two_sizes_say_nothing_of_a_third() {
    let trials: Vec<_> = SIZES[..2].iter().map(|rows| trial(*rows, build(*rows))).collect();
    let scenario = StoredScenario::from(&trials[0].0);
    let mut result = ResultFile {
        trials: trials.into_iter().map(|(_, judgement)| judgement).collect(),
        scenarios: [("made".to_owned(), scenario)].into(),
        at: [(String::new(), 24_000_000)].into(),
        finished: true,
        ..ResultFile::empty()
    };
    explain::assessed(&mut result);
    let change = &result.changes[0];
    assert_eq!((change.verdict, change.as_expected), (Verdict::Unproven, false));
    assert!(change.reason.starts_with("nothing is predicted at 24M rows"), "{}", change.reason);
}

#[test]
fn a_model_of_the_pool_that_misses_a_trial_by_more_than_a_fifth_says_so() {
    let stall = |after_ms: Option<u64>, failing| ReplayedStall {
        rows: 1_000_000,
        relation: "spans".to_owned(),
        held_us: Micros::from_secs(8),
        exhausted_after_us: Some(Micros::from_millis(200)),
        failed: 100,
        replayed: PredictedPool {
            exhausted_after_us: after_ms.map(Micros::from_millis),
            waiting: 0,
            failing,
            recovery_us: Micros::ZERO,
        },
    };
    let close = explain::replayed_stall(&stall(Some(170), 110));
    assert_eq!(
        close,
        "the model of the pool, for the stall of 8.00 s on spans at 1M rows: every connection is \
         taken after 170 ms and 110 operations fail; measured: after 200 ms, and 100"
    );
    for off in [stall(Some(150), 100), stall(Some(200), 130), stall(None, 100)] {
        let sentence = explain::replayed_stall(&off);
        assert!(sentence.ends_with("; what it says of another size is as far off"), "{sentence}");
    }
}
