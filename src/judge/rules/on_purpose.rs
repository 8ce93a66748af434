//! Whether a statement of the change says by itself that it takes something away: who may use an
//! object, who owns it, what watches over it.
//!
//! A word is not enough: the statement has to name the object, for another one of the same change
//! may take the same from another table. Names in strings that a block builds are not known.

use crate::pg::lex::{self, Token, TokenKind};

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken<'a> {
    Policy,
    Trigger,
    Owner,
    RowSecurity,
    ReplicaIdentity,
    /// A table of a publication, which is the object.
    Published,
    /// What this role was granted.
    Granted(&'a str),
}

/// Whether it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    No,
    /// A block builds such a statement from strings; of which object is not known.
    Perhaps,
    Yes,
}

/// A word, folded as the server folds it.
type Words = Vec<String>;

/// One statement of a text.
struct Statement {
    words: Words,
    /// In a string of a block: its names may be filled in.
    built: bool,
}

/// The statements of a change, read once for all that may be lost.
pub struct Statements {
    all: Vec<Statement>,
}

impl Statements {
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Statements {
        let mut all = Vec::new();
        texts.into_iter().for_each(|text| add(text, 0, &mut all));
        Statements { all }
    }

    /// What they say of this, where `object` is a kind and a qualified name: `table public.a`.
    pub fn say(&self, taken: Taken<'_>, object: &str) -> Said {
        let names = Names::of(object, &self.all);
        let said = |statement: &Statement| {
            if !is_verb(taken, &statement.words) {
                return Said::No;
            }
            match (is_about(taken, &statement.words, &names), statement.built) {
                (true, _) => Said::Yes,
                (false, true) => Said::Perhaps,
                (false, false) => Said::No,
            }
        };
        self.all.iter().map(said).max().unwrap_or(Said::No)
    }
}

/// Bodies in bodies are read so far.
const DEPTH_MAX: usize = 3;

/// Appends the statements of a text, and those in the bodies of its blocks and functions.
fn add(text: &str, depth: usize, statements: &mut Vec<Statement>) {
    let Ok(tokens) = lex::tokens(text) else { return };
    for tokens in tokens.split(|token| token.is_symbol(text, ";")) {
        let mut words = words(text, tokens);
        if depth > 0 {
            // A block's own words have no semicolon between them and the statement.
            let opens = |w: &String| matches!(w.as_str(), "begin" | "then" | "else" | "loop");
            words.drain(..words.iter().rposition(opens).map_or(0, |at| at + 1));
        }
        let has_body = match words.first().map(String::as_str) {
            Some("do") => true,
            Some("create") => words.iter().any(|w| w == "function" || w == "procedure"),
            // What a block executes.
            _ => depth > 0 && words.iter().any(|w| w == "execute"),
        };
        if has_body && depth < DEPTH_MAX {
            let bodies = tokens.iter().filter(|token| token.kind == TokenKind::Text);
            bodies.for_each(|body| add(lex::unquoted(body.text(text)), depth + 1, statements));
        }
        statements.push(Statement { words, built: depth > 1 });
    }
}

fn words(text: &str, tokens: &[Token]) -> Words {
    let is_word = |token: &&Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
    tokens.iter().filter(is_word).map(|token| lex::identifier(text, token)).collect()
}

/// By what a statement may name an object.
struct Names {
    /// Its own name, and those that it had before the change renamed it.
    own: Words,
    /// Its schema: all of one at once names that alone.
    schema: Option<String>,
}

impl Names {
    fn of(object: &str, statements: &[Statement]) -> Names {
        let (kind, name) = object.split_once(' ').unwrap_or(("", object));
        let name = name.split_once('(').map_or(name, |(name, _)| name);
        let parts = words(name, &lex::tokens(name).unwrap_or_default());
        let last = match kind {
            // A column's privileges are its table's statement.
            "column" => parts.iter().rev().nth(1),
            _ => parts.last(),
        };
        let mut own: Words = last.into_iter().cloned().collect();
        let renames = || {
            statements.iter().filter_map(|statement| {
                let at = statement.words.windows(2).position(|pair| pair == ["rename", "to"])?;
                Some((statement.words.get(at.checked_sub(1)?)?, statement.words.get(at + 2)?))
            })
        };
        let before = |known: &Words| {
            let of = |(_, to): &(_, &String)| known.contains(to);
            renames().filter(of).map(|(from, _)| from.clone()).find(|from| !known.contains(from))
        };
        while let Some(earlier) = before(&own) {
            own.push(earlier);
        }
        Names { own, schema: parts.first().filter(|_| parts.len() > 1).cloned() }
    }
}

fn is_verb(taken: Taken<'_>, words: &[String]) -> bool {
    let begins = |with: &[&str]| words.get(..with.len()).is_some_and(|words| words == with);
    let has = |wanted: &[&str]| words.windows(wanted.len()).any(|found| found == wanted);
    match taken {
        Taken::Policy => begins(&["drop", "policy"]) || begins(&["alter", "policy"]),
        Taken::Trigger => begins(&["drop", "trigger"]) || begins(&["alter", "trigger"]),
        Taken::Owner => {
            begins(&["reassign", "owned"]) || begins(&["alter"]) && has(&["owner", "to"])
        }
        Taken::RowSecurity => begins(&["alter", "table"]) && has(&["row", "level", "security"]),
        Taken::ReplicaIdentity => begins(&["alter", "table"]) && has(&["replica", "identity"]),
        Taken::Published => begins(&["alter", "publication"]) || begins(&["drop", "publication"]),
        Taken::Granted(_) => {
            begins(&["revoke"])
                || begins(&["drop", "owned"])
                || begins(&["alter", "default", "privileges"]) && has(&["revoke"])
        }
    }
}

fn is_about(taken: Taken<'_>, words: &[String], names: &Names) -> bool {
    let has = |name: &str| words.iter().any(|word| word == name);
    let all_of = |schema: &String| has("all") && has("schema") && has(schema);
    let named = || names.own.iter().any(|name| has(name)) || names.schema.iter().any(all_of);
    match taken {
        Taken::Owner if words.first().is_some_and(|word| word == "reassign") => true,
        Taken::Granted(role) => {
            // What the owner may do is told without the owner's name.
            let of_role = role.starts_with('(') || has(&role.to_lowercase()) || has(role);
            let without_name = words.first().is_some_and(|word| word != "revoke");
            of_role && (without_name || named())
        }
        // Sequences and indexes are their table's; theirs begin with its name.
        Taken::Owner => {
            let begins =
                |word: &String| names.own.iter().any(|own| own.starts_with(&format!("{word}_")));
            named() || words.iter().skip(2).any(begins)
        }
        _ => named(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("REVOKE ALL ON archive FROM app", Said::Yes)]
    #[case("REVOKE INSERT ON TABLE public.\"archive\" FROM other, app", Said::Yes)]
    #[case("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM app", Said::Yes)]
    #[case("REVOKE ALL ON ALL TABLES IN SCHEMA other FROM app", Said::No)]
    #[case("REVOKE ALL ON archive FROM PUBLIC", Said::No)]
    #[case("REVOKE ALL ON archive_old FROM app", Said::No)]
    #[case("DROP OWNED BY app", Said::Yes)]
    #[case("COMMENT ON TABLE archive IS 'REVOKE ALL ON archive FROM app'", Said::No)]
    #[case("SELECT 1 -- REVOKE ALL ON archive FROM app", Said::No)]
    #[case("DO $$ BEGIN IF true THEN REVOKE ALL ON archive FROM app; END IF; END $$", Said::Yes)]
    #[case("DO $$ BEGIN EXECUTE 'REVOKE ALL ON archive FROM app'; END $$", Said::Yes)]
    #[case("DO $$ BEGIN EXECUTE format('REVOKE ALL ON %I FROM app', t); END $$", Said::Perhaps)]
    #[case("REVOKE ALL ON next FROM app; ALTER TABLE next RENAME TO archive", Said::Yes)]
    fn what_a_role_loses_on_purpose_is_named_with_its_table(#[case] text: &str, #[case] is: Said) {
        let statements = Statements::of([text]);
        assert_eq!(statements.say(Taken::Granted("app"), "table public.archive"), is);
    }

    #[rstest]
    #[case(Taken::Trigger, "trigger public.t.audit", "DROP TRIGGER audit ON t", Said::Yes)]
    #[case(
        Taken::Trigger,
        "trigger public.t.audit",
        "CREATE TRIGGER other AFTER INSERT ON t",
        Said::No
    )]
    #[case(Taken::Trigger, "trigger public.t.audit", "DROP TRIGGER other ON t", Said::No)]
    #[case(Taken::Policy, "policy public.t.p", "DROP POLICY IF EXISTS p ON t", Said::Yes)]
    #[case(Taken::Published, "publication feed", "ALTER PUBLICATION feed SET TABLE u", Said::Yes)]
    #[case(Taken::Published, "publication feed", "COMMENT ON TABLE t IS 'publication'", Said::No)]
    #[case(Taken::Owner, "table public.t", "ALTER TABLE t OWNER TO other", Said::Yes)]
    #[case(Taken::Owner, "sequence public.t_id_seq", "ALTER TABLE t OWNER TO other", Said::Yes)]
    #[case(Taken::Owner, "table public.t", "ALTER TABLE u OWNER TO other", Said::No)]
    #[case(
        Taken::RowSecurity,
        "table public.t",
        "ALTER TABLE t FORCE ROW LEVEL SECURITY",
        Said::Yes
    )]
    #[case(
        Taken::RowSecurity,
        "table public.t",
        "ALTER TABLE u ENABLE ROW LEVEL SECURITY",
        Said::No
    )]
    fn a_statement_about_another_object_says_nothing(
        #[case] taken: Taken<'_>,
        #[case] object: &str,
        #[case] text: &str,
        #[case] is: Said,
    ) {
        assert_eq!(Statements::of([text]).say(taken, object), is);
    }
}
