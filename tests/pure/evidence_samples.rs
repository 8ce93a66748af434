//! One of each form that the evidence of each kind of finding takes.

use pgauntlet::clock::Micros;
use pgauntlet::history::{ClosedBy, LedgerMismatch, Mismatch, PlanNode, ServerError};
use pgauntlet::pg::SqlState;
use pgauntlet::result::evidence::*;
use pgauntlet::result::{BlockingState, Evidence, Origin, StatementRef, Subject};
use pgauntlet::scenario::{FindingKind, FindingKind as K, Scope};
use pgauntlet::schema::Difference;

use crate::evidence_of_contents::{of_contents, of_majors};
use crate::evidence_of_failures::of_failures;
use crate::evidence_of_runners::{of_poolers, of_runners};
use crate::{evidence_of_predictions, evidence_of_replica, evidence_of_slower, findings_refused};

const TEXT: &str = "ALTER TABLE spans ADD CONSTRAINT b CHECK (id = 'nobody')";
const VIOLATED: &str = "check constraint \"b\" of relation \"spans\" is violated by some row";

pub fn subject() -> Subject {
    Subject {
        statement: Some(statement()),
        relation: Some("spans".to_owned()),
        session: Some("runner 1".to_owned()),
        operation: Some("insert-span".to_owned()),
    }
}

fn statement() -> StatementRef {
    StatementRef {
        attempt: 0,
        runner: None,
        rerun: None,
        id: 3,
        migration: "m".to_owned(),
        origin: Origin::File,
        file: Some("m/1.sql".to_owned()),
        line: Some(4),
        text: TEXT.to_owned(),
        took_us: Micros(5),
    }
}

fn error() -> ServerError {
    ServerError {
        sqlstate: Some(SqlState::new("23514")),
        message: VIOLATED.to_owned(),
        detail: Some("Failing row contains (1).".to_owned()),
        hint: Some("none".to_owned()),
        context: Some("SQL function \"f\" statement 1".to_owned()),
    }
}

fn node() -> PlanNode {
    PlanNode {
        node_type: "Seq Scan".to_owned(),
        relation: Some("spans".to_owned()),
        index: None,
        rows: 7,
    }
}

fn difference() -> Difference {
    Difference {
        object: "column public.spans.a".to_owned(),
        property: "type".to_owned(),
        from: Some("int".to_owned()),
        to: None,
    }
}

fn aborted() -> Vec<Aborted> {
    let application = Application { attempt: 1, runners: 1 };
    let came = [ErrorCame::FromStatement, ErrorCame::AfterStatement, ErrorCame::BeforeStatements];
    came.map(|came| Aborted {
        application,
        came,
        error: error(),
        deadlock: None,
        race: None,
        earlier: None,
    })
    .into()
}

fn progressed() -> Option<Progressed> {
    let (command, phase) = ("CREATE INDEX".to_owned(), "building index".to_owned());
    Some(Progressed { command, phase, done: 3, total: 8 })
}

fn of_deadlocks() -> Vec<Evidence> {
    let opponents = [
        Opponent::Application,
        Opponent::Runner(2),
        Opponent::OtherConnection,
        Opponent::Other("backup (pid 7)".to_owned()),
    ];
    use WorstSide::{FailedOperation, HalfDroppedIndex, InvalidIndex, PendingDetach, RolledBack};
    let lasting = [InvalidIndex, HalfDroppedIndex, PendingDetach].map(|side| side(statement()));
    let sides: Vec<WorstSide> = lasting.into_iter().chain([FailedOperation, RolledBack]).collect();
    let races = opponents.into_iter().flat_map(|with| {
        sides.clone().into_iter().map(move |worst| Race {
            with: with.clone(),
            statement: Some(statement()),
            mode: "ShareLock".to_owned(),
            locktype: "virtualxid".to_owned(),
            worst,
        })
    });
    let aborted = aborted().remove(0);
    let of = |race| Evidence::Deadlock(Aborted { race, ..aborted.clone() });
    races.map(Some).chain([None]).map(of).collect()
}

fn of_hangs() -> Vec<Hang> {
    let wait = |held: Option<&str>, holder_is_idle| HungWait {
        waiter: "the change (pid 900)".to_owned(),
        statement: Some(statement()),
        mode: "ShareLock".to_owned(),
        locktype: "transactionid".to_owned(),
        relation: None,
        waited_us: Micros::from_millis(9_000),
        since_us: Micros::from_millis(5_000),
        holder: "the change (pid 901)".to_owned(),
        held: held.map(str::to_owned),
        holder_statement: Some(statement()),
        holder_is_idle,
    };
    let polled = |runner| Polled { tries: 9, since_us: Micros(5), waited_us: Micros(7), runner };
    let hang = |waits, cycle, polled| Hang {
        application: Application { attempt: 0, runners: 1 },
        deadline_us: Micros::from_millis(12_000),
        waits,
        cycle,
        polled,
    };
    let polls = [None, Some(1)].map(|runner| hang(Vec::new(), false, Some(polled(runner))));
    let cycle = hang(vec![wait(Some("ExclusiveLock"), true)], true, None);
    [cycle, hang(vec![wait(None, false)], false, None)].into_iter().chain(polls).collect()
}

fn of_aborts(form: fn(Aborted) -> Evidence) -> Vec<Evidence> {
    aborted().into_iter().map(form).collect()
}

/// One of each form that the kind's evidence takes.
pub fn evidence_of(kind: FindingKind) -> Vec<Evidence> {
    match kind {
        K::Stall
        | K::PoolExhaustion
        | K::AcquireTimeout
        | K::OperationFailed
        | K::OperationWaited
        | K::Latency
        | K::NotRecovered => of_traffic(kind),
        K::OperationSlower => evidence_of_slower::forms(),
        K::ReplicaLag | K::RecoveryConflict => evidence_of_replica::evidence(kind),
        K::LockTimeout => of_aborts(Evidence::LockTimeout),
        K::StatementTimeout => of_aborts(Evidence::StatementTimeout),
        K::IdleInTransactionTimeout => of_aborts(Evidence::IdleInTransactionTimeout),
        K::TransactionTimeout => of_aborts(Evidence::TransactionTimeout),
        K::Deadlock => of_deadlocks(),
        K::ChangeHung => of_hangs().into_iter().map(Evidence::ChangeHung).collect(),
        K::ChangeFailed => of_aborts(Evidence::ChangeFailed),
        K::ConcurrentlyInTransaction
        | K::CommandFailed
        | K::ErrorSwallowed
        | K::TimeoutCoversBlock
        | K::OpenTransaction
        | K::OneTransaction
        | K::OneMessage
        | K::StatementsUnderLock
        | K::NoTimeout
        | K::SessionStateLeft
        | K::TimeoutNotInForce => of_the_change(kind),
        K::InvalidIndex
        | K::LeftBehind
        | K::RowsGone
        | K::ValuesChanged
        | K::Orphans
        | K::SequenceBehind
        | K::SequenceEnds
        | K::NewRowsDiffer
        | K::AnswersDiffer
        | K::AccessChanged
        | K::ConstraintChanged
        | K::ValuesDropped
        | K::RowsAdded
        | K::AcceptUnused
        | K::WorkUnderLock
        | K::NothingTried => of_contents(kind),
        K::StaleValues | K::AlreadyThere | K::RowsFitted | K::RowsLeftOut => of_contents(kind),
        K::NotValidConstraint
        | K::HiddenDebris
        | K::RerunFailed
        | K::RerunChanged
        | K::RerunWrote
        | K::RerunLock
        | K::Diverged
        | K::LostWrite
        | K::DoubledWrite => of_what_is_left(kind),
        K::Crash => Vec::new(), // no trial finds it
        K::MajorsDiffer => of_majors(),
        K::PredictedTimeout | K::PredictedStall => evidence_of_predictions::evidence(kind),
        K::ConnectionRefused | K::RowsUnseen => findings_refused::evidence_of(kind),
        K::RunnersOverlap | K::RunnerHung | K::RunnerWaited => of_runners(kind),
        K::ReadChanged
        | K::PlanChanged
        | K::GeneratorLag
        | K::SamplesMissing
        | K::BaselineBroken
        | K::NotReached
        | K::MeasurementFailed => of_measurements(kind),
    }
}

fn of_traffic(kind: FindingKind) -> Vec<Evidence> {
    let (second, limit) = (Micros::from_millis(1_000), Micros::from_millis(500));
    match kind {
        FindingKind::Stall => [BlockingState::Waiting, BlockingState::Holding, BlockingState::Idle]
            .map(|state| Evidence::Stall(stalled(state)))
            .into(),
        FindingKind::PoolExhaustion => vec![Evidence::PoolExhaustion(PoolExhausted {
            connections: 15,
            exhausted_us: second,
            after_us: Some(limit),
            queue_max: 40,
            from_us: second,
            limit_us: limit,
        })],
        FindingKind::AcquireTimeout => vec![Evidence::AcquireTimeout(AcquireTimeouts {
            operations: 3,
            timeout_ms: 500,
            after_us: None,
            from_us: second,
            to_us: second,
        })],
        FindingKind::OperationFailed => of_failures(&error()),
        _ => of_times(kind),
    }
}

fn stalled(state: BlockingState) -> Stalled {
    let (second, limit) = (Micros::from_millis(1_000), Micros::from_millis(500));
    Stalled {
        operations: 2,
        longest_us: second,
        limit_us: limit,
        state,
        waiting_us: second,
        holding_us: Micros::ZERO,
        idle_us: Micros::ZERO,
        overhead_us: Micros::ZERO,
        lock_timeout_us: Some(limit),
        idle_timeout_us: None,
        behind: Some("long-reader (pid 7)".to_owned()),
        locktype: "relation".to_owned(),
        taken_earlier: false,
        held_meanwhile: None,
        stalls: 3,
        from_us: second,
        to_us: second,
    }
}

fn of_times(kind: FindingKind) -> Vec<Evidence> {
    let (second, limit) = (Micros::from_millis(1_000), Micros::from_millis(500));
    match kind {
        FindingKind::Latency => [LatencyPhase::During, LatencyPhase::After, LatencyPhase::Rerun]
            .map(|phase| {
                Evidence::Latency(SlowPhase {
                    phase,
                    p99_us: second,
                    before_p99_us: Micros(900),
                    limit_us: limit,
                    causes: waits(),
                    meanwhile: Some(statement()),
                    wal_bytes: None,
                })
            })
            .into(),
        FindingKind::OperationWaited => [true, false]
            .map(|while_it_ran| {
                Evidence::OperationWaited(LongWaits {
                    operations: 8,
                    longest_us: second,
                    limit_us: limit,
                    before_us: Micros(7),
                    while_it_ran,
                    causes: waits(),
                    meanwhile: Some(statement()),
                    wal_bytes: None,
                    from_us: second,
                    to_us: second,
                })
            })
            .into(),
        _ => [0, 2]
            .map(|failed| {
                Evidence::NotRecovered(Unrecovered {
                    allowed_ms: 2_000,
                    failed,
                    operations: 2,
                    from_us: limit,
                    to_us: second,
                    watched_us: second,
                    limit_us: limit,
                })
            })
            .into(),
    }
}

/// One operation for each cause.
fn waits() -> Vec<WaitCount> {
    let lock = |by| WaitCause::Lock {
        mode: "AccessShareLock".to_owned(),
        locktype: "relation".to_owned(),
        relation: Some("spans".to_owned()),
        by,
        holder: "backup (pid 7)".to_owned(),
    };
    let (event_type, event) = ("IO".to_owned(), "DataFileRead".to_owned());
    [
        lock(Holder::Change),
        lock(Holder::Application),
        lock(Holder::Disturbance),
        WaitCause::Event { event_type, event },
        WaitCause::Running,
        WaitCause::NotBegun,
        WaitCause::Connection,
        WaitCause::Unseen,
    ]
    .map(|cause| WaitCount { operations: 1, longest_us: Micros(7), cause })
    .into()
}

fn of_the_change(kind: FindingKind) -> Vec<Evidence> {
    match kind {
        FindingKind::ConcurrentlyInTransaction => [
            None,
            Some(InTransaction::OneMessage { statements: 3 }),
            Some(InTransaction::BeganImmediatelyBefore),
            Some(InTransaction::BeganWith(statement())),
        ]
        .map(|transaction| {
            let application = Application { attempt: 0, runners: 2 };
            let aborted = Aborted { application, ..aborted().remove(0) };
            Evidence::ConcurrentlyInTransaction(RefusedInTransaction {
                aborted,
                transaction,
                changed_nothing: true,
                stalled: false,
            })
        })
        .into(),
        FindingKind::CommandFailed => [Some("no such table".to_owned()), None]
            .map(|last_line| {
                let application = Application { attempt: 0, runners: 1 };
                let (exit_code, signal) = (Some(1), None);
                let failed = FailedCommand { application, exit_code, signal, last_line };
                Evidence::CommandFailed(failed)
            })
            .into(),
        FindingKind::ErrorSwallowed => {
            [SwallowedFate::DoneBefore, SwallowedFate::DoneLater, SwallowedFate::NotDone]
                .map(|fate| {
                    Evidence::ErrorSwallowed(SwallowedError { error: error(), fate, others: 1 })
                })
                .into()
        }
        FindingKind::TimeoutCoversBlock => vec![Evidence::TimeoutCoversBlock(CoveredBlock {
            statement_timeout_ms: 300,
            runs: 2,
            finished_later: true,
        })],
        FindingKind::OpenTransaction => of_open_transactions(),
        FindingKind::OneTransaction => {
            vec![Evidence::OneTransaction(SharedTransaction { migrations: 4 })]
        }
        FindingKind::OneMessage => [true, false]
            .map(|refused| {
                Evidence::OneMessage(SharedMessage { statements: 3, refused, others: 2 })
            })
            .into(),
        FindingKind::StatementsUnderLock => [1, 2]
            .map(|statements| {
                let (others, took_us, longest) = (1, Micros(9), statement());
                let held = HeldMeanwhile { others, statements, took_us, longest };
                Evidence::StatementsUnderLock(held)
            })
            .into(),
        FindingKind::NoTimeout => of_locks(),
        FindingKind::SessionStateLeft => of_poolers(&statement()),
        _ => vec![Evidence::TimeoutNotInForce(OtherTimeouts {
            scope: Scope::Local,
            timeouts: vec![OtherTimeout {
                setting: "lock_timeout".to_owned(),
                declared_ms: 3_000,
                in_force_ms: 0,
                statement: statement(),
                statements: 4,
                lifted: 1,
            }],
        })],
    }
}

fn of_open_transactions() -> Vec<Evidence> {
    let ends = [
        RolledBack::CommitFailed(error()),
        RolledBack::CommitAfterError,
        RolledBack::RollbackWithoutError,
        RolledBack::RollbackAfterError,
        RolledBack::ConnectionClosed { by: ClosedBy::Client, at_us: Micros(7) },
        RolledBack::ConnectionClosed { by: ClosedBy::ClientGone, at_us: Micros(7) },
    ];
    let lost = |ended| {
        Evidence::OpenTransaction(LostTransaction {
            by_command: true,
            transaction: statement(),
            ended,
            changes: 2,
            first_change: Some(statement()),
            transactions: 1,
        })
    };
    ends.map(lost).into()
}

fn of_locks() -> Vec<Evidence> {
    let (mode, relation) = ("ShareLock".to_owned(), "spans".to_owned());
    [
        LockNeed::Waited { waited_us: Micros(3), mode: mode.clone(), relation: None },
        LockNeed::Took { mode: mode.clone(), relation: relation.clone() },
        LockNeed::Held { mode: mode.clone(), relation: relation.clone() },
        LockNeed::AsksFor { mode, relation },
    ]
    .map(|lock| {
        let (in_transaction, outside_only, others) = (false, true, 1);
        let may_limit_itself = false;
        let unlimited = Unlimited { lock, in_transaction, outside_only, may_limit_itself, others };
        Evidence::NoTimeout(unlimited)
    })
    .into()
}

fn of_what_is_left(kind: FindingKind) -> Vec<Evidence> {
    let versions = || vec!["1".to_owned(), "2".to_owned()];
    match kind {
        FindingKind::NotValidConstraint => {
            vec![Evidence::NotValidConstraint(LeftNotValid { constraint: "c".to_owned() })]
        }
        FindingKind::HiddenDebris => [None, Some("it exists, skipping".to_owned())]
            .map(|notice| Evidence::HiddenDebris(Hidden { notice }))
            .into(),
        FindingKind::RerunFailed => [true, false]
            .map(|had_finished| {
                Evidence::RerunFailed(FailedReruns { attempts: 3, had_finished, last: None })
            })
            .into(),
        FindingKind::RerunChanged => [
            CatalogueChange::Schema { differences: 2, first: difference() },
            CatalogueChange::Versions { before: Vec::new(), after: versions() },
        ]
        .map(Evidence::RerunChanged)
        .into(),
        FindingKind::RerunWrote => [6, 7]
            .map(|after| Evidence::RerunWrote(RowsChange { before: 6, after, others: 1 }))
            .into(),
        FindingKind::RerunLock => [true, false]
            .map(|did_something| {
                let (held_us, limit_us) = (Micros(9), Micros(3));
                let mode = "ShareLock".to_owned();
                let from_us = Micros(1);
                let held = RerunHeld { mode, held_us, limit_us, did_something, from_us };
                Evidence::RerunLock(held)
            })
            .into(),
        FindingKind::Diverged => {
            let (state, reference) = ("part-way".to_owned(), "base".to_owned());
            let schema = Divergence::Schema {
                state: state.clone(),
                reference: reference.clone(),
                differences: 2,
                first: difference(),
                notice: Some("it exists, skipping".to_owned()),
            };
            let (ends, reference_ends) = (Vec::new(), versions());
            let versions = Divergence::Versions { state, reference, ends, reference_ends };
            [schema, versions].map(Evidence::Diverged).into()
        }
        FindingKind::LostWrite => {
            let overwritten = Mismatch::Overwritten {
                column: "name".to_owned(),
                expected: "a".to_owned(),
                found: None,
            };
            [Mismatch::Lost, overwritten].map(|m| Evidence::LostWrite(writes(m))).into()
        }
        _ => [Mismatch::Doubled { times: 2 }, Mismatch::Unacknowledged]
            .map(|m| Evidence::DoubledWrite(writes(m)))
            .into(),
    }
}

fn writes(kind: Mismatch) -> WrongWrites {
    let (operation, table, key) = ("insert".to_owned(), "spans".to_owned(), "42".to_owned());
    let example = LedgerMismatch { operation, table, key, kind };
    WrongWrites { acknowledged: 9, mismatches: 1, example, replaced: None }
}

fn of_measurements(kind: FindingKind) -> Vec<Evidence> {
    let read = || "spans-by-task".to_owned();
    let ended = |by| {
        let (operations, message) = (2, "terminating connection".to_owned());
        FailedMeasurement::OperationsEnded { operations, by, message }
    };
    let plan = || PlanRule::Without { node_type: "Seq Scan".to_owned() };
    match kind {
        FindingKind::ReadChanged => of_reads(),
        FindingKind::PlanChanged => [plan(), PlanRule::RowsMax(5)]
            .map(|limit| {
                let before = Some(node());
                Evidence::PlanChanged(WrongPlan { read: read(), node: node(), limit, before })
            })
            .into(),
        FindingKind::GeneratorLag => {
            vec![Evidence::GeneratorLag(Lag { p99_us: Micros(9), limit_us: Micros(5) })]
        }
        FindingKind::SamplesMissing => [0, 9]
            .map(|due| {
                let (missing, longest_gap_us) = (due, Micros(4));
                Evidence::SamplesMissing(MissingSamples { missing, due, longest_gap_us })
            })
            .into(),
        FindingKind::BaselineBroken => [
            BrokenBaseline::Traffic { p99_us: Micros(9), limit_us: Micros(5), failed: 1 },
            BrokenBaseline::Plan { read: read(), node: node(), limit: plan() },
            BrokenBaseline::ReadChanged { read: read() },
            BrokenBaseline::ReadUnwanted { read: read(), rows: 3 },
        ]
        .map(Evidence::BaselineBroken)
        .into(),
        FindingKind::NotReached => [
            Unreached::NoEnd,
            Unreached::Deadline { deadline_us: Micros(5), running: true, progress: None },
            Unreached::Deadline { deadline_us: Micros(5), running: true, progress: progressed() },
            Unreached::Deadline { deadline_us: Micros(5), running: false, progress: None },
            Unreached::CutShort,
            Unreached::NoStatement { by_command: true },
            Unreached::NoStatement { by_command: false },
            Unreached::Stopped,
        ]
        .map(Evidence::NotReached)
        .into(),
        _ => [
            FailedMeasurement::Stage { stage: "sampling".to_owned(), message: "no".to_owned() },
            FailedMeasurement::Disturbance { name: "backup".to_owned(), error: error() },
            FailedMeasurement::Accounts { missing: 1, scheduled: 9 },
            FailedMeasurement::PlanUnread { read: read(), after: true, error: error() },
            FailedMeasurement::PlanUnread { read: read(), after: false, error: error() },
            FailedMeasurement::PlanNeverRead { read: read() },
            FailedMeasurement::ReadUnanswered { read: read() },
            ended(EndedBy::Interruption),
            ended(EndedBy::Crash),
            ended(EndedBy::Administrator),
            ended(EndedBy::FullDisk),
            FailedMeasurement::ServerDown { times: 1 },
            FailedMeasurement::ServerDown { times: 2 },
        ]
        .into_iter()
        .chain(evidence_of_replica::gaps())
        .map(Evidence::MeasurementFailed)
        .collect(),
    }
}

fn of_reads() -> Vec<Evidence> {
    let changed = |compared| WrongRows::Changed { rows: 5, now: 6, compared };
    let before = |when, older_form| changed(Compared::BeforeAnd { when, older_form });
    [
        WrongRows::Failed(error()),
        changed(Compared::AfterAndLater),
        changed(Compared::TwoForms),
        before(ReadWhen::During, true),
        before(ReadWhen::After, false),
        WrongRows::Unwanted { rows: 4, when: ReadWhen::During, first: vec![], writers: vec![] },
    ]
    .map(|found| Evidence::ReadChanged(WrongRead { read: "by-task".to_owned(), found }))
    .into()
}
