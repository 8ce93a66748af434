//! The crash matrix of a change: what its cases amount to together.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Micros;
use crate::history::{AttemptEnd, ShortTable, StatementId, TrialFacts};
use crate::judge::crash::Undisturbed;
use crate::result::{
    Case, Expectation, FORMAT, Injected, Matrix, MatrixEnding, RandomFaults, Unfinished,
};
use crate::scenario::{Crash, Outcome, Scenario, Verdict};
use crate::trial::FaultKind;

use super::accepted::accepted_crash;

/// What making the matrix took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Wall-clock time, in microseconds, from the first case to the last.
    pub took_us: Micros,
    /// Cases that ran at once.
    pub at_once: u32,
}

/// Puts the cases together. They come in the order in which they were planned. Sentences are left
/// empty: `explain` makes them.
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
    let all = cases.iter().chain(earliest);
    let (verdict, ending) = verdict((end, deadline), all, &outcomes, crash);
    let (verdict, ending) = with_rows(&undisturbed.short, verdict, ending);
    let unclean = cases
        .iter()
        .chain(earliest)
        .filter(|case| case.outcome.is_some_and(|outcome| outcome != Outcome::Clean));
    let files = unclean.map(|case| file_of(undisturbed, case.fault.at.statement));
    let files: Vec<Option<&str>> = files.collect();
    let accepted = accepted_crash(scenario, &undisturbed.trial.started_at, verdict, &files);
    let verdict = if accepted.is_some() { Verdict::Safe } else { verdict };
    let expectations = match accepted {
        // However its cases end: that is what is accepted.
        Some(_) => Vec::new(),
        None => expectations(crash, &outcomes, verdict),
    };
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
        accepted,
        as_expected: expectations.iter().all(|e| e.held),
        expectations,
        mismatches: Vec::new(),
        reason: String::new(),
        ending: Some(ending),
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

/// The file of a statement; None: it is of none.
fn file_of(undisturbed: &Undisturbed, statement: StatementId) -> Option<&str> {
    let row = undisturbed.statements.iter().find(|row| row.id == statement);
    row.and_then(|row| row.statement.file.as_deref())
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
fn with_rows(
    short: &[ShortTable],
    verdict: Verdict,
    ending: MatrixEnding,
) -> (Verdict, MatrixEnding) {
    match short {
        [first, others @ ..] if verdict < Verdict::Unproven => {
            let (first, others) = (first.clone(), others.len() as u64);
            (Verdict::Unproven, MatrixEnding::RowsLeftOut { first, others })
        }
        _ => (verdict, ending),
    }
}

/// A case that does not end clean is unsafe also where a step by hand helps: a rerun failed, and
/// an operator may not know the step. Where the scenario says that it may be so, it is bounded: the
/// failure shows, and the step that is found repairs it.
fn verdict<'c>(
    (end, deadline): (Option<&AttemptEnd>, Micros),
    cases: impl Iterator<Item = &'c Case> + Clone,
    outcomes: &BTreeMap<Outcome, u64>,
    crash: &Crash,
) -> (Verdict, MatrixEnding) {
    if !matches!(end, Some(AttemptEnd::Finished { .. })) {
        let how = match end {
            Some(AttemptEnd::Failed { error, .. }) => Unfinished::Failed((**error).clone()),
            Some(AttemptEnd::DeadlineExceeded) => Unfinished::DeadlineExceeded(deadline),
            _ => Unfinished::Otherwise,
        };
        return (Verdict::Unproven, MatrixEnding::Unfinished(how));
    }
    let broken = cases.clone().filter(|case| case.broken).count() as u64;
    let without = |of_broken: bool| {
        let cases = cases.clone().filter(|case| case.outcome.is_none());
        cases.filter(|case| case.broken == of_broken).count() as u64
    };
    let of = Injected {
        injected: outcomes.values().sum(),
        not_injected: without(false),
        no_outcome: without(true),
    };
    match outcomes.keys().next_back().copied() {
        None => (Verdict::Unproven, MatrixEnding::NoneInjected),
        Some(Outcome::Clean) if broken > 0 => {
            (Verdict::Unproven, MatrixEnding::NotMeasured(broken))
        }
        Some(Outcome::Clean) => (Verdict::Safe, MatrixEnding::Clean(of)),
        Some(worst) => {
            let clean = outcomes.get(&Outcome::Clean).copied().unwrap_or(0);
            let cases = of.injected - clean;
            let is_borne = worst == Outcome::ManualStep && crash.may.contains(&worst);
            let verdict = match (is_borne, broken) {
                (true, 0) => Verdict::Bounded,
                (true, _) => Verdict::Unproven,
                (false, _) => Verdict::Unsafe,
            };
            (verdict, MatrixEnding::NotClean { worst, cases, of })
        }
    }
}

/// With no outcome declared, every case has to end clean.
fn expectations(
    crash: &Crash,
    outcomes: &BTreeMap<Outcome, u64>,
    verdict: Verdict,
) -> Vec<Expectation> {
    if verdict == Verdict::Unproven {
        return vec![Expectation::answer(false)];
    }
    let silent = crash.expect.is_empty() && crash.may.is_empty();
    let wanted = if silent { vec![Outcome::Clean] } else { crash.expect.clone() };
    let occurs = |outcome: &Outcome| outcomes.contains_key(outcome);
    let some = wanted.iter().map(|outcome| Expectation::some_ends(*outcome, occurs(outcome)));
    let may_not = |o: &&Outcome| !wanted.contains(o) && !crash.may.contains(o);
    let others = Outcome::ALL.iter().filter(may_not);
    let none = others.map(|outcome| Expectation::ends_no(*outcome, !occurs(outcome)));
    some.chain(none).collect()
}
