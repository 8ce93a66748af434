//! What came of retry policies, a row per condition.

use crate::explain;
use crate::report::retries::{HEAD, heading, row};
use crate::result::ResultFile;

use super::html::{list, table, text};

/// Empty where none was tried.
pub fn retries(result: &ResultFile) -> String {
    if result.retries.is_empty() {
        return String::new();
    }
    let head = HEAD.map(str::to_owned);
    let cells = |odds| row(odds).iter().map(|cell| text(cell)).collect();
    let rows: Vec<Vec<String>> = result.retries.iter().map(cells).collect();
    let sentences: Vec<String> = result
        .retries
        .iter()
        .map(|odds| format!("{}: {}", heading(odds), explain::retries(odds).join("; ")))
        .collect();
    format!(
        "<section class=\"retries\">\n<h2>Retries</h2>\n<p class=\"dim\">Each round is a copy of a \
         few rows, on which the change is tried until it gets through or the policy gives up. No \
         verdict rests on it.</p>\n{}{}</section>\n",
        table("odds of retry policies", "retries numbers", &head, &rows),
        list("dim", &sentences)
    )
}
