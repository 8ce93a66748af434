//! What a statement of a dump is to one who loads it somewhere else: of the server and not of the
//! database, about roles, a parameter, an extension.
//!
//! It is read from the words of the statement, since it has to be known of what no parser knows.
//! Whether it is left out depends on the server.

use super::lex::{self, Token, TokenKind};

/// What a statement is to a loader. Roles are named as the catalogue has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Of a database by its name, or of the whole server; what it is of.
    Elsewhere(&'static str),
    /// `SET parameter`.
    Parameter(String),
    /// `CREATE EXTENSION`.
    Extension(String),
    /// `COMMENT ON EXTENSION`.
    ExtensionComment(String),
    /// It gives something to roles, or acts as one.
    Owner(Vec<String>),
    /// It grants to roles, or takes from them.
    Privileges(Vec<String>),
    /// It cannot do without these roles.
    Needs(Vec<String>),
    /// `CREATE ROLE`.
    CreateRole(String),
    /// It changes this role, or makes it a member.
    AlterRoles(Vec<String>),
    /// `DROP …`, or what drops a part of a table.
    Drop,
    /// `CREATE SCHEMA public`.
    Public,
    /// What pg_dump of 18 writes of statistics.
    Statistics,
    /// Whatever else it is: it has to run.
    Other,
}

impl Part {
    /// Of a statement without its semicolon.
    pub fn of(text: &str) -> Part {
        // A quote that is open is the server's to refuse.
        let tokens = lex::tokens(text).unwrap_or_default();
        let tokens: Vec<Token> =
            tokens.into_iter().filter(|t| t.kind != TokenKind::Comment).collect();
        Words { text, tokens: &tokens }.part()
    }

    /// Every role that it names.
    pub fn roles(&self) -> &[String] {
        match self {
            Part::Owner(roles) | Part::Privileges(roles) | Part::Needs(roles) => roles,
            _ => &[],
        }
    }

    /// Whether it leaves a database as it was: of a dump of several, each begins with such ones.
    pub fn makes_nothing(&self, text: &str) -> bool {
        let first = text.split_whitespace().next().unwrap_or_default();
        match self {
            Part::Elsewhere(_) | Part::Parameter(_) | Part::ExtensionComment(_) | Part::Drop => {
                true
            }
            Part::Extension(name) => name == "plpgsql",
            part if part.is_of_roles() => true,
            _ => text.contains("set_config(") && first.eq_ignore_ascii_case("select"),
        }
    }

    /// Whether it is of the server's roles.
    pub fn is_of_roles(&self) -> bool {
        matches!(self, Part::CreateRole(_) | Part::AlterRoles(_))
    }
}

/// What is no role's name.
const NO_ROLES: &[&str] = &["public", "current_user", "current_role", "session_user"];
const DATABASE: &str = "a database by its name";
const TABLESPACES: &str = "the server's tablespaces";
const SUBSCRIPTION: &str = "a subscription to another server";
const ROLES: &str = "the server's roles";

struct Words<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

impl Words<'_> {
    /// Whether the words from the `at`th on are these; `|` separates choices.
    fn are(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(index, choices)| {
            let token = self.tokens.get(at + index);
            token.is_some_and(|t| choices.split('|').any(|word| t.is_word(self.text, word)))
        })
    }

    /// The name at a token, as the catalogue has it.
    fn name(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at)?;
        let text = token.text(self.text);
        let inner = |quote| {
            let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
            inner.unwrap_or(text).to_owned()
        };
        match token.kind {
            TokenKind::Word => Some(text.to_lowercase()),
            TokenKind::QuotedIdent => Some(inner('"').replace("\"\"", "\"")),
            TokenKind::Text => Some(inner('\'').replace("''", "'")),
            _ => None,
        }
    }

    /// Where these words are outside parentheses, the last place first.
    fn last(&self, words: &[&str]) -> Option<usize> {
        let (mut depth, mut found) = (0_usize, None);
        for (at, token) in self.tokens.iter().enumerate() {
            match token.text(self.text) {
                "(" if token.kind == TokenKind::Symbol => depth += 1,
                ")" if token.kind == TokenKind::Symbol => depth = depth.saturating_sub(1),
                _ if depth == 0 && self.are(at, words) => found = Some(at),
                _ => {}
            }
        }
        found
    }

    /// The roles of a list that begins there.
    fn roles(&self, mut at: usize) -> Vec<String> {
        let mut roles = Vec::new();
        loop {
            at += usize::from(self.are(at, &["group"]));
            let Some(name) = self.name(at) else { return roles };
            if !NO_ROLES.contains(&name.as_str()) {
                roles.push(name);
            }
            match self.tokens.get(at + 1) {
                Some(token) if token.is_symbol(self.text, ",") => at += 2,
                _ => return roles,
            }
        }
    }

    /// Those behind a word, if it is there.
    fn roles_behind(&self, words: &[&str]) -> Vec<String> {
        self.last(words).map(|at| self.roles(at + words.len())).unwrap_or_default()
    }

    fn part(&self) -> Part {
        let first = self.tokens.first().map(|t| t.text(self.text).to_lowercase());
        match first.as_deref().unwrap_or_default() {
            "set" | "reset" => self.set(),
            "create" => self.create(),
            "alter" => self.alter(),
            "drop" => self.drop(),
            "comment" | "security" => self.comment(),
            "grant" | "revoke" => self.grant(),
            "select" if self.text.contains("pg_catalog.pg_restore_") => Part::Statistics,
            _ => Part::Other,
        }
    }

    fn set(&self) -> Part {
        let at = 1 + usize::from(self.are(1, &["session|local"]));
        if self.are(at, &["authorization"]) || self.are(at, &["role"]) {
            let name = self.tokens.get(at + 1).filter(|t| !t.is_symbol(self.text, "="));
            let none = self.are(at + 1, &["none|default|to"]);
            return match name.filter(|_| !none).and_then(|_| self.name(at + 1)) {
                Some(role) => Part::Owner(vec![role]),
                None => Part::Other,
            };
        }
        // `SET TRANSACTION …`, `SET TIME ZONE …`: no names of parameters.
        let is_assigned = self
            .tokens
            .get(at + 1)
            .is_some_and(|token| token.is_symbol(self.text, "=") || token.is_word(self.text, "to"));
        match self.name(at) {
            Some(name) if is_assigned => Part::Parameter(name),
            _ => Part::Other,
        }
    }

    fn create(&self) -> Part {
        let conditional = |at: usize| at + 3 * usize::from(self.are(at, &["if", "not", "exists"]));
        if let Some(of) = self.server_object(1) {
            return Part::Elsewhere(of);
        }
        if self.are(1, &["extension"]) {
            return self.name(conditional(2)).map_or(Part::Other, Part::Extension);
        }
        if self.are(1, &["user", "mapping"]) {
            return Part::Needs(self.roles_behind(&["for"]));
        }
        if self.are(1, &["role|user|group"]) {
            return self.name(2).map_or(Part::Other, Part::CreateRole);
        }
        if self.are(1, &["policy"]) {
            return Part::Needs(self.roles_behind(&["to"]));
        }
        if self.are(1, &["schema"]) {
            let name = conditional(2);
            if self.name(name).as_deref() == Some("public") && self.tokens.len() == name + 1 {
                return Part::Public;
            }
            let at = self.tokens.iter().position(|t| t.is_word(self.text, "authorization"));
            return match at {
                Some(at) => Part::Needs(self.roles(at + 1)),
                None => Part::Other,
            };
        }
        Part::Other
    }

    fn alter(&self) -> Part {
        if let Some(of) = self.server_object(1) {
            return Part::Elsewhere(of);
        }
        if self.are(1, &["default", "privileges"]) {
            let granted = [&["to"][..], &["from"]].map(|words| self.roles_behind(words)).concat();
            let of = self.roles_behind(&["for", "role|user"]);
            return Part::Privileges([of, granted].concat());
        }
        if self.are(1, &["user", "mapping"]) {
            return Part::Needs(self.roles_behind(&["for"]));
        }
        if self.are(1, &["role|user|group"]) {
            if self.are(2, &["all"]) || self.are(3, &["in", "database"]) {
                return Part::Elsewhere(ROLES);
            }
            return self.name(2).map_or(Part::Other, |role| Part::AlterRoles(vec![role]));
        }
        if self.are(1, &["policy"]) {
            return Part::Needs(self.roles_behind(&["to"]));
        }
        // `RENAME owner TO holder` is of a column.
        let renames = self.last(&["rename"]).is_some();
        if !renames && self.last(&["owner", "to"]).is_some() {
            return Part::Owner(self.roles_behind(&["owner", "to"]));
        }
        match self.last(&["drop", "constraint|default"]) {
            Some(_) if self.are(1, &["table|domain"]) => Part::Drop,
            _ => Part::Other,
        }
    }

    fn drop(&self) -> Part {
        match self.server_object(1) {
            Some(of) => Part::Elsewhere(of),
            None if self.are(1, &["user", "mapping"]) => Part::Drop,
            None if self.are(1, &["role|user|group"]) => Part::Elsewhere(ROLES),
            None => Part::Drop,
        }
    }

    fn comment(&self) -> Part {
        let Some(at) = self.tokens.iter().position(|t| t.is_word(self.text, "on")) else {
            return Part::Other;
        };
        if let Some(of) = self.server_object(at + 1) {
            return Part::Elsewhere(of);
        }
        if self.are(at + 1, &["role"]) {
            return self.name(at + 2).map_or(Part::Other, |role| Part::AlterRoles(vec![role]));
        }
        match self.are(at + 1, &["extension"]) {
            true => self.name(at + 2).map_or(Part::Other, Part::ExtensionComment),
            false => Part::Other,
        }
    }

    fn grant(&self) -> Part {
        let revokes = self.are(0, &["revoke"]);
        let roles = self.roles_behind(if revokes { &["from"] } else { &["to"] });
        match self.last(&["on"]) {
            Some(at) if self.are(at + 1, &["parameter"]) => {
                Part::Elsewhere("the server's settings")
            }
            Some(at) => match self.server_object(at + 1) {
                Some(of) => Part::Elsewhere(of),
                None => Part::Privileges(roles),
            },
            None => Part::AlterRoles(roles),
        }
    }

    /// What a statement is of whose object is no part of the database that it runs in.
    fn server_object(&self, at: usize) -> Option<&'static str> {
        let is = |word| self.are(at, &[word]);
        match () {
            () if is("database") => Some(DATABASE),
            () if is("tablespace") => Some(TABLESPACES),
            () if is("subscription") => Some(SUBSCRIPTION),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn roles(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[rstest]
    #[case("CREATE DATABASE shop WITH TEMPLATE = template0", Part::Elsewhere(DATABASE))]
    #[case("ALTER DATABASE shop OWNER TO x", Part::Elsewhere(DATABASE))]
    #[case("COMMENT ON DATABASE shop IS 'on it'", Part::Elsewhere(DATABASE))]
    #[case("REVOKE CONNECT ON DATABASE shop FROM PUBLIC", Part::Elsewhere(DATABASE))]
    #[case("CREATE TABLESPACE fast LOCATION '/x'", Part::Elsewhere(TABLESPACES))]
    #[case("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", Part::Elsewhere(SUBSCRIPTION))]
    #[case("DROP ROLE IF EXISTS a", Part::Elsewhere(ROLES))]
    #[case("ALTER ROLE a IN DATABASE b SET x = 1", Part::Elsewhere(ROLES))]
    #[case("SET transaction_timeout = 0", Part::Parameter("transaction_timeout".into()))]
    #[case("set local Work_Mem to '1MB'", Part::Parameter("work_mem".into()))]
    #[case("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", Part::Other)]
    #[case("SET SESSION AUTHORIZATION 'bob'", Part::Owner(roles(&["bob"])))]
    #[case("SET SESSION AUTHORIZATION DEFAULT", Part::Other)]
    #[case("CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA public",
        Part::Extension("uuid-ossp".into()))]
    #[case("COMMENT ON EXTENSION citext IS 'x'", Part::ExtensionComment("citext".into()))]
    #[case("ALTER TABLE ONLY public.\"Order\" OWNER TO \"App \"\"x\"\"\"",
        Part::Owner(roles(&["App \"x\""])))]
    #[case("ALTER VIEW v OWNER TO CURRENT_USER", Part::Owner(vec![]))]
    #[case("GRANT SELECT(a),UPDATE(b) ON TABLE t TO r, GROUP s WITH GRANT OPTION",
        Part::Privileges(roles(&["r", "s"])))]
    #[case("REVOKE ALL ON SCHEMA public FROM PUBLIC", Part::Privileges(vec![]))]
    #[case("GRANT admin TO app WITH ADMIN OPTION GRANTED BY postgres",
        Part::AlterRoles(roles(&["app"])))]
    #[case("ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s GRANT SELECT ON TABLES TO b",
        Part::Privileges(roles(&["a", "b"])))]
    #[case("CREATE POLICY p ON t FOR SELECT TO a, b USING ((x TO y))",
        Part::Needs(roles(&["a", "b"])))]
    #[case("CREATE POLICY p ON t USING (true)", Part::Needs(vec![]))]
    #[case("CREATE SCHEMA s AUTHORIZATION a", Part::Needs(roles(&["a"])))]
    #[case("CREATE USER MAPPING FOR a SERVER s", Part::Needs(roles(&["a"])))]
    #[case("CREATE USER a WITH PASSWORD 'x'", Part::CreateRole("a".into()))]
    #[case("ALTER ROLE a WITH SUPERUSER", Part::AlterRoles(roles(&["a"])))]
    #[case("CREATE SCHEMA public", Part::Public)]
    #[case("CREATE SCHEMA public_x", Part::Other)]
    #[case("ALTER TABLE ONLY a DROP CONSTRAINT b", Part::Drop)]
    #[case("ALTER TABLE a ADD COLUMN owner text", Part::Other)]
    #[case("ALTER TABLE a RENAME owner TO holder", Part::Other)]
    #[case("CREATE TABLE t (owner text)", Part::Other)]
    #[case("SELECT * FROM pg_catalog.pg_restore_relation_stats('version', '1')", Part::Statistics)]
    #[case("", Part::Other)]
    fn a_statement_is_known_by_its_words(#[case] text: &str, #[case] part: Part) {
        assert_eq!(Part::of(text), part);
    }
}
