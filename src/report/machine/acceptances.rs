//! A suite for what a change accepts and no trial shows.

use crate::clock::Micros;
use crate::result::{AcceptanceOutcome, ChangeAssessment};

use super::{About, Case, CaseOutcome, Level, Remark, SourcePlace, Suite};

const RULE: &str = "acceptance-unused";

/// None: all that the change accepts is there, or not known.
pub fn of_acceptances(change: &ChangeAssessment) -> Option<Suite> {
    let wrong: Vec<&AcceptanceOutcome> =
        change.acceptances.iter().filter(|one| one.is_wrong()).collect();
    let sentences: Vec<&str> = wrong.iter().map(|one| one.sentence.as_str()).collect();
    let case = |one: &&AcceptanceOutcome| Case {
        name: format!("what {} accepts is found", one.place()),
        outcome: CaseOutcome::Broken,
        message: one.sentence.clone(),
        about: About::Rule(RULE.to_owned()),
    };
    (!wrong.is_empty()).then(|| Suite {
        name: format!("{}, what it accepts", change.scenario),
        took_us: Micros::ZERO,
        started_at: String::new(),
        properties: Vec::new(),
        cases: wrong.iter().map(case).collect(),
        remarks: wrong.iter().map(|one| remark(one)).collect(),
        text: sentences.join("\n"),
    })
}

fn remark(one: &AcceptanceOutcome) -> Remark {
    Remark {
        level: Level::Error,
        rule: RULE.to_owned(),
        rule_text: "The change accepts a finding that no trial shows.".to_owned(),
        sentence: one.sentence.clone(),
        remedy: String::new(),
        place: Some(SourcePlace { file: one.file.clone(), line: one.line }),
        expected: false,
        accepted: None,
    }
}
