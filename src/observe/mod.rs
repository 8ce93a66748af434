//! Observation: raw samples of locks and sessions, the catalogue, what is in the tables, declared
//! reads and their plans.
//!
//! Sessions of its own sample the server while the application and the change run. Nothing is
//! derived here: who stalled whom is the judge's to say, so that an old history can be judged by a
//! better derivation. What could not be seen is counted and said.

mod answers;
mod catalogue;
mod changes;
mod contents;
mod control;
mod error;
mod invariants;
mod log;
mod log_lines;
mod log_waits;
mod operation_plans;
mod own_rows;
mod pace;
mod plans;
mod recorded;
mod replica;
mod sampler;
mod session;
mod statistics;
mod thinning;

pub use answers::view_answers;
pub use catalogue::{fingerprint, read_schema, tables};
pub use changes::{
    ComparedTable, KeyActions, Reached, Touch, Updates, changes, reach, states, uncounted,
};
pub use contents::{Written, contents};
pub use control::control;
pub use error::{APPLICATION_NAME, Error};
pub use invariants::{Invariants, read_once, watch_invariants};
pub use log::{LogReading, read_log};
pub use own_rows::{own_rows, sampled_rows};
pub use recorded::recorded_statements;
pub use replica::{ReplicaSampling, caught_up, sample_replica};
pub use sampler::{INTERVAL, Sampling, sample};
pub use statistics::{statistics, statistics_of};
