//! How an error and a text are printed, and how wide.

use std::io::{IsTerminal, stdout};

use crate::report::{Width, plain};
use crate::run::ExitStatus;

use super::secrets::without_passwords;

/// One error, on standard error, in the form `failed to …`. What was typed may be in it, and that
/// may be a server's address.
pub(super) fn complain(error: &dyn std::fmt::Display) {
    let text = without_passwords(&format!("pgauntlet: failed to {error}"));
    anstream::eprintln!("{}", plain(&text));
}

/// What was typed cannot be carried out.
pub(super) fn bad_input(error: impl std::fmt::Display) -> ExitStatus {
    complain(&error);
    ExitStatus::BadInput
}

/// A text on standard output, with the end of its line.
pub(super) fn show(text: &str) {
    anstream::println!("{}", plain(text));
}

/// A text on standard error, with the end of its line.
pub(super) fn remark(text: &str) {
    anstream::eprintln!("{}", plain(text));
}

/// The width of what is printed on standard output: a terminal's own, else that of files and logs.
pub(super) fn width() -> Width {
    terminal_width().unwrap_or_default()
}

/// None: standard output is no terminal.
pub(super) fn terminal_width() -> Option<Width> {
    if !stdout().is_terminal() {
        return None;
    }
    let size = terminal_size::terminal_size_of(stdout()).map(|(columns, _)| columns.0);
    // A terminal that does not know its size says that it has no columns.
    let named = || std::env::var("COLUMNS").ok()?.trim().parse::<u16>().ok();
    let columns = size.filter(|columns| *columns > 0).or_else(named);
    Some(columns.map_or(Width::default(), |columns| Width::of_terminal(columns.into())))
}
