//! Which rules of the linter are asked, and of what each warns.

use squawk_linter::{Linter, Rule, Violation};

use crate::pg::syntax;

/// A rule that a statement breaks.
pub struct Broken {
    pub rule: String,
    pub message: String,
    pub help: Option<String>,
    pub concern: Concern,
    /// Which of the statements.
    pub at: usize,
}

/// What a rule warns of, and so what confirms it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The application waits for its lock.
    Lock,
    /// The application, as it was before the change, fails after it.
    Compatibility,
    /// The server refuses it.
    Refusal,
    /// Nothing limits how long it waits.
    Timeout,
}

/// None: a matter of style, or one that nothing here measures.
fn concern(rule: Rule) -> Option<Concern> {
    match rule {
        Rule::RequireConcurrentIndexCreation
        | Rule::RequireConcurrentIndexDeletion
        | Rule::RequireConcurrentPartitionDetach
        | Rule::RequireConcurrentReindex
        | Rule::ConstraintMissingNotValid
        | Rule::AddingFieldWithDefault
        | Rule::AddingForeignKeyConstraint
        | Rule::AddingNotNullableField
        | Rule::AddingSerialPrimaryKeyField
        | Rule::ChangingColumnType
        | Rule::DisallowedUniqueConstraint
        | Rule::PreferRepack => Some(Concern::Lock),
        Rule::RenamingColumn
        | Rule::RenamingTable
        | Rule::RenamingObject
        | Rule::AddingRequiredField
        | Rule::BanDropColumn
        | Rule::BanDropTable
        | Rule::BanDropNotNull
        | Rule::BanDropView
        | Rule::BanDropFunction
        | Rule::BanDropType
        | Rule::BanDropDefault
        | Rule::BanDropSchema
        | Rule::BanDropSequence
        | Rule::BanDropDomain
        | Rule::BanSetSchema => Some(Concern::Compatibility),
        Rule::BanConcurrentIndexCreationInTransaction | Rule::TransactionNesting => {
            Some(Concern::Refusal)
        }
        Rule::RequireLockTimeout => Some(Concern::Timeout),
        _ => None,
    }
}

/// What the linter finds in these statements, as one script. A text that it cannot parse is left
/// out.
pub fn broken(statements: &[&str]) -> Vec<Broken> {
    let mut script = String::new();
    let mut begins = Vec::new();
    for (at, statement) in statements.iter().enumerate() {
        if syntax::errors(statement).is_empty() {
            begins.push((script.len(), at));
            script.push_str(statement.trim_end().trim_end_matches(';'));
            script.push_str(";\n");
        }
    }
    let found =
        syntax::with_parse(&script, |parse| Linter::with_default_rules().lint(parse, &script));
    let place = |violation: &Violation| {
        let offset = usize::from(violation.text_range.start());
        let next = begins.partition_point(|(begin, _)| *begin <= offset);
        begins.get(next.checked_sub(1)?).map(|(_, at)| *at)
    };
    let broken = found.unwrap_or_default().into_iter().filter_map(|violation| {
        let (concern, at) = (concern(violation.code)?, place(&violation)?);
        let rule = violation.code.to_string();
        Some(Broken { rule, message: violation.message, help: violation.help, concern, at })
    });
    let mut broken: Vec<Broken> = broken.collect();
    broken.sort_by_key(|broken| broken.at);
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(statements: &[&str]) -> Vec<(usize, String)> {
        broken(statements).into_iter().map(|broken| (broken.at, broken.rule)).collect()
    }

    #[test]
    fn a_rule_is_broken_by_the_statement_that_breaks_it() {
        let statements =
            ["SET lock_timeout = '1s'", "SELECT 1", "CREATE INDEX i ON t (a)", "not sql at all"];
        let wanted = vec![(2, "require-concurrent-index-creation".to_owned())];
        assert_eq!(found(&statements), wanted);
    }

    #[test]
    fn style_is_not_asked() {
        assert_eq!(found(&["SET lock_timeout = '1s'", "CREATE TABLE t (a int, b char(3))"]), []);
    }

    #[test]
    fn a_table_of_the_same_transaction_is_in_nobodys_way() {
        let limit = "SET lock_timeout = '1s'";
        let index = "CREATE INDEX i ON t (a)";
        let made = found(&[limit, "BEGIN", "CREATE TABLE t (a int)", index, "COMMIT"]);
        let known = found(&[limit, "BEGIN", index, "COMMIT"]);
        let is_index = |of: &&(usize, String)| of.1 == "require-concurrent-index-creation";
        assert_eq!((made.iter().find(is_index), known.iter().filter(is_index).count()), (None, 1));
    }

    #[test]
    fn what_would_crash_the_linter_says_nothing() {
        assert_eq!(found(&["", ";", "'", "ALTER TABLE"]), []);
    }
}
