//! A schema's script as psql runs it: rows below COPY, files that it includes, and what of a dump
//! is of another database or of the server.
//!
//! What is left out here is a notice, since a run loads what a check has passed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::pg::dump::Part;
use crate::pg::{PsqlItem, SqlPiece, lex};

use super::problem::{Checked, Problem, Source, beside};
use super::sql::Sql;
use super::{Script, Statement};

/// Files that include one another, at most.
const DEPTH_MAX: usize = 16;

/// What a script and the files that it includes hold.
struct Read<'a> {
    /// The file that the scenario names.
    script: &'a Path,
    /// The files that are being read, the innermost last.
    open: Vec<PathBuf>,
    statements: Vec<Found>,
    /// Databases that it connects to, by number, with the first place of each.
    databases: Vec<(String, Problem)>,
    /// The database that it is in; 0: none was named.
    database: usize,
    problems: Vec<Problem>,
    notices: Vec<Problem>,
}

struct Found {
    statement: Statement,
    part: Part,
    database: usize,
    /// Of what is left out.
    place: Option<Problem>,
}

/// A schema's text as statements, as if it were a scenario's.
///
/// # Errors
/// Every problem that was found in it, and in the files that it includes.
pub fn psql_script(path: &Path, text: &str) -> Result<Checked<Script>, Vec<Problem>> {
    let (value, problems, notices) = read(&Source { path: path.to_owned(), text: text.to_owned() });
    if problems.is_empty() { Ok(Checked { value, notices }) } else { Err(problems) }
}

/// The same text with what its files include in their place, so that it needs none of them.
///
/// # Errors
/// As of [`psql_script`].
pub fn psql_inlined(path: &Path, text: &str) -> Result<String, Vec<Problem>> {
    psql_script(path, text)?;
    let source = Source { path: path.to_owned(), text: text.to_owned() };
    inlined(path, &source, 0).map_err(|problem| vec![problem])
}

fn inlined(script: &Path, source: &Source, depth: usize) -> Result<String, Problem> {
    let unreadable = |path: &Path, why| Problem::of_file(path, format!("cannot read it: {why}"));
    let (mut out, mut end) = (String::new(), 0);
    for item in &items_of(source)? {
        let PsqlItem::Include { file, beside, at } = item else { continue };
        let path = included(script, &source.path, file, *beside);
        if depth >= DEPTH_MAX {
            return Err(unreadable(&path, "files include one another without an end".to_owned()));
        }
        let other = Source::open(&path).map_err(|why| unreadable(&path, why))?;
        let command = source.text.get(at.clone()).unwrap_or_default();
        out.push_str(source.text.get(end..at.start).unwrap_or_default());
        out.push_str(&format!("-- {command}\n"));
        out.push_str(inlined(script, &other, depth + 1)?.trim_start_matches('\u{feff}'));
        out.push_str(missing_end(&other.text, items_of(&other)?.last()));
        end = at.end;
    }
    out.push_str(source.text.get(end..).unwrap_or_default());
    Ok(out)
}

fn items_of(source: &Source) -> Result<Vec<PsqlItem>, Problem> {
    Sql::file(source).psql_items()
}

/// What the end of a file ends, and the end of its text amid another does not: a statement without
/// a semicolon, or rows without `\.`.
fn missing_end(text: &str, last: Option<&PsqlItem>) -> &'static str {
    let is_line = text.is_empty() || text.ends_with('\n');
    match last {
        Some(PsqlItem::Statement(_, Some(rows))) if rows.end == text.len() => {
            if is_line {
                "\\.\n"
            } else {
                "\n\\.\n"
            }
        }
        Some(PsqlItem::Statement(piece, None)) => {
            let rest = text.get(piece.offset + piece.text.len()..).unwrap_or_default();
            let tokens = lex::psql_tokens(rest).unwrap_or_default();
            match tokens.iter().any(|token| token.is_symbol(rest, ";")) {
                true => "",
                false => "\n;\n",
            }
        }
        _ => "",
    }
}

/// The text of a file, as every file of a scenario is read.
///
/// # Errors
/// Why it cannot be read, as the end of a sentence that names it.
pub fn read_text(path: &Path) -> Result<String, String> {
    Source::open(path).map(|source| source.text)
}

/// The statements, what is wrong, and what is remarked on.
pub(super) fn read(file: &Source) -> (Script, Vec<Problem>, Vec<Problem>) {
    let mut read = Read {
        script: &file.path,
        open: Vec::new(),
        statements: Vec::new(),
        databases: Vec::new(),
        database: 0,
        problems: Vec::new(),
        notices: Vec::new(),
    };
    read.file(file);
    let statements = read.of_one_database();
    (Script { path: file.path.clone(), statements }, read.problems, read.notices)
}

impl Read<'_> {
    fn file(&mut self, source: &Source) {
        self.open.push(source.path.clone());
        let sql = Sql::file(source);
        let items = sql.psql_items().unwrap_or_else(|problem| {
            self.problems.push(problem);
            Vec::new()
        });
        let pieces: Vec<SqlPiece> = items.iter().filter_map(piece).cloned().collect();
        self.notices.extend(sql.all_unknown(&pieces));
        let mut statements = sql.statements(pieces).into_iter();
        for item in items {
            match item {
                PsqlItem::Statement(piece, rows) => {
                    let Some(mut statement) = statements.next() else { continue };
                    statement.rows = rows.and_then(|rows| source.text.get(rows)).map(Arc::from);
                    statement.file = (source.path != self.script).then(|| source.path.clone());
                    let (part, database) = (Part::of(&piece.text), self.database);
                    let place = matches!(part, Part::Elsewhere(_)).then(|| {
                        let first = piece.text.lines().next().unwrap_or_default();
                        sql.problem(piece.offset, first.len(), String::new())
                    });
                    self.statements.push(Found { statement, part, database, place });
                }
                PsqlItem::Include { file, beside, at } => {
                    let place = source.problem(at, String::new());
                    self.include(source, &file, beside, place);
                }
                PsqlItem::Connect { database, at } => {
                    let place = source.problem(at, String::new());
                    self.connect(database, place);
                }
            }
        }
        self.open.pop();
    }

    /// `\ir` is relative to its file; `\i` to where this program runs, as psql has it, or else to
    /// the script that the scenario names.
    fn include(&mut self, source: &Source, file: &str, is_beside: bool, place: Problem) {
        let mut refuse = |message: String, remedy: &str| {
            let problem = Problem { message, ..place.clone() };
            self.problems.push(problem.remedy(remedy));
        };
        if self.open.len() >= DEPTH_MAX {
            return refuse("files include one another without an end".to_owned(), "leave it out");
        }
        let path = included(self.script, &source.path, file, is_beside);
        match Source::open(&path) {
            Ok(included) => self.file(&included),
            Err(why) => refuse(
                format!("cannot read {}: {why}", path.display()),
                "\\ir is relative to its file, \\i to where pgauntlet runs or to the script that \
                 the scenario names",
            ),
        }
    }

    fn connect(&mut self, database: Option<String>, place: Problem) {
        let Some(name) = database else { return };
        let known = self.databases.iter().position(|(known, _)| *known == name);
        let index = known.unwrap_or_else(|| {
            self.databases.push((name, place));
            self.databases.len() - 1
        });
        self.database = index + 1;
    }

    /// The statements of the one database that something is made in, and of roles.
    fn of_one_database(&mut self) -> Vec<Statement> {
        let found = std::mem::take(&mut self.statements);
        let made: Vec<&Found> =
            found.iter().filter(|f| !f.part.makes_nothing(&f.statement.text)).collect();
        let database = made.first().map_or(self.database, |first| first.database);
        if let Some(other) = made.iter().find(|found| found.database != database) {
            let number = other.database.max(database).saturating_sub(1);
            let place = self.databases.get(number).map(|(_, place)| place.clone());
            let place = place.unwrap_or_else(|| Problem::of_file(self.script, String::new()));
            let names = [database, other.database].map(|number| self.name(number));
            let message = format!("the script fills two databases, {} and {}", names[0], names[1]);
            let problem = Problem { message, ..place };
            self.problems.push(problem.remedy("keep the part of one database"));
        }
        self.say_connected();
        let (mut kept, mut left): (Vec<Statement>, BTreeMap<_, Vec<Problem>>) = Default::default();
        for Found { statement, part, database: of, place } in found {
            match part {
                Part::Elsewhere(what) => left.entry(what).or_default().extend(place),
                part if of == database || part.is_of_roles() => kept.push(statement),
                _ => {}
            }
        }
        self.notices.extend(left.into_iter().filter_map(|(what, places)| left_out(what, &places)));
        kept
    }

    fn name(&self, database: usize) -> String {
        let named = database.checked_sub(1).and_then(|index| self.databases.get(index));
        named.map_or("the one that it begins in".to_owned(), |(name, _)| format!("`{name}`"))
    }

    fn say_connected(&mut self) {
        let Some((_, place)) = self.databases.first() else { return };
        let names: Vec<String> =
            self.databases.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message = format!("notice: \\connect {} is passed over", names.join(", "));
        let notice = Problem { message, ..place.clone() };
        self.notices.push(notice.remedy("everything is loaded into a database of pgauntlet's own"));
    }
}

/// The path of a file that `file` of a script includes.
fn included(script: &Path, file: &Path, named: &str, is_beside: bool) -> PathBuf {
    match is_beside {
        true => beside(file, named),
        false if Path::new(named).is_file() => PathBuf::from(named),
        false => beside(script, named),
    }
}

fn piece(item: &PsqlItem) -> Option<&SqlPiece> {
    match item {
        PsqlItem::Statement(piece, _) => Some(piece),
        _ => None,
    }
}

/// One notice for all that is of one kind.
fn left_out(what: &str, places: &[Problem]) -> Option<Problem> {
    let first = places.first()?.clone();
    let count = match places.len() {
        1 => "this statement is of".to_owned(),
        count => format!("{count} statements, of which this is the first, are of"),
    };
    let notice = Problem { message: format!("notice: {count} {what}: left out"), ..first };
    Some(notice.remedy("everything is loaded into a database of pgauntlet's own"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inlined_script_has_the_statements_of_the_files_that_it_includes() {
        let root = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            std::fs::write(&path, text).expect("a file");
            path
        };
        let text = "\\echo on\n\\ir sub/a.sql\nSELECT 1;\n\\i 'rows.sql'\n\\i open.sql\nSELECT 3";
        let path = write("schema.sql", text);
        write("sub/a.sql", "\u{feff}CREATE TABLE t (a text);\n\\ir b.sql\n-- behind");
        write("sub/b.sql", "CREATE TABLE u (a text) -- no end");
        write("rows.sql", "COPY t FROM stdin;\na\nb");
        write("open.sql", "SELECT 2; -- ended\n");
        let statements = |script: Checked<Script>| {
            let of = |s: &Statement| (s.text.clone(), s.rows.as_ref().map(|r| r.trim().to_owned()));
            script.value.statements.iter().map(of).collect::<Vec<_>>()
        };
        let read = statements(psql_script(&path, text).expect("a script"));
        let inlined = psql_inlined(&path, text).expect("a script");
        let alone = psql_script(Path::new("/nowhere/schema.sql"), &inlined).expect("no other file");
        assert_eq!(statements(alone), read, "{inlined}");
        assert_eq!(read.len(), 6);
        assert_eq!(psql_inlined(&path, "SELECT 1;\n").expect("a script"), "SELECT 1;\n");
        let endless = write("endless.sql", "\\ir endless.sql");
        let told = psql_inlined(&endless, "\\ir endless.sql").expect_err("an endless one");
        assert!(told[0].message.contains("without an end"), "{}", told[0]);
    }
}
