//! `init`: a pgauntlet.toml whose keys are comments, with what was found in the project.

use std::path::Path;

use crate::run::ExitStatus;
use crate::scenario::{self, PROJECT_FILE};

use super::super::args::InitArguments;
use super::super::{bad_input, complain, show};
use super::project::{self, Found};

/// The file, which is the documentation of its keys and of their defaults.
const DEFAULTS: &str = include_str!("pgauntlet.toml");
/// Its line in place of which the project is described.
const FOUND_MARK: &str = "# found\n";

/// Writes it in the current directory.
pub fn init(arguments: &InitArguments) -> ExitStatus {
    let path = Path::new(PROJECT_FILE);
    if path.exists() && !arguments.force {
        return bad_input(format!("write {PROJECT_FILE}: it is there; --force writes over it"));
    }
    let found = described(project::find(Path::new(".")));
    let lines: String = found.iter().map(|line| format!("# {line}\n")).collect();
    if let Err(error) = std::fs::write(path, DEFAULTS.replace(FOUND_MARK, &lines)) {
        complain(&format!("write {PROJECT_FILE}: {error}"));
        return ExitStatus::Failed;
    }
    show(&format!("wrote {PROJECT_FILE}: every key is a comment, with its default"));
    found.iter().for_each(|line| show(&format!("  {line}")));
    ExitStatus::AsExpected
}

/// What there is to try, in a few lines.
fn described(found: Result<Found, String>) -> Vec<String> {
    let text = match found {
        Ok(Found::Directory(path)) => {
            let path = path.display();
            let read = scenario::read_migrations(Path::new(&path.to_string()), None);
            let tool = read.map(|read| format!("{}'s", read.recognised.tool));
            let whose = tool.unwrap_or_else(|_| "a tool's".to_owned());
            format!("Found here: {whose} migrations in {path}, of which the newest is tried.")
        }
        Ok(Found::Commands(commands)) => {
            let base = match &commands.before {
                Some(before) => format!("on what this makes: {before}"),
                None => "on an empty database".to_owned(),
            };
            let (tool, change) = (&commands.tool, &commands.change);
            format!("Found here: {tool}, tried by this command: {change}\n{base}")
        }
        Err(why) => {
            format!("Say here what is tried: {}", why.trim_start_matches("find the change: "))
        }
    };
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use crate::scenario::{
        Budget, ConditionKind, Demands, FailsOn, ProjectDefaults, TrafficKind, Trying,
        project_defaults,
    };

    use super::super::CONCERNED_ROWS;
    use super::super::defaults::Project;
    use super::*;
    use crate::cli::args::{Arguments, Command};
    use crate::run::QUICK_ROWS;
    use crate::stats::grouped;
    use clap::Parser;

    /// Reads a text as pgauntlet.toml.
    fn read(text: &str) -> ProjectDefaults {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(PROJECT_FILE);
        std::fs::write(&path, text).expect("a file");
        project_defaults(&path).unwrap_or_else(|problems| panic!("{text}\n{problems:?}"))
    }

    fn is_key(line: &str) -> bool {
        line.starts_with('#') && !line.starts_with("# ") && line != "#"
    }

    /// Each key alone, below the head that it belongs to; what belongs to one `[[accept]]` is one.
    fn keys_alone() -> Vec<String> {
        let (mut head, mut alone) = (String::new(), Vec::<String>::new());
        for line in DEFAULTS.lines() {
            let key = line.trim_start_matches('#');
            match (is_key(line), line.starts_with('[')) {
                (false, true) => head = format!("{line}\n"),
                (true, _) if key.starts_with("[[") => {
                    head.clear();
                    alone.push(key.to_owned());
                }
                (true, _) if alone.last().is_some_and(|last| last.starts_with("[[")) => {
                    alone.last_mut().expect("one").push_str(&format!("\n{key}"));
                }
                (true, _) => alone.push(format!("{head}{key}")),
                (false, false) => {}
            }
        }
        alone
    }

    #[test]
    fn each_key_of_the_file_is_accepted() {
        let alone = keys_alone();
        assert!(alone.len() > 20, "{alone:?}");
        for text in alone {
            assert_ne!(text.matches('=').count(), 0, "{text}");
            read(&text);
        }
        assert_eq!(read(DEFAULTS), ProjectDefaults::default());
    }

    /// Those of [pool], [limits] and [try] that have one.
    #[test]
    fn the_file_states_the_real_defaults() {
        const EXAMPLES: &[&str] = &["#settings =", "#role =", "#rate ="];
        let begin = DEFAULTS.find("[pool]").expect("[pool]");
        let end = DEFAULTS.find("# Findings that").expect("[[accept]]");
        let lines = DEFAULTS[begin..end]
            .lines()
            .filter(|line| !EXAMPLES.iter().any(|example| line.starts_with(example)));
        let lines = lines.map(|line| if is_key(line) { &line[1..] } else { line });
        let read = read(&lines.collect::<Vec<_>>().join("\n"));
        assert_eq!(read.demands, Demands::default());
        let trying = Trying {
            budget: Some(Budget::Normal),
            conditions: Some(vec![ConditionKind::Calm, ConditionKind::Backup]),
            fail_on: Some(FailsOn::Unproven),
            traffic: Some(TrafficKind::Auto),
            rate: None,
        };
        assert_eq!(read.trying, trying);
        // What is tried is the same as without a file.
        let arguments = Arguments::try_parse_from(["pgauntlet", "try"]).expect("arguments");
        let Command::Try(arguments) = arguments.command else { unreachable!() };
        let tried = |defaults| {
            let project = Project { root: ".".into(), file: None, defaults };
            let complete = project.complete(&arguments);
            format!("{complete:?} {:?}", project.conditions(&complete))
        };
        assert_eq!(tried(read), tried(ProjectDefaults::default()));
        for rows in [CONCERNED_ROWS, QUICK_ROWS] {
            assert!(DEFAULTS.contains(&grouped(rows)), "{rows}");
        }
    }

    #[test]
    fn the_documented_excerpt_is_of_the_file() {
        let chapter = include_str!("../../../docs/try.md");
        let mut blocks =
            chapter.split("```toml\n").skip(1).filter_map(|block| block.split("```").next());
        let excerpt = blocks.find(|block| block.contains("[[accept]]") && block.contains("[try]"));
        let excerpt = excerpt.expect("an excerpt of pgauntlet.toml in docs/try.md");
        let uncommented: Vec<&str> =
            DEFAULTS.lines().map(|line| line.trim_start_matches('#')).collect();
        for line in excerpt.lines().filter(|line| !line.is_empty()) {
            assert!(uncommented.contains(&line), "{line:?} is not in the file");
        }
        read(excerpt);
    }

    #[test]
    fn every_word_of_the_file_has_its_line() {
        assert_eq!(DEFAULTS.matches(FOUND_MARK).count(), 1);
        assert!(DEFAULTS.lines().all(|line| line.chars().count() <= 100));
    }
}
