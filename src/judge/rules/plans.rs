//! Plans of declared reads: what EXPLAIN said before and after the change.

use crate::clock::Micros;
use crate::history::{PlanNode, PlanRead};
use crate::result::Finding;
use crate::scenario::{FindingKind, Invariant, PlanLimit, Verdict};

use super::reads::{change_over, is_premature};
use super::words::count;
use super::{Evidence, finding};

/// A node that a plan must not have, and the limit that says so.
struct Broken<'h> {
    node: &'h PlanNode,
    limit: String,
}

/// At most one finding per read. A plan on tables without a row says nothing.
pub fn plans(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    if evidence.begins_empty() {
        return Vec::new();
    }
    let limited = evidence.scenario.invariants.iter();
    let limited = limited.filter_map(|invariant| Some((invariant, invariant.plan.as_ref()?)));
    limited.filter_map(|(invariant, limit)| of_read(evidence, invariant, limit)).collect()
}

fn of_read(
    evidence: &Evidence<'_, '_>,
    invariant: &Invariant,
    limit: &PlanLimit,
) -> Option<Finding> {
    let name = &invariant.name;
    let over = change_over(evidence);
    let of_name = evidence.timeline.plans.iter().filter(|(_, read)| read.name == *name);
    let told: Vec<(Micros, &PlanRead)> =
        of_name.filter(|(at, _)| !is_premature(evidence, invariant, *at)).copied().collect();
    let side = |is_after: bool| -> Vec<&PlanRead> {
        told.iter().filter(|(at, _)| (*at >= over) == is_after).map(|(_, read)| *read).collect()
    };
    let (before, after) = (side(false), side(true));
    if let Some(Broken { node, limit }) = broken(limit, &before) {
        let node = node_words(node);
        let sentence = format!(
            "the plan of the read {name} had {node} before the change began, and must have \
             {limit}: it does not hold"
        );
        return Some(finding(FindingKind::BaselineBroken, Verdict::Unproven, sentence));
    }
    if let Some(Broken { node, limit }) = broken(limit, &after) {
        let was = before.iter().find_map(|read| counterpart(&read.nodes, node));
        let node = node_words(node);
        let was = was.map_or_else(String::new, |was| format!("; before it {}", node_words(was)));
        let sentence = format!(
            "the plan of the read {name} has {node} after the change, and must have {limit}{was}"
        );
        let mut changed = finding(FindingKind::PlanChanged, Verdict::Unsafe, sentence);
        changed.remedy = Some(
            "see that the index which the read needs is there and valid, and ANALYZE the table \
             at the end of the change: a new column or index expression has no statistics before"
                .to_owned(),
        );
        return Some(changed);
    }
    unread(name, &before, "before").or_else(|| unread(name, &after, "after")).or_else(|| {
        let sentence = format!("the plan of the read {name} was never read after the change");
        let missing = finding(FindingKind::MeasurementFailed, Verdict::Unproven, sentence);
        after.is_empty().then_some(missing)
    })
}

/// Where EXPLAIN failed each time.
fn unread(name: &str, reads: &[&PlanRead], side: &str) -> Option<Finding> {
    let error = reads.iter().map(|read| read.error.as_ref()).collect::<Option<Vec<_>>>()?;
    let sentence = format!(
        "the plan of the read {name} could not be read {side} the change: {}",
        error.last()?
    );
    Some(finding(FindingKind::MeasurementFailed, Verdict::Unproven, sentence))
}

fn broken<'h>(limit: &PlanLimit, reads: &[&'h PlanRead]) -> Option<Broken<'h>> {
    reads.iter().find_map(|read| broken_by(limit, &read.nodes))
}

fn broken_by<'h>(limit: &PlanLimit, nodes: &'h [PlanNode]) -> Option<Broken<'h>> {
    let unwanted = nodes.iter().find(|node| limit.absent.contains(&node.node_type));
    if let Some(node) = unwanted {
        return Some(Broken { node, limit: format!("no {}", node.node_type) });
    }
    let max = limit.rows_max?;
    let node = nodes.iter().find(|node| node.rows > max)?;
    let limit = format!("no node of more than {} estimated", count(max, "row"));
    Some(Broken { node, limit })
}

/// What did before what the node does now: the scan of its relation, else the root.
fn counterpart<'h>(before: &'h [PlanNode], node: &PlanNode) -> Option<&'h PlanNode> {
    let same = |was: &&PlanNode| node.relation.is_some() && was.relation == node.relation;
    before.iter().find(same).or(before.first())
}

/// `Bitmap Heap Scan on public.spans, 312 rows`.
fn node_words(node: &PlanNode) -> String {
    let relation = node.relation.as_ref().or(node.index.as_ref());
    let on = relation.map_or_else(String::new, |relation| format!(" on {relation}"));
    let index = node.index.as_ref().filter(|_| node.relation.is_some());
    let by = index.map_or_else(String::new, |index| format!(" by {index}"));
    format!("{}{on}{by}, {}", node.node_type, count(node.rows, "row"))
}
