//! Where the migration tools are that `ci/setup` installs; `PGAUNTLET_TOOLS` says it.

use std::path::PathBuf;

pub fn tools() -> PathBuf {
    let place = std::env::var_os("PGAUNTLET_TOOLS").map(PathBuf::from);
    let place = place.unwrap_or_else(|| PathBuf::from("/var/lib/pgauntlet-ci/tools"));
    assert!(
        place.join("python/bin/alembic").exists(),
        "no migration tools in {}: run ci/setup, or set PGAUNTLET_TOOLS",
        place.display()
    );
    place
}

/// A PATH with every tool on it.
pub fn path() -> String {
    let tools = tools();
    let directories = ["python/bin", "cargo/bin", "dbmate/bin", "node/node_modules/.bin"];
    let mut all: Vec<String> =
        directories.iter().map(|d| tools.join(d).display().to_string()).collect();
    all.push(std::env::var("PATH").expect("a PATH"));
    all.join(":")
}
