//! What to do instead, by what happened.

mod contents;
mod failed_change;
mod failed_operation;
mod hang;
mod stall;

use crate::history::RefusedFor;
use crate::pg::facts::{Work, works};
use crate::result::evidence::{OtherTimeouts, RefusedConnection, Unlimited};
use crate::result::{Evidence, Finding, StatementRef};
use crate::scenario::{FindingKind, Scope};

use super::replica;

/// Where there is a known way.
pub fn remedy(finding: &Finding) -> Option<String> {
    let Some(evidence) = &finding.evidence else { return finding.remedy.clone() };
    let known = match evidence {
        Evidence::Stall(of) => Some(stall::stall(of, finding.subject.statement.as_ref())),
        Evidence::OperationFailed(of) => return failed_operation::failed(of),
        Evidence::ChangeFailed(of) => failed_change::failed(of, finding.subject.statement.as_ref()),
        Evidence::ChangeHung(of) => Some(hang::hung(of)),
        Evidence::RunnerHung(of) => of.hang.as_ref().map(hang::hung),
        Evidence::Deadlock(of) => Some(failed_change::deadlock(of)),
        Evidence::OpenTransaction(of) if of.first_change.is_none() => None,
        Evidence::NoTimeout(of) => Some(no_timeout(of)),
        Evidence::TimeoutNotInForce(of) => Some(not_in_force(of)),
        Evidence::SessionStateLeft(of) => Some(super::pooled::remedy(of)),
        Evidence::RowsUnseen(of) if !of.secured.is_empty() => Some(
            "CREATE POLICY for the application's role before ENABLE ROW LEVEL SECURITY, in one \
             transaction: without a policy every role but the owner sees no row",
        ),
        Evidence::RowsUnseen(_) => Some(
            "see what the change did to the rows, or to the view or table that the operation \
             reads, and to what the application's role may see of it",
        ),
        Evidence::ConnectionRefused(of) => Some(connection_refused(of)),
        Evidence::PredictedStall(of) => Some(stall::predicted(&of.hold)),
        Evidence::WorkUnderLock(_) => stall::work(finding.subject.statement.as_ref()),
        Evidence::StatementsUnderLock(_) => return Some(under_lock(finding)),
        Evidence::RowsGone(_) | Evidence::ValuesChanged(_) => return meant(finding),
        Evidence::RowsLeftOut(of) => return Some(contents::left_out(of, &finding.subject)),
        Evidence::RecoveryConflict(of) => return Some(replica::conflict_remedy(of)),
        Evidence::InvalidIndex(_) => return Some(invalid_index(finding)),
        evidence => by_kind(evidence),
    };
    known.map(str::to_owned)
}

/// Of the kinds that have one way whatever happened.
fn by_kind(evidence: &Evidence) -> Option<&'static str> {
    Some(match evidence {
        Evidence::ReplicaLag(_) => {
            "write less at once: backfill in batches and let the standby catch up between them; \
             where replay waits for a reader, that reader or max_standby_streaming_delay decides"
        }
        Evidence::LockTimeout(_) => {
            "this is the timeout doing its work: retry with backoff, and look for the long \
             transaction that was in the way"
        }
        Evidence::StatementTimeout(_) | Evidence::PredictedTimeout(_) => {
            "SET statement_timeout = 0 on the connection before this statement and back to its \
             value after it (RESET falls back to the server's default), or give it a limit that \
             it can meet at production size"
        }
        Evidence::IdleInTransactionTimeout(_) => {
            "do nothing between the statements of a transaction that holds a strong lock"
        }
        Evidence::ConcurrentlyInTransaction(_) => {
            "run it outside the migration's transaction (an autocommit block, or a migration that \
             is marked to run without one)"
        }
        Evidence::TimeoutCoversBlock(_) => {
            "loop in the client, one statement per batch, so that the timeout caps each; or run \
             the block with statement_timeout = 0 and a lock_timeout"
        }
        Evidence::ErrorSwallowed(_) => {
            "let the error end the migration, so that its version is not written; what may fail \
             because it is done already takes IF NOT EXISTS"
        }
        Evidence::RerunWrote(_) => {
            "write only what is not written yet (WHERE … IS NULL, ON CONFLICT DO NOTHING), or \
             record that it is done in the transaction that does it"
        }
        Evidence::RerunLock(_) => {
            "ask the catalogue first, and take the lock only where there is something to do (IF \
             NOT EXISTS does not help: it locks first)"
        }
        Evidence::RunnersOverlap(_) => {
            "let each runner take an advisory lock of the session before it reads the versions, \
             and poll for it with pg_try_advisory_lock: one that waits inside a statement holds a \
             snapshot, and CREATE INDEX CONCURRENTLY waits for that"
        }
        Evidence::OpenTransaction(_) => {
            "commit before the connection is closed or given back to its pool; a driver that is \
             not in autocommit begins a transaction at the first statement and rolls it back at \
             the end"
        }
        Evidence::OneTransaction(_) => {
            "tell the tool to use a transaction per migration, and commit what is sent before its \
             first one: a tool that finds a transaction open takes it for the caller's and \
             begins, commits and leaves none of its own"
        }
        Evidence::OperationSlower(of) if of.scan.is_some() => {
            "keep an index by which this operation finds its rows until no release sends it, or \
             make the new one first; where the change gave a column another type, ANALYZE at its \
             end: the column has no statistics before"
        }
        Evidence::OneMessage(_) => "send the statements one at a time",
        Evidence::PlanChanged(_) => {
            "see that the index which the read needs is there and valid, and ANALYZE the table at \
             the end of the change: a new column or index expression has no statistics before"
        }
        evidence => return contents::remedy(evidence),
    })
}

fn connection_refused(of: &RefusedConnection) -> &'static str {
    match of.why {
        RefusedFor::Database => {
            "let the tool take its database from DATABASE_URL or PGDATABASE; where the change is \
             meant to reach another one, other_databases = true in [change]"
        }
        RefusedFor::User => {
            "let the tool take its user from DATABASE_URL or PGUSER; to apply the change as \
             another role, role in [change]"
        }
        RefusedFor::Password => {
            "let the tool take user and password from DATABASE_URL, or PGUSER and PGPASSWORD: the \
             password is another one each time"
        }
    }
}

fn no_timeout(of: &Unlimited) -> &'static str {
    match (of.in_transaction, of.outside_only) {
        (true, _) => {
            "SET LOCAL lock_timeout = '3s' at the start of the transaction (or SET it on the \
             connection), and retry with backoff after 55P03"
        }
        (false, true) => {
            "SET lock_timeout on the connection before it, with statement_timeout = 0: what was \
             SET LOCAL ended with its transaction, and a statement_timeout would cap the whole \
             build. If it gives up, drop the INVALID index before the next try"
        }
        (false, false) => {
            "SET lock_timeout = '3s' on the connection before it (what was SET LOCAL ended with \
             its transaction), and retry with backoff after 55P03"
        }
    }
}

fn not_in_force(of: &OtherTimeouts) -> &'static str {
    match of.scope {
        Scope::Session => {
            "SET the timeouts on every connection that the tool opens, outside a transaction that \
             may roll back (a SET is undone with it), and set them back by value: RESET falls \
             back to the server's default"
        }
        Scope::Local => {
            "SET LOCAL the timeouts at the start of every transaction, also of one that is opened \
             after an autocommit block"
        }
    }
}

/// How a change says that it removes rows, or replaces values, on purpose.
fn meant(finding: &Finding) -> Option<String> {
    let table = super::words::relation(&finding.subject);
    let what = match finding.kind {
        FindingKind::RowsGone => "rows",
        _ => "values",
    };
    let name = table.strip_prefix("public.").unwrap_or(table).to_owned();
    let name = match &finding.evidence {
        Some(Evidence::ValuesChanged(of)) if of.columns.len() == 1 => {
            let columns = of.columns.iter().map(|column| column.column.as_str());
            columns.fold(name, |table, column| format!("{table}.{column}"))
        }
        _ => name,
    };
    Some(format!("if that is what the change is for, say so: [[accept]] {what} = {name:?}"))
}

fn under_lock(finding: &Finding) -> String {
    let relation = super::words::relation(&finding.subject);
    let taken_by = finding.subject.statement.as_ref();
    if taken_by.is_some_and(|statement| works(&statement.text).contains(&Work::Lock)) {
        return format!(
            "no other session reads or writes {relation} from LOCK TABLE to the end of its \
             transaction: do what takes long before it, and lock only for what is short"
        );
    }
    let leaves_a_gap = |statement: &StatementRef| {
        let text = statement.text.to_lowercase();
        text.contains("rename to") || text.starts_with("drop ")
    };
    if taken_by.is_some_and(leaves_a_gap) {
        return format!(
            "keep the transaction if it makes the name again that it takes away, and let nothing \
             slow stand in it: no other session reads or writes {relation} until its last \
             statement is done"
        );
    }
    format!(
        "commit after the statement that takes the lock: no other session reads or writes \
         {relation} until the transaction's last statement is done"
    )
}

fn invalid_index(finding: &Finding) -> String {
    let index = super::words::relation(&finding.subject);
    format!(
        "DROP INDEX CONCURRENTLY {index} before building it again; IF NOT EXISTS looks at the \
         name only"
    )
}
