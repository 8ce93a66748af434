//! Text that Markdown shows as it is.

/// Nothing in a text is markup, and a bar is no border of a cell.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_not_taken_for_sql() {
        assert_eq!(
            escaped("run it with --repeat 5,\n/* a* */ b"),
            "run it with --repeat 5, /\\* a\\* \\*/ b"
        );
    }
}
