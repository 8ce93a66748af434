//! The machine control: how long the same fixed piece of work takes on this server now.
//!
//! A trial that took longer than the last one may say something of the change, or of the machine.
//! This work does not depend on change, data or traffic, and does in small what changes do: it
//! loads a table, builds an index, rewrites every row, and commits.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::clock::Micros;
use crate::connect::{self, Address, Session};
use crate::history::{ControlReading, Event, Recorder};

use super::{APPLICATION_NAME, Error};

/// Rounds; a reader takes the median.
const ROUNDS: usize = 3;
/// Some 50 to 150 ms a round. The schema is gone with its rounds; a fingerprint never sees it.
const PREPARE: &str = "CREATE SCHEMA pgauntlet_control";
const ROUND: &[&str] = &[
    "CREATE TABLE pgauntlet_control.work AS \
     SELECT n AS id, md5(n::text) AS word, n % 100 AS kind FROM generate_series(1, 20000) n",
    "CREATE INDEX ON pgauntlet_control.work (word)",
    "UPDATE pgauntlet_control.work SET kind = kind + 1",
    "SELECT count(*), max(word) FROM pgauntlet_control.work WHERE word > 'a' AND kind > 10",
    "DROP TABLE pgauntlet_control.work",
];
const CLEAN: &str = "DROP SCHEMA IF EXISTS pgauntlet_control CASCADE";

/// Measures it and records what it took, in a database in which nothing else goes on.
///
/// # Errors
/// The session cannot be opened, or the work fails.
pub async fn control(address: &Address, recorder: &Recorder) -> Result<(), Error> {
    let fail = |error| Error::Control(Box::new(error));
    let session = Session::open(address, APPLICATION_NAME, &BTreeMap::new()).await.map_err(fail)?;
    let measured = rounds(&session).await;
    let cleaned = execute(&session, CLEAN).await;
    let took_us = measured.map_err(fail)?;
    cleaned.map_err(fail)?;
    recorder.record(Event::Control(ControlReading { took_us }));
    Ok(())
}

async fn rounds(session: &Session) -> Result<Vec<Micros>, connect::Error> {
    execute(session, PREPARE).await?;
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for statement in ROUND {
            execute(session, statement).await?;
        }
        took.push(began.elapsed().into());
    }
    Ok(took)
}

async fn execute(session: &Session, sql: &str) -> Result<(), connect::Error> {
    let done = session.client().batch_execute(sql).await;
    done.map_err(|error| connect::Error::query(sql, &error))
}
