//! The change's statements for a terminal: what each cost, and which timeouts were in force.

use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::pg::LockMode;
use crate::pg::lex::one_line;
use crate::pg::purpose::Purpose;
use crate::result::{Origin, RelationLock, StatementRow, TimeoutsInForce};
use crate::stats::{bytes, grouped};

use super::grid::{Column, Grid, cut};
use super::text::Text;

/// Statements shown per trial; the rest are in result.json.
const STATEMENTS_MAX: usize = 12;
/// A command's statement that takes longer is shown whatever it is.
const LONG: Micros = Micros::from_millis(100);
/// Characters of a statement in the table at the usual width.
const TEXT_MAX: usize = 40;
/// Statements named for each set of timeouts, and how much of each.
const NAMED_MAX: usize = 2;
const NAMED_TEXT_MAX: usize = 32;

pub fn write_statements(out: &mut Text, statements: &[StatementRow]) {
    let shown: Vec<&StatementRow> = statements.iter().filter(|row| is_shown(row)).collect();
    if shown.is_empty() {
        return;
    }
    use Column::{Name, Number, Words};
    let head = ["statement", "took", "rows", "WAL", "outcome", "then held"];
    let columns = [Name, Number, Number, Number, Words, Words];
    let mut grid = Grid::new(3, &columns, head).with_names_up_to(TEXT_MAX);
    for row in weightiest(&shown, STATEMENTS_MAX) {
        grid.row(statement_row(row));
    }
    out.blank();
    grid.write(out);
    if let Some(more) = shown.len().checked_sub(STATEMENTS_MAX + 1) {
        out.paragraph("  ", &format!("… and {} more in result.json", grouped(more as u64 + 1)));
    }
    write_timeouts(out, &shown);
}

/// A file's statements; of a command's, those that worked, failed or took a while: the rest is the
/// tool looking around.
pub(super) fn is_shown(row: &StatementRow) -> bool {
    match row.statement.origin {
        Origin::File => row.purpose != Purpose::Transaction,
        Origin::Runner => false,
        Origin::Command => {
            row.purpose == Purpose::Work || row.error.is_some() || row.statement.took_us >= LONG
        }
    }
}

/// Which timeouts were in force, and for which of the statements. Those in which they differ from
/// what most of the change ran with are named.
fn write_timeouts(out: &mut Text, shown: &[&StatementRow]) {
    let mut groups: Vec<(TimeoutsInForce, Vec<&StatementRow>)> = Vec::new();
    for row in shown {
        match groups.iter_mut().find(|(timeouts, _)| *timeouts == row.timeouts) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((row.timeouts, vec![row])),
        }
    }
    let alone = groups.len() == 1;
    let group = |(timeouts, rows): &(TimeoutsInForce, Vec<&StatementRow>)| {
        if alone {
            return format!("{timeouts}, for every statement above");
        }
        let named: Vec<String> =
            rows.iter().take(NAMED_MAX).map(|row| cut(&text_of(row), NAMED_TEXT_MAX)).collect();
        let others = match rows.len() - named.len() {
            0 => String::new(),
            n => format!(" and {} more", grouped(n as u64)),
        };
        format!("{timeouts}, for {}{others}", named.join(" · "))
    };
    out.blank();
    out.paragraph("  timeouts in force: ", &group(&groups[0]));
    for other in &groups[1..] {
        out.paragraph("                     ", &group(other));
    }
}

/// Those that failed, stopped everybody, or took longest; in the order in which they ran.
pub(super) fn weightiest<'r>(shown: &[&'r StatementRow], most: usize) -> Vec<&'r StatementRow> {
    let weight = |row: &StatementRow| {
        let stops = row.held.iter().any(|lock| lock.mode == LockMode::AccessExclusiveLock);
        (row.error.is_some(), row.statement.took_us, stops)
    };
    let mut order: Vec<usize> = (0..shown.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(weight(shown[*at])));
    order.truncate(most);
    order.sort_unstable();
    order.into_iter().map(|at| shown[at]).collect()
}

/// On one line.
fn text_of(row: &StatementRow) -> String {
    let whose = row.statement.sent_by().map(|by| format!("{by}: ")).unwrap_or_default();
    format!("{whose}{}", one_line(&row.statement.text))
}

fn statement_row(row: &StatementRow) -> [String; 6] {
    let text = text_of(row);
    let outcome = outcome_of(row);
    let rewritten = match row.rewritten.len() {
        0 => String::new(),
        _ => format!(", rewrote {}", row.rewritten.join(" ")),
    };
    [
        text,
        row.statement.took_us.to_string(),
        row.rows.map_or_else(|| "-".to_owned(), grouped),
        row.wal_bytes.map_or_else(|| "-".to_owned(), bytes),
        format!("{outcome}{rewritten}"),
        strongest(&row.held),
    ]
}

/// `ok`, or the SQLSTATE of the error; `failed` where it has none.
pub(super) fn outcome_of(row: &StatementRow) -> &str {
    match (&row.error, &row.sqlstate) {
        (None, _) => "ok",
        (Some(_), Some(state)) => state.code(),
        (Some(_), None) => "failed",
    }
}

/// The strongest lock, and how many others block sessions; weaker ones block none that matters.
pub(super) fn strongest(held: &[RelationLock]) -> String {
    let mut strong: Vec<&RelationLock> =
        held.iter().filter(|lock| lock.mode > LockMode::RowExclusiveLock).collect();
    strong.sort_by_key(|lock| std::cmp::Reverse(lock.mode));
    // A relation counts once, in whatever modes it is held.
    let mut named = BTreeSet::new();
    strong.retain(|lock| named.insert(&lock.relation));
    match strong.as_slice() {
        [] => "-".to_owned(),
        [one] => one.to_string(),
        [one, others @ ..] => format!("{one} +{}", others.len()),
    }
}
