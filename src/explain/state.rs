//! What is left afterwards: debris, other schemas, writes against the ledger.

use crate::history::{LedgerMismatch, Mismatch};
use crate::result::Subject;
use crate::result::evidence::{
    DebrisAfterRerun, Divergence, Hidden, LeftInvalid, LeftNotValid, Leftovers, ReplacedTable,
    WrongWrites,
};
use crate::schema::Difference;

use super::files::Files;
use super::words::{count, listed, quoted, relation};

pub fn invalid_index(of: &LeftInvalid, subject: &Subject) -> String {
    let fate = match of.rerun {
        DebrisAfterRerun::NotTried => "",
        DebrisAfterRerun::StillThere => ", and applying the change again did not repair it",
        DebrisAfterRerun::Repaired => "; applying the change again repaired it",
    };
    let index = relation(subject);
    let used = match (of.ready, of.unique) {
        (Some(false), true) => "neither reads nor writes use it, and it enforces nothing",
        (Some(false), false) => "neither reads nor writes use it",
        (Some(true), true) => "writes maintain and obey it, reads never use it",
        (Some(true), false) => "writes maintain it, reads never use it",
        (None, _) => "reads never use it",
    };
    format!("index {index} was left INVALID: {used}{fate}")
}

pub fn left_behind(of: &Leftovers) -> String {
    let mut left: Vec<String> = Vec::new();
    for partition in &of.pending {
        left.push(format!("{partition} is still being detached"));
    }
    for same in &of.duplicates {
        let each = match same.len() as u64 >= of.failed && of.failed > 1 {
            true => ", and each try leaves one more",
            false => "",
        };
        left.push(format!("{} are one index under {} names{each}", same.join(", "), same.len()));
    }
    let shown = |difference: &Difference| {
        let Difference { object, property, from, to } = difference;
        match (property.as_str(), from, to) {
            ("object", None, _) => format!("{object} is new"),
            ("object", _, None) => format!("{object} is gone"),
            _ => difference.to_string(),
        }
    };
    left.extend(of.first.iter().map(shown));
    let more = match of.differences.saturating_sub(of.first.len() as u64) {
        0 => String::new(),
        more => format!("; and {}", count(more, "more difference")),
    };
    let failed = count(of.failed, "failed attempt");
    format!("{failed} left behind: {}{more}", left.join("; "))
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

pub fn wrong_writes(of: &WrongWrites, files: &Files) -> String {
    let LedgerMismatch { operation, table, key, kind } = &of.example;
    let fate = match kind {
        Mismatch::Lost => "was acknowledged and is not there".to_owned(),
        Mismatch::Doubled { times } => format!("is there {times} times"),
        Mismatch::Unacknowledged => "is there although it was reported as failed".to_owned(),
        Mismatch::Restored => "is there although its deletion was acknowledged".to_owned(),
        Mismatch::Overwritten { column, expected, found } => format!(
            "has {column} = {} where {expected:?} was acknowledged last",
            found.as_ref().map_or("NULL".to_owned(), |found| format!("{found:?}"))
        ),
    };
    let (writes, acknowledged) = (count(of.mismatches, "write"), of.acknowledged);
    format!(
        "{writes} of {acknowledged} acknowledged disagree with the tables; {table} {key} \
         ({operation}) {fate}{}",
        of.replaced.as_ref().map_or_else(String::new, |replaced| replacement(replaced, of, files))
    )
}

/// What was written after the copy's snapshot is not in the copy.
fn replacement(of: &ReplacedTable, writes: &WrongWrites, files: &Files) -> String {
    format!(
        "; {} of {} were acknowledged between the snapshot of {}, which copied the table, and the \
         end of {}: the copy has none of them",
        count(of.meanwhile, "write"),
        writes.example.operation,
        quoted(&of.copy, files),
        quoted(&of.gone, files),
    )
}
