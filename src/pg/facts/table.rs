//! Tables that statements create and define.

use squawk_syntax::ast::{self, AstNode};

use super::data::CreatedTable;
use super::name::{RelationName, parts};

/// The table that a CREATE TABLE, ALTER TABLE or CREATE INDEX is about.
pub(super) fn defined(statement: &ast::Stmt) -> Option<RelationName> {
    use ast::Stmt;
    match statement {
        Stmt::CreateTable(create) => RelationName::of_node(create.table_name()),
        Stmt::CreateTableAs(create) => RelationName::of_node(create.table_name()),
        Stmt::AlterTable(alter) => RelationName::of_node(alter.table_relation_name()),
        Stmt::CreateIndex(create) => RelationName::of_node(create.table_relation_name()),
        _ => None,
    }
}

/// The table that CREATE TABLE or SELECT INTO creates, with its columns.
pub(super) fn created(statement: &ast::Stmt) -> Option<CreatedTable> {
    let (name, columns) = match statement {
        ast::Stmt::CreateTable(create) => {
            let derived = create.inherits().is_some()
                || create.of_type().is_some()
                || create.partition_of().is_some();
            let columns = create.table_arg_list().filter(|_| !derived);
            (create.table_name(), columns.and_then(|list| columns_of(&list)))
        }
        ast::Stmt::CreateForeignTable(create) => {
            let derived = create.inherits().is_some() || create.partition_of().is_some();
            let columns = create.table_arg_list().filter(|_| !derived);
            (create.table_name(), columns.and_then(|list| columns_of(&list)))
        }
        ast::Stmt::CreateTableAs(create) => (create.table_name(), None),
        ast::Stmt::SelectInto(select) => (select.into_clause()?.table_name(), None),
        _ => return None,
    };
    Some(CreatedTable { name: RelationName::of_node(name)?.to_string(), columns })
}

fn columns_of(list: &ast::TableArgList) -> Option<Vec<String>> {
    let mut columns = Vec::new();
    for argument in list.args() {
        match argument {
            ast::TableArg::Column(column) => columns.extend(parts(column.name()?.syntax()).pop()),
            ast::TableArg::LikeClause(_) => return None,
            ast::TableArg::TableConstraint(_) => {}
        }
    }
    Some(columns)
}
