//! What a change's own files accept: `-- pgauntlet: accept stall "why"` and
//! `-- migration-unsafe-ack: why`, in a comment of SQL, Python, Ruby, JavaScript or TypeScript.
//!
//! A comment that is meant to be one and is misspelt is an error, or it would be overlooked.

use std::ops::Range;
use std::path::Path;

use crate::pg::lex::{self, TokenKind};

use super::acceptance::Acceptance;
use super::expect::FindingKind;
use super::problem::{Problem, Source, known_names, nearest};

const OURS: &str = "pgauntlet";
const ACCEPT: &str = "accept";
const UNSAFE_ACK: &str = "migration-unsafe-ack";

/// What the file accepts, in its order. `is_one_of_several`: the change has other files, whose
/// findings are not meant.
///
/// # Errors
/// Every comment that is no acknowledgement and was to be one, with its line.
pub fn acknowledged(path: &Path, is_one_of_several: bool) -> Result<Vec<Acceptance>, Vec<Problem>> {
    let source = Source::open(path)
        .map_err(|why| vec![Problem::of_file(path, format!("cannot read it: {why}"))])?;
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for span in comments(&source) {
        match read(&source, span) {
            Ok(read) => found.extend(read),
            Err(problem) => problems.push(problem),
        }
    }
    let file = path.display().to_string();
    for acceptance in &mut found {
        acceptance.within = is_one_of_several.then(|| file.clone());
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// Each line of each comment, without what makes it one.
fn comments(source: &Source) -> Vec<Range<usize>> {
    let text = &source.text;
    let is_sql = source.path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("sql"));
    // What cannot be read as SQL is refused elsewhere.
    let tokens = if is_sql { lex::psql_tokens(text).ok() } else { None };
    let lines: Vec<Range<usize>> = match tokens {
        Some(tokens) => {
            let comments = tokens.iter().filter(|token| token.kind == TokenKind::Comment);
            comments.flat_map(|token| lines(text, token.start..token.end)).collect()
        }
        None => lines(text, 0..text.len()),
    };
    lines.into_iter().filter_map(|line| words_of(text, line, !is_sql)).collect()
}

/// The lines of a part of the text.
fn lines(text: &str, part: Range<usize>) -> Vec<Range<usize>> {
    let mut at = part.start;
    let line = |line: &str| {
        let start = at;
        at += line.len();
        start..at
    };
    text[part].split_inclusive('\n').map(line).collect()
}

/// What a line of a comment says. `in_code`: the line may hold code before its comment.
fn words_of(text: &str, line: Range<usize>, in_code: bool) -> Option<Range<usize>> {
    const LEADS: &[char] = &['-', '#', '/', '*', '"', '\'', '`'];
    const ENDS: &[&str] = &["*/", "\"\"\"", "'''"];
    let whole = &text[line.clone()];
    let is_lead = |c: char| c.is_whitespace() || LEADS.contains(&c);
    let lead = whole.len() - whole.trim_start_matches(is_lead).len();
    // Behind code: from the mark of the comment on.
    let names = [format!("{OURS}:"), format!("{UNSAFE_ACK}:")];
    let behind = ["--", "#", "//"].iter().filter_map(|mark| {
        let at = whole.find(mark)? + mark.len();
        let rest = whole[at..].trim_start();
        let begins = names.iter().any(|name| rest.starts_with(name.as_str()));
        begins.then(|| whole.len() - rest.len())
    });
    let begin = behind.max().filter(|_| in_code).unwrap_or(lead);
    let mut words = whole[begin..].trim_end();
    for end in ENDS {
        words = words.strip_suffix(end).unwrap_or(words).trim_end();
    }
    let start = line.start + begin;
    (!words.is_empty()).then(|| start..start + words.len())
}

/// The acknowledgement that a comment is; none: it is another comment.
fn read(source: &Source, span: Range<usize>) -> Result<Vec<Acceptance>, Problem> {
    let words = &source.text[span.clone()];
    let name_length = words.find(|c: char| c.is_whitespace() || c == ':').unwrap_or(words.len());
    let (name, rest) = words.split_at(name_length);
    let at = |message: String| source.problem(span.start..span.start + name_length, message);
    let colon = rest.trim_start().strip_prefix(':');
    let spelt = name.replace('_', "-").to_ascii_lowercase();
    match (name, colon) {
        (OURS, Some(rest)) => ours(source, span.end - rest.len()..span.end),
        (UNSAFE_ACK, Some(reason)) => {
            let reason = unquoted(reason.trim());
            let problem = at(format!("`{UNSAFE_ACK}` has no reason"));
            if reason.is_empty() {
                let remedy = format!("right would be {UNSAFE_ACK}: why the change may break rules");
                return Err(problem.remedy(remedy));
            }
            Ok(vec![acceptance(source, &span, None, reason)])
        }
        (UNSAFE_ACK, None) => {
            let remedy = format!("right would be {UNSAFE_ACK}: why the change may break rules");
            Err(at(format!("there is no colon behind `{UNSAFE_ACK}`")).remedy(remedy))
        }
        (OURS, None) if is_verb(rest) => {
            Err(at(format!("there is no colon behind `{OURS}`")).remedy(form()))
        }
        (_, colon) => {
            let is_meant = |meant: &str| nearest(&spelt, [meant]).is_some();
            match () {
                () if is_meant(UNSAFE_ACK) => Err(at(format!("`{name}` is misspelt"))
                    .remedy(format!("right would be {UNSAFE_ACK}: why"))),
                () if is_meant(OURS) && (is_verb(colon.unwrap_or(rest))) => {
                    Err(at(format!("`{name}` is misspelt")).remedy(form()))
                }
                () => Ok(Vec::new()),
            }
        }
    }
}

/// Whether the words begin as `accept stall` does.
fn is_verb(words: &str) -> bool {
    let first = words.split_whitespace().next().unwrap_or_default();
    first == ACCEPT || nearest(first, [ACCEPT]).is_some()
}

fn form() -> String {
    format!("right would be {OURS}: {ACCEPT} stall \"why it may happen\"")
}

/// What follows `pgauntlet:`.
fn ours(source: &Source, span: Range<usize>) -> Result<Vec<Acceptance>, Problem> {
    let words = &source.text[span.clone()];
    let offset = |part: &str| part.as_ptr() as usize - source.text.as_ptr() as usize;
    let place = |part: &str| offset(part)..offset(part) + part.len();
    let trimmed = words.trim_start();
    let verb = trimmed.split_whitespace().next().unwrap_or_default();
    if verb != ACCEPT {
        let message = match verb {
            "" => format!("`{OURS}:` says nothing"),
            verb => format!("`{verb}` is nothing that a change can say"),
        };
        return Err(source.problem(place(trimmed), message).remedy(form()));
    }
    let rest = trimmed[ACCEPT.len()..].trim_start();
    let (names, quoted) = rest.split_at(rest.find(['"', '\'']).unwrap_or(rest.len()));
    let mut kinds = Vec::new();
    for name in names.split(',').map(str::trim) {
        let word = name.split_whitespace().next().unwrap_or_default();
        if word != name && FindingKind::parse(word).is_some() {
            let message = format!("the reason for `{word}` is not in quotes");
            return Err(source.problem(place(name), message).remedy(form()));
        }
        kinds.push(kind(source, place(name), name)?);
    }
    let reason = unquoted(quoted.trim());
    let is_quoted = quoted.trim().len() >= reason.len() + 2;
    if reason.is_empty() || !is_quoted {
        let message = format!("`{}` is accepted without a reason", names.trim());
        let behind = source.problem(place(names.trim()), message);
        let remedy = format!("right would be {OURS}: {ACCEPT} {} \"why it may be\"", names.trim());
        return Err(behind.remedy(remedy));
    }
    Ok(kinds.into_iter().map(|kind| acceptance(source, &span, Some(kind), reason)).collect())
}

fn kind(source: &Source, place: Range<usize>, name: &str) -> Result<FindingKind, Problem> {
    let known = || FindingKind::ALL.iter().filter(|kind| kind.may_be_accepted());
    match FindingKind::parse(name) {
        Some(kind) if kind.may_be_accepted() => Ok(kind),
        Some(kind) => Err(not_acceptable(source, place, kind)),
        None if name.is_empty() => {
            let remedy = known_names(name, "kinds", known().map(|kind| kind.as_str()));
            Err(source.problem(place, "no finding is named").remedy(remedy))
        }
        None => {
            let remedy = known_names(name, "kinds", known().map(|kind| kind.as_str()));
            Err(source.problem(place, format!("unknown finding `{name}`")).remedy(remedy))
        }
    }
}

/// A finding that says that the evidence carries no answer.
pub(super) fn not_acceptable(source: &Source, place: Range<usize>, kind: FindingKind) -> Problem {
    let message = format!("`{kind}` cannot be accepted");
    let remedy = "it says that the evidence carries no answer, and what was not seen cannot be \
                  accepted; take this line away";
    source.problem(place, message).remedy(remedy)
}

/// Without the quotes around it.
fn unquoted(text: &str) -> &str {
    let inside = ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)));
    inside.unwrap_or(text).trim()
}

fn acceptance(
    source: &Source,
    span: &Range<usize>,
    kind: Option<FindingKind>,
    reason: &str,
) -> Acceptance {
    let (line, _) = lex::position(&source.text, span.start);
    Acceptance {
        kind,
        reason: reason.to_owned(),
        until: None,
        file: source.path.display().to_string(),
        line,
        within: None,
        in_change: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file of that name accepts, or what is wrong with it.
    fn of(name: &str, text: &str) -> String {
        let source = Source { path: name.into(), text: text.to_owned() };
        let said = |span| match read(&source, span) {
            Ok(found) => {
                let said = found.iter().map(|one| {
                    let kind = one.kind.map_or("everything", FindingKind::as_str);
                    format!("{}: {kind} because {}", one.place(), one.reason)
                });
                said.collect::<Vec<_>>()
            }
            Err(problem) => vec![problem.to_string()],
        };
        comments(&source).into_iter().flat_map(said).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn comments_of_each_language_accept() {
        let sql = "-- pgauntlet: accept stall, latency \"window on Sunday\"\nSELECT 1; -- \
                   migration-unsafe-ack: nobody works\n/* pgauntlet: accept rows-gone 'old' */\n\
                   SELECT '-- pgauntlet: accept deadlock \"text\"';";
        let python = "\"\"\"add a key\n\nmigration-unsafe-ack: the table is empty\n\"\"\"\n\
                      def upgrade():\n    # pgauntlet: accept stall \"window\"\n    \
                      op.execute('x')  # pgauntlet: accept latency \"window\"\n";
        let ruby = "class A < M\n  # pgauntlet: accept no-timeout \"proxy sets it\"\nend\n";
        let js = "// pgauntlet: accept stall \"a\"\n/**\n * migration-unsafe-ack: b\n */\n";
        let all = [("a.sql", sql), ("b.py", python), ("c.rb", ruby), ("d.ts", js)];
        let said: Vec<String> = all.iter().map(|(name, text)| of(name, text)).collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn what_is_no_acknowledgement_and_was_to_be_one_is_an_error() {
        let lines = [
            "pgauntlet: accept stal \"a\"",
            "pgauntlet: accept stall",
            "pgauntlet: accept stall \"\"",
            "pgauntlet: accept stall because",
            "pgauntlet: accept stall \"a",
            "pgauntlet: accept \"a\"",
            "pgauntlet: accept stall,, latency \"a\"",
            "pgauntlet: accpet stall \"a\"",
            "pgauntlet:",
            "pgauntlet accept stall \"a\"",
            "pgautnlet: accept stall \"a\"",
            "pgauntlet: accept samples-missing \"a\"",
            "pgauntlet: accept stall, measurement-failed \"a\"",
            "migration-unsafe-ack:",
            "migration-unsafe-ack: \"\"",
            "migration-unsafe-ack because",
            "migration_unsafe_ack: a",
            "migration-unsave-ack: a",
            "Migration-Unsafe-Ack: a",
        ];
        let said: Vec<String> = lines.map(|line| of("m.sql", &format!("-- {line}\n"))).into();
        // Kinds become more.
        insta::with_settings!({ filters => vec![("known kinds: stall, .*", "known kinds: …")] }, {
            insta::assert_snapshot!(said.join("\n"));
        });
    }

    #[test]
    fn other_comments_are_comments() {
        let text = "-- pgauntlet is run for this file\n-- see pgauntlet: docs\n-- accept it\n\
                    -- migrate:up\n-- unsafe: yes\n-- migration 3\n";
        assert_eq!(of("m.sql", text), "");
        assert_eq!(of("m.py", "x = 'pgauntlet'\n# pgauntlet runs this\n"), "");
    }
}
