//! A file of formatted SQL: its changesets, and the lines of them that are Liquibase's own.
//!
//! What is read of a line is what Liquibase's patterns match: an attribute is `name:value` anywhere
//! behind `--changeset author:id`, the last of a name counts, and names ignore case. Liquibase
//! passes over an attribute that it does not know; here it is a problem.

use std::ops::Range;

use super::super::super::change::{Check, Precondition, Unmet};
use super::super::super::problem::{Problem, Source};
use super::super::text::lines;
use super::changelog::COMMAND;
use super::split::Delimiter;

/// One changeset.
pub(super) struct Changeset {
    pub author: String,
    pub id: String,
    /// `logicalFilePath`, its own or the file's.
    pub path: Option<String>,
    /// Its line.
    pub line: Range<usize>,
    /// What follows it.
    pub body: Range<usize>,
    pub in_transaction: bool,
    /// None: the body is one message.
    pub delimiter: Option<Delimiter>,
    pub always: bool,
    /// It is for this kind of server, and not to be ignored.
    pub counts: bool,
    /// `context` or `labels`, as they are written.
    pub only: Option<String>,
    pub precondition: Option<Precondition>,
}

/// A file of formatted SQL.
pub(super) struct Formatted {
    /// With blanks instead of Liquibase's own lines, which are comments to the server.
    pub source: Source,
    pub changesets: Vec<Changeset>,
}

/// Attributes of a changeset that decide nothing here.
const IDLE: &[&str] = &[
    "stripComments",
    "rollbackEndDelimiter",
    "rollbackSplitStatements",
    "runOnChange",
    "runWithSpoolFile",
    "created",
];
const KNOWN: &[&str] = &[
    "splitStatements",
    "endDelimiter",
    "runAlways",
    "runInTransaction",
    "failOnError",
    "context",
    "contextFilter",
    "labels",
    "logicalFilePath",
    "dbms",
    "ignore",
    "runWith",
];

/// Whether a file says that it is formatted: by its first line that is not blank.
pub(super) fn is_formatted(text: &str) -> bool {
    let first = text.trim_start_matches('\u{feff}').lines().find(|line| !line.trim().is_empty());
    first.is_some_and(is_header)
}

fn is_header(line: &str) -> bool {
    let rest = own(line).and_then(|rest| after_word(rest, "liquibase"));
    rest.is_some_and(|rest| after_word(rest.trim_start(), "formatted").is_some())
}

/// What follows `--` and blanks.
fn own(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("--").map(str::trim_start)
}

/// What follows a word, whatever its case.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = text.split_at_checked(word.len())?;
    first.eq_ignore_ascii_case(word).then_some(rest)
}

/// The changesets of a file.
pub(super) fn parse(source: &Source) -> Result<Formatted, Vec<Problem>> {
    let mut parser = Parser {
        source,
        text: source.text.clone().into_bytes(),
        changesets: Vec::new(),
        path: None,
        ignored: Ignored::None,
        problems: Vec::new(),
    };
    for (offset, line) in lines(&source.text) {
        if let Err(problem) = parser.line(offset..offset + line.len(), line) {
            parser.problems.push(problem);
        }
    }
    let Parser { text, mut changesets, problems, .. } = parser;
    let ends: Vec<usize> = changesets.iter().skip(1).map(|next| next.line.start).collect();
    for (changeset, end) in changesets.iter_mut().zip(ends.into_iter().chain([source.text.len()])) {
        changeset.body = changeset.line.end..end;
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let text = String::from_utf8(text).unwrap_or_default();
    Ok(Formatted { source: Source { path: source.path.clone(), text }, changesets })
}

/// `--ignoreLines`
enum Ignored {
    None,
    Lines(u64),
    ToEnd,
}

struct Parser<'a> {
    source: &'a Source,
    text: Vec<u8>,
    changesets: Vec<Changeset>,
    path: Option<String>,
    ignored: Ignored,
    problems: Vec<Problem>,
}

impl Parser<'_> {
    fn wrong(&self, span: Range<usize>, message: impl Into<String>, remedy: &str) -> Problem {
        self.source.problem(span, message).remedy(remedy)
    }

    fn blank(&mut self, span: Range<usize>) {
        if let Some(bytes) = self.text.get_mut(span) {
            bytes.fill(b' ');
        }
    }

    fn line(&mut self, span: Range<usize>, line: &str) -> Result<(), Problem> {
        let comment = own(line);
        let ignores = comment.and_then(|rest| after_word(rest, "ignoreLines:")).map(str::trim);
        match (&mut self.ignored, ignores) {
            (Ignored::ToEnd, Some("end")) => self.ignored = Ignored::None,
            (Ignored::ToEnd, _) => {}
            (Ignored::Lines(left), _) => {
                *left -= 1;
                if *left == 0 {
                    self.ignored = Ignored::None;
                }
            }
            (Ignored::None, Some("start")) => self.ignored = Ignored::ToEnd,
            (Ignored::None, Some(count)) => {
                let remedy = "it is start, end or a number of lines";
                let Ok(count) = count.parse() else {
                    return Err(self.wrong(span, "Liquibase refuses this ignoreLines", remedy));
                };
                self.ignored = if count > 0 { Ignored::Lines(count) } else { Ignored::None };
            }
            (Ignored::None, None) => return self.counted(span, line, comment),
        }
        self.blank(span);
        Ok(())
    }

    /// A line that is not ignored.
    fn counted(
        &mut self,
        span: Range<usize>,
        line: &str,
        comment: Option<&str>,
    ) -> Result<(), Problem> {
        if is_header(line) {
            self.path = last_value(line, "logicalFilePath").map(|path| unquoted(path).to_owned());
            self.blank(span);
            return Ok(());
        }
        let Some(comment) = comment else { return self.statement(span, line) };
        if let Some(rest) = after_word(comment, "changeset") {
            let changeset = self.changeset(span.clone(), rest)?;
            self.changesets.push(changeset);
        } else if let Some(rest) = after_word(comment, "preconditions") {
            self.preconditions(span.clone(), rest)?;
        } else if let Some(rest) = after_word(comment, "precondition-") {
            self.precondition(span.clone(), rest)?;
        } else if !["rollback", "comment", "validCheckSum", "property"]
            .iter()
            .any(|word| after_word(comment, word).is_some())
        {
            return Ok(());
        }
        self.blank(span);
        Ok(())
    }

    /// A line of SQL; one that is meant for Liquibase and has one dash is refused by it.
    fn statement(&self, span: Range<usize>, line: &str) -> Result<(), Problem> {
        let words = ["changeset", "rollback", "precondition", "property", "comment", "ignoreLines"];
        let dashed = line.trim_start().strip_prefix('-').map(str::trim_start);
        if dashed.is_some_and(|rest| words.iter().any(|word| after_word(rest, word).is_some())) {
            let remedy = "its own lines begin with two dashes";
            return Err(self.wrong(span, "Liquibase refuses this line", remedy));
        }
        Ok(())
    }

    fn changeset(&self, line: Range<usize>, rest: &str) -> Result<Changeset, Problem> {
        let wrong = |message: String, remedy: &str| self.wrong(line.clone(), message, remedy);
        let Some((author, id, attributes)) = identity(rest) else {
            let remedy = "it is --changeset author:id, without a blank before the id";
            return Err(wrong("Liquibase refuses this changeset".to_owned(), remedy));
        };
        let is_known =
            |name: &&str| KNOWN.iter().chain(IDLE).any(|known| known.eq_ignore_ascii_case(name));
        if let Some(name) = names(attributes).into_iter().find(|name| !is_known(name)) {
            let remedy = format!("known: {}", KNOWN.join(", "));
            let message = format!("Liquibase has no attribute `{name}` and passes over it");
            return Err(wrong(message, &remedy));
        }
        let flag = |name: &str, default: bool| match last_value(attributes, name) {
            None => Ok(default),
            Some(text) => text
                .to_ascii_lowercase()
                .parse::<bool>()
                .map_err(|_| wrong(format!("{name} is `{text}`"), "it is true or false")),
        };
        if !flag("failOnError", true)? {
            let message = "Liquibase goes on where it fails, and the runner stops";
            let problem = self.source.problem(line.clone(), message);
            return Err(problem.remedy_by(|asker| asker.itself(COMMAND)));
        }
        if let Some(program) = last_value(attributes, "runWith") {
            let message = format!("Liquibase runs it with {program}");
            let problem = self.source.problem(line.clone(), message);
            return Err(problem.remedy_by(|asker| asker.itself(COMMAND)));
        }
        let delimiter = match last_value(attributes, "endDelimiter").filter(|text| !text.is_empty())
        {
            None => Delimiter::Default,
            Some(given) => Delimiter::parse(unquoted(given)).ok_or_else(|| {
                let remedy = "a text or a line of it is read: /, ;;, GO, \\n/\\s*$; or say \
                              splitStatements:false";
                wrong(format!("the pattern `{given}` is not read here"), remedy)
            })?,
        };
        let filter = |name| last_value(attributes, name).map(unquoted).filter(|v| !v.is_empty());
        let context = filter("contextFilter").or_else(|| filter("context"));
        let only = [
            context.map(|c| format!("context {c}")),
            filter("labels").map(|l| format!("labels {l}")),
        ];
        let only: Vec<String> = only.into_iter().flatten().collect();
        Ok(Changeset {
            author: author.to_owned(),
            id: id.to_owned(),
            path: filter("logicalFilePath").map(str::to_owned).or_else(|| self.path.clone()),
            body: line.end..line.end,
            in_transaction: flag("runInTransaction", true)?,
            delimiter: flag("splitStatements", true)?.then_some(delimiter),
            always: flag("runAlways", false)?,
            counts: !flag("ignore", false)? && is_for_postgres(filter("dbms")),
            only: (!only.is_empty()).then(|| only.join(", ")),
            precondition: None,
            line: line.clone(),
        })
    }

    /// The changeset of a precondition.
    fn of_changeset(&mut self, span: &Range<usize>) -> Result<&mut Changeset, Problem> {
        let remedy = "Liquibase takes it in a changeset only; move it below";
        let problem = self.wrong(span.clone(), "this is before the first --changeset", remedy);
        self.changesets.last_mut().ok_or(problem)
    }

    fn preconditions(&mut self, span: Range<usize>, rest: &str) -> Result<(), Problem> {
        let unmet = |name: &str| match last_value(rest, name) {
            None => Ok(Unmet::Halt),
            Some(given) => Unmet::parse(given).ok_or_else(|| {
                let message = format!("{name} is `{given}`");
                self.wrong(span.clone(), message, "it is HALT, CONTINUE, MARK_RAN or WARN")
            }),
        };
        let (on_fail, on_error) = (unmet("onFail")?, unmet("onError")?);
        let precondition = Precondition { checks: Vec::new(), on_fail, on_error };
        self.of_changeset(&span)?.precondition = Some(precondition);
        Ok(())
    }

    /// `--precondition-sql-check expectedResult:0 SELECT …`
    fn precondition(&mut self, span: Range<usize>, rest: &str) -> Result<(), Problem> {
        let (kind, body) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let check = match kind.to_ascii_lowercase().as_str() {
            "sql-check" => sql_check(body.trim()),
            "table-exists" => exists("table", "r', 'p", body),
            "view-exists" => exists("view", "v', 'm", body),
            _ => None,
        };
        let Some(check) = check else {
            let remedy = "known: --precondition-sql-check expectedResult:0 SELECT …, \
                          --precondition-table-exists table:name, --precondition-view-exists \
                          view:name";
            return Err(self.wrong(span, "Liquibase refuses this precondition", remedy));
        };
        let changeset = self.of_changeset(&span)?;
        changeset.precondition.get_or_insert_default().checks.push(check);
        Ok(())
    }
}

fn sql_check(body: &str) -> Option<Check> {
    let body = after_word(body, "expectedResult:").unwrap_or(body);
    let (expected, sql) = match body.chars().next()? {
        quote @ ('\'' | '"') => body[1..].split_once(quote)?,
        _ => body.split_once(' ')?,
    };
    let sql = sql.trim().trim_end_matches(';').to_owned();
    (!sql.is_empty()).then(|| Check { sql, expected: expected.to_owned() })
}

fn exists(what: &str, kinds: &str, body: &str) -> Option<Check> {
    let name = |key: &str| last_value(body, key).filter(|name| !name.is_empty());
    let literal = |text: &str| format!("'{}'", text.to_ascii_lowercase().replace('\'', "''"));
    let schema = match name("schema") {
        Some(schema) => format!("pg_catalog.lower(n.nspname) = {}", literal(schema)),
        None => "n.nspname = pg_catalog.current_schema()".to_owned(),
    };
    let sql = format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
         ON n.oid = c.relnamespace WHERE pg_catalog.lower(c.relname) = {} AND {schema} \
         AND c.relkind IN ('{kinds}'))",
        literal(name(what)?)
    );
    Some(Check { sql, expected: "t".to_owned() })
}

/// `author:id`, each in quotes or not, and what follows.
fn identity(rest: &str) -> Option<(&str, &str, &str)> {
    let text = rest.strip_prefix(char::is_whitespace)?.trim_start();
    let (author, text) = match text.strip_prefix('"') {
        Some(quoted) => {
            let (author, text) = quoted.split_once('"')?;
            (author, text.strip_prefix(':')?)
        }
        None => text.split_once(':')?,
    };
    let (id, attributes) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => text.split_at(text.find(char::is_whitespace).unwrap_or(text.len())),
    };
    (!author.is_empty() && !id.replace(':', "").is_empty()).then_some((author, id, attributes))
}

/// The value of the last `name:value`; behind the words that a quote holds together.
fn last_value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (lower, key) = (text.to_ascii_lowercase(), format!("{}:", name.to_ascii_lowercase()));
    let is_start = |at: usize| !lower[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let at = lower.rmatch_indices(&key).map(|(at, _)| at).find(|at| is_start(*at))?;
    let value = text.get(at + key.len()..)?;
    let end = match value.strip_prefix('"').and_then(|quoted| quoted.find('"')) {
        Some(end) => end + 2,
        None => value.find(char::is_whitespace).unwrap_or(value.len()),
    };
    value.get(..end)
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// The names of the attributes.
fn names(attributes: &str) -> Vec<&str> {
    let words = attributes.split('"').step_by(2).flat_map(str::split_whitespace);
    let names = words.filter_map(|word| word.split_once(':')).map(|(name, _)| name);
    names.filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())).collect()
}

fn is_for_postgres(dbms: Option<&str>) -> bool {
    let Some(dbms) = dbms else { return true };
    let names: Vec<String> = dbms.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
    if names.iter().any(|name| name == "!postgresql") {
        return false;
    }
    let is_for = |name: &String| ["postgresql", "all"].contains(&name.as_str());
    names.iter().any(is_for) || names.iter().all(|name| name.starts_with('!'))
}
