//! Files of candidates: a head line with names, then a line per candidate, fields apart by tabs.
//!
//! Fields are in COPY's text format: `\N` is NULL, `\t`, `\n` and `\\` are what they are there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::problem::{Problem, Source};

/// Values of a column, line by line; None is NULL.
pub type Values = Arc<[Option<String>]>;

/// Files that were read, by path; None: what is wrong with one is reported.
pub(super) type Pools = BTreeMap<PathBuf, Option<PoolFile>>;

/// A file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolFile {
    /// Columns in the file's order, all of the same length.
    pub columns: Vec<(String, Values)>,
}

impl PoolFile {
    /// The values of a column.
    pub fn column(&self, name: &str) -> Option<&Values> {
        self.columns.iter().find(|(known, _)| known == name).map(|(_, values)| values)
    }

    pub(super) fn read(source: &Source) -> Result<PoolFile, Problem> {
        let mut lines = lines(&source.text);
        let (start, head) = lines.next().unwrap_or((0, ""));
        let names: Vec<String> = fields(head).map(|name| name.unwrap_or_default()).collect();
        let head_problem = |message: String| source.problem(start..start + head.len(), message);
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() {
                let remedy = "the first line names the columns, a tab between two";
                return Err(head_problem("a column has no name".to_owned()).remedy(remedy));
            }
            if names[..index].contains(name) {
                return Err(head_problem(format!("there are two columns `{name}`")));
            }
        }
        let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); names.len()];
        for (start, line) in lines {
            let found = fields(line).count();
            if found != names.len() {
                let message = format!("this line has {found} fields, the first {}", names.len());
                let remedy = "right would be a field per column, a tab between two; NULL is \\N";
                return Err(source.problem(start..start + line.len(), message).remedy(remedy));
            }
            for (column, value) in columns.iter_mut().zip(fields(line)) {
                column.push(value);
            }
        }
        if columns.iter().all(Vec::is_empty) {
            let remedy = "right would be a line per candidate below the names";
            return Err(head_problem("there is nothing to draw from".to_owned()).remedy(remedy));
        }
        let columns = columns.into_iter().map(Values::from);
        Ok(PoolFile { columns: names.into_iter().zip(columns).collect() })
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let names = self.columns.iter().map(|(name, _)| Some(name.as_str()));
        push_line(names, &mut text);
        let lines = self.columns.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
        for line in 0..lines {
            let value = |(_, values): &'_ (String, Values)| values.get(line).cloned().flatten();
            let values: Vec<Option<String>> = self.columns.iter().map(value).collect();
            push_line(values.iter().map(Option::as_deref), &mut text);
        }
        text
    }
}

/// Lines with where they start. Only a newline ends one: a carriage return is escaped.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |whole| {
        let at = start;
        start += whole.len();
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        (at, line.strip_suffix('\r').unwrap_or(line))
    })
}

fn fields(line: &str) -> impl Iterator<Item = Option<String>> {
    line.split('\t').map(|field| (field != "\\N").then(|| unescaped(field)))
}

/// As COPY reads it, without the octal and hexadecimal forms.
fn unescaped(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(c) = characters.next() {
        let c = match c {
            '\\' => match characters.next() {
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('v') => '\u{b}',
                Some(other) => other,
                None => '\\',
            },
            c => c,
        };
        text.push(c);
    }
    text
}

fn push_line<'a>(values: impl Iterator<Item = Option<&'a str>>, text: &mut String) {
    for (index, value) in values.enumerate() {
        if index > 0 {
            text.push('\t');
        }
        match value {
            None => text.push_str("\\N"),
            Some(value) => value.chars().for_each(|c| match c {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                c => text.push(c),
            }),
        }
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<PoolFile, String> {
        let source = Source { path: "pools/t.tsv".into(), text: text.to_owned() };
        PoolFile::read(&source).map_err(|problem| problem.to_string())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            lines in proptest::collection::vec((".{0,9}", proptest::option::of(".{0,9}")), 1..20),
        ) {
            let (first, second): (Vec<_>, Vec<_>) =
                lines.into_iter().map(|(a, b)| (Some(a), b)).unzip();
            let columns =
                vec![("a b".to_owned(), Values::from(first)), ("c".to_owned(), second.into())];
            let pool = PoolFile { columns };
            prop_assert_eq!(read(&pool.to_text()), Ok(pool));
        }
    }

    #[test]
    fn null_is_not_the_text_of_its_sign() {
        let pool = read("a\tb\n\\N\t\\\\N\n").expect("a pool");
        assert_eq!(pool.columns[0].1[0], None);
        assert_eq!(pool.columns[1].1[0].as_deref(), Some("\\N"));
    }

    #[rstest::rstest]
    #[case("", "pools/t.tsv:1:1: a column has no name")]
    #[case("a\n", "pools/t.tsv:1:1: there is nothing to draw from")]
    #[case("a\ta\n1\t2\n", "pools/t.tsv:1:1: there are two columns `a`")]
    #[case("a\tb\n1\t2\n3\n", "pools/t.tsv:3:1: this line has 1 fields, the first 2")]
    fn what_is_no_pool_is_refused_with_its_line(#[case] text: &str, #[case] problem: &str) {
        let message = read(text).expect_err("no pool");
        assert!(message.starts_with(problem), "{message}");
    }
}
