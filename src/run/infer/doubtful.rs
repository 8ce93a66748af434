//! Inferred operations that may be refused, by row security or by a trigger: tried as the
//! application's role, and left out where they are.

use std::collections::BTreeMap;

use crate::infer::{Doubt, Narrowed};
use crate::scenario::{Draft, OperationSpec, Parameter};

use super::super::Error;
use super::super::stage::{ROUNDS, Stage, Tried, put};

/// Tries those operations of the draft that are named, each with what may refuse it; says which are
/// left out, and which find fewer rows than without row security.
pub(super) async fn let_in(
    draft: &mut Draft,
    stage: &mut Stage,
    doubts: &BTreeMap<String, Doubt>,
) -> Result<Vec<String>, Error> {
    let own = |operation: &&OperationSpec| doubts.contains_key(&operation.name);
    let own: Vec<OperationSpec> = draft.traffic.operations.iter().filter(own).cloned().collect();
    let (following, mut pending): (Vec<_>, Vec<_>) =
        own.into_iter().partition(|operation| followed(operation).is_some());
    let mut said = Said { doubts, left_out: BTreeMap::new(), notes: Vec::new() };
    for round in 0..ROUNDS {
        if pending.is_empty() {
            break;
        }
        let mut again = Vec::new();
        for tried in stage.tried(std::mem::take(&mut pending), round).await? {
            let name = tried.operation.name.clone();
            match tried.narrowed {
                Narrowed::Fits => {
                    let hidden = match doubts.get(&name) {
                        Some(Doubt::Policies(_)) => hidden(stage, &tried, round).await?,
                        _ => Hidden::No,
                    };
                    put(draft, tried.operation);
                    match hidden {
                        Hidden::No => {}
                        Hidden::Said(note) => said.notes.push(format!("{name} stays: {note}")),
                        Hidden::Mostly(why) => said.leave_out(draft, &name, why),
                    }
                }
                Narrowed::Fewer(fewer) if round + 1 < ROUNDS => again.push(fewer),
                Narrowed::Fewer(_) => {
                    said.leave_out(draft, &name, tried.error.unwrap_or_default());
                }
                Narrowed::Fails(error) => said.leave_out(draft, &name, error),
            }
        }
        pending = again;
    }
    for operation in following {
        let before = followed(&operation).unwrap_or_default();
        if !draft.traffic.operations.iter().any(|known| known.name == before) {
            said.leave_out(draft, &operation.name, format!("it goes on with {before}"));
            continue;
        }
        // Rows that it could take out are not there yet.
        for tried in stage.tried(vec![alone(&operation)], 0).await? {
            if let Some(why) = tried.error {
                said.leave_out(draft, &operation.name, why);
            }
        }
    }
    Ok(said.lines())
}

/// What is said in the end.
struct Said<'a> {
    doubts: &'a BTreeMap<String, Doubt>,
    /// Operations by what refuses them, why, and what to do.
    left_out: BTreeMap<(&'static str, String, Option<&'a str>), Vec<String>>,
    notes: Vec<String>,
}

impl Said<'_> {
    fn leave_out(&mut self, draft: &mut Draft, name: &str, why: String) {
        draft.traffic.operations.retain(|operation| operation.name != name);
        let (what, remedy) = match self.doubts.get(name) {
            Some(Doubt::Policies(remedy)) => ("row security", Some(remedy.as_str())),
            _ => ("a trigger", None),
        };
        self.left_out.entry((what, why, remedy)).or_default().push(name.to_owned());
    }

    fn lines(self) -> Vec<String> {
        let left_out = self.left_out.into_iter().map(|((what, why, remedy), names)| {
            let remedy = remedy.map(|remedy| format!("; {remedy}")).unwrap_or_default();
            format!("{}: {what}: {why}{remedy}", names.join(", "))
        });
        left_out.chain(self.notes).collect()
    }
}

/// The operation without what it goes on with.
fn alone(operation: &OperationSpec) -> OperationSpec {
    let mut alone = operation.clone();
    for parameter in alone.parameters.values_mut() {
        if let Parameter::Follow(follow) = parameter {
            let generator = follow.otherwise.clone();
            *parameter = Parameter::Generated { generator, null_fraction: 0.0 };
        }
    }
    alone
}

/// What row security hides from an operation that never fails.
enum Hidden {
    No,
    /// Some of what it looks for.
    Said(String),
    /// Nearly all.
    Mostly(String),
}

/// Compares what an operation finds with what it would find without row security.
async fn hidden(stage: &mut Stage, tried: &Tried, round: u64) -> Result<Hidden, Error> {
    let Tried { operation, met, draws, .. } = tried;
    if met * 2 >= *draws {
        return Ok(Hidden::No);
    }
    let without = stage.tried_as_owner(vec![operation.clone()], round).await?;
    let without = without.first().map_or(0, |tried| tried.met);
    // One row, not a list of rows.
    let single = !operation.statements.iter().any(|statement| statement.sql.contains(" LIMIT "));
    let few =
        format!("rows were found in {met} of {draws} tries, and in {without} without row security");
    Ok(match (*met, without) {
        (0, 0) => Hidden::Said(few),
        (0, _) => Hidden::Mostly(few),
        (met, without) if met * 2 >= without => Hidden::No,
        _ if single => Hidden::Mostly(few),
        _ => Hidden::Said(few),
    })
}

/// The operation that one goes on with.
fn followed(operation: &OperationSpec) -> Option<&str> {
    operation.parameters.values().find_map(|parameter| match parameter {
        Parameter::Follow(follow) => Some(follow.operation.as_str()),
        Parameter::Generated { .. } => None,
    })
}
