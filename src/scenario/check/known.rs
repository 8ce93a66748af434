//! Names of tables and columns in operations, held to what the schema's scripts make.
//!
//! Only where their texts say all of it: a script with a DO block, a function call or an extension
//! may make anything. Then, and for all else, the server says it before the traffic begins.

use crate::pg::SqlPiece;
use crate::pg::facts::{
    ColumnAt, ColumnName, Facts, Relation, RelationName, Usage, facts, parameters,
};
use crate::pg::lex::{self, Token, TokenKind};
use crate::pg::syntax::Kind;

use super::super::problem::{Problem, known_names};
use super::super::sql::Sql;
use super::search_path::SearchPath;
use super::words::{code, lower};
use super::{Checker, find_created};

/// Extensions that make no relation.
const WITHOUT_RELATIONS: &[&str] = &[
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "plpgsql",
    "seg",
    "tablefunc",
    "unaccent",
    "uuid-ossp",
    "vector",
];

/// The relations that the statements make; None: they may make others as well.
pub(super) fn relations(statements: &[(&str, Facts)]) -> Option<Vec<RelationName>> {
    let (mut made, mut path) = (Vec::new(), SearchPath::new());
    for (text, of) in statements {
        if of.is_dynamic() || !of.statements.iter().all(|one| one.locks.is_some()) {
            return None;
        }
        path.follow(text);
        if let Some(name) = made_by(text)? {
            made.push(path.made(name)?);
        }
    }
    Some(made)
}

/// What one statement makes; None: that is not known.
fn made_by(text: &str) -> Option<Option<RelationName>> {
    let tokens = code(text);
    let words: Vec<String> = tokens.iter().map(|token| lower(text, token)).collect();
    let has = |word: &str| words.iter().any(|w| w == word);
    match words.first()?.as_str() {
        "create" => made_by_create(text, &tokens, &words),
        "alter" if has("rename") || has("extension") => None,
        "alter" if words.windows(2).any(|pair| pair == ["set", "schema"]) => None,
        // From the next session on, names may be those of another schema.
        "alter" if has("search_path") && ["database", "role", "user"].iter().any(|w| has(w)) => {
            None
        }
        "alter" | "analyze" | "begin" | "cluster" | "comment" | "commit" | "delete" | "grant"
        | "insert" | "reindex" | "reset" | "revoke" | "set" | "update" | "vacuum" => Some(None),
        _ => None,
    }
}

fn made_by_create(text: &str, tokens: &[Token], words: &[String]) -> Option<Option<RelationName>> {
    const BEFORE: &[&str] = &[
        "constraint",
        "foreign",
        "global",
        "local",
        "materialized",
        "or",
        "recursive",
        "replace",
        "temp",
        "temporary",
        "unique",
        "unlogged",
    ];
    let kind = words.iter().skip(1).position(|word| !BEFORE.contains(&word.as_str()))? + 1;
    match words.get(kind)?.as_str() {
        "table" | "view" | "sequence" => {
            let conditional = words.get(kind + 1).is_some_and(|word| word == "if");
            let from = kind + if conditional { 4 } else { 1 };
            Some(Some(name_at(text, tokens.get(from..)?)?.0))
        }
        "schema" => (!words.iter().skip(1).any(|word| word == "create")).then_some(None),
        "extension" => {
            let known = |word: &String| WITHOUT_RELATIONS.contains(&word.as_str());
            words.iter().skip(kind).any(known).then_some(None)
        }
        "aggregate" | "cast" | "collation" | "domain" | "function" | "group" | "index"
        | "operator" | "policy" | "procedure" | "role" | "rule" | "statistics" | "trigger"
        | "type" | "user" => Some(None),
        _ => None,
    }
}

/// Whether the statement may give the table other columns than its CREATE TABLE says.
pub(super) fn changes_columns(text: &str) -> bool {
    const OF_ELSE: &[&str] = &[
        "check",
        "constraint",
        "default",
        "exclude",
        "expression",
        "foreign",
        "generated",
        "identity",
        "not",
        "primary",
        "unique",
    ];
    let words: Vec<String> = code(text).iter().map(|token| lower(text, token)).collect();
    words.windows(2).any(|pair| match pair[0].as_str() {
        "add" | "drop" => !OF_ELSE.contains(&pair[1].as_str()),
        "inherit" | "of" | "rename" => true,
        _ => false,
    })
}

impl Checker<'_> {
    /// Reports tables and columns of an operation's statement that no script of the schema makes.
    pub(super) fn names_are_known(&mut self, sql: &Sql<'_>, piece: &SqlPiece) {
        let text = with_positions(&piece.text);
        let known = facts(&text);
        let plain =
            matches!(known.kind(), Kind::Select | Kind::Insert | Kind::Update | Kind::Delete);
        if !plain || known.statements.len() != 1 {
            return;
        }
        self.tables_are_known(sql, piece, &known, &text);
        self.columns_are_known(sql, piece, &text);
        self.read_columns_are_known(sql, piece, &known, &text);
    }

    fn tables_are_known(&mut self, sql: &Sql<'_>, piece: &SqlPiece, known: &Facts, text: &str) {
        let Some(relations) = &self.relations else { return };
        let mut missing: Vec<RelationName> = Vec::new();
        for lock in known.locks() {
            let Relation::Named(name) = &lock.relation else { continue };
            let schema = name.schema.as_deref().unwrap_or_default();
            let of_server = name.name.starts_with("pg_")
                || schema.starts_with("pg_")
                || schema == "information_schema";
            let is_made = relations.iter().any(|made| made.may_be(name));
            if !of_server && !is_made && !missing.contains(name) {
                missing.push(name.clone());
            }
        }
        for name in missing {
            let tokens = code(text);
            let Some(token) = tokens.iter().find(|token| lower(text, token) == name.name) else {
                continue;
            };
            let message = format!("no table `{name}` in the schema");
            let names: Vec<String> = relations.iter().map(|made| made.name.clone()).collect();
            let remedy = known_names(&name.name, "tables", names.iter().map(String::as_str));
            let at = piece.offset + token.start;
            let problem = sql.problem(at, token.end - token.start, message).remedy(remedy);
            self.problems.push(problem);
        }
    }

    /// Those of `INSERT INTO t (…)` and of `UPDATE t SET …`.
    fn columns_are_known(&mut self, sql: &Sql<'_>, piece: &SqlPiece, text: &str) {
        let tokens = code(text);
        let words: Vec<String> = tokens.iter().map(|token| lower(text, token)).collect();
        let starts = |start: &[&str]| start.iter().zip(&words).all(|(word, w)| w == word);
        let (from, is_insert) = match (starts(&["insert", "into"]), starts(&["update"])) {
            (true, _) => (2, true),
            (_, true) => (1, false),
            _ => return,
        };
        let from = from + usize::from(words.get(from).is_some_and(|word| word == "only"));
        let rest = tokens.get(from..).unwrap_or_default();
        let Some((table, length)) = name_at(text, rest) else { return };
        let found = find_created(&self.created, &table.to_string());
        let Some((created, columns)) = found.and_then(|t| Some((t, t.columns.as_ref()?))) else {
            return;
        };
        let rest = rest.get(length..).unwrap_or_default();
        let named = if is_insert { listed(text, rest) } else { set(text, rest) };
        let unknown = named.iter().filter(|token| !columns.contains(&lower(text, token)));
        let problems =
            unknown.map(|token| no_column(sql, piece, text, (&created.name, columns), token));
        let problems: Vec<_> = problems.collect();
        self.problems.extend(problems);
    }

    /// Those that a statement about one table selects, or compares with a parameter.
    fn read_columns_are_known(
        &mut self,
        sql: &Sql<'_>,
        piece: &SqlPiece,
        known: &Facts,
        text: &str,
    ) {
        let mut tables: Vec<&RelationName> = known.named_locks().map(|(name, _)| name).collect();
        tables.dedup();
        let [table] = tables.as_slice() else { return };
        let found = find_created(&self.created, &table.to_string());
        let Some((created, columns)) = found.and_then(|t| Some((t, t.columns.as_ref()?))) else {
            return;
        };
        let tokens = code(text);
        let uses = parameters(text).map(|uses| uses.parameters).unwrap_or_default();
        let compared = uses.iter().filter(|of| of.usage == Usage::Equal);
        let compared = compared.filter_map(|of| match of.columns.as_slice() {
            [ColumnAt { table: of, column: ColumnName::Named(name), .. }] if of.may_be(table) => {
                tokens.iter().find(|token| is_name(token) && lower(text, token) == *name).copied()
            }
            _ => None,
        });
        let mut named = selected(text, &tokens);
        named.extend(compared);
        named.sort_by_key(|token| token.start);
        named.dedup_by_key(|token| lower(text, token));
        let is_unknown = |token: &&Token| {
            let name = lower(text, token);
            !columns.contains(&name) && !OF_EVERY_TABLE.contains(&name.as_str())
        };
        let unknown = named.iter().filter(is_unknown);
        let problems =
            unknown.map(|token| no_column(sql, piece, text, (&created.name, columns), token));
        let problems: Vec<_> = problems.collect();
        self.problems.extend(problems);
    }
}

/// Columns of the server's own.
const OF_EVERY_TABLE: &[&str] = &["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

fn no_column(
    sql: &Sql<'_>,
    piece: &SqlPiece,
    text: &str,
    (table, columns): (&str, &[String]),
    token: &Token,
) -> Problem {
    let column = lower(text, token);
    let message = format!("no column `{column}` in table `{table}`");
    let remedy = known_names(&column, "columns", columns.iter().map(String::as_str));
    sql.problem(piece.offset + token.start, token.end - token.start, message).remedy(remedy)
}

/// The columns in `SELECT a, b, c FROM`, where nothing but names stands there.
fn selected(text: &str, tokens: &[Token]) -> Vec<Token> {
    const NO_COLUMNS: &[&str] =
        &["all", "current_date", "current_timestamp", "distinct", "false", "null", "true"];
    if !tokens.first().is_some_and(|token| token.is_word(text, "select")) {
        return Vec::new();
    }
    let Some(end) = tokens.iter().position(|token| token.is_word(text, "from")) else {
        return Vec::new();
    };
    let parts = tokens[1..end].split(|token| token.is_symbol(text, ","));
    let mut found = Vec::new();
    for part in parts {
        match part {
            [name] if is_name(name) => found.push(*name),
            // A function, an expression: what is within it is left to the server.
            _ => {}
        }
    }
    found.retain(|token| !NO_COLUMNS.contains(&lower(text, token).as_str()));
    found
}

/// The words of a list in parentheses that begins here, behind an alias.
fn listed(text: &str, tokens: &[Token]) -> Vec<Token> {
    let tokens = match tokens.first().map(|token| lower(text, token)).as_deref() {
        Some("as") => tokens.get(2..).unwrap_or_default(),
        _ => tokens,
    };
    if !tokens.first().is_some_and(|token| token.is_symbol(text, "(")) {
        return Vec::new();
    }
    let inside = tokens.iter().skip(1).take_while(|token| !token.is_symbol(text, ")"));
    let inside: Vec<&Token> = inside.collect();
    // A query in parentheses, `a[1]` and `a.b` are none of ours.
    let simple = |part: &[&Token]| part.len() == 1 && is_name(part[0]);
    let parts: Vec<&[&Token]> = inside.split(|token| token.is_symbol(text, ",")).collect();
    match parts.iter().all(|part| simple(part)) {
        true => parts.iter().map(|part| *part[0]).collect(),
        false => Vec::new(),
    }
}

/// The columns to which an UPDATE assigns one by one.
fn set(text: &str, tokens: &[Token]) -> Vec<Token> {
    let Some(begin) = tokens.iter().position(|token| token.is_word(text, "set")) else {
        return Vec::new();
    };
    let (mut depth, mut found) = (0_usize, Vec::new());
    for trio in tokens.get(begin..).unwrap_or_default().windows(3) {
        match trio[0].text(text) {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ends = ["from", "where", "returning"].iter().any(|word| trio[0].is_word(text, word));
        if ends && depth == 0 {
            break;
        }
        let begins = trio[0].is_word(text, "set") || trio[0].is_symbol(text, ",");
        if depth == 0 && begins && is_name(&trio[1]) && trio[2].is_symbol(text, "=") {
            found.push(trio[1]);
        }
    }
    found
}

/// A name with its schema, and how many tokens it has.
fn name_at(text: &str, tokens: &[Token]) -> Option<(RelationName, usize)> {
    let first = tokens.first().filter(|token| is_name(token))?;
    let mut parts = vec![lower(text, first)];
    let mut length = 1;
    while tokens.get(length).is_some_and(|token| token.is_symbol(text, ".")) {
        parts.push(lower(text, tokens.get(length + 1)?));
        length += 2;
    }
    let name = parts.pop()?;
    Some((RelationName { schema: parts.pop(), name }, length))
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent)
}

/// `$1` in place of each `$name`, as long as it is.
fn with_positions(text: &str) -> String {
    let (mut padded, mut copied) = (String::new(), 0);
    let tokens = lex::tokens(text).unwrap_or_default();
    for token in tokens.iter().filter(|token| token.kind == TokenKind::Named) {
        let width = token.end - token.start;
        padded.push_str(text.get(copied..token.start).unwrap_or_default());
        padded.push_str(&format!("{:<width$}", "$1"));
        copied = token.end;
    }
    padded.push_str(text.get(copied..).unwrap_or_default());
    padded
}
