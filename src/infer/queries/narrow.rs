//! Operations after they were tried on rows: values that made one fail are taken out.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::scenario::{Generator, OperationSpec, Parameter};

/// Draws that have to succeed before any values are taken out.
const SUCCEEDED_MIN: usize = 3;
/// So many values that have succeeded are enough without those that were not tried.
const ENOUGH: usize = 8;

/// An operation that was tried with values that were drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rehearsed {
    /// By draw: the parameters' values in the order of their names, and what the server said.
    pub draws: Vec<(Vec<Option<String>>, Option<String>)>,
}

/// What came of a rehearsal.
#[derive(Clone, Debug, PartialEq)]
pub enum Narrowed {
    /// It never failed.
    Fits,
    /// With fewer values; it is to be tried again.
    Fewer(OperationSpec),
    /// It fails whatever the values are, with what the server said.
    Fails(String),
}

impl Rehearsed {
    fn error(&self) -> Option<&str> {
        let mut errors = self.draws.iter().filter_map(|(_, error)| error.as_deref());
        errors.next()
    }
}

/// What remains of an operation.
pub fn narrowed(operation: &OperationSpec, rehearsed: &Rehearsed) -> Narrowed {
    let Some(error) = rehearsed.error() else { return Narrowed::Fits };
    let succeeded = rehearsed.draws.iter().filter(|(_, error)| error.is_none()).count();
    if succeeded < SUCCEEDED_MIN {
        return Narrowed::Fails(error.to_owned());
    }
    let all = rehearsed.draws.len() - succeeded;
    let mut best: Option<(usize, OperationSpec)> = None;
    for group in groups(operation) {
        let of = |values: &[Option<String>]| -> Tuple {
            group.iter().map(|at| values[*at].clone()).collect()
        };
        let sides = |failed: bool| -> BTreeSet<Tuple> {
            let draws = rehearsed.draws.iter().filter(|(_, error)| error.is_some() == failed);
            draws.map(|(values, _)| of(values)).collect()
        };
        let (bad, tried) = (sides(true), sides(false));
        let good: BTreeSet<&Tuple> = tried.difference(&bad).collect();
        // Those that would go as well although they succeed: the fewer, the likelier the reason.
        let lost = rehearsed.draws.iter().filter(|(values, _)| bad.contains(&of(values))).count();
        let lost = lost - all;
        if good.is_empty() || best.as_ref().is_some_and(|(fewest, _)| *fewest <= lost) {
            continue;
        }
        // Of many values only a part was tried; those that succeeded are enough.
        let enough = good.len() >= ENOUGH;
        let stays = |tuple: &Tuple| match enough {
            true => good.contains(tuple),
            false => !bad.contains(tuple),
        };
        best = Some((lost, with_only(operation, &group, stays)));
    }
    match best {
        Some((_, fewer)) => Narrowed::Fewer(fewer),
        None => Narrowed::Fails(error.to_owned()),
    }
}

/// Values of parameters that are drawn together.
type Tuple = Vec<Option<String>>;

/// Positions of parameters whose values can be taken out: each by itself, then those of one file.
fn groups(operation: &OperationSpec) -> Vec<Vec<usize>> {
    let generators: Vec<Option<&Generator>> = operation
        .parameters
        .values()
        .map(|parameter| match parameter {
            Parameter::Generated { generator, .. } => Some(generator),
            Parameter::Follow(_) => None,
        })
        .collect();
    let mut files: Vec<(&str, Vec<usize>)> = Vec::new();
    let mut found = Vec::new();
    for (at, generator) in generators.iter().enumerate() {
        match generator {
            Some(Generator::Choice { .. }) => found.push(vec![at]),
            Some(Generator::Pool { file, .. }) => {
                match files.iter_mut().find(|(known, _)| known == file) {
                    Some((_, group)) => group.push(at),
                    None => files.push((file, vec![at])),
                }
            }
            _ => {}
        }
    }
    found.extend(files.into_iter().map(|(_, group)| group));
    found
}

/// The operation with those values of the group that stay.
fn with_only(
    operation: &OperationSpec,
    group: &[usize],
    stays: impl Fn(&Tuple) -> bool,
) -> OperationSpec {
    let mut operation = operation.clone();
    let name = operation.name.clone();
    let columns: Vec<Arc<[Option<String>]>> = operation
        .parameters
        .values()
        .enumerate()
        .filter(|(at, _)| group.contains(at))
        .filter_map(|(_, parameter)| match parameter {
            Parameter::Generated { generator: Generator::Pool { values, .. }, .. } => {
                Some(Arc::clone(values))
            }
            _ => None,
        })
        .collect();
    let lines = columns.iter().map(|values| values.len()).min().unwrap_or(0);
    let kept: Vec<usize> = (0..lines)
        .filter(|line| {
            let tuple: Tuple = columns.iter().map(|values| values[*line].clone()).collect();
            stays(&tuple)
        })
        .collect();
    for (at, parameter) in operation.parameters.values_mut().enumerate() {
        let Parameter::Generated { generator, null_fraction } = parameter else { continue };
        if !group.contains(&at) {
            continue;
        }
        match generator {
            Generator::Choice { values, weights } => {
                let good = |value: &String| stays(&vec![Some(value.clone())]);
                let kept: Vec<(String, f64)> = values
                    .iter()
                    .zip(weights.iter().copied())
                    .filter(|(value, _)| good(value))
                    .map(|(value, weight)| (value.clone(), weight))
                    .collect();
                (*values, *weights) = kept.into_iter().unzip();
            }
            Generator::Pool { file, values, .. } => {
                let lines = kept.iter().map(|line| values[*line].clone());
                *values = lines.collect();
                let own = file.trim_start_matches("pools/").trim_end_matches(".tsv");
                let own = own.rsplit("--").next().unwrap_or(own);
                *file = format!("pools/app-{name}--{own}.tsv");
            }
            _ => {}
        }
        if !stays(&vec![None; group.len()]) {
            *null_fraction = 0.0;
        }
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::On;

    fn operation(generator: Generator) -> OperationSpec {
        let parameter = Parameter::Generated { generator, null_fraction: 0.1 };
        OperationSpec {
            name: "pay".to_owned(),
            weight: 1.0,
            statements: Vec::new(),
            parameters: [("status".to_owned(), parameter)].into(),
            ledger: None,
            on: On::Primary,
        }
    }

    fn draws(outcomes: &[(&str, bool)]) -> Rehearsed {
        let draw = |(value, ok): &(&str, bool)| {
            (vec![Some((*value).to_owned())], (!ok).then(|| "refused".to_owned()))
        };
        Rehearsed { draws: outcomes.iter().map(draw).collect() }
    }

    fn choice(values: &[&str]) -> Generator {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        Generator::Choice { weights: vec![1.0; values.len()], values }
    }

    #[test]
    fn a_value_that_always_fails_is_taken_out() {
        let tried = draws(&[("a", true), ("b", false), ("a", true), ("c", true), ("b", false)]);
        let Narrowed::Fewer(fewer) = narrowed(&operation(choice(&["a", "b", "c", "d"])), &tried)
        else {
            panic!("narrowed");
        };
        assert_eq!(fewer.parameters, operation(choice(&["a", "c", "d"])).parameters);
    }

    #[test]
    fn one_that_fails_whatever_its_values_are_is_given_up() {
        let tried = draws(&[("a", true), ("a", false), ("a", true), ("a", true)]);
        let failed = Narrowed::Fails("refused".to_owned());
        assert_eq!(narrowed(&operation(choice(&["a"])), &tried), failed);
        assert_eq!(narrowed(&operation(Generator::Uuid), &tried), failed);
        assert_eq!(narrowed(&operation(choice(&["a"])), &draws(&[("a", false)])), failed);
    }

    #[test]
    fn one_that_never_fails_stays() {
        assert_eq!(narrowed(&operation(choice(&["a"])), &draws(&[("a", true)])), Narrowed::Fits);
    }

    #[test]
    fn lines_of_a_file_go_together() {
        let pool = |file: &str, values: &[Option<&str>]| Generator::Pool {
            file: file.to_owned(),
            column: "status".to_owned(),
            values: values.iter().map(|value| value.map(str::to_owned)).collect(),
            each: None,
        };
        let before = pool("pools/t.tsv", &[Some("a"), Some("b"), None]);
        let tried = draws(&[("a", true), ("b", false), ("a", true), ("a", true)]);
        let Narrowed::Fewer(fewer) = narrowed(&operation(before), &tried) else {
            panic!("narrowed");
        };
        let after = pool("pools/app-pay--t.tsv", &[Some("a"), None]);
        assert_eq!(fewer.parameters, operation(after).parameters);
    }
}
