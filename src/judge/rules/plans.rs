//! Plans of declared reads: what EXPLAIN said before and after the change.

use crate::clock::Micros;
use crate::history::{PlanNode, PlanRead};
use crate::result::evidence::{BrokenBaseline, FailedMeasurement, PlanRule, WrongPlan};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{Invariant, PlanLimit, Verdict};

use super::Evidence;
use super::gaps::unmeasured;
use super::reads::{change_over, is_premature};

/// A node that a plan must not have, and the limit that says so.
struct Broken<'h> {
    node: &'h PlanNode,
    limit: PlanRule,
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
    let of_name = evidence.trace.plans.iter().filter(|(_, read)| read.name == *name);
    let valid: Vec<(Micros, &PlanRead)> =
        of_name.filter(|(at, _)| !is_premature(evidence, invariant, *at)).copied().collect();
    let side = |is_after: bool| -> Vec<&PlanRead> {
        valid.iter().filter(|(at, _)| (*at >= over) == is_after).map(|(_, read)| *read).collect()
    };
    let (before, after) = (side(false), side(true));
    let read = name.clone();
    if let Some(Broken { node, limit }) = broken(limit, &before) {
        let baseline = BrokenBaseline::Plan { read, node: node.clone(), limit };
        let shown = Shown::BaselineBroken(baseline);
        return Some(Finding::new(Verdict::Unproven, Subject::none(), shown));
    }
    if let Some(Broken { node, limit }) = broken(limit, &after) {
        let was = before.iter().find_map(|read| counterpart(&read.nodes, node));
        let plan = WrongPlan { read, node: node.clone(), limit, before: was.cloned() };
        let subject = Subject { relation: node.relation.clone(), ..Subject::none() };
        return Some(Finding::new(Verdict::Unsafe, subject, Shown::PlanChanged(plan)));
    }
    unread(name, &before, false).or_else(|| unread(name, &after, true)).or_else(|| {
        let missing = FailedMeasurement::PlanNeverRead { read };
        after.is_empty().then(|| unmeasured(missing))
    })
}

/// Where EXPLAIN failed each time.
fn unread(name: &str, reads: &[&PlanRead], after: bool) -> Option<Finding> {
    let errors = reads.iter().map(|read| read.error.as_ref()).collect::<Option<Vec<_>>>()?;
    let error = (*errors.last()?).clone();
    Some(unmeasured(FailedMeasurement::PlanUnread { read: name.to_owned(), after, error }))
}

fn broken<'h>(limit: &PlanLimit, reads: &[&'h PlanRead]) -> Option<Broken<'h>> {
    reads.iter().find_map(|read| broken_by(limit, &read.nodes))
}

fn broken_by<'h>(limit: &PlanLimit, nodes: &'h [PlanNode]) -> Option<Broken<'h>> {
    let unwanted = nodes.iter().find(|node| limit.absent.contains(&node.node_type));
    if let Some(node) = unwanted {
        let limit = PlanRule::Without { node_type: node.node_type.clone() };
        return Some(Broken { node, limit });
    }
    let max = limit.rows_max?;
    let node = nodes.iter().find(|node| node.rows > max)?;
    Some(Broken { node, limit: PlanRule::RowsMax(max) })
}

/// What did before what the node does now: the scan of its relation, else the root.
fn counterpart<'h>(before: &'h [PlanNode], node: &PlanNode) -> Option<&'h PlanNode> {
    let same = |was: &&PlanNode| node.relation.is_some() && was.relation == node.relation;
    before.iter().find(same).or(before.first())
}
