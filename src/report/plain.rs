//! Text on a runner that takes some of a program's lines for commands of its own.
//!
//! GitHub's runner acts on lines that begin with `::`, blanks before it left out, and on `##[`
//! anywhere. SQL, notices and names of objects may hold both. They are shown with a space within.

use std::borrow::Cow;

use anstream::adapter::strip_str;

/// The text as it may be printed here: changed only on GitHub's runner.
pub fn plain(text: &str) -> Cow<'_, str> {
    let is_runner = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    if is_runner { Cow::Owned(without_commands(text)) } else { Cow::Borrowed(text) }
}

/// The text without a line that is a command to GitHub's runner.
fn without_commands(text: &str) -> String {
    text.split_inclusive(['\n', '\r']).map(line).collect()
}

fn line(line: &str) -> Cow<'_, str> {
    // Colours may be taken out later, and what is left is what the runner reads.
    let bare = strip_str(line).to_string();
    let begins = bare.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    let is_command = begins.starts_with("::");
    if !is_command && !bare.contains("##[") {
        return Cow::Borrowed(line);
    }
    let bare = bare.replace("##[", "# #[");
    Cow::Owned(if is_command { bare.replacen("::", ": :", 1) } else { bare })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a::b and c ::error::x\n", "a::b and c ::error::x\n")]
    #[case("a\n  ::error file=x::pwn\nb", "a\n  : :error file=x::pwn\nb")]
    #[case("\u{a0}\t::warning::x", "\u{a0}\t: :warning::x")]
    #[case("a\r::error::x", "a\r: :error::x")]
    #[case("\u{1b}[2m::error::x\u{1b}[0m", ": :error::x")]
    #[case(":\u{1b}[0m:error::x", ": :error::x")]
    #[case("a ##[error]x ##\u{1b}[0m[group]", "a # #[error]x # #[group]")]
    fn no_line_is_a_command(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(without_commands(text), shown);
    }
}
