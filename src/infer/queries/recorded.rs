//! Statements that a server has counted (pg_stat_statements) as queries.
//!
//! Constants are `$n` there as well, which makes text that is no SQL where a constant had its type
//! before it: `interval '1 day'` is `interval $1`.

use std::collections::BTreeMap;

use crate::pg::facts::{self, Relation, RelationName};
use crate::pg::lex::{self, Token, TokenKind};
use crate::pg::syntax::Kind;

use super::super::catalogue::Catalogue;
use super::super::traffic::plain;
use super::statement::{Query, QueryStatement};
use super::values::World;

/// Statements that are used at most: those with most calls.
const QUERIES_MAX: usize = 30;
/// Weight of the one with most calls.
const WEIGHT_MAX: f64 = 10_000.0;
/// Types that are written before their constants.
const TYPES: &[&str] = &[
    "interval",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "inet",
    "cidr",
    "uuid",
    "json",
    "jsonb",
    "xml",
    "bytea",
    "numeric",
    "point",
    "box",
    "int",
    "integer",
    "bigint",
    "text",
];

/// A statement and how often it was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its text, constants replaced by `$n`.
    pub text: String,
    /// How often.
    pub calls: u64,
}

/// The most frequent statements that read or write rows of the catalogue's tables, as queries with
/// the statement of each, and what was passed over, with why.
pub fn recorded_queries(
    catalogue: &Catalogue,
    recorded: &[Recorded],
) -> (Vec<(Query, Recorded)>, Vec<String>) {
    let world = World { catalogue, subjects: &[], rng_seed: 0 };
    let mut sorted: Vec<&Recorded> = recorded.iter().collect();
    sorted.sort_by(|one, other| other.calls.cmp(&one.calls).then(one.text.cmp(&other.text)));
    let mut most = 0;
    let mut weight = |calls: u64| {
        // The first that is used is the most frequent one.
        most = most.max(calls);
        let share = calls as f64 / most.max(1) as f64;
        (share * WEIGHT_MAX).round().max(1.0) as u32
    };
    let (mut queries, mut hidden, mut beyond) = (Vec::new(), 0_usize, 0_usize);
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for statement in sorted {
        if statement.text.starts_with("<insufficient privilege>") {
            hidden += 1;
            continue;
        }
        let Some((verb, table)) = about(&world, &statement.text) else { continue };
        if queries.len() == QUERIES_MAX {
            beyond += 1;
            continue;
        }
        let name = plain(&format!("{verb}-{table}"), '-');
        let count = names.entry(name.clone()).or_default();
        *count += 1;
        let name = if *count > 1 { format!("{name}-{count}") } else { name };
        let statements = vec![QueryStatement::read(&typed_behind(&statement.text), 0, 0)];
        let query = Query { name, weight: Some(weight(statement.calls)), line: 0, statements };
        queries.push((query, statement.clone()));
    }
    let mut passed_over = Vec::new();
    if hidden > 0 {
        passed_over.push(format!(
            "pg_stat_statements: {hidden} statements of other roles are not shown to this one: \
             GRANT pg_read_all_stats to it"
        ));
    }
    if beyond > 0 {
        passed_over.push(format!(
            "pg_stat_statements: {beyond} less frequent statements: the {QUERIES_MAX} with most \
             calls are used"
        ));
    }
    (queries, passed_over)
}

/// What a statement does and the table that it names first; None: no statement of an application
/// on these tables.
fn about(world: &World<'_>, text: &str) -> Option<(&'static str, String)> {
    let facts = facts::facts(&typed_behind(text));
    let [statement] = facts.statements.as_slice() else { return None };
    let verb = match statement.kind {
        Kind::Select => "select",
        Kind::Insert => "insert",
        Kind::Update => "update",
        Kind::Delete => "delete",
        _ => return None,
    };
    let known = |name: &RelationName| world.table(name).is_some();
    let locks = statement.locks.iter().flatten().filter_map(|lock| match &lock.relation {
        Relation::Named(name) => Some(name),
        _ => None,
    });
    let mut tables = statement.writes.iter().chain(locks).filter(|name| known(name));
    let table = tables.next()?;
    Some((verb, table.name.clone()))
}

/// `interval $1` as `($1)::interval`, without comments.
fn typed_behind(text: &str) -> String {
    let Ok(tokens) = lex::tokens(text) else { return text.to_owned() };
    let tokens: Vec<Token> =
        tokens.into_iter().filter(|token| token.kind != TokenKind::Comment).collect();
    let (mut made, mut at) = (String::new(), 0);
    while let Some(token) = tokens.get(at) {
        let word = token.text(text);
        let is_type = token.kind == TokenKind::Word
            && TYPES.iter().any(|known| word.eq_ignore_ascii_case(known))
            && (at == 0 || !tokens[at - 1].is_word(text, "as"));
        let constant = tokens.get(at + 1).filter(|next| next.kind == TokenKind::Positional);
        // What is not apart keeps together: `a.b`, `f(`.
        if at > 0 && tokens[at - 1].end < token.start {
            made.push(' ');
        }
        match constant.filter(|_| is_type) {
            Some(constant) => {
                made.push_str(&format!("({})::{word}", constant.text(text)));
                at += 2;
            }
            None => {
                made.push_str(word);
                at += 1;
            }
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::super::super::catalogue::Table;
    use super::*;

    #[rstest::rstest]
    #[case("SELECT now() - interval $1 FROM a", "SELECT now() - ($1)::interval FROM a")]
    #[case("SELECT 1 FROM a WHERE b IN ($1 /*, ... */)", "SELECT 1 FROM a WHERE b IN ($1 )")]
    #[case("SELECT a.date, $1::date FROM a", "SELECT a.date, $1::date FROM a")]
    #[case("SELECT 'interval $1'", "SELECT 'interval $1'")]
    fn a_type_before_its_constant_is_put_behind_it(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(typed_behind(text), expected);
    }

    fn catalogue() -> Catalogue {
        let table = |oid: u32, name: &str| Table {
            oid,
            schema: "public".to_owned(),
            name: name.to_owned(),
            ..Table::default()
        };
        Catalogue { tables: vec![table(1, "orders"), table(2, "items")], ..Catalogue::default() }
    }

    fn recorded(statements: &[(&str, u64)]) -> Vec<Recorded> {
        let of = |(text, calls): &(&str, u64)| Recorded { text: (*text).to_owned(), calls: *calls };
        statements.iter().map(of).collect()
    }

    #[test]
    fn the_most_frequent_statements_on_the_tables_are_queries() {
        let recorded = recorded(&[
            ("SELECT id FROM orders WHERE id = $1", 50),
            ("UPDATE items SET n = $1 WHERE id = $2", 1_000),
            ("SELECT id FROM orders LIMIT $1", 10),
            ("SELECT relname FROM pg_class", 9_999),
            ("BEGIN", 5_000),
            ("CREATE TABLE orders (id int)", 1),
            ("<insufficient privilege>", 7),
        ]);
        let (queries, passed_over) = recorded_queries(&catalogue(), &recorded);
        let found: Vec<(&str, Option<u32>)> =
            queries.iter().map(|(query, _)| (query.name.as_str(), query.weight)).collect();
        let expected = [
            ("update-items", Some(10_000)),
            ("select-orders", Some(500)),
            ("select-orders-2", Some(100)),
        ];
        assert_eq!(found, expected);
        assert_eq!(passed_over.len(), 1);
        assert!(passed_over[0].contains("GRANT pg_read_all_stats"), "{passed_over:?}");
    }

    #[test]
    fn of_many_only_the_most_frequent_are_used() {
        let texts: Vec<String> =
            (0..40).map(|n| format!("SELECT id FROM orders WHERE k{n} = $1")).collect();
        let recorded: Vec<Recorded> =
            texts.iter().map(|text| Recorded { text: text.clone(), calls: 5 }).collect();
        let (queries, passed_over) = recorded_queries(&catalogue(), &recorded);
        assert_eq!(queries.len(), QUERIES_MAX);
        assert!(passed_over[0].contains("10 less frequent"), "{passed_over:?}");
    }
}
