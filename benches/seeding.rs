//! How fast rows are made, and how filling a table compares with COPY from a ready file.
//!
//! The comparison starts a private server of an installed Postgres, makes one file by COPY TO,
//! then loads the same rows into the same empty table in turns: by one binary COPY that the
//! server itself reads from the file, and by the loaders. What is printed is the ratio of the
//! medians; the machine's noise is in the spread.
//!
//! `cargo bench --bench seeding`; `SEEDING_SPANS=1000000` for another size.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/spans/mod.rs"]
mod spans;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use criterion::{Criterion, Throughput};
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::silent;
use pgauntlet::scenario::Scenario;
use pgauntlet::seed::{self, ColumnType, Plan, TableRows};
use tokio_postgres::types::Type;

/// Rows of the comparison; about 0.8 KB each.
const SPANS: u64 = 200_000;
const ROUNDS: usize = 7;
const LOADERS: [usize; 3] = [1, 2, 3];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    making_rows(&mut criterion);
    criterion.final_summary();
    // `cargo test` runs benches as well; only `cargo bench` says so.
    if std::env::args().any(|argument| argument == "--bench") {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(comparison());
    }
}

/// Generators and encoder alone, no server.
fn making_rows(criterion: &mut Criterion) {
    let scenario = spans::scenario(1);
    let plan =
        Plan { scenario: &scenario, sizes: spans::sizes(1_000_000), loaders: 1, catalogue: None };
    let rows = TableRows::new(&plan, &scenario.tables[1], &span_types()).expect("known types");
    let mut group = criterion.benchmark_group("seeding");
    let in_a_chunk = drain(&rows, 0);
    group.throughput(Throughput::Elements(in_a_chunk));
    group.bench_function("generate and encode a chunk of spans", |bencher| {
        let mut number = 0;
        bencher.iter(|| {
            number = (number + 1) % rows.chunks();
            drain(&rows, number)
        });
    });
    group.finish();
}

fn drain(rows: &TableRows, number: u64) -> u64 {
    let mut chunk = rows.chunk(number);
    let mut buffer = BytesMut::new();
    let mut total = 0;
    loop {
        let made = chunk.fill(&mut buffer).expect("values that fit");
        if made == 0 {
            return total;
        }
        total += made;
        black_box(buffer.split().freeze());
    }
}

fn span_types() -> Vec<ColumnType> {
    let types = [
        ("id", Type::VARCHAR),
        ("trace_id", Type::VARCHAR),
        ("parent_id", Type::VARCHAR),
        ("name", Type::VARCHAR),
        ("start_time", Type::TIMESTAMPTZ),
        ("end_time", Type::TIMESTAMPTZ),
        ("input", Type::JSON),
        ("output", Type::JSON),
        ("data", Type::JSON),
    ];
    let column = |(name, of): (&str, Type)| ColumnType {
        name: name.to_owned(),
        type_name: of.name().to_owned(),
        type_oid: of.oid(),
        is_enum: false,
    };
    types.map(column).to_vec()
}

async fn comparison() {
    let spans = std::env::var("SEEDING_SPANS").ok().and_then(|n| n.parse().ok()).unwrap_or(SPANS);
    let mut scenario = spans::scenario(1);
    scenario.tables.remove(0); // the same rows on both sides: spans alone
    let address = common::fresh_database().await;
    let session = Session::open(&address, "bench", &BTreeMap::new()).await.expect("a session");
    session.batch(spans::SPANS_SQL).await.expect("the table");
    let directory = std::env::temp_dir();
    let file = directory.join(format!("pgauntlet-seeding-{}.copy", std::process::id()));
    ready_file(&address, &session, &scenario, spans, &file).await;

    let mut by_file = Vec::new();
    let mut by_loaders: Vec<Vec<Duration>> = LOADERS.map(|_| Vec::new()).to_vec();
    for _ in 0..ROUNDS {
        by_file.push(timed_copy(&session, &file).await);
        for (times, loaders) in by_loaders.iter_mut().zip(LOADERS) {
            times.push(timed_load(&address, &session, &scenario, spans, loaders).await);
        }
    }
    remove(&session, &file).await;
    println!("\n{spans} spans into an empty table without indexes, {ROUNDS} rounds in turns");
    let reference = tell("one binary COPY from a ready file", spans, &mut by_file, None);
    for (mut times, loaders) in by_loaders.into_iter().zip(LOADERS) {
        tell(&format!("seed, {loaders} loaders"), spans, &mut times, Some(reference));
    }
}

fn plan(scenario: &Scenario, spans: u64, loaders: usize) -> Plan<'_> {
    Plan { scenario, sizes: spans::sizes(spans), loaders, catalogue: None }
}

async fn ready_file(
    address: &Address,
    session: &Session,
    scenario: &Scenario,
    spans: u64,
    file: &Path,
) {
    seed::load(address, &plan(scenario, spans, 1), &silent()).await.expect("a load");
    let sql = format!("COPY spans TO '{}' (FORMAT binary)", file.display());
    session.batch(&sql).await.expect("a file that the server may write");
    let size = "SELECT pg_total_relation_size('spans') / count(*) FROM spans";
    let bytes: i64 = session.client().query_one(size, &[]).await.expect("a size").get(0);
    println!("\na row takes {bytes} bytes in the table");
}

/// An empty table and no checkpoint that is due: the next load starts like any other.
async fn empty(session: &Session) {
    session.batch("TRUNCATE spans").await.expect("an empty table");
    session.batch("CHECKPOINT").await.expect("a checkpoint");
}

async fn timed_copy(session: &Session, file: &Path) -> Duration {
    empty(session).await;
    let sql = format!("COPY spans FROM '{}' (FORMAT binary)", file.display());
    let began = Instant::now();
    session.batch(&sql).await.expect("a copy");
    began.elapsed()
}

async fn timed_load(
    address: &Address,
    session: &Session,
    scenario: &Scenario,
    spans: u64,
    loaders: usize,
) -> Duration {
    empty(session).await;
    let began = Instant::now();
    seed::load(address, &plan(scenario, spans, loaders), &silent()).await.expect("a load");
    began.elapsed()
}

/// The server may run as another user, whose file only it may remove.
async fn remove(session: &Session, file: &Path) {
    let sql = format!("COPY (SELECT) TO PROGRAM 'rm -f \"{}\"'", file.display());
    session.batch(&sql).await.expect("the file to be removed");
}

/// Prints a line and returns the median.
fn tell(what: &str, spans: u64, times: &mut [Duration], reference: Option<Duration>) -> Duration {
    times.sort();
    let median = times[times.len() / 2];
    let rate = spans as f64 / median.as_secs_f64();
    let spread: Vec<String> = times.iter().map(|t| format!("{:.2}", t.as_secs_f64())).collect();
    let ratio = reference.map_or(String::new(), |reference| {
        format!("  {:.2} times as fast", reference.as_secs_f64() / median.as_secs_f64())
    });
    println!("{what:<34} {rate:>9.0} rows/s{ratio}  ({} s)", spread.join(" "));
    median
}
