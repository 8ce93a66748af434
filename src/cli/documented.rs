//! Every command that the documentation shows is one that can be typed: each `pgauntlet …` of a
//! block, and between backticks, is parsed as the command line is, and not run.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::args::Arguments;

/// Names that a server sees, which are no commands.
const NAMES: [&str; 3] =
    ["pgauntlet app 7", "pgauntlet statistics", "pgauntlet may work on this server"];

/// A command as it is written, and whether it is a whole one: in a sentence, what is required may
/// be left out.
struct Shown {
    text: String,
    is_whole: bool,
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = ["README.md", "scenarios/README.md", "benches/README.md"]
        .map(|name| root.join(name))
        .into();
    let docs = fs::read_dir(root.join("docs")).expect("docs/");
    let docs = docs.map(|entry| entry.expect("an entry").path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    pages
}

fn shown(page: &str) -> Vec<Shown> {
    let mut shown = Vec::new();
    for (index, part) in page.split("\n```").enumerate() {
        if index % 2 == 1 {
            let block = part.replace("\\\n", " ");
            let lines = block.lines().filter(|line| line.starts_with("pgauntlet "));
            shown.extend(lines.map(|line| Shown { text: line.to_owned(), is_whole: true }));
        } else {
            let code = part.split('`').skip(1).step_by(2).map(|code| code.replace('\n', " "));
            let commands = code
                .filter(|code| code.starts_with("pgauntlet ") && !NAMES.contains(&code.as_str()));
            shown.extend(commands.map(|text| Shown { text, is_whole: false }));
        }
    }
    shown
}

/// The words that a shell makes of a line, up to its comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ' ') => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(c),
        }
    }
    assert!(quote.is_none(), "a quote that never ends: {line}");
    words.extend(word);
    words
}

/// With values in place of the words that stand for some, and of what the environment says.
fn filled(mut words: Vec<String>) -> Vec<String> {
    for word in &mut words {
        let stands_for_one = word.chars().all(|c| c.is_ascii_uppercase());
        match word.as_str() {
            "URL" => *word = "postgres://user@host:5432/database".to_owned(),
            "auto" => *word = "1/2".to_owned(),
            _ if stands_for_one => *word = "1".to_owned(),
            _ => {}
        }
    }
    words
}

fn wrong(command: &Shown) -> Option<String> {
    let parsed = Arguments::command().try_get_matches_from(filled(words(&command.text)));
    let error = parsed.err()?;
    let may_be_short =
        [ErrorKind::MissingRequiredArgument, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand];
    let is_short = !command.is_whole && may_be_short.contains(&error.kind());
    (!is_short).then(|| format!("{}\n{error}", command.text))
}

#[test]
fn every_command_of_the_documentation_can_be_typed() {
    let mut seen = 0;
    let mut complaints = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for command in shown(&text) {
            seen += 1;
            complaints.extend(wrong(&command).map(|why| format!("{}: {why}", page.display())));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(seen > 70, "{seen} commands");
}

#[test]
fn every_example_of_the_help_can_be_typed() {
    let arguments = Arguments::command();
    let mut seen = 0;
    for command in arguments.get_subcommands() {
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = examples.lines().filter_map(|line| line.strip_prefix("  pgauntlet "));
        for line in lines {
            let shown = Shown { text: format!("pgauntlet {line}"), is_whole: true };
            assert_eq!(wrong(&shown), None);
            seen += 1;
        }
    }
    assert!(seen >= 18, "{seen} examples");
}

#[test]
fn a_command_that_cannot_be_typed_is_found() {
    let page = "\n```\npgauntlet try --rowz 5\n```\n`pgauntlet cashe`, `pgauntlet merge`\n\
                ```sh\npgauntlet merge a \\\n  b   # no directory\n```\n";
    let found: Vec<Option<String>> = shown(page).iter().map(wrong).collect();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, true]);
}

#[test]
fn words_are_as_a_shell_makes_them() {
    let line = "pgauntlet try --retry '3s x5' -- echo \"a b\" ''  # not this";
    let known = ["pgauntlet", "try", "--retry", "3s x5", "--", "echo", "a b", ""];
    assert_eq!(words(line), known);
}
