//! Holds the shape of the code: layers without cycles, short functions and files, module docs.
//!
//! A rule that nobody enforces is a wish. Each limit says what it protects.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the top. A module imports only from rows below its own.
const LAYERS: &[&[&str]] = &[
    &["main"],
    &["cli", "exit"],
    &["run"],
    &["report"],
    &["explain", "compare"],
    &["assess"],
    &["judge"],
    &["provision", "seed", "drive", "migrate", "disturb", "observe"],
    &["connect", "tap"],
    // What is stored of a run is made of the scenario's, the history's and the catalogue's data.
    &["result"],
    &["scenario", "history", "schema"],
    &["pg", "stats", "trial"],
    // Histograms are of the clock's own lengths of time.
    &["clock"],
];

/// A function is read at a glance or not at all.
const FUNCTION_LINES_MAX: usize = 70;
/// A file has one subject.
const FILE_LINES_MAX: usize = 600;
/// Two files fit side by side.
const LINE_COLUMNS_MAX: usize = 100;

/// Where the effects live; only these and `run` may be async.
const ASYNC_ALLOWED: &[&str] = &[
    "main",
    "cli",
    "run",
    "provision",
    "seed",
    "drive",
    "migrate",
    "disturb",
    "observe",
    "connect",
    "tap",
];

struct Source {
    path: PathBuf,
    text: String,
}

fn sources(directory: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut found = Vec::new();
    collect(&root, &mut found);
    found
}

fn collect(directory: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.map(|e| e.expect("a readable directory")) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).expect("a readable source file");
            found.push(Source { path, text });
        }
    }
}

/// `src/judge/waits.rs` belongs to `judge`, `src/main.rs` to `main`.
fn module_of(path: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let relative = path.strip_prefix(src).expect("a path below src");
    let first = relative.components().next().expect("a component");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// Module to the modules whose items it names, by `crate::x` or, in the binary, `pgauntlet::x`.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources("src") {
        let from = module_of(&source.path);
        if from == "lib" {
            continue;
        }
        let targets = edges.entry(from.clone()).or_default();
        for line in code_lines(&source.text) {
            for prefix in ["crate::", "pgauntlet::"] {
                for (at, _) in line.match_indices(prefix) {
                    targets.extend(named_after(&line[at + prefix.len()..]));
                }
            }
        }
        targets.remove(&from);
    }
    edges
}

/// The first path segment, or all of them in `{a::B, c}`.
fn named_after(rest: &str) -> Vec<String> {
    let segment = |text: &str| -> String {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    match rest.strip_prefix('{') {
        Some(list) => list.split(',').map(segment).filter(|s| !s.is_empty()).collect(),
        None => vec![segment(rest)],
    }
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

#[test]
fn every_module_has_a_layer_and_imports_only_from_lower_ones() {
    let mut broken = Vec::new();
    for (from, targets) in graph() {
        let Some(layer) = layer_of(&from) else {
            broken.push(format!("{from} has no layer: LAYERS gives each module one"));
            continue;
        };
        for target in targets {
            match layer_of(&target) {
                Some(below) if below > layer => {}
                Some(_) => broken.push(format!("{from} imports {target}, which is not below it")),
                None => broken.push(format!("{from} imports {target}, which has no layer")),
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn only_modules_with_effects_are_async() {
    let mut broken = Vec::new();
    for source in sources("src") {
        let module = module_of(&source.path);
        if module == "lib" || ASYNC_ALLOWED.contains(&module.as_str()) {
            continue;
        }
        if code_lines(&source.text).any(|l| l.contains("tokio") || l.contains("async fn")) {
            broken.push(source.path.display().to_string());
        }
    }
    assert!(broken.is_empty(), "no effects belong here:\n{}", broken.join("\n"));
}

#[test]
fn functions_files_and_lines_are_short() {
    let mut broken = Vec::new();
    for source in ["src", "tests", "benches"].into_iter().flat_map(sources) {
        let name = source.path.display();
        let lines: Vec<&str> = source.text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            broken.push(format!("{name}: {} lines, at most {FILE_LINES_MAX}", lines.len()));
        }
        for (index, line) in lines.iter().enumerate() {
            if line.chars().count() > LINE_COLUMNS_MAX {
                broken.push(format!("{name}:{}: over {LINE_COLUMNS_MAX} columns", index + 1));
            }
        }
        for (line, length) in functions(&lines) {
            if length > FUNCTION_LINES_MAX {
                broken.push(format!("{name}:{line}: {length} lines, at most {FUNCTION_LINES_MAX}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// First line and length of each function; rustfmt closes a body at its own indentation.
fn functions(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let head = ["pub(super) ", "pub(crate) ", "pub ", "const ", "async ", "unsafe "]
            .into_iter()
            .fold(code, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
        if !head.starts_with("fn ") {
            continue;
        }
        let closing = format!("{}}}", &line[..line.len() - code.len()]);
        let end = lines[start..].iter().position(|l| *l == closing);
        found.push((start + 1, end.map_or(1, |end| end + 1)));
    }
    found
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    let undocumented: Vec<String> = ["src", "tests", "benches"]
        .into_iter()
        .flat_map(sources)
        .filter(|s| !s.text.starts_with("//!") || s.text.starts_with("//! TODO"))
        .map(|s| s.path.display().to_string())
        .collect();
    assert!(undocumented.is_empty(), "no module docs:\n{}", undocumented.join("\n"));
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = ["todo!(", "unimplemented!(", "#[ignore", "FIXME", "dbg!("];
    let mut broken = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        if source.path.ends_with("tests/pure/tidy.rs") {
            continue;
        }
        for (index, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                broken.push(format!("{}:{}: {}", source.path.display(), index + 1, line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
