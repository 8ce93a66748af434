//! What was computed by a function as it was and is kept: expressions of indexes, generated columns
//! and constraints. A function that the change replaces computes none of it again.

use std::collections::BTreeSet;

use crate::pg::lex::identifiers;
use crate::pg::words::calls;
use crate::result::evidence::StaleValues;
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;
use crate::schema::{Difference, Objects, function_parts};

use super::Evidence;

/// Of each function with another body, what is as it was and calls it.
pub fn values(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some(schema) = evidence.schema.as_ref() else { return Vec::new() };
    if evidence.first_success().is_none() {
        return Vec::new();
    }
    let replaced = schema.differences.iter().filter(|d| is_replaced(d));
    let finding = |difference: &Difference| {
        let function = difference.object.strip_prefix("function ")?;
        let kept = kept(schema.before, schema.after, function);
        let kept: Vec<String> = kept.into_iter().filter(|o| !is_made_anew(evidence, o)).collect();
        if kept.is_empty() || evidence.means(&difference.object, &difference.property) {
            return None;
        }
        let subject = Subject::relation(function.to_owned());
        Some(Finding::new(Verdict::Unproven, subject, Shown::StaleValues(StaleValues { kept })))
    };
    replaced.filter_map(finding).collect()
}

/// Whether a function does something else, rather than having another cost.
fn is_replaced(difference: &Difference) -> bool {
    let Difference { object, property, from, to } = difference;
    let both = from.as_deref().zip(to.as_deref());
    let is_other = both.is_some_and(|(from, to)| body(from) != body(to));
    object.starts_with("function ") && property == "definition" && is_other
}

fn body(definition: &str) -> &str {
    function_parts(definition).1
}

/// Indexes, generated columns and constraints that call it, and are as they were.
fn kept(before: &Objects, after: &Objects, function: &str) -> Vec<String> {
    let (name, _) = function.split_once('(').unwrap_or((function, ""));
    let bare = name.rsplit('.').next().unwrap_or(name);
    let is_kept = |object: &str| {
        let property = match object.split_once(' ') {
            Some(("index" | "constraint", _)) => "definition",
            Some(("column", _)) => "generated",
            _ => return false,
        };
        let text = |objects: &Objects| objects.get(object)?.get(property).cloned();
        let (was, is) = (text(before), text(after));
        // What is generated as it is read is never old.
        let holds = |text: &String| calls(text, bare) && !text.starts_with("virtual");
        was == is && is.as_ref().is_some_and(holds)
    };
    after.keys().filter(|object| is_kept(object)).cloned().collect()
}

/// Whether a statement of the change, other than one that makes a function, names it, or the table
/// where all of a table is made anew.
fn is_made_anew(evidence: &Evidence<'_, '_>, object: &str) -> bool {
    let parts = object.split_once(' ').map_or(object, |(_, name)| name).split('.');
    let mut parts: Vec<&str> = parts.map(|part| part.trim_matches('"')).collect();
    let own = parts.pop().unwrap_or_default();
    let table = parts.pop().unwrap_or_default();
    let mut statements = evidence.trace.statements();
    statements.any(|record| {
        let words: BTreeSet<String> = identifiers(&record.began.text).collect();
        let makes_function = words.contains("function") && words.contains("create");
        let whole = ["reindex", "cluster"].iter().any(|word| words.contains(*word));
        !makes_function && (words.contains(own) || (whole && words.contains(table)))
    })
}
