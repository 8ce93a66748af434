//! The operations that teams get wrong, each with its pair, at a small size: the verdict, and a
//! word of the reason. What size decides is told below it too, by the statement that works on
//! every row.
//!
//! All of them run once, half of them on each of two servers; a case looks up its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use pgauntlet::clock::Micros;
use pgauntlet::history::silent;
use pgauntlet::pg::purpose::Purpose;
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::result::{CrashRequest, Finding, Judgement};
use pgauntlet::run::{OnJudged, Request, SizeRequest, Work, run};
use pgauntlet::scenario::{self, FindingKind, Scenario, Verdict};
use pgauntlet::trial::Axis;
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use FindingKind::{
    ChangeFailed, Deadlock, InvalidIndex, LockTimeout, OperationFailed, OperationWaited,
    ReadChanged, RowsGone, RowsUnseen, Stall, WorkUnderLock,
};
use Verdict::{Bounded, Safe, Unproven, Unsafe};

/// One is found of a statement that works on every row under a lock that stops others: which one,
/// the machine decides.
const GROWS: &[FindingKind] = &[WorkUnderLock, Stall];
/// What a trial that is safe may still be told. An operation that is slower than before informs:
/// it may be the machine that has become slower.
const TOLD_ANYWAY: [FindingKind; 5] = [
    FindingKind::OperationSlower,
    FindingKind::NoTimeout,
    FindingKind::StatementsUnderLock,
    FindingKind::RowsAdded,
    FindingKind::ValuesDropped,
];
/// A machine that is too busy proves nothing, and says so: by what it measures of itself, or of
/// operations that were slow without the server's or the change's doing.
const BUSY: [FindingKind; 5] = [
    FindingKind::GeneratorLag,
    FindingKind::SamplesMissing,
    FindingKind::BaselineBroken,
    OperationWaited,
    FindingKind::Latency,
];
/// Where every COMMIT waits for a checkpoint, how long one holds its rows is the disk's.
const DISK_BOUND: &str = "checkpoint-storm";
/// The table that most operations are about, and the one that is read beside a new partition, have
/// rows enough that a scan of them is seen.
const ROWS: [(&str, u64); 2] = [("orders", 200_000), ("events_other", 200_000)];
const SCALE: f64 = 0.1;

fn group() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/operations")
}

/// The scenario under the conditions in which cases look at it.
fn load(directory: &Path) -> Scenario {
    let loaded = scenario::load(directory);
    let scenario = loaded.unwrap_or_else(|p| panic!("{}", scenario::render(&p))).value;
    let of_it = CASES.iter().filter(|(name, ..)| *name == scenario.name);
    let conditions: Vec<String> = of_it.map(|(_, condition, ..)| (*condition).to_owned()).collect();
    scenario.under(&conditions).expect("conditions that are known")
}

fn judged(scenarios: Vec<Scenario>) -> Vec<Judgement> {
    let local = SourceRequest::Local { pg_bin: None, major: None };
    let rows = ROWS.map(|(table, rows)| (table.to_owned(), rows)).to_vec();
    let request = Request {
        scenarios,
        work: Work::Trials,
        crash: CrashRequest::default(),
        state: None,
        repeat: 1,
        share: None,
        sizes: SizeRequest { scale: Some(SCALE), rows, ..SizeRequest::default() },
        other_majors: Vec::new(),
        clones: None,
        answers: false,
        at: Vec::new(),
        retry: None,
        server: provision::Request { source: local, cache: None, run_as: None },
        out: None,
    };
    let on_judged: OnJudged = Arc::new(|_| {});
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let cancel = CancellationToken::new();
    runtime.block_on(run(&request, &silent(), &on_judged, &cancel)).expect("a run").trials
}

/// What all of them came to.
fn all() -> &'static [Judgement] {
    static ALL: OnceLock<Vec<Judgement>> = OnceLock::new();
    ALL.get_or_init(|| {
        let directories = scenario::find(&group()).expect("the group");
        let scenarios: Vec<Scenario> = directories.iter().map(|d| load(d)).collect();
        let (first, second) = scenarios.split_at(scenarios.len() / 2);
        let halves = [first.to_vec(), second.to_vec()];
        let running = halves.map(|half| std::thread::spawn(|| judged(half)));
        running.into_iter().flat_map(|half| half.join().expect("a half")).collect()
    })
}

fn condition(judgement: &Judgement) -> &str {
    judgement.trial.key.get(&Axis::CONDITION).unwrap_or_default()
}

fn said(finding: &Finding) -> String {
    format!("{} {:?} {}", finding.kind, finding.subject.relation, finding.sentence)
}

/// A scenario, a condition, the verdicts that it may have, kinds of which one is found (none: no
/// finding but those that are told anyway), and a word of it.
type Case = (&'static str, &'static str, &'static [Verdict], &'static [FindingKind], &'static str);

const CASES: &[Case] = &[
    ("set-not-null", "calm", &[Safe, Unsafe], GROWS, "orders"),
    ("set-not-null-by-check", "calm", &[Safe], &[], ""),
    ("add-check", "calm", &[Safe, Unsafe], GROWS, "orders"),
    ("add-check-not-valid", "calm", &[Safe], &[], ""),
    ("add-foreign-key", "calm", &[Safe, Unsafe], GROWS, "orders"),
    ("add-foreign-key-not-valid", "calm", &[Safe], &[], ""),
    ("add-unique", "calm", &[Safe, Unsafe, Unproven], GROWS, "orders"),
    ("add-unique-using-index", "calm", &[Safe], &[], ""),
    ("change-type-rewrite", "calm", &[Unsafe], &[OperationFailed], "0A000"),
    ("change-type-coercible", "calm", &[Unsafe], &[OperationFailed], "0A000"),
    ("change-type-by-new-column", "calm", &[Safe], &[], ""),
    ("add-column", "calm", &[Safe], &[], ""),
    ("add-column", "backup", &[Bounded], &[LockTimeout], "55P03"),
    ("add-column", "long-reader", &[Bounded], &[LockTimeout], "55P03"),
    ("add-column", "idle-in-transaction", &[Bounded], &[LockTimeout], "55P03"),
    ("add-column", "vacuum", &[Bounded], &[LockTimeout], "55P03"),
    ("add-column-without-timeout", "calm", &[Safe], &[], ""),
    ("add-column-without-timeout", "backup", &[Unsafe], &[Stall], "backup"),
    ("add-column-without-timeout", "long-reader", &[Unsafe], &[Stall], "long-reader"),
    (
        "add-column-without-timeout",
        "idle-in-transaction",
        &[Unsafe],
        &[Stall],
        "idle-in-transaction",
    ),
    ("add-column-without-timeout", "short-writers", &[Unsafe], &[Stall], "short-writers"),
    ("add-column-without-timeout", "vacuum", &[Unsafe], &[Stall], "ShareUpdateExclusiveLock"),
    ("add-column-volatile-default", "calm", &[Safe, Unsafe], GROWS, "orders"),
    ("add-column-constant-default", "calm", &[Safe], &[], ""),
    ("add-column-default-in-batches", "calm", &[Safe], &[], ""),
    ("generated-column-stored", "calm", &[Safe, Unsafe], GROWS, "orders"),
    ("generated-column-by-trigger", "calm", &[Safe], &[], ""),
    ("rename-column", "calm", &[Unsafe], &[OperationFailed], "42703"),
    ("rename-table-behind-view", "calm", &[Safe], &[], ""),
    ("drop-column-in-use", "calm", &[Unsafe], &[OperationFailed], "42703"),
    ("drop-column-unused", "calm", &[Safe], &[], ""),
    ("create-index", "calm", &[Safe, Unsafe], GROWS, "orders"),
    ("create-index", "long-writer", &[Bounded], &[LockTimeout], "55P03"),
    ("create-index-concurrently", "calm", &[Safe], &[], ""),
    ("create-index-concurrently", "backup", &[Safe], &[], ""),
    ("create-index-concurrently", "old-snapshot", &[Safe], &[], ""),
    ("create-index-concurrently", "long-writer", &[Safe], &[], ""),
    ("create-index-concurrently-with-timeout", "calm", &[Safe], &[], ""),
    (
        "create-index-concurrently-with-timeout",
        "old-snapshot",
        &[Unsafe],
        &[InvalidIndex],
        "orders_note",
    ),
    ("drop-index", "calm", &[Safe], &[], ""),
    ("drop-index", "backup", &[Bounded], &[LockTimeout], "55P03"),
    ("drop-index-concurrently", "calm", &[Safe], &[], ""),
    ("drop-index-concurrently", "backup", &[Safe], &[], ""),
    ("reindex", "calm", &[Safe, Unsafe, Unproven], GROWS, "orders"),
    ("reindex-concurrently", "calm", &[Safe], &[], ""),
    ("attach-partition", "calm", &[Safe], GROWS, "visits"),
    ("attach-partition-with-check", "calm", &[Safe], &[], ""),
    ("attach-beside-default", "calm", &[Safe, Unsafe], GROWS, "events_other"),
    ("attach-beside-default-with-check", "calm", &[Safe], &[], ""),
    ("create-partition-beside-default", "calm", &[Safe, Unsafe], GROWS, "events"),
    ("detach-partition", "calm", &[Safe], &[], ""),
    ("detach-partition", "backup", &[Bounded], &[LockTimeout], "55P03"),
    ("detach-partition-concurrently", "calm", &[Safe], &[], ""),
    ("detach-partition-concurrently", "backup", &[Safe], &[], ""),
    ("enum-value-used-at-once", "calm", &[Unsafe], &[ChangeFailed], "55P04"),
    ("enum-value-used-later", "calm", &[Safe], &[], ""),
    ("refresh-view", "calm", &[Safe, Unsafe], GROWS, "sales"),
    ("refresh-view-concurrently", "calm", &[Safe], &[], ""),
    ("vacuum-full", "calm", &[Safe, Unsafe], GROWS, "orders"),
    ("cluster", "calm", &[Safe, Unsafe], GROWS, "orders"),
    ("vacuum", "calm", &[Safe], &[], ""),
    ("truncate", "calm", &[Unsafe], &[RowsGone], "carts"),
    ("truncate-unused", "calm", &[Safe], &[], ""),
    ("lock-table", "calm", &[Unsafe], &[Stall], "orders"),
    ("set-logged", "calm", &[Safe, Unsafe], GROWS, "carts"),
    ("set-logged-by-swap", "calm", &[Safe], &[], ""),
    ("create-trigger", "calm", &[Safe], &[], ""),
    ("trigger-with-a-counter", "calm", &[Unsafe], &[OperationWaited], "another operation"),
    ("enable-row-security", "calm", &[Unsafe], &[RowsUnseen, OperationFailed], "customer"),
    ("enable-row-security-with-policy", "calm", &[Safe], &[], ""),
    ("backfill-with-column", "calm", &[Unsafe], &[Stall], "orders"),
    ("backfill-one-statement-of-orders", "calm", &[Unsafe], &[Stall], "UPDATE"),
    ("backfill-in-batches", "calm", &[Safe], &[], ""),
    ("backfill-in-batches", "checkpoint-storm", &[Safe], &[], ""),
    ("backfill-by-ctid-ranges", "calm", &[Unsafe], &[ReadChanged], "orders-without-a-value"),
    ("backfill-by-ctid", "calm", &[Safe], &[], ""),
    ("sequence-to-bigint", "calm", &[Safe], &[], ""),
    ("sequence-restarted", "calm", &[Unsafe], &[OperationFailed], "23505"),
    ("identity-from-one", "calm", &[Unsafe], &[OperationFailed], "23505"),
    ("identity-after-the-last", "calm", &[Safe], &[], ""),
    ("alter-two-tables", "calm", &[Safe], &[], ""),
    ("alter-two-tables", "lock-order", &[Unsafe, Bounded], &[Deadlock, OperationFailed, Stall], ""),
    ("alter-two-tables-apart", "calm", &[Safe], &[], ""),
    ("add-column-on-a-full-server", "calm", &[Safe], &[], ""),
];

#[rstest]
#[case::set_not_null("set-not-null")]
#[case::set_not_null_by_check("set-not-null-by-check")]
#[case::add_check("add-check")]
#[case::add_check_not_valid("add-check-not-valid")]
#[case::add_foreign_key("add-foreign-key")]
#[case::add_foreign_key_not_valid("add-foreign-key-not-valid")]
#[case::add_unique("add-unique")]
#[case::add_unique_using_index("add-unique-using-index")]
#[case::change_type_rewrite("change-type-rewrite")]
#[case::change_type_coercible("change-type-coercible")]
#[case::change_type_by_new_column("change-type-by-new-column")]
#[case::add_column("add-column")]
#[case::add_column_without_timeout("add-column-without-timeout")]
#[case::add_column_volatile_default("add-column-volatile-default")]
#[case::add_column_constant_default("add-column-constant-default")]
#[case::add_column_default_in_batches("add-column-default-in-batches")]
#[case::generated_column_stored("generated-column-stored")]
#[case::generated_column_by_trigger("generated-column-by-trigger")]
#[case::rename_column("rename-column")]
#[case::rename_table_behind_view("rename-table-behind-view")]
#[case::drop_column_in_use("drop-column-in-use")]
#[case::drop_column_unused("drop-column-unused")]
#[case::create_index("create-index")]
#[case::create_index_concurrently("create-index-concurrently")]
#[case::create_index_concurrently_with_timeout("create-index-concurrently-with-timeout")]
#[case::drop_index("drop-index")]
#[case::drop_index_concurrently("drop-index-concurrently")]
#[case::reindex("reindex")]
#[case::reindex_concurrently("reindex-concurrently")]
#[case::attach_partition("attach-partition")]
#[case::attach_partition_with_check("attach-partition-with-check")]
#[case::attach_beside_default("attach-beside-default")]
#[case::attach_beside_default_with_check("attach-beside-default-with-check")]
#[case::create_partition_beside_default("create-partition-beside-default")]
#[case::detach_partition("detach-partition")]
#[case::detach_partition_concurrently("detach-partition-concurrently")]
#[case::enum_value_used_at_once("enum-value-used-at-once")]
#[case::enum_value_used_later("enum-value-used-later")]
#[case::refresh_view("refresh-view")]
#[case::refresh_view_concurrently("refresh-view-concurrently")]
#[case::vacuum_full("vacuum-full")]
#[case::cluster("cluster")]
#[case::vacuum("vacuum")]
#[case::truncate("truncate")]
#[case::truncate_unused("truncate-unused")]
#[case::lock_table("lock-table")]
#[case::set_logged("set-logged")]
#[case::set_logged_by_swap("set-logged-by-swap")]
#[case::create_trigger("create-trigger")]
#[case::trigger_with_a_counter("trigger-with-a-counter")]
#[case::enable_row_security("enable-row-security")]
#[case::enable_row_security_with_policy("enable-row-security-with-policy")]
#[case::backfill_with_column("backfill-with-column")]
#[case::backfill_one_statement_of_orders("backfill-one-statement-of-orders")]
#[case::backfill_in_batches("backfill-in-batches")]
#[case::backfill_by_ctid_ranges("backfill-by-ctid-ranges")]
#[case::backfill_by_ctid("backfill-by-ctid")]
#[case::sequence_to_bigint("sequence-to-bigint")]
#[case::sequence_restarted("sequence-restarted")]
#[case::identity_from_one("identity-from-one")]
#[case::identity_after_the_last("identity-after-the-last")]
#[case::alter_two_tables("alter-two-tables")]
#[case::alter_two_tables_apart("alter-two-tables-apart")]
#[case::add_column_on_a_full_server("add-column-on-a-full-server")]
fn an_operation_has_its_verdict_and_its_reason(#[case] name: &str) {
    let of_it: Vec<&Case> = CASES.iter().filter(|(of, ..)| *of == name).collect();
    assert!(!of_it.is_empty(), "{name} has no case");
    for (_, under, verdicts, kinds, word) in of_it {
        let is_it = |j: &&Judgement| j.trial.key.scenario == name && condition(j) == *under;
        let judgement = all().iter().find(is_it).expect("a trial");
        let (verdict, findings) = (judgement.verdict, &judgement.findings);
        let told: Vec<String> = findings.iter().map(said).collect();
        if verdict == Unproven && findings.iter().any(|f| BUSY.contains(&f.kind)) {
            println!("{name} under {under}: {told:#?}");
            continue;
        }
        if *under == DISK_BOUND && verdict == Unsafe && findings.iter().all(is_of_the_disk) {
            println!("{name} under {under}: {told:#?}");
            continue;
        }
        // What takes next to no time on a fast machine is no work to tell of.
        if *kinds == GROWS && took(judgement) < FELT {
            continue;
        }
        assert!(verdicts.contains(&verdict), "{name} under {under} is {verdict}: {told:#?}");
        let of_kind = |f: &&Finding| kinds.contains(&f.kind) && said(f).contains(word);
        let others = |f: &&Finding| !TOLD_ANYWAY.contains(&f.kind);
        match kinds.is_empty() {
            true => assert_eq!(findings.iter().filter(others).count(), 0, "{name}: {told:#?}"),
            false => assert!(findings.iter().any(|f| of_kind(&f)), "{name}: {told:#?}"),
        }
    }
}

fn is_of_the_disk(finding: &Finding) -> bool {
    finding.kind == Stall || BUSY.contains(&finding.kind) || TOLD_ANYWAY.contains(&finding.kind)
}

/// Work that takes so long is told of in any case.
const FELT: Micros = Micros::from_millis(40);

/// The longest that a statement of the change took.
fn took(judgement: &Judgement) -> Micros {
    let statements = judgement.measured.statements.iter();
    let works = statements.filter(|row| row.purpose == Purpose::Work);
    works.map(|row| row.statement.took_us).max().unwrap_or_default()
}

#[test]
fn every_operation_is_run() {
    for found in scenario::find(&group()).expect("the group") {
        let name = found.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        assert!(CASES.iter().any(|(of, ..)| *of == name), "{name} is run by no test");
    }
}
