//! A suite per trial and per crash matrix.

use crate::history::TrialFacts;
use crate::judge::crash::{Cell, Matrix};
use crate::judge::{Expectation, Finding, Judgement, StatementRef};
use crate::scenario::{Outcome, Scenario, State, Verdict};

use super::super::document::Document;
use super::super::{matrix as matrix_text, trial as trial_text};
use super::{Case, CaseOutcome, Level, Place, Remark, Suite};

/// In the order of the result: trials, then matrices.
pub fn suites(document: &Document<'_>) -> Vec<Suite> {
    let several = several_majors(document);
    let of_trial = |judgement: &Judgement| {
        let scenario = document.scenario(&judgement.trial.scenario);
        of_trial(judgement, scenario.as_ref(), several)
    };
    let of_matrix = |matrix: &Matrix| {
        let scenario = document.scenario(&matrix.trial.scenario);
        of_matrix(matrix, scenario.as_ref(), several)
    };
    let trials = document.result.trials.iter().map(of_trial);
    trials.chain(document.result.crash_matrices.iter().map(of_matrix)).collect()
}

/// Whether names have to tell which server it was.
pub fn several_majors(document: &Document<'_>) -> bool {
    let trials = document.result.trials.iter().map(|j| &j.trial);
    let all = trials.chain(document.result.crash_matrices.iter().map(|m| &m.trial));
    let mut majors: Vec<u32> = all.map(|trial| trial.server.version_num / 10_000).collect();
    majors.sort_unstable();
    majors.dedup();
    majors.len() > 1
}

/// A trial's name in a list of them.
pub fn name(trial: &TrialFacts, with_major: bool) -> String {
    let mut name = trial.scenario.clone();
    if trial.state != State::base().name && !trial.state.is_empty() {
        name.push_str(&format!(" from {}", trial.state));
    }
    if trial.repetition > 1 {
        name.push_str(&format!(", repetition {}", trial.repetition));
    }
    if with_major {
        name.push_str(&format!(" on PostgreSQL {}", trial.server.version_num / 10_000));
    }
    name
}

fn of_trial(judgement: &Judgement, scenario: Option<&Scenario>, with_major: bool) -> Suite {
    let unproven = judgement.verdict == Verdict::Unproven;
    let remark = |finding: &Finding| remark(finding, judgement, scenario);
    Suite {
        name: name(&judgement.trial, with_major),
        took_us: judgement.took_us,
        started_at: judgement.trial.started_at.clone(),
        properties: properties(&judgement.trial, judgement.verdict),
        cases: judgement.expectations.iter().map(|e| case(e, unproven)).collect(),
        remarks: judgement.findings.iter().map(remark).collect(),
        text: plain(&trial_text(judgement)),
    }
}

fn of_matrix(matrix: &Matrix, scenario: Option<&Scenario>, with_major: bool) -> Suite {
    let unproven = matrix.verdict == Verdict::Unproven;
    let bad = |cell: &&Cell| cell.outcome.is_some_and(|outcome| outcome != Outcome::Clean);
    let smallest = matrix.random.as_ref().and_then(|random| random.smallest.as_ref());
    let cells = matrix.cells.iter().filter(bad).chain(smallest);
    Suite {
        name: format!("{}, crash matrix", name(&matrix.trial, with_major)),
        took_us: matrix.took_us,
        started_at: matrix.trial.started_at.clone(),
        properties: properties(&matrix.trial, matrix.verdict),
        cases: matrix.expectations.iter().map(|e| case(e, unproven)).collect(),
        remarks: cells.map(|cell| remark_of_cell(cell, matrix, scenario)).collect(),
        text: plain(&matrix_text(matrix)),
    }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn case(expectation: &Expectation, unproven: bool) -> Case {
    let outcome = match (expectation.held, unproven) {
        (true, _) => CaseOutcome::Held,
        (false, true) => CaseOutcome::Unproven,
        (false, false) => CaseOutcome::Broken,
    };
    let (name, message) = (expectation.expected.clone(), expectation.mismatch.clone());
    Case { name, outcome, message }
}

fn properties(trial: &TrialFacts, verdict: Verdict) -> Vec<(String, String)> {
    let sizes: Vec<String> = trial.sizes.iter().map(|(t, rows)| format!("{t} {rows}")).collect();
    [
        ("verdict", verdict.to_string()),
        ("server_version", trial.server.version.clone()),
        ("rng_seed", trial.rng_seed.to_string()),
        ("rows", sizes.join(", ")),
        ("pgauntlet", trial.tool.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn remark(finding: &Finding, judgement: &Judgement, scenario: Option<&Scenario>) -> Remark {
    Remark {
        level: match finding.verdict {
            Verdict::Safe => Level::Note,
            Verdict::Bounded | Verdict::Unproven => Level::Warning,
            Verdict::Unsafe => Level::Error,
        },
        rule: finding.kind.to_string(),
        rule_text: finding.kind.describe().to_owned(),
        sentence: finding.sentence.clone(),
        remedy: finding.remedy.clone().unwrap_or_default(),
        place: place_of(finding, judgement, scenario),
        expected: judgement.as_expected,
    }
}

/// The statement that took the lock, else the one that ran; of a finding without either one that
/// the finding names, one that failed, or the first that works; else the scenario itself.
fn place_of(
    finding: &Finding,
    judgement: &Judgement,
    scenario: Option<&Scenario>,
) -> Option<Place> {
    let witness = finding.witness.as_ref();
    let of_witness = witness.and_then(|w| {
        w.taken_by.as_ref().and_then(place).or_else(|| w.during.as_ref().and_then(place))
    });
    let rows =
        || judgement.measured.statements.iter().filter(|row| place(&row.statement).is_some());
    // Sentences quote statements cut: their beginnings are enough.
    let begin = |text: &str| text.chars().take(24).collect::<String>();
    let named = || rows().find(|row| finding.sentence.contains(&begin(&row.statement.text)));
    let failed = || rows().find(|row| row.error.is_some());
    of_witness
        .or_else(|| {
            named().or_else(failed).or_else(|| rows().next()).and_then(|r| place(&r.statement))
        })
        .or_else(|| scenario.map(of_scenario))
}

fn place(statement: &StatementRef) -> Option<Place> {
    Some(Place { file: statement.file.clone()?, line: statement.line? })
}

fn of_scenario(scenario: &Scenario) -> Place {
    Place { file: scenario.dir.join("scenario.toml").display().to_string(), line: 1 }
}

fn remark_of_cell(cell: &Cell, matrix: &Matrix, scenario: Option<&Scenario>) -> Remark {
    let outcome = cell.outcome.unwrap_or(Outcome::Clean);
    let row = matrix.rows.iter().find(|row| row.id == cell.death.statement);
    let of_row = row.and_then(|row| place(&row.statement));
    let (way, seen, sentence) = (&cell.death.way, &cell.seen, &cell.sentence);
    Remark {
        level: Level::Error,
        rule: format!("crash-{outcome}"),
        rule_text: outcome.describe().to_owned(),
        sentence: format!("{way} ({seen}): {sentence}"),
        remedy: String::new(),
        place: of_row.or_else(|| scenario.map(of_scenario)),
        expected: matrix.as_expected,
    }
}
