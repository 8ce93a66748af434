//! The evidence of what has to do with roles: clients that the tap did not let in, rows unseen.

use pgauntlet::history::RefusedFor;
use pgauntlet::result::Evidence;
use pgauntlet::result::evidence::{Application, RefusedConnection, UnseenRows};
use pgauntlet::scenario::FindingKind;

use crate::made::error;

fn evidence() -> Vec<Evidence> {
    [RefusedFor::Database, RefusedFor::User, RefusedFor::Password]
        .map(|why| {
            Evidence::ConnectionRefused(RefusedConnection {
                application: Application { attempt: 1, runners: 1 },
                why,
                user: "rails".to_owned(),
                database: "production".to_owned(),
                error: error("42501", "the trial's database only"),
                others: 1,
            })
        })
        .into()
}

fn unseen() -> Vec<Evidence> {
    [Vec::new(), vec!["orders".to_owned()]]
        .map(|secured| {
            let (before, empty_before, after, empty_after) = (100, 3, 80, 80);
            Evidence::RowsUnseen(UnseenRows { before, empty_before, after, empty_after, secured })
        })
        .into()
}

pub fn evidence_of(kind: FindingKind) -> Vec<Evidence> {
    match kind {
        FindingKind::RowsUnseen => unseen(),
        _ => evidence(),
    }
}
