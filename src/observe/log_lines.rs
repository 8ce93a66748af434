//! The lines of a server's log, put together to messages. Pure: text in, messages out.
//!
//! The prefix is the one that our servers have: time, pid, time since the epoch, session, database
//! and application_name. A line that begins with a tab goes on with the one before.

use crate::clock::Micros;

/// One message with what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// Since the Unix epoch, by the server's clock, to the millisecond.
    pub(super) at: Micros,
    pub(super) pid: i32,
    pub(super) database: String,
    /// `LOG`, `ERROR`, `FATAL`.
    pub(super) severity: String,
    pub(super) text: String,
    pub(super) detail: Option<String>,
    pub(super) context: Option<String>,
    pub(super) statement: Option<String>,
}

/// What a line adds to the message before it.
const FIELDS: [&str; 7] =
    ["DETAIL", "HINT", "QUERY", "CONTEXT", "LOCATION", "STATEMENT", "BACKTRACE"];
const SEVERITIES: [&str; 12] = [
    "LOG", "ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "INFO", "DEBUG1", "DEBUG2", "DEBUG3",
    "DEBUG4", "DEBUG5",
];

/// Puts messages together from pieces of a log, however it is cut.
#[derive(Default)]
pub(super) struct Lines {
    /// The line whose end has not been read yet.
    rest: Vec<u8>,
    /// The message to which more may come.
    last: Option<Message>,
    /// Which of its fields the last line was of.
    field: String,
}

impl Lines {
    /// Takes the next bytes of the log; returns the messages that are complete by them.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Vec<Message> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let later = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, later);
        let text = String::from_utf8_lossy(&whole);
        text.lines().filter_map(|line| self.line(line)).collect()
    }

    /// The message to which more may come.
    pub(super) fn last(&self) -> Option<&Message> {
        self.last.as_ref()
    }

    /// The message to which nothing more will come.
    pub(super) fn end(&mut self) -> Option<Message> {
        self.last.take()
    }

    /// Returns the message before, where this line begins another.
    fn line(&mut self, line: &str) -> Option<Message> {
        if let Some(more) = line.strip_prefix('\t') {
            self.go_on(more);
            return None;
        }
        let Some((begun, kind, text)) = begun(line) else {
            // Of another program, or of a server before it had its settings.
            self.field.clear();
            return None;
        };
        let of_last = self.last.as_ref().is_some_and(|last| last.pid == begun.pid);
        if FIELDS.contains(&kind) {
            kind.clone_into(&mut self.field);
            if of_last && let Some(field) = self.field_of_last() {
                *field = Some(text.to_owned());
            }
            return None;
        }
        self.field.clear();
        kind.clone_into(&mut self.field);
        let text = without_position(without_sqlstate(text)).to_owned();
        self.last.replace(Message { severity: kind.to_owned(), text, ..begun })
    }

    fn go_on(&mut self, more: &str) {
        let is_text = SEVERITIES.contains(&self.field.as_str());
        let text = match &mut self.last {
            Some(last) if is_text => Some(&mut last.text),
            _ => self.field_of_last().and_then(Option::as_mut),
        };
        if let Some(text) = text {
            text.push('\n');
            text.push_str(more);
        }
    }

    fn field_of_last(&mut self) -> Option<&mut Option<String>> {
        let last = self.last.as_mut()?;
        match self.field.as_str() {
            "DETAIL" => Some(&mut last.detail),
            "CONTEXT" => Some(&mut last.context),
            "STATEMENT" => Some(&mut last.statement),
            _ => None,
        }
    }
}

/// A line's prefix as a message without text, what kind of line it is, and its text.
fn begun(line: &str) -> Option<(Message, &str, &str)> {
    let (_, rest) = line.split_once(" [")?;
    let (pid, rest) = rest.split_once("] ")?;
    let (seconds, rest) = rest.split_once(' ')?;
    let (_, rest) = rest.split_once(' ')?;
    let (database, rest) = rest.split_once(' ')?;
    // The application_name comes between, and may have blanks.
    let kinds = || SEVERITIES.iter().chain(&FIELDS);
    let at = |kind: &str| {
        let mark = format!("{kind}:  ");
        match rest.starts_with(&mark) {
            true => Some(0),
            false => rest.find(&format!(" {mark}")).map(|at| at + 1),
        }
    };
    let (at, kind) = kinds().filter_map(|kind| Some((at(kind)?, *kind))).min()?;
    let message = Message {
        at: epoch(seconds)?,
        pid: pid.parse().ok()?,
        database: database.to_owned(),
        ..Message::default()
    };
    Some((message, kind, rest[at + kind.len()..].trim_start_matches(':').trim_start()))
}

/// `1764359532.123`.
fn epoch(seconds: &str) -> Option<Micros> {
    let (whole, millis) = seconds.split_once('.')?;
    let (whole, millis): (u64, u64) = (whole.parse().ok()?, millis.parse().ok()?);
    Some(Micros::from_secs(whole) + Micros::from_millis(millis))
}

/// `log_error_verbosity = verbose` puts it before the text.
fn without_sqlstate(text: &str) -> &str {
    let of_a_code = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
    match text.split_once(": ") {
        Some((code, rest)) if code.len() == 5 && code.chars().all(of_a_code) => rest,
        _ => text,
    }
}

/// A message that has a place in the statement ends with it.
fn without_position(text: &str) -> &str {
    match text.rsplit_once(" at character ") {
        Some((text, at)) if at.chars().all(|c| c.is_ascii_digit()) => text,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOG: &str = "2026-11-28 20:00:01.000 UTC [9] 1764360001.000 69aa.9   LOG:  checkpoint\n\
        2026-11-28 20:00:01.500 UTC [12] 1764360001.500 69ab.c db psql ERROR:  deadlock detected \
        at character 8\n\
        2026-11-28 20:00:01.500 UTC [12] 1764360001.500 69ab.c db psql DETAIL:  Process 12 waits.\n\
        \tProcess 12: UPDATE a\n\
        \tSET n = 1\n\
        2026-11-28 20:00:01.500 UTC [12] 1764360001.500 69ab.c db psql HINT:  See.\n\
        \tnot a detail\n\
        2026-11-28 20:00:01.500 UTC [12] 1764360001.500 69ab.c db psql STATEMENT:  UPDATE a\n\
        \tSET n = 1\n\
        somebody else's line\n\
        2026-11-28 20:00:02.001 UTC [13] 1764360002.001 69ab.d db an app: LOG:  01000: still\n";

    fn messages(pieces: &[&[u8]]) -> Vec<Message> {
        let mut lines = Lines::default();
        let mut all: Vec<Message> = pieces.iter().flat_map(|piece| lines.add(piece)).collect();
        all.extend(lines.end());
        all
    }

    #[test]
    fn a_message_has_its_detail_and_its_statement_line_by_line() {
        let all = messages(&[LOG.as_bytes()]);
        let texts: Vec<&str> = all.iter().map(|message| message.text.as_str()).collect();
        assert_eq!(texts, ["checkpoint", "deadlock detected", "still"]);
        assert_eq!((all[0].pid, all[0].database.as_str()), (9, ""));
        let deadlock = &all[1];
        assert_eq!(deadlock.at, Micros(1_764_360_001_500_000));
        assert_eq!((deadlock.database.as_str(), deadlock.severity.as_str()), ("db", "ERROR"));
        let detail = "Process 12 waits.\nProcess 12: UPDATE a\nSET n = 1";
        assert_eq!(deadlock.detail.as_deref(), Some(detail));
        assert_eq!(deadlock.statement.as_deref(), Some("UPDATE a\nSET n = 1"));
        assert_eq!((all[2].pid, all[2].severity.as_str()), (13, "LOG"));
    }

    proptest! {
        #[test]
        fn however_the_log_is_cut_its_messages_are_the_same(
            cuts in prop::collection::vec(0..LOG.len(), 0..6),
        ) {
            let mut cuts = cuts;
            cuts.extend([0, LOG.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> =
                cuts.windows(2).map(|cut| &LOG.as_bytes()[cut[0]..cut[1]]).collect();
            prop_assert_eq!(messages(&pieces), messages(&[LOG.as_bytes()]));
        }
    }
}
