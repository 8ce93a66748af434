//! pgauntlet.toml: where it is, and the arguments with what it says.

use std::path::{Path, PathBuf};

use crate::run::ExitStatus;
use crate::scenario::{
    self, Acceptance, Budget, ConditionKind, Demands, FailsOn, PROJECT_FILE, ProjectChange,
    ProjectDefaults, TrafficKind,
};

use super::super::args::{FailOnVerdict, TrafficMix, TryArguments};
use super::super::{bad_input, tried};

/// Marks the root of a repository, above which nothing is the project's.
const REPOSITORY: &str = ".git";

/// Under which conditions a change is tried where nothing says it.
const USUAL: &[ConditionKind] = &[ConditionKind::Calm, ConditionKind::Backup];
/// The same where more time is given.
const THOROUGH: &[ConditionKind] = &[
    ConditionKind::Calm,
    ConditionKind::Backup,
    ConditionKind::OldSnapshot,
    ConditionKind::IdleInTransaction,
    ConditionKind::ShortWriters,
    ConditionKind::Vacuum,
];

/// The project that the program runs in.
pub struct Project {
    /// Where its pgauntlet.toml is; without one, the current directory.
    pub root: PathBuf,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What it says.
    pub defaults: ProjectDefaults,
}

impl Project {
    /// Of the current directory. What is wrong with its file has been complained of.
    pub fn here() -> Result<Project, ExitStatus> {
        let here = std::env::current_dir()
            .map_err(|error| bad_input(format!("find the current directory: {error}")))?;
        let Some(directory) = directory(&here) else {
            let root = PathBuf::from(".");
            return Ok(Project { root, file: None, defaults: ProjectDefaults::default() });
        };
        // Shown as it would be typed.
        let (root, file) = match directory == here {
            true => (PathBuf::from("."), PathBuf::from(PROJECT_FILE)),
            false => (directory.clone(), directory.join(PROJECT_FILE)),
        };
        let defaults = scenario::project_defaults(&file).map_err(tried::wrong)?;
        Ok(Project { root, file: Some(file), defaults })
    }

    /// The arguments, and what the file says where they say nothing. A scenario that is named has
    /// its own rows, traffic and limits.
    pub fn complete(&self, arguments: &TryArguments) -> TryArguments {
        let mut complete = arguments.clone();
        let trying = &self.defaults.trying;
        let of_file = trying.fail_on.map(fail_on);
        complete.fail_on = Some(complete.fail_on.or(of_file).unwrap_or_default());
        if arguments.scenario().is_some() {
            return complete;
        }
        let names_change = arguments.path().is_some() || arguments.command_line().is_some();
        if let (false, Some(ProjectChange::Path(path))) = (names_change, &self.defaults.change) {
            complete.change = Some(path.clone());
        }
        if arguments.command_line().is_none() {
            complete.how.tool = complete.how.tool.or(self.defaults.tool);
        }
        let says_size = arguments.trials.quick || arguments.trials.scale.is_some();
        // A clone has the rows that it has, and a matrix would take one for each case.
        let is_seeded = arguments.clones.clone.is_none();
        if is_seeded {
            let rows = self.defaults.rows.iter().cloned().map(|(table, n)| (Some(table), n));
            complete.trials.rows = rows.chain(complete.trials.rows).collect();
        }
        if is_seeded && !says_size && !arguments.thorough {
            complete.trials.quick = trying.budget == Some(Budget::Quick);
            complete.thorough = trying.budget == Some(Budget::Thorough);
        }
        let application = &mut complete.application;
        let of_file = trying.traffic.map(traffic);
        application.traffic = Some(application.traffic.or(of_file).unwrap_or_default());
        application.rate = application.rate.or(trying.rate);
        complete
    }

    /// The command that the file names as the change.
    pub fn command(&self) -> Option<&str> {
        match self.defaults.change.as_ref()? {
            ProjectChange::Command(line) => Some(line),
            ProjectChange::Path(_) => None,
        }
    }

    /// What is demanded of the change of that name, whose files accept so much themselves.
    pub fn demands(&self, change: &str, own: Vec<Acceptance>) -> Demands {
        let mut demands = self.defaults.demands.clone();
        let of_change = self.defaults.of_change.iter().filter(|(name, _)| name == change);
        let mut acceptances = own;
        acceptances.extend(of_change.map(|(_, acceptance)| acceptance.clone()));
        acceptances.append(&mut demands.acceptances);
        Demands { acceptances, ..demands }
    }

    /// The conditions under which the change is tried, by name.
    pub fn conditions(&self, arguments: &TryArguments) -> Vec<String> {
        let usual = if arguments.thorough { THOROUGH } else { USUAL };
        let named = self.defaults.trying.conditions.as_deref().unwrap_or(usual);
        match arguments.conditions.as_slice() {
            [] => named.iter().map(ToString::to_string).collect(),
            asked => asked.to_vec(),
        }
    }
}

/// The nearest directory with the file, up to the root of the repository; outside of one, only the
/// current one.
fn directory(here: &Path) -> Option<PathBuf> {
    let root = here.ancestors().find(|directory| directory.join(REPOSITORY).exists());
    let root = root.unwrap_or(here);
    let mut within = here.ancestors().take_while(|directory| directory.starts_with(root));
    within.find(|directory| directory.join(PROJECT_FILE).exists()).map(Path::to_owned)
}

fn fail_on(named: FailsOn) -> FailOnVerdict {
    match named {
        FailsOn::Unsafe => FailOnVerdict::Unsafe,
        FailsOn::Bounded => FailOnVerdict::Bounded,
        FailsOn::Unproven => FailOnVerdict::Unproven,
    }
}

fn traffic(named: TrafficKind) -> TrafficMix {
    match named {
        TrafficKind::Auto => TrafficMix::Auto,
        TrafficKind::ReadHeavy => TrafficMix::ReadHeavy,
        TrafficKind::Mixed => TrafficMix::Mixed,
        TrafficKind::WriteHeavy => TrafficMix::WriteHeavy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_within_the_repository_is_the_projects() {
        let outside = tempfile::tempdir().expect("a directory");
        let root = outside.path().join("repository");
        let service = root.join("services/orders");
        std::fs::create_dir_all(&service).expect("directories");
        let write = |path: &Path| std::fs::write(path.join(PROJECT_FILE), "").expect("a file");
        write(outside.path());
        assert_eq!(directory(&service), None);
        std::fs::create_dir(root.join(REPOSITORY)).expect("a directory");
        assert_eq!(directory(&service), None);
        write(&root);
        assert_eq!(directory(&service).as_ref(), Some(&root));
        write(&service);
        assert_eq!(directory(&service).as_ref(), Some(&service));
    }
}
