//! `IF NOT EXISTS` over something that was there before the change and is another one: the
//! statement did nothing, and the release after it relies on what it asks for.

use crate::pg::facts::RelationName;
use crate::pg::lex;
use crate::result::evidence::AlreadyThere;
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::Verdict;
use crate::schema::Objects;

use super::Evidence;
use super::touched::is_later_state;

/// Of the first attempt in the state that the scenario begins with: later ones find what the
/// change itself has made.
pub fn skipped(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    let before = evidence.trace.catalogue_before().map(|catalogue| &catalogue.objects);
    let (Some(before), Some(attempt)) = (before, evidence.trace.attempts.first()) else {
        return Vec::new();
    };
    if is_later_state(evidence) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for record in attempt.statements.iter().filter(|s| !evidence.is_bookkeeping(s)) {
        let notices = record.ended.into_iter().flat_map(|ended| &ended.notices);
        for skipped in notices.filter_map(|notice| Skipped::read(notice)) {
            let Some(there) = skipped.differs(&record.began.text, before) else { continue };
            let subject = Subject::statement(evidence.refer(record));
            findings.push(Finding::new(Verdict::Unproven, subject, Shown::AlreadyThere(there)));
        }
    }
    findings
}

/// What a notice says that it was there.
enum Skipped<'n> {
    Relation(&'n str),
    Column { table: &'n str, column: &'n str },
}

impl<'n> Skipped<'n> {
    /// `NOTICE: relation "i" already exists, skipping`, and the same of a column of a relation.
    fn read(notice: &'n str) -> Option<Skipped<'n>> {
        let said = notice.strip_suffix(" already exists, skipping")?;
        let said = said.split_once(": ").map_or(said, |(_severity, said)| said);
        let named = |text: &'n str| text.strip_prefix('"')?.strip_suffix('"');
        if let Some(relation) = said.strip_prefix("relation ") {
            return named(relation).map(Skipped::Relation);
        }
        let (column, table) = said.strip_prefix("column ")?.split_once(" of relation ")?;
        Some(Skipped::Column { table: named(table)?, column: named(column)? })
    }

    /// What is there, where it is not what the statement asks for.
    fn differs(&self, sql: &str, before: &Objects) -> Option<AlreadyThere> {
        let words = Words::of(sql);
        match *self {
            Skipped::Relation(name) => {
                if let Some(object) = object(before, "index", name) {
                    let there = before.get(&object)?.get("definition")?.clone();
                    let is_same = index(&Words::of(&there), name) == index(&words, name);
                    return (!is_same).then_some(AlreadyThere { object, there });
                }
                let object = object(before, "table", name)?;
                let table = object.strip_prefix("table ")?;
                let asked = columns(&words, name);
                let there = asked.iter().find_map(|column| column.differs(table, before))?;
                Some(AlreadyThere { object, there })
            }
            Skipped::Column { table, column } => {
                let of = object(before, "table", table)?;
                let of = of.strip_prefix("table ")?;
                let asked = words.after(&["if", "not", "exists"], column)?;
                let there = Column::read(asked)?.differs(of, before)?;
                Some(AlreadyThere { object: format!("column {of}.{column}"), there })
            }
        }
    }
}

/// The object of a kind and of a bare name.
fn object(objects: &Objects, kind: &str, name: &str) -> Option<String> {
    let is = |object: &&String| {
        let known = object.strip_prefix(kind).and_then(|rest| rest.strip_prefix(' '));
        known.is_some_and(|known| RelationName::unquoted(known).name == name)
    };
    objects.keys().find(is).cloned()
}

/// A statement's words and symbols, without quotes and comments.
struct Words(Vec<String>);

impl Words {
    fn of(sql: &str) -> Words {
        let tokens = lex::tokens(sql).unwrap_or_default().into_iter();
        let words = tokens.filter(|token| token.kind != lex::TokenKind::Comment);
        Words(words.map(|token| lex::identifier(sql, &token)).collect())
    }

    /// From the name on that follows these words, a schema before it or not.
    fn after(&self, words: &[&str], name: &str) -> Option<&[String]> {
        let begins = |at: usize| self.0[at..].iter().zip(words).all(|(have, want)| have == want);
        (0..self.0.len()).filter(|at| begins(*at)).find_map(|at| {
            let rest = self.0.get(at + words.len()..)?;
            match rest {
                [first, ..] if first == name => Some(rest),
                [_, dot, second, ..] if dot == "." && second == name => rest.get(2..),
                _ => None,
            }
        })
    }
}

/// What distinguishes indexes, of `CREATE INDEX` as it is written or as the server prints it.
fn index(words: &Words, name: &str) -> Vec<String> {
    const SAID_OTHERWISE: &[&str] = &[
        "create",
        "index",
        "concurrently",
        "if",
        "not",
        "exists",
        "on",
        "only",
        "using",
        "btree",
        "public",
        ".",
        "(",
        ")",
        ";",
        "asc",
        "::",
        ":",
        "text",
    ];
    let kept = words.0.iter().filter(|word| *word != name);
    kept.filter(|word| !SAID_OTHERWISE.contains(&word.as_str())).cloned().collect()
}

/// A column that a statement asks for.
struct Column<'w> {
    name: &'w str,
    /// As the server names it, without its schema.
    type_name: String,
    not_null: bool,
}

/// Words that a column's type ends before.
const BEHIND_TYPES: &[&str] = &[
    "not",
    "null",
    "default",
    "primary",
    "references",
    "unique",
    "check",
    "constraint",
    "generated",
    "collate",
    ",",
    ";",
    "storage",
    "compression",
];
/// Words that an element of a table begins with that is no column.
const NO_COLUMNS: &[&str] =
    &["constraint", "primary", "unique", "foreign", "check", "exclude", "like"];

impl<'w> Column<'w> {
    fn read(words: &'w [String]) -> Option<Column<'w>> {
        let (name, rest) = words.split_first()?;
        let ends = rest.iter().position(|word| BEHIND_TYPES.contains(&word.as_str()));
        let (of_type, rest) = rest.split_at(top_level(rest, ends.unwrap_or(rest.len())));
        let rest = &rest[..rest.iter().position(|word| word == ";").unwrap_or(rest.len())];
        let two = |first: &str, second: &str| {
            rest.windows(2).any(|words| words[0] == first && words[1] == second)
        };
        let not_null = two("not", "null") || two("primary", "key");
        Some(Column { name, type_name: type_name(of_type)?, not_null })
    }

    fn differs(&self, table: &str, before: &Objects) -> Option<String> {
        let known = before.iter().find(|(object, _)| {
            let column = object.strip_prefix("column ").and_then(|c| c.strip_prefix(table));
            let column = column.and_then(|column| column.strip_prefix('.'));
            column.is_some_and(|column| column.trim_matches('"') == self.name)
        });
        let Some((_, properties)) = known else {
            return Some(format!("it has no column {}", self.name));
        };
        let there = properties.get("type")?;
        if type_name(&Words::of(there).0)? != self.type_name {
            return Some(format!("{} is {there}", self.name));
        }
        let is_nullable = properties.get("not null").is_some_and(|is| is == "false");
        (self.not_null && is_nullable).then(|| format!("{} may be NULL", self.name))
    }
}

/// The end of a type: a comma in parentheses is part of it.
fn top_level(words: &[String], end: usize) -> usize {
    let opened = words[..end].iter().filter(|word| *word == "(").count();
    let closed = words[..end].iter().filter(|word| *word == ")").count();
    if opened <= closed {
        return end;
    }
    let closing = words[end..].iter().position(|word| word == ")").map(|at| end + at + 1);
    closing.unwrap_or(words.len())
}

/// As the server has it, whatever it is called; None: there is none.
fn type_name(words: &[String]) -> Option<String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words = match words.as_slice() {
        [_, ".", rest @ ..] => rest,
        words => words,
    };
    let (first, rest) = words.split_first()?;
    let name = match *first {
        "int" | "int4" | "serial" | "serial4" => "integer",
        "int8" | "bigserial" | "serial8" => "bigint",
        "int2" | "smallserial" => "smallint",
        "bool" => "boolean",
        "varchar" => "character varying",
        "char" => "character",
        "decimal" => "numeric",
        "float8" | "float" => "double precision",
        "float4" => "real",
        "timestamptz" => "timestamp with time zone",
        "timestamp" if rest.is_empty() => "timestamp without time zone",
        other => other,
    };
    Some([&[name][..], rest].concat().join(" ").replace("( ", "(").replace(" )", ")"))
}

/// Those of `CREATE TABLE … (…)`.
fn columns<'w>(words: &'w Words, name: &str) -> Vec<Column<'w>> {
    let Some(rest) = words.after(&["if", "not", "exists"], name) else { return Vec::new() };
    let Some(open) = rest.iter().position(|word| word == "(") else { return Vec::new() };
    let (mut depth, mut from, mut found) = (0_usize, open + 1, Vec::new());
    for (at, word) in rest.iter().enumerate().skip(open) {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 || (depth == 1 && word == ",") {
            found.extend(rest.get(from..at));
            from = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    let is_column = |element: &&[String]| {
        element.first().is_some_and(|first| !NO_COLUMNS.contains(&first.as_str()))
    };
    found.into_iter().filter(is_column).filter_map(Column::read).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn objects() -> Objects {
        let mut objects = Objects::new();
        let mut add = |object: &str, properties: &[(&str, &str)]| {
            let of = properties.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            objects.insert(object.to_owned(), of.collect());
        };
        add("table public.t", &[]);
        add("column public.t.id", &[("type", "bigint"), ("not null", "true")]);
        add("column public.t.price", &[("type", "numeric(5,1)"), ("not null", "false")]);
        add("column public.t.name", &[("type", "character varying(20)"), ("not null", "false")]);
        let on = "CREATE INDEX i ON public.t USING btree (name) WHERE (name <> ''::text)";
        add("index public.i", &[("definition", on)]);
        objects
    }

    #[rstest]
    #[case::index(
        "i",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (name) WHERE name <> ''",
        None
    )]
    #[case::of_other_columns(
        "i",
        "CREATE INDEX IF NOT EXISTS i ON t (name, id)",
        Some("CREATE INDEX i")
    )]
    #[case::unique("i", "CREATE UNIQUE INDEX IF NOT EXISTS i ON t (name)", Some("CREATE INDEX i"))]
    #[case::table(
        "t",
        "CREATE TABLE IF NOT EXISTS public.t (id bigserial PRIMARY KEY, price decimal(5, 1), \
         name varchar(20) DEFAULT '', CHECK (price > 0))",
        None
    )]
    #[case::another_type(
        "t",
        "CREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY)",
        Some("id is bigint")
    )]
    #[case::one_more("t", "CREATE TABLE IF NOT EXISTS t (id int8, at date)", Some("no column at"))]
    #[case::not_null(
        "t",
        "CREATE TABLE IF NOT EXISTS t (name varchar(20) NOT NULL)",
        Some("may be NULL")
    )]
    fn what_is_there_is_held_against_what_is_asked_for(
        #[case] name: &str,
        #[case] sql: &str,
        #[case] expected: Option<&str>,
    ) {
        let notice = format!("NOTICE: relation \"{name}\" already exists, skipping");
        let found = Skipped::read(&notice).expect("a relation").differs(sql, &objects());
        let there = found.map(|found| found.there);
        match expected {
            None => assert_eq!(there, None),
            Some(words) => assert!(there.is_some_and(|there| there.contains(words))),
        }
    }

    #[rstest]
    #[case("ALTER TABLE t ADD COLUMN IF NOT EXISTS price numeric(5,1)", None)]
    #[case(
        "ALTER TABLE t ADD IF NOT EXISTS price numeric(5,1) NOT NULL DEFAULT 0",
        Some("may be NULL")
    )]
    #[case(
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS price int, ADD at date",
        Some("price is numeric")
    )]
    fn a_column_that_is_there_is_held_against_the_one_that_is_asked_for(
        #[case] sql: &str,
        #[case] expected: Option<&str>,
    ) {
        let notice = "NOTICE: column \"price\" of relation \"t\" already exists, skipping";
        let found = Skipped::read(notice).expect("a column").differs(sql, &objects());
        let there = found.map(|found| found.there);
        match expected {
            None => assert_eq!(there, None),
            Some(words) => assert!(there.is_some_and(|there| there.contains(words))),
        }
    }
}
