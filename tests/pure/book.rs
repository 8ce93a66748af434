//! The documentation is a book: its table of contents names every chapter, links lead somewhere, in
//! the repository and in what mdbook makes of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ci_files::root;
use crate::schemas::{check, installed};

const SUMMARY: &str = "docs/SUMMARY.md";

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Without what is code: fenced blocks and what is between backticks.
fn prose(text: &str) -> String {
    let mut prose = String::new();
    for (index, outside) in text.split("\n```").enumerate() {
        if index % 2 == 0 {
            let words = outside.split('`').step_by(2);
            words.for_each(|words| prose.push_str(words));
        }
    }
    prose
}

/// Where the links of a file lead: a path, as it is written, and what is behind `#`.
fn links(text: &str) -> Vec<(String, Option<String>)> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let own = targets.filter(|target| !target.contains("://"));
    own.map(|target| match target.split_once('#') {
        Some((path, anchor)) => (path.to_owned(), Some(anchor.to_owned())),
        None => (target.to_owned(), None),
    })
    .collect()
}

/// The anchors that GitHub and mdbook give a file's headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>()
    };
    headings.map(anchor).collect()
}

/// The chapters, as paths in the repository.
fn chapters() -> Vec<PathBuf> {
    let docs = root().join("docs");
    let paths = links(&read(&root().join(SUMMARY))).into_iter();
    paths
        .map(|(path, _)| docs.join(&path).canonicalize().unwrap_or_else(|_| panic!("{path}")))
        .collect()
}

#[test]
fn every_page_of_the_documentation_is_a_chapter_once() {
    let chapters = chapters();
    let distinct: BTreeSet<&PathBuf> = chapters.iter().collect();
    assert_eq!(distinct.len(), chapters.len(), "a chapter is named twice");
    for entry in fs::read_dir(root().join("docs")).expect("docs/") {
        let path = entry.expect("an entry").path().canonicalize().expect("a path");
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        if is_page && !path.ends_with(SUMMARY) {
            assert!(distinct.contains(&path), "{SUMMARY} does not name {}", path.display());
        }
    }
}

#[test]
fn links_of_the_documentation_lead_somewhere() {
    let mut seen = 0;
    for chapter in chapters() {
        let text = read(&chapter);
        for (path, anchor) in links(&prose(&text)) {
            let beside = chapter.parent().expect("a directory");
            let target = if path.is_empty() { chapter.clone() } else { beside.join(&path) };
            let place = format!("{}: {path}", chapter.display());
            assert!(target.exists(), "{place} is not there");
            if let Some(anchor) = anchor {
                let known = anchors(&read(&target));
                assert!(known.contains(&anchor), "{place}#{anchor} is not there: {known:?}");
            }
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen} links");
}

#[test]
fn the_book_has_every_chapter_and_no_link_that_leads_nowhere() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = Command::new("env");
    let programs = installed("linters/bin/mdbook");
    let programs = programs.parent().expect("a directory").display();
    command.arg(format!("PATH={programs}:{}", std::env::var("PATH").expect("PATH")));
    command.arg(root().join("ci/book")).arg(directory.path());
    check(&mut command).unwrap();
    let repository = root().canonicalize().expect("a path");
    for chapter in chapters() {
        let relative = chapter.strip_prefix(&repository).expect("a path of the repository");
        let page = directory.path().join(relative).with_extension("html");
        let html = read(&page);
        for href in html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            if href.contains("://") || href.starts_with('#') {
                continue;
            }
            let (path, anchor) = href.split_once('#').unwrap_or((href, ""));
            let target = page.parent().expect("a directory").join(path);
            assert!(target.is_file(), "{}: {href} is not there", page.display());
            let id = format!("id=\"{anchor}\"");
            assert!(anchor.is_empty() || read(&target).contains(&id), "{}: {href}", page.display());
        }
    }
}
