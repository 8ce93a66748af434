//! Phrases that several sentences share.

use crate::history::ServerError;
use crate::pg::lex::one_line;
use crate::result::evidence::{Application, Deadlock, DeadlockSide};
use crate::result::{StatementRef, Subject};
use crate::stats::grouped;

use super::files::Files;

/// Characters of a statement that a sentence quotes.
const QUOTED_MAX: usize = 70;
/// Characters of a server's DETAIL, HINT or CONTEXT.
const SAID_MAX: usize = 300;

/// `1 operation`, `3,210 operations`.
pub fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(n))
}

/// `1, 2`, or `none`.
pub fn listed(versions: &[String]) -> String {
    match versions.is_empty() {
        true => "none".to_owned(),
        false => versions.join(", "),
    }
}

/// `message (SQLSTATE); DETAIL: …; HINT: …; CONTEXT: …`, as far as the server said it.
pub fn server_said(error: &ServerError) -> String {
    let mut said = error.to_string();
    let parts = [("DETAIL", &error.detail), ("HINT", &error.hint), ("CONTEXT", &error.context)];
    for (label, text) in parts {
        let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) else { continue };
        let text = one_line(text);
        let text = match text.char_indices().nth(SAID_MAX) {
            Some((end, _)) => format!("{}…", text[..end].trim_end()),
            None => text.trim_end_matches('.').to_owned(),
        };
        said.push_str(&format!("; {label}: {text}"));
    }
    said
}

/// The sides of a deadlock, each with what it ran and what it waited for.
pub fn deadlocked(of: &Deadlock) -> String {
    let side = |side: &DeadlockSide| {
        let ran = side.statement.as_deref().map(one_line).map(|text| {
            match text.char_indices().nth(QUOTED_MAX) {
                Some((end, _)) => format!(" ({}…)", text[..end].trim_end()),
                None => format!(" ({text})"),
            }
        });
        let DeadlockSide { session, mode, object, behind, .. } = side;
        format!(
            "{session}{} waited for {mode} on {object} behind {behind}",
            ran.unwrap_or_default()
        )
    };
    let sides: Vec<String> = of.sides.iter().map(side).collect();
    sides.join("; ")
}

/// `UPDATE spans SET … (57c5-original.sql:4)`.
pub fn quoted(statement: &StatementRef, files: &Files) -> String {
    let text = one_line(&statement.text);
    let quoted = match text.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    };
    match (&statement.file, statement.line) {
        (Some(file), Some(line)) => format!("{quoted} ({}:{line})", files.name(file)),
        _ => quoted,
    }
}

/// The subject's statement; without one, the change as a whole.
pub fn statement(subject: &Subject, files: &Files) -> String {
    let statement = subject.statement.as_ref();
    statement.map_or_else(|| "the change".to_owned(), |statement| quoted(statement, files))
}

/// The subject's relation, or what there is of its name.
pub fn relation(subject: &Subject) -> &str {
    subject.relation.as_deref().unwrap_or_default()
}

/// `spans.task_id` of `column public.spans.task_id`.
pub fn bare(object: &str) -> &str {
    let name = object.split_once(' ').map_or(object, |(_, name)| name);
    name.strip_prefix("public.").unwrap_or(name)
}

/// ` on spans`, or nothing.
pub fn on(relation: Option<&str>) -> String {
    relation.map_or_else(String::new, |relation| format!(" on {relation}"))
}

/// `the transaction that began with SET lock_timeout = '3s'`.
pub fn transaction(known_by: &StatementRef, files: &Files) -> String {
    format!("the transaction that began with {}", quoted(known_by, files))
}

/// Which application of the change it was, as it follows a verb; empty for the only first one.
pub fn which(application: Application) -> String {
    application.name().map(|name| format!(" ({name})")).unwrap_or_default()
}
