//! Texts that repeat what was typed, without the passwords in it.

/// What stands for a password.
const HIDDEN: &str = "…";

/// Hides `secret` in `postgres://user:secret@host`, also where the scheme is mistyped, and in
/// `password=secret`.
pub fn without_passwords(text: &str) -> String {
    text.split_inclusive(|c: char| c.is_whitespace() || c == '\'').map(of_word).collect()
}

fn of_word(word: &str) -> String {
    let word = match word.rfind('@') {
        Some(end) => of_address(word, end),
        None => word.to_owned(),
    };
    let Some(start) = word.find("password=").map(|at| at + "password=".len()) else { return word };
    let rest = &word[start..];
    let end = rest.find(|c: char| c == '&' || c == '\'' || c.is_whitespace());
    format!("{}{HIDDEN}{}", &word[..start], &rest[end.unwrap_or(rest.len())..])
}

/// The user ends at the first colon after the scheme, the password at the last @.
fn of_address(word: &str, end: usize) -> String {
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
    #[case("postgres://app@h:5432/db", "postgres://app@h:5432/db")]
    #[case("no address: here", "no address: here")]
    fn a_password_is_hidden_and_nothing_else(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(without_passwords(text), shown);
    }
}
