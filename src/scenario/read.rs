//! From the text of a scenario file to its wire types, with every mistake and not only the first.
//!
//! Serde stops at the first mistake. So the value that it names is taken out and the rest is read
//! again, until nothing is wrong or nothing can be taken out. What is wrong with the values
//! together is `check`'s business.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Source, known_names, nearest};

/// Names of keys that are still read and that nothing suggests.
const OLD_NAMES: &[&str] = &["ways"];

/// Mistakes that are reported of one file; a file with more is another kind of file.
const PROBLEMS_MAX: usize = 50;

/// A file of that kind.
pub(super) fn read<T>(source: &Source) -> Result<T, Vec<Problem>>
where
    T: for<'de> Deserialize<'de>,
{
    let (mut table, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        let problem = |error: &toml::de::Error| {
            let span = error.span().unwrap_or_default();
            source.problem(span, format!("no TOML: {}", error.message()))
        };
        return Err(errors.iter().take(PROBLEMS_MAX).map(problem).collect());
    }
    let mut problems = Vec::new();
    let mut removed: Vec<Removed> = Vec::new();
    while problems.len() < PROBLEMS_MAX {
        let error = match T::deserialize(toml::Deserializer::from(table.clone())) {
            Ok(file) if problems.is_empty() => return Ok(file),
            Ok(_) => break,
            Err(error) => error,
        };
        let span = error.span().unwrap_or_default();
        if !removed.iter().any(|gone| gone.explains(error.message(), &span)) {
            problems.push(explain(source, &error));
        }
        let root = table.span();
        match remove(table.get_mut(), &root, &span) {
            Some(gone) => removed.push(gone),
            None => break,
        }
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Err(problems)
}

/// A value that was taken out: what lacks it now is not to blame for that.
struct Removed {
    /// Place of the table that held it.
    inside: Range<usize>,
    /// Empty for an element of a list.
    key: String,
}

impl Removed {
    fn explains(&self, message: &str, span: &Range<usize>) -> bool {
        let lacking = missing_key(message)
            .is_some_and(|key| key == self.key || nearest(&self.key, [key]).is_some());
        self.inside == *span && lacking
    }
}

/// Takes out what is at `wanted`, by the place of its key or its value.
fn remove(
    table: &mut DeTable<'_>,
    inside: &Range<usize>,
    wanted: &Range<usize>,
) -> Option<Removed> {
    // The place of `[[x]]` is that of its first element, which alone is meant.
    let begins_there = |value: &DeValue<'_>| {
        value.as_array().and_then(|array| array.first()).is_some_and(|e| e.span() == *wanted)
    };
    let at = |key: &Spanned<_>, value: &Spanned<DeValue<'_>>| {
        key.span() == *wanted || (value.span() == *wanted && !begins_there(value.get_ref()))
    };
    let found = table.iter().find(|(key, value)| at(key, value)).map(|(key, _)| key.clone());
    if let Some(key) = found {
        table.remove(&key);
        return Some(Removed { inside: inside.clone(), key: key.into_inner().into_owned() });
    }
    table.iter_mut().find_map(|(_, value)| remove_below(value, wanted))
}

fn remove_below(value: &mut Spanned<DeValue<'_>>, wanted: &Range<usize>) -> Option<Removed> {
    let inside = value.span();
    match value.get_mut() {
        DeValue::Table(table) => remove(table, &inside, wanted),
        DeValue::Array(array) => {
            if array.iter().any(|element| element.span() == *wanted) {
                *array = array.iter().filter(|e| e.span() != *wanted).cloned().collect();
                return Some(Removed { inside, key: String::new() });
            }
            array.iter_mut().find_map(|element| remove_below(element, wanted))
        }
        _ => None,
    }
}

/// Serde's message in the terms of the file's author.
fn explain(source: &Source, error: &toml::de::Error) -> Problem {
    let message = error.message();
    let at = |text: String| source.problem(error.span().unwrap_or_default(), text);
    if let Some(key) = missing_key(message) {
        return at(format!("the key `{key}` is missing here"));
    }
    for (prefix, what, known) in
        [("unknown field `", "unknown key", "keys"), ("unknown variant `", "unknown name", "names")]
    {
        if let Some((name, expected)) = message.strip_prefix(prefix).and_then(|m| m.split_once('`'))
        {
            let names = expected.split('`').skip(1).step_by(2);
            let names = names.filter(|name| !OLD_NAMES.contains(name));
            return at(format!("{what} `{name}`")).remedy(known_names(name, known, names));
        }
    }
    for (prefix, what) in [("invalid type: ", "wrong type"), ("invalid value: ", "wrong value")] {
        if let Some((found, wanted)) =
            message.strip_prefix(prefix).and_then(|m| m.rsplit_once(", expected "))
        {
            let remedy = format!("right would be {}", in_words(wanted));
            return at(format!("{what}: {}", in_words(found))).remedy(remedy);
        }
    }
    match message {
        "wanted string or table" => at("wrong type".to_owned()).remedy("right would be a name"),
        message => at(message.to_owned()),
    }
}

fn missing_key(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// Rust's names for types, as TOML's.
fn in_words(name: &str) -> &str {
    match name {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" | "sequence" => "a list",
        "a map" | "map" => "a table",
        name if name.starts_with("struct ") => "a table",
        name if name.starts_with("enum ") || name.ends_with("variant identifier") => "a name",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::File;
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let source = Source { path: "scenario.toml".into(), text: text.to_owned() };
        match read::<File>(&source) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn every_mistake_of_a_file_is_told_at_once() {
        let text = r#"
rng_sed = 1
analysis = 3
[traffic]
rate_per_s = "many"
arrivals = "poison"
[[operation]]
name = "a"
weigth = 1
[[operation]]
name = "b"
weight = 1
params.id = { uuid = { x = 1 }, integer = [1, 2, 3] }
[change.timeouts]
scope = 1
[expect]
verdict = ["unsafe", "saef"]
findings = "stall"
"#;
        insta::assert_snapshot!(problems(text).join("\n"));
    }
}
