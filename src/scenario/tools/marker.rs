//! Comments by which a tool knows its files: where the part that undoes begins, and which
//! transaction a file wants.
//!
//! A file of one tool is valid SQL to all others, its down part included: run as another tool's, it
//! applies the change and takes it back. So no marker is passed over that belongs to another
//! tool. What looks like one inside a string or a function's body is none.

use std::ops::Range;

use crate::pg::lex;
use crate::pg::split;
use crate::pg::syntax::{self, Kind};

use super::super::problem::{Asker, Problem, Source};
use super::owner::{self, Owner};
use super::text::lines;

/// A line that a tool looks at.
pub(super) struct Marker {
    /// None: no tool that is known has it, and it reads like one that begins a down part.
    pub owner: Option<Owner>,
    /// It begins a part of the file; the others say how a file is run.
    pub begins_part: bool,
    pub span: Range<usize>,
}

impl Marker {
    /// Why the file is not run by the rules of `reader`, or as plain SQL.
    pub fn problem(&self, source: &Source, reader: Option<&str>) -> Problem {
        let text = source.text.get(self.span.clone()).unwrap_or_default().trim();
        let whose = self.owner.map(|owner| format!("{owner}'s"));
        let (whose, as_what) = (whose.unwrap_or("some tool's".to_owned()), reader_words(reader));
        let message = match (self.begins_part, self.owner) {
            (true, Some(_)) => {
                format!("`{text}` is {whose}: {as_what}, all parts of the file would run")
            }
            (true, None) => {
                format!("`{text}` begins a down part: {as_what}, it would run with the rest")
            }
            (false, _) => format!("`{text}` is {whose}, and {as_what} it means nothing"),
        };
        let problem = source.problem(self.span.clone(), message);
        problem.remedy_by(|asker| self.remedy(asker))
    }

    fn remedy(&self, asker: Asker) -> String {
        match (self.begins_part, self.owner) {
            (true, Some(Owner::Read(tool))) => {
                let key = match asker {
                    Asker::Scenario => format!("tool = \"{tool}\" in [change]"),
                    Asker::Try => format!("tool = \"{tool}\" in pgauntlet.toml"),
                };
                format!("name the directory with --tool {tool} ({key}), or take the other part out")
            }
            (true, Some(Owner::Other(other))) => {
                format!("{}; or take the other part out", asker.itself(other.command))
            }
            (true, None) => "take that part out, or word the comment otherwise".to_owned(),
            (false, Some(Owner::Other(other))) => {
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
    let tokens = lex::tokens(text).unwrap_or_default();
    let mut next = tokens.iter().peekable();
    let mut found = Vec::new();
    for (offset, line) in lines(text) {
        while next.next_if(|token| token.end <= offset).is_some() {}
        if next.peek().is_some_and(|token| token.start < offset) {
            continue;
        }
        let Some((owner, begins_part)) = known(line) else {
            let (from, is_down) = (offset + line.len(), looks_like_down(line));
            if is_down && has_work(text.get(from..).unwrap_or_default()) {
                found.push(Marker { owner: None, begins_part: true, span: offset..from });
            }
            continue;
        };
        found.push(Marker { owner: Some(owner), begins_part, span: offset..offset + line.len() });
    }
    found
}

/// Whose line it is, and whether it begins a part of the file.
fn known(line: &str) -> Option<(Owner, bool)> {
    if line.contains("--> statement-breakpoint") {
        return Some((owner::DRIZZLE, false));
    }
    let line = line.trim().to_ascii_lowercase();
    if is_play(&line) {
        return Some((owner::PLAY, true));
    }
    let rest = line.strip_prefix("--")?;
    let bare = rest.trim_start_matches(['-', ' ', '\t']);
    let words: Vec<&str> = bare.split_whitespace().collect();
    Some(match words.as_slice() {
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
        _ => return None,
    })
}

/// `# --- !Ups`
fn is_play(line: &str) -> bool {
    let comment = ["#", "--", "//"].into_iter().find_map(|start| line.strip_prefix(start));
    comment
        .is_some_and(|rest| matches!(rest.trim_start_matches(['-', ' ', '\t']), "!ups" | "!downs"))
}

/// A comment of nothing but such words: `-- Down`, `-- +++ ROLLBACK +++`, `-- undo migration`.
fn looks_like_down(line: &str) -> bool {
    let Some(comment) = line.trim().strip_prefix("--") else { return false };
    if comment.contains([';', '(']) {
        return false;
    }
    let lower = comment.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| !w.is_empty());
    let is_down =
        |word: &str| matches!(word, "down" | "undo" | "rollback" | "revert" | "downgrade");
    let beside =
        ["migrate", "migration", "migrations", "section", "script", "begin", "start", "sql"];
    let mut any = false;
    words.all(|word| {
        any |= is_down(word);
        is_down(word) || beside.contains(&word)
    }) && any
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
            let whose = marker.owner.map_or("?".to_owned(), |owner| owner.to_string());
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
        ] {
            assert_eq!(told(text), Vec::<String>::new(), "{text}");
        }
    }
}
