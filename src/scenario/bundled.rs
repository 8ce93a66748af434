//! The scenarios that are built into the program, for a directory that has none of its own.

use std::path::Path;

use include_dir::{Dir, include_dir};

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// Writes the bundled scenarios below an empty directory, where they are loaded like any other.
///
/// # Errors
/// The scenarios cannot be written to the directory.
pub fn unpack(directory: &Path) -> std::io::Result<()> {
    SCENARIOS.extract(directory)
}
