//! Who waited for whom in a stall's worst moment. Backends that are alike are one node.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use crate::clock::Micros;
use crate::history::{Role, SessionId, Wait, WaitSample};
use crate::scenario::Scenario;

use super::super::outcomes::spec;
use super::super::stalls::Stall;
use super::super::trace::Trace;
use super::super::waits::conflicting;
use super::{StallSpan, WaitEdge};

/// Kinds of waits that a graph shows; more are unreadable.
const EDGES_MAX: usize = 24;

pub fn stall(scenario: &Scenario, trace: &Trace<'_>, stall: &Stall<'_>) -> StallSpan {
    let within = |at: Micros| at >= stall.from && at <= stall.to;
    let first = trace.waits.partition_point(|(at, _)| *at < stall.from);
    let samples = trace.waits[first..].iter().take_while(|(at, _)| within(*at));
    // The first of the fullest: from then on it stays so.
    let worst = samples.min_by_key(|(_, sample)| Reverse(sample.waits.len()));
    let (graph_at_us, graph) = match worst {
        Some((at, sample)) => (*at, edges(scenario, trace, *at, sample)),
        None => (stall.from, Vec::new()),
    };
    StallSpan {
        from_us: stall.from,
        to_us: stall.to,
        operations: stall.operations.len() as u64,
        longest_us: stall.longest,
        during: stall.blame.during.clone(),
        taken_by: stall.blame.taken_by.clone(),
        behind: stall.blame.behind.clone(),
        graph_at_us,
        graph,
    }
}

type Key = (String, Option<String>, String, String, Option<String>);

fn edges(scenario: &Scenario, trace: &Trace<'_>, at: Micros, sample: &WaitSample) -> Vec<WaitEdge> {
    let mut counted: BTreeMap<Key, u64> = BTreeMap::new();
    let waiters: HashSet<&SessionId> = sample.waits.iter().map(|wait| &wait.session).collect();
    for wait in &sample.waits {
        let Some(blocker) = chief(trace, at, &waiters, wait) else { continue };
        let key = (
            name(scenario, trace, at, &wait.session),
            wait.relation.clone(),
            wait.mode.clone(),
            name(scenario, trace, at, blocker),
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
    edges.sort_by_key(|edge| Reverse(edge.waiters));
    edges.truncate(EDGES_MAX);
    edges
}

/// Of several blockers the one that says most: the change, else one that holds the lock, else the
/// first that does not wait itself.
fn chief<'w>(
    trace: &Trace<'_>,
    at: Micros,
    waiters: &HashSet<&SessionId>,
    wait: &'w Wait,
) -> Option<&'w SessionId> {
    let rank = |blocker: &&SessionId| {
        let holds = conflicting(wait, blocker).is_some();
        let is_change = trace.is_change(&trace.session(blocker, at));
        (is_change, holds, !waiters.contains(*blocker))
    };
    wait.blockers.iter().rev().max_by_key(rank)
}

/// Without a pid, so that those which are alike are one.
fn name(scenario: &Scenario, trace: &Trace<'_>, at: Micros, seen: &SessionId) -> String {
    let session = &trace.session(seen, at);
    match trace.role(session) {
        Some(Role::Application) => operation(scenario, trace, at, session),
        Some(Role::Change) => trace.change_name(session),
        Some(Role::Disturbance(name)) => name.clone(),
        Some(Role::Observer) => "pgauntlet's own session".to_owned(),
        None => trace.name(session),
    }
}

/// What the session ran at that time.
fn operation(scenario: &Scenario, trace: &Trace<'_>, at: Micros, session: &SessionId) -> String {
    let ran = trace.running(session, at);
    let spec = ran.and_then(|operation| spec(scenario, operation));
    spec.map_or_else(|| "the application".to_owned(), |spec| spec.name.clone())
}
