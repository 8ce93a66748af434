//! What machines read: test cases, annotations, code scanning, trends.
//!
//! JUnit, SARIF and GitHub's annotations are three ways of writing the same [`Suite`]s, whatever
//! those were made from.

mod acceptances;
mod github;
mod junit;
mod predictions;
mod prometheus;
mod sarif;
mod sources;
mod suite;
mod suites;

pub use github::github;
pub use junit::junit;
pub(super) use prometheus::escaped;
pub use prometheus::prometheus;
pub use sarif::sarif;
pub use sources::SourceFile;
pub use suite::{About, Case, CaseOutcome, Level, Remark, SourcePlace, Suite};
pub use suites::suites;
