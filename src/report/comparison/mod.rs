//! A comparison for people: text, Markdown, a page; and as plain cases for formats of machines.
//!
//! It renders what the comparison holds and judges nothing.

mod cases;
mod markdown;
mod page;
mod terminal;
mod words;

pub use cases::{Case, CaseOutcome, cases};
pub use markdown::comparison_markdown;
pub use page::comparison_html;
pub use terminal::comparison_text;
