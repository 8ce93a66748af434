//! What the earlier migrations of a tool make, as one script.

use std::path::PathBuf;

use crate::pg::syntax::{self, Kind};
use crate::run::Base;
use crate::scenario::{Migration, Statement, Tool};

/// Migrations that are named in one line.
const NAMED_MAX: usize = 4;

/// Earlier migrations as one script, each in the transaction that its tool gives it.
pub fn earlier(tool: Tool, migrations: &[Migration]) -> Base {
    let mut text = String::new();
    for migration in migrations {
        text.push_str(&format!("-- {}\n", migration.script.path.display()));
        let statements = &migration.script.statements;
        let begins = statements.first().and_then(|first| opens_transaction(&first.text));
        let mut open = migration.transaction.unwrap_or(true) && begins.is_none();
        if open {
            text.push_str("BEGIN;\n");
        }
        for statement in statements {
            text.push_str(&terminated(statement));
            open = opens_transaction(&statement.text).unwrap_or(open);
        }
        if open {
            text.push_str("COMMIT;\n");
        }
    }
    let mut name = match tool {
        Tool::Plain => "the files before it".to_owned(),
        tool => format!("the earlier migrations of {tool}"),
    };
    name.extend(taken_to_hold(migrations).map(|taken| format!(" ({taken})")));
    Base::Script { path: PathBuf::from(name), text }
}

/// Whose preconditions nobody asks: the earlier migrations are a script. None: no one has any.
pub fn taken_to_hold(migrations: &[Migration]) -> Option<String> {
    let asking = migrations.iter().filter(|migration| migration.precondition.is_some());
    let versions: Vec<&str> = asking.map(|migration| migration.version.as_str()).collect();
    let named = versions.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    let more = match versions.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!versions.is_empty()).then(|| format!("preconditions taken to hold: {named}{more}"))
}

/// A statement as a line of a script.
pub fn terminated(statement: &Statement) -> String {
    format!("{};\n", statement.text.trim_end().trim_end_matches(';'))
}

/// Whether a transaction is open after a statement that begins or ends one; None: it does neither.
fn opens_transaction(sql: &str) -> Option<bool> {
    match syntax::kind(sql) {
        Kind::Begin => Some(true),
        Kind::Commit | Kind::Rollback => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{self, Statement};

    /// With a statement per line.
    fn migration(version: &str, sql: &str, transaction: Option<bool>) -> Migration {
        let script = scenario::Script {
            path: format!("{version}.sql").into(),
            statements: sql.lines().map(|sql| Statement::new(sql, 1)).collect(),
        };
        Migration::new(version.to_owned(), script, transaction)
    }

    #[test]
    fn earlier_migrations_that_leave_a_transaction_end_the_one_that_they_enter() {
        let migrations = [
            migration("1", "SELECT 1\nCOMMIT\nVACUUM\nBEGIN\nSELECT 2", Some(true)),
            migration("2", "BEGIN\nSELECT 3\nCOMMIT", Some(false)),
        ];
        let Base::Script { text, .. } = earlier(Tool::Supabase, &migrations) else {
            unreachable!()
        };
        assert_eq!(
            text,
            "-- 1.sql\nBEGIN;\nSELECT 1;\nCOMMIT;\nVACUUM;\nBEGIN;\nSELECT 2;\nCOMMIT;\n\
             -- 2.sql\nBEGIN;\nSELECT 3;\nCOMMIT;\n"
        );
    }

    #[test]
    fn preconditions_that_nobody_asks_are_named() {
        let asking = |version: &str| Migration {
            precondition: Some(Default::default()),
            ..migration(version, "SELECT 1", None)
        };
        let versions = ["a.sql::1::me", "a.sql::2::me", "3", "4", "5"];
        let all: Vec<Migration> = versions.into_iter().map(asking).collect();
        let taken = taken_to_hold(&all[..2]).expect("two of them ask");
        assert_eq!(taken, "preconditions taken to hold: a.sql::1::me, a.sql::2::me");
        assert!(taken_to_hold(&all).expect("five of them ask").ends_with(", 4 and 1 more"));
        let name = earlier(Tool::Liquibase, &all[..1]).name();
        assert!(name.contains("of liquibase (preconditions taken to hold: a.sql"), "{name}");
        assert_eq!(taken_to_hold(&[migration("1", "SELECT 1", None)]), None);
    }

    #[test]
    fn earlier_migrations_are_each_in_their_transaction() {
        let migrations = [
            migration("1", "CREATE TABLE t (a int)", None),
            migration("2", "CREATE INDEX CONCURRENTLY i ON t (a);", Some(false)),
        ];
        let Base::Script { text, .. } = earlier(Tool::Sqlx, &migrations) else { unreachable!() };
        assert_eq!(
            text,
            "-- 1.sql\nBEGIN;\nCREATE TABLE t (a int);\nCOMMIT;\n\
             -- 2.sql\nCREATE INDEX CONCURRENTLY i ON t (a);\n"
        );
    }
}
