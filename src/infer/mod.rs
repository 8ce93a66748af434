//! From a database's catalogue to a scenario: rows that its constraints take, and an application
//! that uses its tables. Pure: what only a server can say is asked by whoever has one.
//!
//! Rows are made in rounds: a [`Draft`] has questions, of which the server says which values it
//! takes; from the answers come columns' generators, files of candidates, and remarks on what
//! cannot be met.

mod candidates;
mod casts;
mod catalogue;
mod checks;
mod condition;
mod constraints;
mod decide;
mod draft;
mod gather;
mod json;
mod keys;
mod nulls;
mod own_rows;
mod policies;
mod queries;
mod question;
mod rounds;
mod rows;
mod sample;
mod settle;
mod statistics;
mod templates;
mod traffic;
mod tuples;
mod types;
mod wishes;

pub use catalogue::{
    Attribute, CATALOGUE, Catalogue, Column, Constraint, ConstraintKind, Function, Index, Oid,
    Referred, Table, Trigger, Type, TypeKind,
};
pub use decide::Remark;
pub use own_rows::OwnRows;
pub use queries::{
    Narrowed, Query, QueryStatement, Recorded, Rehearsed, Written, deletes_what_others_need,
    keep_whole, narrowed, operations, read_queries, recorded_queries,
};
pub use question::{Answer, Answers, Question};
pub use rows::{Draft, Options, Settled};
pub use settle::Inferred;
pub use statistics::{
    Activity, ColumnStatistics, Rows, STATISTICS, Statistics, TableStatistics, Unmatched, rows,
};
pub use traffic::{Application, Doubt, Mix, application};
pub use wishes::{Wish, fitting, remarks, say_fitted, wishes, with_wishes};
