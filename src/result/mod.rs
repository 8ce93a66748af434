//! What a run is stored as: result.json and all that it consists of.
//!
//! Data only. `judge` and `assess` fill it in, `run` writes it, `report` and `compare` read it.
//! Documented in docs/result.md.

mod accepted;
mod basis;
mod case;
mod change;
mod disk;
pub mod evidence;
mod file;
mod finding;
mod format;
mod format_4;
mod judgement;
mod lint;
mod lock;
mod margin;
mod matrix;
mod prediction;
mod retries;
mod statement;

pub use accepted::{AcceptanceEnd, AcceptanceOutcome, AcceptedAs};
pub use basis::{Basis, Measure, Period};
pub use case::{Case, CaseEnding, DataLost, NotInjected, Reached, WrittenRow};
pub use change::ChangeAssessment;
pub use disk::{ReadError, WriteError};
pub use evidence::{BlockingState, Evidence};
pub use file::{CrashRequest, Planned, PlannedMatrix, PlannedTrial, ResultFile, Shard};
pub use finding::{Doubt, Finding, Subject, Witness};
pub use format::{FORMAT, FORMAT_READ};
pub use judgement::{
    CommandRow, ContentsCost, Ending, Expectation, ExpectationOf, Judgement, LatencyByPhase,
    LogCompared, Measured, ReplicaMeasured, RerunEnding, StatementPhase, StatementRow,
    TimeoutsInForce, setting_words,
};
pub use lint::{Lint, LintStanding};
pub use lock::RelationLock;
pub use margin::{Limited, Margin};
pub use matrix::{Injected, Matrix, MatrixEnding, MatrixRow, RandomFaults, Unfinished};
pub use prediction::{
    Crossing, GrowthPoint, Interval, Leftover, PredictedHold, PredictedPool, Prediction,
    ReachedTimeout, ReplayedStall, StatementGrowth,
};
pub use retries::{LocksFirst, RetryOdds, RetryRound};
pub use statement::{OperationRef, Origin, StatementRef};
