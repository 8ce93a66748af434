//! Comments by which a tool knows its files: where the part that undoes begins, and which
//! transaction a file wants.
//!
//! A file of one tool is valid SQL to all others, its down part included: run as another tool's, it
//! applies the change and takes it back. So no marker is passed over that belongs to another
//! tool. What looks like one inside a string or a function's body is none.

use std::ops::Range;

use crate::pg::lex::{self, Token, TokenKind};
use crate::pg::split;
use crate::pg::syntax::{self, Kind};

use super::super::problem::{Asker, Problem, Source};
use super::owner::{self, Owner};
use super::text::lines;

/// Whose a marker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Tool(Owner),
    /// `-- +word down`, of a tool that is not known.
    Unknown,
    /// Nobody: words that begin a down part, and nothing else.
    Words,
}

/// A comment that a tool looks at.
pub(super) struct Marker {
    pub whose: Whose,
    /// It begins a part of the file; the others say how a file is run.
    pub begins_part: bool,
    pub span: Range<usize>,
}

impl Marker {
    /// The tool that has it; None: no tool that is known.
    pub fn owner(&self) -> Option<Owner> {
        match self.whose {
            Whose::Tool(owner) => Some(owner),
            Whose::Unknown | Whose::Words => None,
        }
    }

    /// Whether it begins the part that undoes.
    pub fn begins_down(&self, text: &str) -> bool {
        let line = text.get(self.span.clone()).unwrap_or_default().to_ascii_lowercase();
        let says = |word| line.contains(word);
        self.begins_part && (says("down") || says("undo") || says("drop below"))
    }

    /// Why the file is not run by the rules of `reader`, or as plain SQL.
    pub fn problem(&self, source: &Source, reader: Option<&str>) -> Problem {
        let text = source.text.get(self.span.clone()).unwrap_or_default().trim();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let as_what = reader_words(reader);
        let whose = match self.whose {
            Whose::Tool(owner) => format!("{owner}'s"),
            Whose::Unknown | Whose::Words => "some tool's".to_owned(),
        };
        let message = match (self.begins_part, self.whose) {
            (_, Whose::Words) => {
                format!("`{text}` begins a down part: {as_what}, it would run with the rest")
            }
            (true, _) => {
                format!("`{text}` is {whose}: {as_what}, all parts of the file would run")
            }
            (false, _) => format!("`{text}` is {whose}, and {as_what} it means nothing"),
        };
        let problem = source.problem(self.span.clone(), message);
        problem.remedy_by(|asker| self.remedy(asker))
    }

    fn remedy(&self, asker: Asker) -> String {
        match (self.begins_part, self.whose) {
            (true, Whose::Tool(Owner::Read(tool))) => {
                let key = match asker {
                    Asker::Scenario => format!("tool = \"{tool}\" in [change]"),
                    Asker::Try => format!("tool = \"{tool}\" in pgauntlet.toml"),
                };
                format!("name the directory with --tool {tool} ({key}), or take the other part out")
            }
            (true, Whose::Tool(Owner::Other(other))) => {
                format!("{}; or take the other part out", asker.itself(other.command))
            }
            (true, Whose::Unknown) => {
                format!("{}; or take the other part out", asker.itself("COMMAND"))
            }
            (_, Whose::Words) => "take that part out, or word the comment otherwise".to_owned(),
            (false, Whose::Tool(Owner::Other(other))) => {
                format!("{}; or take the line out", asker.itself(other.command))
            }
            (false, _) => "take the line out, or name the tool's directory".to_owned(),
        }
    }
}

fn reader_words(reader: Option<&str>) -> String {
    match reader {
        Some(tool) => format!("by {tool}'s rules"),
        None => "as plain SQL".to_owned(),
    }
}

/// The markers of a text, in order.
pub(super) fn markers(text: &str) -> Vec<Marker> {
    let tokens = lex::psql_tokens(text).unwrap_or_default();
    let mut next = tokens.iter().peekable();
    let mut found = Vec::new();
    for (offset, line) in lines(text) {
        while next.next_if(|token| token.end <= offset).is_some() {}
        if next.peek().is_some_and(|token| token.start < offset) {
            continue;
        }
        let Some((whose, begins_part)) = known(line) else { continue };
        found.push(Marker { whose, begins_part, span: offset..offset + line.len() });
    }
    for span in down_comments(text, &tokens) {
        if found.iter().all(|marker| !marker.span.contains(&span.start)) {
            found.push(Marker { whose: Whose::Words, begins_part: true, span });
        }
    }
    found.sort_by_key(|marker| marker.span.start);
    found
}

/// Whose line it is, and whether it begins a part of the file.
fn known(line: &str) -> Option<(Whose, bool)> {
    if line.contains("--> statement-breakpoint") {
        return Some((Whose::Tool(owner::DRIZZLE), false));
    }
    let line = line.trim().to_ascii_lowercase();
    if is_play(&line) {
        return Some((Whose::Tool(owner::PLAY), true));
    }
    let rest = line.strip_prefix("--")?;
    let bare = rest.trim_start_matches(['-', ' ', '\t']);
    let words: Vec<&str> = bare.split_whitespace().collect();
    let (owner, begins_part) = match words.as_slice() {
        _ if rest.contains("+goose") => (owner::GOOSE, true),
        ["+migrate", ..] => (owner::SQL_MIGRATE, true),
        [word, ..] if word.starts_with("migrate:") => (owner::DBMATE, true),
        ["up" | "down", "migration", ..] => (owner::NODE_PG_MIGRATE, true),
        ["rambler", "up" | "down", ..] => (owner::RAMBLER, true),
        ["//@undo", ..] => (owner::MYBATIS, true),
        ["====", "up" | "down", "====", ..] => (owner::SHMIG, true),
        ["create", "above", "/", "drop", "below", ..] if rest.starts_with("--") => {
            (owner::TERN, true)
        }
        ["tern:", ..] => (owner::TERN, false),
        ["liquibase", "formatted", "sql", ..] => (owner::LIQUIBASE, false),
        ["changeset", set, ..] if set.contains(':') => (owner::LIQUIBASE, false),
        [word, ..] if word.starts_with("atlas:") => (owner::ATLAS, false),
        ["postgres-migrations", ..] => (owner::POSTGRES_MIGRATIONS, false),
        ["!", "previous:" | "hash:", ..] | ["!previous:" | "!hash:", ..] => {
            (owner::GRAPHILE_MIGRATE, false)
        }
        [word, part, ..] if is_annotation(word) && is_part(part) => {
            return Some((Whose::Unknown, true));
        }
        _ => return None,
    };
    Some((Whose::Tool(owner), begins_part))
}

/// `+micrate`
fn is_annotation(word: &str) -> bool {
    word.strip_prefix('+').is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn is_part(word: &str) -> bool {
    word == "up" || is_down(word)
}

fn is_down(word: &str) -> bool {
    let all = ["down", "undo", "rollback", "revert", "downgrade", "backward", "backwards"];
    all.contains(&word)
}

/// `# --- !Ups`
fn is_play(line: &str) -> bool {
    let comment = ["#", "--", "//"].into_iter().find_map(|start| line.strip_prefix(start));
    comment
        .is_some_and(|rest| matches!(rest.trim_start_matches(['-', ' ', '\t']), "!ups" | "!downs"))
}

/// Comments by themselves in their lines, outside of parentheses, that read like the head of a down
/// part, where there is one.
fn down_comments(text: &str, tokens: &[Token]) -> Vec<Range<usize>> {
    let (mut found, mut depth) = (Vec::new(), 0_usize);
    for token in tokens {
        match token.text(text) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            ";" => depth = 0,
            comment if token.kind == TokenKind::Comment && depth == 0 => {
                let rest = text.get(token.end..).unwrap_or_default();
                if is_alone(text, token) && looks_like_down(comment) && has_work(rest) {
                    found.push(token.start..token.start + comment.trim_end().len());
                }
            }
            _ => {}
        }
    }
    found
}

fn is_alone(text: &str, token: &Token) -> bool {
    let before = text.get(..token.start).and_then(|before| before.rsplit('\n').next());
    let behind = text.get(token.end..).and_then(|behind| behind.split('\n').next());
    [before, behind].into_iter().flatten().all(|rest| rest.trim().is_empty())
}

/// A comment of nothing but such words: `-- Down (by hand)`, `/* undo migration */`, `-- ley:down`.
fn looks_like_down(comment: &str) -> bool {
    let body = comment.strip_prefix("--").or_else(|| comment.strip_prefix("/*"));
    let Some(body) = body.map(|body| body.trim_end_matches("*/")) else { return false };
    // A statement that is commented out.
    if body.contains(';') && syntax::kind(body) == Kind::Rollback {
        return false;
    }
    let lower = without_parenthesised(body).to_ascii_lowercase();
    if let Some((tool, part)) = lower.trim().split_once(':') {
        let is_name = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !tool.is_empty() && is_name(tool) && is_down(part) {
            return true;
        }
    }
    let mut words = lower.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty());
    let mut any = false;
    words.all(|word| {
        any |= is_down(word);
        is_down(word) || BESIDE.contains(&word)
    }) && any
}

/// What may stand beside a word that means down, in the head of a part.
const BESIDE: &[&str] = &[
    "migrate",
    "migration",
    "migrations",
    "section",
    "part",
    "script",
    "begin",
    "start",
    "starts",
    "sql",
    "the",
    "this",
];

fn without_parenthesised(text: &str) -> String {
    let mut depth = 0_usize;
    let mut outside = |c: &char| {
        let is_outside = depth == 0 && *c != '(';
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_outside
    };
    text.chars().filter(|c| outside(c)).collect()
}

/// Whether statements follow that do more than end a transaction.
fn has_work(rest: &str) -> bool {
    let ends = |text: &str| matches!(syntax::kind(text), Kind::Commit | Kind::Rollback);
    split(rest).map_or(true, |pieces| pieces.iter().any(|piece| !ends(&piece.text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let one = |marker: Marker| {
            let (line, _) = lex::position(text, marker.span.start);
            let whose = marker.owner().map_or("?".to_owned(), |owner| owner.to_string());
            format!("{line} {whose} {}", if marker.begins_part { "part" } else { "rule" })
        };
        markers(text).into_iter().map(one).collect()
    }

    #[test]
    fn every_tools_marker_is_known_by_its_line() {
        for (line, expected) in [
            ("-- +goose Down", "goose part"),
            ("-- +migrate Down", "sql-migrate part"),
            ("-- +migrate Up notransaction", "sql-migrate part"),
            ("-- migrate:down", "dbmate part"),
            ("-- Down Migration", "node-pg-migrate part"),
            ("--- DOWN migration ---", "node-pg-migrate part"),
            ("-- rambler down", "rambler part"),
            ("---- create above / drop below ----", "tern part"),
            ("---- tern: disable-tx ----", "tern rule"),
            ("-- //@UNDO", "MyBatis Migrations part"),
            ("# --- !Downs", "Play evolutions part"),
            ("-- !Downs", "Play evolutions part"),
            ("-- ==== DOWN ====", "shmig part"),
            ("--liquibase formatted sql", "liquibase rule"),
            ("-- changeset nvoxland:1", "liquibase rule"),
            ("-- atlas:txmode none", "atlas rule"),
            ("SELECT 2;--> statement-breakpoint", "drizzle rule"),
            ("--! Previous: sha1:x", "graphile-migrate rule"),
            ("-- postgres-migrations disable-transaction", "postgres-migrations rule"),
            ("-- down", "? part"),
            ("-- === Rollback migration ===", "? part"),
            ("-- Down (drops the column; by hand)", "? part"),
            ("--Down;", "? part"),
            ("/* down */", "? part"),
            ("/*\n * UNDO this migration\n */", "? part"),
            ("-- ley:down", "? part"),
            ("-- +micrate Down", "? part"),
            ("-- +micrate Up", "? part"),
            ("--+ down", "? part"),
        ] {
            let text = format!("SELECT 1;\n{line}\nSELECT 2;\n");
            assert_eq!(told(&text), [format!("2 {expected}")], "{line}");
        }
    }

    #[test]
    fn what_only_mentions_a_marker_is_none() {
        for text in [
            "-- how to roll back: drop the column\nSELECT 1;",
            "SELECT 1;\n-- down\n-- DROP TABLE t;\n",
            "BEGIN;\nSELECT 1;\n-- rollback\nCOMMIT;",
            "-- ROLLBACK;\nSELECT 1;",
            "SELECT '\n-- +goose Down\n';",
            "DO $$\n-- +migrate Down\nBEGIN NULL; END $$;",
            "/*\n-- Down Migration\n*/ SELECT 1;",
            "-- scale down the pool\nSELECT 1;",
            "SELECT 1 -- up\n;",
            "-- goes down the tree\nSELECT 1;",
            "-- a rollback (of the day before) is in 7_b.sql\nSELECT 1;",
            "-- up\nSELECT 1;",
            "SELECT 1 /* down */;\nSELECT 2;",
            "CREATE TYPE t AS ENUM (\n-- up\n'u',\n-- down\n'd');",
            "/* down\nDROP TABLE t; */\nSELECT 1;",
            "-- +1 up\nSELECT 1;",
            "-- ratio: down\nSELECT 1;",
        ] {
            assert_eq!(told(text), Vec::<String>::new(), "{text}");
        }
    }
}
