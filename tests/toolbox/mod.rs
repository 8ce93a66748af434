//! The bundled scenarios, and where the migration tools are that `ci/setup` installs and that some
//! of them run; `PGAUNTLET_TOOLS` says it.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::path::PathBuf;

use pgauntlet::scenario::{self, Scenario};
use tempfile::TempDir;

pub fn tools() -> PathBuf {
    let place = std::env::var_os("PGAUNTLET_TOOLS").map(PathBuf::from);
    let place = place.unwrap_or_else(|| PathBuf::from("/var/lib/pgauntlet-ci/tools"));
    assert!(
        place.join("python/bin/alembic").exists(),
        "no migration tools in {}: run ci/setup, or set PGAUNTLET_TOOLS",
        place.display()
    );
    place
}

/// A PATH with every tool on it.
pub fn path() -> String {
    let tools = tools();
    let directories = ["python/bin", "cargo/bin", "dbmate/bin", "node/node_modules/.bin"];
    let mut all: Vec<String> =
        directories.iter().map(|d| tools.join(d).display().to_string()).collect();
    all.push(std::env::var("PATH").expect("a PATH"));
    all.join(":")
}

/// The scenarios, and the directory in which their commands run.
pub fn bundled() -> (Vec<Scenario>, TempDir) {
    let unpacked = tempfile::tempdir().expect("a directory");
    scenario::bundled::unpack(unpacked.path()).expect("the bundled scenarios");
    let found = scenario::find(unpacked.path()).expect("scenario directories");
    let load = |directory: &std::path::PathBuf| match scenario::load(directory) {
        Ok(checked) => {
            let mut scenario = checked.value;
            if let Some(command) = &mut scenario.change.command {
                command.environment.insert("PATH".to_owned(), path());
            }
            scenario
        }
        Err(problems) => panic!("{}", scenario::render(&problems)),
    };
    let scenarios = found.iter().map(load).collect();
    (scenarios, unpacked)
}
