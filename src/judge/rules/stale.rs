//! What was computed by a function as it was and is kept: expressions of indexes, generated columns
//! and constraints. A function that the change replaces computes none of it again.

use std::collections::BTreeSet;

use crate::pg::lex;
use crate::result::evidence::StaleValues;
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;
use crate::schema::{Difference, Objects};

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
    let body = |of: &Option<String>| {
        let definition = of.as_deref()?;
        Some(definition.split_once("\nAS ").map_or(definition, |(_, body)| body).to_owned())
    };
    object.starts_with("function ")
        && property == "definition"
        && from.is_some()
        && to.is_some()
        && body(from) != body(to)
}

/// Indexes, generated columns and constraints that call it, and are as they were.
fn kept(before: &Objects, after: &Objects, function: &str) -> Vec<String> {
    let (name, _) = function.split_once('(').unwrap_or((function, ""));
    let bare = name.rsplit('.').next().unwrap_or(name);
    let call = format!("{bare}(");
    let calls = |text: &String| {
        let mut at = text.match_indices(&call);
        at.any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let holds = |(object, properties): &(&String, &std::collections::BTreeMap<String, String>)| {
        let property = match object.split_once(' ') {
            Some(("index" | "constraint", _)) => "definition",
            Some(("column", _)) => "generated",
            _ => return false,
        };
        let is_same =
            before.get(*object).and_then(|of| of.get(property)) == properties.get(property);
        is_same && properties.get(property).is_some_and(calls)
    };
    // What is generated as it is read is never old.
    let is_kept = |properties: &std::collections::BTreeMap<String, String>| {
        properties.get("generated").is_none_or(|text| !text.starts_with("virtual"))
    };
    let found = after.iter().filter(holds).filter(|(_, properties)| is_kept(properties));
    found.map(|(object, _)| object.clone()).collect()
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
        let text = &record.began.text;
        let tokens = lex::tokens(text).unwrap_or_default();
        let words: BTreeSet<String> =
            tokens.iter().map(|token| lex::identifier(text, token)).collect();
        let makes_function = words.contains("function") && words.contains("create");
        let whole = ["reindex", "cluster"].iter().any(|word| words.contains(*word));
        !makes_function && (words.contains(own) || (whole && words.contains(table)))
    })
}
