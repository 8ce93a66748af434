//! Which file needs which other: paths are followed through `pub use` to the file that declares.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{File, Named};

pub type Edges = BTreeMap<String, BTreeSet<String>>;

pub struct Crate<'a> {
    files: &'a [File],
    by_module: BTreeMap<Vec<String>, &'a File>,
}

/// Re-exports of re-exports; beyond that it is a circle.
const HOPS_MAX: usize = 8;

impl<'a> Crate<'a> {
    pub fn new(files: &'a [File]) -> Crate<'a> {
        let by_module = files.iter().map(|file| (file.module.clone(), file)).collect();
        Crate { files, by_module }
    }

    /// File to the files that it needs.
    pub fn edges(&self) -> Edges {
        let of = |file: &File| {
            let needed = file.named.iter().filter_map(|named| self.declared_in(file, named));
            needed.filter(|other| *other != file.path).collect()
        };
        self.files.iter().map(|file| (file.path.clone(), of(file))).collect()
    }

    /// Module to the modules that it names. Here, what a module hands on is its own.
    pub fn modules(&self) -> Edges {
        let mut edges = Edges::new();
        for file in self.files {
            let Some(from) = file.module.first() else { continue };
            let targets = edges.entry(from.clone()).or_default();
            for named in &file.named {
                if named.segments[0] == "crate" && named.segments.len() > 1 {
                    targets.insert(named.segments[1].clone());
                }
            }
            targets.remove(from);
        }
        edges
    }

    fn declared_in(&self, from: &File, named: &Named) -> Option<String> {
        match named.segments[0].as_str() {
            "crate" => self.resolve(&named.segments[1..], 0),
            // A path may begin with a module below the file's own.
            child => {
                let mut path = from.module.clone();
                path.push(child.to_owned());
                self.by_module.get(&path)?;
                path.extend(named.segments[1..].iter().cloned());
                self.resolve(&path, 0)
            }
        }
    }

    fn resolve(&self, path: &[String], hops: usize) -> Option<String> {
        let depth = (0..=path.len()).rev().find(|n| self.by_module.contains_key(&path[..*n]))?;
        let file = self.by_module[&path[..depth]];
        let Some(name) = path.get(depth) else { return Some(file.path.clone()) };
        if hops == HOPS_MAX || file.items.contains(name) {
            return Some(file.path.clone());
        }
        let rest = &path[depth + 1..];
        let onward = |base: &[String]| {
            let base = self.to_root(file, base)?;
            self.resolve(&[&base, rest].concat(), hops + 1)
        };
        if let Some(import) = file.imports.get(name) {
            return onward(import);
        }
        let globs = file.globs.iter().filter_map(|glob| self.to_root(file, glob));
        let mut found = globs.filter_map(|base| {
            let there = self.by_module.get(&base)?;
            there.items.contains(name).then(|| there.path.clone())
        });
        found.next().or_else(|| Some(file.path.clone()))
    }

    /// A path of our own crate without the leading `crate`, whether it was written from the root
    /// or from a module below the file's.
    fn to_root(&self, file: &File, path: &[String]) -> Option<Vec<String>> {
        if path[0] == "crate" {
            return Some(path[1..].to_vec());
        }
        let below: Vec<String> = file.module.iter().chain(path).cloned().collect();
        let child = &below[..=file.module.len()];
        self.by_module.contains_key(child).then_some(below)
    }
}

/// Files that need each other, directly or by others: each group of two or more.
pub fn cycles(edges: &Edges) -> Vec<Vec<String>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        edges.keys().map(|file| (file.as_str(), reachable(edges, file))).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for file in edges.keys().map(String::as_str) {
        if !reach[file].contains(file) || seen.contains(file) {
            continue;
        }
        let with = |other: &&str| reach.get(other).is_some_and(|back| back.contains(file));
        let group: Vec<&str> = reach[file].iter().copied().filter(with).collect();
        seen.extend(group.iter().copied());
        found.push(group.into_iter().map(str::to_owned).collect());
    }
    found
}

fn reachable<'a>(edges: &'a Edges, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = vec![from];
    while let Some(file) = open.pop() {
        for next in edges.get(file).into_iter().flatten() {
            if found.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    found
}
