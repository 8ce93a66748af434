//! What an application remembers of the rows that its own statements add.

use std::collections::{BTreeMap, BTreeSet};

use crate::pg::facts::{Conflict, RelationName, facts};
use crate::pg::lex;
use crate::pg::syntax::Kind;
use crate::scenario::{LedgerRule, OperationSpec, OperationStatement};

use super::super::catalogue::{Catalogue, Column};
use super::super::traffic::{REMEMBERED_MAX, is_key, stays_as_sent};
use super::deletes::deleted;
use super::insert::{Cell, NewRow, NewValues, is_new};

/// How a query's new row is found again: by a key that it sends, or that it has returned; and what
/// it sends beside it. None: the query adds more rows than one, or nothing tells which is its own.
pub(super) fn rule(
    rows: &[NewRow<'_>],
    values: &NewValues,
    names: &BTreeMap<&str, String>,
    statements: &[OperationStatement],
) -> Option<LedgerRule> {
    let [row] = rows else { return None };
    let subject = row.subject;
    if row.conflict != Conflict::Fails || subject.beside.takes_out(subject.table) {
        return None;
    }
    // A trigger may store another key than the one that was sent.
    let has_key = |column: &Column| {
        subject.table.triggers.is_empty() || !subject.beside.may_set(&column.name)
    };
    let sent = row.cells.iter().filter_map(|(column, cell)| match cell {
        Cell::Parameter { key, exact: true, .. } if has_key(column) => {
            Some((*column, key, names.get(key.as_str())?))
        }
        _ => None,
    });
    let sent: Vec<_> = sent.collect();
    let is_own = |column: &Column, key: &String| {
        is_key(subject, column) && values.get(key).is_some_and(is_new)
    };
    let by_parameter = sent.iter().find(|(column, key, _)| is_own(column, key));
    let (key, key_parameter) = match by_parameter {
        Some((column, _, parameter)) => (*column, Some((*parameter).clone())),
        None => (returned(row, statements)?, None),
    };
    let stays = |column: &Column| column.number != key.number && stays_as_sent(subject, column);
    let set = sent.iter().filter(|(column, ..)| stays(column)).take(REMEMBERED_MAX);
    Some(LedgerRule::Insert {
        table: subject.name().to_owned(),
        key_column: key.name.clone(),
        key_parameter,
        set: set.map(|(column, _, name)| (column.name.clone(), (*name).clone())).collect(),
    })
}

/// The key that the server makes, where it is the first of what the INSERT returns.
fn returned<'a>(row: &NewRow<'a>, statements: &[OperationStatement]) -> Option<&'a Column> {
    let subject = row.subject;
    let [statement] = statements else { return None };
    let tokens = lex::tokens(&statement.sql).ok()?;
    let at = tokens.iter().rposition(|token| token.is_word(&statement.sql, "returning"))?;
    let name = lex::identifier(&statement.sql, tokens.get(at + 1)?);
    let ends = tokens
        .get(at + 2)
        .is_none_or(|next| [",", ";"].iter().any(|symbol| next.is_symbol(&statement.sql, symbol)));
    let key = subject.table.columns.iter().find(|column| column.name == name)?;
    let is_given = row.cells.iter().any(|(column, _)| column.number == key.number);
    let is_new = is_key(subject, key) && subject.is_new_each_time(key);
    (ends && is_new && !is_given && subject.is_read_back(key)).then_some(key)
}

/// Leaves of the ledger's rules what no operation without a rule of its own changes: none of a
/// table that loses rows by it, no column that it names where it writes rows of the table.
pub fn keep_whole(catalogue: &Catalogue, operations: &mut [OperationSpec]) {
    let others: Vec<Other> = operations.iter().map(|one| Other::of(catalogue, one)).collect();
    for (at, operation) in operations.iter_mut().enumerate() {
        let is_update = matches!(operation.ledger, Some(LedgerRule::Update { .. }));
        let own = operation.ledger.as_mut().map(|rule| match rule {
            LedgerRule::Insert { table, key_column, set, .. }
            | LedgerRule::Update { table, key_column, set, .. } => {
                (table.clone(), key_column.clone(), Some(set))
            }
            LedgerRule::Delete { table, key_column, .. } => {
                (table.clone(), key_column.clone(), None)
            }
        });
        let Some((table, key, set)) = own else { continue };
        let beside = others.iter().enumerate().filter(|(other, _)| *other != at);
        let beside: Vec<&Other> = beside.map(|(_, other)| other).collect();
        let is_whole = set.is_none_or(|set| {
            set.retain(|column, _| !beside.iter().any(|one| one.changes(&table, &key, column)));
            !is_update || !set.is_empty()
        });
        if !is_whole || beside.iter().any(|other| other.takes_out(catalogue, &table)) {
            operation.ledger = None;
        }
    }
}

/// What an operation does to rows that another one remembers.
struct Other {
    rule: Option<LedgerRule>,
    /// Tables that lose rows by it.
    deleted: BTreeSet<String>,
    statements: Vec<Written>,
}

impl Other {
    fn of(catalogue: &Catalogue, operation: &OperationSpec) -> Other {
        let rule = operation.ledger.clone();
        let deleted = match rule {
            Some(LedgerRule::Delete { .. }) => BTreeSet::new(),
            _ => deleted(catalogue, operation),
        };
        let statements = operation.statements.iter();
        let statements = statements.map(|statement| Written::by(&statement.sql)).collect();
        Other { rule, deleted, statements }
    }

    fn changes(&self, table: &str, key: &str, column: &str) -> bool {
        let is_remembered = matches!(
            &self.rule,
            Some(LedgerRule::Update { table: of, key_column, set, .. })
                if of == table && key_column == key && set.contains_key(column)
        );
        let table = RelationName::of(table);
        !is_remembered && self.statements.iter().any(|by| by.changes(&table, column))
    }

    fn takes_out(&self, catalogue: &Catalogue, table: &str) -> bool {
        let table = RelationName::of(table);
        let is_deleted = |of: &String| RelationName::of(of).may_be(&table);
        self.deleted.iter().any(is_deleted)
            || self.statements.iter().any(|by| by.may_write(catalogue, &table))
    }
}

/// What a statement writes, and its words.
struct Written {
    /// Tables of which it changes rows that are there.
    changed: Vec<RelationName>,
    words: BTreeSet<String>,
}

impl Written {
    fn by(sql: &str) -> Written {
        let words: BTreeSet<String> = lex::identifiers(sql).collect();
        let may_update = words.contains("conflict") || words.contains("with");
        let statements = facts(sql).statements.into_iter();
        let changing = statements.filter(|one| one.kind != Kind::Insert || may_update);
        Written { changed: changing.flat_map(|one| one.writes).collect(), words }
    }

    fn changes(&self, table: &RelationName, column: &str) -> bool {
        self.changed.iter().any(|changed| changed.may_be(table)) && self.words.contains(column)
    }

    /// Whether it calls a function that names the table, or whose text is not known.
    fn may_write(&self, catalogue: &Catalogue, table: &RelationName) -> bool {
        let mut called = catalogue.functions.iter().filter(|f| self.words.contains(&f.name));
        called.any(|function| {
            let source = function.source.as_ref();
            source.is_none_or(|source| source.to_lowercase().contains(&table.name.to_lowercase()))
        })
    }
}
