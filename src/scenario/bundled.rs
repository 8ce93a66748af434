//! The scenarios that are built into the program, for a directory that has none of its own.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::change::{Change, Script};
use super::definition::Scenario;
use super::traffic::OperationStatement;

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");
/// Directory of the scenarios in the repository.
const DIRECTORY: &str = "scenarios";

/// Writes the bundled scenarios below an empty directory, where they are loaded like any other.
///
/// # Errors
/// The scenarios cannot be written to the directory.
pub fn unpack(directory: &Path) -> std::io::Result<()> {
    SCENARIOS.extract(directory)
}

/// Names the files of a scenario that was unpacked below `root` as the repository has them: what is
/// printed names no temporary directory.
pub fn name_files(scenario: &mut Scenario, root: &Path) {
    script(&mut scenario.schema, root);
    script(&mut scenario.indexes, root);
    change(&mut scenario.change, root);
    let paths = scenario.states.iter_mut().filter_map(|state| state.path.as_mut());
    paths.for_each(|path| change(path, root));
    let operations = scenario.traffic.operations.iter_mut();
    operations.flat_map(|operation| &mut operation.statements).for_each(|s| place(s, root));
    for invariant in &mut scenario.invariants {
        place(&mut invariant.statement, root);
        invariant.before.iter_mut().for_each(|statement| place(statement, root));
    }
}

fn change(change: &mut Change, root: &Path) {
    change.migrations.iter_mut().for_each(|migration| script(&mut migration.script, root));
}

fn script(script: &mut Script, root: &Path) {
    rename(&mut script.path, root);
    let files = script.statements.iter_mut().filter_map(|statement| statement.file.as_mut());
    files.for_each(|file| rename(file, root));
}

fn place(statement: &mut OperationStatement, root: &Path) {
    statement.place.iter_mut().for_each(|place| rename(&mut place.path, root));
}

fn rename(path: &mut PathBuf, root: &Path) {
    if let Ok(below) = path.strip_prefix(root) {
        *path = Path::new(DIRECTORY).join(below);
    }
}
