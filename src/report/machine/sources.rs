//! Where a command's statement is in the files of the tool that sent it.
//!
//! A tool tells the server what to do and not from which file it has that. The text can be looked
//! for: as SQL that a person wrote, else by the names that a call such as
//! `add_column("spans", "task_id")` holds. A place is returned only where no other fits.

use crate::pg::lex::{TokenKind, one_line, tokens};

use super::SourcePlace;

/// A file that may hold migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// As annotations name it.
    pub path: String,
    /// Its contents.
    pub text: String,
}

/// As much of a statement as is looked for: longer ones are broken over lines and quotes.
const SOUGHT_MAX: usize = 40;
/// Shorter texts occur anywhere.
const SOUGHT_MIN: usize = 16;
/// Names of one call are this close together.
const LINES_APART_MAX: usize = 6;
/// Words of SQL that a call may hold as strings too, and that name nothing.
const NO_NAMES: &[&str] = &["table", "column", "index", "constraint", "text", "varchar", "integer"];

/// The one place that the statement fits.
pub fn locate(files: &[SourceFile], statement: &str) -> Option<SourcePlace> {
    only(files.iter().flat_map(|file| by_text(file, statement)))
        .or_else(|| only(files.iter().filter_map(|file| by_names(file, statement))))
}

fn only(mut places: impl Iterator<Item = SourcePlace>) -> Option<SourcePlace> {
    let first = places.next()?;
    places.next().is_none().then_some(first)
}

/// Where the statement begins, whatever the line breaks and the case.
fn by_text(file: &SourceFile, statement: &str) -> Vec<SourcePlace> {
    let sought: String = one_line(statement).to_lowercase().chars().take(SOUGHT_MAX).collect();
    if sought.len() < SOUGHT_MIN {
        return Vec::new();
    }
    let (mut flat, mut lines) = (String::new(), Vec::new());
    for (number, line) in (1..).zip(file.text.lines()) {
        for word in line.split_whitespace() {
            lines.push((flat.len(), number));
            flat.push_str(&word.to_lowercase());
            flat.push(' ');
        }
    }
    let line = |at: usize| lines.iter().rev().find(|(from, _)| *from <= at).map_or(1, |(_, n)| *n);
    let place = |(at, _)| SourcePlace { file: file.path.clone(), line: line(at) };
    flat.match_indices(sought.trim_end()).map(place).collect()
}

/// Where all names of the statement that the file quotes are close together: two at least.
fn by_names(file: &SourceFile, statement: &str) -> Option<SourcePlace> {
    let tokens = tokens(statement).ok()?;
    let named =
        tokens.iter().filter(|t| matches!(t.kind, TokenKind::Word | TokenKind::QuotedIdent));
    let mut names: Vec<String> =
        named.map(|t| t.text(statement).trim_matches('"').to_lowercase()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| !NO_NAMES.contains(&name.as_str()));
    let quotes = |line: &str, name: &str| {
        ['"', '\'', '`'].iter().any(|q| line.contains(&format!("{q}{name}{q}")))
    };
    let lines: Vec<String> = file.text.lines().map(str::to_lowercase).collect();
    names.retain(|name| lines.iter().any(|line| quotes(line, name)));
    let holds = |window: &[String]| names.iter().all(|n| window.iter().any(|l| quotes(l, n)));
    let first = |(_, window): &(usize, &[String])| {
        names.iter().any(|name| quotes(&window[0], name)) && holds(window)
    };
    if names.len() < 2 {
        return None;
    }
    let mut starts = (0..lines.len()).map(|at| {
        let end = (at + LINES_APART_MAX).min(lines.len());
        (at, &lines[at..end])
    });
    let (at, _) = starts.rfind(first)?;
    Some(SourcePlace { file: file.path.clone(), line: u32::try_from(at + 1).unwrap_or(u32::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    fn found(files: &[SourceFile], statement: &str) -> Option<(String, u32)> {
        locate(files, statement).map(|place| (place.file, place.line))
    }

    #[test]
    fn written_sql_is_found_across_line_breaks() {
        let files = [
            file("1.py", "import op\nop.execute('select 1')\n"),
            file("2.py", "op.execute('''\n  UPDATE spans\n     SET task_id = 1''')\n"),
        ];
        assert_eq!(found(&files, "UPDATE spans SET task_id = 1"), Some(("2.py".to_owned(), 2)));
    }

    #[test]
    fn a_call_is_found_by_the_names_that_it_holds() {
        let text = "op.add_column(\n    \"spans\",\n    sa.Column(\"task_id\"),\n)\n";
        let files = [file("1.py", text), file("2.py", "op.drop_table(\"spans\")\n")];
        let statement = "ALTER TABLE spans ADD COLUMN task_id VARCHAR";
        assert_eq!(found(&files, statement), Some(("1.py".to_owned(), 2)));
    }

    #[test]
    fn what_stands_in_two_places_is_not_told() {
        let text = "op.execute('UPDATE spans SET task_id = 1')\n";
        let files = [file("1.py", text), file("2.py", text)];
        assert_eq!(found(&files, "UPDATE spans SET task_id = 1"), None);
    }
}
