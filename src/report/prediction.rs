//! What trials at several sizes say of another size, a line per statement.

use crate::explain::{self, Files};
use crate::pg::lex::one_line;
use crate::result::Prediction;
use crate::stats::grouped;

/// The verdict at the size that is asked about, and how each statement grows.
pub fn lines(prediction: &Prediction) -> Vec<String> {
    let is_asked = prediction.verdict.is_some();
    let mut lines: Vec<String> = explain::predicted_verdict(prediction).into_iter().collect();
    let files = Files::default();
    let statements = prediction.statements.iter();
    lines.extend(statements.map(|of| explain::growth_of_statement(of, is_asked, &files)));
    for unknown in &prediction.unknown {
        let text = one_line(&unknown.text);
        lines.push(format!("{text}: not predicted, it did not run, or failed, at too many sizes"));
    }
    match prediction.short {
        0 => {}
        1 => lines.push("1 more statement takes next to no time at every size".to_owned()),
        n => {
            let n = grouped(u64::from(n));
            lines.push(format!("{n} more statements take next to no time at every size"));
        }
    }
    lines.extend(prediction.replayed.iter().map(explain::replayed_stall));
    lines
}
