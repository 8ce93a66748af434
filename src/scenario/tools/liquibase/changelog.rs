//! Changelogs in XML, YAML and JSON, as far as they name other files: their elements with the
//! values of each, in their order.
//!
//! Only what Liquibase's documentation shows is read: of XML elements with attributes, of YAML a
//! list of mappings, in blocks or braces.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::super::problem::{Problem, Source};
use super::super::text::lines;

/// Ends of names of files that may be changelogs.
pub(super) const ENDINGS: &[&str] = &[".xml", ".yaml", ".yml", ".json"];

/// What runs a changelog that is not read here.
pub(super) const COMMAND: &str = "liquibase update";

const ROOT: &str = "databaseChangeLog";

/// An element of a changelog, such as `include`.
#[derive(Debug)]
pub(super) struct Element {
    pub name: String,
    pub values: BTreeMap<String, String>,
    /// Where it begins.
    pub at: Range<usize>,
}

/// Whether a text is a changelog.
pub(super) fn is_one(text: &str) -> bool {
    text.contains(ROOT)
}

/// The elements of a changelog.
pub(super) fn elements(source: &Source) -> Result<Vec<Element>, Problem> {
    let end = source.path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match end.as_str() {
        "xml" => Ok(of_xml(&source.text)),
        "json" => of_json(source),
        _ => of_yaml(source),
    }
}

/// Tags with their attributes, those of `databaseChangeLog` and closing ones left out.
fn of_xml(text: &str) -> Vec<Element> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(begins) = text[at..].find('<').map(|begins| at + begins) {
        let rest = &text[begins..];
        let closes = if rest.starts_with("<!--") { "-->" } else { ">" };
        let Some(length) = rest.find(closes) else { break };
        at = begins + length + closes.len();
        let tag = rest[1..length].trim_end_matches('/');
        let name = tag.split(|c: char| c.is_whitespace()).next().unwrap_or_default();
        if name.starts_with(['!', '?', '/']) || name == ROOT {
            continue;
        }
        let mut values = BTreeMap::new();
        let mut left = &tag[name.len()..];
        while let Some((key, after)) = left.split_once('=') {
            let after = after.trim_start();
            let Some(quote) = after.chars().next().filter(|c| ['"', '\''].contains(c)) else {
                break;
            };
            let Some((value, more)) = after[1..].split_once(quote) else { break };
            values.insert(key.trim().to_owned(), value.to_owned());
            left = more;
        }
        found.push(Element { name: name.to_owned(), values, at: begins..begins + length + 1 });
    }
    found
}

fn of_json(source: &Source) -> Result<Vec<Element>, Problem> {
    let wrong = |why: String| {
        let problem = Problem::of_file(&source.path, format!("no changelog: {why}"));
        problem.remedy("it is {\"databaseChangeLog\": [{\"include\": {\"file\": \"…\"}}]}")
    };
    let json: serde_json::Value =
        serde_json::from_str(&source.text).map_err(|error| wrong(error.to_string()))?;
    let list = json.get(ROOT).and_then(serde_json::Value::as_array);
    let list = list.ok_or_else(|| wrong(format!("it has no list `{ROOT}`")))?;
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut found = Vec::new();
    for (name, value) in list.iter().filter_map(serde_json::Value::as_object).flatten() {
        let at = source.text.find(&format!("\"{name}\"")).unwrap_or(0);
        let pairs = value.as_object().into_iter().flatten();
        let values = pairs.map(|(key, value)| (key.clone(), text(value))).collect();
        found.push(Element { name: name.clone(), values, at: at..at + name.len() + 2 });
    }
    Ok(found)
}

fn of_yaml(source: &Source) -> Result<Vec<Element>, Problem> {
    let mut found: Vec<Element> = Vec::new();
    let (mut in_root, mut indent) = (false, None);
    for (offset, whole) in lines(&source.text) {
        let line = without_comment(whole);
        let text = line.trim();
        let depth = line.len() - line.trim_start().len();
        if text.is_empty() || text == "---" {
            continue;
        }
        if depth == 0 && text.starts_with(ROOT) {
            in_root = true;
            continue;
        }
        let span = offset + depth..offset + line.trim_end().len();
        let item = text.strip_prefix("- ").filter(|_| indent.is_none_or(|indent| indent == depth));
        match (in_root, item, found.last_mut()) {
            (true, Some(item), _) => {
                indent = Some(depth);
                let (name, rest) = item.split_once(':').unwrap_or((item, ""));
                let values = in_braces(rest);
                found.push(Element { name: name.trim().to_owned(), values, at: span });
            }
            (true, None, Some(element)) if indent.is_some_and(|indent| depth > indent) => {
                if let Some((key, value)) = text.split_once(':') {
                    element.values.entry(key.trim().to_owned()).or_insert_with(|| plain(value));
                }
            }
            _ => {
                let problem = source.problem(span, "this is not read here");
                return Err(problem.remedy("a changelog is `databaseChangeLog:` and a list"));
            }
        }
    }
    Ok(found)
}

/// `{file: a.sql, relativeToChangelogFile: true}`
fn in_braces(text: &str) -> BTreeMap<String, String> {
    let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let pairs = inner.unwrap_or_default().split(',').filter_map(|pair| pair.split_once(':'));
    pairs.map(|(key, value)| (key.trim().to_owned(), plain(value))).collect()
}

/// A scalar without its quotes.
fn plain(value: &str) -> String {
    let value = value.trim();
    let quoted = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote).and_then(|value| value.strip_suffix(*quote)));
    quoted.unwrap_or(value).to_owned()
}

fn without_comment(line: &str) -> &str {
    match line.find(" #") {
        _ if line.trim_start().starts_with('#') => "",
        Some(at) => &line[..at],
        None => line,
    }
}
