//! What a comparison says, and how often it is wrong: synthetic pairs with a known difference, and
//! with none.
//!
//! docs/compare.md states the rates of 400 comparisons per row; the bounds here are looser, for
//! fewer. `PGAUNTLET_COMPARISONS=400 cargo test --test pure compare::rates -- --nocapture` prints
//! them.

use std::collections::BTreeMap;

use pgauntlet::compare::{
    Baseline, BaselineError, Comparison, Delta, Options, Overall, Seen, TrialSamples, compare,
};
use pgauntlet::report::{Width, comparison_markdown, comparison_text};
use pgauntlet::scenario::{FindingKind, Verdict};
use pgauntlet::trial::{Axis, TrialKey};
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rstest::rstest;

use crate::synthetic;
use crate::synthetic::{Made, made, rates, side, trial};

/// Enough for the bounds; how many are drawn decides how long the test takes.
fn comparisons() -> u64 {
    let wanted = std::env::var("PGAUNTLET_COMPARISONS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(40)
}

fn measured(a: Made, b: Made) -> synthetic::Rates {
    let rates = rates(a, b, &Options::default(), comparisons());
    println!(
        "{} against {}, noise {}, slower {}, change {}: {rates:?}",
        a.repetitions, b.repetitions, a.noise, b.slower, b.change
    );
    rates
}

#[rstest]
fn rates_of_false_alarms_are_as_stated(
    #[values((5, 5), (5, 10))] sizes: (usize, usize),
    #[values(0.05, 0.1, 0.2)] noise: f64,
    #[values(1.0, 2.0, 0.5)] slower: f64,
) {
    let rates = measured(made(sizes.0, noise), made(sizes.1, noise).slower(slower));
    assert!(rates.worse_per_metric <= 0.02, "{rates:?}");
    assert!(rates.worse_per_comparison <= 0.15, "{rates:?}");
}

/// How large a share is missed: noise, how many times slower the change is, at most.
#[rstest]
#[case::a_fifth_in_little_noise(5, 0.05, 1.2, 0.45)]
#[case::a_fifth_in_some_noise(5, 0.1, 1.2, 0.95)]
#[case::a_half_in_some_noise(5, 0.1, 1.5, 0.35)]
#[case::a_half_in_much_noise(5, 0.2, 1.5, 0.95)]
#[case::twice_in_some_noise(5, 0.1, 2.0, 0.05)]
#[case::twice_in_much_noise(5, 0.2, 2.0, 0.45)]
#[case::a_fifth_in_little_noise_against_ten(10, 0.05, 1.2, 0.3)]
#[case::a_fifth_in_some_noise_against_ten(10, 0.1, 1.2, 0.95)]
#[case::a_half_in_some_noise_against_ten(10, 0.1, 1.5, 0.25)]
#[case::a_half_in_much_noise_against_ten(10, 0.2, 1.5, 0.9)]
#[case::twice_in_much_noise_against_ten(10, 0.2, 2.0, 0.35)]
fn rates_of_misses_are_as_stated(
    #[case] repetitions: usize,
    #[case] noise: f64,
    #[case] change: f64,
    #[case] missed_max: f64,
) {
    let rates = measured(made(5, noise), made(repetitions, noise).change(change));
    assert!(1.0 - rates.change_worse <= missed_max, "{rates:?}");
}

/// On a machine of half the speed a change that takes half again as long takes three times as long.
#[test]
fn rates_of_misses_are_the_same_on_a_machine_of_half_the_speed() {
    let rates = measured(made(5, 0.1), made(5, 0.1).slower(2.0).change(1.5));
    assert!(1.0 - rates.change_worse <= 0.35, "{rates:?}");
}

/// On a machine of twice the speed a change that is twice as slow takes as long as before.
#[test]
fn rates_of_what_a_faster_machine_hides_are_undecided_and_never_the_same() {
    let rates = measured(made(5, 0.05), made(5, 0.05).slower(0.5).change(2.0));
    assert!(rates.change_worse + rates.change_undecided >= 0.95, "{rates:?}");
}

/// One metric of one trial on both sides, with the control's readings.
fn compared(
    key: &str,
    a: &[Option<u64>],
    b: &[Option<u64>],
    controls: (&[u64], &[u64]),
) -> Comparison {
    let one = |values: &[Option<u64>], control: &[u64]| {
        let samples = BTreeMap::from([(key.to_owned(), values.to_vec())]);
        let control_us = control.to_vec();
        side([TrialSamples { samples, control_us, ..trial(values.len() as u64) }])
    };
    compare(("a", &one(a, controls.0)), ("b", &one(b, controls.1)), &Options::default())
}

fn seconds(of: &[u64]) -> Vec<Option<u64>> {
    of.iter().map(|s| Some(s * 1_000_000)).collect()
}

/// Delta and reason of the only metric.
fn judged(comparison: &Comparison) -> (Delta, &str) {
    let row = &comparison.pairs[0].metrics[0];
    (row.delta, &row.why)
}

const FAST: [u64; 5] = [20_000, 20_100, 20_200, 20_300, 20_400];
const SLOW: [u64; 5] = [40_000, 40_200, 40_400, 40_600, 40_800];

#[test]
fn twice_as_long_on_a_machine_of_half_the_speed_is_the_same_and_told() {
    let (a, b) = (seconds(&[30, 31, 32, 33, 34]), seconds(&[60, 62, 64, 66, 68]));
    let comparison = compared("change", &a, &b, (&FAST, &SLOW));
    let (delta, why) = judged(&comparison);
    assert_eq!(delta, Delta::Same);
    assert!(why.contains("2.00 times slower") && why.contains("no regression"), "{why}");
    assert_eq!(comparison.overall, Overall::NoRegression);
}

#[test]
fn twice_as_long_on_the_same_machine_is_worse_and_the_other_way_round_better() {
    let (a, b) = (seconds(&[30, 31, 32, 33, 34]), seconds(&[60, 62, 64, 66, 68]));
    let comparison = compared("change", &a, &b, (&FAST, &FAST));
    assert_eq!((judged(&comparison).0, comparison.overall), (Delta::Worse, Overall::Regression));
    assert_eq!(judged(&compared("change", &b, &a, (&FAST, &FAST))).0, Delta::Better);
}

/// A timeout that bounds a stall is as long on every machine.
#[test]
fn what_takes_as_long_on_a_machine_of_twice_the_speed_is_undecided() {
    let a = seconds(&[30, 31, 32, 33, 34]);
    let comparison = compared("longest-stall", &a, &a, (&SLOW, &FAST));
    assert_eq!(judged(&comparison).0, Delta::Undecided);
    let slower = compared("longest-stall", &a, &a, (&FAST, &SLOW));
    assert_eq!(judged(&slower).0, Delta::Same);
}

#[test]
fn too_few_repetitions_are_undecided_with_a_remedy_also_where_nothing_differs() {
    for n in [1, 3, 4] {
        let a = vec![Some(0); n];
        let comparison = compared("acquire-timeouts", &a, &a, (&FAST, &FAST));
        let (delta, why) = judged(&comparison);
        assert_eq!(delta, Delta::Undecided, "{n}");
        assert!(why.contains("--repeat 5"), "{why}");
        assert_eq!(comparison.overall, Overall::Undecided);
    }
}

#[test]
fn without_a_control_times_are_compared_as_measured_and_that_is_said() {
    let (a, b) = (seconds(&[30, 31, 32, 33, 34]), seconds(&[60, 62, 64, 66, 68]));
    let comparison = compared("change", &a, &b, (&[], &[]));
    assert_eq!(judged(&comparison).0, Delta::Worse);
    assert!(comparison.pairs[0].machine.text.contains("control is missing"));
}

#[test]
fn a_difference_below_the_floor_is_none() {
    let ms = |of: [u64; 5]| of.map(|ms| Some(ms * 1_000)).to_vec();
    let (a, b) = (ms([1, 2, 3, 4, 5]), ms([41, 42, 43, 44, 45]));
    assert_eq!(judged(&compared("p99-during", &a, &b, (&FAST, &FAST))).0, Delta::Same);
}

#[test]
fn from_none_to_some_is_worse_and_what_never_comes_back_too() {
    let (none, some) = (vec![Some(0); 5], [7, 8, 9, 10, 11].map(Some).to_vec());
    let comparison = compared("acquire-timeouts", &none, &some, (&FAST, &FAST));
    assert_eq!(judged(&comparison).0, Delta::Worse);
    assert_eq!(comparison.pairs[0].metrics[0].ratio, None);
    let (soon, never) = (seconds(&[1, 2, 2, 3, 4]), vec![None; 5]);
    assert_eq!(judged(&compared("recovery", &soon, &never, (&FAST, &FAST))).0, Delta::Worse);
    // Here later is better.
    let exhausted = compared("time-to-exhaustion", &soon, &never, (&FAST, &FAST));
    assert_eq!(judged(&exhausted).0, Delta::Better);
}

/// With more timeouts than a machine's speed explains in proportion, it may still explain them.
#[test]
fn what_a_limit_of_time_counts_is_undecided_on_a_slower_machine() {
    let (none, some) = (vec![Some(0); 5], [7, 8, 9, 10, 11].map(Some).to_vec());
    let comparison = compared("acquire-timeouts", &none, &some, (&FAST, &SLOW));
    assert_eq!(judged(&comparison).0, Delta::Undecided);
    let doubled = [14, 16, 18, 20, 22].map(Some).to_vec();
    let stalled = compared("stalled-operations", &some, &doubled, (&FAST, &SLOW));
    assert_eq!(judged(&stalled).0, Delta::Same);
}

fn found(kind: FindingKind, verdict: Verdict, control_us: &[u64]) -> Baseline {
    side([TrialSamples {
        verdicts: BTreeMap::from([(verdict, 1)]),
        findings: BTreeMap::from([(kind, Seen { verdict, repetitions: 1 })]),
        control_us: control_us.to_vec(),
        ..trial(1)
    }])
}

#[test]
fn a_worse_verdict_and_a_new_unsafe_finding_are_regressions_after_one_repetition() {
    let lost = found(FindingKind::LostWrite, Verdict::Unsafe, &SLOW);
    let calm = side([TrialSamples { control_us: FAST.to_vec(), ..trial(1) }]);
    let comparison = compare(("a", &calm), ("b", &lost), &Options::default());
    assert_eq!(comparison.overall, Overall::Regression);
    let facts = &comparison.pairs[0].facts;
    let worse: Vec<&str> =
        facts.iter().filter(|f| f.delta == Delta::Worse).map(|f| &*f.what).collect();
    assert_eq!(worse, ["verdict", "finding lost-write"]);
    let back = compare(("a", &lost), ("b", &calm), &Options::default());
    assert_eq!(back.overall, Overall::NoRegression);
}

#[test]
fn a_limit_of_time_that_is_broken_on_a_slower_machine_only_is_undecided() {
    let stalled = |control: &[u64]| found(FindingKind::Stall, Verdict::Unsafe, control);
    let calm = side([TrialSamples { control_us: FAST.to_vec(), ..trial(1) }]);
    let overall = |b: &Baseline| compare(("a", &calm), ("b", b), &Options::default()).overall;
    assert_eq!(overall(&stalled(&SLOW)), Overall::Undecided);
    assert_eq!(overall(&stalled(&FAST)), Overall::Regression);
}

#[test]
fn what_a_slower_machine_no_longer_finds_is_a_regression() {
    let lost = found(FindingKind::LostWrite, Verdict::Unsafe, &FAST);
    let mut silent = TrialSamples { control_us: SLOW.to_vec(), ..trial(1) };
    silent.as_expected = 0;
    let comparison = compare(("a", &lost), ("b", &side([silent])), &Options::default());
    let facts = &comparison.pairs[0].facts;
    let of = |what: &str| facts.iter().find(|f| f.what == what).map(|f| f.delta);
    assert_eq!(of("as expected"), Some(Delta::Worse), "{facts:?}");
}

#[test]
fn a_trial_without_an_answer_on_either_side_is_undecided() {
    let lag = found(FindingKind::GeneratorLag, Verdict::Unproven, &FAST);
    let calm = side([trial(1)]);
    for (a, b) in [(&lag, &calm), (&calm, &lag), (&lag, &lag)] {
        let comparison = compare(("a", a), ("b", b), &Options::default());
        assert_eq!(comparison.overall, Overall::Undecided);
    }
}

fn named(scenario: &str, state: &str, server_major: u32) -> TrialSamples {
    let mut named = trial(1);
    named.key = TrialKey::new(scenario)
        .with(Axis::STATE, state)
        .with(Axis::SERVER, server_major.to_string());
    named
}

#[test]
fn an_original_and_its_fix_are_a_pair_and_two_majors_are_too() {
    let (a, b) = (side([named("original", "base", 15)]), side([named("fix", "base", 17)]));
    let comparison = compare(("a", &a), ("b", &b), &Options::default());
    assert_eq!(comparison.pairs.len(), 1);
    assert_eq!(comparison.notes.len(), 2, "{:?}", comparison.notes);
}

#[test]
fn what_stands_on_one_side_only_is_listed_and_what_is_gone_is_undecided() {
    let a = side([named("one", "base", 16), named("two", "base", 16)]);
    let b = side([named("one", "base", 16), named("three", "base", 16)]);
    let comparison = compare(("a", &a), ("b", &b), &Options::default());
    assert_eq!(comparison.only_in_a, ["two / base / pg 16"]);
    assert_eq!(comparison.only_in_b, ["three / base / pg 16"]);
    assert_eq!(comparison.overall, Overall::Undecided);
    let grown = compare(("a", &side([named("one", "base", 16)])), ("b", &a), &Options::default());
    assert_eq!(grown.overall, Overall::NoRegression);
}

#[test]
fn a_baseline_is_read_as_it_was_written_a_list_to_a_line() {
    let mut rng = <rand::rngs::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(1);
    let mut baseline = side([made(3, 0.1).trial(&mut rng)]);
    baseline.merge(side([made(2, 0.1).trial(&mut rng)])).expect("one size");
    let samples = &baseline.trials["add-index / base / pg 16"];
    assert_eq!((samples.repetitions, samples.samples["wal"].len()), (5, 5));
    let text = baseline.to_text();
    assert!(text.lines().any(|l| l.contains("\"wal\": [") && l.ends_with(']')), "{text}");
    assert_eq!(Baseline::parse(&text).expect("a baseline"), baseline);
}

#[test]
fn a_baseline_of_version_1_is_still_read() {
    let text = r#"{
        "pgauntlet_baseline": 1,
        "trials": { "add-index / base / pg 16": {
            "identity": { "scenario": "add-index", "state": "base", "server_major": 16 },
            "with": { "tools": [], "machines": [], "first_at": "", "last_at": "", "sizes": {} },
            "repetitions": 1, "as_expected": 1, "verdicts": { "safe": 1 }, "findings": {},
            "control_us": [], "samples": { "wal": [7] }
        } },
        "crash_matrices": {}
    }"#;
    let baseline = Baseline::parse(text).expect("a baseline of version 1");
    let key = &baseline.trials["add-index / base / pg 16"].key;
    assert_eq!(key.to_string(), "add-index from base on PostgreSQL 16");
    let again = Baseline::parse(&baseline.to_text()).expect("a baseline of today");
    assert_eq!(again, baseline);
}

#[test]
fn a_baseline_of_a_version_to_come_is_refused_by_its_number() {
    let text = r#"{ "pgauntlet_baseline": 3, "trials": {}, "crash_matrices": {} }"#;
    assert!(matches!(Baseline::parse(text), Err(BaselineError::Version(3))));
}

#[test]
fn samples_of_two_sizes_are_no_baseline_and_are_not_compared() {
    let mut larger = trial(1);
    larger.with.sizes = BTreeMap::from([("spans".to_owned(), 2_000_000)]);
    let mut baseline = side([trial(1)]);
    let comparison = compare(("a", &baseline), ("b", &side([larger.clone()])), &Options::default());
    assert_eq!(comparison.overall, Overall::Undecided);
    assert!(matches!(baseline.merge(side([larger])), Err(BaselineError::Sizes { .. })));
}

/// As many pairs as a night has, of so many repetitions each.
fn a_night(repetitions: usize) -> Comparison {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut night = || {
        let scenarios = (0..40).map(|n| format!("scenario-{n}"));
        let trials = scenarios.map(|scenario| {
            let mut trial = made(repetitions, 0.01).trial(&mut rng);
            trial.key.scenario = scenario;
            trial
        });
        side(trials.collect::<Vec<_>>())
    };
    let (a, b) = (night(), night());
    compare(("a", &a), ("b", &b), &Options::default())
}

#[test]
fn of_many_pairs_that_are_the_same_each_takes_one_line() {
    let night = a_night(5);
    assert_eq!(night.overall, Overall::NoRegression);
    let markdown = comparison_markdown(&night);
    assert_eq!(markdown.matches("| same | scenario-").count(), 40);
    assert!(!markdown.contains("<details"), "{markdown}");
    let text = comparison_text(&night, Width::default());
    assert!(text.lines().count() < 60, "{text}");
}

#[test]
fn what_differs_in_a_whole_night_fits_a_comment_and_what_is_left_out_is_counted() {
    let markdown = comparison_markdown(&a_night(1));
    assert!(markdown.len() < 65_536, "{}", markdown.len());
    let told = markdown.matches("<details>").count();
    assert!(told > 10 && told < 40, "{told}");
    assert!(markdown.contains(&format!("{} more are in the report", 40 - told)), "{markdown}");
    assert!(markdown.contains("run both with --repeat 5"), "{markdown}");
}
