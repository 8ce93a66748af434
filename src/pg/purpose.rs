//! What a statement that somebody else's tool sends is for, told by its words: work, or the noise
//! around it; which lock it asks for; which setting it sets.
//!
//! A message of several statements is what the strongest of them is. Text alone never tells for
//! certain: what a function does that a SELECT calls is not seen, nor is what a DO block builds
//! from strings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LockMode;
use super::lex::{self, Token, TokenKind};
use super::split;
use super::syntax::{Kind, Words, kind};

/// What a statement is for. Ordered: of several statements the greatest counts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// BEGIN, COMMIT, ROLLBACK, savepoints.
    Transaction,
    /// SET, SHOW, PREPARE, LOCK, temporary tables: about the session itself.
    Setting,
    /// SELECT, EXPLAIN, COPY TO.
    Read,
    /// Whatever changes the schema or data, or may.
    Work,
}

pub fn purpose(sql: &str) -> Purpose {
    // An empty message is no work.
    pieces(sql).iter().map(|piece| purpose_of_one(piece)).max().unwrap_or(Purpose::Setting)
}

fn purpose_of_one(sql: &str) -> Purpose {
    let words = Words::of(sql);
    match kind(sql) {
        Kind::Begin | Kind::Commit | Kind::Rollback | Kind::Savepoint => Purpose::Transaction,
        Kind::Set | Kind::Show | Kind::Lock => Purpose::Setting,
        Kind::Select if words.has("into") || writes_in_with(sql) => Purpose::Work,
        Kind::Select => Purpose::Read,
        Kind::Other => match words.at(0).as_str() {
            "commit" | "rollback" => Purpose::Transaction,
            "prepare" if words.at(1) == "transaction" => Purpose::Transaction,
            "" | "deallocate" | "discard" | "listen" | "load" | "notify" | "prepare"
            | "unlisten" => Purpose::Setting,
            "create" if is_temporary(&words) => Purpose::Setting,
            "close" | "declare" | "explain" | "fetch" | "move" => Purpose::Read,
            "copy" if words.has("to") && !words.has("from") => Purpose::Read,
            _ => Purpose::Work,
        },
        _ => Purpose::Work,
    }
}

fn is_temporary(words: &Words) -> bool {
    let temporary = |at| matches!(words.at(at).as_str(), "temp" | "temporary");
    temporary(1) || (matches!(words.at(1).as_str(), "local" | "global") && temporary(2))
}

/// `WITH gone AS (DELETE …) SELECT …`; FOR UPDATE and FOR NO KEY UPDATE only lock.
fn writes_in_with(sql: &str) -> bool {
    let tokens = lex::tokens(sql).unwrap_or_default();
    let words: Vec<&Token> = tokens.iter().filter(|t| t.kind == TokenKind::Word).collect();
    let is = |token: &Token, of: &[&str]| of.iter().any(|word| token.is_word(sql, word));
    let writes = words.windows(2).any(|pair| {
        is(pair[1], &["insert", "update", "delete", "merge"]) && !is(pair[0], &["for", "key"])
    });
    writes && words.first().is_some_and(|first| first.is_word(sql, "with"))
}

/// The statements of a message; of one that was cut short, as far as it goes.
fn pieces(sql: &str) -> Vec<String> {
    let sql = match lex::tokens(sql) {
        Ok(_) => sql,
        Err(open) => sql.get(..open.offset).unwrap_or_default(),
    };
    match split(sql) {
        Ok(pieces) => pieces.into_iter().map(|piece| piece.text).collect(),
        // The data of a COPY comes in messages of its own.
        Err(_) => vec![sql.to_owned()],
    }
}

/// Whether the message opens its transaction itself: `BEGIN; …`.
pub fn begins_transaction(sql: &str) -> bool {
    pieces(sql).first().is_some_and(|first| kind(first) == Kind::Begin)
}

/// How many IF EXISTS and IF NOT EXISTS it has: as many notices as that say that it did nothing.
pub fn skippable(sql: &str) -> usize {
    let words: Vec<Words> = pieces(sql).iter().map(|piece| Words::of(piece)).collect();
    words.iter().map(Words::conditions).sum()
}

/// Tables in which migration tools remember what is applied, and hold their own lock, by default.
pub const TOOLS_TABLES: &[&str] = &[
    "alembic_version",
    "django_migrations",
    "_sqlx_migrations",
    "schema_migrations", // dbmate, golang-migrate, Rails
    "ar_internal_metadata",
    "knex_migrations",
    "knex_migrations_lock",
    "pgmigrations",
    "flyway_schema_history",
    "goose_db_version",
    "__diesel_schema_migrations",
    "refinery_schema_history",
    "_prisma_migrations",
    "databasechangelog",
    "databasechangeloglock",
];

/// Whether all the work of the message is about these tables: their rows, or the tables themselves.
pub fn is_about(sql: &str, tables: &[&str]) -> bool {
    let pieces = pieces(sql);
    let mut work = pieces.iter().filter(|piece| purpose_of_one(piece) == Purpose::Work).peekable();
    work.peek().is_some()
        && work.all(|piece| {
            tables.iter().any(|table| writes_to(piece, table) > 0 || defines(piece, table))
        })
}

/// CREATE and ALTER TABLE, CREATE INDEX ON the table.
fn defines(sql: &str, table: &str) -> bool {
    /// Words in which the table is named; what follows are its columns.
    const LEADING: usize = 9;
    let name = table.rsplit('.').next().unwrap_or(table);
    let words = Words::of(sql);
    let of_table = matches!(words.at(0).as_str(), "create" | "alter")
        && matches!(words.at(1).as_str(), "table" | "index" | "unique");
    of_table && (2..LEADING).any(|at| words.at(at) == name)
}

/// How many statements of the message write rows of the table.
pub fn writes_to(sql: &str, table: &str) -> usize {
    let name = table.rsplit('.').next().unwrap_or(table);
    let writes = |piece: &&String| {
        let words = Words::of(piece);
        let target = match kind(piece) {
            Kind::Insert | Kind::Delete => 2,
            Kind::Update => 1,
            _ => return false,
        };
        let target = target + usize::from(words.at(target) == "only");
        // The second word is the table where the first is its schema.
        words.at(target) == name || words.at(target + 1) == name
    };
    pieces(sql).iter().filter(writes).count()
}

/// The value to which the message sets a setting, without quotes; the last, where it is set twice.
pub fn sets(sql: &str, setting: &str) -> Option<String> {
    pieces(sql).iter().rev().find_map(|piece| value_of(piece, setting))
}

fn value_of(sql: &str, setting: &str) -> Option<String> {
    let tokens = lex::tokens(sql).ok()?;
    let mut tokens = tokens.iter().filter(|t| t.kind != TokenKind::Comment).peekable();
    let first = tokens.next()?;
    let noise = |t: &&Token| t.is_word(sql, "local") || t.is_word(sql, "session");
    while tokens.next_if(|t| noise(t)).is_some() {}
    let is_it = tokens.next().is_some_and(|t| t.is_word(sql, setting) || t.is_word(sql, "all"));
    if first.is_word(sql, "reset") && is_it {
        return Some("default".to_owned());
    }
    if !first.is_word(sql, "set") || !is_it {
        return None;
    }
    let value = tokens.find(|t| !t.is_symbol(sql, "=") && !t.is_word(sql, "to"))?;
    Some(value.text(sql).trim_matches('\'').to_owned())
}

/// Whether a value of a timeout means none: `0`, `0s`.
pub fn is_zero(value: &str) -> bool {
    value.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ') == "0"
}

/// The strongest lock on a relation of others that the statement asks for, where its words tell.
/// Row locks and what every reader and writer takes are left out.
///
/// Source: measured on PostgreSQL 14 to 18 with one session that runs the statement and one that
/// reads `pg_locks`.
pub fn asks_for(sql: &str) -> Option<LockMode> {
    pieces(sql).iter().filter_map(|piece| asks_for_of_one(piece)).max()
}

fn asks_for_of_one(sql: &str) -> Option<LockMode> {
    use LockMode::{AccessExclusiveLock, ShareLock, ShareUpdateExclusiveLock};
    let words = Words::of(sql);
    Some(match kind(sql) {
        Kind::AlterTable => alter_table(&words),
        Kind::CreateIndex { concurrently: true, .. } | Kind::DropIndex { concurrently: true } => {
            ShareUpdateExclusiveLock
        }
        Kind::CreateIndex { .. } => ShareLock,
        Kind::DropIndex { .. } => AccessExclusiveLock,
        Kind::ReindexConcurrently | Kind::DetachConcurrently => ShareUpdateExclusiveLock,
        Kind::Vacuum if words.at(1) == "full" => AccessExclusiveLock,
        Kind::Vacuum => ShareUpdateExclusiveLock,
        Kind::Do => return in_block(sql),
        Kind::Other => return of_other(&words),
        _ => return None,
    })
}

fn alter_table(words: &Words) -> LockMode {
    let trigger = words.has("trigger") && (words.has("enable") || words.has("disable"));
    if words.has("validate") || words.has("statistics") || words.has("attach") {
        LockMode::ShareUpdateExclusiveLock
    } else if trigger || (words.has("foreign") && words.has("add") && !words.has("column")) {
        LockMode::ShareRowExclusiveLock
    } else {
        LockMode::AccessExclusiveLock
    }
}

fn of_other(words: &Words) -> Option<LockMode> {
    use LockMode::{AccessExclusiveLock, ExclusiveLock, ShareUpdateExclusiveLock};
    let second = words.at(1);
    Some(match (words.at(0).as_str(), second.as_str()) {
        ("truncate" | "cluster" | "lock" | "reindex", _) => AccessExclusiveLock,
        ("drop", "table" | "materialized" | "trigger" | "policy" | "rule") => AccessExclusiveLock,
        ("create", "policy" | "rule") => AccessExclusiveLock,
        ("create", "statistics") | ("comment" | "analyze", _) => ShareUpdateExclusiveLock,
        ("create", _) if words.has("trigger") && !words.has("function") => {
            LockMode::ShareRowExclusiveLock
        }
        ("create", "table") if words.has("partition") && words.has("of") => AccessExclusiveLock,
        ("alter", "index") => ShareUpdateExclusiveLock,
        ("refresh", _) if words.has("concurrently") => ExclusiveLock,
        ("refresh", _) => AccessExclusiveLock,
        _ => return None,
    })
}

/// Of the statements in the body of a DO block, as far as they stand there as such.
fn in_block(sql: &str) -> Option<LockMode> {
    const BEGINNINGS: [&str; 9] =
        ["alter", "create", "drop", "truncate", "cluster", "lock", "reindex", "refresh", "comment"];
    let tokens = lex::tokens(sql).ok()?;
    let body = tokens.iter().find(|t| t.kind == TokenKind::Text)?.text(sql);
    let body = without_quotes(body);
    let inside = lex::tokens(body).ok()?;
    let begins = inside.iter().filter(|t| BEGINNINGS.iter().any(|word| t.is_word(body, word)));
    let statements = begins.filter_map(|token| body.get(token.start..)?.split(';').next());
    statements.filter_map(asks_for_of_one).max()
}

/// `$tag$…$tag$` or `'…'` without its ends.
fn without_quotes(text: &str) -> &str {
    let tag = match text.strip_prefix('$').and_then(|rest| rest.find('$')) {
        Some(end) => text.get(..end + 2).unwrap_or_default(),
        None => "'",
    };
    text.strip_prefix(tag).and_then(|rest| rest.strip_suffix(tag)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("BEGIN", Purpose::Transaction)]
    #[case("PREPARE TRANSACTION 'a'", Purpose::Transaction)]
    #[case("SET LOCAL lock_timeout = '3s'", Purpose::Setting)]
    #[case("CREATE TEMP TABLE t (a int)", Purpose::Setting)]
    #[case("", Purpose::Setting)]
    #[case("SELECT 1", Purpose::Read)]
    #[case("WITH a AS (SELECT 1 FROM t FOR UPDATE) SELECT * FROM a", Purpose::Read)]
    #[case("WITH a AS (DELETE FROM t RETURNING 1) SELECT * FROM a", Purpose::Work)]
    #[case("SELECT 1 INTO t", Purpose::Work)]
    #[case("COPY t TO STDOUT", Purpose::Read)]
    #[case("COPY t FROM STDIN", Purpose::Work)]
    #[case("ALTER TYPE e RENAME VALUE 'a' TO 'b'", Purpose::Work)]
    #[case("BEGIN; SET lock_timeout = 1; ALTER TABLE t ADD a int; COMMIT", Purpose::Work)]
    #[case("INSERT INTO t VALUES ('cut in the mid", Purpose::Work)]
    fn a_statement_is_for_what_its_words_say(#[case] sql: &str, #[case] expected: Purpose) {
        assert_eq!(purpose(sql), expected);
    }

    #[rstest]
    #[case("SET LOCAL lock_timeout = '3s'", Some("3s"))]
    #[case("set session lock_timeout to 0", Some("0"))]
    #[case("SET lock_timeout = 1; SET lock_timeout = 2", Some("2"))]
    #[case("RESET ALL", Some("default"))]
    #[case("SET statement_timeout = 0", None)]
    #[case("SELECT 'SET lock_timeout = 1'", None)]
    fn the_value_that_is_set_is_read(#[case] sql: &str, #[case] expected: Option<&str>) {
        assert_eq!(sets(sql, "lock_timeout").as_deref(), expected);
    }

    #[rstest]
    #[case("UPDATE alembic_version SET version_num = 'a' WHERE version_num = 'b'", 1)]
    #[case("INSERT INTO \"public\".\"alembic_version\" (version_num) VALUES ($1)", 1)]
    #[case("DELETE FROM ONLY alembic_version", 1)]
    #[case("INSERT INTO alembic_version VALUES (1); UPDATE alembic_version SET a = 1", 2)]
    #[case("SELECT * FROM alembic_version", 0)]
    #[case("UPDATE t SET a = 1 FROM alembic_version", 0)]
    fn writes_to_a_table_are_counted(#[case] sql: &str, #[case] expected: usize) {
        assert_eq!(writes_to(sql, "public.alembic_version"), expected);
    }

    #[test]
    fn a_statement_can_be_skipped_as_often_as_it_says_if() {
        assert_eq!(skippable("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int, ADD b int"), 1);
        assert_eq!(skippable("DROP TABLE IF EXISTS a; DROP INDEX IF EXISTS b"), 2);
        assert_eq!(skippable("CREATE TABLE t (a int)"), 0);
    }

    #[test]
    fn a_timeout_of_zero_is_none_in_every_unit() {
        assert!(["0", "0s", "0 ms"].into_iter().all(is_zero));
        assert!(!["10", "1s", "default", ""].into_iter().any(is_zero));
    }

    #[rstest]
    #[case("ALTER TABLE t ADD COLUMN a int", Some(LockMode::AccessExclusiveLock))]
    #[case("ALTER TABLE t VALIDATE CONSTRAINT c", Some(LockMode::ShareUpdateExclusiveLock))]
    #[case(
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s (id) NOT VALID",
        Some(LockMode::ShareRowExclusiveLock)
    )]
    #[case("CREATE INDEX CONCURRENTLY i ON t (a)", Some(LockMode::ShareUpdateExclusiveLock))]
    #[case("CREATE INDEX i ON t (a)", Some(LockMode::ShareLock))]
    #[case("TRUNCATE t", Some(LockMode::AccessExclusiveLock))]
    #[case("CREATE TABLE t (a int)", None)]
    #[case("UPDATE t SET a = 1", None)]
    #[case("SELECT 1; DROP TABLE t", Some(LockMode::AccessExclusiveLock))]
    #[case(
        "DO $x$ BEGIN IF true THEN ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES s; END IF; END $x$",
        Some(LockMode::ShareRowExclusiveLock)
    )]
    #[case("DO $$ BEGIN UPDATE t SET a = 1; COMMIT; END $$", None)]
    fn the_lock_that_a_statement_asks_for_follows_from_its_words(
        #[case] sql: &str,
        #[case] expected: Option<LockMode>,
    ) {
        assert_eq!(asks_for(sql), expected);
    }
}
