//! Statements of one's own application as operations: a file of named queries is read, each
//! parameter's values are chosen by what the statement does with it.
//!
//! Pure: which types parameters have, and which values the server takes, is asked by an effect.

mod arrays;
mod deletes;
mod file;
mod insert;
mod ledger;
mod narrow;
mod operations;
mod recorded;
mod statement;
mod values;

pub use deletes::deletes_what_others_need;
pub use file::read_queries;
pub use ledger::keep_whole;
pub use narrow::{Narrowed, Rehearsed, narrowed};
pub use operations::{Written, operations};
pub use recorded::{Recorded, recorded_queries};
pub use statement::{Query, QueryStatement};
