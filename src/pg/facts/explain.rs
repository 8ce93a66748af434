//! What EXPLAIN does with the statement in it.

use squawk_syntax::ast::{self, AstNode};

/// Whether EXPLAIN runs the statement: `EXPLAIN ANALYZE …`, `EXPLAIN (ANALYZE) …`.
pub(super) fn explain_runs(explain: &ast::Explain) -> bool {
    match explain.explain_mode() {
        Some(ast::ExplainMode::ExplainAnalyze(_)) => true,
        Some(ast::ExplainMode::ExplainOptionList(list)) => list.explain_options().any(|option| {
            let text = option.syntax().text().to_string().to_ascii_lowercase();
            let mut words = text.split(|c: char| c.is_whitespace() || c == '\'');
            let analyzes = matches!(words.next(), Some("analyze" | "analyse"));
            analyzes && !words.any(|value| matches!(value, "off" | "false" | "0" | "no"))
        }),
        _ => false,
    }
}
