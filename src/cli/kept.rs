//! Results of `try` that are kept without being asked for, so that more of one can be shown
//! afterwards: the last few, in the cache directory.

use std::fs;
use std::path::{Path, PathBuf};

/// Of older ones nothing is left.
const KEPT_MAX: usize = 10;
/// Below the cache directory.
const DIRECTORY: &str = "tried";

/// A new directory for a result. None: nothing is kept, because there is no cache directory or
/// nothing can be written there.
pub fn directory(cache: Option<&Path>) -> Option<PathBuf> {
    let all = cache?.join(DIRECTORY);
    fs::create_dir_all(&all).ok()?;
    let last = numbered(&all).last().map_or(0, |(number, _)| *number);
    // Another process may have taken the next one.
    let mut numbers = last + 1..=last + KEPT_MAX as u64;
    let made = numbers.find_map(|number| {
        let path = all.join(number.to_string());
        fs::create_dir(&path).is_ok().then_some(path)
    })?;
    let mut kept = numbered(&all);
    kept.truncate(kept.len().saturating_sub(KEPT_MAX));
    for (_, path) in kept {
        // One that cannot be removed is in nobody's way.
        let _ = fs::remove_dir_all(path);
    }
    Some(made)
}

/// Removes all of them.
///
/// # Errors
/// One of them cannot be removed.
pub fn clear(cache: &Path) -> std::io::Result<()> {
    let all = cache.join(DIRECTORY);
    match fs::remove_dir_all(&all) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// How many are kept.
pub fn count(cache: &Path) -> usize {
    numbered(&cache.join(DIRECTORY)).len()
}

/// The oldest first.
fn numbered(all: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(all).into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse().ok();
    let mut found: Vec<(u64, PathBuf)> =
        entries.filter_map(|entry| Some((number(&entry.path())?, entry.path()))).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept() {
        let cache = tempfile::tempdir().expect("a directory");
        let made: Vec<PathBuf> =
            (0..KEPT_MAX + 2).filter_map(|_| directory(Some(cache.path()))).collect();
        let left: Vec<PathBuf> =
            numbered(&cache.path().join(DIRECTORY)).into_iter().map(|(_, path)| path).collect();
        assert_eq!(left, made[2..]);
        assert_eq!(count(cache.path()), KEPT_MAX);
        clear(cache.path()).expect("they are removed");
        assert_eq!(count(cache.path()), 0);
        clear(cache.path()).expect("there is nothing to remove");
    }

    #[test]
    fn nothing_is_kept_without_a_cache() {
        assert_eq!(directory(None), None);
    }
}
