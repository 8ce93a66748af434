//! Work on every row under a lock that stops others.

use crate::result::Subject;
use crate::result::evidence::{LockedWork, WorkKind};
use crate::stats::{bytes, grouped};

use super::files::Files;
use super::words::{relation, statement};

/// `ALTER … (m.sql:1) held AccessExclusiveLock on spans for 482 ms while it rewrote 2,000,000 rows
/// (340.0 MB): below the limit of 1.00 s here, and it grows with the table`.
pub fn under_lock(of: &LockedWork, subject: &Subject, files: &Files) -> String {
    let did = match of.work {
        WorkKind::Rewrite => "rewrote",
        WorkKind::Scan => "scanned",
        WorkKind::IndexBuild => "built an index of",
    };
    let rows = of.rows.map_or_else(|| "every row".to_owned(), |n| format!("{} rows", grouped(n)));
    let size = of.bytes.map(|n| format!(" ({})", bytes(n))).unwrap_or_default();
    let held = match of.held_us > of.took_us {
        false => format!("for {} while it {did} {rows}{size}", of.took_us),
        true => format!("for {}, {} of it while it {did} {rows}{size}", of.held_us, of.took_us),
    };
    let below = match of.took_us < of.limit_us {
        true => format!("below the limit of {} here, and it", of.limit_us),
        false => "no operation waited for it beyond the limit here; it".to_owned(),
    };
    format!(
        "{} held {} on {} {held}: {below} grows with the table",
        statement(subject, files),
        of.mode,
        relation(subject)
    )
}
