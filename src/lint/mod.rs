//! A linter's opinion of the statements that the change sent, each held against what the trials
//! measured: confirmed, refuted at this size, or not exercised. It decides nothing.
//!
//! The linter is squawk's. A rule that is to be held against something gets its concern in
//! `rules`; what is a matter of style has none and is not asked.

mod rules;
mod standing;

use crate::pg::StatementPlace;
use crate::result::{Judgement, Lint, StatementRow};

use rules::Broken;

/// The rules that the statements of these trials' changes break, in the statements' order, each
/// rule and place once.
pub fn lints(trials: &[&Judgement]) -> Vec<Lint> {
    let mut lints: Vec<Lint> = Vec::new();
    let mut known: Vec<(String, StatementPlace)> = Vec::new();
    for judgement in trials {
        let first: Vec<&StatementRow> = first_attempt(judgement).collect();
        for Broken { rule, message, help, concern, at } in rules::broken(&texts(&first)) {
            let Some(row) = first.get(at) else { continue };
            let about = (rule.clone(), row.statement.place());
            if known.contains(&about) {
                continue;
            }
            let standing = standing::standing(concern, &row.statement, trials);
            known.push(about);
            let (statement, sentence) = (row.statement.clone(), String::new());
            lints.push(Lint { rule, message, help, statement, standing, sentence });
        }
    }
    lints
}

/// Applied once more, a change that is done sends less.
fn first_attempt(judgement: &Judgement) -> impl Iterator<Item = &StatementRow> {
    judgement.measured.statements.iter().filter(|row| row.attempt == 0 && row.error.is_none())
}

fn texts<'r>(rows: &[&'r StatementRow]) -> Vec<&'r str> {
    rows.iter().map(|row| row.statement.text.as_str()).collect()
}
