//! A comparison as cases that held or did not, and as figures, for formats of machines.

use std::fmt::Write;

use crate::clock::Micros;
use crate::compare::{Comparison, Delta, Fact, MetricRow, Pair};

use super::super::machine::{About, Case, CaseOutcome, Level, Remark, Suite, escaped};
use super::words;

const RULE: &str = "regression";
const RULE_TEXT: &str = "B is worse than A, beyond what the noise explains.";

/// A suite per pair, with a case per fact and metric, and one for what B lacks.
pub fn comparison_suites(comparison: &Comparison) -> Vec<Suite> {
    let mut suites = Vec::new();
    for pair in &comparison.pairs {
        let facts = pair.facts.iter().map(of_fact);
        let cases = facts.chain(pair.metrics.iter().map(of_metric)).collect();
        suites.push(suite(pair.name.clone(), cases));
    }
    for pair in &comparison.crash_matrices {
        let cases = pair.facts.iter().map(of_fact).collect();
        suites.push(suite(format!("{}, crash matrix", pair.name), cases));
    }
    suites.extend(comparison.only_in_a.iter().map(|name| {
        let (outcome, message) = (CaseOutcome::Undecided, "B does not have it".to_owned());
        let case =
            Case { name: "is on both sides".to_owned(), outcome, message, about: About::Other };
        suite(name.clone(), vec![case])
    }));
    suites
}

fn suite(name: String, cases: Vec<Case>) -> Suite {
    let worse = cases.iter().filter(|case| case.outcome == CaseOutcome::Broken);
    let remark = |case: &Case| Remark {
        level: Level::Error,
        rule: RULE.to_owned(),
        rule_text: RULE_TEXT.to_owned(),
        sentence: format!("{}: {}", case.name, case.message),
        remedy: String::new(),
        place: None,
        expected: false,
        accepted: None,
    };
    let lines: Vec<String> =
        cases.iter().map(|case| format!("{}: {}", case.name, case.message)).collect();
    Suite {
        remarks: worse.map(remark).collect(),
        name,
        took_us: Micros::ZERO,
        started_at: String::new(),
        properties: Vec::new(),
        cases,
        text: lines.join("\n"),
    }
}

fn of_fact(fact: &Fact) -> Case {
    let message = format!("A {}, B {}", fact.a, fact.b);
    case(&fact.what, fact.delta, message, &fact.why)
}

fn of_metric(row: &MetricRow) -> Case {
    let (a, b) = (words::sample(&row.a, row.unit), words::sample(&row.b, row.unit));
    let message = format!("A {a}, B {b}, ratio {}", words::ratio(row));
    case(&row.name, row.delta, message, &row.why)
}

fn case(name: &str, delta: Delta, message: String, why: &str) -> Case {
    let outcome = match delta {
        Delta::Worse => CaseOutcome::Broken,
        Delta::Undecided => CaseOutcome::Undecided,
        Delta::Better | Delta::Same => CaseOutcome::Held,
    };
    let message = match why.is_empty() {
        true => message,
        false => format!("{message}: {why}"),
    };
    Case { name: name.to_owned(), outcome, message, about: About::Other }
}

/// Ratios and deltas for a textfile collector.
pub fn comparison_prometheus(comparison: &Comparison) -> String {
    let mut out = String::from(
        "# HELP pgauntlet_compare_ratio B as a multiple of A, without the machine's speed; above 1 \
         is worse.\n# TYPE pgauntlet_compare_ratio gauge\n",
    );
    each(comparison, |pair, row| {
        let Some(ratio) = row.ratio else { return };
        let _ = writeln!(out, "pgauntlet_compare_ratio{{{}}} {ratio}", labels(pair, &row.name));
    });
    out.push_str(
        "# HELP pgauntlet_compare_worse 1 where B is worse than A beyond the noise.\n# TYPE \
         pgauntlet_compare_worse gauge\n",
    );
    each(comparison, |pair, row| {
        let worse = u8::from(row.delta == Delta::Worse);
        let _ = writeln!(out, "pgauntlet_compare_worse{{{}}} {worse}", labels(pair, &row.name));
    });
    out
}

fn each(comparison: &Comparison, mut act: impl FnMut(&Pair, &MetricRow)) {
    for pair in &comparison.pairs {
        pair.metrics.iter().for_each(|row| act(pair, row));
    }
}

fn labels(pair: &Pair, metric: &str) -> String {
    format!("pair=\"{}\",metric=\"{}\"", escaped(&pair.name), escaped(metric))
}
