//! Views and functions that the change replaced and that answer otherwise on the same rows. The
//! operations that use them go on succeeding, and return something else.

use crate::history::{ComparedAnswers, NotCompared};
use crate::pg::facts::RelationName;
use crate::pg::lex;
use crate::result::evidence::DifferingAnswers;
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;
use crate::schema::Users;

use super::super::outcomes::name;
use super::Evidence;
use super::failures::charged;

/// Of each object that operations use: whether other answers are meant only its author knows.
pub fn differ(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some(answers) = evidence.trace.answers else { return Vec::new() };
    let Some(schema) = &evidence.schema else { return Vec::new() };
    if evidence.first_success().is_none() {
        return Vec::new();
    }
    let users = Users::of(schema.before, schema.after);
    let operations = |object: &str| -> Vec<String> {
        let operations = evidence.scenario.traffic.operations.iter().filter(|operation| {
            let mut statements = operation.statements.iter();
            statements.any(|statement| users.used_by(&statement.sql).contains(object))
        });
        operations.map(|operation| operation.name.clone()).collect()
    };
    let findings = answers.objects.iter().filter(|one| is_wrong(one)).filter_map(|one| {
        let operations = operations(&one.object);
        if operations.is_empty()
            || evidence.means(&one.object, "definition")
            || is_seen(evidence, one, &operations)
        {
            return None;
        }
        let subject = Subject::relation(bare(&one.object).to_owned());
        let shown = DifferingAnswers { compared: one.clone(), operations };
        Some(Finding::new(Verdict::Unproven, subject, Shown::AnswersDiffer(shown)))
    });
    findings.collect()
}

fn is_wrong(one: &ComparedAnswers) -> bool {
    one.gone + one.new > 0 || one.not_compared.is_some()
}

/// Without its kind.
fn bare(object: &str) -> &str {
    object.split_once(' ').map_or(object, |(_, name)| name)
}

/// Whether something else shows what was not compared: the operations that use it failed, or
/// the change never named it, and its text only followed the name of a column or a table.
fn is_seen(evidence: &Evidence<'_, '_>, one: &ComparedAnswers, operations: &[String]) -> bool {
    let Some(why) = &one.not_compared else { return false };
    let failed = charged(evidence).filter(|(operation, _)| {
        let name = name(evidence.scenario, operation);
        operations.iter().any(|one| one == name)
    });
    if failed.count() as u64 > evidence.scenario.limits.failed_operations_max {
        return true;
    }
    matches!(why, NotCompared::OldFails(_)) && !is_named(evidence, &one.object)
}

/// Whether a statement of the change names the object, or builds statements from strings.
fn is_named(evidence: &Evidence<'_, '_>, object: &str) -> bool {
    let name = bare(object).split('(').next().unwrap_or_default();
    let RelationName { name, .. } = RelationName::unquoted(name);
    let mut statements = evidence.trace.statements();
    statements.any(|record| {
        let mut named = lex::identifiers(&record.began.text);
        record.facts().is_dynamic() || named.any(|word| word == name)
    })
}
