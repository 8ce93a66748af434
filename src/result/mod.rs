//! What a run is stored as: result.json and all that it consists of.
//!
//! Data only. `judge` and `assess` fill it in, `run` writes it, `report` and `compare` read it.
//! Documented in docs/result.md.

mod file;
mod format_4;
mod judgement;
mod matrix;

pub use file::{
    CrashRequest, Planned, PlannedMatrix, PlannedTrial, ReadError, ResultFile, Shard, WriteError,
};
pub use judgement::{
    CommandRow, Expectation, Finding, Judgement, LatencyByPhase, Measured, Origin, StatementRef,
    StatementRow, TimeoutsInForce, Witness, setting_words,
};
pub use matrix::{Case, Matrix, MatrixRow, RandomFaults};

/// Version of result.json. A reader knows this one and [`FORMAT_READ`] before it.
pub const FORMAT: u32 = 5;

/// The oldest version that is still read.
pub const FORMAT_READ: u32 = 4;
