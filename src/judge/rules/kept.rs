//! Tables that stay and whose rows are not kept as before: not logged, or never vacuumed.

use crate::result::evidence::ChangedAccess;
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;
use crate::schema::Difference;

use super::Evidence;

/// No trial shows what comes of it: a crash, a wraparound, months later.
pub fn otherwise(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let Some(schema) = evidence.schema.as_ref() else { return Vec::new() };
    let meant = |d: &&Difference| evidence.means(&d.object, &d.property);
    let found = schema.differences.iter().filter(|d| is_at_risk(d) && !meant(d));
    let finding = |difference: &Difference| {
        let differences = vec![difference.clone()];
        let shown = ChangedAccess { differences, at_risk: true, ..ChangedAccess::default() };
        let subject = Subject::relation(difference.object.clone());
        Finding::new(Verdict::Unproven, subject, Shown::AccessChanged(shown))
    };
    found.map(finding).collect()
}

fn is_at_risk(difference: &Difference) -> bool {
    let Difference { object, property, from, to } = difference;
    let is_off = |of: &Option<String>| {
        let options = of.as_deref().unwrap_or_default().split(", ");
        let mut values = options.filter_map(|option| option.strip_prefix("autovacuum_enabled="));
        values.any(|value| matches!(value, "false" | "off" | "0" | "no"))
    };
    object.starts_with("table ")
        && match property.as_str() {
            "persistence" => to.as_deref() == Some("unlogged"),
            "options" => is_off(to) && !is_off(from),
            _ => false,
        }
}
