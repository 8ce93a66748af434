//! Text for a terminal: lines, wrapped paragraphs and labelled ones, no longer than its width.

use std::fmt::{self, Write};
use std::ops::Range;

use anstream::adapter::strip_str;
use anstyle::Style;
use unicode_width::UnicodeWidthStr;

pub const DIM: Style = Style::new().dimmed();
/// What follows a number and stays in its line.
const UNITS: [&str; 9] = ["µs", "ms", "s", "min", "B", "kB", "MB", "GB", "%"];
/// Columns before a labelled text.
const LABELLED: usize = 16;

/// The columns that a text for people may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width(usize);

impl Width {
    /// For what is not wrapped.
    pub(super) const UNLIMITED: Width = Width(usize::MAX);
    const LEAST: usize = 60;
    /// Longer lines of prose are harder to read.
    const MOST: usize = 160;

    /// Of a terminal that has so many columns.
    pub fn of_terminal(columns: usize) -> Width {
        Width(columns.clamp(Width::LEAST, Width::MOST))
    }

    /// Columns of a terminal cell each.
    pub fn columns(self) -> usize {
        self.0
    }

    /// A length that fits at the usual width and grows with a wider one.
    pub(super) fn at_least(self, usual: usize) -> usize {
        usual + self.0.saturating_sub(Width::default().0)
    }
}

impl Default for Width {
    /// Of files and logs, which have no terminal.
    fn default() -> Width {
        Width(100)
    }
}

/// A text that grows by lines. Words that are longer than a line are not broken.
pub(super) struct Text {
    pub(super) width: Width,
    text: String,
}

impl Text {
    pub(super) fn new(width: Width) -> Text {
        Text { width, text: String::new() }
    }

    pub(super) fn into_string(self) -> String {
        self.text
    }

    /// A line as it is.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Wrapped; the lines after the first begin below the text of the first.
    pub(super) fn paragraph(&mut self, lead: &str, text: &str) {
        self.hanging(lead, columns(lead), text);
    }

    /// Wrapped; the lines after the first begin after so many blanks.
    pub(super) fn hanging(&mut self, lead: &str, blanks: usize, text: &str) {
        let first = columns(lead).max(blanks);
        for (index, line) in wrapped(text, self.width.0.saturating_sub(first)).iter().enumerate() {
            let lead = if index == 0 { lead.to_owned() } else { " ".repeat(blanks) };
            self.line(&format!("{lead}{line}"));
        }
    }

    pub(super) fn labelled(&mut self, label: &str, text: &str) {
        self.hanging(&format!("      {DIM}{label:<9}{DIM:#} "), LABELLED, text);
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        Ok(())
    }
}

/// Columns that a terminal needs for it. Colours need none.
pub(super) fn columns(text: &str) -> usize {
    match text.contains('\u{1b}') {
        true => strip_str(text).to_string().width(),
        false => text.width(),
    }
}

/// Breaks at blanks, but for that between a number and its unit; a word that is longer than a line
/// has its own.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words(text) {
        let line = lines.last().map_or(0, |line| columns(line));
        if line > 0 && line + 1 + columns(&word) > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}

/// `2.90 s` is one word.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut().filter(|last| is_number(last) && is_unit(word)) {
            Some(number) => *number = format!("{number} {word}"),
            None => words.push(word.to_owned()),
        }
    }
    words
}

fn is_number(word: &str) -> bool {
    let digits = word.trim_start_matches('(');
    let is_part = |c: char| c.is_ascii_digit() || ".,".contains(c);
    digits.ends_with(|c: char| c.is_ascii_digit()) && digits.chars().all(is_part)
}

fn is_unit(word: &str) -> bool {
    UNITS.contains(&word.trim_end_matches([',', ';', ':', '.', ')']))
}

/// A line as it was written, in as many rows as it takes: blanks at its beginning stay, and what
/// has no blank is broken.
pub(super) fn rows_of(line: &str, width: usize) -> Vec<String> {
    let (mut rows, mut left) = (Vec::new(), line);
    while let Some(fits) = beyond(left, width) {
        let blank = left[..fits.end].rfind(' ').filter(|at| !left[..*at].trim().is_empty());
        let at = blank.unwrap_or(fits.start);
        rows.push(left[..at].trim_end().to_owned());
        left = &left[at + usize::from(blank.is_some())..];
    }
    rows.push(left.to_owned());
    rows
}

/// Where the text goes beyond the width: the character with which it does. None: it fits.
fn beyond(text: &str, width: usize) -> Option<Range<usize>> {
    let mut taken = 0;
    for (at, character) in text.char_indices() {
        let range = at..at + character.len_utf8();
        taken += text[range.clone()].width();
        // At least one character is in a row, whatever its width.
        if taken > width && at > 0 {
            return Some(range);
        }
    }
    None
}

/// A word in pieces of at most this width; names are broken after a mark, where one is near.
pub(super) fn pieces(word: &str, width: usize) -> Vec<&str> {
    let (mut pieces, mut left) = (Vec::new(), word);
    while let Some(fits) = beyond(left, width) {
        let head = &left[..fits.start];
        let mark = head.rfind(['.', '_', '/', ':', ',', '-', '(']).map(|at| at + 1);
        let at = mark.filter(|at| *at > head.len() / 2).unwrap_or(head.len());
        pieces.push(&left[..at]);
        left = &left[at..];
    }
    pieces.push(left);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_unit_are_in_one_line() {
        assert_eq!(wrapped("it took 2.90 s (limit 1 s)", 12), ["it took", "2.90 s", "(limit 1 s)"]);
        assert_eq!(wrapped("5 %, at 1 B.", 6), ["5 %,", "at", "1 B."]);
        assert_eq!(wrapped("a s b", 3), ["a s", "b"]);
    }

    #[test]
    fn a_word_that_is_longer_than_a_line_is_whole() {
        assert_eq!(wrapped("in /a/long/path is", 8), ["in", "/a/long/path", "is"]);
    }

    #[test]
    fn a_line_of_a_program_is_broken_where_it_has_no_blank() {
        assert_eq!(rows_of("  ab cd", 5), ["  ab", "cd"]);
        assert_eq!(rows_of("abcdefgh", 3), ["abc", "def", "gh"]);
    }

    #[test]
    fn colours_take_no_room() {
        let text = format!("{DIM}ab{DIM:#} cd");
        assert_eq!((columns(&text), wrapped(&text, 5).len()), (5, 1));
    }
}
