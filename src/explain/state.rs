//! What is left afterwards: debris, other schemas, writes against the ledger.

use crate::history::{LedgerMismatch, Mismatch};
use crate::result::Subject;
use crate::result::evidence::{
    DebrisAfterRerun, Divergence, Hidden, LeftInvalid, LeftNotValid, WrongWrites,
};

use super::words::{count, listed, relation};

pub fn invalid_index(of: &LeftInvalid, subject: &Subject) -> String {
    let fate = match of.rerun {
        DebrisAfterRerun::NotTried => "",
        DebrisAfterRerun::StillThere => ", and applying the change again did not repair it",
        DebrisAfterRerun::Repaired => "; applying the change again repaired it",
    };
    let index = relation(subject);
    format!(
        "index {index} was left INVALID: writes maintain it (a unique one is enforced), reads \
         never use it{fate}"
    )
}

pub fn hidden(of: &Hidden, subject: &Subject) -> String {
    let how = of.notice.as_ref().map_or_else(String::new, |notice| {
        format!(": IF NOT EXISTS took it for the index that was wanted ({notice})")
    });
    let index = relation(subject);
    format!("the rerun reported success although index {index} is INVALID{how}")
}

pub fn not_valid(of: &LeftNotValid) -> String {
    let constraint = &of.constraint;
    format!("constraint {constraint} was left NOT VALID, though the change validates it")
}

pub fn diverged(of: &Divergence) -> String {
    match of {
        Divergence::Schema { state, reference, differences, first, notice } => {
            let more = match differences - 1 {
                0 => String::new(),
                more => format!(", and {}", count(more, "more difference")),
            };
            let skipped = notice.as_ref().map_or_else(String::new, |notice| {
                format!(
                    "; the name was there already, and that was taken for the object ({notice})"
                )
            });
            format!(
                "from {state} the change ends with another schema than from {reference}: \
                 {first}{more}{skipped}"
            )
        }
        Divergence::Versions { state, reference, ends, reference_ends } => format!(
            "from {state} the change ends with the versions {}, from {reference} with {}",
            listed(ends),
            listed(reference_ends)
        ),
    }
}

pub fn wrong_writes(of: &WrongWrites) -> String {
    let LedgerMismatch { operation, table, key, kind } = &of.example;
    let fate = match kind {
        Mismatch::Lost => "was acknowledged and is not there".to_owned(),
        Mismatch::Doubled { times } => format!("is there {times} times"),
        Mismatch::Unacknowledged => "is there although it was reported as failed".to_owned(),
        Mismatch::Overwritten { column, expected, found } => format!(
            "has {column} = {} where {expected:?} was acknowledged last",
            found.as_ref().map_or("NULL".to_owned(), |found| format!("{found:?}"))
        ),
    };
    let (writes, acknowledged) = (count(of.mismatches, "write"), of.acknowledged);
    format!(
        "{writes} of {acknowledged} acknowledged disagree with the tables; {table} {key} \
         ({operation}) {fate}"
    )
}
