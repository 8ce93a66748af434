//! Annotations for GitHub Actions: workflow commands, one per line of standard output.

use std::fmt::Write;

use super::{About, Case, CaseOutcome, Level, Remark, Suite};

/// GitHub shows so many of one level per step, and drops the rest in silence.
const PER_LEVEL_MAX: usize = 10;

/// What is as the scenarios expect is no annotation: a known-bad change that was caught is fine.
pub fn github(suites: &[Suite]) -> String {
    let mut commands: Vec<(Level, String)> = Vec::new();
    for suite in suites {
        let broken = |outcome| suite.cases.iter().any(|case| case.outcome == outcome);
        let reported = [CaseOutcome::Broken, CaseOutcome::Unproven];
        for case in suite.cases.iter().filter(|case| reported.contains(&case.outcome)) {
            let level = match case.outcome {
                CaseOutcome::Unproven => Level::Warning,
                _ => Level::Error,
            };
            // A finding that was not expected says the same, on the line that it is about.
            let says = |remark: &Remark| {
                !remark.expected && remark.level == level && is_about(case, remark)
            };
            if !suite.remarks.iter().any(says) {
                commands.push((level, command(level, None, &suite.name, &case.message)));
            }
        }
        if broken(CaseOutcome::Broken) || broken(CaseOutcome::Unproven) {
            let worth = |remark: &&Remark| !remark.expected && remark.level > Level::Note;
            for remark in suite.remarks.iter().filter(worth) {
                commands.push((remark.level, annotation(suite, remark)));
            }
        }
    }
    commands.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    let mut out = String::new();
    for level in [Level::Error, Level::Warning] {
        let of_level: Vec<&String> =
            commands.iter().filter(|(l, _)| *l == level).map(|(_, text)| text).collect();
        for text in of_level.iter().take(PER_LEVEL_MAX) {
            let _ = writeln!(out, "{text}");
        }
        if let Some(more) = of_level.len().checked_sub(PER_LEVEL_MAX).filter(|more| *more > 0) {
            let _ = writeln!(out, "{more} more {}s are in the report", word(level));
        }
    }
    out
}

fn is_about(case: &Case, remark: &Remark) -> bool {
    match &case.about {
        About::Verdict => true,
        About::Rule(rule) => *rule == remark.rule,
        About::Other => false,
    }
}

fn annotation(suite: &Suite, remark: &Remark) -> String {
    let instead = match remark.remedy.is_empty() {
        true => String::new(),
        false => format!("\nInstead: {}", remark.remedy),
    };
    let title = format!("{} ({})", remark.rule, suite.name);
    command(remark.level, Some(remark), &title, &format!("{}{instead}", remark.sentence))
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    }
}

fn command(level: Level, remark: Option<&Remark>, title: &str, message: &str) -> String {
    let place = remark.and_then(|remark| remark.place.as_ref());
    let place = place.map_or(String::new(), |place| {
        format!("file={},line={},", property(&place.file), place.line)
    });
    format!("::{} {place}title={}::{}", word(level), property(title), data(message))
}

/// A message ends at the line's end, and a percent sign begins an escape.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// So does a property at a colon or a comma.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
