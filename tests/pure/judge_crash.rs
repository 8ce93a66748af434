//! What came of one fault: each history is made by hand and says one thing.

use std::collections::BTreeMap;

use pgauntlet::explain::explain_case;
use pgauntlet::history::{
    AttemptEnd, CatalogueSnapshot, ClosedBy, ConnectionClosed, Contents, Event, Header, History,
    InvariantRead, LedgerMismatch, LedgerReport, Mismatch, Reference, ServerError, StepEvent,
    TableContents, TransactionStatus,
};
use pgauntlet::judge::crash::case;
use pgauntlet::result::Case;
use pgauntlet::scenario::{Invariant, OperationStatement, Outcome, Rows, Since};
use pgauntlet::trial::{Fault, FaultKind, InjectionPoint};
use rstest::rstest;

use crate::made::{Made, error, failed};
use crate::sent::{COMMAND, by_command, meets_fault, sent};

const FINISHED: AttemptEnd = AttemptEnd::Finished { applied: None };
const ADD_COLUMN: &str = "ALTER TABLE spans ADD COLUMN task_id varchar";

/// What a run leaves.
#[derive(Clone)]
struct Left {
    objects: BTreeMap<String, BTreeMap<String, String>>,
    versions: Vec<String>,
    spans: TableContents,
}

impl Left {
    fn undisturbed() -> Left {
        let digest = Some("a".to_owned());
        let spans = TableContents { rows: 1_000, digest };
        let none = Left { objects: BTreeMap::new(), versions: vec!["2".to_owned()], spans };
        none.with("index public.ix", "indisvalid", "true").with(
            "constraint public.spans.fk",
            "convalidated",
            "true",
        )
    }

    fn with(mut self, object: &str, property: &str, value: &str) -> Left {
        let properties = self.objects.entry(object.to_owned()).or_default();
        properties.insert(property.to_owned(), value.to_owned());
        self
    }

    fn versions(mut self, versions: &[&str]) -> Left {
        self.versions = versions.iter().map(|version| (*version).to_owned()).collect();
        self
    }

    fn rows(mut self, rows: u64, digest: &str) -> Left {
        self.spans = TableContents { rows, digest: Some(digest.to_owned()) };
        self
    }
}

/// A change into whose only statement a fault was injected; nothing happened after it.
fn interrupted() -> Made {
    let mut made = by_command(1);
    sent(0, 5_000, 5_010, ADD_COLUMN)
        .fails("57P01", "terminating connection due to administrator command")
        .add_to(&mut made);
    meets_fault(&mut made, 5_005, 0);
    made.ends(failed("57P01", "terminating connection due to administrator command"));
    made
}

/// One that was applied again, with success.
fn applied_again() -> Made {
    let mut made = interrupted();
    made.rerun(FINISHED);
    made
}

/// One that could be applied neither again nor after a step by hand, as often as these say.
fn refused(after_steps: &[AttemptEnd]) -> Made {
    let mut made = interrupted();
    made.rerun(failed("42701", "column \"task_id\" exists"));
    for (before, end) in (2..).zip(after_steps) {
        let name = format!("step {before}");
        let step = StepEvent { before, name, statements: Vec::new(), error: None };
        made.at(22_000 + u64::from(before) * 10, Event::Step(step.into()));
        made.rerun(end.clone());
    }
    made
}

fn compared(mut made: Made, left: Left) -> Made {
    let Left { objects, versions, spans } = left;
    made.at(22_900, Event::Catalogue(CatalogueSnapshot { after: Some(1), objects, versions }));
    let tables = BTreeMap::from([("public.spans".to_owned(), spans)]);
    made.at(23_010, Event::Contents(Contents { after: None, tables }));
    let Left { objects, versions, spans } = Left::undisturbed();
    let tables = BTreeMap::from([("public.spans".to_owned(), spans)]);
    let state = "base".to_owned();
    let grown = BTreeMap::new();
    made.at(23_020, Event::Reference(Reference { state, objects, versions, tables, grown }.into()));
    made
}

fn fault_at(text: &str, statement: u32, kind: FaultKind) -> Fault {
    let text = text.to_owned();
    Fault { kind, at: InjectionPoint::new(statement, text, 0) }
}

fn fault(statement: u32, kind: FaultKind) -> Fault {
    fault_at(ADD_COLUMN, statement, kind)
}

fn judged_as(made: Made, fault: Fault) -> Case {
    let scenario = made.scenario.clone();
    let mut history = made.history();
    history.header.trial.fault = Some(fault);
    let case = case(&scenario, &history).expect("a history with a fault");
    let ending = case.ending.as_ref().expect("what came of it");
    assert_eq!((ending.outcome(), case.sentence.as_str()), (case.outcome, ""));
    let stored = serde_json::to_value(&case).expect("JSON");
    assert_eq!(serde_json::from_value::<Case>(stored).expect("a case"), case);
    explain_case(case)
}

fn judged(made: Made) -> Case {
    judged_as(made, fault(0, FaultKind::KillBackend))
}

#[rstest]
#[case::the_same(
    Left::undisturbed(),
    Outcome::Clean,
    "the rerun reaches the same schema, versions and rows"
)]
#[case::an_invalid_index(
    Left::undisturbed().with("index public.ix", "indisvalid", "false"),
    Outcome::Debris,
    "the rerun reports success, and index public.ix is INVALID"
)]
#[case::a_constraint_that_is_not_valid(
    Left::undisturbed().with("constraint public.spans.fk", "convalidated", "false"),
    Outcome::Debris,
    "the rerun reports success, and constraint public.spans.fk is NOT VALID"
)]
#[case::another_schema(
    Left::undisturbed().with("column public.spans.task_id", "type", "text"),
    Outcome::Diverges,
    "the rerun succeeds, and the schema is another one: column public.spans.task_id: is new \
     (type: text)"
)]
#[case::no_version(
    Left::undisturbed().versions(&[]),
    Outcome::Diverges,
    "the rerun succeeds, and the versions are none instead of 2"
)]
#[case::a_version_too_many(
    Left::undisturbed().versions(&["2", "2"]),
    Outcome::Diverges,
    "the rerun succeeds, and the versions are 2, 2 instead of 2"
)]
#[case::more_rows(
    Left::undisturbed().rows(1_500, "b"),
    Outcome::Diverges,
    "the rerun succeeds, and public.spans has 1500 rows where an undisturbed run leaves 1000"
)]
#[case::other_rows(
    Left::undisturbed().rows(1_000, "b"),
    Outcome::Diverges,
    "the rerun succeeds, and rows of public.spans are not those of an undisturbed run"
)]
#[case::fewer_rows(
    Left::undisturbed().rows(999, "b"),
    Outcome::LosesData,
    "public.spans has 999 rows of 1000"
)]
fn what_a_rerun_leaves_is_compared_with_what_an_undisturbed_run_leaves(
    #[case] left: Left,
    #[case] outcome: Outcome,
    #[case] sentence: &str,
) {
    let case = judged(compared(applied_again(), left));
    assert_eq!((case.outcome, case.sentence.as_str()), (Some(outcome), sentence));
    assert_eq!(case.reruns, 1);
}

#[test]
fn what_the_undisturbed_run_leaves_half_made_as_well_is_no_debris() {
    let half_made = Left::undisturbed().with("index public.ix", "indisvalid", "false");
    let mut made = compared(applied_again(), half_made.clone());
    let Left { objects, versions, .. } = half_made;
    let reference = Reference { objects, versions, ..Reference::default() };
    made.at(23_021, Event::Reference(reference.into()));
    assert_eq!(judged(made).outcome, Some(Outcome::Clean));
}

#[rstest]
#[case::none(&[], "a rerun fails: column \"task_id\" exists (42701 duplicate_column)")]
#[case::one(
    &[failed("42P07", "relation exists")],
    "a rerun fails, also after step 2: column \"task_id\" exists (42701 duplicate_column)"
)]
#[case::two(
    &[failed("42P07", "relation exists"), AttemptEnd::DeadlineExceeded],
    "a rerun fails, also after step 2, step 3: column \"task_id\" exists (42701 duplicate_column)"
)]
fn a_change_that_fails_whatever_is_done_fails_forever(
    #[case] after_steps: &[AttemptEnd],
    #[case] sentence: &str,
) {
    let left = Left::undisturbed().with("index public.ix", "indisvalid", "false");
    let case = judged(compared(refused(after_steps), left));
    assert_eq!(case.outcome, Some(Outcome::FailsForever));
    assert_eq!(case.sentence, sentence);
    assert_eq!(case.reruns as usize, 1 + after_steps.len());
    let left: Vec<&str> = case.differences.iter().map(|d| d.object.as_str()).collect();
    assert_eq!(left, ["index public.ix"], "what it left is told");
}

#[test]
fn a_rerun_that_its_deadline_cut_off_is_a_case_without_an_outcome() {
    let mut made = interrupted();
    made.rerun(AttemptEnd::DeadlineExceeded);
    let case = judged(compared(made, Left::undisturbed()));
    assert_eq!((case.outcome, case.broken), (None, true));
    assert!(case.sentence.starts_with("the rerun was cut off after 60.00 s"), "{}", case.sentence);
}

#[test]
fn the_steps_that_it_took_are_named() {
    let after = [failed("42P07", "relation exists"), FINISHED];
    let case = judged(compared(refused(&after), Left::undisturbed()));
    assert_eq!(case.outcome, Some(Outcome::ManualStep));
    let expected = "a rerun fails: column \"task_id\" exists (42701 duplicate_column); after \
                    step 2, step 3 it converges";
    assert_eq!(case.sentence, expected);
}

#[test]
fn steps_that_lead_to_something_else_do_not_help() {
    let left = Left::undisturbed().with("index public.ix", "indisvalid", "false");
    let case = judged(compared(refused(&[FINISHED]), left));
    assert_eq!(case.outcome, Some(Outcome::FailsForever));
    let expected = "a rerun fails: column \"task_id\" exists (42701 duplicate_column); a \
                    rerun after step 2 reports success, and index public.ix is INVALID";
    assert_eq!(case.sentence, expected);
}

fn reads(made: &mut Made, rows: Rows, answers: [(u64, &str); 2]) {
    let name = "task-of-span";
    made.scenario.invariants.push(Invariant {
        name: name.to_owned(),
        statement: OperationStatement {
            sql: "SELECT 1".to_owned(),
            placeholders: Vec::new(),
            place: None,
        },
        parameters: BTreeMap::new(),
        before: None,
        rows,
        since: Since::Start,
        plan: None,
    });
    for (at, (rows, digest)) in [4_500, 23_005].into_iter().zip(answers) {
        let (name, digest) = (name.to_owned(), digest.to_owned());
        made.at(
            at,
            Event::Invariant(
                InvariantRead { name, rows, digest, first: Vec::new(), error: None }.into(),
            ),
        );
    }
}

#[rstest]
#[case::unchanged(Rows::Same, [(1, "a"), (1, "a")], Outcome::Clean, "reaches the same")]
#[case::changed(
    Rows::Same,
    [(1, "a"), (1, "b")],
    Outcome::LosesData,
    "the read task-of-span returns other rows than before"
)]
#[case::still_none(Rows::None, [(0, "a"), (0, "a")], Outcome::Clean, "reaches the same")]
#[case::some(
    Rows::None,
    [(0, "a"), (3, "b")],
    Outcome::Diverges,
    "the rerun succeeds, and the read task-of-span returns 3 rows that must not be there"
)]
fn declared_reads_are_judged_by_their_last_answer(
    #[case] rows: Rows,
    #[case] answers: [(u64, &str); 2],
    #[case] outcome: Outcome,
    #[case] sentence: &str,
) {
    let mut made = applied_again();
    reads(&mut made, rows, answers);
    let case = judged(compared(made, Left::undisturbed()));
    assert_eq!(case.outcome, Some(outcome));
    assert!(case.sentence.contains(sentence), "{}", case.sentence);
}

fn ledger(kind: Mismatch) -> Event {
    let (operation, table) = ("insert-span".to_owned(), "spans".to_owned());
    let example = LedgerMismatch { operation, table, key: "42".to_owned(), kind };
    Event::Ledger(LedgerReport { mismatches: 1, examples: vec![example], ..Default::default() })
}

fn overwritten() -> Mismatch {
    Mismatch::Overwritten { column: "name".to_owned(), expected: "a".to_owned(), found: None }
}

#[rstest]
#[case::lost(Mismatch::Lost, Outcome::LosesData)]
#[case::overwritten(overwritten(), Outcome::LosesData)]
#[case::applied_unknown_to_anybody(Mismatch::Unacknowledged, Outcome::Diverges)]
#[case::there_twice(Mismatch::Doubled { times: 2 }, Outcome::Diverges)]
fn an_acknowledged_write_that_is_gone_is_lost_data(
    #[case] kind: Mismatch,
    #[case] outcome: Outcome,
) {
    let mut made = applied_again();
    made.at(23_005, ledger(kind));
    let case = judged(compared(made, Left::undisturbed()));
    assert_eq!(case.outcome, Some(outcome));
    if outcome == Outcome::LosesData {
        assert_eq!(case.sentence, "an acknowledged write is gone: spans 42 (insert-span)");
    }
}

#[rstest]
#[case::of_a_change_that_fails(refused(&[failed("42P07", "relation exists")]))]
#[case::of_one_that_needs_a_step(refused(&[FINISHED]))]
#[case::of_one_that_leaves_debris(applied_again())]
#[case::of_one_that_is_not_applied_again(interrupted())]
fn lost_data_is_worse_than_anything_else(#[case] mut made: Made) {
    made.at(23_005, ledger(Mismatch::Lost));
    let left = Left::undisturbed().with("index public.ix", "indisvalid", "false").versions(&[]);
    assert_eq!(judged(compared(made, left)).outcome, Some(Outcome::LosesData));
}

#[test]
fn debris_is_told_before_other_versions_and_rows() {
    let left = Left::undisturbed().with("index public.ix", "indisvalid", "false");
    let case = judged(compared(applied_again(), left.versions(&[]).rows(1_001, "b")));
    assert_eq!(case.outcome, Some(Outcome::Debris));
}

/// A change of one statement that finished, as if no fault had been injected.
fn untouched() -> Made {
    let mut made = by_command(1);
    sent(0, 5_000, 5_010, ADD_COLUMN).add_to(&mut made);
    made.rerun(FINISHED);
    made
}

fn with(mut made: Made, change: fn(&mut Made)) -> Made {
    change(&mut made);
    made
}

#[rstest]
#[case::not_reached(
    untouched(),
    fault_at("DROP TABLE spans", 7, FaultKind::Cancel),
    "the change did not get to the statement"
)]
#[case::no_lock_to_wait_for(
    untouched(),
    fault(0, FaultKind::LockTimeout),
    "it waits for no lock that another can hold"
)]
#[case::too_soon(untouched(), fault(0, FaultKind::Cancel), "the statement ended before the fault")]
#[case::measurement_failed(
    with(applied_again(), Made::stage_failed),
    fault(0, FaultKind::KillBackend),
    "sampling failed: the server closed it"
)]
fn of_a_death_that_was_not_brought_about_nothing_is_known(
    #[case] made: Made,
    #[case] fault: Fault,
    #[case] sentence: &str,
) {
    let case = judged_as(compared(made, Left::undisturbed().versions(&[])), fault);
    assert_eq!((case.outcome, case.sentence.as_str()), (None, sentence));
    assert_eq!(case.differences, []);
}

#[test]
fn of_a_change_that_never_began_nothing_is_known() {
    let mut header = Header::unnamed();
    header.trial.fault = Some(fault(0, FaultKind::Cancel));
    let case = case(&interrupted().scenario, &History::new(header, Vec::new())).expect("a case");
    let case = explain_case(case);
    assert_eq!((case.outcome, case.sentence.as_str()), (None, "the change never began"));
}

#[test]
fn a_history_without_a_death_is_no_cell() {
    let made = compared(applied_again(), Left::undisturbed());
    assert_eq!(case(&made.scenario.clone(), &made.history()), None);
}

#[rstest]
#[case::not_applied_again(
    compared(interrupted(), Left::undisturbed()),
    "the change was not applied again"
)]
#[case::no_undisturbed_run(applied_again(), "there is nothing to compare with")]
#[case::none_after_a_step(refused(&[FINISHED]), "there is nothing to compare with")]
fn without_a_rerun_and_something_to_compare_with_there_is_no_outcome(
    #[case] made: Made,
    #[case] sentence: &str,
) {
    let case = judged(made);
    assert_eq!(case.outcome, None);
    assert!(case.sentence.ends_with(sentence), "{}", case.sentence);
}

fn without_code(message: &str) -> ServerError {
    ServerError { sqlstate: None, message: message.to_owned(), ..ServerError::default() }
}

fn closed(error: ServerError) -> Event {
    let (by, transaction) = (ClosedBy::Server, TransactionStatus::Gone);
    let (attempt, connection, session, error) = (0, 0, COMMAND.into(), Some(error));
    let closed = ConnectionClosed { attempt, connection, session, by, error, transaction };
    Event::ConnectionClosed(closed.into())
}

/// A fault of which the statement, the connection's end and the attempt tell this.
fn tells(statement: Option<ServerError>, connection: Option<ServerError>, end: AttemptEnd) -> Made {
    let mut made = by_command(1);
    let mut met = sent(0, 5_000, 5_010, ADD_COLUMN);
    if let Some(error) = statement {
        met = met.fails_with(error);
    }
    met.add_to(&mut made);
    if let Some(error) = connection {
        made.at(5_011, closed(error));
    }
    meets_fault(&mut made, 5_005, 0);
    made.ends(end);
    made.rerun(FINISHED);
    compared(made, Left::undisturbed())
}

#[rstest]
#[case::by_the_statement(
    tells(
        Some(error("55P03", "canceling statement due to lock timeout")),
        Some(error("57P01", "terminating connection")),
        failed("XX000", "the tool gave up")
    ),
    "55P03 lock_not_available (lock timeout)"
)]
#[case::by_the_connection(
    tells(
        Some(without_code("the connection broke")),
        Some(error("57P01", "terminating connection")),
        failed("XX000", "the tool gave up")
    ),
    "57P01 admin_shutdown"
)]
#[case::by_nobody(
    tells(
        Some(without_code("cut before the statement")),
        Some(without_code("cut")),
        failed("XX000", "the tool gave up")
    ),
    "connection lost"
)]
#[case::by_the_attempt(
    tells(None, None, failed("57014", "canceling statement due to user request")),
    "57014 query_canceled (user request)"
)]
#[case::as_the_runner_was_killed(
    tells(Some(error("57P01", "terminating connection")), None, AttemptEnd::Killed),
    "SIGKILL"
)]
fn a_death_is_seen_as_the_server_told_it(#[case] made: Made, #[case] seen: &str) {
    let case = judged(made);
    assert_eq!((case.outcome, case.seen.as_str()), (Some(Outcome::Clean), seen));
}

#[test]
fn of_a_change_that_did_not_die_no_death_is_seen() {
    let case = judged_as(compared(untouched(), Left::undisturbed()), fault(0, FaultKind::Cancel));
    assert_eq!(case.seen, "");
}
