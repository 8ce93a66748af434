//! Renders judgements and progress. It never judges: what is not in a judgement is not shown.

mod answer;
mod changes;
pub mod comparison;
mod differences;
mod document;
mod escaped;
mod grid;
mod holds_for;
mod list;
mod live;
mod live_words;
mod machine;
mod markdown;
mod matrix;
mod names;
mod page;
mod plain;
mod prediction;
mod result;
mod retries;
mod server;
mod sparkline;
mod statements;
mod table;
mod text;
mod trial;

pub use crate::stats::bytes;
pub use answer::{answer, labelled_text, matrix_in_brief, trial_in_brief};
pub use changes::changes;
pub use comparison::{
    comparison_html, comparison_markdown, comparison_prometheus, comparison_suites, comparison_text,
};
pub use differences::differences;
pub use document::{Document, report_command, repro_command};
pub use list::list;
pub use live::{Live, Mode};
pub use machine::{
    Case, CaseOutcome, Level, Remark, SourceFile, SourcePlace, Suite, github, junit, prometheus,
    sarif, suites,
};
pub use markdown::markdown;
pub use matrix::matrix;
pub use page::{not_tried, page};
pub use plain::plain;
pub use result::{json, schema, text};
pub use retries::retries;
pub use table::{tally, verdicts};
pub use text::Width;
pub use trial::trial;
