//! The Supabase CLI: `<digits>_<name>.sql`.
//!
//! - The version is the leading digits as written; files are applied in the order of their names.
//!   Files of other names are passed over with a message, which is a problem here.
//! - A file's statements and its version row are one pipeline, which the server runs in one
//!   implicit transaction; since 2.109 what cannot run in one (CREATE INDEX CONCURRENTLY, REINDEX
//!   CONCURRENTLY, VACUUM, ALTER SYSTEM, CLUSTER, later also DROP INDEX CONCURRENTLY and others)
//!   runs alone, after a commit of what is before it; what follows is a transaction of its own,
//!   and the version row is in the last. Up to 2.108 such a statement fails. Which of the two holds
//!   is said by the package `supabase`, where the project has it; without it, it is the newer.
//! - Up to which version LOCK TABLE fails for want of a transaction block (2.115 on) is not told
//!   apart: a pipeline is run as a transaction.
//! - A file of the form `BEGIN; … COMMIT;` runs so in every version. What another BEGIN or COMMIT
//!   does depends on the version, and is a problem here.
//!
//! Source: `pkg/migration/file.go` and `apps/cli/src/legacy/shared/legacy-migration-apply.ts` in
//! <https://github.com/supabase/cli>, <https://github.com/supabase/cli/pull/5671> and
//! <https://github.com/supabase/cli/pull/6009>.

use crate::pg::SqlPiece;
use crate::pg::syntax::{self, Kind};

use super::super::problem::Source;
use super::super::sql::Sql;
use super::super::{Migration, Statement};
use super::listing::Listing;
use super::message;
use super::package::{self, Version};
use super::reading::{Named, Reading, migration};
use super::text::leading_digits;

/// The first version that runs alone what cannot run in a transaction.
const RUNS_ALONE: Version = (2, 109);

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let version = package::version(&listing.dir, "supabase");
    let runs_alone = version.is_none_or(|version| version >= RUNS_ALONE);
    let mut found = Vec::new();
    for entry in listing.files().filter(|entry| entry.name.ends_with(".sql")) {
        match leading_digits(&entry.name).filter(|(_, rest)| rest.starts_with('_')) {
            Some((digits, _)) => {
                found.push(Named { order: digits.to_owned(), version: digits.to_owned(), entry });
            }
            None => reading.misnamed(entry, "the CLI would pass this file over"),
        }
    }
    let mut found = reading.in_order(found);
    found.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
    let (mut migrations, mut depends) = (Vec::new(), false);
    for Named { version, entry, .. } in found {
        let Some(source) = reading.open(&entry.path) else { continue };
        let sql = Sql::file(&source);
        let pieces = reading.pieces(&sql);
        if pieces.iter().any(|piece| is_control(&piece.text)) {
            migrations.extend(own_transaction(version, &source, &sql, pieces, reading));
            continue;
        }
        let alone = pieces.iter().any(|piece| is_alone(&piece.text));
        depends |= alone;
        let statements = sql.statements(pieces);
        migrations.push(match alone && runs_alone {
            false => migration(version, &source, statements, true),
            true if statements.len() == 1 => migration(version, &source, statements, false),
            true => migration(version, &source, apart(statements), true),
        });
    }
    if version.is_none() && depends {
        let what = "which version of the Supabase CLI applies it is not known: read as 2.109 or \
                    newer, which runs alone what cannot run in a transaction";
        let remedy = "with an older one that statement fails";
        reading.assumed(&listing.dir, what, |_| remedy.to_owned());
    }
    migrations
}

/// With a COMMIT before each statement that runs alone, and a BEGIN before what follows.
fn apart(statements: Vec<Statement>) -> Vec<Statement> {
    let (mut sent, mut in_transaction) = (Vec::new(), true);
    for statement in statements {
        let alone = is_alone(&statement.text);
        if alone == in_transaction {
            let text = if alone { "COMMIT" } else { "BEGIN" };
            sent.push(Statement::new(text, statement.line));
        }
        in_transaction = !alone;
        sent.push(statement);
    }
    sent
}

/// A file that opens and ends its transaction itself.
fn own_transaction(
    version: String,
    source: &Source,
    sql: &Sql<'_>,
    pieces: Vec<SqlPiece>,
    reading: &mut Reading,
) -> Option<Migration> {
    let (first, last) = (0, pieces.len().saturating_sub(1));
    let fits = |at: usize, piece: &SqlPiece| match syntax::kind(&piece.text) {
        Kind::Begin => at == first,
        Kind::Commit => at == last,
        _ => !is_control(&piece.text) && at != first && at != last,
    };
    match pieces.iter().enumerate().find(|(at, piece)| !fits(*at, piece)) {
        None => Some(migration(version, source, sql.statements(pieces), false)),
        Some((_, piece)) => {
            let message = "this is beside a transaction of the file's own";
            let problem = sql.problem(piece.offset, piece.text.len().min(20), message);
            let remedy = "what becomes of it depends on the CLI's version: begin the file with \
                          BEGIN and end it with COMMIT, or leave both out";
            reading.problems.push(problem.remedy(remedy));
            None
        }
    }
}

fn is_control(text: &str) -> bool {
    syntax::kind(text) == Kind::Begin || message::ends_transaction(text)
}

fn is_alone(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    syntax::must_run_outside_transaction(&syntax::kind(text))
        || first.eq_ignore_ascii_case("cluster")
}
