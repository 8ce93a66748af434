//! A suite per trial and per crash matrix.

use crate::clock::Micros;
use crate::history::TrialFacts;
use crate::pg::purpose::Purpose;
use crate::result::{
    self, Expectation, ExpectationOf, Finding, Judgement, Matrix, Origin, StatementRef,
    StatementRow,
};
use crate::scenario::{Outcome, Scenario, Verdict};

use super::super::document::Document;
use super::super::names::Names;
use super::super::{Width, matrix as matrix_text, trial as trial_text};
use super::acceptances::of_acceptances;
use super::predictions::of_predictions;
use super::sources::{SourceFile, locate};
use super::{About, Case, CaseOutcome, Level, Remark, SourcePlace, Suite};

/// In the order of the result: trials, then matrices.
/// `sources` are the files of changes that a command made.
pub fn suites(document: &Document<'_>, sources: &[SourceFile]) -> Vec<Suite> {
    let names = document.names();
    let of_trial = |judgement: &Judgement| {
        let scenario = document.scenario(&judgement.trial.key.scenario);
        let places = Places { scenario: scenario.as_ref(), sources };
        of_trial(judgement, &places, names)
    };
    let of_matrix = |matrix: &Matrix| {
        let scenario = document.scenario(&matrix.trial.key.scenario);
        let places = Places { scenario: scenario.as_ref(), sources };
        of_matrix(matrix, &places, names)
    };
    let trials = document.result.trials.iter().map(of_trial);
    let matrices = document.result.crash_matrices.iter().map(of_matrix);
    let accepted = document.result.changes.iter().filter_map(of_acceptances);
    let broken_off = document.result.broken_off().map(broken_off);
    let predicted = document.result.changes.iter().filter_map(of_predictions);
    trials.chain(matrices).chain(accepted).chain(predicted).chain(broken_off).collect()
}

/// What was not looked at fails, so that a reader does not take the rest for the whole.
fn broken_off(message: String) -> Suite {
    let name = "the run comes to its end".to_owned();
    Suite {
        name: "pgauntlet".to_owned(),
        took_us: Micros::ZERO,
        started_at: String::new(),
        properties: Vec::new(),
        cases: vec![Case {
            name,
            outcome: CaseOutcome::Unproven,
            message: message.clone(),
            about: About::Other,
        }],
        remarks: Vec::new(),
        text: message,
    }
}

fn of_trial(judgement: &Judgement, places: &Places<'_>, names: Names) -> Suite {
    let unproven = judgement.verdict == Verdict::Unproven;
    let remark = |finding: &Finding| remark(finding, judgement, places);
    Suite {
        name: names.trial(&judgement.trial),
        took_us: judgement.took_us,
        started_at: judgement.trial.started_at.clone(),
        properties: properties(&judgement.trial, judgement.verdict),
        cases: judgement.expectations.iter().map(|e| case(e, unproven)).collect(),
        remarks: judgement.findings.iter().map(remark).collect(),
        text: plain(&trial_text(judgement, Width::default())),
    }
}

fn of_matrix(matrix: &Matrix, places: &Places<'_>, names: Names) -> Suite {
    let unproven = matrix.verdict == Verdict::Unproven;
    let bad = |case: &&result::Case| case.outcome.is_some_and(|outcome| outcome != Outcome::Clean);
    let earliest = matrix.random.as_ref().and_then(|random| random.earliest.as_ref());
    let cases = matrix.cases.iter().filter(bad).chain(earliest);
    Suite {
        name: names.matrix(&matrix.trial),
        took_us: matrix.took_us,
        started_at: matrix.trial.started_at.clone(),
        properties: properties(&matrix.trial, matrix.verdict),
        cases: matrix.expectations.iter().map(|e| case(e, unproven)).collect(),
        remarks: cases.map(|case| remark_of_case(case, matrix, places)).collect(),
        text: plain(&matrix_text(matrix, Width::default())),
    }
}

fn has(expectations: &[Expectation], about: ExpectationOf) -> bool {
    expectations.iter().any(|expectation| expectation.about == Some(about))
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
    let about = match expectation.about {
        Some(ExpectationOf::Verdict) => About::Verdict,
        Some(ExpectationOf::Found(kind) | ExpectationOf::NotFound(kind)) => {
            About::Rule(kind.to_string())
        }
        Some(ExpectationOf::NoOutcome(outcome)) => About::Rule(rule_of(outcome)),
        Some(ExpectationOf::Answer | ExpectationOf::SomeOutcome(_) | ExpectationOf::AllCases)
        | None => About::Other,
    };
    Case { name, outcome, message, about }
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

fn remark(finding: &Finding, judgement: &Judgement, places: &Places<'_>) -> Remark {
    Remark {
        place: places.of_finding(finding, judgement),
        // What the scenario wants found is no news, also where something else is missing.
        expected: judgement.as_expected
            || finding.accepted.is_some()
            || has(&judgement.expectations, ExpectationOf::Found(finding.kind)),
        accepted: finding.accepted.as_ref().map(|by| format!("{} ({})", by.reason, by.place)),
        ..Remark::of(finding)
    }
}

/// Where what was found can be pointed at.
struct Places<'a> {
    scenario: Option<&'a Scenario>,
    sources: &'a [SourceFile],
}

impl Places<'_> {
    /// The statement that took the lock, else the one that the finding is about; of a finding that
    /// is about none, one that failed, or the first that works; else the scenario itself.
    fn of_finding(&self, finding: &Finding, judgement: &Judgement) -> Option<SourcePlace> {
        let taken_by = finding.witness.as_ref().and_then(|witness| witness.taken_by.as_ref());
        let during = finding.witness.as_ref().and_then(|witness| witness.during.as_ref());
        let named = [taken_by, finding.subject.statement.as_ref(), during];
        let of_subject = named.into_iter().flatten().find_map(|named| self.of_statement(named));
        let works = |row: &&StatementRow| row.purpose == Purpose::Work;
        let rows = || judgement.measured.statements.iter().filter(works);
        let of_rows = |row: &StatementRow| self.of_statement(&row.statement);
        of_subject
            .or_else(|| rows().filter(|row| row.error.is_some()).find_map(of_rows))
            .or_else(|| rows().find_map(of_rows))
            .or_else(|| self.of_scenario())
    }

    fn of_statement(&self, statement: &StatementRef) -> Option<SourcePlace> {
        match (&statement.file, statement.line) {
            (Some(file), Some(line)) => Some(SourcePlace { file: file.clone(), line }),
            _ if statement.origin == Origin::Command => locate(self.sources, &statement.text),
            _ => None,
        }
    }

    fn of_scenario(&self) -> Option<SourcePlace> {
        let file = self.scenario?.dir.join("scenario.toml").display().to_string();
        Some(SourcePlace { file, line: 1 })
    }
}

fn rule_of(outcome: Outcome) -> String {
    format!("crash-{outcome}")
}

fn remark_of_case(case: &result::Case, matrix: &Matrix, places: &Places<'_>) -> Remark {
    let outcome = case.outcome.unwrap_or(Outcome::Clean);
    let row = matrix.rows.iter().find(|row| row.id == case.fault.at.statement);
    let of_row = row.and_then(|row| places.of_statement(&row.statement));
    let (kind, seen, sentence) = (&case.fault.kind, &case.seen, &case.sentence);
    Remark {
        level: if matrix.accepted.is_some() { Level::Note } else { Level::Error },
        rule: rule_of(outcome),
        rule_text: outcome.describe().to_owned(),
        sentence: format!("{kind} ({seen}): {sentence}"),
        remedy: String::new(),
        place: of_row.or_else(|| places.of_scenario()),
        expected: matrix.as_expected
            || !has(&matrix.expectations, ExpectationOf::NoOutcome(outcome)),
        accepted: matrix.accepted.as_ref().map(|by| format!("{} ({})", by.reason, by.place)),
    }
}
