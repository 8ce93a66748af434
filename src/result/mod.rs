//! What a run is stored as: result.json and all that it consists of.
//!
//! Data only. `judge` and `assess` fill it in, `run` writes it, `report` and `compare` read it.
//! Documented in docs/result.md.

pub mod evidence;
mod file;
mod finding;
mod judgement;
mod matrix;
mod statement;

pub use evidence::{BlockingState, Evidence};
pub use file::{CrashRequest, ReadError, ResultFile, Shard, WriteError};
pub use finding::{Finding, Subject, Witness};
pub use judgement::{
    CommandRow, Ending, Expectation, ExpectationOf, Judgement, LatencyByPhase, Measured,
    RerunEnding, StatementRow, TimeoutsInForce, setting_words,
};
pub use matrix::{Cell, Matrix, MatrixRow, RandomDeaths};
pub use statement::{OperationRef, Origin, StatementRef};

/// Version of result.json.
pub const FORMAT: u32 = 4;
