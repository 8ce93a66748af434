//! Texts that repeat what was typed, without the passwords in it.

/// What replaces a password.
const HIDDEN: &str = "…";

/// Hides `secret` in `postgres://user:secret@host`, also where the scheme is mistyped or left out,
/// and in `password=secret`, also where it is quoted. Where it is unclear where a password
/// ends, too much is hidden.
pub fn without_passwords(text: &str) -> String {
    let text = without_values(text);
    let text: String = text.split_inclusive('\n').map(without_user_information).collect();
    text.split_inclusive(|c: char| c.is_whitespace() || c == '\'').map(of_word).collect()
}

/// `password=secret`, `password = 'a secret'`, `?password=secret&`.
fn without_values(text: &str) -> String {
    const KEY: &str = "password";
    const VARIABLE: &str = "$PGPASSWORD ";
    let lower = text.to_ascii_lowercase();
    let (mut masked, mut at) = (String::new(), 0);
    while let Some(found) = lower[at..].find(KEY) {
        let key = at + found;
        let behind = key + KEY.len();
        let value = text[behind..].trim_start().strip_prefix('=').map(str::trim_start);
        // What comes behind the key is no value, or the variable that a remedy names.
        let Some(value) = value.filter(|value| !value.starts_with(VARIABLE)) else {
            masked.push_str(&text[at..behind]);
            at = behind;
            continue;
        };
        let start = text.len() - value.len();
        masked.push_str(&text[at..start]);
        masked.push_str(HIDDEN);
        at = start + length_of_value(value, &text[..key]);
    }
    masked + &text[at..]
}

/// How much of the text is the value, by what comes before its key.
fn length_of_value(text: &str, before: &str) -> usize {
    let in_query = before.ends_with(['?', '&']);
    if !in_query && let Some(quoted) = text.strip_prefix('\'') {
        let mut escaped = false;
        let end = quoted.find(|c| {
            let ends = c == '\'' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        return end.map_or(text.len(), |end| end + 2);
    }
    // The quote around an address ends it; within one, a space is a part of it.
    let address = before.rfind("://").map(|scheme| &before[..scheme]);
    let address = address.map(|a| a.trim_end_matches(|c: char| c.is_ascii_alphanumeric()));
    let is_quoted = in_query && address.is_some_and(|before| before.ends_with('\''));
    let mut escaped = false;
    let end = text.char_indices().find(|(at, c)| match c {
        '\n' => true,
        c if c.is_whitespace() => !is_quoted && !escaped,
        '&' => in_query,
        '\'' => closes(&text[at + 1..]),
        c => {
            escaped = *c == '\\' && !in_query && !escaped;
            false
        }
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// Whether a quote before the text ends something, and is not an apostrophe.
fn closes(behind: &str) -> bool {
    behind
        .trim_start_matches([',', ';', ':', '.', ')'])
        .chars()
        .next()
        .is_none_or(char::is_whitespace)
}

/// The passwords of the addresses in a line, whatever characters they are of.
fn without_user_information(line: &str) -> String {
    let mut schemes = line.match_indices("://").map(|(at, scheme)| at + scheme.len());
    let Some(mut start) = schemes.next() else { return line.to_owned() };
    let mut masked = line[..start].to_owned();
    loop {
        let next = schemes.next();
        masked.push_str(&of_address(&line[start..next.unwrap_or(line.len())]));
        let Some(next) = next else { return masked };
        start = next;
    }
}

/// What comes behind a scheme: the user ends at the first colon, the password at the last @.
fn of_address(text: &str) -> String {
    let (Some(colon), Some(end)) = (text.find(':'), text.rfind('@')) else {
        return text.to_owned();
    };
    let user = text[..colon].find(|c: char| c == '@' || c == '\'' || c.is_whitespace());
    if user.is_some() || end < colon {
        return text.to_owned();
    }
    let password = &text[colon + 1..end];
    let is_words = password.contains(|c: char| c == '\'' || c.is_whitespace());
    let behind_port = password.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_port = behind_port.len() < password.len()
        && behind_port.starts_with(|c: char| matches!(c, '/' | '?' | '\'') || c.is_whitespace());
    match is_words && is_port {
        true => text.to_owned(),
        false => format!("{}:{HIDDEN}{}", &text[..colon], &text[end..]),
    }
}

/// An address without a scheme, or with half of one.
fn of_word(word: &str) -> String {
    let Some(end) = word.rfind('@') else { return word.to_owned() };
    let start = word[..end].find(":/").map_or(0, |at| at + ":/".len());
    match word[start..end].find(':') {
        Some(colon) => format!("{}:{HIDDEN}{}", &word[..start + colon], &word[end..]),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("'postgres://app:s3cret@h:5432/db' found", "'postgres://app:…@h:5432/db' found")]
    #[case("postgresql://app:a:b@c@h/db", "postgresql://app:…@h/db")]
    #[case("postgres:/app:s3cret@h", "postgres:/app:…@h")]
    #[case("app:s3cret@h", "app:…@h")]
    #[case("postgres://h/db?password=s3cret&x=1", "postgres://h/db?password=…&x=1")]
    #[case("host=h password=s3cret user=u", "host=h password=… user=u")]
    #[case("host=h password = s3cret user=u", "host=h password = … user=u")]
    #[case("host=h password='it s' user=u", "host=h password=… user=u")]
    #[case(r"password = 'it\'s a \\' user=u", "password = … user=u")]
    #[case(r"'host=h password=it\ s user=u'", "'host=h password=… user=u'")]
    #[case("'host=h password=it's' found", "'host=h password=…' found")]
    #[case("'host=h password='it s'' found", "'host=h password=…' found")]
    #[case("'password=s3cret', found", "'password=…', found")]
    #[case("password=a&b user=u", "password=… user=u")]
    #[case("password='s3cret without an end", "password=…")]
    #[case("PGPASSWORD=s3cret sslpassword=s3cret", "PGPASSWORD=… sslpassword=…")]
    #[case("'postgres://app:it s@h/db' found", "'postgres://app:…@h/db' found")]
    #[case("'postgres://app:it's@h/db' found", "'postgres://app:…@h/db' found")]
    #[case("postgres://app:a'b c/d?@h/db", "postgres://app:…@h/db")]
    #[case("postgres://a:x y@h/db postgres://b:z'@i", "postgres://a:…@h/db postgres://b:…@i")]
    #[case("'postgres://h/db?password=it s&x=1' found", "'postgres://h/db?password=…&x=1' found")]
    #[case("'postgres://h/db?x=1&password=a'b c' found", "'postgres://h/db?x=1&password=…' found")]
    #[case("postgres://h:1/db?password=a@b", "postgres://h:1/db?password=…")]
    #[case("'postgres://h:5432/db' of me@example", "'postgres://h:5432/db' of me@example")]
    #[case("'postgres://app@h:5/db' of me@example", "'postgres://app@h:5/db' of me@example")]
    #[case("x --password=$PGPASSWORD update", "x --password=$PGPASSWORD update")]
    #[case("x --password=$PGPASSWORDs update", "x --password=… update")]
    #[case("password authentication failed", "password authentication failed")]
    #[case("postgres://app@h:5432/db", "postgres://app@h:5432/db")]
    #[case("no address: here", "no address: here")]
    fn a_password_is_hidden_and_nothing_else(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(without_passwords(text), shown);
    }
}
