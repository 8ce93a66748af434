//! A result as JSON, its schema, and all of it as text.

use crate::result::ResultFile;

use super::changes::changes;
use super::matrix::matrix;
use super::retries::retries;
use super::table::verdicts;
use super::text::{Text, Width};
use super::trial::{place, trial};

/// result.json as it is written.
pub fn json(result: &ResultFile) -> String {
    // Maps have strings for keys, and numbers are finite: nothing can fail to be written.
    serde_json::to_string_pretty(result).unwrap_or_default()
}

/// The JSON Schema of result.json, as docs/result.schema.json holds it.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ResultFile).to_value()
}

/// What a linter says, beside what was measured: it decides nothing.
fn write_lints(out: &mut Text, result: &ResultFile) {
    for lint in result.changes.iter().flat_map(|change| &change.lints) {
        let (rule, place) = (&lint.rule, place(&lint.statement));
        out.paragraph("  linter ", &format!("{rule} ({place}): {}", lint.sentence));
    }
}

/// All of it for a terminal, as a run prints it.
pub fn text(result: &ResultFile, width: Width) -> String {
    let trials = result.trials.iter().map(|of| trial(of, width));
    let matrices = result.crash_matrices.iter().map(|of| matrix(of, width));
    let retries = result.retries.iter().map(|of| retries(of, width));
    let all: Vec<String> = trials.chain(matrices).chain(retries).collect();
    let mut end = Text::new(width);
    end.line(&verdicts(&result.trials, &result.crash_matrices, width));
    write_lints(&mut end, result);
    if let Some(broken_off) = result.broken_off() {
        end.blank();
        end.paragraph("", &broken_off);
    }
    let end = end.into_string();
    format!("{}{}\n{}", changes(result, width), all.join("\n"), end.trim_end_matches('\n'))
}
