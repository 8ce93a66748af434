//! Which tables a column of a query may be of: FROM with its aliases, WITH queries, subqueries.
//!
//! A name without a qualifier may be of several tables; all of them are given, those of the
//! innermost query first, and who has the catalogue takes the first that has the column.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode};

use super::name::{RelationName, identifier, parts};

/// Queries within queries that are followed.
const DEPTH_MAX: usize = 8;

/// A column of a table that a statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnAt {
    /// The table.
    pub table: RelationName,
    /// The place in the text at which the statement names the table: the same table twice is two.
    pub item: usize,
    /// The column.
    pub column: ColumnName,
}

/// How a statement names a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnName {
    /// By its name.
    Named(String),
    /// By its position in the table, from 0: INSERT without a list of columns.
    Numbered(usize),
}

/// Something in FROM.
pub(super) struct Source {
    /// By which columns are qualified.
    known_as: Option<String>,
    rows: Rows,
}

enum Rows {
    Table(RelationName, usize),
    /// A query and the names that its columns are given.
    Query(SyntaxNode, Vec<String>),
}

/// What an expression is: a column, behind its casts and what only changes its form.
pub(super) struct Column {
    qualifier: Option<String>,
    name: String,
}

impl Column {
    /// None: the expression is no column.
    pub(super) fn of(expression: &ast::Expr) -> Option<Column> {
        match expression {
            ast::Expr::ParenExpr(inner) => Column::of(&inner.expr()?),
            ast::Expr::CastExpr(cast) => Column::of(&cast.expr()?),
            ast::Expr::Collate(collate) => Column::of(&collate.expr()?),
            ast::Expr::NameRef(name) => {
                let name = identifier(name.syntax().text().to_string().trim());
                let is_function = name.starts_with("current_") || name.starts_with("localtime");
                (!is_function).then_some(Column { qualifier: None, name })
            }
            ast::Expr::FieldExpr(field) => {
                let mut words = parts(field.syntax());
                let name = words.pop().filter(|name| name != "*")?;
                Some(Column { qualifier: Some(words.pop()?), name })
            }
            ast::Expr::CallExpr(call) if keeps_values(call) => {
                Column::of(&call.arg_list()?.syntax().descendants().find_map(ast::Expr::cast)?)
            }
            _ => None,
        }
    }

    /// The columns of tables that it may be, from a node of the query that names it.
    pub(super) fn may_be(&self, from: &SyntaxNode) -> Vec<ColumnAt> {
        self.within(from, DEPTH_MAX)
    }

    fn within(&self, from: &SyntaxNode, depth: usize) -> Vec<ColumnAt> {
        let mut found = Vec::new();
        if depth == 0 {
            return found;
        }
        for query in from.ancestors() {
            for source in sources(&query) {
                let qualified = self.qualifier.is_some();
                if qualified && self.qualifier != source.known_as {
                    continue;
                }
                match &source.rows {
                    Rows::Table(table, item) => {
                        let column = ColumnName::Named(self.name.clone());
                        found.push(ColumnAt { table: table.clone(), item: *item, column });
                    }
                    Rows::Query(query, names) => {
                        found.extend(derived(query, names, &self.name, depth - 1));
                    }
                }
                if qualified {
                    return found;
                }
            }
        }
        found
    }

    /// Whether it comes from a WITH query that adds rows: it is new each time.
    pub(super) fn is_of_new_rows(&self, from: &SyntaxNode) -> bool {
        let sources = from.ancestors().flat_map(|query| sources(&query));
        let mut own =
            sources.filter(|source| self.qualifier.is_none() || self.qualifier == source.known_as);
        own.any(|source| match source.rows {
            Rows::Query(query, _) => ast::Insert::can_cast(query.kind()),
            Rows::Table(..) => false,
        })
    }
}

/// Whether a function gives its first argument in another form, so that values of the one are
/// values of the other.
pub(super) fn keeps_values(call: &ast::CallExpr) -> bool {
    const NAMES: &[&str] =
        &["lower", "upper", "trim", "btrim", "ltrim", "rtrim", "initcap", "coalesce", "nullif"];
    let name = call.expr().map(|name| parts(name.syntax()));
    let name = name.and_then(|mut words| words.pop()).unwrap_or_default();
    NAMES.contains(&name.as_str()) || call.trim_fn().is_some()
}

/// What a query reads and writes, without what is inside of its subqueries.
pub(super) fn sources(query: &SyntaxNode) -> Vec<Source> {
    let mut found = Vec::new();
    let mut target = |name: Option<SyntaxNode>, alias: Option<SyntaxNode>| {
        let Some(node) = name else { return };
        let Some(table) = RelationName::in_node(&node) else { return };
        let known_as = alias.and_then(|alias| alias_of(&alias));
        let known_as = known_as.or_else(|| Some(table.name.clone()));
        found.push(Source { known_as, rows: Rows::Table(table, start(&node)) });
    };
    let node = |node: Option<&SyntaxNode>| node.cloned();
    if let Some(insert) = ast::Insert::cast(query.clone()) {
        let name = insert.relation_name_ref();
        let name = node(name.as_ref().map(AstNode::syntax));
        target(name.clone(), node(insert.alias().as_ref().map(AstNode::syntax)));
        if let Some((node, table)) =
            name.and_then(|n| Some((n.clone(), RelationName::in_node(&n)?)))
        {
            let known_as = Some("excluded".to_owned());
            found.push(Source { known_as, rows: Rows::Table(table, start(&node)) });
        }
    } else if let Some(update) = ast::Update::cast(query.clone()) {
        let name = update.relation_name();
        let alias = update.alias();
        target(node(name.as_ref().map(AstNode::syntax)), node(alias.as_ref().map(AstNode::syntax)));
    } else if let Some(delete) = ast::Delete::cast(query.clone()) {
        let name = delete.relation_name();
        let alias = delete.alias();
        target(node(name.as_ref().map(AstNode::syntax)), node(alias.as_ref().map(AstNode::syntax)));
    } else if let Some(merge) = ast::Merge::cast(query.clone()) {
        let name = merge.table_relation_name();
        let alias = merge.alias();
        target(node(name.as_ref().map(AstNode::syntax)), node(alias.as_ref().map(AstNode::syntax)));
    }
    for clause in query.children() {
        let is_from = ast::FromClause::can_cast(clause.kind())
            || ast::UsingClause::can_cast(clause.kind())
            || ast::UsingOnClause::can_cast(clause.kind());
        if is_from {
            items(&clause, &mut found);
        }
    }
    found
}

/// The items of a FROM clause, those of joins and in parentheses included.
fn items(node: &SyntaxNode, found: &mut Vec<Source>) {
    for child in node.children() {
        if let Some(item) = ast::RelationFromItem::cast(child.clone()) {
            let Some(table) = RelationName::of_node(item.relation_name_ref()) else { continue };
            let alias = item.alias().and_then(|alias| alias_of(alias.syntax()));
            let known_as = alias.or_else(|| Some(table.name.clone()));
            let rows = match with_query(&child, &table) {
                Some((query, names)) => Rows::Query(query, names),
                None => Rows::Table(table, start(&child)),
            };
            found.push(Source { known_as, rows });
        } else if let Some(item) = ast::ParenFromItem::cast(child.clone()) {
            let Some(query) = child.descendants().find(is_query) else {
                items(&child, found);
                continue;
            };
            let alias = item.alias();
            let known_as = alias.as_ref().and_then(|alias| alias_of(alias.syntax()));
            let names = alias.and_then(|alias| alias.columns()).map(|c| parts(c.syntax()));
            let names = names.unwrap_or_default().into_iter().filter(|name| is_name(name));
            found.push(Source { known_as, rows: Rows::Query(query, names.collect()) });
        } else if ast::JoinExpr::can_cast(child.kind())
            || ast::Join::can_cast(child.kind())
            || ast::ParenExpr::can_cast(child.kind())
        {
            items(&child, found);
        }
    }
}

fn is_query(node: &SyntaxNode) -> bool {
    ast::Select::can_cast(node.kind())
        || ast::Values::can_cast(node.kind())
        || ast::CompoundSelect::can_cast(node.kind())
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn alias_of(alias: &SyntaxNode) -> Option<String> {
    let name = alias.descendants().find_map(ast::TableAlias::cast)?;
    parts(name.syntax()).pop()
}

pub(super) fn start(node: &SyntaxNode) -> usize {
    usize::from(node.text_range().start())
}

/// The WITH query of that name around a node, and the names that its columns are given.
fn with_query(node: &SyntaxNode, name: &RelationName) -> Option<(SyntaxNode, Vec<String>)> {
    if name.schema.is_some() {
        return None;
    }
    let clauses = node.ancestors().flat_map(|around| around.children());
    let mut queries = clauses.filter_map(ast::WithClause::cast).flat_map(|with| with.with_tables());
    let with = queries.find(|with| {
        with.name().is_some_and(|of| parts(of.syntax()).pop().as_ref() == Some(&name.name))
    })?;
    let names = with.column_list().map(|list| parts(list.syntax())).unwrap_or_default();
    let query = with.query()?;
    let names = names.into_iter().filter(|name| is_name(name)).collect();
    Some((query.syntax().clone(), names))
}

/// A column that a query gives, as the columns of tables that it may be.
fn derived(query: &SyntaxNode, names: &[String], wanted: &str, depth: usize) -> Vec<ColumnAt> {
    // Of a union the first query says what a column is.
    let is_made_here = |node: &SyntaxNode| {
        ast::Select::can_cast(node.kind()) || ast::ReturningClause::can_cast(node.kind())
    };
    let Some(made) = query.descendants().find(is_made_here) else { return Vec::new() };
    let Some(list) = made.descendants().find_map(ast::TargetList::cast) else { return Vec::new() };
    let position = names.iter().position(|name| name == wanted);
    let mut found = Vec::new();
    for (at, target) in list.targets().enumerate() {
        let text = target.syntax().text().to_string();
        let column = target.expr().and_then(|expression| Column::of(&expression));
        if text.trim().ends_with('*') {
            let qualifier = text.trim().trim_end_matches('*').trim_end_matches('.').trim();
            let qualifier = (!qualifier.is_empty()).then(|| identifier(qualifier));
            let column = Column { qualifier, name: wanted.to_owned() };
            found.extend(column.within(&made, depth));
            continue;
        }
        let given = target.as_name().and_then(|name| parts(name.syntax()).pop());
        let name = given.or_else(|| column.as_ref().map(|column| column.name.clone()));
        let is_it = match position {
            Some(position) => at == position,
            None => name.as_deref() == Some(wanted),
        };
        if let Some(column) = column.filter(|_| is_it) {
            found.extend(column.within(&made, depth));
        }
    }
    found
}
