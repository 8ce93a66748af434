//! Liquibase: formatted SQL, in the order of a changelog or of `includeAll`.
//!
//! - The changelog is what `liquibase.properties` names, or the one of the directory (or of one of
//!   the two above it) that no other includes; without one the directory's `.sql` files, those
//!   below it too, in the order of their paths. Changesets in XML, YAML and JSON are refused, as
//!   what only Liquibase can run; filters of `includeAll` too.
//! - A changeset is what one transaction runs, and none where it says `runInTransaction:false`; a
//!   statement of Liquibase's (see `split`) of several of the server's is one pipeline of its
//!   driver's. The row in `databasechangelog` follows in a transaction of its own.
//! - A `.sql` file without the header is one changeset, sent as one message.
//! - Without `--contexts` and `--label-filter` changesets of every context and label run. Those for
//!   other servers (`dbms`) and `ignore:true` are left out; preconditions are asked before each.
//! - `databasechangeloglock` is taken before and given back after, each in a transaction of its
//!   own.
//!
//! Source: `AbstractFormattedChangeLogParser`, `FormattedSqlChangeLogParser`, `StringUtil` and
//! `SimpleSqlGrammar.jj` in <https://github.com/liquibase/liquibase>, 4.28, whose program was run
//! against a server that logs its statements.

mod changelog;
mod changeset;
mod files;
mod split;

use super::super::change::Precondition;
use super::super::problem::{Asker, Source};
use super::super::sql::Sql;
use super::super::{Migration, Script};
use super::listing::Listing;
use super::message;
use super::reading::Reading;

use changelog::COMMAND;
use changeset::Changeset;
use files::File;

pub(super) use files::named_by_properties;

/// Whether a file is a changelog in XML, YAML or JSON.
pub(super) fn is_changelog(name: &str, text: impl FnOnce() -> String) -> bool {
    let name = name.to_ascii_lowercase();
    changelog::ENDINGS.iter().any(|end| name.ends_with(end)) && changelog::is_one(&text())
}

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut migrations: Vec<Migration> = Vec::new();
    let mut limited = Vec::new();
    for file in files::in_order(listing, reading) {
        let found = match changeset::is_formatted(&file.source.text) {
            true => formatted(&file, reading, &mut limited),
            false => whole(&file, reading).into_iter().collect(),
        };
        for migration in found {
            if migrations.iter().any(|other| other.version == migration.version) {
                let message = format!("there are two changesets {}", migration.version);
                let line = migration.script.statements.first().map_or(1, |first| first.line);
                let at = file.source.text.split_inclusive('\n').take(line as usize - 1);
                let at = at.map(str::len).sum();
                let problem = file.source.problem(at..at, message);
                reading.problems.push(problem.remedy("Liquibase refuses that; renumber one"));
            }
            migrations.push(migration);
        }
    }
    if !limited.is_empty() {
        let (count, first) = (limited.len(), limited.swap_remove(0));
        let what = format!("{count} changesets are of a context or label ({first}), and run here");
        let remedy = |asker: Asker| {
            format!(
                "without --contexts and --label-filter Liquibase runs all of them; where you run \
                 it with them, {}",
                asker.itself(COMMAND)
            )
        };
        reading.assumed(&listing.dir, &what, remedy);
    }
    migrations
}

/// The changesets of a file of formatted SQL. `limited`: for which contexts and labels some are.
fn formatted(file: &File, reading: &mut Reading, limited: &mut Vec<String>) -> Vec<Migration> {
    let parsed = match changeset::parse(&file.source) {
        Ok(parsed) => parsed,
        Err(problems) => {
            reading.problems.extend(problems);
            return Vec::new();
        }
    };
    let source = &parsed.source;
    let first = parsed.changesets.first().map_or(source.text.len(), |first| first.line.start);
    let sql = Sql::part(source, 0..first);
    if let Some(before) = sql.pieces().unwrap_or_default().first() {
        let length = before.text.lines().next().unwrap_or_default().len();
        let problem = sql.problem(before.offset, length, "this is before the first --changeset");
        reading.problems.push(problem.remedy("Liquibase leaves it out; move it below"));
    }
    let mut found = Vec::new();
    for changeset in parsed.changesets.into_iter().filter(|changeset| changeset.counts) {
        limited.extend(changeset.only.clone());
        found.push(migration(file, source, changeset, reading));
    }
    found
}

fn migration(
    file: &File,
    source: &Source,
    changeset: Changeset,
    reading: &mut Reading,
) -> Migration {
    let path = changeset.path.as_deref().unwrap_or(&file.name);
    let version = format!("{path}::{}::{}", changeset.id, changeset.author);
    let body = changeset.body.clone();
    let text = source.text.get(body.clone()).unwrap_or_default();
    let messages = changeset.delimiter.as_ref().map(|cut| split::statements(text, cut));
    let messages = messages.unwrap_or_else(|| std::iter::once(0..text.len()).collect());
    let (mut statements, mut in_transaction) = (Vec::new(), changeset.in_transaction);
    for message in messages {
        let span = body.start + message.start..body.start + message.end;
        let sql = Sql::part(source, span);
        let pieces = match sql.pieces() {
            Ok(pieces) => pieces,
            Err(problem) => {
                let cut = "Liquibase ends a statement there unless it is between BEGIN and END \
                           (that of CASE, IF and LOOP counts): splitStatements:false, or another \
                           endDelimiter";
                reading.problems.push(problem.remedy(cut));
                break;
            }
        };
        reading.notices.extend(sql.all_unknown(&pieces));
        let sent = message::sent(&sql, pieces, &mut in_transaction);
        statements.extend(sql.statements(sent));
    }
    if statements.is_empty() {
        let problem = source.problem(changeset.line.clone(), "this changeset has no statement");
        reading.problems.push(problem.remedy("Liquibase refuses that"));
    }
    let script = Script { path: source.path.clone(), statements };
    let precondition = changeset.precondition.filter(|p: &Precondition| !p.checks.is_empty());
    let migration = Migration::new(version, script, Some(changeset.in_transaction));
    Migration { precondition, always: changeset.always, ..migration }
}

/// A file without the header.
fn whole(file: &File, reading: &mut Reading) -> Option<Migration> {
    let sql = Sql::file(&file.source);
    let pieces = reading.pieces(&sql);
    if pieces.is_empty() {
        return None;
    }
    let statements = sql.statements(message::sent(&sql, pieces, &mut true));
    let script = Script { path: file.source.path.clone(), statements };
    let version = format!("{}::raw::includeAll", file.name);
    Some(Migration::new(version, script, Some(true)))
}
