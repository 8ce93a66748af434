//! Whether a statement parses, its tree, and what kind of statement it is by its leading words.
//!
//! The tree is that of `squawk-syntax`, which knows the whole grammar (of the 3,083 statements in
//! the extension scripts of PostgreSQL 15 it refuses two, of which one is SQL); what a tree says is
//! in `facts`. The leading words are for text that has no tree, and for where there is no time to
//! parse. Nothing here decides what is safe.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use squawk_syntax::{Parse, SourceFile};

use super::lex::{self, TokenKind};

/// Longer text is not looked at.
const PARSE_BYTES_MAX: usize = 1 << 20;
/// The parser recurses; deeper text is not looked at, because a stack that overflows cannot be
/// caught. Postgres itself refuses such depths by max_stack_depth.
const NESTING_MAX: usize = 4_000;
/// Text that is no deeper is parsed on the caller's stack: 800 KB at most, of the 2 MB that a
/// thread has.
const NESTING_SHALLOW: usize = 100;
/// Stack for the parser. Nested subqueries, its most expensive nesting, take 8 KB per token in a
/// debug build.
const PARSE_STACK_BYTES: usize = 128 << 20;

/// A place at which text is no SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// 1-based, within the text.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// In bytes, within the text.
    pub offset: usize,
    /// What the parser expected or found.
    pub message: String,
}

/// Where the text does not parse. Empty: it parses, or the parser has no opinion.
pub fn errors(sql: &str) -> Vec<SyntaxError> {
    on_enough_stack(sql, || parse(sql)).unwrap_or_default()
}

/// What `read` makes of the text's syntax tree; None: it does not parse, or the parser has no
/// opinion.
pub(super) fn with_tree<T: Send>(
    sql: &str,
    read: impl FnOnce(&SourceFile) -> T + Send,
) -> Option<T> {
    let parsed = || {
        let parsed = SourceFile::parse(sql);
        parsed.errors().is_empty().then(|| read(&parsed.tree()))
    };
    on_enough_stack(sql, parsed).flatten()
}

/// What `read` makes of the parsed text, which may hold errors; None: it is too long or too deep,
/// or what reads it panicked.
pub fn with_parse<T: Send>(
    sql: &str,
    read: impl FnOnce(&Parse<SourceFile>) -> T + Send,
) -> Option<T> {
    on_enough_stack(sql, || read(&SourceFile::parse(sql)))
}

/// Runs what parses the text, on a thread of its own where the text is deep. None: it is too long
/// or too deep to be parsed, or the parser panicked.
fn on_enough_stack<T: Send>(sql: &str, work: impl FnOnce() -> T + Send) -> Option<T> {
    if sql.len() > PARSE_BYTES_MAX {
        return None;
    }
    match nesting(sql)? {
        ..=NESTING_SHALLOW => quietly(work),
        depth if depth <= NESTING_MAX => std::thread::scope(|scope| {
            std::thread::Builder::new()
                .stack_size(PARSE_STACK_BYTES)
                .spawn_scoped(scope, || quietly(work))
                .ok()
                .and_then(|thread| thread.join().ok().flatten())
        }),
        _ => None,
    }
}

fn parse(sql: &str) -> Vec<SyntaxError> {
    let found = SourceFile::parse(sql).errors();
    let error = |error: &squawk_syntax::syntax_error::SyntaxError| {
        let offset = usize::from(error.range().start()).min(sql.len());
        let (line, column) = lex::position(sql, offset);
        SyntaxError { line, column, offset, message: in_words(error.message()) }
    };
    found.iter().map(error).collect()
}

/// The parser names tokens as its code does: `R_PAREN`, `TABLE_KW`.
fn in_words(message: &str) -> String {
    let word = |word: &str| match word {
        "L_PAREN" => "`(`".to_owned(),
        "R_PAREN" => "`)`".to_owned(),
        "L_BRACK" => "`[`".to_owned(),
        "R_BRACK" => "`]`".to_owned(),
        "COMMA" => "`,`".to_owned(),
        "SEMICOLON" => "the statement's end".to_owned(),
        "EQ" => "`=`".to_owned(),
        "DOT" => "`.`".to_owned(),
        word => match word.strip_suffix("_KW") {
            Some(keyword) => keyword.to_owned(),
            None => word.to_owned(),
        },
    };
    message.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// An upper bound of how deep a parser recurses: the tokens, since the last comma or semicolon of
/// each open parenthesis, that may each have begun something. None: a quote is open.
fn nesting(sql: &str) -> Option<usize> {
    let (mut open, mut current, mut deepest) = (Vec::new(), 0_usize, 0);
    for token in lex::tokens(sql).ok()? {
        current += 1;
        match token.text(sql) {
            "(" | "[" => {
                open.push(current);
            }
            ")" | "]" => current = open.pop().unwrap_or(current),
            "," | ";" => current = open.last().copied().unwrap_or(0),
            body if body.starts_with('$') && token.kind == TokenKind::Text => {
                let inner = body.trim_matches(|c: char| c == '$' || c.is_alphanumeric());
                deepest = deepest.max(current + nesting(inner).unwrap_or(0));
            }
            _ => {}
        }
        deepest = deepest.max(current);
    }
    Some(deepest)
}

/// Runs what may panic and says nothing if it does: a panic of the parser is its lack of an
/// opinion, not something that a user should see on the screen.
fn quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                previous(info);
            }
        }));
    });
    QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(false);
    result.ok()
}

/// What a statement is, as far as running and judging it differ by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// BEGIN, START TRANSACTION
    Begin,
    /// COMMIT, END
    Commit,
    /// ROLLBACK, ABORT
    Rollback,
    /// SAVEPOINT, RELEASE, ROLLBACK TO
    Savepoint,
    /// SET, RESET
    Set,
    /// SHOW
    Show,
    /// CREATE INDEX
    CreateIndex {
        /// Whether it is CONCURRENTLY.
        concurrently: bool,
        /// Whether it has IF NOT EXISTS.
        if_not_exists: bool,
        /// The index's name; None: the server chooses one.
        name: Option<String>,
    },
    /// DROP INDEX
    DropIndex {
        /// Whether it is CONCURRENTLY.
        concurrently: bool,
    },
    /// REINDEX … CONCURRENTLY
    ReindexConcurrently,
    /// ALTER TABLE … DETACH PARTITION … CONCURRENTLY
    DetachConcurrently,
    /// ALTER TABLE, other than a concurrent detach
    AlterTable,
    /// LOCK TABLE
    Lock,
    /// DO
    Do,
    /// CALL
    Call,
    /// UPDATE
    Update,
    /// DELETE
    Delete,
    /// INSERT
    Insert,
    /// SELECT
    Select,
    /// VACUUM
    Vacuum,
    /// CREATE DATABASE, ALTER SYSTEM and the like: about the server rather than the database.
    ServerWide,
    /// Any other statement.
    Other,
}

/// Whether Postgres refuses the statement inside a transaction block (25001).
pub fn must_run_outside_transaction(kind: &Kind) -> bool {
    match kind {
        Kind::CreateIndex { concurrently, .. } | Kind::DropIndex { concurrently } => *concurrently,
        Kind::ReindexConcurrently | Kind::DetachConcurrently | Kind::Vacuum | Kind::ServerWide => {
            true
        }
        _ => false,
    }
}

/// What the statement is, by its leading words alone: for text that is not parsed, because it was
/// cut, is too long, or has just come from a client that waits. A doubt ends in `Other`.
pub fn kind(sql: &str) -> Kind {
    let words = Words::of(sql);
    let second = words.at(1);
    match words.at(0).as_str() {
        "begin" => Kind::Begin,
        "start" if second == "transaction" => Kind::Begin,
        "commit" | "end" if second != "prepared" => Kind::Commit,
        "rollback" | "abort" if second == "prepared" => Kind::Other,
        "rollback" if words.before_anything("to") => Kind::Savepoint,
        "rollback" | "abort" => Kind::Rollback,
        "savepoint" | "release" => Kind::Savepoint,
        "set" | "reset" => Kind::Set,
        "show" => Kind::Show,
        "create" if second == "index" || (second == "unique" && words.at(2) == "index") => {
            words.create_index()
        }
        "drop" if second == "index" => Kind::DropIndex { concurrently: words.has("concurrently") },
        "reindex" if words.has("concurrently") => Kind::ReindexConcurrently,
        "reindex" if second == "database" || second == "system" => Kind::ServerWide,
        "alter" if second == "table" && words.has("detach") && words.has("concurrently") => {
            Kind::DetachConcurrently
        }
        "alter" if second == "table" => Kind::AlterTable,
        "create" | "alter" | "drop" if is_server_wide(&second) => Kind::ServerWide,
        "lock" => Kind::Lock,
        "do" => Kind::Do,
        "call" => Kind::Call,
        "vacuum" => Kind::Vacuum,
        word => dml(word)
            .or_else(|| (word == "with").then(|| words.after_with()).flatten())
            .unwrap_or(Kind::Other),
    }
}

fn is_server_wide(word: &str) -> bool {
    matches!(word, "database" | "tablespace" | "system")
}

fn dml(word: &str) -> Option<Kind> {
    Some(match word {
        "update" => Kind::Update,
        "delete" => Kind::Delete,
        "insert" => Kind::Insert,
        "select" | "values" | "table" => Kind::Select,
        _ => return None,
    })
}

/// The words of a statement outside parentheses, lower-cased; quoted names as they are.
struct Words {
    words: Vec<String>,
}

/// Kinds follow from the first words; a statement of thousands is not copied to look at them.
const WORDS_MAX: usize = 200;

impl Words {
    fn of(sql: &str) -> Words {
        let (mut words, mut depth) = (Vec::new(), 0_usize);
        for token in lex::tokens(sql).unwrap_or_default() {
            match (token.kind, token.text(sql)) {
                (TokenKind::Symbol, "(") => depth += 1,
                (TokenKind::Symbol, ")") => depth = depth.saturating_sub(1),
                (TokenKind::Word | TokenKind::QuotedIdent, _) if depth == 0 => {
                    words.push(lex::identifier(sql, &token));
                }
                _ => {}
            }
            if words.len() == WORDS_MAX {
                break;
            }
        }
        Words { words }
    }

    fn at(&self, index: usize) -> String {
        self.words.get(index).cloned().unwrap_or_default()
    }

    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|w| w == word)
    }

    /// ROLLBACK [ WORK | TRANSACTION ] TO
    fn before_anything(&self, word: &str) -> bool {
        let noise = |w: &&String| matches!(w.as_str(), "work" | "transaction");
        self.words.iter().skip(1).find(|w| !noise(w)).is_some_and(|w| w == word)
    }

    fn create_index(&self) -> Kind {
        let after = self.words.iter().position(|w| w == "index").unwrap_or(0) + 1;
        let mut rest = self.words.iter().skip(after).peekable();
        let concurrently = rest.next_if(|w| *w == "concurrently").is_some();
        let if_not_exists = rest.next_if(|w| *w == "if").is_some();
        let mut rest = rest.skip(if if_not_exists { 2 } else { 0 });
        let name = rest.next().filter(|w| *w != "on").cloned();
        Kind::CreateIndex { concurrently, if_not_exists, name }
    }

    /// The statement behind its WITH queries, which are in parentheses.
    fn after_with(&self) -> Option<Kind> {
        self.words.iter().skip(1).find_map(|word| dml(word))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::incomplete("SELECT FROM WHERE", 1)]
    #[case::typo("ALTER TABLE t\n  ADD COLUM c int,\n  DROP", 2)]
    #[case::paren("CREATE TABLE t (a int", 1)]
    fn what_is_no_sql_is_found(#[case] sql: &str, #[case] line: u32) {
        let found = errors(sql);
        assert!(found.iter().any(|e| e.line >= line), "{found:?}");
    }

    #[rstest]
    #[case("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t USING gin (a jsonb_path_ops)")]
    #[case("UPDATE spans SET task_id = s.id FROM tasks s WHERE spans.trace_id = s.id")]
    #[case(
        "DO $$ DECLARE n int; BEGIN LOOP UPDATE t SET a = 1; GET DIAGNOSTICS n = ROW_COUNT; \
            COMMIT; EXIT WHEN n = 0; PERFORM pg_sleep(0.1); END LOOP; END $$"
    )]
    #[case("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES s (id) NOT VALID")]
    #[case("ALTER TYPE e RENAME VALUE 'a' TO 'B'")]
    #[case("SELECT $1::text, a->>'b' FROM t WHERE a @> $2 ORDER BY b LIMIT 50")]
    #[case("ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID")]
    #[case("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DO NOTHING")]
    #[case("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END")]
    #[case("BEGIN ISOLATION LEVEL REPEATABLE READ")]
    #[case("SELECT pg_advisory_lock(1), count(*) FILTER (WHERE a) OVER (PARTITION BY b) FROM t")]
    #[case("INSERT INTO t AS x (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = excluded.a")]
    fn what_postgres_takes_has_no_errors(#[case] sql: &str) {
        assert_eq!(errors(sql), []);
    }

    #[rstest]
    #[case("(")]
    #[case("- ")]
    #[case("NOT ")]
    #[case("(SELECT ")]
    #[case("CASE WHEN ")]
    #[case("DO $$ SELECT ((((")]
    fn no_depth_of_nesting_overflows_the_stack(#[case] part: &str) {
        for times in [1_000, 1_990, 3_990, 100_000] {
            let _ = errors(&format!("SELECT {}", part.repeat(times)));
        }
        let _ = errors(&format!("DO $$ BEGIN SELECT {} END $$", part.repeat(3_000)));
    }

    #[rstest]
    #[case("BEGIN", Kind::Begin)]
    #[case("/* x */ start transaction", Kind::Begin)]
    #[case("END", Kind::Commit)]
    #[case("COMMIT PREPARED 'a'", Kind::Other)]
    #[case("ROLLBACK", Kind::Rollback)]
    #[case("ROLLBACK WORK TO SAVEPOINT a", Kind::Savepoint)]
    #[case("SET LOCAL lock_timeout = '3s'", Kind::Set)]
    #[case("DROP INDEX CONCURRENTLY a", Kind::DropIndex { concurrently: true })]
    #[case("REINDEX INDEX CONCURRENTLY a", Kind::ReindexConcurrently)]
    #[case("REINDEX (VERBOSE) TABLE a", Kind::Other)]
    #[case("ALTER TABLE p DETACH PARTITION a CONCURRENTLY", Kind::DetachConcurrently)]
    #[case("ALTER TABLE t ADD COLUMN a int", Kind::AlterTable)]
    #[case("WITH a AS (SELECT 1) UPDATE t SET a = 1", Kind::Update)]
    #[case("WITH RECURSIVE a AS (DELETE FROM t RETURNING *) SELECT * FROM a", Kind::Select)]
    #[case("VACUUM (ANALYZE) t", Kind::Vacuum)]
    #[case("CREATE DATABASE x", Kind::ServerWide)]
    #[case("DO $$ BEGIN END $$", Kind::Do)]
    #[case("", Kind::Other)]
    #[case("'open", Kind::Other)]
    fn a_kind_follows_from_the_leading_words(#[case] sql: &str, #[case] expected: Kind) {
        assert_eq!(kind(sql), expected);
    }

    #[rstest]
    #[case(
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"My\" ON t (a)",
        true,
        true,
        Some("My")
    )]
    #[case("create index IX on t (a)", false, false, Some("ix"))]
    #[case("CREATE INDEX CONCURRENTLY ON t (a)", true, false, None)]
    fn an_index_is_known_by_its_name(
        #[case] sql: &str,
        #[case] concurrently: bool,
        #[case] if_not_exists: bool,
        #[case] name: Option<&str>,
    ) {
        let name = name.map(str::to_owned);
        let expected = Kind::CreateIndex { concurrently, if_not_exists, name };
        assert_eq!(must_run_outside_transaction(&expected), concurrently);
        assert_eq!(kind(sql), expected);
    }
}
