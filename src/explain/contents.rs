//! What the change did to rows, to what refers to them, and to who may use them.

use crate::history::{
    ColumnChange, DroppedColumn, Orphans, SequenceBehind, SequenceEnding, ValueExample,
};
use crate::result::Subject;
use crate::result::evidence::{
    AddedRows, AlreadyThere, ChangedAccess, ChangedValues, DroppedValues, EndingSequence,
    FittedRows, GoneRows, LeftOutRows, NewRows, NothingTried, StaleValues, UnusedAccept,
};
use crate::schema::Difference;
use crate::stats::grouped;

use super::files::Files;
use super::words::{count, listed, quoted, relation};

/// Columns that a sentence names.
const COLUMNS_MAX: usize = 3;

pub fn gone(of: &GoneRows, subject: &Subject) -> String {
    let (table, before) = (relation(subject), grouped(of.before));
    if of.table_gone {
        let (rows, are) = (count(of.gone, "row"), if of.gone == 1 { "is" } else { "are" });
        return format!("{table} is gone, and {rows} that it held {are} gone with it");
    }
    let (gone, are) = (grouped(of.gone), if of.gone == 1 { "is" } else { "are" });
    let keys = match of.keys.as_slice() {
        [] => String::new(),
        keys => format!(", such as {}", listed(keys)),
    };
    let whose = match of.application_deletes {
        true => "; the application deletes rows of it too, and no ledger tells which",
        false => ", and the application removed none of them",
    };
    format!("{gone} of {before} rows of {table} {are} gone after the change{keys}{whose}")
}

pub fn values(of: &ChangedValues, subject: &Subject) -> String {
    let table = relation(subject);
    if of.columns.is_empty() && of.replaced == 0 {
        let rows = |c: &ColumnChange| format!("{} in {}", c.column, count(c.changed, "row"));
        let columns: Vec<String> = of.not_told_apart.iter().map(rows).collect();
        return format!(
            "values of {table} that were there before the change are others after it: {}; the \
             change writes them, and so does the application, in rows that are not known: whose \
             doing which is cannot be told",
            columns.join(", ")
        );
    }
    if of.columns.is_empty() {
        return format!(
            "{} of {} rows of {table} are not there as they were; the table has no key that \
             tells which became which",
            grouped(of.replaced),
            grouped(of.rows)
        );
    }
    let changed = |column: &ColumnChange| {
        let rows = match column.changed {
            1 if column.example.is_none() => "some rows".to_owned(),
            n => count(n, "row"),
        };
        format!(
            "{} in {rows}{}",
            column.column,
            column.example.as_ref().map_or_else(String::new, example)
        )
    };
    let shown: Vec<String> = of.columns.iter().take(COLUMNS_MAX).map(changed).collect();
    let more = match of.columns.len().saturating_sub(COLUMNS_MAX) {
        0 => String::new(),
        more => format!(", and {}", count(more as u64, "more column")),
    };
    format!(
        "values of {table} that were there before the change are others after it: {}{more} (of {})",
        shown.join(", "),
        count(of.rows, "row")
    )
}

fn example(of: &ValueExample) -> String {
    let value =
        |text: &Option<String>| text.as_ref().map_or("NULL".to_owned(), |t| format!("{t:?}"));
    let row = of.key.as_ref().map_or_else(String::new, |key| format!("row {key}: "));
    format!(" ({row}{} became {})", value(&of.before), value(&of.after))
}

/// `the column note of public.orders is gone, which held values in 9 of 12 rows: no other column of
/// it has them`.
pub fn dropped(of: &DroppedValues, subject: &Subject) -> String {
    let gone = |column: &DroppedColumn| {
        let kept = match &column.kept_in {
            Some(other) => format!("{other} has the same values"),
            None => "no other column of the table has them".to_owned(),
        };
        let DroppedColumn { column, values, .. } = column;
        format!(
            "{column}, with values in {} of {} rows ({kept})",
            grouped(*values),
            grouped(of.rows)
        )
    };
    let columns: Vec<String> = of.columns.iter().take(COLUMNS_MAX).map(gone).collect();
    let more = match of.columns.len().saturating_sub(COLUMNS_MAX) {
        0 => String::new(),
        more => format!(", and {}", count(more as u64, "more column")),
    };
    format!("{} lost {}{more}", relation(subject), columns.join(", "))
}

pub fn added(of: &AddedRows, subject: &Subject) -> String {
    let (table, added, before) = (relation(subject), count(of.added, "row"), grouped(of.before));
    format!(
        "the change added {added} to {table}, which the application uses and which held {before}"
    )
}

pub fn accept_unused(of: &UnusedAccept) -> String {
    let names = of.names.as_ref().map(|names| format!(" = {names:?}")).unwrap_or_default();
    format!("[[accept]] {}{names} covers nothing that this trial shows", of.key)
}

pub fn orphans(of: &Orphans) -> String {
    let Orphans { table, constraint, refers_to, rows, before } = of;
    let were = match before {
        0 => String::new(),
        n => format!(" ({} before the change)", grouped(*n)),
    };
    format!(
        "{} of {table} refer to no row of {refers_to}{were}, although the foreign key {constraint} \
         is said to be valid",
        count(*rows, "row")
    )
}

pub fn sequence(of: &SequenceBehind) -> String {
    let SequenceBehind { table, column, sequence, next, reached } = of;
    format!(
        "{sequence} returns {next} next, and {column} of {table} has reached {reached}: an insert \
         that lets the database number the row collides"
    )
}

pub fn ending(of: &EndingSequence) -> String {
    let SequenceEnding { table, sequence, left, before, begins_again } = &of.of;
    let before = match before {
        Some(before) => format!("{} before the change", grouped(*before)),
        None => "before the change another one numbered it".to_owned(),
    };
    let then = match begins_again {
        true => "it begins again, with values that rows have already,",
        false => "inserts fail (2200H)",
    };
    format!(
        "{sequence}, which numbers {table}, has {} left ({before}): if each operation takes one, \
         {then} after {} s",
        count(*left, "value"),
        grouped(of.lasts_s)
    )
}

pub fn new_rows(of: &NewRows, subject: &Subject) -> String {
    let table = relation(subject);
    let told = |differences: &[Difference]| {
        let column = |difference: &Difference| {
            let text = difference.to_string();
            let name = difference.object.rsplit('.').next().unwrap_or_default();
            text.replacen(&difference.object, name, 1)
        };
        differences.iter().map(column).collect::<Vec<_>>().join("; ")
    };
    let mut parts = Vec::new();
    if !of.null.is_empty() {
        let filled = match of.may_be_filled {
            true => ", unless the table's new or changed trigger fills it, which was not looked at",
            false => "",
        };
        parts.push(format!(
            "rows that the application inserts into {table} have NULL from now on in what it \
             leaves to the server ({}){filled}",
            told(&of.null)
        ));
    }
    if !of.frozen.is_empty() {
        parts.push(format!(
            "rows that the application inserts into {table} have one and the same value from now \
             on where each had its own ({})",
            told(&of.frozen)
        ));
    }
    if !of.others.is_empty() {
        parts.push(format!(
            "rows that the application inserts into {table} have another value from now on in \
             what it leaves to the server ({})",
            told(&of.others)
        ));
    }
    if !of.triggers.is_empty() {
        let names = of.triggers.iter().cloned().collect::<Vec<_>>().join(", ");
        parts.push(format!("writes to {table} may do something else: {names} is not what it was"));
    }
    parts.join("; ")
}

pub fn access(of: &ChangedAccess, subject: &Subject) -> String {
    let differences: Vec<String> = of
        .differences
        .iter()
        .map(|difference| {
            let text = difference.to_string();
            text.strip_prefix(&format!("{}: ", difference.object)).unwrap_or(&text).to_owned()
        })
        .collect();
    let differences = differences.join("; ");
    if of.is_of_new_sessions() {
        return format!(
            "sessions get other settings as they begin, {}: {differences}; the trial's connections \
             are older, so what operations do under them was not tried",
            relation(subject)
        );
    }
    if of.left_unpopulated() {
        return format!(
            "{} was left without rows: reading it is an error (55000) until it is refreshed",
            relation(subject)
        );
    }
    if of.at_risk {
        return format!(
            "the rows of {} are not kept as before ({differences}): where they are not logged, a \
             crash takes all of them and no standby has them; without autovacuum the table grows \
             and is frozen under a lock in the end",
            relation(subject)
        );
    }
    if of.as_caller {
        return format!(
            "{} used its owner's rights, and uses those of its caller from now on; whether the \
             application's role has them was not tried, for the role is pgauntlet's own here",
            relation(subject)
        );
    }
    if of.wider {
        return wider(of, subject, &differences);
    }
    if of.left_disabled() {
        return format!("{} was left disabled: {differences}", relation(subject));
    }
    if of.may_be_meant {
        return format!(
            "{} is not as it was: {differences}; a block of the change builds such statements from \
             strings, so whether that is meant is not known",
            relation(subject)
        );
    }
    format!(
        "{} is not as it was, and no statement of the change says so: {differences}",
        relation(subject)
    )
}

/// Of rows that more may read, or write, than before.
fn wider(of: &ChangedAccess, subject: &Subject, differences: &str) -> String {
    let is_table = |d: &Difference| d.property == "object" && d.object.starts_with("table ");
    if of.differences.iter().any(is_table) {
        return format!(
            "the row security of {} binds nobody who reads that name from now on: it is a view, \
             which uses the rights of its owner",
            relation(subject)
        );
    }
    if of.differences.iter().all(|difference| difference.property == "check") {
        return format!(
            "writers under {} may write rows that it refused before ({differences}); which rows \
             other roles and tenants write was not tried",
            relation(subject)
        );
    }
    format!(
        "readers of {} may see more rows than before ({differences}); which rows other roles \
         and tenants see was not tried",
        relation(subject)
    )
}

pub fn stale(of: &StaleValues, subject: &Subject) -> String {
    let (named, more) = of.kept.split_at(of.kept.len().min(SHORT_MAX));
    let more = if more.is_empty() { "" } else { ", …" };
    format!(
        "{} computes something else, and what it computed before is kept in {}{more}: rows of \
         before the change and after it do not agree, and an index does not find them",
        relation(subject),
        named.join(", ")
    )
}

pub fn already_there(of: &AlreadyThere, subject: &Subject, files: &Files) -> String {
    let statement = subject.statement.as_ref().map(|statement| quoted(statement, files));
    format!(
        "{} did nothing: {} was there before the change, and is another one: {}",
        statement.unwrap_or_else(|| "a statement".to_owned()),
        of.object,
        of.there
    )
}

pub fn nothing_tried(of: &NothingTried) -> String {
    if of.caught {
        return "the change did nothing: a block of it goes on after any error (WHEN OTHERS), and \
                neither an object of the schema nor a row is another than before"
            .to_owned();
    }
    match of.unmatched {
        0 => {}
        1 => {
            return "nothing was tried: the change's one statement writes rows, and found none that \
                    it is for among those of this trial"
                .to_owned();
        }
        n => {
            return format!(
                "nothing was tried: each of the change's {n} statements writes rows, and found \
                 none that it is for among those of this trial"
            );
        }
    }
    let kinds = of.made.iter().filter(|(kind, n)| !kind.is_empty() && **n > 0);
    let mut did: Vec<String> = kinds.map(|(kind, n)| format!("made {}", count(*n, kind))).collect();
    if of.changed > 0 {
        did.push(format!("changed {}", count(of.changed, "object")));
    }
    match (did.is_empty(), of.statements, of.made.is_empty()) {
        (true, 0, true) => {
            "the change changed nothing: no object of the schema, and no row".to_owned()
        }
        (true, ..) => {
            "nothing was tried: no table with rows was changed, and nothing that the application \
             uses"
                .to_owned()
        }
        (false, ..) if !of.unused.is_empty() => {
            let (named, more) = of.unused.split_at(of.unused.len().min(SHORT_MAX));
            let more = if more.is_empty() { "" } else { ", …" };
            format!(
                "the change {}; nothing here uses {}{more}",
                did.join(" and "),
                named.join(", ")
            )
        }
        (false, ..) => format!(
            "the change {}; no table with rows was changed, and nothing that the application uses",
            did.join(" and ")
        ),
    }
}

/// Tables and reasons that a sentence names.
const SHORT_MAX: usize = 3;

pub fn fitted(of: &FittedRows, subject: &Subject) -> String {
    format!(
        "the rows of {}, and what the application writes to it, were made to fit what the change \
         demands of them ({}): whether yours do was not tried",
        relation(subject),
        of.demands.join(", ")
    )
}

pub fn left_out(of: &LeftOutRows, subject: &Subject) -> String {
    if !of.unfilled.is_empty() {
        let table = relation(subject);
        let said = of.unfilled.iter().map(|(column, why)| {
            format!("{table}.{column} is NULL in every row, and the change names it ({why})")
        });
        let (said, more) = (said.take(SHORT_MAX), of.unfilled.len().saturating_sub(SHORT_MAX));
        let more = (more > 0).then(|| count(more as u64, "more column"));
        return said.chain(more).collect::<Vec<_>>().join("; ");
    }
    let (table, asked, loaded) = (relation(subject), grouped(of.asked), grouped(of.loaded));
    let about = match (of.concerned, of.loaded) {
        (true, 0) => ", and the change is about it: what it does to rows was not tried",
        (true, _) => ", and the change is about it",
        (false, _) => "; the change is not about it",
    };
    let mut parts =
        vec![format!("{table} has {loaded} of {asked} rows that were asked for{about}")];
    parts.extend(of.why.iter().take(SHORT_MAX).cloned());
    parts.extend(match of.why.len().saturating_sub(SHORT_MAX) {
        0 => None,
        more => Some(count(more as u64, "more reason")),
    });
    parts.extend(of.because_of.as_ref().map(|first| format!("{first} is short first")));
    let also = |tables: &[String], what: &str| {
        let are = if tables.len() == 1 { "is" } else { "are" };
        let (named, more) = tables.split_at(tables.len().min(SHORT_MAX));
        let more = if more.is_empty() { "" } else { ", …" };
        let (tables, named) = (count(tables.len() as u64, "table"), named.join(", "));
        format!("{tables} {what} {are} short too ({named}{more})")
    };
    let (followers, others) = (&of.followers, &of.others);
    let refer = if followers.len() == 1 { "that refers to it" } else { "that refer to it" };
    parts.extend((!followers.is_empty()).then(|| also(followers, refer)));
    parts.extend((!others.is_empty()).then(|| also(others, "that the change is not about")));
    parts.join("; ")
}
