//! The examples of the format: the blocks of scenarios/README.md, and loading what they make.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use pgauntlet::scenario::{self, Scenario};
use tempfile::TempDir;

pub const README: &str = include_str!("../../scenarios/README.md");

/// Texts by file name.
pub type Files = BTreeMap<String, String>;

/// A fenced block of the README: language, file name (empty for a fragment), text.
pub struct Block {
    pub language: String,
    pub file: String,
    pub text: String,
}

pub fn blocks() -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open = false;
    for line in README.lines() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(info) => {
                let (language, file) = info.split_once(' ').unwrap_or((info, ""));
                let (language, file) = (language.to_owned(), file.to_owned());
                found.push(Block { language, file, text: String::new() });
                open = true;
            }
            None if open => {
                let block = found.last_mut().expect("an open block");
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    found
}

/// The README's whole scenario.
pub fn example() -> Files {
    let named = blocks().into_iter().filter(|block| !block.file.is_empty());
    named.map(|block| (block.file, block.text)).collect()
}

/// Its sections that stand alone.
pub fn fragments() -> Vec<Block> {
    let is_fragment = |block: &Block| block.language == "toml" && block.file.is_empty();
    blocks().into_iter().filter(is_fragment).collect()
}

struct Written {
    _root: TempDir,
    dir: PathBuf,
}

/// Writes files into a directory that is named as a scenario should be, beside a shared one.
fn write(files: &Files) -> Written {
    let root = tempfile::tempdir().expect("a temporary directory");
    let dir = root.path().join("orders-by-customer");
    fs::create_dir(&dir).expect("a directory");
    fs::create_dir(root.path().join("_alembic")).expect("a directory");
    for (name, text) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    Written { _root: root, dir }
}

/// The scenario of these files, or what is wrong with it as it is shown.
pub fn load(files: &Files) -> Result<Scenario, String> {
    let written = write(files);
    let shown = |text: String| text.replace(&format!("{}/", written.dir.display()), "");
    let loaded = scenario::load(&written.dir).map(|checked| checked.value);
    loaded.map_err(|problems| shown(scenario::render(&problems)))
}

/// What is remarked on the scenario of these files, as it is shown.
pub fn notices(files: &Files) -> String {
    let written = write(files);
    let checked = scenario::load(&written.dir);
    let checked = checked.unwrap_or_else(|problems| panic!("{}", scenario::render(&problems)));
    scenario::render(&checked.notices).replace(&format!("{}/", written.dir.display()), "")
}
