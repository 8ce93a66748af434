//! What the result says nothing of. A verdict holds for what was tried, and a reader who is not
//! shown the rest takes it for more. Every sentence follows from the scenario and the result.

use std::collections::BTreeSet;

use crate::history::SamplerReport;
use crate::report::Document;
use crate::result::{Judgement, Matrix, RerunEnding};
use crate::scenario::{Base, ConditionKind, Scenario};
use crate::schema::MAJORS;
use crate::stats::grouped;
use crate::trial::{Axis, FaultKind};

/// What was not tried of a scenario, a sentence each.
pub fn not_tried(document: &Document<'_>, name: &str) -> Vec<String> {
    let of_it = |judgement: &&Judgement| judgement.trial.key.scenario == name;
    let trials: Vec<&Judgement> = document.result.trials.iter().filter(of_it).collect();
    let matrix = document.result.crash_matrices.iter().find(|m| m.trial.key.scenario == name);
    let scenario = document.scenario(name);
    let mut listed = Vec::new();
    if let Some(shard) = document.result.shard {
        let (index, of) = (shard.index, shard.of);
        listed
            .push(format!("this is part {index} of {of} of a run; the other parts are elsewhere"));
    }
    if trials.is_empty() {
        listed.push("no trial with traffic and a whole change is in this result".to_owned());
    }
    if let Some(scenario) = &scenario {
        listed.extend(states(scenario, &trials));
        listed.extend(conditions(scenario, &trials));
        listed.extend(sizes(scenario, &trials));
        listed.extend(repetitions(scenario, &trials));
        listed.extend(reruns(&trials));
    } else {
        listed.push(
            "the scenario is not in this result, so what it declares and this run left out is not \
             known"
                .to_owned(),
        );
    }
    listed.extend(faults(scenario.as_ref(), matrix));
    listed.extend(servers(&trials, matrix));
    listed.extend(unseen(&trials));
    listed
}

fn states(scenario: &Scenario, trials: &[&Judgement]) -> Vec<String> {
    let mut listed = Vec::new();
    let here = |name: &str| trials.iter().any(|trial| trial.trial.key.state() == name);
    let declared = scenario.starting_states();
    let absent: Vec<&str> =
        declared.iter().map(|state| state.name.as_str()).filter(|name| !here(name)).collect();
    if !absent.is_empty() && !trials.is_empty() {
        let absent = absent.join(", ");
        listed.push(format!(
            "starting states that the scenario declares, not in this result: {absent}"
        ));
    }
    let empty = declared.iter().any(|state| state.from == Base::Empty);
    let part_way = |state: &crate::scenario::State| {
        state.path.as_ref().is_some_and(|path| path.stop.is_some())
    };
    let kinds = [
        (empty, "an empty database"),
        (declared.iter().any(|state| state.path.is_some()), "one that came by another path"),
        (declared.iter().any(part_way), "one that was left part-way"),
    ];
    let untried: Vec<&str> =
        kinds.into_iter().filter(|(there, _)| !there).map(|(_, kind)| kind).collect();
    if !untried.is_empty() {
        listed.push(format!("no starting state is {}", any_of(&untried)));
    }
    listed
}

/// What goes on beside the change.
fn conditions(scenario: &Scenario, trials: &[&Judgement]) -> Vec<String> {
    let mut listed = Vec::new();
    let was_tried =
        |name: &str| trials.iter().any(|trial| trial.trial.key.get(&Axis::CONDITION) == Some(name));
    let own = scenario.disturbances.iter().map(|disturbance| disturbance.name.as_str());
    let of_conditions = scenario.conditions.iter().map(|condition| condition.name.as_str());
    let tried: Vec<&str> = own.chain(of_conditions.filter(|name| was_tried(name))).collect();
    let kinds = ConditionKind::ALL.iter().map(|kind| kind.as_str());
    let others: Vec<&str> = kinds.filter(|kind| *kind != "calm" && !tried.contains(kind)).collect();
    let others = others.join(", ");
    listed.push(match tried.iter().all(|name| *name == "calm") {
        true => format!("nothing but the application was in the way: no {others}"),
        false => format!("nothing was in the way but {}: no {others}", tried.join(", ")),
    });
    if scenario.traffic.operations.is_empty() {
        listed.push("no application ran, so no operation could be blocked".to_owned());
    } else {
        let rate = scenario.traffic.rate.per_s();
        listed.push(format!("no other rate than {rate} operations a second, and no other mix"));
    }
    if scenario.change.runners == 1 {
        listed.push("no second runner applied the change at the same time".to_owned());
    }
    if scenario.invariants.is_empty() {
        listed.push("no read is declared that has to return the same, or keep its plan".to_owned());
    }
    listed
}

fn sizes(scenario: &Scenario, trials: &[&Judgement]) -> Option<String> {
    let declared = scenario.declared_sizes();
    let mut listed = BTreeSet::new();
    for trial in trials {
        let wanted = match scenario.state(trial.trial.key.state()) {
            Some(state) => state.sizes(&declared),
            None => declared.clone(),
        };
        for (table, rows) in &trial.trial.sizes {
            let full = wanted.rows(table);
            if *rows < full {
                let (rows, full) = (grouped(*rows), grouped(full));
                listed.insert(format!("{rows} of {full} in {table}"));
            }
        }
    }
    let listed: Vec<String> = listed.into_iter().collect();
    (!listed.is_empty()).then(|| format!("fewer rows than are declared: {}", listed.join(", ")))
}

fn repetitions(scenario: &Scenario, trials: &[&Judgement]) -> Option<String> {
    let ran = |state: &str| trials.iter().filter(|trial| trial.trial.key.state() == state).count();
    let states = scenario.starting_states();
    let once = !trials.is_empty() && states.iter().all(|state| ran(&state.name) <= 1);
    once.then(|| "each trial ran once, so how much its numbers vary is not known".to_owned())
}

/// Where a change was not applied a second time, and why.
fn reruns(trials: &[&Judgement]) -> Option<String> {
    let left_out = |trial: &&Judgement| trial.ending.rerun == Some(RerunEnding::LeftOut);
    trials.iter().any(left_out).then(|| {
        "the finished change was not run again: the command keeps no versions that are known, so \
         a second run would do all of its work twice (--rerun, or `rerun = true`, runs it again)"
            .to_owned()
    })
}

fn faults(scenario: Option<&Scenario>, matrix: Option<&Matrix>) -> Vec<String> {
    let Some(matrix) = matrix else {
        let declared = scenario.is_some_and(|scenario| scenario.crash.is_some());
        let why = match declared {
            true => "it is declared, and this run left it out",
            false => "the scenario declares none",
        };
        return vec![format!(
            "no crash matrix: what is left where the change is interrupted is not known ({why})"
        )];
    };
    let mut listed = Vec::new();
    let absent = FaultKind::ALL.iter().filter(|kind| !matrix.columns.contains(kind));
    let absent: Vec<&str> = absent.map(|kind| kind.as_str()).collect();
    if !absent.is_empty() {
        listed.push(format!(
            "kinds of faults that are not in the crash matrix: {}",
            absent.join(", ")
        ));
    }
    let without = matrix.cases.iter().filter(|case| case.outcome.is_none());
    let not_injected = without.clone().filter(|case| !case.broken).count();
    match without.filter(|case| case.broken).count() {
        0 => {}
        1 => listed.push("1 case of the crash matrix has no outcome".to_owned()),
        n => {
            listed.push(format!("{} cases of the crash matrix have no outcome", grouped(n as u64)))
        }
    }
    if not_injected > 0 {
        let faults = if not_injected == 1 { "fault" } else { "faults" };
        let not_injected = grouped(not_injected as u64);
        listed.push(format!("{not_injected} {faults} of the crash matrix could not be injected"));
    }
    if matrix.random.is_none() {
        listed.push("no fault at a random moment within a statement".to_owned());
    }
    if scenario.and_then(|s| s.crash.as_ref()).is_some_and(|crash| !crash.traffic) {
        listed.push("no application wrote while the fault was injected".to_owned());
    }
    listed
}

fn servers(trials: &[&Judgement], matrix: Option<&Matrix>) -> Option<String> {
    let facts = trials.iter().map(|trial| &trial.trial).chain(matrix.map(|m| &m.trial));
    let majors: BTreeSet<u32> =
        facts.map(|trial| trial.server.version_num / 10_000).filter(|major| *major > 0).collect();
    let others: Vec<String> =
        MAJORS.filter(|major| !majors.contains(major)).map(|major| major.to_string()).collect();
    let tried: Vec<String> = majors.iter().map(ToString::to_string).collect();
    let listed = format!("PostgreSQL {} only, not {}", tried.join(", "), others.join(", "));
    (!tried.is_empty() && !others.is_empty()).then_some(listed)
}

/// What the measurement cannot see.
fn unseen(trials: &[&Judgement]) -> Vec<String> {
    let mut listed = Vec::new();
    let interval = trials.iter().map(|trial| trial.measured.sampler.interval_us).max();
    if let Some(interval) = interval.filter(|interval| interval.0 > 0) {
        listed.push(format!(
            "lock waits shorter than {interval} are seen by chance alone: the lock table was \
             looked at that often"
        ));
    }
    let samplers = || trials.iter().map(|trial| &trial.measured.sampler);
    let gaps: usize = samplers().map(|sampler| sampler.gaps.len()).sum();
    if let Some(longest) = samplers().filter_map(SamplerReport::longest_gap).max() {
        listed.push(format!(
            "what was in {gaps} gaps between samples of the lock table, the longest {longest}"
        ));
    }
    let with_traffic = || trials.iter().filter(|trial| trial.measured.operations.scheduled > 0);
    if with_traffic().count() > 0 && with_traffic().all(|trial| trial.measured.ledger.is_none()) {
        listed.push(
            "acknowledged writes were not looked for in the tables: no ledger is kept".into(),
        );
    }
    listed
}

/// `a`, `a or b`, `a, b or c`.
fn any_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
