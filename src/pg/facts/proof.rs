//! Which CHECK spares a statement its scan. The server takes a valid one that says that a column is
//! not NULL for a proof for SET NOT NULL, one that says that rows lie within the bounds for a proof
//! for ATTACH PARTITION, and reads no row.

use squawk_syntax::ast::{self, AlterTableAction, AstNode, Stmt};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::pg::syntax;

/// What a statement on one table does to constraints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It adds a CHECK by which columns are not NULL.
    Added {
        /// Its name; of one that has none yet, its expression.
        constraint: String,
        /// The columns; none: it says that of no column.
        columns: Vec<String>,
        /// Every word of its expression, names of columns among them.
        words: Vec<String>,
        /// Whether it holds for the rows that are there.
        valid: bool,
    },
    /// It validates a constraint.
    Validated(String),
    /// It drops one.
    Dropped(String),
    /// SET NOT NULL of a column.
    Needed(String),
}

/// What a text that alters tables does to proofs, in its order. Text that does not parse: nothing.
pub fn proofs(text: &str) -> Vec<Proof> {
    let of_tree = |tree: &ast::SourceFile| {
        let altered = tree.stmts().filter_map(|statement| match statement {
            Stmt::AlterTable(alter) => Some(alter),
            _ => None,
        });
        altered
            .flat_map(|alter| alter.actions().filter_map(|a| of(&a)).collect::<Vec<_>>())
            .collect()
    };
    syntax::with_tree(text, of_tree).unwrap_or_default()
}

/// What a CHECK of this name and definition, as the server writes it, proves. None: it is no CHECK.
pub fn proof_of(constraint: &str, definition: &str) -> Option<Proof> {
    let name = constraint.replace('"', "\"\"");
    let text = format!("ALTER TABLE t ADD CONSTRAINT \"{name}\" {definition}");
    proofs(&text).into_iter().find(|proof| matches!(proof, Proof::Added { .. }))
}

/// Names of columns, and whatever else stands, in a partition key as the server writes it:
/// `RANGE (visited_on)`.
pub fn words_of_key(key: &str) -> Vec<String> {
    let within = key.split_once('(').map_or("", |(_, rest)| rest);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    within.split(|c| !is_word(c)).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

fn of(action: &AlterTableAction) -> Option<Proof> {
    match action {
        AlterTableAction::AddConstraint(add) => {
            let constraint = add.constraint()?;
            let ast::Constraint::CheckConstraint(_) = constraint else { return None };
            let words = words(constraint.syntax());
            let begins = words.iter().position(|word| word == "check")?;
            let columns = not_null(&words[begins + 1..]);
            // What stands before CHECK is CONSTRAINT and its name; without one the server gives it
            // one, which is not known: its expression stands for it.
            let given = words[..begins].last().cloned();
            let valid = !constraint.is_not_valid();
            let words = words[begins + 1..].to_vec();
            let constraint_name = given.unwrap_or_else(|| words.join(" "));
            Some(Proof::Added { constraint: constraint_name, columns, words, valid })
        }
        AlterTableAction::ValidateConstraint(validate) => {
            Some(Proof::Validated(words(validate.syntax()).pop()?))
        }
        AlterTableAction::DropConstraint(drop) => {
            let words = words(drop.syntax());
            let behaves = |word: &&String| !matches!(word.as_str(), "cascade" | "restrict");
            Some(Proof::Dropped(words.iter().rev().find(behaves)?.clone()))
        }
        AlterTableAction::AlterColumn(alter) => match alter.option()? {
            ast::AlterColumnOption::SetNotNull(_) => {
                let words = words(alter.syntax());
                let set = words.iter().position(|word| word == "set")?;
                Some(Proof::Needed(words[..set].last()?.clone()))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Its tokens as the server reads names: in lower case, or as they are quoted.
fn words(node: &SyntaxNode) -> Vec<String> {
    let tokens = node.descendants_with_tokens().filter_map(|part| part.into_token());
    let words = tokens.filter_map(|token| match token.kind() {
        SyntaxKind::WHITESPACE | SyntaxKind::COMMENT => None,
        _ => {
            let text = token.text();
            let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            Some(quoted.map_or_else(|| text.to_lowercase(), |name| name.replace("\"\"", "\"")))
        }
    });
    words.collect()
}

/// Columns of conjuncts that are `column IS NOT NULL` alone. OR proves nothing of either side.
fn not_null(words: &[String]) -> Vec<String> {
    if words.iter().any(|word| word == "or") {
        return Vec::new();
    }
    let bare: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !matches!(*word, "(" | ")")).collect();
    let conjuncts = bare.split(|word| *word == "and");
    let is_checked = |conjunct: &[&str]| match conjunct {
        [column, "is", "not", "null"] | [column, "is", "not", "null", "not", "valid"] => {
            Some((*column).to_owned())
        }
        _ => None,
    };
    conjuncts.filter_map(is_checked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_proves_that_columns_are_not_null_only_where_it_says_so_of_each_alone() {
        let cases: [(&str, &[&str]); 7] = [
            ("CHECK ((note IS NOT NULL))", &["note"]),
            ("CHECK (\"Note\" IS NOT NULL) NOT VALID", &["Note"]),
            ("CHECK (((a IS NOT NULL) AND (b > 0) AND (c IS NOT NULL)))", &["a", "c"]),
            ("CHECK (a IS NOT NULL OR b IS NOT NULL)", &[]),
            ("CHECK (NOT (a IS NOT NULL))", &[]),
            ("CHECK (a IS NULL)", &[]),
            ("CHECK (a + 1 IS NOT NULL)", &[]),
        ];
        for (definition, expected) in cases {
            let Some(Proof::Added { constraint, columns, .. }) = proof_of("C", definition) else {
                panic!("{definition} is a CHECK");
            };
            assert_eq!(constraint, "C");
            assert_eq!(columns, expected, "{definition}");
        }
    }

    #[test]
    fn what_a_statement_does_to_a_proof_is_known() {
        let words = ["(", "a", "is", "not", "null", ")", "not", "valid"].map(String::from).to_vec();
        let columns = vec!["a".into()];
        let added = Proof::Added { constraint: "c".into(), columns, words, valid: false };
        let text = "ALTER TABLE t ADD CONSTRAINT c CHECK (A IS NOT NULL) NOT VALID";
        assert_eq!(proofs(text), [added]);
        assert_eq!(proofs("ALTER TABLE t VALIDATE CONSTRAINT c"), [Proof::Validated("c".into())]);
        let text = "ALTER TABLE t ALTER COLUMN a SET NOT NULL, DROP CONSTRAINT IF EXISTS c CASCADE";
        assert_eq!(proofs(text), [Proof::Needed("a".into()), Proof::Dropped("c".into())]);
        assert_eq!(proofs("ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)"), []);
        assert_eq!(proof_of("c", "UNIQUE (a)"), None);
        assert_eq!(words_of_key("RANGE (\"At\", lower(b))"), ["At", "lower", "b"]);
    }
}
