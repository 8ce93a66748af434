//! What the driver itself costs: a schedule's arrivals, operations against a real server beside
//! pgbench on the same server, an open loop's share of a core, and a check of the ledger.
//!
//! pgbench and the driver run in turns (ABAB), because the machine drifts; ratios are of medians.
//! CPU is this process's own, its in-memory history included; pgbench's is that of our children.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/traffic/mod.rs"]
mod traffic;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pgauntlet::clock::Clock;
use pgauntlet::connect::Address;
use pgauntlet::drive::{self, DriveSetup, Driving, Schedule, Timetable};
use pgauntlet::history::{Recorder, silent};
use pgauntlet::scenario::{Arrivals, Generator, OperationSpec, Scenario, Sizes};
use tokio::runtime::Runtime;

use traffic::{generated, insert, operation, pool, scenario, session};

const ROWS: i64 = 100_000;
const SELECT: &str = "SELECT payload FROM pairs WHERE id =";
const CLIENTS: u32 = 8;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const OPEN_LOOP_RATE: f64 = 1_000.0;
const LEDGER_KEYS: u64 = 100_000;

fn schedule(criterion: &mut Criterion) {
    const ARRIVALS: u64 = 1_000;
    let mut group = criterion.benchmark_group("schedule");
    group.throughput(Throughput::Elements(ARRIVALS));
    for (name, arrivals) in [("uniform", Arrivals::Uniform), ("poisson", Arrivals::Poisson)] {
        group.bench_function(name, |bencher| {
            let operations = [select(), select(), select()];
            let mut timetable = Timetable::new(arrivals, 1_000.0, &operations, 1);
            bencher.iter(|| {
                for _ in 0..ARRIVALS {
                    black_box(timetable.next());
                }
            });
        });
    }
    group.finish();
}

fn select() -> OperationSpec {
    let id = generated(Generator::Integer { min: 1, max: ROWS });
    let sql = format!("{SELECT} $1");
    operation("select-by-key", &[(sql.as_str(), &["id"])], &[("id", id)])
}

async fn begin(address: &Address, scenario: &Scenario, schedule: Schedule) -> (Driving, Recorder) {
    let recorder = Recorder::in_memory(Clock::start());
    let (sizes, listener) = (&Sizes::default(), &silent());
    let setup = DriveSetup {
        address,
        application: address,
        replica: None,
        pooled: None,
        scenario,
        sizes,
        recorder: &recorder,
        listener,
    };
    let driving = drive::start_on(setup, schedule).await;
    (driving.unwrap_or_else(|error| panic!("failed to {error}")), recorder)
}

async fn database() -> Address {
    let address = common::fresh_database().await;
    let schema = format!(
        "CREATE TABLE pairs (id bigint PRIMARY KEY, payload text);
         INSERT INTO pairs SELECT n, repeat('x', 100) FROM generate_series(1, {ROWS}) n;
         CREATE TABLE t (id text PRIMARY KEY, value integer);"
    );
    let admin = session(&address).await;
    admin.batch(&schema).await.expect("the schema");
    admin.batch("VACUUM ANALYZE pairs").await.expect("a vacuum");
    address
}

fn driver(_: &mut Criterion) {
    // `cargo test --benches` only wants to know that the file runs.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let address = database().await;
        beside_pgbench(&address).await;
        open_loop(&address).await;
        ledger(&address).await;
    });
}

/// Operations per second, and CPU per operation.
#[derive(Clone, Copy)]
struct Speed {
    per_s: f64,
    cpu_us: f64,
}

async fn beside_pgbench(address: &Address) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(closed_loop(address).await);
        theirs.extend(pgbench(address, &[]));
    }
    let ours = median(&ours);
    println!(
        "driver, closed loop, {CLIENTS} workers, select by key: {:.0}/s, {:.1} µs CPU each",
        ours.per_s, ours.cpu_us
    );
    if theirs.len() < ROUNDS {
        println!("pgbench: not found or failed; install it to see the ratio");
        return;
    }
    let theirs = median(&theirs);
    println!(
        "pgbench -M prepared -c {CLIENTS} -j 1, same select: {:.0}/s, {:.1} µs CPU each",
        theirs.per_s, theirs.cpu_us
    );
    println!(
        "driver / pgbench: {:.2} of its rate, {:.2} of its CPU",
        ours.per_s / theirs.per_s,
        ours.cpu_us / theirs.cpu_us
    );
}

async fn closed_loop(address: &Address) -> Speed {
    let scenario = scenario(0.0, pool(CLIENTS, 0, 10_000), vec![select()]);
    let (driving, _) = begin(address, &scenario, Schedule::Closed { workers: CLIENTS }).await;
    let (began, cpu_began, from) = (Instant::now(), cpu(Whose::Ours), driving.gauge().finished);
    tokio::time::sleep(ROUND).await;
    let (elapsed, cpu_used) = (began.elapsed(), cpu(Whose::Ours) - cpu_began);
    let operations = (driving.gauge().finished - from) as f64;
    driving.stop().await;
    Speed {
        per_s: operations / elapsed.as_secs_f64(),
        cpu_us: cpu_used.as_secs_f64() * 1e6 / operations,
    }
}

fn pgbench(address: &Address, more: &[&str]) -> Option<Speed> {
    let mut script = tempfile::NamedTempFile::new().ok()?;
    writeln!(script, "\\set id random(1, {ROWS})\n{SELECT} :id").ok()?;
    let place = address.place();
    let (host, port) = place.rsplit_once(':')?;
    let cpu_began = cpu(Whose::Children);
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-j", "1", "-h", host, "-p", port, "-U", address.user()])
        .args(["-c", &CLIENTS.to_string(), "-T", &ROUND.as_secs().to_string()])
        .args(more)
        .arg("-f")
        .arg(script.path())
        .arg(address.database())
        .output()
        .ok()?;
    let cpu_used = cpu(Whose::Children) - cpu_began;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = |name: &str| -> Option<f64> {
        let line = told.lines().find(|line| line.starts_with(name))?;
        line[name.len()..].split_whitespace().next()?.parse().ok()
    };
    let operations = number("number of transactions actually processed: ")?;
    let per_s = number("tps = ")?;
    Some(Speed { per_s, cpu_us: cpu_used.as_secs_f64() * 1e6 / operations })
}

fn median(speeds: &[Speed]) -> Speed {
    let of = |value: fn(&Speed) -> f64| {
        let mut values: Vec<f64> = speeds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Speed { per_s: of(|speed| speed.per_s), cpu_us: of(|speed| speed.cpu_us) }
}

/// The share of a core at a fixed rate, and how late the generator was.
async fn open_loop(address: &Address) {
    let scenario = scenario(OPEN_LOOP_RATE, pool(10, 20, 30_000), vec![select()]);
    let schedule = Schedule::Open { arrivals: Arrivals::Poisson, rate_per_s: OPEN_LOOP_RATE };
    let (driving, recorder) = begin(address, &scenario, schedule).await;
    let (began, cpu_began) = (Instant::now(), cpu(Whose::Ours));
    tokio::time::sleep(ROUND * 2).await;
    let share = (cpu(Whose::Ours) - cpu_began).as_secs_f64() / began.elapsed().as_secs_f64();
    driving.stop().await;
    if let Some(theirs) = pgbench(address, &["-R", &OPEN_LOOP_RATE.to_string()]) {
        let share = theirs.per_s * theirs.cpu_us / 1e4;
        println!("pgbench -R {OPEN_LOOP_RATE}, same select: {share:.1} % of a core");
    }
    let history = recorder.finish().expect("a history in memory");
    let (mut lags, mut latencies) = (Vec::new(), Vec::new());
    for entry in history.entries {
        if let pgauntlet::history::Event::Operation(operation) = entry.event {
            lags.push((operation.dispatched_us - operation.scheduled_us).0);
            latencies.push(operation.latency().0);
        }
    }
    lags.sort_unstable();
    latencies.sort_unstable();
    let at = |sorted: &[u64], share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    println!(
        "driver, open loop at {OPEN_LOOP_RATE}/s: {:.1} % of a core; lag p50 {} µs, p99 {} µs; \
         latency p50 {} µs, p99 {} µs",
        share * 100.0,
        at(&lags, 0.5),
        at(&lags, 0.99),
        at(&latencies, 0.5),
        at(&latencies, 0.99)
    );
}

/// How long a ledger of many keys takes to check.
async fn ledger(address: &Address) {
    let mut scenario = scenario(0.0, pool(CLIENTS, 0, 10_000), vec![insert("insert")]);
    // Only to have the rows sooner.
    let settings = BTreeMap::from([("synchronous_commit".to_owned(), "off".to_owned())]);
    scenario.pool.settings = settings;
    let (driving, _) = begin(address, &scenario, Schedule::Closed { workers: CLIENTS }).await;
    while driving.gauge().finished < LEDGER_KEYS {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stopped = driving.stop().await;
    let began = Instant::now();
    let report = stopped.ledger.check(address, &scenario).await.expect("a report");
    assert_eq!(report.mismatches, 0, "{report:?}");
    println!("ledger: {} keys checked in {:.2?}", report.acknowledged, began.elapsed());
}

enum Whose {
    Ours,
    Children,
}

/// CPU time used so far, from /proc; zero where there is none.
fn cpu(whose: Whose) -> Duration {
    const TICKS_PER_S: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the command's name, which may hold anything: field 3 and on.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let first = match whose {
        Whose::Ours => 11,
        Whose::Children => 13,
    };
    let ticks: f64 =
        fields.iter().skip(first).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Duration::from_secs_f64(ticks / TICKS_PER_S)
}

criterion_group!(benches, schedule, driver);
criterion_main!(benches);
