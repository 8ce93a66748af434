//! One of each form of the evidence about rows, privileges and what is left behind.

use pgauntlet::history::{ColumnChange, Orphans, SequenceBehind, ValueExample};
use pgauntlet::result::Evidence;
use pgauntlet::result::evidence::{
    ChangedAccess, ChangedValues, DebrisAfterRerun, GoneRows, LeftInvalid, Leftovers, NothingTried,
};
use pgauntlet::scenario::FindingKind;
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
    Evidence::ValuesChanged(ChangedValues { rows: 9, columns, replaced })
}

fn access(property: &str) -> Evidence {
    let difference = Difference {
        object: "table public.spans".to_owned(),
        property: property.to_owned(),
        from: Some("a".to_owned()),
        to: None,
    };
    Evidence::AccessChanged(ChangedAccess { differences: vec![difference] })
}

fn tried(made: &[(&str, u64)], changed: u64, statements: u64) -> Evidence {
    let made = made.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect();
    Evidence::NothingTried(NothingTried { made, changed, statements })
}

fn left(pending: &[&str], same: &[&str]) -> Evidence {
    let texts = |of: &[&str]| -> Vec<String> { of.iter().map(|&text| text.to_owned()).collect() };
    let duplicates = if same.is_empty() { Vec::new() } else { vec![texts(same)] };
    let (pending, first) = (texts(pending), Vec::new());
    let (failed, finished, differences) = (2, false, 3);
    let left = Leftovers { failed, finished, pending, duplicates, first, differences };
    Evidence::LeftBehind(left)
}

pub fn of_contents(kind: FindingKind) -> Vec<Evidence> {
    match kind {
        FindingKind::RowsGone => vec![gone(true, false), gone(false, true), gone(false, false)],
        FindingKind::ValuesChanged => vec![values(Some("note")), values(None)],
        FindingKind::Orphans => vec![Evidence::Orphans(Orphans { rows: 3, ..Orphans::default() })],
        FindingKind::SequenceBehind => vec![Evidence::SequenceBehind(SequenceBehind::default())],
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
        _ => vec![tried(&[("table", 2)], 1, 3), tried(&[], 0, 0), tried(&[], 0, 2)],
    }
}
