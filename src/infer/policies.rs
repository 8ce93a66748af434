//! What policies of row security read of the session: settings that the application gives a value
//! before it touches a row, such as `app.tenant`, and whose values these are.
//!
//! Only equations are read: the setting is what a column has, or a constant. Whether that is
//! enough is for the server to say.

use std::collections::BTreeSet;

use crate::pg::lex::{self, Token, TokenKind};

use super::catalogue::{Catalogue, Oid, Policy, Table};

/// Functions that call functions that read a setting.
const CALLS_MAX: usize = 4;

/// A setting and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub name: String,
    /// The setting is a JSON object, and this is its key.
    pub member: Option<String>,
    pub value: SettingValue,
}

/// What a setting is equal to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SettingValue {
    /// A column of the row, by its table and number.
    Column(Oid, i16),
    Constant(String),
}

/// Settings that the policies of a table, and of the tables that these read, ask for.
pub(super) fn settings(catalogue: &Catalogue, table: &Table) -> Vec<Setting> {
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    let mut open = vec![table];
    while let Some(table) = open.pop().filter(|table| known.insert(table.oid)) {
        for setting in of_table(catalogue, table) {
            let same =
                |other: &Setting| other.name == setting.name && other.member == setting.member;
            if !found.iter().any(same) {
                found.push(setting);
            }
        }
        let texts: Vec<&str> = policies(table).flat_map(texts).collect();
        let names = |other: &&Table| texts.iter().any(|text| has_word(text, &other.name));
        open.extend(catalogue.tables.iter().filter(|other| other.row_security).filter(names));
    }
    found
}

/// Columns that have to be known of a row, by table and number: what settings are equal to.
pub(super) fn columns(catalogue: &Catalogue) -> BTreeSet<(Oid, i16)> {
    let secured = catalogue.tables.iter().filter(|table| table.row_security);
    let settings = secured.flat_map(|table| settings(catalogue, table));
    let column = |setting: Setting| match setting.value {
        SettingValue::Column(table, number) => Some((table, number)),
        SettingValue::Constant(_) => None,
    };
    settings.filter_map(column).collect()
}

/// What a person can do where the policies leave nothing to the application.
pub(super) fn remedy(catalogue: &Catalogue, table: &Table) -> String {
    let own: Vec<&Policy> = table.policies.iter().collect();
    if own.is_empty() {
        return "it has no policy: CREATE POLICY, or [pool] role = the tables' owner".to_owned();
    }
    let roles: BTreeSet<&str> =
        own.iter().flat_map(|policy| policy.roles.iter().map(String::as_str)).collect();
    if let Some(first) = roles.first()
        && own.iter().all(|policy| !policy.roles.is_empty())
    {
        let roles: Vec<&str> = roles.iter().copied().collect();
        return format!("its policies are for {}: [pool] role = \"{first}\"", roles.join(", "));
    }
    let texts: Vec<&str> = own.iter().flat_map(|policy| texts(policy)).collect();
    let user = |text: &&str| {
        ["current_user", "session_user", "current_role", "user"].iter().any(|w| has_word(text, w))
    };
    if texts.iter().any(user) {
        return "its policies ask who is connected: [pool] role = the role that they are for"
            .to_owned();
    }
    let read: BTreeSet<String> =
        texts.iter().flat_map(|text| read_in(catalogue, text, CALLS_MAX)).map(|(n, _)| n).collect();
    match read.first() {
        None => "write the operation as the policies want it: [[operation]]".to_owned(),
        Some(first) => format!(
            "its policies read {}: write the operation with SELECT set_config('{first}', …, true) \
             before its statement, or [pool] settings",
            read.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Those for all roles; where there are none, those for some.
fn policies(table: &Table) -> impl Iterator<Item = &Policy> {
    let for_all = table.policies.iter().any(|policy| policy.roles.is_empty());
    table.policies.iter().filter(move |policy| policy.roles.is_empty() || !for_all)
}

fn texts(policy: &Policy) -> impl Iterator<Item = &str> {
    policy.using.iter().chain(&policy.check).map(String::as_str)
}

fn has_word(text: &str, word: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|found| found.eq_ignore_ascii_case(word))
}

/// A row is let in by one permissive policy: by a column rather than by a constant, which would
/// show all rows at once.
fn of_table(catalogue: &Catalogue, table: &Table) -> Vec<Setting> {
    let is_column = |setting: &Setting| matches!(setting.value, SettingValue::Column(..));
    let of = |policy| -> Vec<Setting> {
        texts(policy).flat_map(|text| of_text(catalogue, table, text)).collect()
    };
    let by_column =
        policies(table).any(|policy| policy.permissive && of(policy).iter().any(is_column));
    let mut found = Vec::new();
    for policy in policies(table) {
        let own = of(policy);
        let either = texts(policy).any(|text| has_word(text, "or"));
        let with_column = own.iter().any(is_column);
        let constants = !policy.permissive || !by_column || (with_column && !either);
        found.extend(own.into_iter().filter(|setting| constants || is_column(setting)));
    }
    // Columns first: of one setting, the first one counts.
    found.sort_by_key(|setting| !is_column(setting));
    found
}

fn of_text(catalogue: &Catalogue, table: &Table, text: &str) -> Vec<Setting> {
    let tokens = tokens(text);
    let expression = Read { catalogue, table, text, tokens: &tokens };
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let Some((left, right)) = expression.equation(at) else { continue };
        for (setting, value) in [(left, right), (right, left)] {
            let Some(value) = expression.value(value) else { continue };
            let text = expression.text_of(setting);
            let read = read_in(catalogue, text, CALLS_MAX).into_iter();
            found.extend(read.map(|(name, member)| Setting { name, member, value: value.clone() }));
        }
    }
    found
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = lex::tokens(text).unwrap_or_default();
    tokens.retain(|token| token.kind != TokenKind::Comment);
    tokens
}

/// Settings that an expression reads, itself or by the functions that it calls; of one that is a
/// JSON object, the key that is read.
fn read_in(catalogue: &Catalogue, text: &str, calls: usize) -> Vec<(String, Option<String>)> {
    let tokens = tokens(text);
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_call = token.kind == TokenKind::Word
            && tokens.get(at + 1).is_some_and(|next| next.is_symbol(text, "("));
        if !is_call {
            continue;
        }
        let name = token.text(text);
        if name.eq_ignore_ascii_case("current_setting") {
            let argument = tokens.get(at + 2).filter(|next| next.kind == TokenKind::Text);
            let member = member(&tokens[at..], text);
            found.extend(argument.map(|text_of| (unquoted(text_of.text(text)), member)));
        } else if calls > 0 {
            let own = catalogue.functions.iter();
            let own = own.filter(|function| function.name.eq_ignore_ascii_case(name));
            let sources = own.filter_map(|function| function.source.as_deref());
            found.extend(sources.flat_map(|source| read_in(catalogue, source, calls - 1)));
        }
    }
    found
}

/// The key of `… ->> 'key'` behind a setting, before the next one.
fn member(tokens: &[Token], text: &str) -> Option<String> {
    let own = tokens.iter().skip(1).take_while(|token| !token.is_word(text, "current_setting"));
    let own: Vec<&Token> = own.collect();
    let arrow = own.windows(4).find(|part| {
        let signs = [("-", part[0]), (">", part[1]), (">", part[2])];
        signs.iter().all(|(sign, token)| token.is_symbol(text, sign))
            && part[3].kind == TokenKind::Text
    });
    arrow.map(|part| unquoted(part[3].text(text)))
}

fn unquoted(text: &str) -> String {
    text.trim_matches('\'').replace("''", "'")
}

/// An expression that is being read.
struct Read<'a> {
    catalogue: &'a Catalogue,
    table: &'a Table,
    text: &'a str,
    tokens: &'a [Token],
}

impl<'a> Read<'a> {
    /// Both sides of the `=` at a token.
    fn equation(&self, at: usize) -> Option<(&'a [Token], &'a [Token])> {
        let is_sign = |at: Option<usize>| {
            let token = at.and_then(|at| self.tokens.get(at));
            token.is_some_and(|t| ["<", ">", "!", "=", "~"].iter().any(|s| self.is(t, s)))
        };
        let equal = self.is(&self.tokens[at], "=");
        if !equal || is_sign(at.checked_sub(1)) || is_sign(Some(at + 1)) {
            return None;
        }
        let ends = |token: &Token| {
            ["and", "or", "where", "on", "select"].iter().any(|w| token.is_word(self.text, w))
                || self.is(token, ",")
        };
        let length = |tokens: &mut dyn Iterator<Item = &Token>, open: &str, close: &str| {
            let (mut depth, mut length) = (0_usize, 0);
            for token in tokens {
                if self.is(token, open) {
                    depth += 1;
                } else if self.is(token, close) {
                    let Some(outer) = depth.checked_sub(1) else { break };
                    depth = outer;
                } else if depth == 0 && ends(token) {
                    break;
                }
                length += 1;
            }
            length
        };
        let left = length(&mut self.tokens[..at].iter().rev(), ")", "(");
        let right = length(&mut self.tokens[at + 1..].iter(), "(", ")");
        Some((&self.tokens[at - left..at], &self.tokens[at + 1..at + 1 + right]))
    }

    fn is(&self, token: &Token, symbol: &str) -> bool {
        token.is_symbol(self.text, symbol)
    }

    fn text_of(&self, tokens: &[Token]) -> &'a str {
        let ends = tokens.first().zip(tokens.last());
        ends.and_then(|(first, last)| self.text.get(first.start..last.end)).unwrap_or_default()
    }

    /// A column or a constant, cast or not.
    fn value(&self, tokens: &[Token]) -> Option<SettingValue> {
        let bare: Vec<&Token> =
            tokens.iter().filter(|t| !self.is(t, "(") && !self.is(t, ")")).collect();
        let cast = bare.iter().position(|token| self.is(token, ":")).unwrap_or(bare.len());
        match &bare[..cast] {
            [only] if only.kind == TokenKind::Text => {
                Some(SettingValue::Constant(unquoted(only.text(self.text))))
            }
            [only] => self.column(self.table, only),
            [of, dot, column] if self.is(dot, ".") => {
                let table = self.named(&self.name(of)?)?;
                self.column(table, column)
            }
            _ => None,
        }
    }

    fn name(&self, token: &Token) -> Option<String> {
        let text = token.text(self.text);
        match token.kind {
            TokenKind::Word => Some(text.to_lowercase()),
            TokenKind::QuotedIdent => Some(text.trim_matches('"').replace("\"\"", "\"")),
            _ => None,
        }
    }

    fn column(&self, table: &Table, token: &Token) -> Option<SettingValue> {
        let name = self.name(token)?;
        let column = table.columns.iter().find(|column| column.name == name)?;
        Some(SettingValue::Column(table.oid, column.number))
    }

    /// The table of a name in the expression: an alias, or its own.
    fn named(&self, name: &str) -> Option<&'a Table> {
        let of = |name: &str| self.catalogue.tables.iter().find(|table| table.name == name);
        let aliased = self.tokens.windows(2).find_map(|pair| {
            let (table, alias) = (self.name(&pair[0])?, self.name(&pair[1])?);
            (alias == name).then(|| of(&table)).flatten()
        });
        let own = || Some(self.table).filter(|table| table.name == name);
        aliased.or_else(own).or_else(|| of(name))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::catalogue::{Column, Function};
    use super::*;

    fn catalogue(using: &str) -> Catalogue {
        let table = |oid, name: &str, columns: &[&str], using: Option<&str>| Table {
            oid,
            name: name.to_owned(),
            columns: (1..)
                .zip(columns)
                .map(|(number, name)| Column {
                    number,
                    name: (*name).to_owned(),
                    ..Column::default()
                })
                .collect(),
            row_security: using.is_some(),
            policies: using
                .map(|using| Policy {
                    permissive: true,
                    using: Some(using.to_owned()),
                    ..Policy::default()
                })
                .into_iter()
                .collect(),
            ..Table::default()
        };
        let function = |name: &str, source: &str| Function {
            name: name.to_owned(),
            source: Some(source.to_owned()),
        };
        Catalogue {
            tables: vec![
                table(1, "projects", &["id", "tenant_id"], None),
                table(2, "tasks", &["id", "project_id", "tenant_id"], Some(using)),
            ],
            functions: vec![
                function("tenant", "SELECT pick()::int"),
                function("pick", "SELECT nullif(current_setting('app.tenant', true), '')"),
                function(
                    "uid",
                    "SELECT (current_setting('request.jwt.claims')::json ->> 'sub')::uuid",
                ),
            ],
            ..Catalogue::default()
        }
    }

    #[rstest]
    #[case::plain(
        "(tenant_id = (current_setting('app.tenant'::text))::integer)",
        &["app.tenant = tasks.3"]
    )]
    #[case::turned(
        "(current_setting('app.tenant'::text) = (tenant_id)::text)",
        &["app.tenant = tasks.3"]
    )]
    #[case::selected(
        "(tenant_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::int \
         AS \"nullif\"))",
        &["app.tenant = tasks.3"]
    )]
    #[case::by_functions("(tenant_id = app.tenant())", &["app.tenant = tasks.3"])]
    #[case::of_json("(tenant_id = uid())", &["request.jwt.claims>sub = tasks.3"])]
    #[case::of_another_table(
        "(EXISTS ( SELECT 1 FROM projects p WHERE ((p.id = tasks.project_id) AND (p.tenant_id = \
         (current_setting('app.tenant'::text))::integer))))",
        &["app.tenant = projects.2"]
    )]
    #[case::or_a_constant(
        "((tenant_id = (current_setting('a.t'::text))::int) OR (current_setting('a.all'::text) = \
         'on'::text))",
        &["a.t = tasks.3"]
    )]
    #[case::and_a_constant(
        "((tenant_id = (current_setting('a.t'::text))::int) AND (current_setting('a.on'::text) = \
         'on'::text))",
        &["a.t = tasks.3", "a.on = 'on'"]
    )]
    #[case::not_by_equality("(tenant_id > (current_setting('a.t'::text))::int)", &[])]
    #[case::none("true", &[])]
    fn settings_have_the_value_of_what_they_are_equal_to(
        #[case] using: &str,
        #[case] expected: &[&str],
    ) {
        let catalogue = catalogue(using);
        let shown = |setting: Setting| {
            let member = setting.member.map(|key| format!(">{key}")).unwrap_or_default();
            let value = match setting.value {
                SettingValue::Column(1, number) => format!("projects.{number}"),
                SettingValue::Column(_, number) => format!("tasks.{number}"),
                SettingValue::Constant(text) => format!("'{text}'"),
            };
            format!("{}{member} = {value}", setting.name)
        };
        let found: Vec<String> =
            settings(&catalogue, &catalogue.tables[1]).into_iter().map(shown).collect();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case::user("(owner = CURRENT_USER)", "[pool] role")]
    #[case::setting("(tenant_id > (current_setting('a.t'::text))::int)", "set_config('a.t'")]
    fn the_remedy_goes_by_what_the_policies_read(#[case] using: &str, #[case] expected: &str) {
        let catalogue = catalogue(using);
        let remedy = remedy(&catalogue, &catalogue.tables[1]);
        assert!(remedy.contains(expected), "{remedy}");
    }
}
