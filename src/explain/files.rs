//! What a file is called for people: as much of its path as tells it apart from the others.

use std::collections::{BTreeMap, BTreeSet};

use crate::result::{Evidence, Finding, Judgement, Matrix, StatementRef};

/// Files by path, with their names. Diesel calls every migration `up.sql`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    names: BTreeMap<String, String>,
}

impl Files {
    /// Of these paths.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p str>) -> Files {
        let paths: BTreeSet<&str> = paths.into_iter().collect();
        let name = |path: &&str| ((*path).to_owned(), name_among(path, &paths));
        Files { names: paths.iter().map(name).collect() }
    }

    /// Those of a judgement's statements and findings.
    pub fn of_judgement(judgement: &Judgement) -> Files {
        let rows = judgement.measured.statements.iter().map(|row| &row.statement);
        let found = judgement.findings.iter().flat_map(statements_of);
        Files::of(rows.chain(found).filter_map(|statement| statement.file.as_deref()))
    }

    /// The files of a crash matrix's statements.
    pub fn of_matrix(matrix: &Matrix) -> Files {
        let rows = matrix.rows.iter().map(|row| &row.statement);
        Files::of(rows.filter_map(|statement| statement.file.as_deref()))
    }

    /// Those that one finding names.
    pub fn of_finding(finding: &Finding) -> Files {
        let statements = statements_of(finding).into_iter();
        Files::of(statements.filter_map(|statement| statement.file.as_deref()))
    }

    /// The file's name; of one that is not among these, the last part of its path.
    pub fn name<'f>(&'f self, path: &'f str) -> &'f str {
        let last = || path.rsplit('/').next().unwrap_or(path);
        self.names.get(path).map_or_else(last, String::as_str)
    }
}

/// The statements that a finding may name.
fn statements_of(finding: &Finding) -> Vec<&StatementRef> {
    let mut statements: Vec<&StatementRef> = finding.subject.statement.iter().collect();
    match &finding.evidence {
        Some(Evidence::OpenTransaction(of)) => {
            statements.push(&of.transaction);
            statements.extend(&of.first_change);
        }
        Some(Evidence::Latency(of)) => statements.extend(&of.meanwhile),
        Some(Evidence::OperationWaited(of)) => statements.extend(&of.meanwhile),
        Some(Evidence::ChangeHung(of)) => {
            statements.extend(of.waits.iter().filter_map(|wait| wait.statement.as_ref()));
            statements.extend(of.waits.iter().filter_map(|wait| wait.holder_statement.as_ref()));
        }
        Some(Evidence::StatementsUnderLock(of)) => statements.push(&of.longest),
        Some(Evidence::TimeoutNotInForce(of)) => {
            statements.extend(of.timeouts.iter().map(|timeout| &timeout.statement));
        }
        Some(Evidence::SessionStateLeft(of)) => {
            statements.extend(of.locks.iter().map(|lock| &lock.statement));
            statements.extend(of.settings.iter().map(|setting| &setting.statement));
        }
        _ => {}
    }
    statements
}

/// The shortest end of the path, from a separator on, that no other path has.
fn name_among(path: &str, paths: &BTreeSet<&str>) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let ends_so = |other: &str, end: &str| {
        other.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    let end = (1..parts.len()).map(|count| parts[parts.len() - count..].join("/"));
    let unique = |end: &String| paths.iter().filter(|other| ends_so(other, end)).count() <= 1;
    end.into_iter().find(unique).unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_last_part_where_that_tells_it_apart() {
        let files = Files::of(["m/1.sql", "m/2.sql"]);
        assert_eq!((files.name("m/1.sql"), files.name("m/2.sql")), ("1.sql", "2.sql"));
        assert_eq!(files.name("elsewhere/3.sql"), "3.sql");
    }

    #[test]
    fn files_of_one_name_are_named_with_their_directories() {
        let files = Files::of(["m/a/up.sql", "m/b/up.sql", "m/b/down.sql"]);
        let names = ["m/a/up.sql", "m/b/up.sql", "m/b/down.sql"].map(|path| files.name(path));
        assert_eq!(names, ["a/up.sql", "b/up.sql", "down.sql"]);
    }

    #[test]
    fn a_path_that_ends_another_one_is_named_whole() {
        let files = Files::of(["up.sql", "a/up.sql", "b/a/up.sql"]);
        let names = ["up.sql", "a/up.sql", "b/a/up.sql"].map(|path| files.name(path));
        assert_eq!(names, ["up.sql", "a/up.sql", "b/a/up.sql"]);
    }
}
