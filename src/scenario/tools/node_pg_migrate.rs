//! node-pg-migrate's SQL files: `<time>_<name>.sql` with `-- Up Migration` and `-- Down Migration`.
//!
//! - Every file that is not hidden is a migration, in the order of the number before its first `_`:
//!   milliseconds, or 17 digits of a date and time. The version is the name without its extension.
//!   Files in JavaScript or TypeScript are migrations, too, which only the tool can run.
//! - The up part begins at the first line `-- Up Migration` and ends at `-- Down Migration`. A file
//!   with a down line alone would run whole, one with two of a kind in part: problems here, as
//!   `x.up.sql` and `x.down.sql` are, of which the tool would apply both.
//! - The up part is one message. All pending files run in one transaction with their version rows;
//!   `--no-single-transaction` on the tool's command line or in its configuration says otherwise,
//!   SQL has no word for it.
//!
//! Source: `src/sqlMigration.ts`, `src/migration.ts` and `src/runner.ts` in
//! <https://github.com/salsita/node-pg-migrate>, 8.0.4.

use std::ops::Range;

use super::super::problem::{Problem, Source};
use super::super::sql::Sql;
use super::super::{Migration, Script};
use super::listing::{Entry, Listing};
use super::message;
use super::reading::Reading;
use super::text::lines;

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found: Vec<(u64, &Entry)> = Vec::new();
    for entry in listing.files().filter(|entry| !entry.name.starts_with('.')) {
        match entry.name.rsplit_once('.').map(|(_, end)| end) {
            Some("sql") => found.push((time(&entry.name), entry)),
            Some("js" | "cjs" | "mjs" | "ts" | "cts" | "mts") => reading.no_sql(entry),
            _ => reading.misnamed(entry, "the tool would take this file for a migration"),
        }
    }
    found.sort_by_key(|(time, _)| *time);
    for pair in found.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let (first, second) = (&pair[0].1.path, &pair[1].1.path);
        let message = format!("{} has the same number before its `_`", first.display());
        let remedy = "the locale says which of them runs first; renumber one";
        reading.problems.push(Problem::of_file(second, message).remedy(remedy));
    }
    let mut migrations = Vec::new();
    for (_, entry) in found {
        if [".up.sql", ".down.sql"].iter().any(|end| entry.name.ends_with(end)) {
            let remedy = "the tool would apply both files of a pair; write one file with the \
                          lines -- Up Migration and -- Down Migration";
            let problem = Problem::of_file(&entry.path, "it is a file of its own for a direction");
            reading.problems.push(problem.remedy(remedy));
            continue;
        }
        let Some(source) = reading.open(&entry.path) else { continue };
        match up_part(&source) {
            Ok(span) => migrations.push(migration(entry, &source, span, reading)),
            Err(problem) => reading.problems.push(problem),
        }
    }
    migrations
}

fn migration(
    entry: &Entry,
    source: &Source,
    span: Range<usize>,
    reading: &mut Reading,
) -> Migration {
    let sql = Sql::part(source, span);
    let pieces = message::as_in_one(&sql, reading.pieces(&sql));
    let script = Script { path: source.path.clone(), statements: sql.statements(pieces) };
    let version = entry.name.trim_end_matches(".sql").to_owned();
    Migration::new(version, script, None)
}

/// What the tool sorts by: milliseconds since 1970; 0 where the name has no number.
fn time(name: &str) -> u64 {
    let prefix = name.split('_').next().unwrap_or_default();
    let number = prefix.parse().unwrap_or_default();
    let of = |range: Range<usize>| prefix.get(range).and_then(|part| part.parse::<u64>().ok());
    if prefix.len() != 17 {
        return number;
    }
    let date = (of(0..4), of(4..6), of(6..8));
    let (Some(year), Some(month), Some(day)) = date else { return number };
    let clock = [of(8..10), of(10..12), of(12..14)];
    let seconds = clock.iter().fold(0, |sum, part| sum * 60 + part.unwrap_or_default());
    let days = days_since_1970(year, month, day);
    (days * 86_400 + seconds) * 1_000 + of(14..17).unwrap_or_default()
}

/// By the Gregorian calendar: years begin in March, so that a leap day ends one.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let from_march = (month + 9) % 12;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5 + day;
    days.saturating_sub(719_469)
}

fn up_part(source: &Source) -> Result<Range<usize>, Problem> {
    let (mut up, mut down): (Option<usize>, Option<usize>) = (None, None);
    for (offset, line) in lines(&source.text) {
        let Some(direction) = direction(line) else { continue };
        let place = if direction == "up" { &mut up } else { &mut down };
        if place.is_some() {
            let message = format!("there is a second -- {direction} migration");
            let problem = source.problem(offset..offset + line.len(), message);
            return Err(problem.remedy("the tool looks at the first of each; a file has one"));
        }
        *place = Some(offset);
    }
    match (up, down) {
        (Some(up), Some(down)) if down > up => Ok(up..down),
        (Some(up), _) => Ok(up..source.text.len()),
        (None, None) => Ok(0..source.text.len()),
        (None, Some(down)) => {
            let length = source.text.get(down..).and_then(|rest| rest.lines().next());
            let span = down..down + length.map_or(0, str::len);
            let problem = source.problem(span, "there is no line -- Up Migration before it");
            Err(problem.remedy("the tool would run the whole file, the down part too; add it"))
        }
    }
}

/// `-- Up Migration`, `---- down migrations`
fn direction(line: &str) -> Option<&'static str> {
    let comment = line.trim_start().strip_prefix("--")?;
    let lower = comment.trim_start_matches(['-', ' ', '\t']).to_ascii_lowercase();
    ["up", "down"].into_iter().find(|direction| {
        let rest = lower.strip_prefix(direction).unwrap_or_default();
        rest.starts_with([' ', '\t']) && rest.trim_start().starts_with("migration")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_17_digits_is_its_milliseconds() {
        assert_eq!(time("1391877300255_a.sql"), 1_391_877_300_255);
        assert_eq!(time("20140208163500255_a.sql"), 1_391_877_300_255);
        assert_eq!(time("20240229000000000_a.sql"), 1_709_164_800_000);
        assert_eq!(time("0002_b.sql"), 2);
        assert_eq!(time("first.sql"), 0);
    }

    #[test]
    fn a_direction_is_a_comment_line_of_its_own() {
        assert_eq!(direction("-- Up Migration"), Some("up"));
        assert_eq!(direction("  --- DOWN migrations below"), Some("down"));
        assert_eq!(direction("-- upmigration"), None);
        assert_eq!(direction("SELECT 1; -- up migration"), None);
    }
}
