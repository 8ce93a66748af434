//! Rows that operations without a ledger update or delete by their key: which ones is known all the
//! same, so that every other row of the table has to be what it was.
//!
//! What is not plainly `UPDATE t SET … WHERE key = $1` is not known, and the table's columns that
//! the statement names are then anybody's.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::pg::lex::{Token, TokenKind, tokens};
use crate::scenario::OperationSpec;

use super::parameters::Values;

/// Keys of one statement that are kept; with more, they are not known.
const KEYS_MAX: usize = 1_000_000;

/// What a statement finds its rows by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedStatement {
    /// As the statement names it, without quotes.
    pub table: String,
    pub column: String,
    /// Index into the operation's parameters.
    parameter: usize,
    /// Index into the operation's statements.
    statement: usize,
}

/// Every keyed statement of the operations, with the keys that they were sent with.
#[derive(Default)]
pub struct KeyedWrites {
    /// By the operation's kind.
    operations: Vec<Vec<(KeyedStatement, Mutex<Keys>)>>,
}

#[derive(Default)]
struct Keys {
    known: HashSet<String>,
    /// Some are not, or are not written as the server writes them.
    unknown: bool,
}

impl KeyedWrites {
    pub fn new(operations: &[OperationSpec]) -> KeyedWrites {
        let of = |spec: &OperationSpec| {
            let remembered = spec.ledger.is_some() && spec.statements.len() == 1;
            let statements = spec.statements.iter().enumerate().filter(|_| !remembered);
            let keyed = statements.filter_map(|(statement, sent)| {
                let (table, column, position) = keyed(&sent.sql)?;
                let name = sent.placeholders.get(position.checked_sub(1)?)?;
                let parameter = spec.parameters.keys().position(|parameter| parameter == name)?;
                Some(KeyedStatement { table, column, parameter, statement })
            });
            keyed.map(|statement| (statement, Mutex::default())).collect()
        };
        KeyedWrites { operations: operations.iter().map(of).collect() }
    }

    /// An operation was sent with these.
    pub fn sent(&self, kind: u16, values: &Values) {
        for (statement, keys) in self.operations.get(usize::from(kind)).into_iter().flatten() {
            let Some(Some(key)) = values.get(statement.parameter) else { continue };
            let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
            let known = is_canonical(key) && keys.known.len() < KEYS_MAX;
            keys.unknown |= !known;
            if known && !keys.known.contains(key) {
                keys.known.insert(key.clone());
            }
        }
    }

    /// Statements of which every key is known, by their operations' kinds.
    pub fn known(&self) -> BTreeSet<(usize, usize)> {
        self.of_known(|kind, statement, _| (kind, statement.statement)).collect()
    }

    /// Table, key column and keys of all that may have been written.
    pub fn written(&self) -> Vec<(String, String, Vec<String>)> {
        let written = |_, statement: &KeyedStatement, keys: &HashSet<String>| {
            let keys = keys.iter().cloned().collect();
            (statement.table.clone(), statement.column.clone(), keys)
        };
        self.of_known(written).collect()
    }

    /// What `of` makes of each statement of which every key is known.
    fn of_known<T>(
        &self,
        of: impl Fn(usize, &KeyedStatement, &HashSet<String>) -> T,
    ) -> impl Iterator<Item = T> {
        let statements = self.operations.iter().enumerate().flat_map(|(kind, statements)| {
            statements.iter().map(move |(statement, keys)| (kind, statement, keys))
        });
        statements.filter_map(move |(kind, statement, keys)| {
            let keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
            (!keys.unknown).then(|| of(kind, statement, &keys.known))
        })
    }
}

/// Whether the server writes it so too, whatever the column's type: an integer or a uuid.
fn is_canonical(key: &str) -> bool {
    let integer = key.parse::<i64>().is_ok_and(|number| number.to_string() == key);
    let is_digit = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    integer || (key.len() == 36 && key.bytes().enumerate().all(is_digit))
}

/// Table, column and the parameter's number of `UPDATE t SET … WHERE column = $n [AND …]`, or of
/// the DELETE of that form; None: it is of another form, or sets the column.
fn keyed(sql: &str) -> Option<(String, String, usize)> {
    let tokens: Vec<Token> = tokens(sql).ok()?;
    let top = top_level(sql, &tokens)?;
    let is = |token: &Token, word: &str| token.is_word(sql, word);
    let find = |word: &str| top.iter().position(|token| is(token, word));
    let first = top.first()?;
    let begin = match (is(first, "update"), is(first, "delete")) {
        (true, _) => 1,
        (_, true) if is(top.get(1)?, "from") => 2,
        _ => return None,
    };
    let condition = find("where")?;
    let set = if begin == 1 { find("set")? } else { condition };
    let between = top.get(begin..condition)?;
    if between.iter().any(|token| is(token, "from") || is(token, "using") || is(token, "where")) {
        return None;
    }
    let begin = begin + usize::from(top.get(begin).is_some_and(|token| is(token, "only")));
    let table = qualified(sql, top.get(begin..set)?).0;
    let rest = top.get(condition + 1..)?;
    let (column, used) = qualified(sql, rest);
    let (column, after) = (column.last()?.clone(), rest.get(used..)?);
    let [equals, parameter, after @ ..] = after else { return None };
    let ends = after.first().is_none_or(|t| is(t, "and") || is(t, "returning"));
    let only = !after.iter().any(|token| is(token, "or"));
    let is_parameter = equals.is_symbol(sql, "=") && parameter.kind == TokenKind::Positional;
    let assigned =
        tokens.iter().filter(|t| t.start > top[begin].start && t.end <= top[condition].start);
    let keeps = set == condition || !assigned.clone().any(|t| name(sql, t) == Some(column.clone()));
    if !(ends && only && is_parameter && keeps) || table.is_empty() {
        return None;
    }
    Some((table.join("."), column, parameter.text(sql).get(1..)?.parse().ok()?))
}

/// Tokens outside of parentheses, without comments and the last semicolon; None: there are several
/// statements.
fn top_level(sql: &str, tokens: &[Token]) -> Option<Vec<Token>> {
    let (mut depth, mut top) = (0_u32, Vec::new());
    for token in tokens.iter().filter(|token| token.kind != TokenKind::Comment) {
        match token.text(sql) {
            "(" => depth += 1,
            ")" => depth = depth.checked_sub(1)?,
            _ if depth == 0 => top.push(*token),
            _ => {}
        }
    }
    if top.last().is_some_and(|token| token.is_symbol(sql, ";")) {
        top.pop();
    }
    top.iter().all(|token| !token.is_symbol(sql, ";")).then_some(top)
}

/// The parts of a name, and how many tokens it has.
fn qualified(sql: &str, tokens: &[Token]) -> (Vec<String>, usize) {
    let (mut parts, mut at) = (Vec::new(), 0);
    while let Some(part) = tokens.get(at).and_then(|token| name(sql, token)) {
        parts.push(part);
        at += 1;
        if !tokens.get(at).is_some_and(|token| token.is_symbol(sql, ".")) {
            break;
        }
        at += 1;
    }
    (parts, at)
}

/// Without quotes; unquoted ones in lower case, as the server folds them.
fn name(sql: &str, token: &Token) -> Option<String> {
    match token.kind {
        TokenKind::Word => Some(token.text(sql).to_lowercase()),
        TokenKind::QuotedIdent if token.text(sql).starts_with('"') => {
            Some(token.text(sql).trim_matches('"').replace("\"\"", "\""))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("UPDATE orders SET total = $1 WHERE id = $2", "orders", "id", 2)]
    #[case(
        "update only Shop.\"Orders\" AS o set a = (SELECT 1 FROM x WHERE y = $2) where o.id = $1;",
        "shop.Orders",
        "id",
        1
    )]
    #[case("UPDATE t SET a = $1 WHERE id = $2 AND a <> $1 RETURNING id -- end", "t", "id", 2)]
    #[case("DELETE FROM public.t WHERE \"Id\" = $1", "public.t", "Id", 1)]
    fn what_finds_its_rows_by_a_key_is_known(
        #[case] sql: &str,
        #[case] table: &str,
        #[case] column: &str,
        #[case] parameter: usize,
    ) {
        assert_eq!(keyed(sql), Some((table.to_owned(), column.to_owned(), parameter)));
    }

    #[rstest]
    #[case::several_rows("UPDATE t SET a = $1 WHERE id = $2 OR a = $1")]
    #[case::an_expression("UPDATE t SET a = $1 WHERE id = $2 + 1")]
    #[case::another_operator("UPDATE t SET a = $1 WHERE id > $2")]
    #[case::no_condition("UPDATE t SET a = $1")]
    #[case::another_table("UPDATE t SET a = u.a FROM u WHERE id = $1")]
    #[case::the_key_itself("UPDATE t SET id = $1 WHERE id = $2")]
    #[case::the_key_among_others("UPDATE t SET (a, id) = ($1, $3) WHERE id = $2")]
    #[case::a_second_statement("UPDATE t SET a = 1 WHERE id = $1; DELETE FROM t")]
    #[case::a_common_table("WITH x AS (SELECT 1) UPDATE t SET a = 1 WHERE id = $1")]
    #[case::using("DELETE FROM t USING u WHERE id = $1")]
    #[case::a_read("SELECT 1 FROM t WHERE id = $1")]
    #[case::an_insert("INSERT INTO t VALUES ($1)")]
    fn of_any_other_form_nothing_is_known(#[case] sql: &str) {
        assert_eq!(keyed(sql), None);
    }

    #[rstest]
    #[case("17", true)]
    #[case("-5", true)]
    #[case("0017", false)]
    #[case("1.50", false)]
    #[case("2024-01-01T00:00:00Z", false)]
    #[case("6f9619ff-8b86-4d01-b42d-00cf4fc964ff", true)]
    #[case("6F9619FF-8B86-4D01-B42D-00CF4FC964FF", false)]
    fn keys_that_the_server_writes_in_another_way_are_not_known(
        #[case] key: &str,
        #[case] canonical: bool,
    ) {
        assert_eq!(is_canonical(key), canonical);
    }
}
