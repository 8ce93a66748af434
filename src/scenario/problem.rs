//! What is wrong with a scenario: its position, what is there, and what would be right.
//!
//! A problem is data; the code that finds it prints nothing.

use std::fmt::{self, Write};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use crate::pg::lex;

/// What was read, and what its reader remarks on although it can be run: statements that the parser
/// does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked<T> {
    /// What was read.
    pub value: T,
    /// In the order of the files.
    pub notices: Vec<Problem>,
}

/// What only the user of `try` reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForTry {
    /// What would be right.
    pub remedy: String,
}

/// Something wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// 1-based; None: the file as a whole.
    pub line: Option<u32>,
    /// 1-based, in characters.
    pub column: Option<u32>,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// What would be right.
    pub remedy: Option<String>,
    /// The same for the user of `try`, where the command line has other words for it.
    pub for_try: Option<Box<ForTry>>,
    /// The line of the file, for a rendering that points at the column.
    pub text: Option<Box<str>>,
    /// Characters to underline, at least one.
    pub width: usize,
}

impl Problem {
    /// A problem of a file as a whole.
    pub fn of_file(path: &Path, message: impl Into<String>) -> Problem {
        Problem {
            path: path.to_owned(),
            line: None,
            column: None,
            message: message.into(),
            remedy: None,
            for_try: None,
            text: None,
            width: 1,
        }
    }

    /// Adds what to do instead.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Problem {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds what to do instead, where that depends on where the change is named.
    pub(super) fn remedy_by(mut self, remedy: impl Fn(Asker) -> String) -> Problem {
        self.remedy = Some(remedy(Asker::Scenario));
        self.for_try = Some(Box::new(ForTry { remedy: remedy(Asker::Try) }));
        self
    }

    /// The same in the words of `try`.
    pub fn of_try(self) -> Problem {
        match self.for_try {
            Some(of_try) => Problem { remedy: Some(of_try.remedy), for_try: None, ..self },
            None => self,
        }
    }
}

/// Where a change is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// In [change] of a scenario, or beside one on the command line.
    Scenario,
    /// By `try` in one's own project.
    Try,
}

impl Asker {
    /// How a tool is run by its own program.
    pub fn itself(self, command: &str) -> String {
        match self {
            Asker::Scenario => {
                format!("run the tool itself: --command '{command}', or `command` in [change]")
            }
            Asker::Try => format!(
                "run the tool itself: pgauntlet try --base 'COMMAND' -- {command}, where COMMAND \
                 migrates to the revision before"
            ),
        }
    }

    /// Where the tool's name is written beside `--tool`.
    pub fn tool_key(self) -> &'static str {
        match self {
            Asker::Scenario => "`tool` in [change]",
            Asker::Try => "`tool` in pgauntlet.toml",
        }
    }
}

/// `scenarios/x/scenario.toml:12:3: unknown key …; known keys: …`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place())?;
        write!(f, ": {}", self.message)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl Problem {
    fn place(&self) -> String {
        let mut place = self.path.display().to_string();
        for number in [self.line, self.column].into_iter().flatten() {
            place.push_str(&format!(":{number}"));
        }
        place
    }
}

impl std::error::Error for Problem {}

/// The longest line that a rendering shows whole.
const TEXT_COLUMNS_MAX: usize = 160;

/// Every problem with its line and a mark under the place, as plain text.
pub fn render(problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        render_one(&mut out, problem);
    }
    out
}

fn render_one(out: &mut String, problem: &Problem) {
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{}: {}", problem.place(), problem.message);
    if let (Some(line), Some(text)) = (problem.line, &problem.text) {
        let number = line.to_string();
        let shown: String = text.chars().take(TEXT_COLUMNS_MAX).collect();
        let _ = writeln!(out, "  {number} | {shown}");
        let column = problem.column.map_or(0, |column| column.saturating_sub(1) as usize);
        if column < TEXT_COLUMNS_MAX {
            // Tabs stay tabs, so that the mark is under its text.
            let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
            let indent: String = text.chars().take(column).map(blank).collect();
            let width = problem.width.clamp(1, shown.chars().count().saturating_sub(column).max(1));
            let gutter = " ".repeat(number.len());
            let _ = writeln!(out, "  {gutter} | {indent}{}", "^".repeat(width));
        }
    }
    if let Some(remedy) = &problem.remedy {
        let _ = writeln!(out, "  = {remedy}");
    }
}

/// A file that was read, to give positions in it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub path: PathBuf,
    pub text: String,
}

/// Most bytes of a scenario file or a script.
const FILE_BYTES_MAX: u64 = 16 << 20;

impl Source {
    /// Reads a file; on failure says why, as the end of a sentence that names it.
    pub fn open(path: &Path) -> Result<Source, String> {
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        })?;
        if !metadata.is_file() {
            return Err("it is not a file".to_owned());
        }
        if metadata.len() > FILE_BYTES_MAX {
            let bytes = metadata.len();
            return Err(format!("it has {bytes} bytes, at most {FILE_BYTES_MAX} are read"));
        }
        let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            format!("line {} is not UTF-8 text", line_at(error.as_bytes(), valid))
        })?;
        if let Some(at) = text.find('\0') {
            let line = line_at(text.as_bytes(), at);
            return Err(format!("line {line} holds a NUL byte, which no server takes"));
        }
        Ok(Source { path: path.to_owned(), text })
    }

    /// A problem at a byte range of the text.
    pub fn problem(&self, span: Range<usize>, message: impl Into<String>) -> Problem {
        let start = floor_char(&self.text, span.start);
        let end = floor_char(&self.text, span.end.max(start));
        let (line, column) = lex::position(&self.text, start);
        let marked = self.text[start..end].split(['\n', '\r']).next().unwrap_or_default();
        let text = self.text.lines().nth(line as usize - 1).unwrap_or_default();
        Problem {
            path: self.path.clone(),
            line: Some(line),
            column: Some(column),
            message: message.into(),
            remedy: None,
            for_try: None,
            text: Some(text.into()),
            width: marked.trim_end().chars().count().max(1),
        }
    }
}

fn line_at(bytes: &[u8], offset: usize) -> usize {
    bytes.iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// A path that a file names, relative to that file. `x/../y` is shown as `y` where that is the same
/// file (behind a symbolic link it need not be).
pub(super) fn beside(file: &Path, named: &str) -> PathBuf {
    let joined = file.parent().map(Path::to_owned).unwrap_or_default().join(named);
    let mut short = PathBuf::new();
    for part in joined.components() {
        let back = part == Component::ParentDir
            && matches!(short.components().next_back(), Some(Component::Normal(_)));
        if back {
            short.pop();
        } else {
            short.push(part);
        }
    }
    if short.exists() { short } else { joined }
}

fn floor_char(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The name that was probably meant: within a third of its letters, and at most three away.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `did you mean `x`? known keys: a, b`, or the second half alone. Nothing known: None.
pub(super) fn known_names<'a>(
    name: &str,
    what: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let list = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`? known {what}: {list}"),
        None => format!("known {what}: {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rendering_points_at_the_place() {
        let text = "a = 1\n\trates = 2\n".to_owned();
        let source = Source { path: "x/scenario.toml".into(), text };
        let problem = source.problem(7..12, "unknown key `rates`").remedy("known keys: rate");
        assert_eq!(
            render(std::slice::from_ref(&problem)),
            "x/scenario.toml:2:2: unknown key `rates`\n  2 | \trates = 2\n    | \t^^^^^\n  \
             = known keys: rate\n"
        );
        assert_eq!(
            problem.to_string(),
            "x/scenario.toml:2:2: unknown key `rates`; known keys: rate"
        );
    }

    #[test]
    fn the_nearest_name_is_a_few_letters_away_or_none() {
        let known = ["rate_per_s", "arrivals", "baseline_ms"];
        assert_eq!(nearest("rates_per_s", known), Some("rate_per_s"));
        assert_eq!(nearest("arrivlas", known), Some("arrivals"));
        assert_eq!(nearest("pool", known), None);
    }
}
