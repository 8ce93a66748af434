//! What is read of names and lines, for every tool alike.

use super::super::problem::{Problem, Source};

/// The leading digits of a name, and what follows them; None without digits.
pub(super) fn leading_digits(name: &str) -> Option<(&str, &str)> {
    let end = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    (end > 0).then(|| name.split_at(end))
}

/// As goose and sql-migrate see it: by words, whatever is quoted.
pub(super) fn ends_with_semicolon(line: &str) -> bool {
    let words = line.split_whitespace().take_while(|word| !word.starts_with("--"));
    words.last().is_some_and(|word| word.ends_with(';'))
}

/// Whether a statement that begins there has no end, which goose and sql-migrate refuse.
pub(super) fn nothing_open(
    source: &Source,
    begins: Option<usize>,
    tool: &str,
) -> Result<(), Problem> {
    let Some(begins) = begins else { return Ok(()) };
    let rest = source.text.get(begins..).unwrap_or_default();
    let length = rest.lines().next().unwrap_or_default().len();
    let problem = source.problem(begins..begins + length, "this statement has no end");
    Err(problem.remedy(format!("{tool} wants a semicolon at the end of a line")))
}

/// The lines of a text with the byte offset of each.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    })
}
