//! A crash matrix: a row per statement, a column per fault kind, and what did not end clean.

use std::fmt::Write;

use crate::pg::lex::one_line;
use crate::report::Document;
use crate::report::matrix::{
    NONE, NOT_INJECTED, cost, groups, head, kinds, not_injected, random, word,
};
use crate::report::trial::place;
use crate::result::Matrix;
use crate::scenario::Outcome;

use super::html::{cut, list, paragraph, table, text};
use super::trial::{Shown, heading, mismatches, repeat};

/// Characters of a statement in the table.
const STATEMENT_MAX: usize = 80;

/// `number` counts on after the trials.
pub fn matrix(document: &Document<'_>, matrix: &Matrix, number: usize, shown: Shown) -> String {
    let name = document.names().matrix(&matrix.trial);
    let mut out = heading(number, matrix.verdict, &name, matrix.as_expected, shown);
    if !shown.reason_shown {
        out.push_str(&paragraph("reason", &matrix.reason));
        out.push_str(&mismatches(&matrix.mismatches));
    }
    if !matrix.cases.is_empty() {
        out.push_str(&case_table(matrix));
    }
    out.push_str(&bad(matrix));
    let sentences: Vec<String> =
        not_injected(matrix).into_iter().chain(random(matrix)).chain(cost(matrix)).collect();
    out.push_str(&list("facts", &sentences));
    out.push_str(&repeat(document, number));
    out.push_str("</div></details></section>\n");
    out
}

fn case_table(matrix: &Matrix) -> String {
    let heads = matrix.columns.iter().map(|kind| text(&head(*kind).replace('\n', " ")));
    let columns: Vec<String> =
        ["".to_owned(), "fault at".to_owned()].into_iter().chain(heads).collect();
    let row = |row: &crate::result::MatrixRow| -> Vec<String> {
        let statement = text(&cut(&one_line(&row.statement.text), STATEMENT_MAX));
        let place = text(&place(&row.statement));
        let first = [
            row.id.to_string(),
            format!("<code>{statement}</code><br><span class=\"dim\">{place}</span>"),
        ];
        let cells = matrix.columns.iter().map(|kind| {
            let here = |case: &&crate::result::Case| {
                case.fault.at.statement == row.id && case.fault.kind == *kind
            };
            match matrix.cases.iter().find(here) {
                None => format!("<span class=\"dim\">{NONE}</span>"),
                Some(case) => match case.outcome {
                    None => {
                        format!("<span title=\"{}\">{NOT_INJECTED}</span>", text(&case.sentence))
                    }
                    Some(outcome) => outcome_text(outcome, &case.sentence),
                },
            }
        });
        first.into_iter().chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = matrix.rows.iter().map(row).collect();
    table("crash matrix", "matrix", &columns, &rows)
}

fn outcome_text(outcome: Outcome, sentence: &str) -> String {
    let class = match outcome {
        Outcome::Clean => "safe",
        Outcome::ManualStep => "bounded",
        _ => "unsafe",
    };
    format!("<b class=\"v-{class}\" title=\"{}\">{}</b>", text(sentence), word(outcome))
}

fn bad(matrix: &Matrix) -> String {
    let mut out = String::new();
    for (outcome, cases) in groups(matrix) {
        let Some(first) = cases.first() else { continue };
        let statement = matrix.rows.iter().find(|row| row.id == first.fault.at.statement);
        let place = statement.map(|row| place(&row.statement)).unwrap_or_default();
        let _ = write!(
            out,
            "<article class=\"finding\"><h4>{} at {} <span class=\"dim\">({})</span></h4>\n\
             <code class=\"sql\">{}</code>\n{}{}",
            outcome_text(outcome, &first.sentence),
            first.fault.at.statement,
            text(&place),
            text(first.fault.at.text.trim()),
            paragraph("", &first.sentence),
            paragraph("dim", &kinds(&cases)),
        );
        let differences: Vec<String> = first.differences.iter().map(ToString::to_string).collect();
        out.push_str(&list("facts", &differences));
        out.push_str("</article>\n");
    }
    out
}
