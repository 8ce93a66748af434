//! Two results side by side, judged with the noise in mind: a pure function.
//!
//! Both sides are baselines: samples of each metric over the repetitions of each trial. It reads no
//! file and renders nothing.
//!
//! Each metric is tested at p < 0.01. A procedure that shares one alpha among a dozen metrics could
//! never find a single one that is worse in five against five, where the smallest p is 0.008. What
//! that costs, measured on synthetic pairs with noise of 5 to 20 %: without any difference 1.5 to
//! 3.3 % of comparisons call something worse, also on a machine of half or twice the speed; with
//! noise of 10 % a change that takes 1.5 times as long is missed in 15 %, twice as long in none.
//! docs/compare.md has the tables, `tests/pure/compare.rs` holds them.

mod baseline;
mod comparison;
mod evidence;
mod facts;
mod lines;
mod measured;
mod metric;

pub use baseline::{
    BASELINE_FORMAT, Baseline, BaselineError, Circumstances, MatrixSamples, Seen, TrialSamples,
    trial_name,
};
pub use comparison::{
    COMPARISON_FORMAT, Comparison, CrashPair, Delta, Fact, Interval, Machine, MetricRow, Options,
    Overall, Pair, Sample, Side, tally,
};
pub use metric::{METRICS, Metric, Speed, Unit};

use crate::assess::Pairing;
use crate::trial::{Axis, TrialKey};

use comparison::worst_delta;
use evidence::Resampler;
use measured::Slowness;
use metric::{STATEMENT, metric};

/// B against A.
pub fn compare(a: (&str, &Baseline), b: (&str, &Baseline), options: &Options) -> Comparison {
    let (side_a, side_b) = (side(a.0, a.1), side(b.0, b.1));
    let (a, b) = (a.1, b.1);
    let pairing = Pairing::of(keys_of(a), keys_of(b));
    let trials = pairing.pair(trials_of(a), trials_of(b));
    let matrices = pairing.pair(matrices_of(a), matrices_of(b));
    let pairs: Vec<Pair> = trials
        .pairs
        .iter()
        .map(|((key_a, a), (key_b, b))| pair(pair_name(key_a, key_b), a, b, options))
        .collect();
    let crash_matrices: Vec<CrashPair> = matrices
        .pairs
        .iter()
        .map(|((key_a, a), (key_b, b))| facts::of_matrices(pair_name(key_a, key_b), a, b))
        .collect();
    let alone = |trials: &[&TrialKey], matrices: &[&TrialKey]| -> Vec<String> {
        let matrices = matrices.iter().map(|key| format!("{}, crash matrix", trial_name(key)));
        trials.iter().map(|key| trial_name(key)).chain(matrices).collect()
    };
    let only_in_a = alone(&trials.only_in_a, &matrices.only_in_a);
    let only_in_b = alone(&trials.only_in_b, &matrices.only_in_b);
    let mut notes = notes(&pairing);
    if side_a.tools != side_b.tools {
        notes.push("the two sides were measured with different versions of pgauntlet".to_owned());
    }
    let mut comparison = Comparison {
        pgauntlet_comparison: COMPARISON_FORMAT,
        overall: Overall::NoRegression,
        reason: String::new(),
        a: side_a,
        b: side_b,
        how: *options,
        pairs,
        crash_matrices,
        only_in_a,
        only_in_b,
        notes,
    };
    (comparison.overall, comparison.reason) = overall(&comparison);
    comparison
}

fn trials_of(of: &Baseline) -> impl Iterator<Item = (&TrialKey, &TrialSamples)> + Clone {
    of.trials.values().map(|trial| (&trial.key, trial))
}

fn matrices_of(of: &Baseline) -> impl Iterator<Item = (&TrialKey, &MatrixSamples)> + Clone {
    of.crash_matrices.values().map(|matrix| (&matrix.key, matrix))
}

fn keys_of(of: &Baseline) -> impl Iterator<Item = &TrialKey> + Clone {
    trials_of(of).map(|(key, _)| key).chain(matrices_of(of).map(|(key, _)| key))
}

/// What the two sides differ in as a whole, a sentence each.
fn notes(pairing: &Pairing) -> Vec<String> {
    let scenarios = pairing
        .scenarios()
        .map(|(a, b)| format!("two scenarios are compared: {a} (A) and {b} (B)"));
    let axes = pairing.differences().map(|(axis, a, b)| match *axis == Axis::SERVER {
        true => format!("two majors are compared: PostgreSQL {a} (A) and {b} (B)"),
        false => format!("two values of {axis} are compared: {a} (A) and {b} (B)"),
    });
    scenarios.into_iter().chain(axes).collect()
}

/// What both are called; where they differ, both values.
fn pair_name(a: &TrialKey, b: &TrialKey) -> String {
    let both = |a: &str, b: &str| if a == b { a.to_owned() } else { format!("{a} and {b}") };
    let mut key = TrialKey::new(both(&a.scenario, &b.scenario));
    for (axis, value) in a.axes() {
        key = key.with(axis.clone(), both(value, b.get(axis).unwrap_or(value)));
    }
    trial_name(&key)
}

fn side(name: &str, of: &Baseline) -> Side {
    let matrices = of.crash_matrices.values().map(|matrix| &matrix.with);
    let with: Vec<&Circumstances> =
        of.trials.values().map(|trial| &trial.with).chain(matrices).collect();
    let set = |of: fn(&Circumstances) -> &std::collections::BTreeSet<String>| -> Vec<String> {
        let all = with.iter().flat_map(|with| of(with).iter().cloned());
        all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    };
    Side {
        name: name.to_owned(),
        tools: set(|with| &with.tools),
        machines: set(|with| &with.machines),
        first_at: with.iter().map(|with| with.first_at.clone()).min().unwrap_or_default(),
        last_at: with.iter().map(|with| with.last_at.clone()).max().unwrap_or_default(),
    }
}

fn pair(name: String, a: &TrialSamples, b: &TrialSamples, options: &Options) -> Pair {
    let mut resampler = Resampler::new(options.rng_seed, options.resamples);
    let slowness = Slowness::of(&a.control_us, &b.control_us, options, &mut resampler);
    let mut metrics = Vec::new();
    if a.with.sizes == b.with.sizes {
        for (key, metric) in keys(a, b) {
            if let (Some(of_a), Some(of_b)) = (a.samples.get(&key), b.samples.get(&key)) {
                // What happened on neither side is not worth a row.
                if of_a.iter().chain(of_b).any(Option::is_some) {
                    let sides = (of_a.as_slice(), of_b.as_slice());
                    let row =
                        measured::row((&key, &metric), sides, &slowness, options, &mut resampler);
                    metrics.push(row);
                }
            }
        }
    }
    // Longer, as numbers say it, whatever the machine: then it is no excuse.
    let slower = slowness.is_slower(options) && metrics.iter().all(|row| row.delta != Delta::Worse);
    let facts = facts::of_trials(a, b, slower);
    let deltas = facts.iter().map(|f| f.delta).chain(metrics.iter().map(|m| m.delta));
    Pair {
        name,
        a: trial_name(&a.key),
        b: trial_name(&b.key),
        repetitions_a: a.repetitions,
        repetitions_b: b.repetitions,
        machine: slowness.machine(&a.control_us, &b.control_us, options),
        delta: worst_delta(deltas),
        facts,
        metrics,
    }
}

/// Keys of both sides in the order of a report, statements last.
fn keys(a: &TrialSamples, b: &TrialSamples) -> Vec<(String, Metric)> {
    let mut keys: Vec<(String, Metric)> =
        METRICS.iter().map(|metric| (metric.key.to_owned(), *metric)).collect();
    let both = a.samples.keys().filter(|key| b.samples.contains_key(*key));
    let statements = both.filter(|key| key.starts_with(STATEMENT.key));
    keys.extend(statements.filter_map(|key| metric(key).map(|metric| (key.clone(), metric))));
    keys
}

/// A trial of A that B does not have is missing evidence; a new one of B is none.
fn overall(comparison: &Comparison) -> (Overall, String) {
    let of_pairs = comparison.pairs.iter().flat_map(|pair| {
        let facts = pair.facts.iter().map(|fact| fact.delta);
        facts.chain(pair.metrics.iter().map(|row| row.delta))
    });
    let of_cells = comparison.crash_matrices.iter().flat_map(|pair| &pair.facts);
    let deltas: Vec<Delta> = of_pairs.chain(of_cells.map(|fact| fact.delta)).collect();
    let count = |of| deltas.iter().filter(|delta| **delta == of).count();
    let (worse, undecided) = (count(Delta::Worse), count(Delta::Undecided));
    let missing = comparison.only_in_a.len();
    let overall = match () {
        () if worse > 0 => Overall::Regression,
        () if undecided + missing > 0 || deltas.is_empty() => Overall::Undecided,
        () => Overall::NoRegression,
    };
    let mut reason = format!("{} facts and numbers: {}", deltas.len(), tally(&deltas));
    if missing > 0 {
        reason.push_str(&format!("; B lacks {missing} of A's trials"));
    }
    if deltas.is_empty() {
        "no trial is on both sides".clone_into(&mut reason);
    }
    (overall, reason)
}
