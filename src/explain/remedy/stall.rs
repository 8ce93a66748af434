//! What to do instead of a statement that stopped the application.

use crate::pg::facts::{Work, works};
use crate::result::evidence::Stalled;
use crate::result::{BlockingState, PredictedHold, StatementRef};

/// By how the change was in the way and, of what held the lock, what it did meanwhile.
pub fn stall(of: &Stalled, during: Option<&StatementRef>) -> &'static str {
    match of.state {
        BlockingState::Waiting if of.held_meanwhile.is_some() => {
            "commit before the next relation is locked: a transaction that holds a lock on one \
             relation must not wait for another; a lock_timeout limits how long it does"
        }
        BlockingState::Waiting if of.lock_timeout_us.is_none() => {
            "SET lock_timeout (a few seconds) before the statement and retry with backoff: the \
             queue behind a waiting request lasts as long as the request waits"
        }
        BlockingState::Waiting => {
            "a shorter lock_timeout with retries makes each wait shorter; so does running when no \
             long reader does"
        }
        BlockingState::Idle => {
            "set idle_in_transaction_session_timeout, and do nothing between statements of a \
             transaction that holds a strong lock"
        }
        // Extending a file takes a lock for a moment in any writing session; no row is locked.
        BlockingState::Holding if of.locktype == "extend" => {
            "smaller batches with a pause between them: every session that adds rows takes turns \
             at extending the table's file"
        }
        BlockingState::Holding => holding(of, during),
    }
}

const APART: &str = "one statement per transaction: a lock is held to the end of its transaction; \
                     backfill in batches that each commit, add keys NOT VALID and VALIDATE them \
                     later, build indexes CONCURRENTLY";

/// The form of the statement's work that needs no strong lock for it, where there is one.
pub fn work(statement: Option<&StatementRef>) -> Option<&'static str> {
    let works = works(&statement?.text);
    works.into_iter().find(|work| work.grows() && !is_gentle(*work)).map(of_work)
}

/// Of a lock that is held too long at another size.
pub fn predicted(hold: &PredictedHold) -> &'static str {
    let alone = hold.longest == hold.taken_by;
    let own = |work: &Work| alone || !is_gentle(*work);
    let works = works(&hold.longest.text);
    works.into_iter().find(|work| work.grows() && own(work)).map_or(APART, of_work)
}

fn holding(of: &Stalled, during: Option<&StatementRef>) -> &'static str {
    // Work that needs no strong lock itself only lasts while an earlier one is held.
    let own = |work: &Work| !(of.taken_earlier && is_gentle(*work));
    let own = works_of(during).into_iter().find(|work| work.grows() && own(work));
    match own {
        Some(work) => of_work(work),
        None if works_of(during).contains(&Work::Validation) => {
            "one statement per transaction: VALIDATE CONSTRAINT in a transaction of its own stops \
             no writer; here the lock of the statement before it is held while it reads every row"
        }
        None if of.taken_earlier => APART,
        None => {
            "run the statement alone in its transaction, under a lock_timeout with retries: its \
             lock is held to the transaction's end"
        }
    }
}

fn works_of(statement: Option<&StatementRef>) -> Vec<Work> {
    statement.map(|statement| works(&statement.text)).unwrap_or_default()
}

/// Alone in its transaction it stops no session that reads and writes other rows.
fn is_gentle(work: Work) -> bool {
    matches!(work, Work::Rows | Work::Validation)
}

/// The form of the same change that does not do its work under the lock.
const INSTEAD: [(Work, &str); 18] = [
    (
        Work::StoredColumn,
        "a STORED column is computed for every row under the lock: add a plain nullable column, \
         fill new rows by a trigger and old ones in batches that each commit; or index the \
         expression, which needs no column",
    ),
    (
        Work::DefaultPerRow,
        "this default has another value in each row, so the table is rewritten: add the column \
         without it, then ALTER COLUMN SET DEFAULT for new rows, and fill the old ones in \
         batches that each commit",
    ),
    (
        Work::NumberedColumn,
        "every row gets a number under the lock: add a plain bigint column, SET DEFAULT \
         nextval(…) for new rows, and number the old ones in batches that each commit",
    ),
    (
        Work::TypeChange,
        "a new column of the new type, filled by a trigger and in batches that each commit, and \
         the names swapped in a short transaction later (varchar to text, or to a longer \
         varchar, rewrites nothing)",
    ),
    (
        Work::Storage,
        "it copies the whole table under the lock: fill a new table in batches and swap the \
         names, or do it while nobody writes",
    ),
    (
        Work::Compaction,
        "a tool that copies the table beside the writers (pg_repack, pg_squeeze) and locks it \
         only to swap; a plain VACUUM makes the space usable again without that",
    ),
    (
        Work::UniqueKey,
        "CREATE UNIQUE INDEX CONCURRENTLY outside a transaction, then ADD CONSTRAINT … USING \
         INDEX, which reads no row (for a primary key, make its columns NOT NULL before)",
    ),
    (
        Work::Exclusion,
        "an exclusion constraint cannot be built concurrently: put it on a new table that is \
         filled in batches, or add it while nobody writes",
    ),
    (
        Work::ForeignKey,
        "add it NOT VALID, and VALIDATE CONSTRAINT in a transaction of its own, whose lock stops \
         no writer",
    ),
    (
        Work::Check,
        "add it NOT VALID, and VALIDATE CONSTRAINT in a transaction of its own, whose lock stops \
         no writer",
    ),
    (
        Work::NotNull,
        "ADD CHECK (… IS NOT NULL) NOT VALID, VALIDATE it in a transaction of its own, then SET \
         NOT NULL, which a valid CHECK spares the scan, and drop the CHECK",
    ),
    (
        Work::IndexBuild,
        "CREATE INDEX CONCURRENTLY, outside a transaction and without a statement_timeout",
    ),
    (Work::Reindex, "REINDEX … CONCURRENTLY, outside a transaction"),
    (
        Work::Refresh,
        "REFRESH MATERIALIZED VIEW CONCURRENTLY, which readers do not wait for; the view needs a \
         unique index on columns of it",
    ),
    (
        Work::Validation,
        "VALIDATE CONSTRAINT in a transaction of its own, whose lock stops no writer",
    ),
    (
        Work::Attach,
        "before ATTACH PARTITION, give the new partition a valid CHECK that implies its bounds, \
         and the DEFAULT partition one that excludes them: then no row is read under the lock",
    ),
    (
        Work::Domain,
        "ADD CONSTRAINT … NOT VALID to the domain, and VALIDATE it later: until then no table \
         with a column of the domain is read",
    ),
    (
        Work::Rows,
        "batches that each commit, by key range, with a pause between them: row locks are held \
         to the end of the transaction",
    ),
];

fn of_work(work: Work) -> &'static str {
    let known = INSTEAD.iter().find(|(of, _)| *of == work);
    known.map_or("the statement alone in its transaction, under a lock_timeout", |(_, way)| way)
}
