//! A stall in full: who waited for whom in its worst moment, and the statement to blame. It is
//! below the charts, where it can be read without a script; a click on the stall shows it at once.

use std::fmt::Write;

use crate::judge::timeline::StallSpan;
use crate::report::trial::{place, seconds};
use crate::result::StatementRef;
use crate::stats::grouped;

use super::graph::{graph, sentence};
use super::html::{list, paragraph, text};

pub fn stalls(id: &str, stalls: &[StallSpan]) -> String {
    if stalls.is_empty() {
        return String::new();
    }
    let mut out = String::from("<h3>Stalls</h3>\n");
    for (number, stall) in (1..).zip(stalls) {
        let operations = match stall.operations {
            1 => "1 operation".to_owned(),
            n => format!("{} operations", grouped(n)),
        };
        let head = format!(
            "Stall {number}, {} s to {} s: {operations} waited, the longest {}",
            seconds(stall.from_us),
            seconds(stall.to_us),
            stall.longest_us
        );
        let _ = write!(
            out,
            "<details class=\"stall-details\" id=\"{id}-stall-{number}\">\n\
             <summary>{}</summary>\n<div class=\"stall-body\">\n{}</div>\n</details>\n",
            text(&head),
            body(stall)
        );
    }
    out
}

fn body(stall: &StallSpan) -> String {
    let mut out = String::new();
    if stall.graph.is_empty() {
        let unknown = "No sample shows who waited for whom; the stall follows from the operations' \
                       own times.";
        out.push_str(&paragraph("dim", unknown));
    } else {
        let at =
            format!("Who waited for whom at {} s, its worst moment:", seconds(stall.graph_at_us));
        out.push_str(&paragraph("dim", &at));
        out.push_str(&graph(&stall.graph));
        out.push_str(&list("edges", &stall.graph.iter().map(sentence).collect::<Vec<_>>()));
    }
    out.push_str("<dl class=\"witness\">\n");
    if let Some(during) = &stall.during {
        out.push_str(&blamed("during", during));
    }
    if let Some(taken_by) = &stall.taken_by {
        out.push_str(&blamed("taken by", taken_by));
    }
    if let Some(behind) = &stall.behind {
        let _ = writeln!(out, "<dt>behind</dt><dd>{}</dd>", text(behind));
    }
    if stall.during.is_none() && stall.taken_by.is_none() {
        out.push_str("<dt>during</dt><dd>no statement of the change ran</dd>\n");
    }
    out.push_str("</dl>\n");
    out
}

/// A statement with its source place and how long it took.
pub fn blamed(label: &str, statement: &StatementRef) -> String {
    format!(
        "<dt>{label}</dt><dd><code class=\"sql\">{}</code>\
         <span class=\"dim\">{}, took {}</span></dd>\n",
        text(statement.text.trim()),
        text(&place(statement)),
        statement.took_us
    )
}
