//! What the tap costs: round trips and copied data through it and direct, by turns in one process.
//!
//! The history goes to a file, as in a trial. The client is one task on a runtime of one thread,
//! and so is the tap's connection; the server's address is the same on all ways, TCP on loopback.
//! A relay that looks at nothing shows what part is the detour's: two more wakes of a process.
//! `-- added` and `-- copies` run one part. `PGAUNTLET_BENCH_COPY_MB` is how much is copied, 1,000
//! unless it says otherwise; `PGAUNTLET_BENCH_TABLES` how many tables lie beside, none unless it
//! says otherwise.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/ways/mod.rs"]
mod ways;

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::{SinkExt, TryStreamExt};
use pgauntlet::clock::Clock;
use pgauntlet::history::{Header, Recorder};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_postgres::{Config, Statement};

use ways::{Caller, Place, Way};

/// Round trips of one turn.
const TURN: usize = 500;
const TURNS: usize = 41;
const COPY_TURNS: usize = 7;
/// Rows of 100 bytes with their newline.
const ROW_BYTES: usize = 100;
/// What the client hands to the driver at once.
const PIECE_ROWS: usize = 650;

/// What goes to the server and back.
#[derive(Clone, Copy)]
enum Trip {
    Prepared,
    Simple,
    /// A transaction of its own, whose commit waits for no disk.
    Update,
    /// Three of them, with a look at what is held after the middle one.
    Transaction,
    /// The same, and the middle one locks a table and changes the catalogue.
    Alter,
}

const TRIPS: [(&str, Trip); 5] = [
    ("SELECT 1, prepared", Trip::Prepared),
    ("SELECT 1, simple", Trip::Simple),
    ("UPDATE of a row, prepared", Trip::Update),
    ("BEGIN, SELECT 1, COMMIT", Trip::Transaction),
    ("BEGIN, ALTER TABLE, ROLLBACK", Trip::Alter),
];

struct Client {
    caller: Caller,
    select: Statement,
    update: Statement,
}

impl Client {
    async fn at(config: &Config) -> Client {
        let caller = Caller::open(config).await.expect("a session");
        caller.batch_execute("SET synchronous_commit = off").await.expect("a setting");
        let select = caller.prepare("SELECT 1").await.expect("a statement");
        let update = caller.prepare("UPDATE counters SET n = n + 1 WHERE id = 1").await;
        Client { caller, select, update: update.expect("a statement") }
    }

    async fn make(&self, trip: Trip) {
        let made = match trip {
            Trip::Prepared => self.caller.query_one(&self.select, &[]).await.map(drop),
            Trip::Simple => self.caller.simple_query("SELECT 1").await.map(drop),
            Trip::Update => self.caller.execute(&self.update, &[]).await.map(drop),
            Trip::Transaction => self.transaction().await,
            Trip::Alter => self.alter().await,
        };
        made.unwrap_or_else(|error| panic!("a round trip: {error:?}"));
    }

    async fn transaction(&self) -> Result<(), tokio_postgres::Error> {
        self.caller.batch_execute("BEGIN").await?;
        self.caller.query_one(&self.select, &[]).await?;
        self.caller.batch_execute("COMMIT").await
    }

    async fn alter(&self) -> Result<(), tokio_postgres::Error> {
        self.caller.batch_execute("BEGIN").await?;
        self.caller.batch_execute("ALTER TABLE counters ALTER n SET STATISTICS 50").await?;
        self.caller.batch_execute("ROLLBACK").await
    }
}

/// In the order in which they are compared.
const NAMES: [&str; 3] = ["direct", "relayed", "tapped"];
const DIRECT: usize = 0;
const RELAYED: usize = 1;
const TAPPED: usize = 2;

/// The same database on all ways.
struct Ways {
    runtime: Runtime,
    direct: Place,
    _tapped: Place,
    clients: [Client; 3],
    _history: tempfile::TempDir,
}

impl Ways {
    fn new() -> Ways {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let history = tempfile::tempdir().expect("a directory");
        let path = history.path().join("history.jsonl");
        let recorder = Recorder::start(Clock::start(), Header::unnamed(), Some(&path));
        let recorder = recorder.expect("a history");
        let (direct, tapped, clients) = runtime.block_on(async {
            let database = common::fresh_database().await;
            let direct = Place::on(&database, Way::Direct).await;
            let schema = "CREATE TABLE counters (id int PRIMARY KEY, n int);
                INSERT INTO counters VALUES (1, 0);
                CREATE UNLOGGED TABLE copied (line text) WITH (autovacuum_enabled = off);
                ALTER TABLE copied ALTER line SET STORAGE PLAIN";
            direct.admin.batch(schema).await.expect("the schema");
            for more in 0..tables() {
                let more = format!("CREATE TABLE beside_{more} (id int PRIMARY KEY)");
                direct.admin.batch(&more).await.expect("a table beside");
            }
            let tapped = Place::recorded(&database, Way::Tapped, recorder).await;
            let relayed = relayed(direct.config());
            let clients = [
                Client::at(&direct.config()).await,
                Client::at(&relayed).await,
                Client::at(&tapped.config()).await,
            ];
            (direct, tapped, clients)
        });
        Ways { runtime, direct, _tapped: tapped, clients, _history: history }
    }

    /// Each round trip of one turn, in µs.
    fn turn(&self, way: usize, trip: Trip) -> Vec<f64> {
        let client = &self.clients[way];
        self.runtime.block_on(async {
            let mut times = Vec::with_capacity(TURN);
            for _ in 0..TURN {
                let began = Instant::now();
                client.make(trip).await;
                times.push(began.elapsed().as_secs_f64() * 1e6);
            }
            times
        })
    }
}

/// The same place through a relay on a thread of its own, as a tap is.
fn relayed(config: Config) -> Config {
    let server = (Ipv4Addr::LOCALHOST, config.get_ports()[0]);
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = socket.local_addr().expect("an address").port();
    socket.set_nonblocking(true).expect("a socket for tokio");
    // Ends with the process.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let socket = TcpListener::from_std(socket).expect("a socket");
            while let Ok((mut client, _)) = socket.accept().await {
                let mut server = TcpStream::connect(server).await.expect("the server");
                for side in [&client, &server] {
                    side.set_nodelay(true).expect("an option");
                }
                tokio::spawn(async move {
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
    });
    let (user, database) = (config.get_user(), config.get_dbname());
    let mut there = Config::new();
    there.host("127.0.0.1").port(port);
    there.user(user.expect("a user")).dbname(database.expect("a database"));
    there.password(config.get_password().expect("a password"));
    there
}

fn round_trips(criterion: &mut Criterion) {
    let ways = Ways::new();
    for (name, trip) in TRIPS {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(30).measurement_time(Duration::from_secs(3));
        for (name, client) in NAMES.iter().zip(&ways.clients) {
            group.bench_function(*name, |bencher| {
                bencher.to_async(&ways.runtime).iter(|| client.make(black_box(trip)));
            });
        }
        group.finish();
    }
}

fn tables() -> u32 {
    let asked = std::env::var("PGAUNTLET_BENCH_TABLES").ok();
    asked.and_then(|tables| tables.parse().ok()).unwrap_or(0)
}

/// `cargo test --benches` only wants to know that the file runs; a filter is for these as well.
fn wanted(name: &str) -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (options, filters): (Vec<_>, Vec<_>) =
        arguments.into_iter().partition(|argument| argument.starts_with("--"));
    options.iter().any(|option| option == "--bench")
        && (filters.is_empty() || filters.iter().any(|filter| filter == name))
}

/// What a tap adds, from neighbouring turns: the machine drifts by more than that.
fn added(_: &mut Criterion) {
    if !wanted("added") {
        return;
    }
    let ways = Ways::new();
    for (name, trip) in TRIPS {
        let mut medians = [const { Vec::new() }; 3];
        let mut slowest = [const { Vec::new() }; 3];
        for _ in 0..TURNS {
            for way in [DIRECT, RELAYED, TAPPED] {
                let times = ways.turn(way, trip);
                medians[way].push(at(&times, 0.5));
                slowest[way].push(at(&times, 0.99));
            }
        }
        println!("{name}: direct {:.0} µs", at(&medians[DIRECT], 0.5));
        for way in [RELAYED, TAPPED] {
            let added = difference(&medians[way], &medians[DIRECT]);
            println!(
                "  {} {:.0} µs: added {:.0} µs (p10 {:.0}, p90 {:.0}), and {:.0} µs to the p99",
                NAMES[way],
                at(&medians[way], 0.5),
                at(&added, 0.5),
                at(&added, 0.1),
                at(&added, 0.9),
                at(&difference(&slowest[way], &slowest[DIRECT]), 0.5)
            );
        }
    }
}

fn difference(of: &[f64], from: &[f64]) -> Vec<f64> {
    of.iter().zip(from).map(|(of, from)| of - from).collect()
}

fn copies(_: &mut Criterion) {
    if !wanted("copies") {
        return;
    }
    let ways = Ways::new();
    let megabytes = std::env::var("PGAUNTLET_BENCH_COPY_MB").ok().and_then(|mb| mb.parse().ok());
    let bytes = megabytes.unwrap_or(1_000_usize) * 1_000_000;
    let rows = u64::try_from(bytes / ROW_BYTES).expect("a number of rows");
    let before = tap_cpu();
    let (mut rates_in, mut rates_out) = ([const { Vec::new() }; 2], [const { Vec::new() }; 2]);
    for turn in 0..COPY_TURNS {
        // Each way is first as often as second, give or take one.
        let mut order = [(0, DIRECT), (1, TAPPED)];
        order.rotate_left(turn % 2);
        for (index, way) in order {
            let client = &ways.clients[way].caller;
            let room = async {
                ways.direct.admin.batch("TRUNCATE copied").await?;
                ways.direct.admin.batch("CHECKPOINT").await
            };
            ways.runtime.block_on(room).expect("room");
            let elapsed = ways.runtime.block_on(copy_in(client, rows));
            rates_in[index].push(bytes as f64 / 1e6 / elapsed.as_secs_f64());
            let elapsed = ways.runtime.block_on(copy_out(client, bytes));
            rates_out[index].push(bytes as f64 / 1e6 / elapsed.as_secs_f64());
        }
    }
    for (name, rates) in [("in", rates_in), ("out", rates_out)] {
        let ratios: Vec<f64> = rates[1].iter().zip(&rates[0]).map(|(t, d)| t / d).collect();
        println!(
            "COPY {name} of {} MB: direct {:.0} MB/s, tapped {:.0} MB/s; ratio {:.2} ({:.2?})",
            bytes / 1_000_000,
            at(&rates[0], 0.5),
            at(&rates[1], 0.5),
            at(&ratios, 0.5),
            ratios
        );
    }
    let gigabytes = (2 * COPY_TURNS * bytes) as f64 / 1e9;
    let used = (tap_cpu() - before).as_secs_f64() / gigabytes;
    println!("the tap's thread: {used:.2} s of CPU for 1 GB");
}

/// CPU time of the threads that carry connections, from /proc; zero where there is none.
fn tap_cpu() -> Duration {
    const TICKS_PER_S: f64 = 100.0;
    let mut ticks = 0.0;
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if stat.contains("(pgauntlet-tap)") {
            let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
            let times = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
            ticks += times.sum::<f64>();
        }
    }
    Duration::from_secs_f64(ticks / TICKS_PER_S)
}

async fn copy_in(client: &Caller, rows: u64) -> Duration {
    let row = format!("{}\n", "x".repeat(ROW_BYTES - 1));
    let piece = Bytes::from(row.repeat(PIECE_ROWS));
    let began = Instant::now();
    let sink = client.copy_in::<_, Bytes>("COPY copied FROM STDIN").await.expect("a copy");
    let mut sink = pin!(sink);
    let mut left = usize::try_from(rows).expect("a number of rows");
    while left > 0 {
        let here = left.min(PIECE_ROWS);
        sink.send(piece.slice(..here * ROW_BYTES)).await.expect("data taken");
        left -= here;
    }
    assert_eq!(sink.finish().await.expect("rows"), rows);
    began.elapsed()
}

async fn copy_out(client: &Caller, bytes: usize) -> Duration {
    let began = Instant::now();
    let out = client.copy_out("COPY copied TO STDOUT").await.expect("a copy");
    let told = out.try_fold(0, async |sum, piece| Ok(sum + piece.len())).await;
    assert_eq!(told.expect("copied data"), bytes / ROW_BYTES * ROW_BYTES);
    began.elapsed()
}

fn at(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

criterion_group!(benches, round_trips, added, copies);
criterion_main!(benches);
