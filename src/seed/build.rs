//! What is done around the load: the schema before it; indexes, VACUUM and a checkpoint after it.

use std::path::Path;

use tokio::task::JoinSet;

use crate::connect::{self, Address, Session};
use crate::history::{Listener, Progress};
use crate::pg::{SqlState, quote_qualified};
use crate::scenario::{Script, Statement};

use super::plan::{APPLICATION, session_settings};
use super::script::Running;
use super::{Error, Plan};

/// Memory for an index build; two may run at once.
const MAINTENANCE_WORK_MEM: &str = "512MB";
/// Index builds at once.
const BUILDERS: usize = 2;
/// Passes of VACUUM over a table whose pages are not yet all-visible.
const VACUUMS_MAX: usize = 5;

async fn run(session: &Session, path: &Path, statement: &Statement) -> Result<(), Error> {
    session.batch(&statement.text).await.map_err(|e| match e {
        connect::Error::Query { error, .. } => {
            let (path, line) =
                (statement.file.as_deref().unwrap_or(path).to_owned(), statement.line);
            Error::Script { path, line, error, missing: Vec::new() }
        }
        other => other.into(),
    })
}

/// Runs the statements of the indexes script, as the schema's are run. Neighbouring CREATE INDEX
/// statements run two at a time: they do not block each other, not even on one table.
pub(super) async fn run_indexes(
    address: &Address,
    script: &Script,
    listener: &Listener,
) -> Result<(), Error> {
    let mut settings = session_settings();
    settings.insert("maintenance_work_mem".to_owned(), MAINTENANCE_WORK_MEM.to_owned());
    let mut sessions = Vec::new();
    for _ in 0..BUILDERS.min(script.statements.len()) {
        sessions.push(Session::open(address, APPLICATION, &settings).await?);
    }
    let runner = Session::open(address, APPLICATION, &settings).await?;
    let mut running = Running::begin(&runner, script, listener).await?;
    let mut rest = script.statements.as_slice();
    while let Some(first) = rest.first() {
        let is_index = |s: &&Statement| is_plain_index(&s.text) && !running.is_open();
        let together = rest.iter().take_while(is_index).count();
        let (group, later) = rest.split_at(together.max(1));
        rest = later;
        tell(listener, &first.text, group.len());
        if together > 0 {
            sessions = run_group(sessions, &script.path, group).await?;
        } else if running.run(first).await? && sets(&first.text) {
            for session in &sessions {
                run(session, &script.path, first).await?;
            }
        }
    }
    running.tell(listener);
    Ok(())
}

/// Whether a statement is of the session alone: what it sets is every builder's.
fn sets(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let is_call = first == "select" && text.contains("set_config(");
    is_call || first == "set" || first == "reset"
}

fn tell(listener: &Listener, text: &str, statements: usize) {
    const SHOWN: usize = 80;
    let sentence = match statements {
        1 => text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect(),
        n => format!("build {n} indexes"),
    };
    listener(Progress::SeedStep(sentence));
}

/// CONCURRENTLY is left out: two of them on one table deadlock.
fn is_plain_index(text: &str) -> bool {
    let mut words = text.split_whitespace().map(str::to_ascii_lowercase).take(4);
    let mut next = || words.next().unwrap_or_default();
    let index = match (next().as_str(), next().as_str()) {
        ("create", "index") => true,
        ("create", "unique") => next() == "index",
        _ => false,
    };
    index && next() != "concurrently"
}

/// Gives each session the next statement as soon as it is free; hands the sessions back.
async fn run_group(
    mut idle: Vec<Session>,
    path: &Path,
    group: &[Statement],
) -> Result<Vec<Session>, Error> {
    let mut statements = group.iter();
    let mut tasks = JoinSet::new();
    loop {
        while let Some(session) = idle.pop() {
            let Some(statement) = statements.next().cloned() else {
                idle.push(session);
                break;
            };
            let path = path.to_owned();
            tasks.spawn(async move {
                let ran = run(&session, &path, &statement).await;
                ran.map(|()| session)
            });
        }
        match tasks.join_next().await {
            None => return Ok(idle),
            Some(Ok(session)) => idle.push(session?),
            Some(Err(e)) if e.is_panic() => std::panic::resume_unwind(e.into_panic()),
            // Nothing aborts a builder while its set is polled.
            Some(Err(_)) => {}
        }
    }
}

/// Leaves the tables as production's are: vacuumed, so that no reader of a trial pays for hint
/// bits and index-only scans work, and analysed.
pub(super) async fn settle(
    session: &Session,
    plan: &Plan<'_>,
    version_num: u32,
    listener: &Listener,
) -> Result<(), Error> {
    session.batch(&format!("SET maintenance_work_mem = '{MAINTENANCE_WORK_MEM}'")).await?;
    if version_num >= 160_000 {
        // Otherwise VACUUM writes the table through a ring of 2 MB and waits for WAL each time.
        session.batch("SET vacuum_buffer_usage_limit = 0").await?;
    }
    flush_wal(session).await?;
    let declared = plan.scenario.tables.iter().map(|table| quote_qualified(&table.name));
    for table in declared.chain(others(session, plan).await?) {
        let shown = table.replace('"', "");
        listener(Progress::SeedStep(format!("vacuum and analyze {shown}")));
        vacuum(session, &table, &shown, listener).await?;
    }
    checkpoint(session).await
}

/// Tables that the schema's script has filled, and no other.
const FILLED: &str = "
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.oid >= 16384 AND c.relpersistence <> 't'
      AND pg_has_role(c.relowner, 'USAGE') AND pg_relation_size(c.oid) > 0
      AND NOT (c.oid = ANY ($1::text[]::regclass[]::oid[]))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.oid";

async fn others(session: &Session, plan: &Plan<'_>) -> Result<Vec<String>, Error> {
    let declared: Vec<String> =
        plan.scenario.tables.iter().map(|table| quote_qualified(&table.name)).collect();
    let rows = session.client().query(FILLED, &[&declared]).await;
    let rows = rows.map_err(|e| connect::Error::query(FILLED.trim(), &e))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The loaders commit asynchronously, and no page becomes all-visible before the WAL of the commits
/// that filled it is flushed. One synchronous commit flushes all that came before it, and needs
/// no privilege.
async fn flush_wal(session: &Session) -> Result<(), Error> {
    session.batch("SET synchronous_commit = on").await?;
    Ok(session.batch("SELECT pg_logical_emit_message(true, 'pgauntlet', '')").await?)
}

/// Vacuums until every page is all-visible. One pass may not do: a page that the checkpointer
/// writes at that moment is skipped, and an old transaction in this database holds back all of
/// them. Further passes read only what was left.
async fn vacuum(
    session: &Session,
    name: &str,
    shown: &str,
    listener: &Listener,
) -> Result<(), Error> {
    let sql = "SELECT greatest(relpages - relallvisible, 0) FROM pg_class
               WHERE oid = to_regclass($1)";
    let mut hidden = 0;
    for _ in 0..VACUUMS_MAX {
        session.batch(&format!("VACUUM (ANALYZE) {name}")).await?;
        let row = session.client().query_one(sql, &[&name]).await;
        hidden = row.map_err(|e| connect::Error::query(sql, &e))?.get::<_, i32>(0);
        if hidden == 0 {
            return Ok(());
        }
    }
    listener(Progress::Note(format!(
        "{hidden} pages of {shown} are not all-visible after {VACUUMS_MAX} vacuums: an old \
         transaction on the server holds them back, and the first readers of a trial pay for it"
    )));
    Ok(())
}

/// Copying a template needs a checkpoint; one that is made here is not waited for later. A role
/// that may not ask for one gets it with the copy.
async fn checkpoint(session: &Session) -> Result<(), Error> {
    match session.batch("CHECKPOINT").await {
        Err(e) if e.is_one_of(&[SqlState::INSUFFICIENT_PRIVILEGE]) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_sets_is_told_from_what_it_makes() {
        assert!(sets("SET search_path = a") && sets("reset all"));
        assert!(sets("SELECT pg_catalog.set_config('search_path', '', false)"));
        assert!(!sets("SELECT 1") && !sets("ALTER TABLE t SET (fillfactor = 70)"));
    }

    #[rstest::rstest]
    #[case("CREATE INDEX a ON t (b)", true)]
    #[case("create unique index a on t (b)", true)]
    #[case("CREATE INDEX CONCURRENTLY a ON t (b)", false)]
    #[case("CREATE UNIQUE INDEX CONCURRENTLY a ON t (b)", false)]
    #[case("ALTER TABLE t ADD PRIMARY KEY (id)", false)]
    #[case("", false)]
    fn only_plain_index_builds_run_beside_each_other(#[case] text: &str, #[case] plain: bool) {
        assert_eq!(is_plain_index(text), plain);
    }
}
