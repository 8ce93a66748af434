//! Operations that read: a row by its key, rows by an index, a page by time, rows with what they
//! refer to and with what refers to them.

use super::super::wishes::DEMANDED;
use super::super::{Column, Constraint, Index};
use super::draft::Draft;
use super::new_row::where_aliased;
use super::subject::Subject;
use super::writes::where_key;

/// Rows of a page.
const PAGE: u32 = 50;

/// A row by its primary key.
///
/// # Errors
/// Why there is no such read.
pub fn by_key(subject: &Subject<'_>) -> Result<Draft, String> {
    let key = subject.key();
    let key = key.ok_or_else(|| format!("read of {}: {}", subject.name(), subject.why_no_key()))?;
    let mut draft = Draft::new(&format!("read-{}", subject.name()));
    draft.statement(&format!("SELECT {} FROM {}", subject.list(None), subject.quoted()));
    draft.uses(subject.table.oid);
    where_key(&mut draft, subject, &key, false);
    Ok(draft)
}

/// Rows by the leading column of each index that is not the primary key's.
pub fn by_index(subject: &Subject<'_>) -> Vec<Draft> {
    let key = subject.table.primary_key().and_then(|key| key.index);
    let mut known = Vec::new();
    let mut found = Vec::new();
    for index in subject.table.indexes.iter().filter(|index| Some(index.oid) != key) {
        let Some(column) = leading(subject, index) else { continue };
        if known.contains(&(column.number, &index.predicate)) {
            continue;
        }
        known.push((column.number, &index.predicate));
        let mut draft = Draft::new(&format!("find-{}-{}", subject.name(), index.name));
        let row = subject.together(&mut draft, &[column], false);
        let Some(drawn) = subject.present(column, false, row.as_deref()) else { continue };
        let (list, table) = (subject.list(None), subject.quoted());
        let column_name = subject.quote(column);
        draft.statement(&format!("SELECT {list} FROM {table} WHERE {column_name} = "));
        draft.uses(subject.table.oid);
        draft.column(subject.table.oid, column, &drawn);
        if let Some(predicate) = &index.predicate {
            draft.sql(&format!(" AND {predicate}"));
        }
        draft.sql(&format!(" LIMIT {PAGE}"));
        found.push(draft);
    }
    found
}

/// The first column of an index that finds rows by equality.
fn leading<'a>(subject: &Subject<'a>, index: &Index) -> Option<&'a Column> {
    let by_equality = matches!(index.method.as_str(), "btree" | "hash") && index.valid;
    let first = index.columns.first().filter(|_| by_equality)?;
    subject.table.column(*first)
}

/// The newest rows by each indexed time.
pub fn pages(subject: &Subject<'_>) -> Vec<Draft> {
    let mut found: Vec<(i16, Draft)> = Vec::new();
    for index in subject.table.indexes.iter().filter(|i| i.method == "btree") {
        let Some(column) = leading(subject, index) else { continue };
        let known = subject.catalogue.type_of(column.type_oid);
        let time = known.is_some_and(|known| known.category == "D");
        if !time || index.predicate.is_some() || found.iter().any(|(n, _)| *n == column.number) {
            continue;
        }
        let mut draft = Draft::new(&format!("page-{}-{}", subject.name(), column.name));
        let (list, table, name) = (subject.list(None), subject.quoted(), subject.quote(column));
        draft.statement(&format!("SELECT {list} FROM {table} ORDER BY {name} DESC LIMIT {PAGE}"));
        draft.uses(subject.table.oid);
        found.push((column.number, draft));
    }
    found.into_iter().map(|(_, draft)| draft).collect()
}

/// Each foreign key in both directions: a row with what it refers to, and a row with what refers
/// to it.
pub fn joins(subject: &Subject<'_>, subjects: &[Subject<'_>]) -> Vec<Draft> {
    let mut found = Vec::new();
    for foreign in subject.foreign_keys().filter(|key| key.definition != DEMANDED) {
        let Some(parent) = parent(foreign, subjects) else { continue };
        let Some(condition) = condition(subject, parent, foreign) else { continue };
        let (child_list, parent_list) = (subject.list(Some("c")), parent.list(Some("p")));
        let from = format!("FROM {} c JOIN {} p ON {condition}", subject.quoted(), parent.quoted());
        let mut one = |direction: &str, of: &Subject<'_>, alias: &str, limit: &str| {
            let Some(key) = of.key() else { return };
            let name = format!("{direction}-{}-{}", subject.name(), foreign.name);
            let mut draft = Draft::new(&name);
            draft.statement(&format!("SELECT {child_list}, {parent_list} {from}"));
            draft.uses(subject.table.oid).uses(parent.table.oid);
            where_aliased(&mut draft, of, &key, alias);
            draft.sql(limit);
            found.push(draft);
        };
        one("with-parent", subject, "c", "");
        one("with-children", parent, "p", &format!(" LIMIT {PAGE}"));
    }
    found
}

/// What a foreign key refers to, where the application uses it.
pub fn parent<'s, 'a>(
    foreign: &Constraint,
    subjects: &'s [Subject<'a>],
) -> Option<&'s Subject<'a>> {
    let refers = foreign.refers.as_ref()?;
    subjects.iter().find(|subject| subject.table.oid == refers.table)
}

fn condition(child: &Subject<'_>, parent: &Subject<'_>, foreign: &Constraint) -> Option<String> {
    let refers = foreign.refers.as_ref()?;
    let own = child.columns_of(&foreign.columns)?;
    let theirs = parent.columns_of(&refers.columns)?;
    let pairs = own
        .into_iter()
        .zip(theirs)
        .map(|(own, theirs)| format!("c.{} = p.{}", child.quote(own), parent.quote(theirs)));
    Some(pairs.collect::<Vec<_>>().join(" AND "))
}
