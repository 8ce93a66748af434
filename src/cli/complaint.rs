//! How an error and a text are printed.

use crate::report::plain;

use super::secrets::without_passwords;

/// One error, on standard error, in the form `failed to …`. What was typed may be in it, and that
/// may be a server's address.
pub(super) fn complain(error: &dyn std::fmt::Display) {
    let text = without_passwords(&format!("pgauntlet: failed to {error}"));
    anstream::eprintln!("{}", plain(&text));
}

/// A text on standard output, with the end of its line.
pub(super) fn show(text: &str) {
    anstream::println!("{}", plain(text));
}

/// A text on standard error, with the end of its line.
pub(super) fn remark(text: &str) {
    anstream::eprintln!("{}", plain(text));
}
