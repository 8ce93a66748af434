//! An expression of the catalogue as a tree: what a CHECK, a predicate or a default says.
//!
//! Only as much as it takes to see which values would satisfy it. The text is `pg_get_expr`'s, in
//! which IN, BETWEEN and LIKE are written out as `= ANY`, `AND` and `~~`.

use squawk_syntax::ast::{self, AstNode, LitKind, SourceFile};

use super::syntax;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A column's name, or `value` of a domain.
    Column(String),
    /// A constant's text, without quotes; None: NULL.
    Constant(Option<String>),
    /// `ARRAY[…]`, a row or a list.
    List(Vec<Expression>),
    /// An operator before its operand: `NOT`, `-`.
    Prefix(String, Box<Expression>),
    /// An operator in capitals between its operands: `AND`, `<=`, `~~`, `IS NOT`.
    Binary(Box<Expression>, String, Box<Expression>),
    /// A function's name in lower case, without its schema, and its arguments.
    Call(String, Vec<Expression>),
    /// Conditions with their results, and the result of ELSE.
    Case(Vec<(Expression, Expression)>, Option<Box<Expression>>),
    /// Something else, with the expressions in it.
    Other(Vec<Expression>),
}

impl Expression {
    /// Reads an expression; None: it does not parse.
    pub fn read(text: &str) -> Option<Expression> {
        syntax::with_tree(&format!("SELECT {text}"), |tree| {
            tree.syntax().descendants().find_map(ast::Expr::cast).map(|top| of(&top))
        })
        .flatten()
    }

    /// What it says of a column by an equation: the column, and what it is equal to as SQL.
    pub fn equations(text: &str) -> Vec<(String, String)> {
        let read = |tree: &SourceFile| {
            let nodes = tree.syntax().descendants().filter_map(ast::BinExpr::cast);
            nodes.filter_map(|binary| equation(&binary)).collect()
        };
        syntax::with_tree(&format!("SELECT {text}"), read).unwrap_or_default()
    }

    /// Every constant in it that is not NULL, in their order.
    pub fn constants(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.visit(&mut |part| {
            if let Expression::Constant(Some(text)) = part {
                found.push(text.as_str());
            }
        });
        found
    }

    /// Every column that it names, in their order, each once.
    pub fn columns(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        self.visit(&mut |part| {
            if let Expression::Column(name) = part
                && !found.contains(&name.as_str())
            {
                found.push(name);
            }
        });
        found
    }

    /// Columns that it asks more of than whether they are NULL, or whether they are another column.
    pub fn columns_by_value(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.by_value(&mut found);
        found
    }

    fn by_value<'e>(&'e self, found: &mut Vec<&'e str>) {
        let is_column = |part: &Expression| matches!(part, Expression::Column(_));
        match self {
            Expression::Column(name) => found.push(name),
            Expression::Constant(_) => {}
            Expression::Binary(left, operator, right) => {
                let null_asked = operator.starts_with("IS")
                    && **right == Expression::Constant(None)
                    && is_column(left);
                let differ = matches!(operator.as_str(), "=" | "<>" | "!=")
                    && is_column(left)
                    && is_column(right);
                if !null_asked && !differ {
                    left.by_value(found);
                    right.by_value(found);
                }
            }
            Expression::Call(name, parts) if matches!(&**name, "num_nulls" | "num_nonnulls") => {
                parts.iter().filter(|part| !is_column(part)).for_each(|part| part.by_value(found));
            }
            Expression::List(parts) | Expression::Call(_, parts) | Expression::Other(parts) => {
                parts.iter().for_each(|part| part.by_value(found));
            }
            Expression::Prefix(_, part) => part.by_value(found),
            Expression::Case(branches, otherwise) => {
                for (condition, result) in branches {
                    condition.by_value(found);
                    result.by_value(found);
                }
                otherwise.iter().for_each(|part| part.by_value(found));
            }
        }
    }

    /// Pairs of columns that it compares.
    pub fn compared_columns(&self) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        self.visit(&mut |part| {
            if let Expression::Binary(left, _, right) = part
                && let (Expression::Column(left), Expression::Column(right)) = (&**left, &**right)
            {
                found.push((left.as_str(), right.as_str()));
            }
        });
        found
    }

    fn visit<'e>(&'e self, see: &mut impl FnMut(&'e Expression)) {
        see(self);
        match self {
            Expression::Column(_) | Expression::Constant(_) => {}
            Expression::List(parts) | Expression::Call(_, parts) | Expression::Other(parts) => {
                parts.iter().for_each(|part| part.visit(see));
            }
            Expression::Prefix(_, part) => part.visit(see),
            Expression::Binary(left, _, right) => {
                left.visit(see);
                right.visit(see);
            }
            Expression::Case(branches, otherwise) => {
                for (condition, result) in branches {
                    condition.visit(see);
                    result.visit(see);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.visit(see);
                }
            }
        }
    }
}

fn of(node: &ast::Expr) -> Expression {
    match node {
        ast::Expr::ParenExpr(inner) => match inner.expr() {
            Some(inner) => of(&inner),
            None => other(inner),
        },
        // A type changes how a value is compared, not which one is meant.
        ast::Expr::CastExpr(cast) => match (cast.expr(), cast.literal()) {
            (Some(inner), _) => of(&inner),
            (None, Some(literal)) => constant(&literal),
            (None, None) => other(cast),
        },
        ast::Expr::Collate(collate) => match collate.expr() {
            Some(inner) => of(&inner),
            None => other(collate),
        },
        ast::Expr::Literal(literal) => constant(literal),
        ast::Expr::NameRef(name) => named(&text_of(name)),
        ast::Expr::ArrayExpr(array) => list(array.exprs()),
        ast::Expr::TupleExpr(tuple) => list(tuple.exprs()),
        ast::Expr::PrefixExpr(prefix) => match prefix.expr().map(|inner| of(&inner)) {
            Some(inner) => prefixed(&text_of(prefix), inner),
            None => other(prefix),
        },
        ast::Expr::BinExpr(binary) => of_binary(binary),
        ast::Expr::PostfixExpr(postfix) => match postfix.expr() {
            Some(inner) => Expression::Call("postfix".to_owned(), vec![of(&inner)]),
            None => other(postfix),
        },
        ast::Expr::CallExpr(call) => of_call(call),
        ast::Expr::CaseExpr(case) => of_case(case),
        something => other(something),
    }
}

/// `CURRENT_DATE` and its like look like names, and are functions.
fn named(text: &str) -> Expression {
    let name = identifier(text);
    match name.starts_with("current_") || name.starts_with("localtime") {
        true if !text.starts_with('"') => Expression::Call(name, Vec::new()),
        _ => Expression::Column(name),
    }
}

fn list(parts: impl Iterator<Item = ast::Expr>) -> Expression {
    Expression::List(parts.map(|part| of(&part)).collect())
}

fn other(node: &impl AstNode) -> Expression {
    Expression::Other(inside(node))
}

/// The outermost expressions within a node.
fn inside(node: &impl AstNode) -> Vec<Expression> {
    let mut found = Vec::new();
    let mut left: Vec<_> = node.syntax().children().collect();
    left.reverse();
    while let Some(child) = left.pop() {
        match ast::Expr::cast(child.clone()) {
            Some(expression) => found.push(of(&expression)),
            None => {
                let mut children: Vec<_> = child.children().collect();
                children.reverse();
                left.extend(children);
            }
        }
    }
    found
}

fn text_of(node: &impl AstNode) -> String {
    node.syntax().text().to_string()
}

fn prefixed(text: &str, inner: Expression) -> Expression {
    let minus = text.trim_start().starts_with('-');
    match inner {
        Expression::Constant(Some(number)) if minus => {
            Expression::Constant(Some(format!("-{number}")))
        }
        inner => {
            let not = text.trim_start().to_ascii_uppercase().starts_with("NOT");
            let operator = if not { "NOT" } else { text.get(..1).unwrap_or_default() };
            Expression::Prefix(operator.to_owned(), Box::new(inner))
        }
    }
}

fn of_binary(binary: &ast::BinExpr) -> Expression {
    let (Some(left), Some(right)) = (binary.lhs(), binary.rhs()) else { return other(binary) };
    // What is between the operands is the operator, whatever it is made of.
    let whole = binary.syntax().text_range().start();
    let between = (left.syntax().text_range().end(), right.syntax().text_range().start());
    let text = text_of(binary);
    let (from, to) = (usize::from(between.0 - whole), usize::from(between.1 - whole));
    let operator = text.get(from..to).unwrap_or_default().to_ascii_uppercase();
    let mut operator = operator.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(named) = operator.strip_prefix("OPERATOR(") {
        let named = named.trim_end_matches(')');
        operator = named.rsplit('.').next().unwrap_or(named).to_owned();
    }
    Expression::Binary(Box::new(of(&left)), operator, Box::new(of(&right)))
}

fn equation(binary: &ast::BinExpr) -> Option<(String, String)> {
    let (left, right) = (binary.lhs()?, binary.rhs()?);
    let Expression::Binary(l, operator, r) = of_binary(binary) else { return None };
    let made = |expression: &Expression| !expression.columns().is_empty();
    match (operator.as_str(), *l, *r) {
        ("=", Expression::Column(column), other) if made(&other) => Some((column, text_of(&right))),
        ("=", other, Expression::Column(column)) if made(&other) => Some((column, text_of(&left))),
        _ => None,
    }
}

fn of_call(call: &ast::CallExpr) -> Expression {
    let name = match call.expr() {
        Some(name) => text_of(&name),
        None => {
            let text = text_of(call);
            text.split('(').next().unwrap_or_default().trim().to_owned()
        }
    };
    let name = identifier(name.rsplit('.').next().unwrap_or(&name));
    let arguments = match call.arg_list() {
        Some(arguments) => inside(&arguments),
        None => inside(call),
    };
    Expression::Call(name.to_ascii_lowercase(), arguments)
}

fn of_case(case: &ast::CaseExpr) -> Expression {
    let clauses = case.when_clause_list().map(|list| list.when_clauses().collect::<Vec<_>>());
    let of_what = case.expr().map(|subject| of(&subject));
    let pairs = clauses.unwrap_or_default().into_iter().filter_map(|clause| {
        let mut parts = inside(&clause).into_iter();
        let (condition, result) = (parts.next()?, parts.next()?);
        let condition = match &of_what {
            Some(subject) => {
                let (subject, value) = (Box::new(subject.clone()), Box::new(condition));
                Expression::Binary(subject, "=".to_owned(), value)
            }
            None => condition,
        };
        Some((condition, result))
    });
    let otherwise = case.else_clause().and_then(|clause| clause.expr());
    Expression::Case(pairs.collect(), otherwise.map(|inner| Box::new(of(&inner))))
}

fn constant(literal: &ast::Literal) -> Expression {
    let text = text_of(literal);
    Expression::Constant(match literal.kind() {
        Some(LitKind::Null(_)) => None,
        Some(LitKind::True(_)) => Some("true".to_owned()),
        Some(LitKind::False(_)) => Some("false".to_owned()),
        Some(LitKind::EscString(_)) => Some(unescaped(&text)),
        _ => Some(unquoted(&text)),
    })
}

fn unquoted(text: &str) -> String {
    match text.find('\'') {
        Some(start) => {
            let inner = text.get(start + 1..text.len().saturating_sub(1)).unwrap_or_default();
            inner.replace("''", "'")
        }
        None => text.to_owned(),
    }
}

/// `pg_get_expr` writes E'…' only for backslashes.
fn unescaped(text: &str) -> String {
    unquoted(text).replace("\\\\", "\\")
}

fn identifier(text: &str) -> String {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(
        "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
        "Binary(Column(\"status\"), \"=\", Call(\"any\", [List([Constant(Some(\"a\")), \
         Constant(Some(\"b\"))])]))"
    )]
    #[case("(t > (- (5)))", "Binary(Column(\"t\"), \">\", Constant(Some(\"-5\")))")]
    #[case(
        "(temperature > '-40'::integer)",
        "Binary(Column(\"temperature\"), \">\", Constant(Some(\"-40\")))"
    )]
    #[case("(code IS NOT NULL)", "Binary(Column(\"code\"), \"IS NOT\", Constant(None))")]
    #[case(
        "(a OPERATOR(public.~~) '%@%'::public.citext)",
        "Binary(Column(\"a\"), \"~~\", Constant(Some(\"%@%\")))"
    )]
    #[case("(name = E'a\\\\b')", "Binary(Column(\"name\"), \"=\", Constant(Some(\"a\\\\b\")))")]
    #[case("(NOT \"Active\")", "Prefix(\"NOT\", Column(\"Active\"))")]
    #[case("(born < CURRENT_DATE)", "Binary(Column(\"born\"), \"<\", Call(\"current_date\", []))")]
    #[case(
        "CASE WHEN (k = 'x'::text) THEN (a IS NULL) ELSE true END",
        "Case([(Binary(Column(\"k\"), \"=\", Constant(Some(\"x\"))), Binary(Column(\"a\"), \"IS\", \
         Constant(None)))], Some(Constant(Some(\"true\"))))"
    )]
    #[case("public.is_ok(name, 3)", "Call(\"is_ok\", [Column(\"name\"), Constant(Some(\"3\"))])")]
    fn an_expression_is_read_as_the_catalogue_prints_it(#[case] text: &str, #[case] tree: &str) {
        let read = Expression::read(text).map(|read| format!("{read:?}"));
        assert_eq!(read.as_deref(), Some(tree));
    }

    #[test]
    fn what_does_not_parse_has_no_tree() {
        assert_eq!(Expression::read("(a >"), None);
    }
}
