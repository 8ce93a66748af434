//! What the earlier migrations of a tool make, as one script.

use std::path::PathBuf;

use crate::pg::syntax::{self, Kind};
use crate::run::Base;
use crate::scenario::{Migration, Statement, Tool};

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
    let path = PathBuf::from(format!("the earlier migrations of {tool}"));
    Base::Script { path, text }
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
