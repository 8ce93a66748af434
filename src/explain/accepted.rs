//! What is accepted, and what came of an acceptance.

use crate::result::{AcceptanceEnd, AcceptanceOutcome, AcceptedAs, Judgement};
use crate::scenario::{FindingKind, Verdict};

/// The end of a finding's sentence.
pub fn accepted(by: &AcceptedAs) -> String {
    let until = until(by.until.as_deref());
    let (reason, place) = (&by.reason, &by.place);
    match by.verdict {
        Verdict::Safe => format!("; accepted{until} by {place}: {reason}"),
        verdict => format!("; {verdict}, and accepted{until} by {place}: {reason}"),
    }
}

/// What a verdict does not count, as the end of its reason; empty: it counts everything.
pub fn not_counted(judgement: &Judgement) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for finding in &judgement.findings {
        let Some(by) = finding.accepted.as_ref().filter(|by| by.verdict > Verdict::Safe) else {
            continue;
        };
        let named = format!("{} ({}, by {})", finding.kind, by.verdict, by.place);
        if !kinds.contains(&named) {
            kinds.push(named);
        }
    }
    match kinds.is_empty() {
        true => String::new(),
        false => format!("; accepted and not counted: {}", kinds.join(", ")),
    }
}

/// What came of an acceptance.
pub fn outcome(of: &AcceptanceOutcome) -> String {
    let what = match of.kind {
        Some(kind) => kind.to_string(),
        None => "whatever breaks a rule".to_owned(),
    };
    let (place, reason) = (of.place(), &of.reason);
    let accepts = format!("{place} accepts {what}{} ({reason})", until(of.until.as_deref()));
    let shows = match of.kind {
        Some(FindingKind::Crash) => "no crash matrix",
        _ => "no trial",
    };
    match of.came {
        AcceptanceEnd::Used => accepts,
        AcceptanceEnd::Unused if of.in_change => {
            format!("{accepts}, and {shows} shows it: take that line away")
        }
        AcceptanceEnd::Unused => format!("{accepts}, and {shows} shows it"),
        AcceptanceEnd::Ended => format!("{accepts}: that day is over, and it accepts nothing"),
        AcceptanceEnd::NotKnown => {
            format!("{accepts}; whether there is anything to accept is not known")
        }
    }
}

fn until(day: Option<&str>) -> String {
    day.map_or(String::new(), |day| format!(" until {day}"))
}
