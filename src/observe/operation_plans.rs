//! The plans of the statements that the application sends: whether it finds its rows after the
//! change as it found them before.
//!
//! Generic ones, which a prepared statement gets from its sixth execution on: no value is needed,
//! and both sides are planned alike.

use std::sync::Arc;

use crate::history::{Event, OperationPlan, ServerError};
use crate::pg::SqlState;
use crate::scenario::{On, OperationSpec, OperationStatement, Scenario};

use super::plans::Plan;

/// A statement with what has to be sent for its plan.
pub(super) struct ExplainedStatement {
    operation: u16,
    statement: u16,
    pub sql: String,
}

impl ExplainedStatement {
    pub fn plan(&self, plan: Plan) -> Event {
        let (operation, statement) = (self.operation, self.statement);
        let Plan { cost, nodes } = plan;
        Event::OperationPlan(OperationPlan { operation, statement, cost, nodes }.into())
    }
}

/// Of the operations on the primary.
pub(super) fn explained(scenario: &Scenario) -> Arc<[ExplainedStatement]> {
    let operations = (0..).zip(&scenario.traffic.operations);
    let operations = operations.filter(|(_, operation)| operation.on == On::Primary);
    let statements = |(operation, spec): (u16, &OperationSpec)| {
        let of = |(statement, sent): (u16, &OperationStatement)| ExplainedStatement {
            operation,
            statement,
            sql: explain(sent),
        };
        (0..).zip(&spec.statements).map(of).collect::<Vec<_>>()
    };
    operations.flat_map(statements).collect()
}

/// Whether what stopped one would stop the others: a lock that is not granted, or no session.
pub(super) fn gives_up(error: &ServerError) -> bool {
    error.sqlstate.as_ref().is_none_or(|state| {
        [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED].contains(&state.code())
    })
}

/// The line break ends a comment with which the statement may end.
fn explain(statement: &OperationStatement) -> String {
    let arguments = match statement.placeholders.len() {
        0 => String::new(),
        n => format!("({})", vec!["NULL"; n].join(", ")),
    };
    let sent = statement.sql.trim().trim_end_matches(';');
    format!(
        "DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan; PREPARE operation AS {sent}\n; \
         EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE operation{arguments}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_explained_without_a_value() {
        let placeholders = vec!["a".to_owned(), "b".to_owned()];
        let sql = "SELECT 1 WHERE $1 < $2; -- end".to_owned();
        let text = explain(&OperationStatement { sql, placeholders, place: None });
        assert!(text.contains("-- end\n; EXPLAIN"), "{text}");
        assert!(text.ends_with("EXECUTE operation(NULL, NULL)"), "{text}");
    }
}
