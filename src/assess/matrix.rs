//! The crash matrix of a change: what its cases amount to together.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Micros;
use crate::history::{AttemptEnd, ShortTable, StatementId, TrialFacts};
use crate::judge::crash::Undisturbed;
use crate::result::{Case, Expectation, FORMAT, Matrix, RandomFaults};
use crate::scenario::{Crash, Outcome, Scenario, Verdict};
use crate::trial::FaultKind;

/// What making the matrix took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Wall-clock time, in microseconds, from the first case to the last.
    pub took_us: Micros,
    /// Cases that ran at once.
    pub at_once: u32,
}

/// Puts the cases together. They come in the order in which they were planned.
pub fn matrix(
    scenario: &Scenario,
    crash: &Crash,
    (undisturbed, effort): (&Undisturbed, Effort),
    cases: Vec<Case>,
    random: Option<RandomFaults>,
) -> Matrix {
    let outcomes = outcomes(&cases, random.as_ref());
    let earliest = random.as_ref().and_then(|random| random.earliest.as_ref());
    let deadline = Micros::from_millis(scenario.change.deadline_ms);
    let end = undisturbed.end.as_ref();
    let (verdict, reason) = verdict(end, cases.iter().chain(earliest), &outcomes, deadline);
    let (verdict, reason) = with_rows(&undisturbed.short, verdict, reason);
    let expectations = expectations(crash, &outcomes, verdict, &reason);
    let mismatches = Expectation::mismatches(&expectations);
    let injected: BTreeSet<StatementId> =
        cases.iter().map(|case| case.fault.at.statement).collect();
    let rows = undisturbed.statements.iter().filter(|row| injected.contains(&row.id));
    let not_compared: BTreeSet<String> =
        cases.iter().flat_map(|case| case.not_compared.clone()).collect();
    let not_compared = not_compared.into_iter().collect();
    let used = |kind: &&FaultKind| cases.iter().any(|case| case.fault.kind == **kind);
    Matrix {
        format: FORMAT,
        trial: named(&undisturbed.trial, scenario),
        verdict,
        as_expected: mismatches.is_empty(),
        expectations,
        mismatches,
        reason,
        rows: rows.cloned().collect(),
        columns: FaultKind::ALL.iter().filter(used).copied().collect(),
        cases,
        missing: Vec::new(),
        random,
        rounds_left_out: undisturbed.rounds_left_out,
        not_compared,
        outcomes,
        took_us: effort.took_us,
        at_once: effort.at_once,
    }
}

/// The facts of the undisturbed run, under the name of its scenario.
fn named(trial: &TrialFacts, scenario: &Scenario) -> TrialFacts {
    let mut named = trial.clone();
    named.key.scenario.clone_from(&scenario.name);
    named
}

fn outcomes(cases: &[Case], random: Option<&RandomFaults>) -> BTreeMap<Outcome, u64> {
    let earliest = random.and_then(|random| random.earliest.as_ref());
    let mut outcomes = BTreeMap::new();
    for outcome in cases.iter().chain(earliest).filter_map(|case| case.outcome) {
        *outcomes.entry(outcome).or_default() += 1;
    }
    if let Some(random) = random.filter(|random| random.earliest.is_none() && random.injected > 0) {
        *outcomes.entry(Outcome::Clean).or_default() += u64::from(random.injected);
    }
    outcomes
}

/// Nothing is clean that was tried without the rows that were asked for.
fn with_rows(short: &[ShortTable], verdict: Verdict, reason: String) -> (Verdict, String) {
    match short.first() {
        Some(first) if verdict < Verdict::Unproven => {
            let more = match short.len() - 1 {
                0 => String::new(),
                1 => " (and another table is short)".to_owned(),
                more => format!(" (and {more} more tables are short)"),
            };
            let reason = format!("{first} that were asked for, and the change is about it{more}");
            (Verdict::Unproven, reason)
        }
        _ => (verdict, reason),
    }
}

/// A case that does not end clean is unsafe also where a step by hand helps: a rerun failed, and
/// an operator may not know the step.
fn verdict<'c>(
    end: Option<&AttemptEnd>,
    cases: impl Iterator<Item = &'c Case> + Clone,
    outcomes: &BTreeMap<Outcome, u64>,
    deadline: Micros,
) -> (Verdict, String) {
    if !matches!(end, Some(AttemptEnd::Finished { .. })) {
        let how = match end {
            Some(AttemptEnd::Failed { error, .. }) => format!(": {error}"),
            Some(AttemptEnd::DeadlineExceeded) => {
                format!(" within {deadline}, the longest that a case may take")
            }
            _ => String::new(),
        };
        let reason = format!("the change does not finish when nothing disturbs it{how}");
        return (Verdict::Unproven, reason);
    }
    let injected: u64 = outcomes.values().sum();
    let broken = cases.clone().filter(|case| case.broken).count();
    let without = |of_broken: bool| {
        let cases = cases.clone().filter(|case| case.outcome.is_none());
        cases.filter(|case| case.broken == of_broken).count()
    };
    let skipped = match (without(false), without(true)) {
        (0, 0) => String::new(),
        (skipped, 0) => format!(" ({skipped} more could not be injected)"),
        (0, cut) => format!(" ({cut} more have no outcome)"),
        (skipped, cut) => {
            format!(" ({skipped} more could not be injected, {cut} have no outcome)")
        }
    };
    let worst = outcomes.keys().next_back().copied();
    match worst {
        None => (Verdict::Unproven, "no fault could be injected".to_owned()),
        Some(Outcome::Clean) if broken > 0 => {
            let reason = format!("{broken} cases could not be measured to the end");
            (Verdict::Unproven, reason)
        }
        Some(Outcome::Clean) => {
            let reason = format!(
                "after each of {injected} faults a rerun reaches the same schema and rows{skipped}"
            );
            (Verdict::Safe, reason)
        }
        Some(worst) => {
            let example = cases.clone().find(|case| case.outcome == Some(worst));
            let sentence = example.map(|case| case.sentence.clone()).unwrap_or_default();
            let bad = injected - outcomes.get(&Outcome::Clean).copied().unwrap_or(0);
            (
                Verdict::Unsafe,
                format!("{bad} of {injected} faults do not end clean{skipped}: {sentence}"),
            )
        }
    }
}

/// With no outcome declared, every case has to end clean.
fn expectations(
    crash: &Crash,
    outcomes: &BTreeMap<Outcome, u64>,
    verdict: Verdict,
    reason: &str,
) -> Vec<Expectation> {
    if verdict == Verdict::Unproven {
        let expected = "the matrix carries an answer".to_owned();
        return vec![Expectation::new(expected, Some(reason.to_owned()))];
    }
    let silent = crash.expect.is_empty() && crash.may.is_empty();
    let wanted = if silent { vec![Outcome::Clean] } else { crash.expect.clone() };
    let occurs = |outcome: &Outcome| {
        let never = || format!("no case ends with {outcome}, which was expected");
        let never = (!outcomes.contains_key(outcome)).then(never);
        Expectation::new(format!("some case ends with {outcome}"), never)
    };
    let mut expectations: Vec<Expectation> = wanted.iter().map(occurs).collect();
    let strange = |outcome: &Outcome| {
        let there = outcomes.get(outcome).map(|count| {
            let cases = if *count == 1 { "case ends" } else { "cases end" };
            format!("{count} {cases} with {outcome}, which was not expected")
        });
        Expectation::ends_no(*outcome, there)
    };
    let may_not = |o: &&Outcome| !wanted.contains(o) && !crash.may.contains(o);
    expectations.extend(Outcome::ALL.iter().filter(may_not).map(strange));
    expectations
}
