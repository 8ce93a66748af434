//! Runs one trial of a result again, from what the result says of it alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::history::TrialFacts;
use crate::provision;
use crate::result::{CrashRequest, Judgement, ResultFile};
use crate::scenario::{Outcome, Scenario, Sizes, rows_of};
use crate::trial::Axis;

use super::request::{Request, SizeRequest, Work};
use super::{Error, ExitStatus, ending, unit};

/// A trial or a crash matrix of a result.
#[derive(Clone, Debug)]
pub struct Repro<'r> {
    /// From 1; matrices count on after the trials.
    pub number: usize,
    /// The trial, or the matrix's undisturbed run.
    pub trial: &'r TrialFacts,
    /// The scenario as it was run.
    pub scenario: Scenario,
    /// Whether it is a crash matrix.
    pub is_matrix: bool,
}

/// The numbered one; without a number the first that was not as expected, or the only one.
///
/// # Errors
/// There is no such trial, or which one is meant is open.
pub fn repro(result: &ResultFile, number: Option<usize>) -> Result<Repro<'_>, Error> {
    let all: Vec<&TrialFacts> = result.facts().collect();
    let count = all.len();
    let chosen = number.or(first_unexpected(result)).or((count == 1).then_some(1));
    let Some(number) = chosen else { return Err(Error::WhichTrial { count }) };
    let Some(trial) = number.checked_sub(1).and_then(|at| all.get(at)) else {
        return Err(Error::NoSuchTrial { number, count });
    };
    if trial.server.source == provision::CLONE_SOURCE {
        return Err(Error::OfClone { number });
    }
    let Some(scenario) = result.scenarios.get(&trial.key.scenario) else {
        return Err(Error::NoScenario { scenario: trial.key.scenario.clone() });
    };
    let scenario = Scenario::from(scenario.clone());
    let is_matrix = number > result.trials.len();
    Ok(Repro { number, trial, scenario, is_matrix })
}

/// Number of the first that was not as expected.
pub fn first_unexpected(result: &ResultFile) -> Option<usize> {
    let trials = result.trials.iter().map(|judgement| judgement.as_expected);
    let mut all = trials.chain(result.crash_matrices.iter().map(|matrix| matrix.as_expected));
    all.position(|as_expected| !as_expected).map(|at| at + 1)
}

impl Repro<'_> {
    /// What has to be run. A state that is compared with the first one is run after it.
    pub fn request(
        &self,
        result: &ResultFile,
        server: provision::Request,
        out: Option<PathBuf>,
    ) -> Request {
        let Repro { trial, scenario, is_matrix, .. } = self;
        let unit = unit::trials(&trial.key);
        let of_unit = result.trials.iter().map(|j| &j.trial);
        let of_unit = of_unit.filter(|other| unit::trials(&other.key) == unit);
        let recorded = |of: &TrialFacts| (of.key.state().to_owned(), Sizes(of.asked()));
        let sizes = match is_matrix {
            // Of a matrix: the rows of its cases.
            true => {
                SizeRequest { rows: trial.asked().into_iter().collect(), ..SizeRequest::default() }
            }
            false => SizeRequest {
                of_states: of_unit.map(recorded).chain([recorded(trial)]).collect(),
                tried: trial.key.get(&Axis::SIZE).and_then(rows_of).into_iter().collect(),
                ..SizeRequest::default()
            },
        };
        let has_states = !scenario.states.is_empty();
        let mut scenario = scenario.clone();
        scenario.conditions.retain(|of| trial.key.get(&Axis::CONDITION) == Some(&of.name));
        Request {
            retry: None,
            scenarios: vec![scenario],
            work: if *is_matrix { Work::Crash } else { Work::Trials },
            // How many cases at once is this machine's matter.
            crash: CrashRequest { at_once: None, ..result.crash.clone() },
            state: has_states.then(|| trial.key.state().to_owned()),
            repeat: 1,
            share: None,
            sizes,
            server,
            other_majors: Vec::new(),
            clones: None,
            out,
            answers: false,
            at: Vec::new(),
        }
    }

    /// Whether it is the chosen one, run again: once, maybe on another server.
    pub fn is_again(&self, trial: &TrialFacts) -> bool {
        let here = |of: &TrialFacts| of.key.clone().without(&Axis::SERVER).repeated(1);
        here(trial) == here(self.trial)
    }

    /// What came of it then and now, a sentence each; empty: the same.
    pub fn differences(&self, then: &ResultFile, now: &ResultFile) -> Vec<String> {
        match self.is_matrix {
            true => self.of_matrices(then, now),
            false => self.of_trials(then, now),
        }
    }

    fn of_trials(&self, then: &ResultFile, now: &ResultFile) -> Vec<String> {
        let same = |j: &&Judgement| self.is_again(&j.trial);
        let (Some(then), Some(now)) =
            (then.trials.get(self.number - 1), now.trials.iter().find(same))
        else {
            return vec!["it did not come to its end".to_owned()];
        };
        let mut differences = Vec::new();
        if then.verdict != now.verdict {
            differences.push(format!("the verdict was {} and is {}", then.verdict, now.verdict));
        }
        let has = |of: &Judgement, kind| of.findings.iter().any(|f| f.kind == kind);
        let both = then.findings.iter().chain(&now.findings);
        let kinds: BTreeSet<_> = both.map(|finding| finding.kind).collect();
        for kind in kinds {
            match (has(then, kind), has(now, kind)) {
                (true, false) => differences.push(format!("{kind} was found and is not")),
                (false, true) => differences.push(format!("{kind} was not found and is")),
                _ => {}
            }
        }
        differences
    }

    fn of_matrices(&self, then: &ResultFile, now: &ResultFile) -> Vec<String> {
        let at = self.number - 1 - then.trials.len();
        let (Some(then), Some(now)) = (then.crash_matrices.get(at), now.crash_matrices.first())
        else {
            return vec!["it did not come to its end".to_owned()];
        };
        let mut differences = Vec::new();
        if then.verdict != now.verdict {
            differences.push(format!("the verdict was {} and is {}", then.verdict, now.verdict));
        }
        for case in &then.cases {
            let same = now.cases.iter().find(|c| {
                (c.fault.at.statement, c.fault.kind) == (case.fault.at.statement, case.fault.kind)
            });
            let now = same.and_then(|case| case.outcome);
            let known = case.outcome.is_some() && now.is_some();
            if known && case.outcome != now {
                let word = |o: Option<Outcome>| o.map_or("unknown", |o| o.as_str());
                let (was, is) = (word(case.outcome), word(now));
                let (kind, at) = (case.fault.kind, case.fault.at.statement);
                differences
                    .push(format!("{kind} at statement {at} ended with {was} and ends with {is}"));
            }
        }
        differences
    }
}

/// In what the surroundings of two trials differ, a line each.
pub fn environment(then: &TrialFacts, now: &TrialFacts) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differs = |what: &str, then: &str, now: &str| {
        if then != now {
            differences.push(format!("{what}: {} then, {} now", or_none(then), or_none(now)));
        }
    };
    differs("pgauntlet", &then.tool, &now.tool);
    differs("server", &then.server.version, &now.server.version);
    differs("server source", &then.server.source, &now.server.source);
    differs("system", &then.machine.system, &now.machine.system);
    differs("kernel", &then.machine.kernel, &now.machine.kernel);
    differs("processor", &then.machine.processor, &now.machine.processor);
    differs("cores", &then.machine.cores.to_string(), &now.machine.cores.to_string());
    let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
    differs("memory", &gib(then.machine.memory_bytes), &gib(now.machine.memory_bytes));
    let (was, is) = (&then.server.settings, &now.server.settings);
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for name in names {
        let value = |of: &BTreeMap<String, String>| {
            of.get(name).cloned().unwrap_or_else(|| "the default".to_owned())
        };
        differs(name, &value(was), &value(is));
    }
    differences
}

fn or_none(value: &str) -> &str {
    if value.is_empty() { "not known" } else { value }
}

/// What running it again amounts to.
pub fn reproduced(differences: &[String], now: &ResultFile) -> ExitStatus {
    match differences.is_empty() {
        true => ExitStatus::AsExpected,
        false if ending(now) == ExitStatus::Unproven => ExitStatus::Unproven,
        false => ExitStatus::NotAsExpected,
    }
}
