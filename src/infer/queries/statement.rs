//! A statement of a query: its text with `$1`, `$2`, … and where each part of it was written.

use crate::pg::lex::{self, Token, TokenKind};

/// A named query: one statement, or several that are one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Its name as an operation has it: words joined by hyphens.
    pub name: String,
    /// Its share of the schedule, relative to the others'; None: the file does not say.
    pub weight: Option<u32>,
    /// Line of its name, from 1; 0: it is in no file.
    pub line: u32,
    /// In their order.
    pub statements: Vec<QueryStatement>,
}

/// One statement of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryStatement {
    /// Without comments, on one line but for what is quoted.
    pub sql: String,
    /// By number; the first is `$1`.
    pub parameters: Vec<QueryParameter>,
    /// Places in `sql` and in the file from which a token is.
    places: Vec<(usize, usize)>,
}

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryParameter {
    /// Equal ones have one value: a name is the query's, a number the statement's alone.
    pub key: String,
    /// The name that the file gives it; None: it has a number only.
    pub name: Option<String>,
}

impl QueryStatement {
    /// Reads a statement that begins at `offset` of its file; it is number `index` of its query.
    pub fn read(text: &str, offset: usize, index: usize) -> QueryStatement {
        let mut reading = Reading {
            text,
            tokens: lex::tokens(text).unwrap_or_default(),
            made: QueryStatement { sql: String::new(), parameters: Vec::new(), places: Vec::new() },
            brackets: 0,
            index,
        };
        reading.tokens.retain(|token| token.kind != TokenKind::Comment);
        let mut at = 0;
        while at < reading.tokens.len() {
            at = reading.take(at, offset);
        }
        reading.made
    }

    /// The place in the file of a place in `sql`, both in bytes.
    pub fn place(&self, at: usize) -> usize {
        let before = self.places.iter().rev().find(|(made, _)| *made <= at);
        before.map_or(0, |(made, written)| written + (at - made))
    }
}

struct Reading<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    made: QueryStatement,
    brackets: usize,
    index: usize,
}

impl Reading<'_> {
    /// Appends the token there, or the parameter that begins there; gives what comes next.
    fn take(&mut self, at: usize, offset: usize) -> usize {
        let token = self.tokens[at];
        let gap = at > 0 && self.tokens[at - 1].end < token.start;
        if gap {
            self.made.sql.push(' ');
        }
        self.made.places.push((self.made.sql.len(), offset + token.start));
        match self.word(at) {
            "[" => self.brackets += 1,
            "]" => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        if token.kind == TokenKind::Positional {
            let number = self.word(at).trim_start_matches('$').parse().unwrap_or(0);
            self.numbered(number);
            self.made.sql.push_str(token.text(self.text));
            return at + 1;
        }
        if let Some((name, next)) = self.named(at) {
            let number = self.number_of(&name);
            self.made.sql.push_str(&format!("${number}"));
            return next;
        }
        if let Some((columns, next)) = self.embedded(at) {
            self.made.sql.push_str(&columns);
            return next;
        }
        self.made.sql.push_str(token.text(self.text));
        at + 1
    }

    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text(self.text))
    }

    fn is_symbol(&self, at: usize, symbol: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_symbol(self.text, symbol))
    }

    /// Whether nothing is between the token and the one before it.
    fn is_joined(&self, at: usize) -> bool {
        at > 0 && self.tokens.get(at).is_some_and(|t| t.start == self.tokens[at - 1].end)
    }

    /// A parameter with a name, and what comes behind it.
    fn named(&self, at: usize) -> Option<(String, usize)> {
        let token = self.tokens[at];
        if token.kind == TokenKind::Named {
            return Some((token.text(self.text).trim_start_matches('$').to_owned(), at + 1));
        }
        let is_word =
            |at: usize| self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word);
        let before = || if at > 0 && self.is_joined(at) { self.word(at - 1) } else { "" };
        let follows = is_word(at + 1) && self.is_joined(at + 1);
        if self.is_symbol(at, ":") && follows {
            // `a::text` is a cast, `a[1:n]` a slice.
            let slice = self.brackets > 0 && !matches!(before(), "" | "[" | ",");
            return (before() != ":" && !slice).then(|| (self.word(at + 1).to_owned(), at + 2));
        }
        if self.is_symbol(at, "@") && follows {
            // `<@ b`, `@@ q` and the like are operators.
            let operator = before().ends_with(|c: char| "<>~!@#%^&|?*/+-".contains(c));
            return (!operator).then(|| (self.word(at + 1).to_owned(), at + 2));
        }
        let (argument, next) = self.call_of_sqlc(at, &["arg", "narg", "slice"])?;
        Some((argument.trim_matches('\'').to_owned(), next))
    }

    /// `sqlc.embed(t)`: the columns of a table.
    fn embedded(&self, at: usize) -> Option<(String, usize)> {
        let (table, next) = self.call_of_sqlc(at, &["embed"])?;
        Some((format!("{table}.*"), next))
    }

    fn call_of_sqlc(&self, at: usize, names: &[&str]) -> Option<(String, usize)> {
        let is_it = self.word(at).eq_ignore_ascii_case("sqlc")
            && self.is_symbol(at + 1, ".")
            && names.iter().any(|name| self.word(at + 2).eq_ignore_ascii_case(name))
            && self.is_symbol(at + 3, "(")
            && self.is_symbol(at + 5, ")");
        is_it.then(|| (self.word(at + 4).to_owned(), at + 6))
    }

    /// Makes room for `$number`; such numbers have no names.
    fn numbered(&mut self, number: usize) {
        // A number beyond this is refused by the server.
        const NUMBER_MAX: usize = 1_000;
        while self.made.parameters.len() < number.min(NUMBER_MAX) {
            let key = format!("{}:${}", self.index, self.made.parameters.len() + 1);
            self.made.parameters.push(QueryParameter { key, name: None });
        }
    }

    fn number_of(&mut self, name: &str) -> usize {
        let parameters = &mut self.made.parameters;
        match parameters.iter().position(|known| known.key == name) {
            Some(at) => at + 1,
            None => {
                let (key, name) = (name.to_owned(), Some(name.to_owned()));
                parameters.push(QueryParameter { key, name });
                parameters.len()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Vec<String>) {
        let read = QueryStatement::read(text, 0, 0);
        (read.sql, read.parameters.into_iter().map(|parameter| parameter.key).collect())
    }

    #[rstest::rstest]
    #[case("SELECT :a, :b, :a", "SELECT $1, $2, $1", &["a", "b"])]
    #[case("SELECT @a -- :no\n + @b", "SELECT $1 + $2", &["a", "b"])]
    #[case("SELECT sqlc.arg(a), sqlc.narg('b')::int", "SELECT $1, $2::int", &["a", "b"])]
    #[case("SELECT sqlc.embed(u) FROM u LIMIT $1", "SELECT u.* FROM u LIMIT $1", &["0:$1"])]
    #[case("SELECT $who", "SELECT $1", &["who"])]
    #[case("SELECT x::int, y[1:n], ':s', \":q\", $$ :d $$, $t$ @d $t$",
        "SELECT x::int, y[1:n], ':s', \":q\", $$ :d $$, $t$ @d $t$", &[])]
    #[case("SELECT x::int = :x::int", "SELECT x::int = $1::int", &["x"])]
    #[case("SELECT a <@ b, a @> :c, a @@ q, a<@b", "SELECT a <@ b, a @> $1, a @@ q, a<@b", &["c"])]
    #[case("SELECT f(a => :a), g(b := :b)", "SELECT f(a => $1), g(b := $2)", &["a", "b"])]
    #[case("SELECT a[:i], a[:i + 1]", "SELECT a[$1], a[$1 + 1]", &["i"])]
    #[case("SELECT $2, $1", "SELECT $2, $1", &["0:$1", "0:$2"])]
    #[case("SELECT /* $1 */ E'it\\'s :x'", "SELECT E'it\\'s :x'", &[])]
    fn parameters_are_found_where_the_lexer_sees_code(
        #[case] text: &str,
        #[case] sql: &str,
        #[case] keys: &[&str],
    ) {
        let (found, found_keys) = read(text);
        assert_eq!(
            (found.as_str(), found_keys),
            (sql, keys.iter().map(|k| (*k).to_owned()).collect())
        );
    }

    #[test]
    fn a_place_in_the_statement_is_one_in_the_file() {
        let text = "SELECT a, -- why\n    :long_name FROM nowhere";
        let read = QueryStatement::read(text, 100, 0);
        let at = read.sql.find("nowhere").expect("the table");
        assert_eq!(read.place(at), 100 + text.find("nowhere").expect("the table"));
    }
}
