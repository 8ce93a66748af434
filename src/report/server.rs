//! What the server itself said of a trial: its log, and its notices to the change.

use crate::pg::lex::one_line;
use crate::result::{LogCompared, Measured};
use crate::stats::grouped;

/// Different notices that are shown; the rest are in result.json.
const NOTICES_MAX: usize = 5;
/// Characters of each.
const NOTICE_MAX: usize = 160;

/// What the log has that the samples do not; None: nothing.
pub fn log_differs(log: &LogCompared) -> Option<String> {
    (log.only_logged + log.apart > 0).then(|| log_words(log))
}

/// What the log was good for.
pub fn log_words(log: &LogCompared) -> String {
    if let Some(why) = &log.not_read {
        return format!(
            "the server's log is no evidence: {why}; waits and deadlocks are known by samples and \
             errors alone"
        );
    }
    let beyond = log.deadlock_timeout_us.map_or_else(String::new, |t| format!(" beyond {t}"));
    let mut words = format!("the server's log has {} waits{beyond}", grouped(log.waits));
    if log.only_logged > 0 {
        words.push_str(&format!("; no sample shows {} of them", grouped(log.only_logged)));
    }
    if log.apart > 0 {
        let (apart, tolerance) = (grouped(log.apart), log.tolerance_us);
        words.push_str(&format!("; {apart} end more than {tolerance} from where samples end them"));
    }
    if log.waits > log.only_logged {
        words.push_str(&format!("; log and samples are at most {} apart", log.apart_us_max));
    }
    if log.deadlocks > 0 {
        words.push_str(&format!("; deadlocks: {}", grouped(log.deadlocks)));
    }
    words
}

/// Each notice once, with how often it came and the statement that it came from.
pub fn notices(measured: &Measured) -> Vec<String> {
    let mut known: Vec<(&str, &str, u64)> = Vec::new();
    for row in &measured.statements {
        for notice in &row.notices {
            match known.iter_mut().find(|(text, ..)| text == notice) {
                Some((.., times)) => *times += 1,
                None => known.push((notice, &row.statement.text, 1)),
            }
        }
    }
    let more = known.len().saturating_sub(NOTICES_MAX);
    let words = |(notice, statement, times): &(&str, &str, u64)| {
        let times = if *times > 1 { format!(" × {times}") } else { String::new() };
        format!("{}{times}, at {}", cut(notice), cut(statement))
    };
    let mut shown: Vec<String> = known.iter().take(NOTICES_MAX).map(words).collect();
    if more > 0 {
        shown.push(format!("{more} more notices are in result.json"));
    }
    shown
}

fn cut(text: &str) -> String {
    let text = one_line(text);
    match text.char_indices().nth(NOTICE_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
