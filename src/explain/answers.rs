//! What a replaced view or function answers, beside what it answered.

use crate::history::NotCompared;
use crate::result::evidence::DifferingAnswers;
use crate::stats::grouped;

use super::words::count;

/// Operations that a sentence names.
const OPERATIONS_MAX: usize = 3;

/// Characters of a row that a sentence shows.
const ROW_CHARS_MAX: usize = 60;

/// `view public.active_users answers otherwise on the same rows: 900 of 900 rows are gone, such as
/// (1,a), and 100 rows are new, such as (7,b); read_active uses it`.
pub fn differ(of: &DifferingAnswers) -> String {
    let compared = &of.compared;
    let kind = if compared.is_materialized { "materialized " } else { "" };
    let object = format!("{kind}{}", compared.object);
    let uses = uses(&of.operations);
    if let Some(why) = &compared.not_compared {
        return format!(
            "{object} was replaced, and what it answers was not compared with what it answered: \
             {}; {uses}",
            because(why)
        );
    }
    let such = |rows: &[String]| match rows.first() {
        Some(row) => format!(", such as {}", short(row)),
        None => String::new(),
    };
    let are = |n: u64| if n == 1 { "is" } else { "are" };
    let mut parts = Vec::new();
    if compared.gone > 0 {
        parts.push(format!(
            "{} of {} {} gone{}",
            grouped(compared.gone),
            count(compared.rows, "row"),
            are(compared.gone),
            such(&compared.gone_rows)
        ));
    }
    if compared.new > 0 {
        let (new, are) = (count(compared.new, "row"), are(compared.new));
        parts.push(format!("{new} {are} new{}", such(&compared.new_rows)));
    }
    format!(
        "{object} answers otherwise than before on the same rows: {}; {uses}",
        parts.join(", and ")
    )
}

fn short(row: &str) -> String {
    match row.char_indices().nth(ROW_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &row[..end]),
        None => row.to_owned(),
    }
}

fn because(why: &NotCompared) -> String {
    match why {
        NotCompared::OldFails(message) => {
            format!("the old definition does not run on the new schema ({message})")
        }
        NotCompared::NoRows => "neither definition returns a row here".to_owned(),
        NotCompared::Volatile => "with the new definition the rows differ each time".to_owned(),
        NotCompared::Because(message) => message.clone(),
    }
}

fn uses(operations: &[String]) -> String {
    let (named, more) = operations.split_at(operations.len().min(OPERATIONS_MAX));
    let more = if more.is_empty() { "" } else { ", …" };
    let verb = if operations.len() == 1 { "uses" } else { "use" };
    format!("{}{more} {verb} it", named.join(", "))
}
