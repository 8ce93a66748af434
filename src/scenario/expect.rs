//! Verdicts, the kinds of findings, the limits that make them, and what a scenario expects.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the evidence says of a change. Ordered: the worst wins.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// No operation waited beyond the limits, and nothing was left wrong.
    Safe,
    /// Operations were harmed, and something bounds the harm.
    Bounded,
    /// The evidence carries no answer.
    Unproven,
    /// The application is harmed without a bound, or something is left wrong.
    Unsafe,
}

impl Verdict {
    /// All of them, the best first.
    pub const ALL: [Verdict; 4] =
        [Verdict::Safe, Verdict::Bounded, Verdict::Unproven, Verdict::Unsafe];

    /// The name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Safe => "safe",
            Verdict::Bounded => "bounded",
            Verdict::Unproven => "unproven",
            Verdict::Unsafe => "unsafe",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

macro_rules! finding_kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal),+ $(,)?) => {
        /// What can be found. The names are used in scenario files and results.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum FindingKind {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl FindingKind {
            /// All of them, in the order of the README.
            pub const ALL: &'static [FindingKind] = &[$(FindingKind::$variant),+];

            /// The name in files.
            pub fn as_str(self) -> &'static str {
                match self { $(FindingKind::$variant => $name,)+ }
            }

            /// What it means, in a sentence.
            pub fn describe(self) -> &'static str {
                let text = match self { $(FindingKind::$variant => concat!($($doc),+),)+ };
                text.trim_start()
            }
        }
    };
}

finding_kinds! {
    /// Operations waited on a lock because of the change, longer than the limit.
    Stall "stall",
    /// Every connection was checked out while operations waited for one.
    PoolExhaustion "pool-exhaustion",
    /// The pool gave up on operations.
    AcquireTimeout "acquire-timeout",
    /// Operations failed because of the change.
    OperationFailed "operation-failed",
    /// Operations waited longer than the limit, and not for a lock of the change.
    OperationWaited "operation-waited",
    /// Operations take longer since the change, although nothing of it is under way.
    OperationSlower "operation-slower",
    /// p99 latency during the change is beyond its limit against the baseline.
    Latency "latency",
    /// The standby fell behind the primary while the change ran.
    ReplicaLag "replica-lag",
    /// Reads on the standby waited for what the change locks, or were cancelled for it.
    RecoveryConflict "recovery-conflict",
    /// Latency was not back at the baseline within the time allowed.
    NotRecovered "not-recovered",
    /// 55P03: the change gave up waiting for a lock.
    LockTimeout "lock-timeout",
    /// 57014 by statement_timeout.
    StatementTimeout "statement-timeout",
    /// 25P03: the change sat idle inside its transaction.
    IdleInTransactionTimeout "idle-in-transaction-timeout",
    /// 25P04: the change's transaction took too long (17 and later).
    TransactionTimeout "transaction-timeout",
    /// 40P01 in the change.
    Deadlock "deadlock",
    /// 25001: CONCURRENTLY inside a transaction block.
    ConcurrentlyInTransaction "concurrently-in-transaction",
    /// The change failed in another way.
    ChangeFailed "change-failed",
    /// The command that applies the change failed, and no statement of it did.
    CommandFailed "command-failed",
    /// The tap did not let the change connect to another database, as another user, or with
    /// another password.
    ConnectionRefused "connection-refused",
    /// The command reported success although a statement of it failed and was not repeated.
    ErrorSwallowed "error-swallowed",
    /// statement_timeout ended a DO block that commits inside: the cap is not per batch.
    TimeoutCoversBlock "timeout-covers-block",
    /// A connection ended with work in an open transaction, or rolled it back, although the change
    /// reported success.
    OpenTransaction "open-transaction",
    /// Several migrations ran in one transaction although each was to have its own.
    OneTransaction "one-transaction",
    /// Several statements in one message, which the server runs as one transaction.
    OneMessage "one-message",
    /// Statements ran one after another under an AccessExclusiveLock.
    StatementsUnderLock "statements-under-lock",
    /// A statement scanned or rewrote a table, or built an index, under a lock that stops others.
    WorkUnderLock "work-under-lock",
    /// A statement that takes or waits for a strong lock ran with no timeout in force.
    NoTimeout "no-timeout",
    /// A timeout that the change declares was not in force for a statement of it.
    TimeoutNotInForce "timeout-not-in-force",
    /// Settings or advisory locks were left on server connections of a pooler.
    SessionStateLeft "session-state-left",
    /// An index with indisvalid = false was left behind.
    InvalidIndex "invalid-index",
    /// A failed change left a NOT VALID constraint behind.
    NotValidConstraint "not-valid-constraint",
    /// A rerun reported success although debris is still there.
    HiddenDebris "hidden-debris",
    /// Attempts that failed left something in the catalogue.
    LeftBehind "left-behind",
    /// The change never succeeded, however often it was applied again.
    RerunFailed "rerun-failed",
    /// Applying a finished change again changed the schema or the versions.
    RerunChanged "rerun-changed",
    /// Applying a finished change again changed rows.
    RerunWrote "rerun-wrote",
    /// Applying a finished change again held a strong lock for long.
    RerunLock "rerun-lock",
    /// From this starting state the change ends with another schema than from the reference.
    Diverged "diverged",
    /// The change did not come to its end, because another session held a lock that it needs.
    ChangeHung "change-hung",
    /// Several runners at once did the same work.
    RunnersOverlap "runners-overlap",
    /// One of several runners never came to its end.
    RunnerHung "runner-hung",
    /// One of several runners waited for another one.
    RunnerWaited "runner-waited",
    /// An acknowledged write is not in the tables.
    LostWrite "lost-write",
    /// A write is in the tables more than once, or although the application saw it fail.
    DoubledWrite "doubled-write",
    /// Rows that were there before the change are gone, and nothing says that they may go.
    RowsGone "rows-gone",
    /// Values that were there before the change are others, and nothing says that they may be.
    ValuesChanged "values-changed",
    /// Rows refer to no row although their foreign key is said to be valid.
    Orphans "orphans",
    /// A sequence returns next what a row of its column has already.
    SequenceBehind "sequence-behind",
    /// A sequence has next to no values left, and had enough before the change.
    SequenceEnds "sequence-ends",
    /// The server puts other values than before into columns that the application leaves to it.
    NewRowsDiffer "new-rows-differ",
    /// A view or a function that the change replaced and operations use answers otherwise on the
    /// same rows, or its answers could not be compared.
    AnswersDiffer "answers-differ",
    /// A function that the change replaced has computed what an index, a generated column or a
    /// constraint keeps.
    StaleValues "stale-values",
    /// A statement with IF NOT EXISTS did nothing, for something of that name was there before the
    /// change, and is another one.
    AlreadyThere "already-there",
    /// Privileges, owners, row security, triggers or what is replicated are not as before, and no
    /// statement of the change is about them.
    AccessChanged "access-changed",
    /// A table that stays lost a constraint, or a foreign key of it acts otherwise, or is new and
    /// no index begins with its columns.
    ConstraintChanged "constraint-changed",
    /// A column is gone with the values that it held.
    ValuesDropped "values-dropped",
    /// Rows were added to a table that the application uses, and nothing says that they may be.
    RowsAdded "rows-added",
    /// Interrupted and applied again, the change does not end as it does undisturbed: the crash
    /// matrix, in what is accepted. No trial finds it.
    Crash "crash",
    /// What an `[[accept]]` says that the change does on purpose did not happen.
    AcceptUnused "accept-unused",
    /// Its verdict or its findings differ between majors of PostgreSQL. Of all trials of a change;
    /// no trial finds it.
    MajorsDiffer "majors-differ",
    /// At a size that was not tried a statement comes to a timeout that is in force for it. Of all
    /// trials of a change; no trial finds it.
    PredictedTimeout "predicted-timeout",
    /// At a size that was not tried a lock is held longer than operations may wait. Of all trials
    /// of a change; no trial finds it.
    PredictedStall "predicted-stall",
    /// The change was applied and no table with rows was changed: nothing was tried.
    NothingTried "nothing-tried",
    /// Rows that were asked for are not there: the server refused them.
    RowsLeftOut "rows-left-out",
    /// Rows, and what the application writes, were made to fit what the change demands.
    RowsFitted "rows-fitted",
    /// Operations that met rows before the change meet none after it.
    RowsUnseen "rows-unseen",
    /// A declared read returned other rows than it must.
    ReadChanged "read-changed",
    /// A declared read has a plan that it must not have.
    PlanChanged "plan-changed",
    /// Operations were sent later than they were due: the generator fell behind.
    GeneratorLag "generator-lag",
    /// Samples of the lock table are missing where they matter.
    SamplesMissing "samples-missing",
    /// The limits were broken before the change began.
    BaselineBroken "baseline-broken",
    /// The change did not get to the statement that the scenario is about, or never ended.
    NotReached "not-reached",
    /// Part of the measurement failed; what it would have shown is unknown.
    MeasurementFailed "measurement-failed",
}

impl FindingKind {
    /// The kind of that name in files.
    pub fn parse(name: &str) -> Option<FindingKind> {
        FindingKind::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// Whether it is of a size that was not tried.
    pub fn is_predicted(self) -> bool {
        matches!(self, FindingKind::PredictedTimeout | FindingKind::PredictedStall)
    }

    /// Whether all trials of a change show it together, and none of them by itself.
    pub fn is_of_all_trials(self) -> bool {
        self == FindingKind::MajorsDiffer || self.is_predicted()
    }

    /// Whether it can be accepted, with a reason. What says that the evidence carries no answer
    /// cannot: nobody knows what would be accepted.
    pub fn may_be_accepted(self) -> bool {
        !self.is_of_all_trials()
            && !matches!(
                self,
                FindingKind::AcceptUnused
                    | FindingKind::NothingTried
                    | FindingKind::RowsLeftOut
                    | FindingKind::GeneratorLag
                    | FindingKind::SamplesMissing
                    | FindingKind::BaselineBroken
                    | FindingKind::NotReached
                    | FindingKind::MeasurementFailed
            )
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the application can bear.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Longest time that an operation may wait because of the change.
    pub stall_ms_max: u64,
    /// Most operations on which the pool may give up.
    pub acquire_timeouts_max: u64,
    /// Most operations that may fail because of the change.
    pub failed_operations_max: u64,
    /// p99 latency during the change, as a multiple of the baseline's; broken only where the
    /// p99 is also beyond `p99_ms_floor`, so that a change from 1 ms to 9 ms raises no alarm.
    pub p99_ratio_max: f64,
    /// In milliseconds: a p99 below it breaks no limit.
    pub p99_ms_floor: u64,
    /// Longest time that applying a finished change again may hold a lock that stops writers.
    pub rerun_lock_ms_max: u64,
    /// p99 of (sent − due) beyond which the generator, not the server, is what was measured.
    pub generator_lag_ms_max: u64,
    /// How far behind the primary a reader on the standby may be, in milliseconds; None: that only
    /// informs.
    pub replica_lag_ms_max: Option<u64>,
    /// How much WAL the standby may have to replay; None: that only informs.
    pub replica_lag_bytes_max: Option<u64>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            stall_ms_max: 1_000,
            acquire_timeouts_max: 0,
            failed_operations_max: 0,
            p99_ratio_max: 20.0,
            p99_ms_floor: 500,
            rerun_lock_ms_max: 200,
            generator_lag_ms_max: 100,
            replica_lag_ms_max: None,
            replica_lag_bytes_max: None,
        }
    }
}

impl Limits {
    /// Those that are not what they would be anyway, as a scenario file has them.
    pub(super) fn stated(&self) -> Vec<(&'static str, String)> {
        let Limits {
            stall_ms_max,
            acquire_timeouts_max,
            failed_operations_max,
            p99_ratio_max,
            p99_ms_floor,
            rerun_lock_ms_max,
            generator_lag_ms_max,
            replica_lag_ms_max,
            replica_lag_bytes_max,
        } = self;
        let or = Limits::default();
        let numbers = [
            ("stall_ms_max", stall_ms_max, or.stall_ms_max),
            ("acquire_timeouts_max", acquire_timeouts_max, or.acquire_timeouts_max),
            ("failed_operations_max", failed_operations_max, or.failed_operations_max),
            ("p99_ms_floor", p99_ms_floor, or.p99_ms_floor),
            ("rerun_lock_ms_max", rerun_lock_ms_max, or.rerun_lock_ms_max),
            ("generator_lag_ms_max", generator_lag_ms_max, or.generator_lag_ms_max),
        ];
        let changed = numbers.into_iter().filter(|(_, value, or)| *value != or);
        let mut keys: Vec<_> = changed.map(|(key, value, _)| (key, value.to_string())).collect();
        let lags = [
            ("replica_lag_ms_max", replica_lag_ms_max),
            ("replica_lag_bytes_max", replica_lag_bytes_max),
        ];
        keys.extend(lags.into_iter().filter_map(|(key, max)| Some((key, (*max)?.to_string()))));
        if *p99_ratio_max != or.p99_ratio_max {
            keys.push(("p99_ratio_max", toml::Value::Float(*p99_ratio_max).to_string()));
        }
        keys
    }
}

/// The verdict and findings that the scenario's author expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// Any of these; more than one only where the outcome is measured rather than known.
    pub verdict: Vec<Verdict>,
    /// Must be among the findings.
    pub findings: Vec<FindingKind>,
    /// Must not be.
    pub absent: Vec<FindingKind>,
}
