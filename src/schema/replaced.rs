//! Views and functions that have another definition in one fingerprint than in another, and which
//! of them statements use.

use std::collections::{BTreeMap, BTreeSet};

use crate::pg::facts::{RelationName, facts};
use crate::pg::lex::{self, Token, TokenKind};

use super::difference::Objects;

/// What is defined otherwise than before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Views that are there before and after, by their qualified names.
    pub views: Vec<ReplacedView>,
    /// Views that are gone, which old definitions may read: qualified name and definition.
    pub gone_views: Vec<(String, String)>,
    /// Functions that are there before and after.
    pub functions: Vec<ReplacedFunction>,
}

/// A view as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplacedView {
    /// Qualified and quoted: `public.active_users`.
    pub name: String,
    /// Its query before.
    pub definition: String,
    /// Whether it is a materialized view now.
    pub is_materialized: bool,
}

/// A function as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplacedFunction {
    /// Qualified, with its arguments: `public.total(order_id bigint)`.
    pub name: String,
    /// The statement that makes it as it was.
    pub definition: String,
    /// Functions that have taken its place with other arguments, in the same form.
    pub instead: Vec<String>,
}

impl ReplacedView {
    /// As a fingerprint names it.
    pub fn object(&self) -> String {
        format!("view {}", self.name)
    }
}

impl ReplacedFunction {
    /// As a fingerprint names it.
    pub fn object(&self) -> String {
        format!("function {}", self.name)
    }

    /// Whether it returned void.
    pub fn returns_nothing(&self) -> bool {
        self.definition.contains("\n RETURNS void\n")
    }
}

impl Replaced {
    /// What the second side defines otherwise. Functions of triggers, which no statement calls, are
    /// left out.
    pub fn between(before: &Objects, after: &Objects) -> Replaced {
        let mut found = Replaced::default();
        for (object, was) in before {
            let Some((kind, name)) = object.split_once(' ') else { continue };
            let Some(definition) = was.get("definition") else { continue };
            let is = after.get(object);
            let same = is.is_some_and(|is| is.get("definition") == Some(definition));
            let name = name.to_owned();
            match (kind, is) {
                ("view", Some(is)) if !same => found.views.push(ReplacedView {
                    name,
                    definition: definition.clone(),
                    is_materialized: is.get("materialized").is_some_and(|is| is == "true"),
                }),
                ("view", None) => found.gone_views.push((name, definition.clone())),
                ("function", _) if !same && !is_of_triggers(definition) => {
                    let instead = instead_of(&name, before, after);
                    if is.is_some() || !instead.is_empty() {
                        let definition = definition.clone();
                        found.functions.push(ReplacedFunction { name, definition, instead });
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Whether nothing is there before and after with another definition.
    pub fn is_empty(&self) -> bool {
        self.views.is_empty() && self.functions.is_empty()
    }
}

/// What stands before a function's body, and the body, of its definition as the server prints it;
/// twice all of it, where it has no `AS`.
pub fn function_parts(definition: &str) -> (&str, &str) {
    definition.split_once("\nAS ").unwrap_or((definition, definition))
}

fn is_of_triggers(definition: &str) -> bool {
    definition.contains("\n RETURNS trigger\n") || definition.contains("\n RETURNS event_trigger\n")
}

/// Functions of the same name that are new.
fn instead_of(function: &str, before: &Objects, after: &Objects) -> Vec<String> {
    let bare = |name: &str| name.split('(').next().unwrap_or_default().to_owned();
    let named = after.keys().filter_map(|object| object.strip_prefix("function "));
    let namesakes = named.filter(|name| bare(name) == bare(function));
    let new = namesakes.filter(|name| !before.contains_key(&format!("function {name}")));
    new.map(str::to_owned).collect()
}

/// The text of a function, or all of its definition where it is in no quotes.
fn body(definition: &str) -> &str {
    let tokens = lex::tokens(definition).unwrap_or_default();
    let texts = tokens.iter().filter(|token| token.kind == TokenKind::Text);
    let longest = texts.max_by_key(|token| token.end - token.start);
    match longest.map(|token| lex::unquoted(token.text(definition))) {
        Some(body) if definition.contains("\nAS $") => body,
        _ => definition,
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
    parts.filter(|word| !word.is_empty())
}

/// Views and functions that statements use, directly or through others. Names decide: of several
/// functions with one name all are used.
pub struct Users<'o> {
    /// With the name as statements write it, and the definitions of both sides.
    known: BTreeMap<&'o str, (RelationName, Vec<&'o str>)>,
}

/// What a text names.
#[derive(Default)]
struct Named {
    relations: Vec<RelationName>,
    called: BTreeSet<String>,
}

impl<'o> Users<'o> {
    /// By what the definitions of both sides name.
    pub fn of(before: &'o Objects, after: &'o Objects) -> Users<'o> {
        let mut known: BTreeMap<&str, (RelationName, Vec<&str>)> = BTreeMap::new();
        for (object, properties) in before.iter().chain(after) {
            let Some((kind @ ("view" | "function"), name)) = object.split_once(' ') else {
                continue;
            };
            let bare = if kind == "view" { name } else { name.split('(').next().unwrap_or(name) };
            let entry = || (RelationName::unquoted(bare), Vec::new());
            let (_, definitions) = known.entry(object).or_insert_with(entry);
            definitions.extend(properties.get("definition").map(String::as_str));
        }
        Users { known }
    }

    /// The objects that the statement uses, as a fingerprint names them.
    pub fn used_by(&self, sql: &str) -> BTreeSet<&'o str> {
        let mut used = BTreeSet::new();
        let mut next = vec![named_by(sql)];
        while let Some(named) = next.pop() {
            for (object, (name, definitions)) in &self.known {
                if used.contains(object) || !named.names(object, name) {
                    continue;
                }
                used.insert(*object);
                next.extend(definitions.iter().map(|text| match object.starts_with("view ") {
                    true => named_by(text),
                    false => named_by_function(text),
                }));
            }
        }
        used
    }
}

impl Named {
    fn names(&self, object: &str, name: &RelationName) -> bool {
        match object.starts_with("view ") {
            true => self.relations.iter().any(|relation| relation.may_be(name)),
            false => self.called.contains(&name.name),
        }
    }
}

/// A statement names relations where its syntax does.
fn named_by(sql: &str) -> Named {
    let facts = facts(sql);
    let relations = facts.named_locks().map(|(name, _)| name.clone()).collect();
    Named { relations, called: called(sql) }
}

/// A function's language may be any: each word of its text may be a relation.
fn named_by_function(definition: &str) -> Named {
    let body = body(definition);
    let relation = |word: &str| RelationName { schema: None, name: word.to_lowercase() };
    Named { relations: words(body).map(relation).collect(), called: called(body) }
}

/// Names that are followed by a parenthesis.
fn called(sql: &str) -> BTreeSet<String> {
    let tokens = lex::tokens(sql).unwrap_or_default();
    let is_name = |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
    let pairs = tokens.windows(2).filter(|two| is_name(&two[0]) && two[1].is_symbol(sql, "("));
    pairs.map(|two| lex::identifier(sql, &two[0])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(of: &[(&str, &str)]) -> Objects {
        let object = |(name, definition): &(&str, &str)| {
            let properties = [("definition".to_owned(), (*definition).to_owned())].into();
            ((*name).to_owned(), properties)
        };
        of.iter().map(object).collect()
    }

    const TOTAL: &str = "CREATE OR REPLACE FUNCTION public.total(n integer)\n RETURNS bigint\n \
                         LANGUAGE plpgsql\nAS $function$ BEGIN RETURN (SELECT count(*) FROM \
                         active); END $function$\n";

    #[test]
    fn what_is_used_through_others_is_used() {
        let before = objects(&[
            ("view public.active", " SELECT users.id FROM public.users;"),
            ("view public.top", " SELECT total(3) AS total;"),
            ("view public.other", " SELECT 1;"),
            ("function public.total(n integer)", TOTAL),
        ]);
        let users = Users::of(&before, &before);
        let of = |sql: &str| users.used_by(sql).into_iter().collect::<Vec<_>>();
        let all = ["function public.total(n integer)", "view public.active", "view public.top"];
        assert_eq!(of("SELECT * FROM top WHERE total = $1"), all);
        assert_eq!(of("SELECT id FROM public.active"), ["view public.active"]);
        // Columns of that name are neither the view nor the function.
        assert!(of("SELECT active, total FROM users").is_empty());
        assert_eq!(of("SELECT total($1)"), [all[0], all[1]]);
    }

    #[test]
    fn what_is_replaced_has_another_definition_and_what_took_its_place() {
        let before = objects(&[
            ("view public.v", " SELECT 1;"),
            ("view public.same", " SELECT 1;"),
            ("view public.gone", " SELECT 3;"),
            ("function public.f(a integer)", "one"),
            ("function public.touch()", "a\n RETURNS trigger\nAS"),
        ]);
        let after = objects(&[
            ("view public.v", " SELECT 2;"),
            ("view public.same", " SELECT 1;"),
            ("function public.f(a integer, b integer)", "AS $a$ UPDATE t SET a = 1 $a$"),
            ("function public.touch()", "b\n RETURNS trigger\nAS"),
        ]);
        let replaced = Replaced::between(&before, &after);
        assert_eq!(
            replaced.views.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(),
            ["public.v"]
        );
        assert_eq!(replaced.gone_views.len(), 1);
        let [function] = replaced.functions.as_slice() else { panic!("{replaced:?}") };
        assert_eq!(function.instead, ["public.f(a integer, b integer)"]);
        assert!(!replaced.is_empty());
        assert!(Replaced::between(&before, &before).is_empty());
    }
}
