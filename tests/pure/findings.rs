//! Typed findings: which statement they are about in every format, and what they are made of.

use std::collections::BTreeSet;

use pgauntlet::clock::Micros;
use pgauntlet::explain;
use pgauntlet::history::{AttemptEnd, ClosedBy, LedgerMismatch, Mismatch, PlanNode, ServerError};
use pgauntlet::pg::SqlState;
use pgauntlet::report;
use pgauntlet::result::evidence::*;
use pgauntlet::result::{
    BlockingState, Evidence, Finding, Judgement, OperationRef, Origin, StatementRef, Subject,
};
use pgauntlet::scenario::{FindingKind, Scope, Verdict};
use pgauntlet::schema::Difference;

use crate::findings_refused;
use crate::made::Made;
use crate::page::Run;

const FIRST: &str = "ALTER TABLE spans ADD CONSTRAINT a CHECK (id IS NOT NULL) NOT VALID";
const SECOND: &str = "ALTER TABLE spans ADD CONSTRAINT b CHECK (id = 'nobody')";
const VIOLATED: &str = "check constraint \"b\" of relation \"spans\" is violated by some row";

/// Line 1 of the first file succeeds, line 2 of the second one fails.
fn second_fails(files: [&str; 2]) -> Run {
    let mut made = Made::with_change();
    made.statement_of((files[0], 1), (5_000, 5_010), FIRST, None);
    made.statement_of((files[1], 2), (5_020, 5_030), SECOND, Some(("23514", VIOLATED)));
    made.attempt_fails("23514", VIOLATED);
    Run::one(made)
}

/// Every format that names a place, by its name.
fn formats(run: &Run) -> Vec<(&'static str, String)> {
    let document = run.document();
    let suites = report::suites(&document, &[]);
    vec![
        ("text", anstream::adapter::strip_str(&report::text(&run.result)).to_string()),
        ("page", run.page()),
        ("markdown", report::markdown(&document)),
        ("github", report::github(&suites)),
        ("sarif", report::sarif(&suites)),
        ("junit", report::junit("pgauntlet", &suites)),
    ]
}

/// As a person reads it: on one line, with nothing escaped.
fn plain(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("\\_", "_").replace("&quot;", "\"").replace("&#39;", "'")
}

#[test]
fn of_two_statements_that_begin_alike_the_one_that_failed_is_named() {
    assert_eq!(FIRST[..24], SECOND[..24]);
    for (format, text) in formats(&second_fails(["m/1.sql", "m/1.sql"])) {
        assert!(plain(&text).contains("(1.sql:2) failed"), "{format}: {text}");
    }
    let run = second_fails(["m/1.sql", "m/1.sql"]);
    let (github, sarif) = places(&run);
    assert!(github.starts_with("::error file=m/1.sql,line=2,"), "{github}");
    assert_eq!(sarif, ("m/1.sql".to_owned(), 2));
}

#[test]
fn of_two_files_of_one_name_the_one_that_failed_is_named() {
    let run = second_fails(["m/2024-01-01-a/up.sql", "m/2024-01-02-b/up.sql"]);
    for (format, text) in formats(&run) {
        let text = plain(&text);
        assert!(text.contains("(2024-01-02-b/up.sql:2) failed"), "{format}: {text}");
    }
    let (github, sarif) = places(&run);
    assert!(github.starts_with("::error file=m/2024-01-02-b/up.sql,line=2,"), "{github}");
    assert_eq!(sarif, ("m/2024-01-02-b/up.sql".to_owned(), 2));
}

/// Where the annotation and SARIF's result of the failure point.
fn places(run: &Run) -> (String, (String, u64)) {
    let suites = report::suites(&run.document(), &[]);
    let github = report::github(&suites);
    let annotation = github.lines().find(|line| line.contains("title=change-failed"));
    let sarif: serde_json::Value = serde_json::from_str(&report::sarif(&suites)).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let failed = results.iter().find(|r| r["ruleId"] == "change-failed").expect("a result");
    let place = &failed["locations"][0]["physicalLocation"];
    let uri = place["artifactLocation"]["uri"].as_str().expect("a file").to_owned();
    let line = place["region"]["startLine"].as_u64().expect("a line");
    (annotation.expect("an annotation").to_owned(), (uri, line))
}

#[test]
fn two_statements_of_one_text_are_told_apart_by_their_numbers() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, SECOND, false);
    made.failed_statement(1, 5_020, 5_030, SECOND, "42710", "it exists");
    made.attempt_fails("42710", "it exists");
    let judgement = made.judge();
    let failed = found(&judgement, FindingKind::ChangeFailed);
    let statement = failed.subject.statement.as_ref().expect("a statement");
    assert_eq!((statement.attempt, statement.id, statement.line), (0, 1, Some(2)));
}

#[test]
fn a_change_that_failed_by_an_error_did_not_give_up_within_its_timeouts() {
    let mut made = Made::with_change();
    made.failed_statement(0, 5_000, 5_010, SECOND, "23514", VIOLATED);
    made.attempt_fails("23514", VIOLATED);
    made.rerun(AttemptEnd::Finished { applied: Some(1) });
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Bounded);
    let reason = &judgement.reason;
    assert!(!reason.contains("timeouts"), "{reason}");
    assert!(reason.contains("23514") && reason.contains("attempt 2 succeeded"), "{reason}");
}

#[test]
fn a_change_that_gave_up_by_its_lock_timeout_is_said_to_have() {
    let mut made = Made::with_change();
    let message = "canceling statement due to lock timeout";
    made.failed_statement(0, 5_000, 5_010, SECOND, "55P03", message);
    made.attempt_fails("55P03", message);
    made.rerun(AttemptEnd::Finished { applied: Some(1) });
    let reason = made.judge().reason;
    assert!(
        reason.contains("gave up within its own timeouts, and attempt 2 succeeded"),
        "{reason}"
    );
}

#[test]
fn a_finding_names_the_trial_that_shows_it() {
    let mut made = Made::with_change();
    made.stage_failed();
    let judgement = made.judge();
    assert!(!judgement.findings.is_empty());
    for finding in &judgement.findings {
        let [key] = finding.trials.as_slice() else { panic!("{:?}", finding.trials) };
        assert_eq!(key.scenario, judgement.trial.key.scenario);
    }
}

#[test]
fn a_finding_of_an_older_result_keeps_its_sentence() {
    let json = serde_json::json!({
        "kind": "stall", "verdict": "unsafe", "sentence": "it stalled", "witness": null,
        "remedy": "do not",
    });
    let finding: Finding = serde_json::from_value(json).expect("a finding of format 4");
    assert_eq!(explain::sentence(&finding), "it stalled");
    assert_eq!(explain::remedy(&finding).as_deref(), Some("do not"));
}

fn found(judgement: &Judgement, kind: FindingKind) -> &Finding {
    let finding = judgement.findings.iter().find(|finding| finding.kind == kind);
    finding.unwrap_or_else(|| panic!("no {kind} in {:?}", judgement.findings))
}

#[test]
fn every_kind_has_evidence_that_reads_back_and_a_sentence() {
    let mut sentences = BTreeSet::new();
    for kind in FindingKind::ALL {
        for evidence in evidence_of(*kind) {
            assert_eq!(evidence.kind(), *kind);
            let finding = Finding::new(Verdict::Unsafe, subject(), evidence);
            let json = serde_json::to_string(&finding).expect("JSON");
            let read: Finding =
                serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}: {json}"));
            assert_eq!(read, finding);
            let sentence = explain::sentence(&finding);
            assert!(sentence.len() > 20, "{kind}: {sentence:?}");
            assert!(sentences.insert((*kind, sentence.clone())), "{kind} twice: {sentence}");
        }
    }
}

fn subject() -> Subject {
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
        id: 3,
        migration: "m".to_owned(),
        origin: Origin::File,
        file: Some("m/1.sql".to_owned()),
        line: Some(4),
        text: SECOND.to_owned(),
        took_us: Micros(5),
    }
}

fn error() -> ServerError {
    ServerError {
        sqlstate: Some(SqlState::new("23514")),
        message: VIOLATED.to_owned(),
        detail: Some("Failing row contains (1).".to_owned()),
        hint: Some("none".to_owned()),
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
    came.map(|came| Aborted { application, came, error: error() }).into()
}

/// One of each form that the kind's evidence takes.
fn evidence_of(kind: FindingKind) -> Vec<Evidence> {
    use FindingKind as K;
    let of_aborts = |form: fn(Aborted) -> Evidence| aborted().into_iter().map(form).collect();
    match kind {
        K::Stall
        | K::PoolExhaustion
        | K::AcquireTimeout
        | K::OperationFailed
        | K::Latency
        | K::NotRecovered => of_traffic(kind),
        K::LockTimeout => of_aborts(Evidence::LockTimeout),
        K::StatementTimeout => of_aborts(Evidence::StatementTimeout),
        K::IdleInTransactionTimeout => of_aborts(Evidence::IdleInTransactionTimeout),
        K::TransactionTimeout => of_aborts(Evidence::TransactionTimeout),
        K::Deadlock => of_aborts(Evidence::Deadlock),
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
        | K::TimeoutNotInForce => of_the_change(kind),
        K::InvalidIndex
        | K::NotValidConstraint
        | K::HiddenDebris
        | K::RerunFailed
        | K::RerunChanged
        | K::RerunWrote
        | K::RerunLock
        | K::Diverged
        | K::LostWrite
        | K::DoubledWrite => of_what_is_left(kind),
        K::ConnectionRefused => findings_refused::evidence(),
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
    let stalled = |state| Stalled {
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
        stalls: 3,
    };
    match kind {
        FindingKind::Stall => [BlockingState::Waiting, BlockingState::Holding, BlockingState::Idle]
            .map(|state| Evidence::Stall(stalled(state)))
            .into(),
        FindingKind::PoolExhaustion => vec![Evidence::PoolExhaustion(PoolExhausted {
            connections: 15,
            exhausted_us: second,
            after_us: Some(limit),
            queue_max: 40,
        })],
        FindingKind::AcquireTimeout => vec![Evidence::AcquireTimeout(AcquireTimeouts {
            operations: 3,
            timeout_ms: 500,
            after_us: None,
        })],
        FindingKind::OperationFailed => [
            OperationFailure::Error(error()),
            OperationFailure::Indeterminate("reset by peer".to_owned()),
            OperationFailure::Unanswered,
        ]
        .map(|failure| {
            let first = OperationRef { name: "insert-span".to_owned(), pid: Some(7) };
            Evidence::OperationFailed(FailedOperations { operations: 2, first, failure })
        })
        .into(),
        FindingKind::Latency => [LatencyPhase::During, LatencyPhase::After, LatencyPhase::Rerun]
            .map(|phase| {
                let (p99_us, before_p99_us) = (second, Micros(900));
                Evidence::Latency(SlowPhase { phase, p99_us, before_p99_us, limit_us: limit })
            })
            .into(),
        _ => vec![Evidence::NotRecovered(Unrecovered { allowed_ms: 2_000 })],
    }
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
            let aborted = Aborted { application, came: ErrorCame::FromStatement, error: error() };
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
        Evidence::NoTimeout(Unlimited { lock, in_transaction, outside_only, others })
    })
    .into()
}

fn of_what_is_left(kind: FindingKind) -> Vec<Evidence> {
    let versions = || vec!["1".to_owned(), "2".to_owned()];
    match kind {
        FindingKind::InvalidIndex => {
            [DebrisAfterRerun::NotTried, DebrisAfterRerun::StillThere, DebrisAfterRerun::Repaired]
                .map(|rerun| Evidence::InvalidIndex(LeftInvalid { rerun }))
                .into()
        }
        FindingKind::NotValidConstraint => {
            vec![Evidence::NotValidConstraint(LeftNotValid { constraint: "c".to_owned() })]
        }
        FindingKind::HiddenDebris => [None, Some("it exists, skipping".to_owned())]
            .map(|notice| Evidence::HiddenDebris(Hidden { notice }))
            .into(),
        FindingKind::RerunFailed => [true, false]
            .map(|had_finished| Evidence::RerunFailed(FailedReruns { attempts: 3, had_finished }))
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
                Evidence::RerunLock(RerunHeld { mode, held_us, limit_us, did_something })
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
    WrongWrites { acknowledged: 9, mismatches: 1, example }
}

fn of_runners(kind: FindingKind) -> Vec<Evidence> {
    match kind {
        FindingKind::RunnersOverlap => {
            vec![Evidence::RunnersOverlap(Overlap { statements: 3, runners: 2 })]
        }
        FindingKind::RunnerHung => {
            vec![Evidence::RunnerHung(HungRunner { runner: 2, deadline_us: Micros(5) })]
        }
        _ => {
            let mode = "ExclusiveLock".to_owned();
            let server = RunnerLock::Server { runner: 1, mode, relation: None };
            [RunnerLock::Advisory, server]
                .map(|lock| {
                    let (runner, waited_us) = (2, Micros(5));
                    Evidence::RunnerWaited(WaitingRunner { runner, waited_us, lock })
                })
                .into()
        }
    }
}

fn of_measurements(kind: FindingKind) -> Vec<Evidence> {
    let read = || "spans-by-task".to_owned();
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
            Unreached::Deadline { deadline_us: Micros(5), running: true },
            Unreached::Deadline { deadline_us: Micros(5), running: false },
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
        ]
        .map(Evidence::MeasurementFailed)
        .into(),
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
        WrongRows::Unwanted { rows: 4, when: ReadWhen::During },
    ]
    .map(|found| Evidence::ReadChanged(WrongRead { read: "by-task".to_owned(), found }))
    .into()
}
