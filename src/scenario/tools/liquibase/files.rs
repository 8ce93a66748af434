//! Which files of formatted SQL Liquibase runs, in which order, with its parameters filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use super::super::super::problem::{Problem, Source};
use super::super::listing::{self, Listing};
use super::super::reading::Reading;
use super::super::text::lines;
use super::changelog::{self, COMMAND, ENDINGS, Element};

/// How far above a changelog the root of its paths may be: `src/main/resources` of a project.
const LEVELS_MAX: usize = 7;
/// How far above a directory of SQL its changelog may be.
const ABOVE_MAX: usize = 3;
/// Changelogs that include one another.
const DEPTH_MAX: usize = 20;

/// A file as Liquibase runs it.
pub(super) struct File {
    /// As the version table has it.
    pub name: String,
    /// With its parameters filled in.
    pub source: Source,
}

/// The files in their order.
pub(super) fn in_order(listing: &Listing, reading: &mut Reading) -> Vec<File> {
    let walk = match root(listing) {
        Ok(Some(walk)) => walk,
        Ok(None) => every_file(listing),
        Err(problem) => {
            reading.problems.push(problem);
            return Vec::new();
        }
    };
    let Walk { files, mut parameters, problems, .. } = walk;
    reading.problems.extend(problems);
    let mut found = Vec::new();
    for (name, path) in files {
        let Some(source) = reading.open(&path) else { continue };
        properties_of(&source.text, &mut parameters);
        match filled_in(&source, &parameters) {
            Ok(text) => found.push(File { name, source: Source { path: source.path, text } }),
            Err(problem) => reading.problems.push(problem),
        }
    }
    found
}

/// The changelog that a project's `liquibase.properties` names, where it is.
pub(in super::super) fn named_by_properties(place: &Path) -> Option<PathBuf> {
    let properties = Source::open(&place.join("liquibase.properties")).ok()?;
    let value = properties.text.lines().find_map(|line| {
        let (key, value) = line.split_once(['=', ':'])?;
        let key = key.replace(['-', '.', '_'], "").trim().to_ascii_lowercase();
        let is_it = ["changelogfile", "liquibasecommandchangelogfile"].contains(&key.as_str());
        is_it.then(|| value.trim().trim_start_matches("classpath:").to_owned())
    })?;
    let below = ["", "src/main/resources"].map(|below| place.join(below).join(&value));
    below.into_iter().find(|path| path.is_file())
}

/// The directory and those above it in its repository.
fn places(dir: &Path, levels: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    for place in dir.ancestors().take(levels) {
        found.push(place.to_owned());
        if [".git", ".hg"].iter().any(|root| place.join(root).exists()) {
            break;
        }
    }
    found
}

/// What the changelog that has the directory's files names; None: there is none.
fn root(listing: &Listing) -> Result<Option<Walk>, Problem> {
    let places = places(&listing.dir, LEVELS_MAX);
    let Some(dir) = places.first().cloned() else { return Ok(None) };
    let is_of = |walk: &Walk| walk.seen.iter().any(|path| path.starts_with(&dir));
    for place in &places {
        if let Some(path) = named_by_properties(place) {
            let name = path.strip_prefix(place).unwrap_or(&path).display().to_string();
            let walk = Walk::of(name, &path);
            if is_of(&walk) {
                return Ok(Some(walk));
            }
        }
    }
    for place in places.iter().take(ABOVE_MAX) {
        let walks = changelogs(place);
        let is_included = |walk: &Walk| {
            walks.iter().any(|other| other.root != walk.root && other.seen.contains(&walk.root))
        };
        let roots: Vec<&Walk> =
            walks.iter().filter(|walk| !is_included(walk) && is_of(walk)).collect();
        let master = |walk: &&&Walk| {
            let name = walk.root.file_name().unwrap_or_default().to_string_lossy();
            ["master", "root"].iter().any(|word| name.to_ascii_lowercase().contains(word))
        };
        let masters: Vec<&&Walk> = roots.iter().filter(master).collect();
        match (roots.as_slice(), masters.as_slice()) {
            ([], _) => {}
            ([one], _) => return Ok(Some((*one).clone())),
            (_, [master]) => return Ok(Some((**master).clone())),
            (several, _) => {
                let names: Vec<String> =
                    several.iter().map(|walk| shown(&walk.root).display().to_string()).collect();
                let message = format!("it has several changelogs: {}", names.join(", "));
                let remedy = "name the one that Liquibase runs in liquibase.properties: \
                              changelog-file: NAME";
                return Err(Problem::of_file(&listing.dir, message).remedy(remedy));
            }
        }
    }
    Ok(None)
}

/// What each changelog of a directory names.
fn changelogs(place: &Path) -> Vec<Walk> {
    let paths = listing::files_of(place);
    let is_one = |path: &PathBuf| {
        let name = path.to_string_lossy().to_ascii_lowercase();
        ENDINGS.iter().any(|end| name.ends_with(end))
            && Source::open(path).is_ok_and(|source| changelog::is_one(&source.text))
    };
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().filter(|path| is_one(path)).map(|path| Walk::of(name(path), path)).collect()
}

/// Without a changelog: as `includeAll` of the directory would.
fn every_file(listing: &Listing) -> Walk {
    let mut walk = Walk::default();
    for entry in listing.files_below_visible().filter(|entry| entry.name.ends_with(".sql")) {
        let name = entry.path.strip_prefix(&listing.dir).unwrap_or(&entry.path);
        walk.files.push((name.display().to_string(), entry.path.clone()));
    }
    walk.files.sort();
    walk
}

/// A changelog as far as it is followed.
#[derive(Clone, Default)]
struct Walk {
    root: PathBuf,
    files: Vec<(String, PathBuf)>,
    /// Changelogs and files that were met.
    seen: BTreeSet<PathBuf>,
    parameters: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Walk {
    fn of(name: String, path: &Path) -> Walk {
        let root = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut walk = Walk { root: root.clone(), ..Walk::default() };
        walk.follow(name, &root, 0);
        walk
    }

    /// A file that is named, or a changelog with what it names.
    fn follow(&mut self, name: String, path: &Path, depth: usize) {
        let lower = name.to_ascii_lowercase();
        if depth > DEPTH_MAX || !self.seen.insert(path.to_owned()) {
            return;
        }
        let path = shown(path);
        if lower.ends_with(".sql") {
            self.files.push((name, path));
            return;
        }
        let source = match Source::open(&path) {
            Ok(source) => source,
            Err(why) => {
                self.problems.push(Problem::of_file(&path, format!("cannot read it: {why}")));
                return;
            }
        };
        match changelog::elements(&source) {
            Ok(elements) => {
                let of = Changelog { name, source: &source, depth };
                for element in &elements {
                    if let Err(problem) = self.element(&of, element) {
                        self.problems.push(problem);
                        break;
                    }
                }
            }
            Err(problem) => self.problems.push(problem),
        }
    }

    fn element(&mut self, of: &Changelog<'_>, element: &Element) -> Result<(), Problem> {
        let value = |key: &str| element.values.get(key).map(String::as_str);
        let problem =
            |message: String| of.source.problem(first_line(of.source, element.at.clone()), message);
        // Only its own program can run it.
        let wrong =
            |message: String| Err(problem(message).remedy_by(|asker| asker.itself(COMMAND)));
        match element.name.as_str() {
            "include" if value("ignore") == Some("true") => Ok(()),
            "include" => {
                let Some((name, path)) = value("file").and_then(|file| of.resolve(file, element))
                else {
                    let file = value("file").unwrap_or_default();
                    let problem = problem(format!("`{file}` is not found"));
                    return Err(problem.remedy("Liquibase refuses that"));
                };
                self.follow(name, &path, of.depth + 1);
                Ok(())
            }
            "includeAll" => self.include_all(of, element),
            "property" if value("file").is_none() => {
                if let (Some(name), Some(value)) = (value("name"), value("value")) {
                    let parameter = self.parameters.entry(name.to_owned());
                    parameter.or_insert_with(|| value.to_owned());
                }
                Ok(())
            }
            "preConditions" | "and" | "or" => {
                let known = ["dbms", "- dbms", "type", "onFail", "onError", "onFailMessage"];
                match element.values.keys().find(|key| !known.contains(&key.as_str())) {
                    None => Ok(()),
                    Some(key) => wrong(format!("the precondition `{key}` is not read here")),
                }
            }
            "dbms" if value("type").is_some_and(|of| of.to_lowercase().contains("postgresql")) => {
                Ok(())
            }
            "changeSet" => {
                let what = of.name.rsplit('.').next().unwrap_or_default().to_ascii_uppercase();
                wrong(format!("only Liquibase can run a changeset in {what}"))
            }
            name => wrong(format!("`{name}` is not read here")),
        }
    }

    fn include_all(&mut self, of: &Changelog<'_>, element: &Element) -> Result<(), Problem> {
        let span = first_line(of.source, element.at.clone());
        let known = ["path", "relativeToChangelogFile", "errorIfMissingOrEmpty", "context"];
        if let Some(key) = element.values.keys().find(|key| !known.contains(&key.as_str())) {
            let problem =
                of.source.problem(span, format!("`{key}` of includeAll is not read here"));
            return Err(problem.remedy_by(|asker| asker.itself(COMMAND)));
        }
        let path = element.values.get("path").map(String::as_str).unwrap_or_default();
        let found = of.resolve(path.trim_end_matches('/'), element);
        let Some((name, directory)) = found.filter(|(_, path)| path.is_dir()) else {
            if element.values.get("errorIfMissingOrEmpty").is_some_and(|v| v == "false") {
                return Ok(());
            }
            let problem = of.source.problem(span, format!("the directory `{path}` is not found"));
            return Err(problem.remedy("Liquibase refuses that"));
        };
        let Ok(listing) = Listing::of(&directory) else { return Ok(()) };
        let mut names: Vec<(String, PathBuf)> = Vec::new();
        for entry in listing.files_below_visible() {
            let lower = entry.name.to_ascii_lowercase();
            let is_one = lower.ends_with(".sql") || ENDINGS.iter().any(|end| lower.ends_with(end));
            if is_one && !entry.name.starts_with('.') {
                let below = entry.path.strip_prefix(&directory).unwrap_or(&entry.path);
                names.push((format!("{name}/{}", below.display()), entry.path.clone()));
            }
        }
        names.sort();
        for (name, path) in names {
            self.follow(name, &path, of.depth + 1);
        }
        Ok(())
    }
}

/// A changelog that is being followed.
struct Changelog<'a> {
    name: String,
    source: &'a Source,
    depth: usize,
}

impl Changelog<'_> {
    /// The name and the place of what it names.
    fn resolve(&self, named: &str, element: &Element) -> Option<(String, PathBuf)> {
        let named = named.trim_start_matches("classpath:").trim_start_matches('/');
        let relative = element.values.get("relativeToChangelogFile");
        let parent = self.source.path.parent()?;
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        let parent = parent.canonicalize().ok()?;
        if relative.is_some_and(|flag| flag == "true") {
            let above = Path::new(&self.name).parent().unwrap_or(Path::new(""));
            let path = parent.join(named).canonicalize().ok()?;
            return Some((normal(&above.join(named)), path));
        }
        let place =
            places(&parent, LEVELS_MAX).into_iter().find(|place| place.join(named).exists());
        Some((normal(Path::new(named)), place?.join(named).canonicalize().ok()?))
    }
}

/// Without `.` and `..`, as Liquibase writes it.
fn normal(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    parts.join("/")
}

/// A path as it would be typed here.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let relative = here.ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    relative.unwrap_or_else(|| path.to_owned())
}

fn first_line(source: &Source, at: Range<usize>) -> Range<usize> {
    let text = source.text.get(at.clone()).unwrap_or_default();
    at.start..at.start + text.lines().next().unwrap_or_default().len()
}

/// `--property name:x value:y`; the first of a name counts.
fn properties_of(text: &str, parameters: &mut BTreeMap<String, String>) {
    for (_, line) in lines(text) {
        let comment = line.trim_start().strip_prefix("--").map(str::trim_start);
        let Some(rest) = comment.and_then(|rest| rest.strip_prefix("property ")) else { continue };
        let value = |key: &str| {
            let (_, value) = rest.split_once(key)?;
            value.split_whitespace().next().map(|value| value.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(value)) = (value("name:"), value("value:")) {
            parameters.entry(name).or_insert(value);
        }
    }
}

/// With the values of `${…}`.
fn filled_in(source: &Source, values: &BTreeMap<String, String>) -> Result<String, Problem> {
    let (mut text, mut at) = (String::new(), 0);
    while let Some(begins) = source.text[at..].find("${").map(|begins| at + begins) {
        let Some(length) = source.text[begins..].find('}') else { break };
        let name = &source.text[begins + 2..begins + length];
        let Some(value) = values.get(name) else {
            let span = begins..begins + length + 1;
            let problem = source.problem(span, "the value of this parameter is not known here");
            return Err(problem.remedy("write it: --property name:… value:…"));
        };
        text.push_str(&source.text[at..begins]);
        text.push_str(value);
        at = begins + length + 1;
    }
    text.push_str(&source.text[at..]);
    Ok(text)
}
