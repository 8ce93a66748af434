//! A result as JSON, its schema, and all of it as text.

use crate::result::ResultFile;

use super::changes::changes;
use super::matrix::matrix;
use super::table::verdicts;
use super::trial::trial;

/// result.json as it is written.
pub fn json(result: &ResultFile) -> String {
    // Maps have strings for keys, and numbers are finite: nothing can fail to be written.
    serde_json::to_string_pretty(result).unwrap_or_default()
}

/// The JSON Schema of result.json, as docs/result.schema.json holds it.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ResultFile).to_value()
}

/// All of it for a terminal, as a run prints it.
pub fn text(result: &ResultFile) -> String {
    let trials = result.trials.iter().map(trial);
    let matrices = result.crash_matrices.iter().map(matrix);
    let all: Vec<String> = trials.chain(matrices).collect();
    let broken_off = result.broken_off().map_or(String::new(), |broken| format!("\n\n{broken}"));
    let (changes, table) = (changes(result), verdicts(&result.trials, &result.crash_matrices));
    format!("{changes}{}\n{table}{broken_off}", all.join("\n"))
}
