//! Holds the shape of the code: layers and files without cycles, pure modules, short functions and
//! files, module docs, nothing dead.
//!
//! A rule that nobody enforces is a wish. `tidy/rules.rs` has the rules and says what each limit
//! protects; `tidy/mutations.rs` shows that each is seen to be broken.

mod file;
mod graph;
mod mutations;
mod rules;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use file::Source;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below the directories that end so.
fn files(directories: &[&str], ending: &str) -> Vec<Source> {
    let mut open: Vec<PathBuf> = directories.iter().map(|d| root().join(d)).collect();
    let mut found = Vec::new();
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.expect("a readable directory").path();
            // Builds of the fuzz targets, and packages of a test's tool.
            let foreign = path.ends_with("target") || path.ends_with("node_modules");
            if path.is_dir() && !foreign {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                let text = fs::read_to_string(&path).expect("a readable file");
                let path = path.strip_prefix(root()).expect("a path below the root");
                found.push(Source { path: path.display().to_string(), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// What is built, and what holds it to account.
fn sources() -> Vec<Source> {
    files(&["src", "tests", "benches", "fuzz"], "rs")
}

fn assert_holds(broken: Vec<String>) {
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_module_has_a_layer_and_imports_only_from_lower_ones() {
    assert_holds(rules::layers(&sources()));
}

#[test]
fn no_files_need_each_other() {
    assert_holds(rules::circles(&sources(), rules::CYCLES_TO_BREAK));
}

#[test]
fn pure_modules_have_no_clock_no_file_and_no_socket() {
    assert_holds(rules::purity(&sources()));
}

#[test]
fn workers_never_print() {
    assert_holds(rules::workers(&sources()));
}

#[test]
fn only_modules_with_effects_are_async() {
    assert_holds(rules::effects(&sources()));
}

#[test]
fn functions_files_and_lines_are_short() {
    assert_holds(rules::lengths(&sources()));
}

#[test]
fn no_public_function_is_dead() {
    assert_holds(rules::dead(&sources()));
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    assert_holds(rules::headed(&sources()));
}

#[test]
fn nothing_is_left_unfinished() {
    let mut sources = sources();
    // The rule's own file names what it looks for, and its test breaks it.
    sources.retain(|source| !source.path.starts_with("tests/pure/tidy/"));
    assert_holds(rules::finished(&sources));
}

#[test]
fn every_snapshot_is_of_a_test() {
    let snapshots = files(&["src", "tests"], "snap");
    assert!(!snapshots.is_empty());
    assert_holds(rules::unreferenced(&sources(), &snapshots));
}
