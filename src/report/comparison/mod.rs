//! A comparison for people: text, Markdown, a page; and as suites for formats of machines.
//!
//! It renders what the comparison holds and judges nothing.

mod entry;
mod markdown;
mod page;
mod suites;
mod terminal;
mod words;

pub use markdown::comparison_markdown;
pub use page::comparison_html;
pub use suites::{comparison_prometheus, comparison_suites};
pub use terminal::comparison_text;
