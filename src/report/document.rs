//! What every format is rendered from.

use crate::judge::timeline::Timeline;
use crate::scenario::Scenario;

use super::names::Names;
use crate::result::ResultFile;

/// The results of a run, and what else its histories tell.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// What is rendered.
    pub result: &'a ResultFile,
    /// One per trial of the result, in its order; None, or none at all: the histories are not
    /// there, and only what the result holds can be shown.
    pub timelines: &'a [Option<Timeline>],
    /// Where the result is, as the command that repeats a trial names it; empty: there is no
    /// result.json, but histories alone.
    pub path: &'a str,
}

impl<'a> Document<'a> {
    /// The timeline of a trial by its index in the result; None: its history is not there.
    pub fn timeline(&self, trial: usize) -> Option<&'a Timeline> {
        self.timelines.get(trial).and_then(Option::as_ref)
    }

    /// The command that runs the numbered trial or matrix again, for a shell.
    pub fn repro(&self, number: usize) -> Option<String> {
        (!self.path.is_empty()).then(|| repro_command(self.path, number))
    }

    /// The names by which this document calls its trials.
    pub fn names(&self) -> Names {
        Names::of(&self.result.trials, &self.result.crash_matrices)
    }

    /// The scenario of that name as it was run; None: the result does not hold it.
    pub fn scenario(&self, name: &str) -> Option<Scenario> {
        Some(Scenario::from(self.result.scenarios.get(name)?.clone()))
    }
}

/// The command that runs a trial of the result at this path again, for a shell.
pub fn repro_command(path: &str, number: usize) -> String {
    format!("pgauntlet repro {} --trial {number}", quoted(path))
}

/// The command that shows all of the result at this path, for a shell.
pub fn report_command(path: &str) -> String {
    format!("pgauntlet report {}", quoted(path))
}

/// For a shell, where it would read something else.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%=,".contains(c);
    match !path.is_empty() && path.chars().all(plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_would_read_something_else() {
        assert_eq!(quoted("out/result.json"), "out/result.json");
        assert_eq!(quoted("my out/it's"), "'my out/it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
