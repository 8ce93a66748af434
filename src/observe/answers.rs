//! What replaced views answer, set beside what their old definitions answer on the same rows.
//!
//! One transaction, which is rolled back: the new views are renamed, and the old definitions take
//! their names, so that an old view reads the old views that it read. Every value is compared as
//! text, for some types have no equality.

use std::collections::BTreeMap;

use crate::connect::{self, Address, Session};
use crate::history::{ComparedAnswers, NotCompared, SAMPLE_CHARS_MAX, SAMPLES_MAX};
use crate::pg::facts::RelationName;
use crate::pg::quote_ident;
use crate::schema::{Replaced, ReplacedView};

use super::contents::snapshot;
use super::{APPLICATION_NAME, Error};

/// For one view, with both definitions.
const STATEMENT_TIMEOUT_MS: u32 = 30_000;
/// What a new view is called while the old one has its name, and its number.
const ASIDE: &str = "pgauntlet_answers_";

const COLUMNS: &str = "\
    SELECT attname::text FROM pg_catalog.pg_attribute \
    WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum";

/// A new view under another name.
struct Aside<'r> {
    view: &'r ReplacedView,
    name: String,
}

/// Both definitions of each replaced view, asked in one snapshot. What keeps one from being asked
/// is in that view's answer.
///
/// # Errors
/// The session cannot be opened, or is gone.
pub async fn view_answers(
    address: &Address,
    replaced: &Replaced,
) -> Result<Vec<ComparedAnswers>, Error> {
    if replaced.views.is_empty() {
        return Ok(Vec::new());
    }
    let opened = Session::open(address, APPLICATION_NAME, &BTreeMap::new()).await;
    let session = opened.map_err(|error| Error::Open(Box::new(error)))?;
    session.batch(&snapshot(STATEMENT_TIMEOUT_MS)).await.map_err(fail)?;
    let (aside, mut found) = set_aside(&session, &replaced.views).await?;
    let refused = make_old(&session, &aside, &replaced.gone_views).await?;
    for Aside { view, name } in aside {
        let compared = match refused.get(&view.name) {
            Some(why) => {
                ComparedAnswers::not_compared(&view.object(), NotCompared::OldFails(why.clone()))
            }
            None => compare(&session, view, &name).await?,
        };
        found.push(ComparedAnswers { is_materialized: view.is_materialized, ..compared });
    }
    session.batch("ROLLBACK").await.map_err(fail)?;
    Ok(found)
}

fn fail(error: connect::Error) -> Error {
    Error::Answers(Box::new(error))
}

/// What the server refuses is undone, and its message returned.
async fn tried<T>(
    session: &Session,
    attempt: impl Future<Output = Result<T, connect::Error>>,
) -> Result<Result<T, connect::Error>, Error> {
    session.batch("SAVEPOINT one").await.map_err(fail)?;
    let done = attempt.await;
    let end = match done {
        Ok(_) => "RELEASE SAVEPOINT one",
        Err(_) => "ROLLBACK TO SAVEPOINT one",
    };
    session.batch(end).await.map_err(fail)?;
    Ok(done)
}

/// The server's own words.
fn said(error: &connect::Error) -> String {
    error.server_error().map_or_else(|| error.to_string(), |error| error.message.clone())
}

async fn set_aside<'r>(
    session: &Session,
    views: &'r [ReplacedView],
) -> Result<(Vec<Aside<'r>>, Vec<ComparedAnswers>), Error> {
    let (mut aside, mut refused) = (Vec::new(), Vec::new());
    for (number, view) in views.iter().enumerate() {
        let own = format!("{ASIDE}{number}");
        // ALTER TABLE renames views of both kinds.
        let rename = format!("ALTER TABLE {} RENAME TO {own}", view.name);
        match tried(session, session.batch(&rename)).await? {
            Ok(()) => aside.push(Aside { view, name: beside(&view.name, &own) }),
            Err(error) => refused.push(ComparedAnswers::not_compared(
                &view.object(),
                NotCompared::Because(said(&error)),
            )),
        }
    }
    Ok((aside, refused))
}

/// Another name in the same schema.
fn beside(view: &str, name: &str) -> String {
    match RelationName::unquoted(view).schema {
        Some(schema) => format!("{}.{}", quote_ident(&schema), quote_ident(name)),
        None => quote_ident(name),
    }
}

/// Makes the views of before, those that are gone too: each once what it reads is there. Returns
/// why the others could not be made.
async fn make_old(
    session: &Session,
    aside: &[Aside<'_>],
    gone: &[(String, String)],
) -> Result<BTreeMap<String, String>, Error> {
    let replaced = aside.iter().map(|aside| (&aside.view.name, &aside.view.definition));
    let mut missing: Vec<(&String, &String)> =
        replaced.chain(gone.iter().map(|(name, definition)| (name, definition))).collect();
    loop {
        let (before, mut refused, mut left) = (missing.len(), BTreeMap::new(), Vec::new());
        for (name, definition) in missing {
            let make = format!("CREATE VIEW {name} AS {definition}");
            if let Err(error) = tried(session, session.batch(&make)).await? {
                refused.insert(name.clone(), said(&error));
                left.push((name, definition));
            }
        }
        if left.is_empty() || left.len() == before {
            return Ok(refused);
        }
        missing = left;
    }
}

async fn compare(
    session: &Session,
    view: &ReplacedView,
    new: &str,
) -> Result<ComparedAnswers, Error> {
    let object = view.object();
    let compared = tried(session, async {
        let (was, is) = (columns(session, &view.name).await?, columns(session, new).await?);
        let both: Vec<String> = was.into_iter().filter(|column| is.contains(column)).collect();
        if both.is_empty() {
            let why = "no column is in both of them".to_owned();
            return Ok(ComparedAnswers::not_compared(&object, NotCompared::Because(why)));
        }
        // A materialized view holds what its query returned when it was refreshed.
        let sql = "SELECT pg_catalog.pg_get_viewdef($1::text::regclass)";
        let row = session.client().query_one(sql, &[&new]).await;
        let new: String = row.map_err(|error| connect::Error::query(sql, &error))?.get(0);
        let new = format!("({})", new.trim_end().trim_end_matches(';'));
        let compared = counted(session, &object, &both, (&view.name, &new)).await?;
        if compared.gone + compared.new > 0 && !is_stable(session, &both, &new).await? {
            return Ok(ComparedAnswers::not_compared(&object, NotCompared::Volatile));
        }
        Ok(compared)
    });
    Ok(match Box::pin(compared).await? {
        Ok(compared) => compared,
        // The old one could be made: either of them may have failed.
        Err(error) => ComparedAnswers::not_compared(&object, NotCompared::Because(said(&error))),
    })
}

async fn columns(session: &Session, view: &str) -> Result<Vec<String>, connect::Error> {
    let rows = session.client().query(COLUMNS, &[&view]).await;
    let rows = rows.map_err(|error| connect::Error::query(COLUMNS, &error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The rows of a query as text.
fn texts(columns: &[String], query: &str) -> String {
    let text = |column: &String| {
        let column = quote_ident(column);
        format!("q.{column}::text COLLATE \"C\" AS {column}")
    };
    let columns: Vec<String> = columns.iter().map(text).collect();
    format!("SELECT {} FROM {query} AS q", columns.join(", "))
}

async fn counted(
    session: &Session,
    object: &str,
    columns: &[String],
    (old, new): (&str, &str),
) -> Result<ComparedAnswers, connect::Error> {
    let (old, new) = (texts(columns, old), texts(columns, new));
    let samples = |of: &str| {
        format!(
            "ARRAY(SELECT pg_catalog.left({of}::text, {SAMPLE_CHARS_MAX}) FROM {of} LIMIT \
             {SAMPLES_MAX})"
        )
    };
    let sql = format!(
        "WITH old_rows AS MATERIALIZED ({old}), new_rows AS MATERIALIZED ({new}), \
         only_old AS MATERIALIZED (TABLE old_rows EXCEPT ALL TABLE new_rows), \
         only_new AS MATERIALIZED (TABLE new_rows EXCEPT ALL TABLE old_rows) \
         SELECT (SELECT count(*) FROM old_rows), (SELECT count(*) FROM new_rows), \
         (SELECT count(*) FROM only_old), (SELECT count(*) FROM only_new), {}, {}",
        samples("only_old"),
        samples("only_new"),
    );
    let row = session.client().query_one(&sql, &[]).await;
    let row = row.map_err(|error| connect::Error::query(&sql, &error))?;
    let count = |column: usize| row.get::<_, i64>(column) as u64;
    if count(0) + count(1) == 0 {
        return Ok(ComparedAnswers::not_compared(object, NotCompared::NoRows));
    }
    Ok(ComparedAnswers {
        object: object.to_owned(),
        rows: count(0),
        gone: count(2),
        new: count(3),
        gone_rows: row.get(4),
        new_rows: row.get(5),
        ..ComparedAnswers::default()
    })
}

/// Whether the query returns the same rows twice.
async fn is_stable(
    session: &Session,
    columns: &[String],
    query: &str,
) -> Result<bool, connect::Error> {
    let query = texts(columns, query);
    let sql = format!(
        "WITH one AS MATERIALIZED ({query}), other AS MATERIALIZED ({query}) \
         SELECT NOT EXISTS (TABLE one EXCEPT ALL TABLE other) \
         AND NOT EXISTS (TABLE other EXCEPT ALL TABLE one)"
    );
    let row = session.client().query_one(&sql, &[]).await;
    row.map(|row| row.get(0)).map_err(|error| connect::Error::query(&sql, &error))
}
