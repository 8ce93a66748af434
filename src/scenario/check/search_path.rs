//! In which schema a script makes what it names without one: what SET search_path says so far.
//!
//! Only what a statement says in so many words is followed; after any other one it is not known.

use crate::pg::facts::RelationName;
use crate::pg::lex::{Token, TokenKind};

use super::words::{code, lower};

/// The schema in which a name without one is made.
enum Target {
    /// That of a session that has set nothing: public.
    Default,
    Schema(String),
    Unknown,
}

/// The search_path of the session that runs a script.
pub(super) struct SearchPath {
    /// Schemas that the script has made.
    schemas: Vec<String>,
    target: Target,
}

impl SearchPath {
    pub fn new() -> SearchPath {
        SearchPath { schemas: Vec::new(), target: Target::Default }
    }

    /// Goes on by a statement.
    pub fn follow(&mut self, text: &str) {
        let lowered = text.to_lowercase();
        if !lowered.contains("search_path") && !lowered.contains("schema") {
            return;
        }
        let tokens = code(text);
        let words: Vec<String> = tokens.iter().map(|token| lower(text, token)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["create", "schema", "if", "not", "exists", name, ..]
            | ["create", "schema", name, ..] => self.schemas.push((*name).to_owned()),
            ["reset", "search_path" | "all"] | ["discard", "all"] => self.target = Target::Default,
            ["set", "search_path", "to" | "=", ..] => self.set(text, &tokens[3..]),
            ["set", "session", "search_path", "to" | "=", ..] => self.set(text, &tokens[4..]),
            ["set", rest @ ..] if rest.contains(&"search_path") || rest.contains(&"schema") => {
                self.target = Target::Unknown;
            }
            ["select" | "do" | "call" | "with", ..] if lowered.contains("search_path") => {
                self.target = Target::Unknown;
            }
            _ => {}
        }
    }

    /// The first schema that is there.
    fn set(&mut self, text: &str, values: &[Token]) {
        let mut parts = values.split(|token| token.is_symbol(text, ","));
        self.target = loop {
            let name = match parts.next() {
                Some([name]) if name.kind == TokenKind::Text => {
                    name.text(text).trim_matches('\'').to_owned()
                }
                Some([name]) => lower(text, name),
                _ => break Target::Unknown,
            };
            match name.as_str() {
                // There is one only where it is made for that purpose.
                "$user" => {}
                "public" | "default" => break Target::Default,
                _ if self.schemas.contains(&name) => break Target::Schema(name),
                _ => break Target::Unknown,
            }
        };
    }

    /// What a statement makes by this name, with its schema where it is not public; None: the
    /// schema is not known.
    pub fn made(&self, name: RelationName) -> Option<RelationName> {
        match (&name.schema, &self.target) {
            (Some(_), _) | (None, Target::Default) => Some(name),
            (None, Target::Schema(schema)) => {
                Some(RelationName { schema: Some(schema.clone()), ..name })
            }
            (None, Target::Unknown) => None,
        }
    }
}
