//! What every reader does alike: open a file, split it, put migrations in order, tell problems.

use std::ops::Range;
use std::path::Path;

use crate::pg::SqlPiece;

use super::super::problem::{Asker, Problem, Source};
use super::super::sql::Sql;
use super::super::tool::Tool;
use super::super::{Migration, Script, Statement};
use super::listing::Entry;
use super::marker::{Marker, Whose, markers};
use super::message;
use super::owner::Owner;

/// Problems are collected, so that those of every file are reported at once.
pub(super) struct Reading {
    pub tool: Tool,
    pub problems: Vec<Problem>,
    /// What the parser does not know, and what was taken for granted.
    pub notices: Vec<Problem>,
}

/// A file that is a migration by its name.
pub(super) struct Named<'a, K> {
    /// What the tool sorts by; no two migrations share it.
    pub order: K,
    /// What the tool writes in its version table.
    pub version: String,
    pub entry: &'a Entry,
}

impl Reading {
    pub fn new(tool: Tool) -> Reading {
        Reading { tool, problems: Vec::new(), notices: Vec::new() }
    }

    /// A file of the tool's; what another tool would look at in it is a problem.
    pub fn open(&mut self, path: &Path) -> Option<Source> {
        let unreadable = |why: String| Problem::of_file(path, format!("cannot read it: {why}"));
        let source = Source::open(path).map_err(|why| self.problems.push(unreadable(why))).ok()?;
        let tool = self.tool;
        let markers = markers(&source.text);
        // Where the tool's own marker ends what it runs, a comment of words is a comment.
        let is_own = |marker: &Marker| marker.owner() == Some(Owner::Read(tool));
        let has_own = tool == Tool::Liquibase
            || markers.iter().any(|m| is_own(m) && m.begins_down(&source.text));
        let is_foreign = |marker: &Marker| match marker.whose {
            Whose::Words => !has_own,
            // A user who says that psql runs the files has chosen their rule.
            Whose::Tool(_) if tool == Tool::Plain => marker.begins_part,
            Whose::Tool(_) | Whose::Unknown => !is_own(marker),
        };
        let foreign = markers.into_iter().filter(is_foreign);
        let reader = (tool != Tool::Plain).then_some(tool.as_str());
        let problem = |marker: Marker| marker.problem(&source, reader);
        self.problems.extend(foreign.map(problem));
        Some(source)
    }

    /// The statements of a file or of a part of one.
    pub fn pieces(&mut self, sql: &Sql<'_>) -> Vec<SqlPiece> {
        let pieces = sql.pieces().unwrap_or_else(|problem| {
            self.problems.push(problem);
            Vec::new()
        });
        self.notices.extend(sql.all_unknown(&pieces));
        pieces
    }

    /// What the tool sends at once as one statement, whose text may hold several. `cut` is the
    /// remedy where the tool ended it too early.
    pub fn message(
        &mut self,
        source: &Source,
        span: Range<usize>,
        cut: Option<&str>,
    ) -> Option<Statement> {
        let sql = Sql::part(source, span);
        let pieces = match sql.pieces() {
            Ok(pieces) => pieces,
            Err(problem) => {
                self.problems.push(match cut {
                    Some(cut) => problem.remedy(cut),
                    None => problem,
                });
                return None;
            }
        };
        self.notices.extend(sql.all_unknown(&pieces));
        sql.statements(message::whole(&sql, &pieces)).pop()
    }

    /// SQL that the tool sends as one message, in a transaction of its own or not.
    pub fn as_one_message(
        &mut self,
        version: String,
        source: &Source,
        sql: &Sql<'_>,
        in_transaction: bool,
    ) -> Migration {
        let pieces = self.pieces(sql);
        let transaction = in_transaction || message::is_transaction(&pieces);
        let pieces = message::as_in_one(sql, pieces);
        migration(version, source, sql.statements(pieces), transaction)
    }

    /// Sorted, and two of the same version reported.
    pub fn in_order<'a, K: Ord>(&mut self, mut found: Vec<Named<'a, K>>) -> Vec<Named<'a, K>> {
        found.sort_by(|a, b| a.order.cmp(&b.order));
        for pair in found.windows(2).filter(|pair| pair[0].order == pair[1].order) {
            let (first, second) = (&pair[0].entry.path, &pair[1]);
            let message = format!("{} has version `{}` too", first.display(), second.version);
            let line = (!second.entry.is_dir).then_some(1);
            let problem = Problem { line, ..Problem::of_file(&second.entry.path, message) };
            self.problems.push(problem.remedy("a version is applied once; renumber one of them"));
        }
        found
    }

    /// A file that the tool, too, stumbles over or tells.
    pub fn misnamed(&mut self, entry: &Entry, what: &str) {
        let remedy = format!(
            "a migration of {}'s is named {}; keep other files elsewhere",
            self.tool,
            self.tool.pattern()
        );
        self.problems.push(Problem::of_file(&entry.path, what).remedy(remedy));
    }

    /// Which version of the tool was taken, where the project does not say it and files differ.
    pub fn assumed(&mut self, dir: &Path, what: &str, remedy: impl Fn(Asker) -> String) {
        let notice = Problem::of_file(dir, format!("notice: {what}"));
        self.notices.push(notice.remedy_by(remedy));
    }

    /// A migration in a programming language, which the tool would run and we cannot.
    pub fn no_sql(&mut self, entry: &Entry) {
        let message = format!("{} would run this migration, which is no SQL", self.tool);
        let remedy = |asker: Asker| {
            let itself = match asker {
                Asker::Scenario => "(--command, or `command` in [change])",
                Asker::Try => "(pgauntlet try --base 'COMMAND' -- COMMAND)",
            };
            format!(
                "only SQL is run here: run the tool itself {itself}, name a directory without it, \
                 or write what it does as SQL"
            )
        };
        self.problems.push(Problem::of_file(&entry.path, message).remedy_by(remedy));
    }
}

pub(super) fn migration(
    version: String,
    source: &Source,
    statements: Vec<Statement>,
    transaction: bool,
) -> Migration {
    let script = Script { path: source.path.clone(), statements };
    Migration::new(version, script, Some(transaction))
}
