//! Whose rows a query reads, locks and writes.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode};

use crate::pg::LockMode;

use super::data::{AskedLock, Relation};
use super::explain::explain_runs;
use super::name::{RelationName, parts};

/// Tables whose rows the statement writes.
pub(super) fn written(statement: &ast::Stmt) -> Vec<RelationName> {
    match statement {
        ast::Stmt::Explain(explain) if !explain_runs(explain) => return Vec::new(),
        ast::Stmt::Truncate(truncate) => {
            let tables = truncate.table_list().into_iter().flat_map(|t| t.table_relation_names());
            return tables.filter_map(|table| RelationName::in_node(table.syntax())).collect();
        }
        ast::Stmt::Copy(copy) => {
            let from = matches!(copy.copy_direction(), Some(ast::CopyDirection::CopyFrom(_)));
            if let Some(table) = copy.copy_table().filter(|_| from) {
                return RelationName::in_node(table.syntax()).into_iter().collect();
            }
        }
        // What they define, and a prepared statement, does not run now.
        _ if !runs_queries(statement) => return Vec::new(),
        _ => {}
    }
    statement.syntax().descendants().filter_map(|node| target(&node)).collect()
}

/// Whether queries in the statement run with it.
pub(super) fn runs_queries(statement: &ast::Stmt) -> bool {
    use ast::Stmt;
    matches!(
        statement,
        Stmt::Select(_)
            | Stmt::SelectInto(_)
            | Stmt::CompoundSelect(_)
            | Stmt::ParenSelect(_)
            | Stmt::Values(_)
            | Stmt::Table(_)
            | Stmt::Insert(_)
            | Stmt::Update(_)
            | Stmt::Delete(_)
            | Stmt::Merge(_)
            | Stmt::Copy(_)
            | Stmt::Explain(_)
            | Stmt::CreateTableAs(_)
    )
}

/// The table that the node itself writes to.
fn target(node: &SyntaxNode) -> Option<RelationName> {
    if let Some(insert) = ast::Insert::cast(node.clone()) {
        return RelationName::of_node(insert.relation_name_ref());
    }
    if let Some(update) = ast::Update::cast(node.clone()) {
        return RelationName::of_node(update.relation_name());
    }
    if let Some(delete) = ast::Delete::cast(node.clone()) {
        return RelationName::of_node(delete.relation_name());
    }
    let merge = ast::Merge::cast(node.clone())?;
    RelationName::of_node(merge.table_relation_name())
}

/// Locks of all queries below the node: on what they read, lock and write.
pub(super) fn locks_of_queries(root: &SyntaxNode) -> Vec<AskedLock> {
    let named = |name: RelationName, mode| AskedLock { relation: Relation::Named(name), mode };
    let mut locks = Vec::new();
    for node in root.descendants() {
        locks.extend(target(&node).map(|name| named(name, LockMode::RowExclusiveLock)));
        if let Some(name) = read(&node).filter(|name| !is_with_query(&node, name)) {
            let mode = if is_locked(&node, &name) {
                LockMode::RowShareLock
            } else {
                LockMode::AccessShareLock
            };
            locks.push(named(name, mode));
        }
    }
    locks
}

/// The relation that the node reads.
fn read(node: &SyntaxNode) -> Option<RelationName> {
    if let Some(item) = ast::RelationFromItem::cast(node.clone()) {
        return RelationName::of_node(item.relation_name_ref());
    }
    let table = ast::Table::cast(node.clone())?;
    RelationName::of_node(table.relation_name())
}

/// Whether the name is that of a WITH query of a statement around the node.
fn is_with_query(node: &SyntaxNode, name: &RelationName) -> bool {
    let is_it = |with: ast::WithTable| {
        with.name().is_some_and(|of| parts(of.syntax()).pop().as_ref() == Some(&name.name))
    };
    let queries = node.ancestors().flat_map(|around| around.children());
    let mut with = queries.filter_map(ast::WithClause::cast).flat_map(|with| with.with_tables());
    name.schema.is_none() && with.any(is_it)
}

/// Whether the query that reads it locks its rows: FOR UPDATE and the like, of all tables or OF
/// this one.
fn is_locked(node: &SyntaxNode, name: &RelationName) -> bool {
    let alias = ast::RelationFromItem::cast(node.clone()).and_then(|item| item.alias());
    let alias = alias.and_then(|alias| {
        let words = parts(alias.syntax());
        words.into_iter().find(|word| word != "as")
    });
    let known_as = alias.as_ref().unwrap_or(&name.name);
    let query = node.ancestors().find(|around| {
        ast::Select::can_cast(around.kind())
            || ast::SelectInto::can_cast(around.kind())
            || ast::CompoundSelect::can_cast(around.kind())
            || ast::Table::can_cast(around.kind())
    });
    let clauses =
        query.iter().flat_map(|query| query.children()).filter_map(ast::LockingClause::cast);
    let mut of = clauses.map(|clause| clause.locking_of());
    of.any(|of| match of {
        Some(of) => of.exprs().any(|expr| parts(expr.syntax()).last() == Some(known_as)),
        None => true,
    })
}
