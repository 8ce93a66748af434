//! The evidence of clients that the tap did not let in, of each reason.

use pgauntlet::history::RefusedFor;
use pgauntlet::result::Evidence;
use pgauntlet::result::evidence::{Application, RefusedConnection};

use crate::made::error;

pub fn evidence() -> Vec<Evidence> {
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
