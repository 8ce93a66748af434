//! What a statement does with its parameters: with which columns they are compared, to which they
//! are assigned, which rows it adds.
//!
//! A parameter may be behind casts and functions that only change its form; one that is deeper in
//! an expression is said to have no use.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::pg::syntax;

use super::name::{RelationName, parts};
use super::scope::{Column, ColumnAt, ColumnName, keeps_values, start};

/// What a statement does with its parameters and its tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// In the order of the text; a parameter may have several.
    pub parameters: Vec<ParameterUse>,
    /// Rows that it adds.
    pub inserts: Vec<Inserted>,
    /// Tables whose rows it deletes.
    pub deletes: Vec<RelationName>,
}

/// A use of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterUse {
    /// 1 is `$1`.
    pub number: usize,
    /// What is done with it.
    pub usage: Usage,
    /// With which column: the first of these whose table has it.
    pub columns: Vec<ColumnAt>,
}

/// What is done with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usage {
    /// A column is equal to it: `=`, IN.
    Equal,
    /// It is a column's value in a new row.
    Inserted,
    /// A column is set to it.
    Assigned,
    /// It is an array that a column's value is to be in: `= ANY ($1)`.
    Among,
    /// It bounds a column: `<`, BETWEEN.
    Compared,
    /// A column is LIKE it.
    Pattern,
    /// It is a regular expression for a column.
    Regex,
    /// It is added to a column or subtracted from it.
    Added,
    /// LIMIT.
    Limit,
    /// OFFSET.
    Offset,
}

/// Rows that an INSERT adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inserted {
    /// The table.
    pub table: RelationName,
    /// Its place in the text, as in [`ColumnAt::item`].
    pub item: usize,
    /// Columns in the order of the values; None: the table's.
    pub columns: Option<Vec<String>>,
    /// Values by row; of a query, one row.
    pub rows: Vec<Vec<InsertedValue>>,
    /// What happens where a row is there already.
    pub conflict: Conflict,
}

/// A value of a new row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InsertedValue {
    /// That parameter, 1 is `$1`.
    Parameter(usize),
    /// DEFAULT.
    Default,
    /// A constant's text; None: NULL.
    Constant(Option<String>),
    /// What a row that is there holds.
    Read,
    /// Something else: a function's result, the key of a row that is added as well.
    Made,
}

/// ON CONFLICT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The statement fails.
    Fails,
    /// No key makes it fail.
    Any,
    /// The key over these columns does not.
    Columns(Vec<String>),
    /// This constraint does not.
    Constraint(String),
}

/// Reads a statement; None: it does not parse.
pub fn parameters(sql: &str) -> Option<Uses> {
    syntax::with_tree(sql, |tree| {
        let mut uses = Uses::default();
        for node in tree.syntax().descendants() {
            if let Some(number) = number_of(&node) {
                uses.parameters.extend(used(&node, number));
            }
            if let Some(insert) = ast::Insert::cast(node.clone()) {
                uses.inserts.extend(inserted(&insert));
            }
            if let Some(delete) = ast::Delete::cast(node) {
                uses.deletes.extend(RelationName::of_node(delete.relation_name()));
            }
        }
        uses
    })
}

/// The number of a parameter; None: the node is none.
fn number_of(node: &SyntaxNode) -> Option<usize> {
    let literal = ast::Literal::cast(node.clone())?;
    let token = literal.syntax().first_token()?;
    match token.kind() {
        SyntaxKind::POSITIONAL_PARAM => token.text().trim_start_matches('$').parse().ok(),
        _ => None,
    }
}

/// The use of a parameter at its node; None: none that is known.
fn used(node: &SyntaxNode, number: usize) -> Option<ParameterUse> {
    let mut climb = Climb { at: node.clone(), tuple: None, array: false, among: false };
    loop {
        let parent = climb.at.parent()?;
        match climb.step(&parent) {
            Step::On => climb.at = parent,
            Step::Used(usage, columns) => return Some(ParameterUse { number, usage, columns }),
            Step::Unknown => return None,
        }
    }
}

/// On the way from a parameter to what uses it.
struct Climb {
    at: SyntaxNode,
    /// Its position in the innermost list.
    tuple: Option<usize>,
    /// It is an element of an array.
    array: bool,
    /// It is inside of ANY or ALL.
    among: bool,
}

enum Step {
    On,
    Used(Usage, Vec<ColumnAt>),
    Unknown,
}

impl Climb {
    fn step(&mut self, parent: &SyntaxNode) -> Step {
        match parent.kind() {
            SyntaxKind::PAREN_EXPR
            | SyntaxKind::CAST_EXPR
            | SyntaxKind::COLLATE
            | SyntaxKind::ARG
            | SyntaxKind::ARG_LIST
            | SyntaxKind::TRIM_FN => Step::On,
            SyntaxKind::LIMIT_CLAUSE | SyntaxKind::FETCH_CLAUSE => {
                Step::Used(Usage::Limit, Vec::new())
            }
            SyntaxKind::OFFSET_CLAUSE => Step::Used(Usage::Offset, Vec::new()),
            SyntaxKind::ANY_FN | SyntaxKind::SOME_FN | SyntaxKind::ALL_FN => {
                self.among = true;
                Step::On
            }
            SyntaxKind::ARRAY_EXPR => {
                self.array = true;
                Step::On
            }
            SyntaxKind::TUPLE_EXPR => {
                self.tuple = self.tuple.or_else(|| position(parent, &self.at));
                Step::On
            }
            SyntaxKind::CALL_EXPR => match ast::CallExpr::cast(parent.clone()) {
                Some(call) if self.among || keeps_values(&call) => Step::On,
                _ => Step::Unknown,
            },
            SyntaxKind::BIN_EXPR => self.binary(parent),
            SyntaxKind::BETWEEN_EXPR => self.between(parent),
            SyntaxKind::SET_EXPR => assigned(parent),
            SyntaxKind::ROW | SyntaxKind::TARGET => new_value(parent, &self.at),
            _ => Step::Unknown,
        }
    }

    fn binary(&self, parent: &SyntaxNode) -> Step {
        let Some(binary) = ast::BinExpr::cast(parent.clone()) else { return Step::Unknown };
        let (Some(left), Some(right)) = (binary.lhs(), binary.rhs()) else { return Step::Unknown };
        let is_left = left.syntax() == &self.at;
        let other = if is_left { &right } else { &left };
        let operator = operator(&left, &right, parent);
        // A pattern is put together: '%' || $1 || '%'.
        if operator == "||" {
            return Step::On;
        }
        let usage = match operator.as_str() {
            "=" | "IN" | "NOT IN" | "<>" | "!=" | "IS NOT DISTINCT FROM" | "IS DISTINCT FROM" => {
                match self.among && !self.array {
                    true => Usage::Among,
                    false => Usage::Equal,
                }
            }
            "<" | ">" | "<=" | ">=" => Usage::Compared,
            "LIKE" | "NOT LIKE" | "ILIKE" | "NOT ILIKE" | "~~" | "~~*" | "!~~" | "!~~*" => {
                Usage::Pattern
            }
            "~" | "~*" | "!~" | "!~*" | "SIMILAR TO" | "NOT SIMILAR TO" => Usage::Regex,
            "+" | "-" => Usage::Added,
            _ => return Step::Unknown,
        };
        let column = match (other, self.tuple) {
            (ast::Expr::TupleExpr(tuple), Some(at)) => {
                tuple.exprs().nth(at).and_then(|expression| Column::of(&expression))
            }
            (other, _) => Column::of(other),
        };
        match column {
            Some(column) => Step::Used(usage, column.may_be(parent)),
            None => Step::Unknown,
        }
    }

    fn between(&self, parent: &SyntaxNode) -> Step {
        let operands = parent.children().filter_map(ast::Expr::cast);
        let others = operands.filter(|operand| operand.syntax() != &self.at);
        match others.into_iter().find_map(|operand| Column::of(&operand)) {
            Some(column) => Step::Used(Usage::Compared, column.may_be(parent)),
            None => Step::Unknown,
        }
    }
}

/// What is between the operands, in capitals.
fn operator(left: &ast::Expr, right: &ast::Expr, whole: &SyntaxNode) -> String {
    let from = usize::from(left.syntax().text_range().end()) - start(whole);
    let to = start(right.syntax()) - start(whole);
    let text = whole.text().to_string();
    let operator = text.get(from..to).unwrap_or_default().to_ascii_uppercase();
    operator.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The position among its siblings that are expressions.
fn position(parent: &SyntaxNode, child: &SyntaxNode) -> Option<usize> {
    let expressions = parent.children().filter_map(ast::Expr::cast);
    expressions.into_iter().position(|expression| expression.syntax() == child)
}

/// `SET a = $1`, `SET (a, b) = ($1, $2)`.
fn assigned(parent: &SyntaxNode) -> Step {
    let targets: Vec<ast::ColumnTarget> = match parent.ancestors().find(|node| {
        ast::SetSingleColumn::can_cast(node.kind())
            || ast::SetMultipleColumns::can_cast(node.kind())
    }) {
        Some(set) => set.descendants().filter_map(ast::ColumnTarget::cast).collect(),
        None => return Step::Unknown,
    };
    let values = parent.parent().filter(|list| ast::SetExprList::can_cast(list.kind()));
    let at = values.and_then(|list| {
        list.children().filter_map(ast::SetExpr::cast).position(|value| value.syntax() == parent)
    });
    let Some(target) = targets.get(at.unwrap_or(0)) else { return Step::Unknown };
    // `SET a[1] = $1` is a part of a value.
    if target.accessors().next().is_some() {
        return Step::Unknown;
    }
    let written = parent.ancestors().find_map(|node| {
        if let Some(update) = ast::Update::cast(node.clone()) {
            return update.relation_name().map(|name| name.syntax().clone());
        }
        let insert = ast::Insert::cast(node)?;
        insert.relation_name_ref().map(|name| name.syntax().clone())
    });
    let name = target.name().and_then(|name| parts(name.syntax()).pop());
    match (written, name) {
        (Some(node), Some(name)) => Step::Used(Usage::Assigned, of_target(&node, Some(name), 0)),
        _ => Step::Unknown,
    }
}

fn of_target(node: &SyntaxNode, name: Option<String>, position: usize) -> Vec<ColumnAt> {
    let Some(table) = RelationName::in_node(node) else { return Vec::new() };
    let column = name.map_or(ColumnName::Numbered(position), ColumnName::Named);
    vec![ColumnAt { table, item: start(node), column }]
}

/// A value of a row of VALUES, or of a query's list, that an INSERT takes its rows from.
fn new_value(parent: &SyntaxNode, child: &SyntaxNode) -> Step {
    let at = match parent.kind() {
        SyntaxKind::ROW => position(parent, child),
        _ => parent.parent().and_then(|list| list.children().position(|target| &target == parent)),
    };
    let insert = parent.ancestors().find_map(ast::Insert::cast);
    let (Some(at), Some(insert)) = (at, insert) else { return Step::Unknown };
    let is_source = source_of(&insert).is_some_and(|source| {
        parent.ancestors().find(|node| node.kind() == source.kind()).as_ref() == Some(&source)
    });
    let Some(table) = insert.relation_name_ref().filter(|_| is_source) else {
        return Step::Unknown;
    };
    let name = columns_of(&insert).map(|names| names.get(at).cloned().unwrap_or_default());
    Step::Used(Usage::Inserted, of_target(table.syntax(), name, at))
}

/// The VALUES or the query of an INSERT.
fn source_of(insert: &ast::Insert) -> Option<SyntaxNode> {
    let source = insert.insert_source()?;
    source
        .syntax()
        .descendants()
        .find(|node| ast::Values::can_cast(node.kind()) || ast::Select::can_cast(node.kind()))
}

fn columns_of(insert: &ast::Insert) -> Option<Vec<String>> {
    let targets = insert.column_target_list()?.column_targets();
    let name = |target: ast::ColumnTarget| {
        target.name().and_then(|name| parts(name.syntax()).pop()).unwrap_or_default()
    };
    Some(targets.map(name).collect())
}

fn inserted(insert: &ast::Insert) -> Option<Inserted> {
    let target = insert.relation_name_ref()?;
    let source = source_of(insert);
    let rows = match source {
        Some(source) if ast::Values::can_cast(source.kind()) => {
            let rows = source.children().filter_map(ast::RowList::cast).flat_map(|l| l.rows());
            rows.map(|row| row.exprs().map(|value| new(&value)).collect()).collect()
        }
        Some(source) => {
            let list = source.descendants().find_map(ast::TargetList::cast)?;
            let value = |target: ast::Target| match target.expr() {
                Some(expression) => new(&expression),
                None => InsertedValue::Read,
            };
            vec![list.targets().map(value).collect()]
        }
        None => vec![Vec::new()],
    };
    // DEFAULT VALUES has a list of no columns.
    let columns = columns_of(insert).or_else(|| rows.iter().all(Vec::is_empty).then(Vec::new));
    Some(Inserted {
        table: RelationName::in_node(target.syntax())?,
        item: start(target.syntax()),
        columns,
        rows,
        conflict: insert.on_conflict_clause().map_or(Conflict::Fails, |clause| conflict(&clause)),
    })
}

fn new(expression: &ast::Expr) -> InsertedValue {
    match expression {
        ast::Expr::ParenExpr(inner) => {
            inner.expr().map_or(InsertedValue::Read, |inner| new(&inner))
        }
        ast::Expr::CastExpr(cast) => match (cast.expr(), cast.literal()) {
            (Some(inner), _) => new(&inner),
            (None, Some(literal)) => new(&ast::Expr::Literal(literal)),
            (None, None) => InsertedValue::Made,
        },
        ast::Expr::Literal(literal) => match number_of(literal.syntax()) {
            Some(number) => InsertedValue::Parameter(number),
            None => constant(&literal.syntax().text().to_string()),
        },
        ast::Expr::CallExpr(call) if keeps_values(call) => {
            let argument = call.arg_list().map(|list| list.syntax().clone());
            let argument = argument.and_then(|list| list.descendants().find_map(ast::Expr::cast));
            argument.map_or(InsertedValue::Made, |argument| new(&argument))
        }
        other => match Column::of(other) {
            Some(column) if !column.is_of_new_rows(other.syntax()) => InsertedValue::Read,
            _ => InsertedValue::Made,
        },
    }
}

fn constant(text: &str) -> InsertedValue {
    match text.to_ascii_lowercase().as_str() {
        "default" => InsertedValue::Default,
        "null" => InsertedValue::Constant(None),
        _ => {
            let inner = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            let text = inner.map_or_else(|| text.to_owned(), |inner| inner.replace("''", "'"));
            InsertedValue::Constant(Some(text))
        }
    }
}

fn conflict(clause: &ast::OnConflictClause) -> Conflict {
    match clause.conflict_target() {
        Some(ast::ConflictTarget::ConflictOnConstraint(target)) => {
            Conflict::Constraint(parts(target.syntax()).pop().unwrap_or_default())
        }
        Some(ast::ConflictTarget::ConflictOnIndex(target)) => {
            let items = target.conflict_index_item_list().into_iter();
            let items = items.flat_map(|list| list.conflict_index_items());
            let name = |item: ast::ConflictIndexItem| parts(item.syntax()).join("");
            Conflict::Columns(items.map(name).collect())
        }
        None => Conflict::Any,
    }
}
