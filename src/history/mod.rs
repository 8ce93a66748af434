//! The record of a trial: append-only events on one time axis, and the file that holds them.
//!
//! Everything that the judge may know is here. Workers append what they saw, raw; they derive
//! nothing. Nothing in this module connects, and nothing reads an event back while a trial runs.

mod activity;
mod answers;
mod contents;
mod disturbance;
mod event;
mod format_4;
mod header;
mod log;
mod operation;
mod pooler;
mod progress;
mod record;
mod replica;
mod roles;
mod sampler;
mod server_error;
mod session;
mod short;
mod waits;

pub use activity::{ActivitySample, Backend, ProgressSeen};
pub use answers::{AnswersCompared, ComparedAnswers, NotCompared, SAMPLE_CHARS_MAX, SAMPLES_MAX};
pub use contents::{
    ColumnChange, ContentsChange, DroppedColumn, Orphans, SequenceBehind, SequenceEnding,
    SequencePlace, TableChange, TableState, TableStates, ValueExample,
};
pub use disturbance::{DisturbanceEvent, Held, HeldRelation, Moment, Rounds};
pub use event::{
    Attempt, AttemptEnd, CatalogueSnapshot, ClosedBy, CommandEnded, ConnectionClosed,
    ConnectionOpened, ConnectionRefused, Contents, ControlReading, Entry, Event, FaultEvent,
    HeldLock, InvariantRead, OperationPlan, Phase, PlanNode, PlanRead, Protocol, Reference,
    RefusedFor, Source, StatementBegan, StatementEnded, StatementId, StepEvent, TableContents,
    TransactionStatus, WalSample, exit_words,
};
pub use format_4::{Death4, TrialFacts4};
pub use header::{
    Applied, Header, MachineFacts, ServerFacts, TrialFacts, Tried, VERSION, VERSION_READ,
};
pub use log::{LogReport, LoggedDeadlock, LoggedEnd, LoggedWait};
pub use operation::{
    Counters, LedgerMismatch, LedgerReport, Mismatch, Operation, OperationOutcome,
};
pub use pooler::{
    HeldAdvisory, NetworkEvent, NetworkPassed, PooledSession, PooledSessions, PoolerEvent,
    PoolerPassed,
};
pub use progress::{Listener, Progress, TrafficGauge, silent};
pub use record::{History, ReadError, Recorder, WriteError, open_ordinary};
pub use replica::{ReplicaSample, Startup, WalSender};
pub use roles::{APPLICATION_ROLE, MIGRATOR_ROLE, RoleFacts, RolesFacts};
pub use sampler::SamplerReport;
pub use server_error::ServerError;
pub use session::{Node, NodeName, Role, STANDBY, SessionId, SessionSeen, Since, since};
pub use short::ShortTable;
pub use waits::{GrantedLock, Wait, WaitSample};
