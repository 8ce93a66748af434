//! Checks a change by command: what is run, where, and with which environment.
//!
//! Whether the program exists is not asked: the command may install it first, and `sh` says it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::Spanned;

use super::super::problem::{Source, beside};
use super::super::{Command, wire};
use super::Checker;

/// libpq reads these before, or instead of, the address that the command is given.
const PAST_US: &[&str] = &["PGHOSTADDR", "PGPASSFILE", "PGSERVICE"];

impl Checker<'_> {
    pub(super) fn command(&mut self, source: &Source, change: &wire::Change) -> Option<Command> {
        let directory = change.directory.as_ref();
        let environment = change.environment.as_ref();
        let Some(line) = &change.command else {
            let keys = [
                ("directory", directory.map(Spanned::span)),
                ("environment", environment.map(Spanned::span)),
                ("requires", change.requires.as_ref().map(Spanned::span)),
            ];
            for (key, span) in keys {
                let Some(span) = span else { continue };
                let problem = source.problem(span, format!("`{key}` is for a `command`"));
                self.problems.push(problem.remedy("there is none here"));
            }
            return None;
        };
        if line.get_ref().trim().is_empty() {
            self.push_with(source, line, "the command is empty", "right would be a line for sh");
        }
        self.no_zero(source, "command", line);
        self.only_runners_keys(source, change);
        Some(Command {
            line: line.get_ref().clone(),
            requires: self.requires(source, change),
            directory: self.directory(source, directory),
            environment: environment
                .map(|given| self.environment(source, given.get_ref()))
                .unwrap_or_default(),
        })
    }

    /// What the built-in runner is asked to do, a command does as it is written.
    fn only_runners_keys(&mut self, source: &Source, change: &wire::Change) {
        let keys = [
            ("transaction", change.transaction.as_ref().map(Spanned::span)),
            ("retries", change.retries.as_ref().map(Spanned::span)),
            ("stop", change.stop.as_ref().map(Spanned::span)),
            ("advisory_lock", change.advisory_lock.as_ref().map(Spanned::span)),
        ];
        for (key, span) in keys {
            let Some(span) = span else { continue };
            let problem = source.problem(span, format!("`{key}` has no place beside `command`"));
            let remedy = "it tells the built-in runner what to do; a command decides for itself";
            self.problems.push(problem.remedy(remedy));
        }
    }

    fn requires(&mut self, source: &Source, change: &wire::Change) -> Vec<String> {
        let given = change.requires.as_ref().map(|list| list.get_ref().as_slice());
        for name in given.unwrap_or_default() {
            if name.get_ref().is_empty() || name.get_ref().contains(['/', ' ']) {
                let message = format!("`{}` is no name of a program", name.get_ref());
                self.push_with(source, name, message, "right would be a name as in `alembic`");
            }
        }
        given.unwrap_or_default().iter().map(|name| name.get_ref().clone()).collect()
    }

    fn directory(&mut self, source: &Source, given: Option<&Spanned<String>>) -> PathBuf {
        let Some(given) = given else { return beside(&source.path, ".") };
        let directory = beside(&source.path, given.get_ref());
        if !directory.is_dir() {
            let why = if directory.exists() { "not a directory" } else { "not there" };
            let message = format!("the command cannot run in {}: it is {why}", directory.display());
            let remedy = "paths are relative to the file that names them";
            self.push_with(source, given, message, remedy);
        }
        directory
    }

    fn environment(
        &mut self,
        source: &Source,
        given: &wire::Named<String>,
    ) -> BTreeMap<String, String> {
        let mut checked = BTreeMap::new();
        for (name, value) in given {
            let text = name.get_ref().as_str();
            if !is_variable(text) {
                let message = format!("`{text}` is no name of an environment variable");
                let remedy = "letters, digits and underscores, no digit first";
                self.push_with(source, name, message, remedy);
            } else if Command::reserves(text) {
                let message = format!("`{text}` is set by pgauntlet");
                let remedy = match text.starts_with("PGAUNTLET_") {
                    true => "leave it out: names that begin so are its own",
                    false => "leave it out: it says where the trial's database is",
                };
                self.push_with(source, name, message, remedy);
            } else if PAST_US.contains(&text) {
                let message = format!("`{text}` would lead the command past pgauntlet");
                let remedy = "leave it out: pgauntlet sets the address for the command";
                self.push_with(source, name, message, remedy);
            }
            self.no_zero(source, text, value);
            checked.insert(text.to_owned(), value.get_ref().clone());
        }
        checked
    }

    /// A process is given texts that end with a zero.
    fn no_zero(&mut self, source: &Source, what: &str, text: &Spanned<String>) {
        if text.get_ref().contains('\0') {
            let message = format!("`{what}` holds a character of code 0");
            self.push_with(source, text, message, "no process can be given one");
        }
    }
}

fn is_variable(name: &str) -> bool {
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(valid) && !name.starts_with(|c: char| c.is_ascii_digit())
}
