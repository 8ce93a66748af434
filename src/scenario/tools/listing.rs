//! What is in a directory of migrations, before any tool's rules.

use std::fs::DirEntry;
use std::path::{Path, PathBuf};

use super::super::problem::Problem;

/// A directory with more is no directory of migrations.
const ENTRIES_MAX: usize = 20_000;
/// How deep the directory's own directories are looked into.
const DEPTH_MAX: usize = 8;

pub(super) struct Listing {
    pub dir: PathBuf,
    entries: Vec<Entry>,
}

pub(super) struct Entry {
    pub path: PathBuf,
    /// The last part of the path.
    pub name: String,
    pub is_dir: bool,
    /// Directories between this one and the listed one.
    depth: usize,
    /// It is in a hidden directory.
    below_hidden: bool,
}

impl Entry {
    fn is_hidden(&self) -> bool {
        self.name.starts_with('.')
    }
}

/// The files of a directory, sorted, without those below it; none, where it cannot be read.
pub(super) fn files_of(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    paths
}

impl Listing {
    pub fn of(dir: &Path) -> Result<Listing, Problem> {
        let mut listing = Listing { dir: dir.to_owned(), entries: Vec::new() };
        listing.add(dir, 0, false)?;
        Ok(listing)
    }

    fn add(&mut self, below: &Path, depth: usize, below_hidden: bool) -> Result<(), Problem> {
        let unreadable = |error: std::io::Error| {
            let what = if depth == 0 { "it".to_owned() } else { below.display().to_string() };
            Problem::of_file(&self.dir, format!("cannot list {what}: {error}"))
                .remedy("name a directory of migrations")
        };
        let found: std::io::Result<Vec<DirEntry>> =
            std::fs::read_dir(below).map_err(&unreadable)?.collect();
        let mut paths: Vec<PathBuf> =
            found.map_err(&unreadable)?.iter().map(DirEntry::path).collect();
        paths.sort();
        for path in paths {
            if self.entries.len() == ENTRIES_MAX {
                let message = format!("it has more than {ENTRIES_MAX} entries");
                let remedy = "name the directory that holds the migrations";
                return Err(Problem::of_file(&self.dir, message).remedy(remedy));
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_dir = path.is_dir();
            let entry = Entry { path: path.clone(), name, is_dir, depth, below_hidden };
            let hidden = below_hidden || entry.is_hidden();
            self.entries.push(entry);
            if is_dir && depth < DEPTH_MAX {
                self.add(&path, depth + 1, hidden)?;
            }
        }
        Ok(())
    }

    /// Files of the directory itself, sorted by name.
    pub fn files(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.is_dir && entry.depth == 0)
    }

    /// Files of the directory and of those below it.
    pub fn files_below(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.is_dir)
    }

    /// Files of the directory and of those below it that are not hidden.
    pub fn files_below_visible(&self) -> impl Iterator<Item = &Entry> {
        self.files_below().filter(|entry| !entry.below_hidden)
    }

    /// The directory's own directories that are not hidden.
    pub fn directories(&self) -> impl Iterator<Item = &Entry> {
        let own = |entry: &&Entry| entry.is_dir && entry.depth == 0 && !entry.is_hidden();
        self.entries.iter().filter(own)
    }
}
