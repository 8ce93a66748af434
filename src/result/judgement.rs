//! What a judgement consists of. These types are result.json; see docs/result.md.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::history::{Counters, LedgerReport, SamplerReport, TrialFacts};
use crate::pg::SqlState;
use crate::pg::purpose::Purpose;
use crate::scenario::{FindingKind, Outcome, Verdict};
use crate::stats::{Bucket, Summary};

use super::finding::Finding;
use super::lock::RelationLock;
use super::margin::Margin;
use super::statement::StatementRef;

/// What one trial shows, with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// Version of the result's format in which it was written.
    pub format: u32,
    /// The trial that was judged.
    pub trial: TrialFacts,
    /// The worst of its findings' verdicts; safe without one.
    pub verdict: Verdict,
    /// Whether every expectation of the scenario held.
    pub as_expected: bool,
    /// What the scenario expects, and whether it held.
    pub expectations: Vec<Expectation>,
    /// Where the outcome is not the expected one, a sentence each.
    pub mismatches: Vec<String>,
    /// The verdict's reason in one sentence.
    pub reason: String,
    /// What the reason is made from, beside the findings and the numbers.
    #[serde(default)]
    pub ending: Ending,
    /// The worst first; those that only inform come last.
    pub findings: Vec<Finding>,
    /// The scenario's limits and what was observed of each; empty: an older version wrote the
    /// result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub margins: Vec<Margin>,
    /// The numbers.
    pub measured: Measured,
    /// From the trial's begin to its end.
    pub took_us: Micros,
}

/// How the change and its reruns ended, as the reason of a verdict tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// The first application that came to its end, from 0; null: none did.
    pub first_success: Option<u32>,
    /// How many runners applied the change at once.
    pub runners: u32,
    /// What applying the finished change again showed; null: it was not applied again.
    pub rerun: Option<RerunEnding>,
    /// The state from which the change ends with the same schema; null: nothing was compared.
    pub converged_with: Option<String>,
    /// The state is a database without tables, on which no application runs.
    pub begins_empty: bool,
    /// The longest that an operation may wait because of the change.
    pub stall_limit_us: Micros,
}

/// What applying a finished change again did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RerunEnding {
    /// Every version was applied already.
    AllApplied,
    /// It sent nothing that changes anything.
    ChangedNothing,
    /// It ran statements, and the schema stayed as it was.
    Succeeded,
    /// It was not applied again: a command that keeps no versions, which nobody asked for.
    LeftOut,
}

/// Something that the scenario expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// What it is about; null: something that no finding is about, or not known.
    #[serde(default)]
    pub about: Option<ExpectationOf>,
    /// As a name that stays the same from run to run: `the verdict is unsafe`.
    pub expected: String,
    /// Whether it did.
    pub held: bool,
    /// Where it did not hold, a sentence; empty where it did.
    pub mismatch: String,
}

/// What an expectation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExpectationOf {
    /// The verdict, to which every finding contributes.
    Verdict,
    /// That findings of the kind are there.
    Found(FindingKind),
    /// That none of the kind is there.
    NotFound(FindingKind),
    /// That a matrix carries an answer.
    Answer,
    /// That some case ends with the outcome.
    SomeOutcome(Outcome),
    /// That no case ends with the outcome.
    NoOutcome(Outcome),
    /// That every planned case of a matrix was run.
    AllCases,
}

impl Expectation {
    /// One that held, unless there is a sentence that says why not.
    pub fn new(expected: String, mismatch: Option<String>) -> Expectation {
        let held = mismatch.is_none();
        Expectation { about: None, expected, held, mismatch: mismatch.unwrap_or_default() }
    }

    /// That the verdict is one of these.
    pub fn verdict(wanted: &[Verdict], verdict: Verdict) -> Expectation {
        let names: Vec<&str> = wanted.iter().map(|v| v.as_str()).collect();
        let names = names.join(" or ");
        let other = || format!("the verdict is {verdict}, expected {names}");
        let wrong = (!wanted.contains(&verdict)).then(other);
        Expectation::new(format!("the verdict is {names}"), wrong).about(ExpectationOf::Verdict)
    }

    /// That a finding of the kind is there.
    pub fn found(kind: FindingKind, is_found: bool) -> Expectation {
        let missing = || format!("{kind} was expected and not found");
        Expectation::new(format!("{kind} is found"), (!is_found).then(missing))
            .about(ExpectationOf::Found(kind))
    }

    /// That no finding of the kind is there.
    pub fn not_found(kind: FindingKind, is_found: bool) -> Expectation {
        let there = || format!("{kind} was found and must not be");
        Expectation::new(format!("{kind} is not found"), is_found.then(there))
            .about(ExpectationOf::NotFound(kind))
    }

    /// That a matrix carries an answer. As of all that is expected of a matrix, `explain` says why
    /// it did not hold.
    pub fn answer(held: bool) -> Expectation {
        Expectation::of_matrix("the matrix carries an answer", held, ExpectationOf::Answer)
    }

    /// That some case of a matrix ends so.
    pub fn some_ends(outcome: Outcome, held: bool) -> Expectation {
        let expected = format!("some case ends with {outcome}");
        Expectation::of_matrix(expected, held, ExpectationOf::SomeOutcome(outcome))
    }

    /// That no case of a matrix ends so.
    pub fn ends_no(outcome: Outcome, held: bool) -> Expectation {
        let expected = format!("no case ends with {outcome}");
        Expectation::of_matrix(expected, held, ExpectationOf::NoOutcome(outcome))
    }

    /// That every case of a matrix was run to its end.
    pub fn all_cases(held: bool) -> Expectation {
        Expectation::of_matrix("every planned case is run", held, ExpectationOf::AllCases)
    }

    fn of_matrix(expected: impl Into<String>, held: bool, about: ExpectationOf) -> Expectation {
        Expectation { held, ..Expectation::new(expected.into(), None).about(about) }
    }

    fn about(self, about: ExpectationOf) -> Expectation {
        Expectation { about: Some(about), ..self }
    }

    /// The sentences of those that did not hold.
    pub fn mismatches(of: &[Expectation]) -> Vec<String> {
        of.iter().filter(|e| !e.held).map(|e| e.mismatch.clone()).collect()
    }
}

/// The numbers of a trial. Fields that end with `_us` are microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Operations by outcome.
    pub operations: Counters,
    /// Of operations due in the phase; from due to finished.
    pub latency: LatencyByPhase,
    /// By due time, in steps of 100 ms.
    pub series: Vec<Bucket>,
    /// The longest that an operation waited because of the change.
    pub longest_stall_us: Micros,
    /// Operations that waited because of the change.
    pub stalled_operations: u64,
    /// Most operations that waited for a connection at one moment.
    pub queue_max: u64,
    /// How long every connection was checked out while operations waited.
    pub exhausted_us: Micros,
    /// From the start of the first stall.
    pub time_to_exhaustion_us: Option<Micros>,
    /// From the start of the first stall to the first operation on which the pool gave up.
    pub time_to_acquire_timeout_us: Option<Micros>,
    /// By SQLSTATE and condition name.
    pub application_errors: BTreeMap<String, u64>,
    /// Errors of the change by SQLSTATE and condition name.
    pub change_errors: BTreeMap<String, u64>,
    /// From the begin of the first application to its end.
    pub change_us: Micros,
    /// For how long of that the tap held its statements and their answers back to look at locks.
    pub paused_us: Micros,
    /// The longest that the change itself was seen waiting for a lock.
    pub change_waited_us: Micros,
    /// From the end of the change until latency was back; None: it never was.
    pub recovery_us: Option<Micros>,
    /// 99th percentile of (sent − due): the load generator's own lag.
    pub generator_lag_p99_us: Micros,
    /// Median of the machine control: how long a fixed piece of work took on this server, before
    /// the application came and after it had gone. None: it was not measured.
    pub control_us: Option<Micros>,
    /// Applications of the change.
    pub attempts: u32,
    /// How the command ended, per attempt; empty where the change is no command.
    pub commands: Vec<CommandRow>,
    /// Statements of the change, in the order in which they began.
    pub statements: Vec<StatementRow>,
    /// How well the sampler kept its rate.
    pub sampler: SamplerReport,
    /// What the server's log says of waits; null: an older version wrote the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogCompared>,
    /// What the ledger and the tables say of each other; null: nothing was compared.
    pub ledger: Option<LedgerReport>,
    /// What it took to compare the tables with what they were; null: nothing was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents: Option<ContentsCost>,
    /// Of the tables' files before the change, indexes left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub table_bytes: BTreeMap<String, u64>,
    /// What the standby and its readers went through; null: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<ReplicaMeasured>,
}

/// The standby's figures once the change had begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicaMeasured {
    /// The age of the oldest WAL that was not replayed, at its worst.
    pub lag_us_max: Micros,
    /// Most WAL that was not replayed.
    pub lag_bytes_max: u64,
    /// Longest `replay_lag` of pg_stat_replication; null: it had no figure.
    pub replay_lag_us_max: Option<Micros>,
    /// Most WAL that a replication slot kept.
    pub kept_bytes_max: u64,
    /// Operations that ran on the standby, those before the change included.
    pub operations: u64,
    /// Those of them that waited for a lock that replay held or asked for.
    pub waited: u64,
    /// The longest that one of them waited.
    pub longest_wait_us: Micros,
    /// Those of them that replay cancelled.
    pub cancelled: u64,
    /// By pg_stat_database_conflicts of the standby, since the change began.
    pub conflicts: BTreeMap<String, u64>,
    /// Samples of both servers.
    pub samples: u64,
}

/// What the comparison of tables with what they were took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentsCost {
    /// Tables that were read; those that the change cannot have changed are not.
    pub tables: u64,
    /// How long it took, the copy of the database left out.
    pub took_us: Micros,
}

/// Latency of the operations that were due in each phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencyByPhase {
    /// In the baseline.
    pub before: Summary,
    /// While the change was applied the first time.
    pub during: Summary,
    /// After it.
    pub after: Summary,
    /// While the change was applied again.
    pub rerun: Summary,
}

/// Waits in the server's log, held against the samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogCompared {
    /// A shorter wait is not logged; null: not known.
    pub deadlock_timeout_us: Option<Micros>,
    /// Waits that the log has.
    pub waits: u64,
    /// Deadlocks that the log has.
    pub deadlocks: u64,
    /// Waits that no sample shows; they are judged as the log has them.
    pub only_logged: u64,
    /// Waits whose end in the samples is more than `tolerance_us` from that in the log.
    pub apart: u64,
    /// The largest such difference of all waits.
    pub apart_us_max: Micros,
    /// A difference that a sampling interval explains.
    pub tolerance_us: Micros,
    /// Why the log is no evidence, or not all of it; null: it was read to its end.
    pub not_read: Option<String>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandRow {
    /// Application of the change, from 0.
    pub attempt: u32,
    /// Which of several runners that began at once ran it, from 1; null: there was one, or it was
    /// run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<u32>,
    /// None: a signal ended it.
    pub exit_code: Option<i32>,
    /// Signal that ended it; null: it exited by itself.
    pub signal: Option<i32>,
    /// The end of what it printed.
    pub output: String,
    /// Bytes of output before that.
    pub output_cut: u64,
}

/// A statement of the change and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementRow {
    /// Application of the change, from 0.
    pub attempt: u32,
    /// Number of its connection within the attempt.
    pub connection: u32,
    /// The statement.
    pub statement: StatementRef,
    /// What it is for.
    pub purpose: Purpose,
    /// When it began, in microseconds of the trial's clock.
    pub began_us: Micros,
    /// Whether a transaction was open when it began.
    pub in_transaction: bool,
    /// In force when it began.
    pub timeouts: TimeoutsInForce,
    /// Rows of its command tag; null: it has none.
    pub rows: Option<u64>,
    /// Message of its error; null: it succeeded.
    pub error: Option<String>,
    /// Of the error; null: it had none, or an older version wrote this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlstate: Option<SqlState>,
    /// WAL of the whole server meanwhile, the traffic's included.
    pub wal_bytes: Option<u64>,
    /// Relations that have another relfilenode after it.
    pub rewritten: Vec<String>,
    /// Held after the statement.
    pub held: Vec<RelationLock>,
    /// Those of them that were not held before it.
    pub taken: Vec<RelationLock>,
    /// How long the tap held it and its answer back.
    pub paused_us: Micros,
    /// For how long it was seen waiting for a lock.
    #[serde(default)]
    pub waited_us: Micros,
    /// What the server's progress views said it was doing, and for how long; empty: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<StatementPhase>,
    /// What the server said beside the answer: notices and warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

impl StatementRow {
    /// What it took without its waits for locks: the part that is a matter of size.
    pub fn work_us(&self) -> Micros {
        self.statement.took_us - self.waited_us
    }
}

/// A phase of a statement by `pg_stat_progress_*`, as often as it was sampled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementPhase {
    /// As the server names it: `building index: scanning table`.
    pub phase: String,
    /// Samples of it, by the time between them.
    pub took_us: Micros,
}

/// Milliseconds; 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeoutsInForce {
    /// `lock_timeout`.
    pub lock_ms: u64,
    /// `statement_timeout`.
    pub statement_ms: u64,
    /// `idle_in_transaction_session_timeout`.
    pub idle_in_transaction_ms: u64,
    /// None: the server has no such setting (before 17).
    pub transaction_ms: Option<u64>,
}

impl TimeoutsInForce {
    /// Whether something ends a wait for a lock, however long its holder stays.
    pub fn bound_waiting(&self) -> bool {
        self.lock_ms > 0 || self.statement_ms > 0 || self.transaction_ms.is_some_and(|ms| ms > 0)
    }
}

/// `lock 3 s, statement 30 s`, or `none`.
impl fmt::Display for TimeoutsInForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            ("lock", self.lock_ms),
            ("statement", self.statement_ms),
            ("idle", self.idle_in_transaction_ms),
            ("transaction", self.transaction_ms.unwrap_or(0)),
        ];
        let in_force = named.into_iter().filter(|(_, ms)| *ms > 0);
        let words: Vec<String> =
            in_force.map(|(name, ms)| format!("{name} {}", setting_words(ms))).collect();
        match words.is_empty() {
            true => f.write_str("none"),
            false => f.write_str(&words.join(", ")),
        }
    }
}

/// A setting in milliseconds, in the unit in which a person would have written it.
pub fn setting_words(ms: u64) -> String {
    match ms {
        0 => "0 (none)".to_owned(),
        ms if ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{} s", ms / 1_000),
        ms => format!("{ms} ms"),
    }
}
