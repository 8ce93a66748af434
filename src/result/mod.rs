//! What a run is stored as: result.json and all that it consists of.
//!
//! Data only. `judge` and `assess` fill it in, `run` writes it, `report` and `compare` read it.
//! Documented in docs/result.md.

mod change;
pub mod evidence;
mod file;
mod finding;
mod format_4;
mod judgement;
mod matrix;
mod statement;

pub use change::ChangeAssessment;
pub use evidence::{BlockingState, Evidence};
pub use file::{
    CrashRequest, Planned, PlannedMatrix, PlannedTrial, ReadError, ResultFile, Shard, WriteError,
};
pub use finding::{Finding, Subject, Witness};
pub use judgement::{
    CommandRow, Ending, Expectation, ExpectationOf, Judgement, LatencyByPhase, Measured,
    RerunEnding, StatementRow, TimeoutsInForce, setting_words,
};
pub use matrix::{Case, Matrix, MatrixRow, RandomFaults};
pub use statement::{OperationRef, Origin, StatementRef};

/// Version of result.json. A reader knows this one and [`FORMAT_READ`] before it.
pub const FORMAT: u32 = 5;

/// The oldest version that is still read.
pub const FORMAT_READ: u32 = 4;
