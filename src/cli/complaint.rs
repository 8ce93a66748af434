//! How an error is printed.

/// One error, on standard error, in the form `failed to …`.
pub(super) fn complain(error: &dyn std::fmt::Display) {
    anstream::eprintln!("pgauntlet: failed to {error}");
}
