//! Words of texts whose language is not known, such as a function's: what they may name.

use std::collections::BTreeSet;

/// Letters, digits and `_`, in lower case.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    parts(text).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether all words of the name are among them.
pub fn names(words: &BTreeSet<String>, name: &str) -> bool {
    parts(&name.to_lowercase()).all(|part| part.is_empty() || words.contains(part))
}

/// Whether the text calls a function of this name, which has no schema.
pub fn calls(text: &str, function: &str) -> bool {
    let call = format!("{function}(");
    let mut found = text.match_indices(&call);
    found.any(|(at, _)| !text[..at].ends_with(is_part))
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_part(c))
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
