//! Rights of the application's role where it is one of pgauntlet's own, which may use what its
//! operations used before the change: whether the user's may use more is not known.

use crate::pg::SqlState;
use crate::pg::facts::RelationName;
use crate::result::evidence::{ChangedAccess, FailedOperations, OperationFailure};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;
use crate::schema::{Difference, function_parts};

use super::Evidence;
use super::touched::uses;

/// Functions and views that used their owner's rights, and use their caller's from now on.
pub fn of_callers(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some(schema) = evidence.schema.as_ref().filter(|_| !evidence.scenario.pool.names_role())
    else {
        return Vec::new();
    };
    let meant = |d: &&Difference| evidence.means(&d.object, &d.property);
    let found = schema.differences.iter().filter(|d| becomes_the_caller_s(d) && !meant(d));
    let finding = |difference: &Difference| {
        let shown = ChangedAccess {
            differences: vec![difference.clone()],
            as_caller: true,
            ..ChangedAccess::default()
        };
        let subject = Subject::relation(difference.object.clone());
        Finding::new(Verdict::Unproven, subject, Shown::AccessChanged(shown))
    };
    found.map(finding).collect()
}

/// Whether operations failed only because pgauntlet's role may not use what it had no need of
/// before: a relation that was there, and that no operation names.
pub fn may_be_granted(evidence: &Evidence<'_, '_>, of: &FailedOperations) -> bool {
    let is_of_role = |failure: &OperationFailure| match failure {
        OperationFailure::Error(error) if error.is_one_of(&[SqlState::INSUFFICIENT_PRIVILEGE]) => {
            refused(&error.message).is_some_and(|name| is_unused(evidence, name))
        }
        _ => false,
    };
    let mut causes = of.causes.iter();
    !evidence.scenario.pool.names_role()
        && !of.causes.is_empty()
        && causes.all(|cause| is_of_role(&cause.failure))
}

/// Of `permission denied for table audit`, the relation.
fn refused(message: &str) -> Option<&str> {
    let of = message.strip_prefix("permission denied for ")?;
    ["table ", "view ", "materialized view ", "foreign table "]
        .iter()
        .find_map(|kind| of.strip_prefix(kind))
}

fn is_unused(evidence: &Evidence<'_, '_>, name: &str) -> bool {
    let was_there = evidence.trace.catalogue_before().is_some_and(|catalogue| {
        let mut objects = catalogue.objects.keys().filter_map(|object| object.split_once(' '));
        objects.any(|(kind, known)| {
            matches!(kind, "table" | "view") && RelationName::unquoted(known).name == name
        })
    });
    let relation = RelationName { schema: None, name: name.to_owned() };
    was_there && !uses(evidence, &relation)
}

fn becomes_the_caller_s(difference: &Difference) -> bool {
    let Difference { object, property, from, to } = difference;
    let Some(to) = to else { return false };
    let kind = object.split_once(' ').map(|(kind, _)| kind);
    match (kind, property.as_str()) {
        (Some("function"), "definition") => {
            from.as_deref().is_some_and(is_definer) && !is_definer(to)
        }
        (Some("view"), "options") => is_invoker(to) && !from.as_deref().is_some_and(is_invoker),
        _ => false,
    }
}

fn is_definer(definition: &str) -> bool {
    function_parts(definition).0.contains("SECURITY DEFINER")
}

/// Whether a view's options let it use its reader's rights.
pub fn is_invoker(options: &str) -> bool {
    options.split(", ").any(|option| {
        let value = option.strip_prefix("security_invoker=");
        value.is_some_and(|value| matches!(value, "true" | "on" | "1" | "yes"))
    })
}
