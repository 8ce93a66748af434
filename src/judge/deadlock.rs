//! Both sides of a deadlock, from the server's log where it was read, else from the DETAIL that the
//! client got.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::history::{LoggedDeadlock, ServerError, SessionId};
use crate::pg::SqlState;
use crate::pg::waiting::{DeadlockEdge, deadlock_edges, relation_oid};
use crate::result::evidence::{Deadlock, DeadlockSide};
use crate::scenario::Scenario;

use super::outcomes::spec;
use super::trace::Trace;

/// The log has a deadlock within so much of when its victim got the error.
const SAME_DEADLOCK: Micros = Micros::from_secs(1);

/// The deadlock of which the error tells, that its victim got at that time. None: it is another
/// error, or nothing is known of the sides.
pub fn deadlock(
    scenario: &Scenario,
    trace: &Trace<'_>,
    error: &ServerError,
    victim: Option<&SessionId>,
    at: Micros,
) -> Option<Deadlock> {
    error.sqlstate.as_ref().filter(|state| state.is(SqlState::DEADLOCK_DETECTED))?;
    let near = |found: Micros| (at - found).max(found - at) <= SAME_DEADLOCK;
    let of_victim = |session: &SessionId| victim.is_none_or(|victim| victim == session);
    let mut logged = trace.deadlocks.iter().filter(|(found, logged)| {
        near(*found) && of_victim(&trace.session(&logged.session, *found))
    });
    let logged = logged.next().map(|(_, logged)| *logged);
    let detail = logged.map(|logged| &logged.detail).or(error.detail.as_ref())?;
    let context = logged.and_then(|l| l.context.as_deref()).or(error.context.as_deref());
    let none = BTreeMap::new();
    let relations = logged.map_or(&none, |logged: &LoggedDeadlock| &logged.relations);
    let edges = deadlock_edges(detail);
    let side = |(number, edge): (usize, &DeadlockEdge)| {
        let session = trace.session(&edge.pid.into(), at);
        let context = context.filter(|_| number == 0);
        DeadlockSide {
            statement: edge.statement.clone().or_else(|| ran(scenario, trace, &session, at)),
            mode: edge.mode.clone(),
            object: object(&edge.object, relations, context),
            behind: trace.name(&trace.session(&edge.blocked_by.into(), at)),
            session: trace.name(&session),
        }
    };
    let sides: Vec<DeadlockSide> = edges.iter().enumerate().map(side).collect();
    (!sides.is_empty()).then_some(Deadlock { sides })
}

/// What the session ran at that time, as we know it.
fn ran(scenario: &Scenario, trace: &Trace<'_>, session: &SessionId, at: Micros) -> Option<String> {
    let statements = trace.statements();
    let mut running = statements.filter(|statement| {
        let (from, to) = statement.span(trace.end);
        statement.session == *session && from <= at && to + SAME_DEADLOCK >= at
    });
    if let Some(statement) = running.next_back() {
        return Some(statement.began.text.clone());
    }
    let operation = trace.running(session, at)?;
    let operation = spec(scenario, operation)?;
    Some(operation.statements.first()?.sql.clone())
}

/// `orders`, `a row of orders`, `a row that another transaction wrote`.
fn object(object: &str, relations: &BTreeMap<u32, String>, context: Option<&str>) -> String {
    if object.starts_with("transaction") {
        // `while updating tuple (0,1) in relation "orders"`
        let relation = context.and_then(|text| text.split_once(" in relation \""));
        let relation = relation.and_then(|(_, rest)| rest.split_once('"'));
        return match relation {
            Some((relation, _)) => format!("a row of {relation}"),
            None => "a row that the other had written".to_owned(),
        };
    }
    let Some(oid) = relation_oid(object) else { return object.to_owned() };
    let Some(name) = relations.get(&oid) else { return object.to_owned() };
    match object.starts_with("tuple") {
        true => format!("a row of {name}"),
        false => name.clone(),
    }
}
