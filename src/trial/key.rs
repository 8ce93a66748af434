//! A trial's key: scenario, one value per axis, repetition.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One way in which trials of a scenario differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Axis(Cow<'static, str>);

impl Axis {
    /// What the database is before the change.
    pub const STATE: Axis = Axis::named("state");
    /// A named set of background sessions and settings.
    pub const CONDITION: Axis = Axis::named("condition");
    /// Rows of the tables, where several sizes are tried.
    pub const SIZE: Axis = Axis::named("size");
    /// The server's major version.
    pub const SERVER: Axis = Axis::named("server");
    /// What is done to the change on purpose, and where.
    pub const FAULT: Axis = Axis::named("fault");

    /// The order in which a label names them; others follow by name.
    const ORDER: [Axis; 5] = [Axis::STATE, Axis::CONDITION, Axis::SIZE, Axis::SERVER, Axis::FAULT];

    /// An axis of this name.
    pub const fn named(name: &'static str) -> Axis {
        Axis(Cow::Borrowed(name))
    }

    /// Its name: `state`, `size`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn rank(&self) -> usize {
        Axis::ORDER.iter().position(|known| known == self).unwrap_or(Axis::ORDER.len())
    }

    /// How a label joins a value of this axis to what comes before it.
    fn joined(&self, value: &str) -> String {
        match self.as_str() {
            "state" => format!(" from {value}"),
            "condition" => format!(" under {value}"),
            "size" => format!(" at {value}"),
            "server" => format!(" on PostgreSQL {value}"),
            "fault" => format!(", {value}"),
            other => format!(", {other} {value}"),
        }
    }
}

impl Ord for Axis {
    fn cmp(&self, other: &Axis) -> std::cmp::Ordering {
        (self.rank(), self.as_str()).cmp(&(other.rank(), other.as_str()))
    }
}

impl PartialOrd for Axis {
    fn partial_cmp(&self, other: &Axis) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a trial lies on one axis.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
struct Coordinate {
    axis: Axis,
    value: String,
}

/// The identity of a trial. Two trials with one key are the same trial, executed twice.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct TrialKey {
    /// Name of the scenario.
    pub scenario: String,
    /// In the order of the axes; an axis on which nothing varies is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    axes: Vec<Coordinate>,
    /// Which execution of several, from 1.
    pub repetition: u32,
}

impl TrialKey {
    /// The first execution, on no axis.
    pub fn new(scenario: impl Into<String>) -> TrialKey {
        TrialKey { scenario: scenario.into(), axes: Vec::new(), repetition: 1 }
    }

    /// The same trial elsewhere on the axis.
    #[must_use]
    pub fn with(mut self, axis: Axis, value: impl Into<String>) -> TrialKey {
        self.axes.retain(|known| known.axis != axis);
        let at = self.axes.partition_point(|known| known.axis < axis);
        self.axes.insert(at, Coordinate { axis, value: value.into() });
        self
    }

    /// The same trial without a place on that axis.
    #[must_use]
    pub fn without(mut self, axis: &Axis) -> TrialKey {
        self.axes.retain(|known| known.axis != *axis);
        self
    }

    /// The same trial, executed as this repetition, from 1.
    #[must_use]
    pub fn repeated(mut self, repetition: u32) -> TrialKey {
        self.repetition = repetition;
        self
    }

    /// Its place on the axis; None: nothing varies on it.
    pub fn get(&self, axis: &Axis) -> Option<&str> {
        self.axes.iter().find(|known| known.axis == *axis).map(|known| known.value.as_str())
    }

    /// The name of the starting state; empty: the key does not say.
    pub fn state(&self) -> &str {
        self.get(&Axis::STATE).unwrap_or_default()
    }

    /// The axes on which the trial has a place, in their order.
    pub fn axes(&self) -> impl Iterator<Item = (&Axis, &str)> {
        self.axes.iter().map(|at| (&at.axis, at.value.as_str()))
    }

    /// The axes on which these trials differ.
    pub fn varying<'k>(keys: impl Iterator<Item = &'k TrialKey> + Clone) -> BTreeSet<Axis> {
        let axes: BTreeSet<Axis> =
            keys.clone().flat_map(|key| key.axes.iter().map(|at| at.axis.clone())).collect();
        let differs =
            |axis: &Axis| keys.clone().map(|key| key.get(axis)).collect::<BTreeSet<_>>().len() > 1;
        axes.into_iter().filter(differs).collect()
    }

    /// For people: the scenario, the axes that vary, the repetition from the second on.
    pub fn label(&self, varying: &BTreeSet<Axis>) -> String {
        format!("{}{}", self.scenario, self.joined(varying))
    }

    /// The label without its scenario: what tells the trial from others of the scenario. Empty:
    /// nothing does.
    pub fn place(&self, varying: &BTreeSet<Axis>) -> String {
        self.joined(varying).trim_start_matches([',', ' ']).to_owned()
    }

    /// What a label adds to the scenario.
    fn joined(&self, varying: &BTreeSet<Axis>) -> String {
        let varying = self.axes.iter().filter(|at| varying.contains(&at.axis));
        let mut joined: String = varying.map(|at| at.axis.joined(&at.value)).collect();
        if self.repetition > 1 {
            joined.push_str(&format!(", repetition {}", self.repetition));
        }
        joined
    }

    /// Where its files are, below the directory of a run: a directory per axis that varies. A value
    /// of an axis other than the starting state says which axis it is of.
    pub fn path(&self, varying: &BTreeSet<Axis>) -> PathBuf {
        let mut path = PathBuf::from(file_name(&self.scenario));
        for at in self.axes.iter().filter(|at| varying.contains(&at.axis)) {
            path.push(match at.axis == Axis::STATE {
                true => file_name(&at.value),
                false => file_name(&format!("{}-{}", at.axis, at.value)),
            });
        }
        if self.repetition > 1 {
            path.push(format!("repetition-{}", self.repetition));
        }
        path
    }
}

/// With every axis, for errors and logs.
impl fmt::Display for TrialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.axes.iter().map(|at| at.axis.clone()).collect();
        f.pad(&self.label(&all))
    }
}

/// As the name of one file or directory: no separator, no name that a file system gives a meaning.
fn file_name(value: &str) -> String {
    let safe = |c: char| match c.is_alphanumeric() || "-_.=+@,".contains(c) {
        true => c,
        false => '-',
    };
    let name: String = value.chars().map(safe).collect();
    match name.trim_matches('.').is_empty() {
        true => format!("-{name}"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> TrialKey {
        TrialKey::new("spans").with(Axis::SERVER, "15").with(Axis::STATE, "base")
    }

    #[test]
    fn the_order_of_the_axes_does_not_depend_on_the_order_in_which_they_were_set() {
        let other = TrialKey::new("spans").with(Axis::STATE, "base").with(Axis::SERVER, "15");
        assert_eq!(key(), other);
        assert_eq!(key().to_string(), "spans from base on PostgreSQL 15");
    }

    #[test]
    fn a_label_names_only_what_varies() {
        let keys = [key(), key().with(Axis::STATE, "empty")];
        let varying = TrialKey::varying(keys.iter());
        assert_eq!(keys[1].label(&varying), "spans from empty");
        assert_eq!(keys[1].path(&varying), PathBuf::from("spans/empty"));
        assert_eq!(key().repeated(2).label(&BTreeSet::new()), "spans, repetition 2");
    }

    #[test]
    fn an_axis_that_nobody_knows_has_a_label_and_a_path() {
        let weather = Axis::named("weather");
        let keys = [key().with(weather.clone(), "rain"), key().with(weather, "sun")];
        let varying = TrialKey::varying(keys.iter());
        assert_eq!(keys[0].label(&varying), "spans, weather rain");
        assert_eq!(keys[0].path(&varying), PathBuf::from("spans/weather-rain"));
    }

    #[test]
    fn no_value_leaves_the_directory_of_the_run() {
        let key = TrialKey::new("..").with(Axis::CONDITION, "../../etc");
        let path = key.path(&[Axis::CONDITION].into());
        assert_eq!(path, PathBuf::from("-../condition-..-..-etc"));
    }

    #[test]
    fn a_key_reads_back_from_its_json() {
        let json = serde_json::to_string(&key()).unwrap();
        assert_eq!(serde_json::from_str::<TrialKey>(&json).unwrap(), key());
    }
}
