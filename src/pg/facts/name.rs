//! Names of relations as statements write them.

use std::fmt;

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode, SyntaxToken};

/// A relation's name as Postgres stores it: folded to lower case unless it is quoted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationName {
    /// None: the search path decides.
    pub schema: Option<String>,
    /// The relation's own name, without its schema.
    pub name: String,
}

impl RelationName {
    /// Of a name as configuration writes it: `orders`, `public.orders`.
    pub fn of(name: &str) -> RelationName {
        match name.rsplit_once('.') {
            Some((schema, name)) => {
                RelationName { schema: Some(schema.to_owned()), name: name.to_owned() }
            }
            None => RelationName { schema: None, name: name.to_owned() },
        }
    }

    /// Of a name as the catalogue quotes it: `public."Orders"`.
    pub fn unquoted(quoted: &str) -> RelationName {
        let mut parts = vec![String::new()];
        let (mut inside, mut chars) = (false, quoted.chars().peekable());
        while let Some(c) = chars.next() {
            let mut push = |c| parts.last_mut().into_iter().for_each(|part| part.push(c));
            match c {
                '"' if inside && chars.peek() == Some(&'"') => {
                    chars.next();
                    push('"');
                }
                '"' => inside = !inside,
                '.' if !inside => parts.push(String::new()),
                c => push(c),
            }
        }
        let name = parts.pop().unwrap_or_default();
        RelationName { schema: parts.pop(), name }
    }

    /// Whether both may be one relation: without a schema, the search path may find any.
    pub fn may_be(&self, other: &RelationName) -> bool {
        let schemas = self.schema.as_ref().zip(other.schema.as_ref());
        self.name == other.name && schemas.is_none_or(|(one, another)| one == another)
    }

    /// Whether two names as configuration writes them may be one relation.
    pub fn same(one: &str, other: &str) -> bool {
        RelationName::of(one).may_be(&RelationName::of(other))
    }

    /// The first name below the node.
    pub(super) fn in_node(node: &SyntaxNode) -> Option<RelationName> {
        let is_path = |n: &SyntaxNode| matches!(n.kind(), SyntaxKind::PATH | SyntaxKind::PATH_REF);
        let path = node.descendants().find(is_path);
        let mut parts = parts(path.as_ref().unwrap_or(node));
        let name = parts.pop()?;
        Some(RelationName { schema: parts.pop(), name })
    }

    pub(super) fn of_node<N: AstNode>(node: Option<N>) -> Option<RelationName> {
        RelationName::in_node(node?.syntax())
    }

    /// `t` of `t.c`, `s.t` of `s.t.c`.
    pub(super) fn of_column(node: &ast::QualifiedColumnNameRef) -> Option<RelationName> {
        let mut parts = parts(node.syntax());
        parts.pop()?;
        let name = parts.pop()?;
        Some(RelationName { schema: parts.pop(), name })
    }
}

impl fmt::Display for RelationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The words below the node, without the dots between them.
pub(super) fn parts(node: &SyntaxNode) -> Vec<String> {
    let tokens = node.descendants_with_tokens().filter_map(|element| element.into_token());
    let is_word = |token: &SyntaxToken| {
        !matches!(token.kind(), SyntaxKind::DOT | SyntaxKind::WHITESPACE | SyntaxKind::COMMENT)
    };
    tokens.filter(is_word).map(|token| identifier(token.text())).collect()
}

/// An identifier as Postgres stores it.
pub(super) fn identifier(text: &str) -> String {
    let unprefixed = text.strip_prefix(['u', 'U']).and_then(|rest| rest.strip_prefix('&'));
    let text = unprefixed.unwrap_or(text);
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_no_part_of_a_name() {
        let name = |schema: &str, name: &str| RelationName {
            schema: Some(schema.to_owned()),
            name: name.to_owned(),
        };
        assert_eq!(RelationName::unquoted("public.orders"), name("public", "orders"));
        assert_eq!(RelationName::unquoted("app.\"Or.d\"\"ers\""), name("app", "Or.d\"ers"));
    }
}
