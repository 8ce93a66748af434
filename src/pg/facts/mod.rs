//! What a statement's text says of it: read once from its syntax tree.
//!
//! Text alone never says everything: what a function does that a SELECT calls is not in it, nor is
//! what a trigger, a view or a foreign key adds, nor what a DO block builds from strings. Text that
//! does not parse is unknown, never a guess.

mod alter;
mod block;
mod data;
mod explain;
mod kind;
mod locks;
mod name;
mod parameters;
mod proof;
mod read;
mod rewrite;
mod rows;
mod scope;
mod setting;
mod table;
#[cfg(test)]
mod tests;
mod work;

pub use data::{
    AskedLock, Certainty, CreatedTable, Facts, Relation, SettingSet, StatementFacts,
    strongest_of_each,
};
pub use name::RelationName;
pub use parameters::{Conflict, Inserted, InsertedValue, ParameterUse, Usage, Uses, parameters};
pub use proof::{Proof, proof_of, proofs, words_of_key};
pub use read::facts;
pub use scope::{ColumnAt, ColumnName};
pub use work::{Work, returns_all_columns, works};
