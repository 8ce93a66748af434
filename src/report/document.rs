//! What every format is rendered from.

use crate::judge::course::Course;
use crate::scenario::Scenario;

use super::names::Names;
use super::result::ResultFile;

/// The results of a run, and what else its histories tell.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    pub result: &'a ResultFile,
    /// One per trial of the result, in its order; None, or none at all: the histories are not
    /// there, and only what the result holds can be told.
    pub courses: &'a [Option<Course>],
    /// Where the result is, as the command that repeats a trial names it.
    pub path: &'a str,
}

impl<'a> Document<'a> {
    pub fn course(&self, trial: usize) -> Option<&'a Course> {
        self.courses.get(trial).and_then(Option::as_ref)
    }

    pub fn names(&self) -> Names {
        Names::of(&self.result.trials, &self.result.crash_matrices)
    }

    /// The scenario of that name as it was run; None: the result does not hold it.
    pub fn scenario(&self, name: &str) -> Option<Scenario> {
        serde_json::from_value(self.result.scenarios.get(name)?.clone()).ok()
    }
}
