//! The files in which a migration tool's statements may be found, for annotations.

use std::fs;
use std::path::Path;

use crate::report::SourceFile;
use crate::result::ResultFile;
use crate::scenario::Scenario;

/// What migrations are written in.
const ENDINGS: &[&str] = &[
    "py", "sql", "rb", "js", "ts", "mjs", "cjs", "go", "rs", "php", "java", "kt", "ex", "exs",
    "cs", "xml", "yml", "yaml",
];
/// Directories that hold what other people wrote.
const SKIPPED: &[&str] = &["node_modules", "target", "vendor", "venv", "__pycache__", "dist"];
const FILES_MAX: usize = 2_000;
const FILE_BYTES_MAX: u64 = 1_000_000;
const DEPTH_MAX: usize = 8;

/// The files of every change of the result that a command makes, where its directory is here.
pub fn of(result: &ResultFile) -> Vec<SourceFile> {
    let mut files = Vec::new();
    let mut seen = Vec::new();
    for value in result.scenarios.values() {
        let scenario = Scenario::from(value.clone());
        let Some(command) = scenario.change.command else { continue };
        if !seen.contains(&command.directory) {
            collect(&command.directory, DEPTH_MAX, &mut files);
            seen.push(command.directory);
        }
    }
    files
}

fn collect(directory: &Path, depth: usize, files: &mut Vec<SourceFile>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if name.starts_with('.') || files.len() >= FILES_MAX {
            continue;
        }
        if path.is_dir() {
            if depth > 0 && !SKIPPED.contains(&name.as_str()) {
                collect(&path, depth - 1, files);
            }
        } else if is_source(&path)
            && let Ok(text) = fs::read_to_string(&path)
        {
            files.push(SourceFile { path: path.display().to_string(), text });
        }
    }
}

fn is_source(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned());
    let known = ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
    // Opening a pipe waits for a writer, which may never come.
    let is_readable = |found: fs::Metadata| found.is_file() && found.len() <= FILE_BYTES_MAX;
    known && fs::metadata(path).is_ok_and(is_readable)
}
