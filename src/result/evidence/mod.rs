//! What a finding rests on: the numbers and names of each kind, from which its sentence is made.

mod change;
mod contents;
mod deadlock;
mod left;
mod measured;
mod pooled;
mod predicted;
mod replica;
mod traffic;
mod work;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::{Orphans, SequenceBehind};
use crate::scenario::FindingKind;

pub use change::*;
pub use contents::*;
pub use deadlock::*;
pub use left::*;
pub use measured::*;
pub use pooled::*;
pub use predicted::*;
pub use replica::*;
pub use traffic::*;
pub use work::*;

macro_rules! evidence {
    ($($kind:ident($data:ty)),+ $(,)?) => {
        /// One variant per kind of finding, with what was measured or read.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Evidence {
            $(#[doc = concat!("Evidence of `", stringify!($kind), "`.")] $kind($data),)+
        }

        impl Evidence {
            /// The kind of finding that this is the evidence of.
            pub fn kind(&self) -> FindingKind {
                match self { $(Evidence::$kind(_) => FindingKind::$kind,)+ }
            }
        }
    };
}

evidence! {
    Stall(Stalled),
    PoolExhaustion(PoolExhausted),
    AcquireTimeout(AcquireTimeouts),
    OperationFailed(FailedOperations),
    OperationWaited(LongWaits),
    OperationSlower(SlowerOperation),
    Latency(SlowPhase),
    ReplicaLag(LaggingReplica),
    RecoveryConflict(RecoveryConflicts),
    NotRecovered(Unrecovered),
    LockTimeout(Aborted),
    StatementTimeout(Aborted),
    IdleInTransactionTimeout(Aborted),
    TransactionTimeout(Aborted),
    Deadlock(Aborted),
    ConcurrentlyInTransaction(RefusedInTransaction),
    ChangeFailed(Aborted),
    CommandFailed(FailedCommand),
    ConnectionRefused(RefusedConnection),
    ErrorSwallowed(SwallowedError),
    TimeoutCoversBlock(CoveredBlock),
    OpenTransaction(LostTransaction),
    OneTransaction(SharedTransaction),
    OneMessage(SharedMessage),
    StatementsUnderLock(HeldMeanwhile),
    WorkUnderLock(LockedWork),
    NoTimeout(Unlimited),
    TimeoutNotInForce(OtherTimeouts),
    SessionStateLeft(LeftOnSessions),
    InvalidIndex(LeftInvalid),
    NotValidConstraint(LeftNotValid),
    HiddenDebris(Hidden),
    LeftBehind(Leftovers),
    RerunFailed(FailedReruns),
    RerunChanged(CatalogueChange),
    RerunWrote(RowsChange),
    RerunLock(RerunHeld),
    Diverged(Divergence),
    ChangeHung(Hang),
    RunnersOverlap(Overlap),
    RunnerHung(HungRunner),
    RunnerWaited(WaitingRunner),
    LostWrite(WrongWrites),
    DoubledWrite(WrongWrites),
    RowsGone(GoneRows),
    ValuesChanged(ChangedValues),
    Orphans(Orphans),
    SequenceBehind(SequenceBehind),
    SequenceEnds(EndingSequence),
    NewRowsDiffer(NewRows),
    AnswersDiffer(DifferingAnswers),
    StaleValues(StaleValues),
    AlreadyThere(AlreadyThere),
    AccessChanged(ChangedAccess),
    ConstraintChanged(ChangedConstraints),
    ValuesDropped(DroppedValues),
    RowsAdded(AddedRows),
    AcceptUnused(UnusedAccept),
    MajorsDiffer(DifferingMajors),
    PredictedTimeout(PredictedTimeout),
    PredictedStall(PredictedStall),
    NothingTried(NothingTried),
    RowsLeftOut(LeftOutRows),
    RowsFitted(FittedRows),
    RowsUnseen(UnseenRows),
    ReadChanged(WrongRead),
    PlanChanged(WrongPlan),
    GeneratorLag(Lag),
    SamplesMissing(MissingSamples),
    BaselineBroken(BrokenBaseline),
    NotReached(Unreached),
    MeasurementFailed(FailedMeasurement),
}
