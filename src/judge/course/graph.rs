//! Who waited for whom in a stall's worst moment. Backends that are alike are one node.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{Role, Wait, WaitSample};
use crate::scenario::Scenario;

use super::super::stalls::Stall;
use super::super::timeline::Timeline;
use super::super::waits::conflicting;
use super::{StallSpan, WaitEdge};

/// Kinds of waits that a graph shows; more of them are no picture any more.
const EDGES_MAX: usize = 24;

pub fn stall(scenario: &Scenario, timeline: &Timeline<'_>, stall: &Stall<'_>) -> StallSpan {
    let within = |at: Micros| at >= stall.from && at <= stall.to;
    let samples = timeline.waits.iter().filter(|(at, _)| within(*at));
    // The first of the fullest: from then on the picture stays.
    let worst = samples.rev().max_by_key(|(_, sample)| sample.waits.len());
    let (graph_at_us, graph) = match worst {
        Some((at, sample)) => (*at, edges(scenario, timeline, *at, sample)),
        None => (stall.from, Vec::new()),
    };
    StallSpan {
        from_us: stall.from,
        to_us: stall.to,
        operations: stall.operations,
        longest_us: stall.longest,
        during: stall.blame.during.clone(),
        taken_by: stall.blame.taken_by.clone(),
        behind: stall.blame.behind.clone(),
        graph_at_us,
        graph,
    }
}

type Key = (String, Option<String>, String, String, Option<String>);

fn edges(
    scenario: &Scenario,
    timeline: &Timeline<'_>,
    at: Micros,
    sample: &WaitSample,
) -> Vec<WaitEdge> {
    let mut counted: BTreeMap<Key, u64> = BTreeMap::new();
    for wait in &sample.waits {
        let Some(blocker) = chief(timeline, sample, wait) else { continue };
        let key = (
            name(scenario, timeline, at, wait.pid),
            wait.relation.clone(),
            wait.mode.clone(),
            name(scenario, timeline, at, blocker),
            conflicting(wait, blocker),
        );
        *counted.entry(key).or_default() += 1;
    }
    let mut edges: Vec<WaitEdge> = counted
        .into_iter()
        .map(|((waiter, relation, requested, blocker, held), waiters)| WaitEdge {
            waiter,
            waiters,
            relation,
            requested,
            blocker,
            held,
        })
        .collect();
    edges.sort_by_key(|edge| std::cmp::Reverse(edge.waiters));
    edges.truncate(EDGES_MAX);
    edges
}

/// Of several blockers the one that says most: the change, else one that holds the lock, else the
/// first that does not wait itself.
fn chief(timeline: &Timeline<'_>, sample: &WaitSample, wait: &Wait) -> Option<i32> {
    let waits = |pid: i32| sample.waits.iter().any(|other| other.pid == pid);
    let rank = |pid: &i32| {
        let holds = conflicting(wait, *pid).is_some();
        (timeline.is_change(*pid), holds, !waits(*pid))
    };
    wait.blockers.iter().copied().rev().max_by_key(rank)
}

/// Without a pid, so that those which are alike are one.
fn name(scenario: &Scenario, timeline: &Timeline<'_>, at: Micros, pid: i32) -> String {
    match timeline.roles.get(&pid) {
        Some(Role::Application) => operation(scenario, timeline, at, pid),
        Some(Role::Change) => "the change".to_owned(),
        Some(Role::Disturbance(name)) => name.clone(),
        Some(Role::Observer) => "pgauntlet's own session".to_owned(),
        None => timeline.name(pid),
    }
}

/// What the backend ran at that time.
fn operation(scenario: &Scenario, timeline: &Timeline<'_>, at: Micros, pid: i32) -> String {
    let ran = timeline.operations.iter().find(|o| {
        o.pid == Some(pid) && o.acquired_us.is_some_and(|got| got <= at) && o.finished_us >= at
    });
    let spec = ran.and_then(|o| scenario.traffic.operations.get(usize::from(o.kind)));
    spec.map_or_else(|| "the application".to_owned(), |spec| spec.name.clone())
}
