//! The answer about one change, on one screen: the verdict, the cost, the limits, the worst finding
//! with its remedy, and for what it holds. Each trial in full is in `trial` and on the page.
//!
//! `said` has what is said, whatever the format; `text` and `markdown` set it.

mod margins;
mod markdown;
mod said;
mod text;

pub use text::{answer, labelled_text, matrix_in_brief, trial_in_brief};

pub(super) use markdown::write_answer;
