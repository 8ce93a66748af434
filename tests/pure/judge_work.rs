//! Work on every row under a lock that stops others, below the limit: each history is made by hand.

use pgauntlet::clock::Micros;
use pgauntlet::history::{CatalogueSnapshot, Event, TableState, TableStates};
use pgauntlet::pg::LockMode;
use pgauntlet::result::evidence::{LockedWork, WorkKind};
use pgauntlet::result::{Evidence, Judgement};
use pgauntlet::scenario::{FindingKind, Verdict};
use rstest::rstest;

use crate::made::{CHANGE, Made, READER};
use crate::sent::{Sent, by_command, sent};

const STRONG: LockMode = LockMode::AccessExclusiveLock;

/// A trial with a table of so many rows, whose change is these statements.
fn made(rows: u64, statements: Vec<Sent>) -> Made {
    let mut made = with_table(by_command(1), rows);
    statements.into_iter().for_each(|statement| statement.add_to(&mut made));
    made
}

fn with_table(mut made: Made, rows: u64) -> Made {
    let spans =
        TableState { oid: 1, relfilenode: 1, rows, bytes: rows * 100, ..Default::default() };
    let tables = [("public.spans".to_owned(), spans)].into();
    made.at(4_000, Event::Tables(TableStates { after: None, tables }.into()));
    made
}

fn work(judgement: &Judgement) -> Vec<LockedWork> {
    let of = judgement.findings.iter().filter_map(|finding| match &finding.evidence {
        Some(Evidence::WorkUnderLock(of)) => {
            assert_eq!(finding.verdict, Verdict::Safe);
            Some(of.clone())
        }
        _ => None,
    });
    of.collect()
}

#[rstest]
#[case::a_scan("ALTER TABLE spans ALTER id SET NOT NULL", WorkKind::Scan, "AccessExclusiveLock")]
#[case::a_check("ALTER TABLE spans ADD CHECK (id > 0)", WorkKind::Scan, "AccessExclusiveLock")]
#[case::a_key(
    "ALTER TABLE spans ADD FOREIGN KEY (id) REFERENCES other",
    WorkKind::Scan,
    "ShareRowExclusiveLock"
)]
#[case::an_index("CREATE INDEX i ON spans (id)", WorkKind::IndexBuild, "ShareLock")]
#[case::a_unique("ALTER TABLE spans ADD UNIQUE (id)", WorkKind::IndexBuild, "AccessExclusiveLock")]
#[case::numbered("ALTER TABLE spans ADD n bigserial", WorkKind::Rewrite, "AccessExclusiveLock")]
fn work_of_a_statement_by_itself_is_known_by_its_text(
    #[case] text: &str,
    #[case] kind: WorkKind,
    #[case] mode: &str,
) {
    let judgement = made(2_000_000, vec![sent(0, 5_000, 5_482, text)]).judge();
    let found = work(&judgement);
    let [found] = found.as_slice() else { panic!("{:?}", judgement.findings) };
    assert_eq!((found.work, found.mode.as_str()), (kind, mode));
    assert_eq!((found.took_us, found.held_us), (Micros::from_millis(482), found.took_us));
    assert_eq!((found.rows, found.bytes), (Some(2_000_000), Some(200_000_000)));
}

#[rstest]
#[case::the_catalogue_alone("ALTER TABLE spans ADD COLUMN c int", 2_000_000, 482)]
#[case::not_valid("ALTER TABLE spans ADD CHECK (id > 0) NOT VALID", 2_000_000, 482)]
#[case::a_validation_stops_nobody("ALTER TABLE spans VALIDATE CONSTRAINT c", 2_000_000, 482)]
#[case::concurrently("CREATE INDEX CONCURRENTLY i ON spans (id)", 2_000_000, 482)]
#[case::rows("UPDATE spans SET id = 1", 2_000_000, 482)]
#[case::of_a_new_table("CREATE INDEX i ON fresh (id)", 2_000_000, 482)]
#[case::too_short("CREATE INDEX i ON spans (id)", 2_000_000, 9)]
#[case::too_few_rows("CREATE INDEX i ON spans (id)", 999, 482)]
#[case::truncated("TRUNCATE spans", 2_000_000, 482)]
fn what_does_not_grow_or_stops_nobody_is_no_work_under_a_lock(
    #[case] text: &str,
    #[case] rows: u64,
    #[case] took: u64,
) {
    let statement = sent(0, 5_000, 5_000 + took, text).rewrites(if text.starts_with('T') {
        &["spans"]
    } else {
        &[]
    });
    assert_eq!(work(&made(rows, vec![statement]).judge()), []);
}

#[test]
fn a_short_limit_makes_short_work_count() {
    let mut made = made(2_000, vec![sent(0, 5_000, 5_003, "CREATE INDEX i ON spans (id)")]);
    made.scenario.limits.stall_ms_max = 60;
    assert_eq!(work(&made.judge()).len(), 1);
}

#[test]
fn a_new_file_shows_a_rewrite_whatever_the_text_says() {
    let text = "DO $$ BEGIN EXECUTE 'ALTER TABLE spans ALTER id TYPE bigint'; END $$";
    let judgement = made(
        5_000,
        vec![
            sent(0, 5_000, 5_001, "BEGIN").status("it"),
            sent(1, 5_001, 5_101, text).inside().rewrites(&["spans"]).holds("spans", STRONG),
            sent(2, 5_101, 5_301, "SELECT 1").inside().holds("spans", STRONG),
            sent(3, 5_301, 5_302, "COMMIT").status("ti").tag("COMMIT"),
        ],
    )
    .judge();
    let found = work(&judgement);
    let [found] = found.as_slice() else { panic!("{:?}", judgement.findings) };
    assert_eq!((found.work, found.mode), (WorkKind::Rewrite, STRONG));
    assert_eq!(found.took_us, Micros::from_millis(100));
    assert_eq!(found.held_us, Micros::from_millis(301));
    let sentence = &judgement.findings.iter().find(|f| f.kind == FindingKind::WorkUnderLock);
    let sentence = &sentence.expect("a finding").sentence;
    let expected = "held AccessExclusiveLock on spans for 301 ms, 100 ms of it while it rewrote \
                    5,000 rows (500.0 kB): below the limit of 1.00 s here, and it grows with the \
                    table";
    assert!(sentence.ends_with(expected), "{sentence}");
}

#[test]
fn a_new_file_of_a_sequence_is_no_rewrite() {
    let text = "ALTER SEQUENCE spans_id_seq MAXVALUE 9";
    let locks = sent(0, 5_000, 5_100, text).rewrites(&["spans_id_seq"]);
    let mut made = made(5_000, vec![locks.holds("spans_id_seq", STRONG)]);
    let objects = [("sequence public.spans_id_seq".to_owned(), Default::default())].into();
    let snapshot = CatalogueSnapshot { after: None, objects, versions: Vec::new() };
    made.at(10, Event::Catalogue(snapshot));
    assert_eq!(work(&made.judge()), []);
}

#[test]
fn what_it_waited_for_its_lock_is_no_work() {
    let mut made = with_table(Made::with_change(), 2_000_000);
    made.statement(0, 5_000, 5_482, "ALTER TABLE spans ALTER id SET NOT NULL", true);
    made.waits_for(CHANGE, (5_000, 5_400), "spans", &[READER]);
    let mut history = made.clone();
    assert_eq!(work(&made.judge())[0].took_us, Micros::from_millis(482));
    history.waits_in_mode(CHANGE, (5_000, 5_400), "spans", &[READER], STRONG);
    assert_eq!(work(&history.judge())[0].took_us, Micros::from_millis(82));
}

#[test]
fn what_a_stall_is_put_down_to_is_found_as_that() {
    let mut made = with_table(Made::with_change(), 2_000_000);
    made.statement(0, 5_000, 8_000, "ALTER TABLE spans ALTER id SET NOT NULL", true);
    made.blocked_by_change(5_100, 8_000);
    let judgement = made.judge();
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    assert_eq!(work(&judgement), []);
}

#[test]
fn the_same_statement_is_found_once_where_it_took_longest() {
    let text = "CREATE INDEX i ON spans (id)";
    let again = sent(0, 22_005, 22_405, text).of_attempt(1);
    let mut made = made(2_000_000, vec![sent(0, 5_000, 5_100, text), again]);
    made.rerun(pgauntlet::history::AttemptEnd::Finished { applied: None });
    let found = work(&made.judge());
    assert_eq!(found.iter().map(|of| of.took_us).collect::<Vec<_>>(), [Micros::from_millis(400)]);
}

#[rstest]
#[case::a_valid_check("CHECK (id IS NOT NULL)", "SELECT 1", 0)]
#[case::one_that_is_validated("CHECK (id IS NOT NULL) NOT VALID", "VALIDATE CONSTRAINT c", 0)]
#[case::one_that_is_not_valid("CHECK (id IS NOT NULL) NOT VALID", "VALIDATE CONSTRAINT d", 1)]
#[case::one_of_another_column("CHECK (name IS NOT NULL)", "SELECT 1", 1)]
#[case::one_that_is_gone("CHECK (id IS NOT NULL)", "DROP CONSTRAINT c", 1)]
fn a_valid_check_spares_set_not_null_its_scan(
    #[case] check: &str,
    #[case] then: &str,
    #[case] scans: usize,
) {
    let then = match then.starts_with("SELECT") {
        true => then.to_owned(),
        false => format!("ALTER TABLE spans {then}"),
    };
    let check = format!("ALTER TABLE spans ADD CONSTRAINT c {check}");
    let text = "ALTER TABLE spans ALTER COLUMN id SET NOT NULL";
    let statements = vec![
        sent(0, 5_000, 5_002, &check),
        sent(1, 5_002, 5_004, &then),
        sent(2, 5_004, 5_044, text),
    ];
    let found = work(&made(2_000_000, statements).judge());
    let scanned = found.iter().filter(|of| of.took_us == Micros::from_millis(40)).count();
    assert_eq!(scanned, scans, "{found:?}");
}

/// Objects of a catalogue with a partitioned table that has a DEFAULT partition, and a table beside
/// them.
fn partitioned() -> CatalogueSnapshot {
    let of = |properties: &[(&str, &str)]| {
        let owned = properties.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        owned.collect::<std::collections::BTreeMap<String, String>>()
    };
    let objects = [
        ("table public.events", of(&[("partition key", "RANGE (day)")])),
        ("table public.rest", of(&[("partition bound", "DEFAULT"), ("inherits", "events")])),
        ("table public.spans", of(&[])),
    ];
    let objects = objects.map(|(object, properties)| (object.to_owned(), properties)).into();
    CatalogueSnapshot { after: None, objects, versions: Vec::new() }
}

const ATTACH: &str = "ALTER TABLE events ATTACH PARTITION spans FOR VALUES FROM (1) TO (2)";
const BESIDE: &str = "CREATE TABLE two PARTITION OF events FOR VALUES FROM (1) TO (2)";
const CHECK_SPANS: &str = "ALTER TABLE spans ADD CHECK (day >= 1 AND day < 2)";
const CHECK_OTHER: &str = "ALTER TABLE spans ADD CHECK (id > 0)";
const CHECK_REST: &str = "ALTER TABLE rest ADD CONSTRAINT c CHECK (day >= 2)";

#[rstest]
#[case::the_larger_of_both_is_read(&["SELECT 1", "SELECT 1"], ATTACH, Some("public.spans"))]
#[case::what_a_check_speaks_of_is_not(&[CHECK_SPANS, "SELECT 1"], ATTACH, Some("public.rest"))]
#[case::of_another_column(&[CHECK_OTHER, CHECK_REST], ATTACH, Some("public.spans"))]
#[case::with_both_nothing_is_read(&[CHECK_SPANS, CHECK_REST], ATTACH, None)]
#[case::a_new_partition_is_empty(&["SELECT 1", "SELECT 1"], BESIDE, Some("public.rest"))]
#[case::beside_a_check_nothing_is_read(&["SELECT 1", CHECK_REST], BESIDE, None)]
fn a_partition_is_put_beside_others_that_are_read_unless_a_check_speaks_of_the_key(
    #[case] before: &[&str],
    #[case] text: &str,
    #[case] read: Option<&str>,
) {
    let [first, second] = before else { panic!("two") };
    let statements = vec![
        sent(0, 5_000, 5_002, first),
        sent(1, 5_002, 5_004, second),
        sent(2, 5_004, 5_044, text),
    ];
    let mut made = by_command(1);
    let state = |oid, rows| TableState { oid, relfilenode: oid, rows, ..Default::default() };
    let tables =
        [("public.spans".to_owned(), state(1, 9_000)), ("public.rest".to_owned(), state(2, 8_000))];
    made.at(4_000, Event::Tables(TableStates { after: None, tables: tables.into() }.into()));
    made.at(4_001, Event::Catalogue(partitioned()));
    statements.into_iter().for_each(|statement| statement.add_to(&mut made));
    let judgement = made.judge();
    let is_it = |f: &&pgauntlet::result::Finding| {
        f.kind == FindingKind::WorkUnderLock
            && f.subject.statement.as_ref().is_some_and(|s| s.text == text)
    };
    let found = judgement.findings.iter().find(is_it);
    assert_eq!(found.and_then(|f| f.subject.relation.as_deref()), read);
}

#[test]
fn an_index_that_is_built_again_is_work_on_its_table() {
    let text = "REINDEX INDEX i";
    let statements = vec![
        sent(0, 5_000, 5_001, "BEGIN").status("it"),
        sent(1, 5_001, 5_482, text).inside().rewrites(&["i"]).holds("spans", LockMode::ShareLock),
        sent(2, 5_482, 5_483, "COMMIT").status("ti").tag("COMMIT"),
    ];
    let found = work(&made(2_000_000, statements).judge());
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((found.work, found.mode), (WorkKind::IndexBuild, LockMode::ShareLock));
}

#[test]
fn a_valid_check_of_before_the_change_spares_it_too() {
    let catalogue = |valid: &str| {
        let text = "ALTER TABLE spans ALTER COLUMN id SET NOT NULL";
        let mut made = made(2_000_000, vec![sent(0, 5_000, 5_040, text)]);
        let properties = [("definition", "CHECK ((id IS NOT NULL))"), ("convalidated", valid)];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let objects = [("constraint public.spans.c".to_owned(), properties.into())].into();
        let snapshot = CatalogueSnapshot { after: None, objects, versions: Vec::new() };
        made.at(4_001, Event::Catalogue(snapshot));
        work(&made.judge()).len()
    };
    assert_eq!((catalogue("true"), catalogue("false")), (0, 1));
}
