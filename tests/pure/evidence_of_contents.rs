//! One of each form of the evidence about rows, privileges and what is left behind.

use std::collections::BTreeSet;

use pgauntlet::clock::Micros;
use pgauntlet::history::{
    ColumnChange, ComparedAnswers, DroppedColumn, NotCompared, Orphans, SequenceBehind,
    SequenceEnding, ValueExample,
};
use pgauntlet::pg::LockMode;
use pgauntlet::result::Evidence;
use pgauntlet::result::evidence::{
    AddedRows, AlreadyThere, ChangedAccess, ChangedConstraints, ChangedValues, DebrisAfterRerun,
    DifferingAnswers, DifferingMajors, DroppedValues, EndingSequence, FittedRows,
    ForeignKeyActions, GoneConstraint, GoneRows, LeftInvalid, LeftOutRows, Leftovers, LockedWork,
    NewRows, NothingTried, OfMajors, StaleValues, UnindexedKey, UnusedAccept, WorkKind,
};
use pgauntlet::scenario::{FindingKind, Verdict};
use pgauntlet::schema::Difference;

fn gone(table_gone: bool, application_deletes: bool) -> Evidence {
    let keys = vec!["1".to_owned()];
    let (before, gone) = (9, 3);
    Evidence::RowsGone(GoneRows { before, gone, keys, table_gone, application_deletes })
}

fn values(column: Option<&str>) -> Evidence {
    let of = |column: &str| {
        let example = Some(ValueExample::default());
        ColumnChange { column: column.to_owned(), changed: 2, filled: 0, example }
    };
    let (columns, replaced) = (column.map(of).into_iter().collect(), 4);
    Evidence::ValuesChanged(ChangedValues {
        rows: 9,
        columns,
        replaced,
        not_told_apart: Vec::new(),
    })
}

fn access(property: &str) -> Evidence {
    let difference = Difference {
        object: "table public.spans".to_owned(),
        property: property.to_owned(),
        from: Some("a".to_owned()),
        to: None,
    };
    Evidence::AccessChanged(ChangedAccess {
        differences: vec![difference],
        wider: property == "row level security",
        ..ChangedAccess::default()
    })
}

fn tried(made: &[(&str, u64)], changed: u64, statements: u64) -> Evidence {
    let made = made.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect();
    Evidence::NothingTried(NothingTried {
        caught: false,
        made,
        changed,
        statements,
        unmatched: 0,
        unused: Vec::new(),
    })
}

fn unmatched() -> Evidence {
    Evidence::NothingTried(NothingTried { unmatched: 2, ..NothingTried::default() })
}

fn left_out(loaded: u64, concerned: bool, by: &[&str], because_of: Option<&str>) -> Evidence {
    let texts = |of: &[&str]| -> Vec<String> { of.iter().map(|&text| text.to_owned()).collect() };
    Evidence::RowsLeftOut(LeftOutRows {
        asked: 2_000,
        loaded,
        was_refused: true,
        why: texts(&["2,000 rows: refused", "a row: refused", "a row: too", "a row: also"]),
        concerned,
        constraints: texts(by),
        because_of: because_of.map(str::to_owned),
        followers: texts(&["public.a", "public.b", "public.c", "public.d"]),
        others: texts(&["public.e"]),
        unfilled: std::collections::BTreeMap::new(),
    })
}

fn left(pending: &[&str], same: &[&str]) -> Evidence {
    let texts = |of: &[&str]| -> Vec<String> { of.iter().map(|&text| text.to_owned()).collect() };
    let duplicates = if same.is_empty() { Vec::new() } else { vec![texts(same)] };
    let (pending, first) = (texts(pending), Vec::new());
    let (failed, finished, differences) = (2, false, 3);
    let left = Leftovers { failed, finished, pending, duplicates, first, differences };
    Evidence::LeftBehind(left)
}

fn dropped(kept_in: Option<&str>) -> Evidence {
    let kept_in = kept_in.map(str::to_owned);
    let column = DroppedColumn { column: "note".to_owned(), values: 5, kept_in };
    Evidence::ValuesDropped(DroppedValues { rows: 9, columns: vec![column] })
}

fn work(work: WorkKind, took_us: Micros, held_us: Micros) -> Evidence {
    let mode = LockMode::AccessExclusiveLock;
    let rows = (work == WorkKind::Rewrite).then_some(2_000_000);
    let (bytes, limit_us) = (rows.map(|rows| rows * 170), Micros(9));
    Evidence::WorkUnderLock(LockedWork { work, mode, took_us, held_us, rows, bytes, limit_us })
}

fn new_rows() -> Vec<Evidence> {
    let of = |to: Option<&str>| Difference {
        object: "column public.spans.note".to_owned(),
        property: "default".to_owned(),
        from: Some("now()".to_owned()),
        to: to.map(str::to_owned),
    };
    let null = NewRows { null: vec![of(None)], ..NewRows::default() };
    let filled = NewRows { may_be_filled: true, ..null.clone() };
    let triggers = BTreeSet::from(["touch".to_owned()]);
    let others = NewRows { others: vec![of(Some("'a'"))], triggers, ..NewRows::default() };
    let frozen = of(Some("'2026-12-01 00:00:00+00'::timestamp with time zone"));
    let frozen = NewRows { frozen: vec![frozen], ..NewRows::default() };
    [null, filled, others, frozen].map(Evidence::NewRowsDiffer).into()
}

fn answers() -> Vec<Evidence> {
    let of = |compared| {
        let operations = ["a", "b", "c", "d"].map(str::to_owned).into();
        Evidence::AnswersDiffer(DifferingAnswers { compared, operations })
    };
    let row = vec!["(1,a)".to_owned()];
    let differs = ComparedAnswers {
        object: "view public.v".to_owned(),
        is_materialized: true,
        rows: 9,
        gone: 1,
        new: 2,
        gone_rows: row.clone(),
        new_rows: row,
        not_compared: None,
    };
    let why = [
        NotCompared::OldFails("it fails".to_owned()),
        NotCompared::NoRows,
        NotCompared::Volatile,
        NotCompared::Because("it fails".to_owned()),
    ];
    let not = why.map(|why| of(ComparedAnswers::not_compared("function public.f()", why)));
    not.into_iter().chain([of(differs)]).collect()
}

pub fn of_contents(kind: FindingKind) -> Vec<Evidence> {
    match kind {
        FindingKind::RowsGone => vec![gone(true, false), gone(false, true), gone(false, false)],
        FindingKind::ValuesChanged => vec![values(Some("note")), values(None)],
        FindingKind::Orphans => vec![Evidence::Orphans(Orphans { rows: 3, ..Orphans::default() })],
        FindingKind::ConstraintChanged => constraints(),
        FindingKind::SequenceBehind => vec![Evidence::SequenceBehind(SequenceBehind::default())],
        FindingKind::NewRowsDiffer => new_rows(),
        FindingKind::AnswersDiffer => answers(),
        FindingKind::StaleValues => {
            let kept = ["index public.i".to_owned()].into();
            vec![Evidence::StaleValues(StaleValues { kept })]
        }
        FindingKind::AlreadyThere => {
            let (object, there) = ("table public.t".to_owned(), "id is bigint".to_owned());
            vec![Evidence::AlreadyThere(AlreadyThere { object, there })]
        }
        FindingKind::RowsFitted => {
            vec![Evidence::RowsFitted(FittedRows { demands: vec!["i".to_owned()] })]
        }
        FindingKind::SequenceEnds => [(Some(90_000_000), true), (None, false)]
            .map(|(before, begins_again)| {
                let of = SequenceEnding { left: 40, before, begins_again, ..Default::default() };
                Evidence::SequenceEnds(EndingSequence { of, lasts_s: 2 })
            })
            .into(),
        FindingKind::AccessChanged => vec![access("granted to app"), access("enabled")],
        FindingKind::LeftBehind => {
            vec![left(&["public.p"], &[]), left(&[], &["public.a", "public.b"]), left(&[], &[])]
        }
        FindingKind::InvalidIndex => {
            [DebrisAfterRerun::NotTried, DebrisAfterRerun::StillThere, DebrisAfterRerun::Repaired]
                .into_iter()
                .zip([(None, true), (Some(true), true), (Some(false), true)])
                .map(|(rerun, (ready, unique))| {
                    Evidence::InvalidIndex(LeftInvalid { rerun, ready, unique })
                })
                .collect()
        }
        FindingKind::ValuesDropped => vec![dropped(None), dropped(Some("label"))],
        FindingKind::RowsAdded => vec![Evidence::RowsAdded(AddedRows { before: 9, added: 3 })],
        FindingKind::AcceptUnused => [("rows", Some("archive".to_owned())), ("no_rows", None)]
            .map(|(key, names)| Evidence::AcceptUnused(UnusedAccept { key: key.to_owned(), names }))
            .into(),
        FindingKind::WorkUnderLock => [WorkKind::Rewrite, WorkKind::Scan, WorkKind::IndexBuild]
            .into_iter()
            .zip([(5, 5), (5, 9), (9, 9)])
            .map(|(kind, (took, held))| work(kind, Micros(took), Micros(held)))
            .collect(),
        FindingKind::RowsLeftOut => vec![
            left_out(0, true, &["note_check: CHECK ((note <> ''::text))"], None),
            left_out(9, false, &[], Some("public.plans")),
        ],
        _ => vec![tried(&[("table", 2)], 1, 3), tried(&[], 0, 0), tried(&[], 0, 2), unmatched()],
    }
}

fn constraints() -> Vec<Evidence> {
    let gone = GoneConstraint { name: "k".to_owned(), definition: "UNIQUE (a)".to_owned() };
    let (before, after) = (String::new(), "ON DELETE CASCADE".to_owned());
    let actions = ForeignKeyActions { name: "f".to_owned(), before, after };
    let (columns, refers_to) = ("a".to_owned(), "public.t".to_owned());
    let unindexed = UnindexedKey { name: "f".to_owned(), columns, refers_to };
    let none = ChangedConstraints::default;
    let all = [
        ChangedConstraints { gone: vec![gone], ..none() },
        ChangedConstraints { actions: vec![actions], ..none() },
        ChangedConstraints { unindexed: vec![unindexed], ..none() },
    ];
    all.into_iter().map(Evidence::ConstraintChanged).collect()
}

pub fn of_majors() -> Vec<Evidence> {
    let of = |majors: &[u32], verdict, findings: &[FindingKind]| OfMajors {
        majors: majors.to_vec(),
        verdict,
        findings: findings.to_vec(),
    };
    let unsafe_on = of(&[14, 15], Verdict::Unsafe, &[FindingKind::Stall]);
    let outcomes = vec![unsafe_on, of(&[18], Verdict::Safe, &[])];
    vec![Evidence::MajorsDiffer(DifferingMajors { outcomes })]
}
