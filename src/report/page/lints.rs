//! What a linter says of the statements, and what the trials show of each of its findings.

use crate::pg::lex::one_line;
use crate::report::trial::sent_from;
use crate::result::{ChangeAssessment, Lint, LintStanding, ResultFile};

use super::html::{cut, table, text};

/// Characters of a statement.
const STATEMENT_MAX: usize = 80;

/// A table per change of which it says something; what is confirmed comes first.
pub fn lints(result: &ResultFile) -> String {
    let changes: Vec<&ChangeAssessment> =
        result.changes.iter().filter(|change| !change.lints.is_empty()).collect();
    if changes.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<section class=\"linter\">\n<h2>Linter</h2>\n<p class=\"dim\">It decides nothing: each \
         finding is held against what the trials show.</p>\n",
    );
    for change in &changes {
        if result.changes.len() > 1 {
            out.push_str(&format!("<h3>{}</h3>\n", text(&change.scenario)));
        }
        let mut lints: Vec<&Lint> = change.lints.iter().collect();
        lints.sort_by_key(|lint| rank(&lint.standing));
        let head = ["rule", "statement", "what the trials show"].map(str::to_owned);
        let rows: Vec<Vec<String>> = lints.into_iter().map(row).collect();
        out.push_str(&table("findings of the linter", "lints", &head, &rows));
    }
    out.push_str("</section>\n");
    out
}

fn rank(standing: &LintStanding) -> u8 {
    match standing {
        LintStanding::Confirmed { .. } => 0,
        LintStanding::Refuted { .. } => 1,
        LintStanding::NotExercised => 2,
    }
}

fn row(lint: &Lint) -> Vec<String> {
    let statement = cut(&one_line(&lint.statement.text), STATEMENT_MAX);
    let place = text(&sent_from(&lint.statement));
    let (standing, rest) = lint.sentence.split_once(':').unwrap_or((&lint.sentence, ""));
    let class = match &lint.standing {
        LintStanding::Confirmed { .. } => "v-unsafe",
        LintStanding::Refuted { .. } => "v-safe",
        LintStanding::NotExercised => "dim",
    };
    let rest = match rest.trim() {
        "" => String::new(),
        rest => format!(": {}", text(rest)),
    };
    vec![
        format!("<span title=\"{}\">{}</span>", text(&lint.message), text(&lint.rule)),
        format!("<code>{}</code><br><span class=\"dim\">{place}</span>", text(&statement)),
        format!("<b class=\"{class}\">{}</b>{rest}", text(standing)),
    ]
}
