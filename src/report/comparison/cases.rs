//! A comparison as cases that passed or did not, for formats that know nothing else.

use crate::compare::{Comparison, Fact, MetricRow, Standing};

use super::words;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    Passed,
    /// The evidence carries no answer.
    Undecided,
    /// B is worse.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The pair.
    pub suite: String,
    /// The metric or fact.
    pub name: String,
    pub outcome: CaseOutcome,
    /// Both sides, and why.
    pub message: String,
}

/// A case per fact and metric of each pair, and one for what B lacks.
pub fn cases(comparison: &Comparison) -> Vec<Case> {
    let mut cases = Vec::new();
    for pair in &comparison.pairs {
        cases.extend(pair.facts.iter().map(|fact| of_fact(&pair.name, fact)));
        cases.extend(pair.metrics.iter().map(|row| of_metric(&pair.name, row)));
    }
    for pair in &comparison.crash_matrices {
        let suite = format!("{}, crash matrix", pair.name);
        cases.extend(pair.facts.iter().map(|fact| of_fact(&suite, fact)));
    }
    cases.extend(comparison.only_in_a.iter().map(|name| Case {
        suite: name.clone(),
        name: "is on both sides".to_owned(),
        outcome: CaseOutcome::Undecided,
        message: "B does not have it".to_owned(),
    }));
    cases
}

fn of_fact(suite: &str, fact: &Fact) -> Case {
    let message = format!("A {}, B {}", fact.a, fact.b);
    case(suite, &fact.what, fact.standing, message, &fact.why)
}

fn of_metric(suite: &str, row: &MetricRow) -> Case {
    let (a, b) = (words::sample(&row.a, row.unit), words::sample(&row.b, row.unit));
    let message = format!("A {a}, B {b}, ratio {}", words::ratio(row));
    case(suite, &row.name, row.standing, message, &row.why)
}

fn case(suite: &str, name: &str, standing: Standing, message: String, why: &str) -> Case {
    let outcome = match standing {
        Standing::Worse => CaseOutcome::Failed,
        Standing::Undecided => CaseOutcome::Undecided,
        Standing::Better | Standing::Same => CaseOutcome::Passed,
    };
    let message = match why.is_empty() {
        true => message,
        false => format!("{message}: {why}"),
    };
    Case { suite: suite.to_owned(), name: name.to_owned(), outcome, message }
}
