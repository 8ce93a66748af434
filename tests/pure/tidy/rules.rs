//! The rules themselves: from sources to what is broken, a line each.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{File, Source};
use super::graph::{Crate, cycles};
use super::tokens::{Kind, Token, after_group, tokens};

/// From the top. A module imports only from rows below its own.
pub const LAYERS: &[&[&str]] = &[
    &["main"],
    &["cli", "exit"],
    &["run"],
    &["report"],
    &["explain", "compare"],
    &["assess"],
    &["judge"],
    &["provision", "seed", "drive", "migrate", "disturb", "observe"],
    &["connect", "tap"],
    &["infer", "lint"],
    &["result"],
    &["scenario", "history", "schema"],
    // A fault is injected at a statement.
    &["trial"],
    &["pg", "stats"],
    // Histograms are of the clock's own lengths of time.
    &["clock"],
];

/// Modules whose files still need each other in a circle. Each goes from here with its circles.
pub const CYCLES_TO_BREAK: &[&str] = &[];

/// Where the effects live; only these and `run` may be async.
const WORKERS: &[&str] =
    &["provision", "seed", "drive", "migrate", "disturb", "observe", "connect", "tap"];
const ASYNC_BESIDE_WORKERS: &[&str] = &["main", "cli", "run"];

/// Data, and functions of data. Whatever they say can be said again, anywhere, of the same input.
const PURE: &[&str] = &[
    "scenario", "history", "result", "judge", "assess", "explain", "compare", "report", "pg",
    "stats", "schema", "trial", "infer", "lint",
];

/// What a pure module has no use for.
const IMPURE_PATHS: &[&str] = &[
    "std::net",
    "std::fs",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::process",
    "tokio",
];
const PRINTS: &[&str] = &["println", "eprintln", "print", "eprint"];

/// Files of pure modules that read or write what the module is about.
const IMPURE_ALLOWED: &[(&str, &str)] = &[
    ("src/history/record.rs", "the history's own file is written as it comes, and read"),
    ("src/report/live.rs", "progress on a terminal goes by the clock on the wall"),
    ("src/result/disk.rs", "the stored result is a file"),
    ("src/scenario/load.rs", "finds scenario directories"),
    ("src/scenario/problem.rs", "reads the files that a scenario names"),
    ("src/scenario/tools/listing.rs", "lists a directory of migrations"),
    ("src/scenario/tools/project.rs", "looks into the project around it"),
    ("src/scenario/generate/drawer.rs", "the value generator `now` is the time of the draw"),
];

/// A function is read at a glance or not at all.
pub const FUNCTION_LINES_MAX: usize = 70;
/// A file has one subject.
pub const FILE_LINES_MAX: usize = 600;
/// Two files fit side by side.
pub const LINE_COLUMNS_MAX: usize = 100;

fn in_src(sources: &[Source]) -> Vec<File> {
    sources.iter().filter(|source| source.path.starts_with("src/")).map(File::read).collect()
}

fn top(file: &File) -> &str {
    file.module.first().map_or("", String::as_str)
}

pub fn layers(sources: &[Source]) -> Vec<String> {
    let layer_of = |module: &str| LAYERS.iter().position(|row| row.contains(&module));
    let mut broken = Vec::new();
    for (from, targets) in Crate::new(&in_src(sources)).modules() {
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
    broken
}

/// Circles of files, and modules that are said to have one and have none.
pub fn circles(sources: &[Source], allowed: &[&str]) -> Vec<String> {
    let files = in_src(sources);
    let mut broken = Vec::new();
    let mut met = BTreeSet::new();
    for circle in cycles(&Crate::new(&files).edges()) {
        let module = super::file::module_of(&circle[0]).first().cloned().unwrap_or_default();
        if !allowed.contains(&module.as_str()) {
            broken.push(format!("these need each other: {}", circle.join(", ")));
        }
        met.insert(module);
    }
    let freed = allowed.iter().filter(|module| !met.contains(**module));
    broken.extend(freed.map(|module| format!("{module} has no circle left: take it off the list")));
    broken
}

pub fn purity(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in in_src(sources) {
        let allowed = IMPURE_ALLOWED.iter().any(|(path, _)| *path == file.path);
        if !PURE.contains(&top(&file)) || allowed {
            continue;
        }
        for named in &file.named {
            let path = named.segments.join("::");
            if IMPURE_PATHS.iter().any(|impure| is_of(&path, impure)) {
                broken.push(format!("{}:{}: {path} in a pure module", file.path, named.line));
            }
        }
        broken.extend(prints(&file).map(|line| format!("{}:{line}: prints", file.path)));
    }
    broken
}

/// Whether a path is this one, goes on from it, or takes all that is around it.
fn is_of(path: &str, impure: &str) -> bool {
    match path.strip_suffix("::*") {
        Some(base) => impure.starts_with(base) || base.starts_with(impure),
        None => {
            path.strip_prefix(impure).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        }
    }
}

fn prints(file: &File) -> impl Iterator<Item = usize> {
    let pairs = file.tokens.windows(2);
    pairs.filter_map(|pair| {
        let prints = pair[0].name().is_some_and(|name| PRINTS.contains(&name));
        (prints && pair[1].is('!')).then_some(pair[0].line)
    })
}

pub fn workers(sources: &[Source]) -> Vec<String> {
    let files = in_src(sources);
    let workers = files.iter().filter(|file| WORKERS.contains(&top(file)));
    let of = |file: &File| -> Vec<String> {
        prints(file).map(|line| format!("{}:{line}: a worker prints", file.path)).collect()
    };
    workers.flat_map(of).collect()
}

pub fn effects(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in in_src(sources) {
        let module = top(&file);
        if module.is_empty() || WORKERS.contains(&module) || ASYNC_BESIDE_WORKERS.contains(&module)
        {
            continue;
        }
        let word = |token: &&Token| token.is_name("async") || token.is_name("tokio");
        if let Some(token) = file.tokens.iter().find(word) {
            broken.push(format!("{}:{}: no effects belong here", file.path, token.line));
        }
    }
    broken
}

pub fn lengths(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for Source { path, text } in sources {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            broken.push(format!("{path}: {lines} lines, at most {FILE_LINES_MAX}"));
        }
        for (index, line) in text.lines().enumerate() {
            if line.chars().count() > LINE_COLUMNS_MAX {
                broken.push(format!("{path}:{}: over {LINE_COLUMNS_MAX} columns", index + 1));
            }
        }
        for (line, length) in functions(&tokens(text)) {
            if length > FUNCTION_LINES_MAX {
                broken.push(format!("{path}:{line}: {length} lines, at most {FUNCTION_LINES_MAX}"));
            }
        }
    }
    broken
}

/// First line and length of each function with a body.
fn functions(tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        // `fn(u8) -> u8` is a type.
        if !token.is_name("fn") || tokens.get(at + 1).and_then(Token::name).is_none() {
            continue;
        }
        let mut open = at;
        while tokens.get(open).is_some_and(|t| !t.is('{') && !t.is(';')) {
            let group = matches!(tokens[open].kind, Kind::Sign('(' | '['));
            open = if group { after_group(tokens, open) } else { open + 1 };
        }
        if tokens.get(open).is_some_and(|t| t.is('{')) {
            let close = after_group(tokens, open) - 1;
            found.push((token.line, tokens[close].line - token.line + 1));
        }
    }
    found
}

/// `pub fn`s of src that nothing names.
pub fn dead(sources: &[Source]) -> Vec<String> {
    let mut declared: Vec<(String, String)> = Vec::new();
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for source in sources {
        let tokens = tokens(&source.text);
        for (at, token) in tokens.iter().enumerate() {
            match &token.kind {
                // An attribute names a function in a text: `#[serde(default = "a::b")]`.
                Kind::Text(text) => {
                    let last = text.rsplit("::").next().unwrap_or_default();
                    *uses.entry(last.to_owned()).or_default() += 1;
                }
                Kind::Name(name) if at > 0 && tokens[at - 1].is_name("fn") => {
                    let place = format!("{}:{}: {name}", source.path, token.line);
                    let counts = source.path.starts_with("src/") && is_public(&tokens[..at - 1]);
                    declared.extend(counts.then(|| (name.clone(), place)));
                }
                Kind::Name(name) => *uses.entry(name.clone()).or_default() += 1,
                _ => {}
            }
        }
    }
    let unused = declared.into_iter().filter(|(name, _)| !uses.contains_key(name));
    unused.map(|(_, place)| format!("{place} is named nowhere else")).collect()
}

/// Whether `pub` or `pub(…)`, and words such as `async`, end here.
fn is_public(before: &[Token]) -> bool {
    let words = ["const", "async", "unsafe"];
    let mut rest = before;
    while rest.last().and_then(Token::name).is_some_and(|name| words.contains(&name)) {
        rest = &rest[..rest.len() - 1];
    }
    if rest.last().is_some_and(|token| token.is(')')) {
        let open = rest.iter().rposition(|token| token.is('(')).unwrap_or(0);
        rest = &rest[..open];
    }
    rest.last().is_some_and(|token| token.is_name("pub"))
}

pub fn headed(sources: &[Source]) -> Vec<String> {
    let bare = |s: &&Source| !s.text.starts_with("//!") || s.text.starts_with("//! TODO");
    sources.iter().filter(bare).map(|s| format!("{}: no module docs", s.path)).collect()
}

pub fn finished(sources: &[Source]) -> Vec<String> {
    let marks = ["todo!(", "unimplemented!(", "#[ignore", "FIXME", "dbg!("];
    let mut broken = Vec::new();
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                broken.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    broken
}

/// Snapshots that no test names. `texts` are the test sources, `snapshots` paths with their texts.
pub fn unreferenced(tests: &[Source], snapshots: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for snapshot in snapshots {
        let source = snapshot.text.lines().find_map(|line| line.strip_prefix("source: "));
        let test = source.and_then(|path| tests.iter().find(|test| test.path == path));
        let file = snapshot.path.rsplit('/').next().unwrap_or_default();
        let name = file.strip_suffix(".snap").unwrap_or(file);
        let (name, suffix) = name.split_once('@').unwrap_or((name, ""));
        let name = name.rsplit("__").next().unwrap_or_default();
        let names = |test: &Source, word: &str| {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
            test.text.split(|c| !is_part(c)).any(|found| found == word)
        };
        // `mistake_pause` is of the case `pause`.
        let case = name.split_once('_').map_or(name, |(_, case)| case);
        let is_named = |test: &Source| {
            (names(test, name) || names(test, case)) && (suffix.is_empty() || names(test, suffix))
        };
        if !test.is_some_and(is_named) {
            broken.push(format!("{}: no test names it", snapshot.path));
        }
    }
    broken
}
