//! What a run is stored as: result.json and all that it consists of.
//!
//! Data only. `judge` and `assess` fill it in, `run` writes it, `report` and `compare` read it.
//! Documented in docs/result.md.

mod file;
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

/// Version of result.json.
pub const FORMAT: u32 = 4;
