//! Texts without a password, in whatever form it stands there.

use std::collections::BTreeSet;

/// What replaces a password.
const HIDDEN: &str = "***";
/// A shorter password, or one that is a plain word, stands in texts that do not mean it.
const DISTINCT_BYTES: usize = 8;

/// The text without the password: as it is, percent-encoded, and escaped as JSON, a shell, or a
/// connection string escape it. A password that is a plain word is hidden only where a password is
/// meant, so that hiding neither spoils other text nor tells which word it is.
pub fn masked(text: &str, password: &str) -> String {
    if password.is_empty() {
        return text.to_owned();
    }
    let anywhere = is_distinct(password);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        match length_at(rest, password) {
            Some(length) if anywhere || is_meant(&out, &rest[length..]) => {
                out.push_str(HIDDEN);
                rest = &rest[length..];
            }
            _ => {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    out
}

fn is_distinct(password: &str) -> bool {
    let is_word = password.chars().all(|c| c.is_ascii_alphabetic() || c == '_' || c == '-');
    password.len() >= DISTINCT_BYTES && !is_word
}

/// Whether a password is what stands between these: in `user:…@`, behind `password=`,
/// `PGPASSWORD=`, `"password": "` and the like.
fn is_meant(before: &str, behind: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let user = line.rsplit(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
    if behind.starts_with('@') && user.ends_with(':') {
        return true;
    }
    // A value ends where its word does.
    if behind.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return false;
    }
    let key = line.trim_end_matches(|c: char| c.is_whitespace() || "'\"=:\\".contains(c));
    let key = key.to_ascii_lowercase();
    key.len() < line.len() && ["password", "passwd", "pwd"].iter().any(|name| key.ends_with(name))
}

/// How much of the text the password takes where it begins here, in any of its forms. A byte may
/// stand in several: `%25` is a percent sign, or itself.
fn length_at(text: &str, password: &str) -> Option<usize> {
    let mut ends = BTreeSet::from([0]);
    for byte in password.bytes() {
        let bytes = text.as_bytes();
        let next = ends.iter().flat_map(|end| forms_of(&bytes[*end..], byte).map(move |n| end + n));
        ends = next.collect();
        if ends.is_empty() {
            return None;
        }
    }
    ends.into_iter().rev().find(|end| text.is_char_boundary(*end))
}

/// How many bytes of the text may stand for the byte.
fn forms_of(text: &[u8], byte: u8) -> impl Iterator<Item = usize> {
    let encoded = |prefix: &[u8]| {
        let digits = text.strip_prefix(prefix)?.get(..2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        (u8::from_str_radix(digits, 16).ok()? == byte).then_some(prefix.len() + 2)
    };
    let is = |form: &[u8]| text.starts_with(form).then_some(form.len());
    let forms = [
        is(&[byte]),
        encoded(b"%"),
        encoded(br"\u00"),
        is(&[b'\\', byte]),
        // A quote inside a shell's quotes, a space in a form.
        is(br"'\''").filter(|_| byte == b'\''),
        is(b"+").filter(|_| byte == b' '),
    ];
    forms.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HARD: &str = r#"p@ss:w/ord%25 'x"\"#;

    #[rstest]
    #[case::raw(r#"is p@ss:w/ord%25 'x"\ here"#, "is *** here")]
    #[case::url("postgres://u:p%40ss%3Aw%2Ford%2525%20%27x%22%5C@h/db", "postgres://u:***@h/db")]
    #[case::lower("u:p%40ss%3aw%2ford%2525%20%27x%22%5c@h", "u:***@h")]
    #[case::in_part("u:p%40ss:w/ord%2525%20'x%22%5C@h", "u:***@h")]
    #[case::form("password=p%40ss%3Aw%2Ford%2525+%27x%22%5C&a", "password=***&a")]
    #[case::json(r#""p@ss:w/ord%25 'x\"\\""#, "\"***\"")]
    #[case::json_hex(r#""p@ss:w/ord%25 \u0027x\"\\""#, "\"***\"")]
    #[case::shell(r#"'p@ss:w/ord%25 '\''x"\'"#, "'***'")]
    #[case::libpq(r#"password='p@ss:w/ord%25 \'x"\\' a"#, "password='***' a")]
    #[case::other("p@ss:w/ord", "p@ss:w/ord")]
    fn a_password_is_hidden_in_every_form(#[case] text: &str, #[case] hidden: &str) {
        assert_eq!(masked(text, HARD), hidden);
    }

    #[rstest]
    #[case("postgres://postgres:postgres@h/postgres", "postgres://postgres:***@h/postgres")]
    #[case("host=h user=postgres password=postgres", "host=h user=postgres password=***")]
    #[case(
        r#"{"password": "postgres", "user": "postgres"}"#,
        r#"{"password": "***", "user": "postgres"}"#
    )]
    #[case("PGPASSWORD='postgres' psql", "PGPASSWORD='***' psql")]
    #[case("the postgres user of postgres", "the postgres user of postgres")]
    #[case("password=postgres_old", "password=postgres_old")]
    #[case("role \"postgres\" does not exist", "role \"postgres\" does not exist")]
    fn a_plain_word_is_hidden_where_a_password_is_meant(#[case] text: &str, #[case] hidden: &str) {
        assert_eq!(masked(text, "postgres"), hidden);
    }
}
