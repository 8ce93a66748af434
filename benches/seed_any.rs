//! How fast rows are made by the generators that a catalogue was given, beside COPY of the same
//! rows from a ready file.
//!
//! One table of twenty columns of mixed types, of which nothing but its text is known: its
//! scenario is made and read as `pgauntlet infer` writes it. Then the same empty table is loaded
//! in turns: by one binary COPY that the server itself reads from a file, and by the loaders.
//! What is printed is the ratio of the medians.
//!
//! `cargo bench --bench seed_any`; `SEED_ANY_ROWS=50000` for another size.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/example/mod.rs"]
mod example;
#[path = "../tests/inferred/mod.rs"]
mod inferred;
#[path = "../tests/traffic/mod.rs"]
mod traffic;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use pgauntlet::connect::{Address, Session};
use pgauntlet::history::silent;
use pgauntlet::scenario::Scenario;
use pgauntlet::seed::{self, Plan};

const ROWS: u64 = 1_000_000;
const ROUNDS: usize = 5;
const LOADERS: [usize; 2] = [1, 2];
const MAJOR: u32 = 15;

const TABLE: &str = "
CREATE TYPE state AS ENUM ('new', 'paid', 'sent', 'returned');
CREATE TABLE parcels (
    id bigint PRIMARY KEY,
    reference uuid NOT NULL,
    state state NOT NULL,
    code text NOT NULL CHECK (code ~ '^[A-Z]{2}-[0-9]{6}$'),
    customer_name text NOT NULL,
    email varchar(120),
    price numeric(10,2) NOT NULL CHECK (price >= 0),
    discount numeric(10,2) CHECK (discount <= price),
    weight_g integer NOT NULL CHECK (weight_g BETWEEN 1 AND 30000),
    pieces smallint NOT NULL,
    ratio double precision,
    insured boolean NOT NULL,
    ordered_on date NOT NULL,
    created_at timestamptz NOT NULL,
    delivered_at timestamptz CHECK (delivered_at >= created_at),
    opens_at time,
    tags text[],
    details jsonb,
    sender inet,
    digest bytea
);
";

fn main() {
    // `cargo test` runs benches as well; only `cargo bench` says so.
    if std::env::args().any(|argument| argument == "--bench") {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(comparison());
    }
}

async fn comparison() {
    let rows = std::env::var("SEED_ANY_ROWS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROWS);
    let made = inferred::make(MAJOR, TABLE, rows).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(made.remarks.is_empty(), "{:?}", made.remarks);
    let scenario = example::load(&made.files).unwrap_or_else(|problems| panic!("{problems}"));
    let address = common::fresh_database_of(MAJOR).await;
    seed::run_schema(&address, &scenario.schema, &silent()).await.expect("the table");
    let session = Session::open(&address, "bench", &BTreeMap::new()).await.expect("a session");
    // As the loaders of a whole schema find it.
    session.batch("ALTER TABLE parcels DROP CONSTRAINT parcels_pkey").await.expect("no index");
    let name = format!("pgauntlet-seed-any-{}.copy", std::process::id());
    let file = std::env::temp_dir().join(name);
    load(&address, &scenario, 1).await;
    let sql = format!("COPY parcels TO '{}' (FORMAT binary)", file.display());
    session.batch(&sql).await.expect("a file that the server may write");

    let mut by_file = Vec::new();
    let mut by_loaders: Vec<Vec<Duration>> = LOADERS.map(|_| Vec::new()).to_vec();
    for _ in 0..ROUNDS {
        by_file.push(timed_copy(&session, &file).await);
        for (times, loaders) in by_loaders.iter_mut().zip(LOADERS) {
            empty(&session).await;
            let began = Instant::now();
            load(&address, &scenario, loaders).await;
            times.push(began.elapsed());
        }
    }
    // The server may run as another user, whose file only it may remove.
    let removed = format!("COPY (SELECT) TO PROGRAM 'rm -f \"{}\"'", file.display());
    session.batch(&removed).await.expect("the file to be removed");
    println!("\n{rows} rows of 20 columns into a table without indexes, {ROUNDS} rounds in turns");
    let reference = tell("one binary COPY from a ready file", rows, &mut by_file, None);
    for (mut times, loaders) in by_loaders.into_iter().zip(LOADERS) {
        tell(&format!("infer's generators, {loaders} loaders"), rows, &mut times, Some(reference));
    }
}

async fn load(address: &Address, scenario: &Scenario, loaders: usize) {
    let sizes = scenario.declared_sizes();
    let plan = Plan { scenario, sizes, loaders, catalogue: None };
    seed::load(address, &plan, &silent()).await.expect("a load");
}

/// An empty table and no checkpoint that is due: the next load starts like any other.
async fn empty(session: &Session) {
    session.batch("TRUNCATE parcels").await.expect("an empty table");
    session.batch("CHECKPOINT").await.expect("a checkpoint");
}

async fn timed_copy(session: &Session, file: &Path) -> Duration {
    empty(session).await;
    let sql = format!("COPY parcels FROM '{}' (FORMAT binary)", file.display());
    let began = Instant::now();
    session.batch(&sql).await.expect("a copy");
    began.elapsed()
}

/// Prints a line and returns the median.
fn tell(what: &str, rows: u64, times: &mut [Duration], reference: Option<Duration>) -> Duration {
    times.sort();
    let median = times[times.len() / 2];
    let rate = rows as f64 / median.as_secs_f64();
    let ratio = reference.map_or(String::new(), |reference| {
        format!("  {:.2} times as fast", reference.as_secs_f64() / median.as_secs_f64())
    });
    let (least, most) = (times[0].as_secs_f64(), times[times.len() - 1].as_secs_f64());
    println!("{what:<34} {rate:>9.0} rows/s{ratio}  ({least:.2}-{most:.2} s)");
    median
}
