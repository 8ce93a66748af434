//! What replaced views and functions answer after the change, beside what their old definitions
//! answer on the same rows. Operations that read them go on succeeding, whatever they return.

use std::collections::{BTreeMap, BTreeSet};

use crate::drive::CalledFunction;
use crate::history::{AnswersCompared, Event, Recorder};
use crate::scenario::Scenario;
use crate::schema::{Objects, Replaced, ReplacedFunction, Users};

use super::super::Error;
use super::super::execute::{Stage, went_down};

/// What cannot be said where it fails.
pub const STAGE: &str = "comparing what replaced views and functions answer";

/// Asks each that the application may use with both definitions, and records what they answered.
/// Nobody writes meanwhile. Where nothing was replaced, nothing is done.
pub async fn compare(stage: &Stage<'_>) -> Result<(), Error> {
    let recorder = stage.recorder();
    let Some((before, after)) = catalogues(recorder) else { return Ok(()) };
    let mut replaced = Replaced::between(&before, &after);
    if replaced.is_empty() || went_down(recorder) {
        return Ok(());
    }
    let used = Used::of(&stage.spec.scenario, &before, &after);
    replaced.views.retain(|view| used.objects.contains(&view.object()));
    let functions = std::mem::take(&mut replaced.functions);
    let numbered = numbered(&after);
    let functions: Vec<CalledFunction> =
        functions.into_iter().filter_map(|function| used.called(function, &numbered)).collect();
    if replaced.views.is_empty() && functions.is_empty() {
        return Ok(());
    }
    let began = recorder.clock().now();
    let compared = stage.effects.answers(stage.at, stage.spec, &replaced, &functions).await?;
    let mut objects = compared;
    objects.sort_by(|one, other| one.object.cmp(&other.object));
    let took_us = recorder.clock().now().saturating_sub(began);
    stage.record(Event::Answers(Box::new(AnswersCompared { objects, took_us })));
    Ok(())
}

/// Views, functions and columns before the change, and after its last attempt.
fn catalogues(recorder: &Recorder) -> Option<(Objects, Objects)> {
    const KINDS: [&str; 3] = ["view ", "function ", "column "];
    let of = |objects: &Objects| -> Objects {
        let kept = objects.iter().filter(|(name, _)| KINDS.iter().any(|k| name.starts_with(k)));
        kept.map(|(name, properties)| (name.clone(), properties.clone())).collect()
    };
    let (mut before, mut after) = (None, None);
    recorder.any(|entry| {
        if let Event::Catalogue(snapshot) = &entry.event {
            let side = if snapshot.after.is_none() { &mut before } else { &mut after };
            *side = Some(of(&snapshot.objects));
        }
        false
    });
    before.zip(after)
}

/// What the statements of the application use.
struct Used {
    objects: BTreeSet<String>,
    /// By the object: operations, and places of statements in them.
    statements: BTreeMap<String, BTreeSet<(usize, usize)>>,
}

impl Used {
    fn of(scenario: &Scenario, before: &Objects, after: &Objects) -> Used {
        let users = Users::of(before, after);
        let mut statements: BTreeMap<String, BTreeSet<(usize, usize)>> = BTreeMap::new();
        for (kind, operation) in scenario.traffic.operations.iter().enumerate() {
            for (place, statement) in operation.statements.iter().enumerate() {
                for object in users.used_by(&statement.sql) {
                    statements.entry(object.to_owned()).or_default().insert((kind, place));
                }
            }
        }
        Used { objects: statements.keys().cloned().collect(), statements }
    }

    /// None: no statement calls it.
    fn called(
        &self,
        function: ReplacedFunction,
        numbered: &BTreeSet<String>,
    ) -> Option<CalledFunction> {
        let statements = self.statements.get(&function.object())?.clone();
        Some(CalledFunction { function, statements, numbered: numbered.clone() })
    }
}

/// Names of columns to which the server gives another value each time.
fn numbered(after: &Objects) -> BTreeSet<String> {
    const EACH_TIME: [&str; 5] =
        ["nextval(", "gen_random_uuid(", "uuid_generate_", "random(", "clock_timestamp("];
    let columns = after.iter().filter_map(|(object, properties)| {
        let (_, column) = object.strip_prefix("column ")?.rsplit_once('.')?;
        let default = properties.get("default").map_or("", String::as_str);
        let differs = EACH_TIME.iter().any(|call| default.contains(call));
        (differs || properties.contains_key("identity"))
            .then(|| column.trim_matches('"').to_owned())
    });
    columns.collect()
}
