//! Files of no tool's, which psql runs in their order: `<number>_<name>.sql`.
//!
//! - By option only: to most tools such a directory looks like their own.
//! - The order is that of the numbers, and of the names where two are the same. A loop over `*.sql`
//!   goes by name: where that is another order, it is a problem.
//! - A file that undoes by its name, and one without a number, is left out with a notice.
//! - No statement is in a transaction that the file does not open itself.

use super::super::problem::Problem;
use super::super::sql::Sql;
use super::super::{Migration, Script};
use super::listing::{Entry, Listing};
use super::reading::Reading;
use super::text::leading_digits;

pub(super) fn read(listing: &Listing, reading: &mut Reading) -> Vec<Migration> {
    let mut found: Vec<(u128, &Entry)> = Vec::new();
    for entry in listing.files().filter(|entry| entry.name.ends_with(".sql")) {
        let number = leading_digits(&entry.name).and_then(|(digits, _)| digits.parse().ok());
        let why = match number {
            Some(_) if undoes(&entry.name) => "it undoes, by its name",
            Some(number) => {
                found.push((number, entry));
                continue;
            }
            None => "its name begins with no number",
        };
        reading.notices.push(Problem::of_file(&entry.path, format!("notice: left out: {why}")));
    }
    found.sort_by(|(a, first), (b, second)| (a, &first.name).cmp(&(b, &second.name)));
    if let Some(pair) = found.windows(2).find(|pair| pair[0].1.name > pair[1].1.name) {
        let (first, second) = (&pair[0].1.name, &pair[1].1.name);
        let message = format!("it follows {first} by its number, and precedes it by its name");
        let remedy = format!("write as many digits in {first} as in {second}");
        reading.problems.push(Problem::of_file(&pair[1].1.path, message).remedy(remedy));
    }
    found.into_iter().filter_map(|(_, entry)| migration(entry, reading)).collect()
}

fn undoes(name: &str) -> bool {
    let stem = name.trim_end_matches(".sql").to_ascii_lowercase();
    let last = stem.rsplit(['.', '-', '_']).next().unwrap_or_default();
    ["down", "undo", "rollback", "revert"].contains(&last)
}

fn migration(entry: &Entry, reading: &mut Reading) -> Option<Migration> {
    let source = reading.open(&entry.path)?;
    let sql = Sql::file(&source);
    let pieces = match sql.psql_pieces() {
        Ok(pieces) => pieces,
        Err(problem) => {
            reading.problems.push(problem);
            return None;
        }
    };
    reading.notices.extend(sql.all_unknown(&pieces));
    let version = entry.name.trim_end_matches(".sql").to_owned();
    let script = Script { path: source.path.clone(), statements: sql.statements(pieces) };
    Some(Migration::new(version, script, Some(false)))
}
