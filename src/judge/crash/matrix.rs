//! All cells of a change as one answer.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Micros;
use crate::history::{AttemptEnd, History, StatementId, TrialFacts};
use crate::result::{Cell, Expectation, FORMAT, Matrix, MatrixRow, RandomDeaths};
use crate::scenario::{Crash, Outcome, Scenario, Verdict, Way};

use super::super::blame::statement_ref;
use super::super::timeline::Timeline;
use super::deaths::rounds_left_out;

/// The run that nothing disturbed.
#[derive(Clone, Copy, Debug)]
pub struct Undisturbed<'h> {
    pub history: &'h History,
    pub took_us: Micros,
    pub at_once: u32,
}

/// Puts the cells together. They come in the order in which they were planned.
pub fn matrix(
    scenario: &Scenario,
    crash: &Crash,
    run: Undisturbed<'_>,
    cells: Vec<Cell>,
    random: Option<RandomDeaths>,
) -> Matrix {
    let timeline = Timeline::of(run.history);
    let outcomes = outcomes(&cells, random.as_ref());
    let smallest = random.as_ref().and_then(|random| random.smallest.as_ref());
    let deadline = Micros::from_millis(scenario.change.deadline_ms);
    let (verdict, reason) = verdict(&timeline, cells.iter().chain(smallest), &outcomes, deadline);
    let expectations = expectations(crash, &outcomes, verdict, &reason);
    let mismatches = Expectation::mismatches(&expectations);
    let dying: BTreeSet<StatementId> = cells.iter().map(|cell| cell.death.statement).collect();
    let statements = timeline.change().into_iter().flat_map(|attempt| &attempt.statements);
    let rows = statements.filter(|record| dying.contains(&record.began.statement)).map(|record| {
        let statement = statement_ref(record, timeline.end);
        MatrixRow { id: record.began.statement, statement }
    });
    let not_compared: BTreeSet<String> =
        cells.iter().flat_map(|cell| cell.not_compared.clone()).collect();
    let not_compared = not_compared.into_iter().collect();
    let used = |way: &&Way| cells.iter().any(|cell| cell.death.way == way.as_str());
    Matrix {
        format: FORMAT,
        trial: TrialFacts { scenario: scenario.name.clone(), ..run.history.header.trial.clone() },
        verdict,
        as_expected: mismatches.is_empty(),
        expectations,
        mismatches,
        reason,
        rows: rows.collect(),
        columns: Way::ALL.iter().filter(used).copied().collect(),
        cells,
        random,
        rounds_left_out: rounds_left_out(run.history),
        not_compared,
        outcomes,
        took_us: run.took_us,
        at_once: run.at_once,
    }
}

fn outcomes(cells: &[Cell], random: Option<&RandomDeaths>) -> BTreeMap<Outcome, u64> {
    let smallest = random.and_then(|random| random.smallest.as_ref());
    let mut outcomes = BTreeMap::new();
    for outcome in cells.iter().chain(smallest).filter_map(|cell| cell.outcome) {
        *outcomes.entry(outcome).or_default() += 1;
    }
    if let Some(random) = random.filter(|random| random.smallest.is_none() && random.met > 0) {
        *outcomes.entry(Outcome::Clean).or_default() += u64::from(random.met);
    }
    outcomes
}

/// A death that does not end clean is unsafe also where a step by hand helps: a rerun failed, and
/// nobody may be there who knows the step.
fn verdict<'c>(
    timeline: &Timeline<'_>,
    cells: impl Iterator<Item = &'c Cell> + Clone,
    outcomes: &BTreeMap<Outcome, u64>,
    deadline: Micros,
) -> (Verdict, String) {
    let finished = timeline.change().and_then(|attempt| attempt.end);
    if !matches!(finished, Some(AttemptEnd::Finished { .. })) {
        let how = match finished {
            Some(AttemptEnd::Failed { error, .. }) => format!(": {error}"),
            Some(AttemptEnd::DeadlineExceeded) => {
                format!(" within {deadline}, the longest that a cell may take")
            }
            _ => String::new(),
        };
        let reason = format!("the change does not finish when nothing disturbs it{how}");
        return (Verdict::Unproven, reason);
    }
    let met: u64 = outcomes.values().sum();
    let broken = cells.clone().filter(|cell| cell.broken).count();
    let spared = match cells.clone().filter(|cell| cell.outcome.is_none()).count() {
        0 => String::new(),
        spared => format!(" ({spared} more could not be brought about)"),
    };
    let worst = outcomes.keys().next_back().copied();
    match worst {
        None => (Verdict::Unproven, "no death could be brought about".to_owned()),
        Some(Outcome::Clean) if broken > 0 => {
            let reason = format!("{broken} deaths could not be looked at to the end");
            (Verdict::Unproven, reason)
        }
        Some(Outcome::Clean) => {
            let reason = format!(
                "after each of {met} deaths a rerun reaches the same schema and rows{spared}"
            );
            (Verdict::Safe, reason)
        }
        Some(worst) => {
            let example = cells.clone().find(|cell| cell.outcome == Some(worst));
            let sentence = example.map(|cell| cell.sentence.clone()).unwrap_or_default();
            let bad = met - outcomes.get(&Outcome::Clean).copied().unwrap_or(0);
            (Verdict::Unsafe, format!("{bad} of {met} deaths do not end clean{spared}: {sentence}"))
        }
    }
}

/// Without a word of what is expected, every cell has to end clean.
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
        let never = || format!("no cell ends with {outcome}, which was expected");
        let never = (!outcomes.contains_key(outcome)).then(never);
        Expectation::new(format!("some death ends with {outcome}"), never)
    };
    let mut expectations: Vec<Expectation> = wanted.iter().map(occurs).collect();
    let strange = |outcome: &Outcome| {
        let there = outcomes.get(outcome).map(|count| {
            let cells = if *count == 1 { "cell ends" } else { "cells end" };
            format!("{count} {cells} with {outcome}, which was not expected")
        });
        Expectation::ends_no(*outcome, there)
    };
    let may_not = |o: &&Outcome| !wanted.contains(o) && !crash.may.contains(o);
    expectations.extend(Outcome::ALL.iter().filter(may_not).map(strange));
    expectations
}
