//! What it costs to judge: waits of a history in which every session is stuck, and whole judgements
//! of long trials, whose time must not grow faster than they do.

// Prints its figures, and fails loudly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/judge/long.rs"]
mod long;
#[path = "../tests/judge/made.rs"]
mod made;

// A test stops where something is not as it has to be, helpers included.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use pgauntlet::clock::Micros;
use pgauntlet::history::{
    Entry, Event, GrantedLock, Header, History, Role, SessionSeen, Wait, WaitSample,
};
use pgauntlet::judge::timeline::timeline;
use pgauntlet::judge::{lock_waits, observe};

const CHANGE: i32 = 1;
const BACKENDS: i32 = 30;
const INTERVAL_MS: u64 = 10;
/// Each backend waits this long, then again.
const WAIT_MS: u64 = 1_000;

/// Operations and waits of the long trials. The last is four hours of a backfill in batches.
const TRIALS: [(u64, u64); 4] =
    [(60_000, 1_250), (120_000, 2_500), (600_000, 12_500), (1_400_000, 10_000)];
/// Time may grow so much faster than the history does, from the second trial on: the first fits
/// into the processor's cache (8 MB), and what it costs to leave that is no matter of growth.
const GROWTH_MAX: f64 = 1.2;
/// From the first trial to any.
const GROWTH_FROM_CACHE_MAX: f64 = 1.7;
/// Of the last trial.
const TIME_MAX: Duration = Duration::from_secs(3);
const MEMORY_MAX_KIB: u64 = 600 * 1024;

fn stuck(seconds: u64) -> History {
    let mut entries = Vec::new();
    let mut session = |pid: i32, role| {
        let event = Event::Session(SessionSeen { session: pid.into(), role });
        entries.push(Entry { at_us: Micros::ZERO, event });
    };
    session(CHANGE, Role::Change);
    (0..BACKENDS).for_each(|n| session(100 + n, Role::Application));
    for at in (0..seconds * 1_000).step_by(INTERVAL_MS as usize) {
        let waits = (0..BACKENDS).map(|n| wait(100 + n, at % WAIT_MS)).collect();
        let event = Event::Waits(WaitSample { waits });
        entries.push(Entry { at_us: Micros::from_millis(at), event });
    }
    History::new(Header::unnamed(), entries)
}

fn wait(pid: i32, waited_ms: u64) -> Wait {
    let relation = Some("spans".to_owned());
    let mode = "AccessExclusiveLock".to_owned();
    Wait {
        session: pid.into(),
        locktype: "relation".to_owned(),
        mode: "RowExclusiveLock".to_owned(),
        relation: relation.clone(),
        waited_us: Some(Micros::from_millis(waited_ms)),
        blockers: vec![CHANGE.into()],
        holders: vec![GrantedLock { session: CHANGE.into(), relation, mode }],
    }
}

fn derive(c: &mut Criterion) {
    let mut group = c.benchmark_group("wait derivation");
    group.sample_size(10);
    for seconds in [10, 100] {
        let history = stuck(seconds);
        group.bench_function(format!("{seconds} s, {BACKENDS} stuck backends, 100 Hz"), |b| {
            b.iter(|| lock_waits(black_box(&history)).len());
        });
    }
    group.finish();
}

/// Processor time of this thread where the system tells it: other work on the machine does not
/// count.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse().ok());
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = || START.get_or_init(Instant::now).elapsed();
    nanoseconds.map_or_else(elapsed, Duration::from_nanos)
}

/// The least of several times.
fn least(mut what: impl FnMut()) -> Duration {
    let once = |_| {
        let began = spent();
        what();
        spent() - began
    };
    (0..7).map(once).min().unwrap_or_default()
}

/// Most memory that this process ever had.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Judges the long trials, and fails where a limit is broken.
fn long_trials() {
    let scenario = made::Made::with_change().scenario;
    let mut per_entry: Vec<f64> = Vec::new();
    let mut last = Duration::ZERO;
    for (operations, waits) in TRIALS {
        let history = long::history(operations, waits);
        let entries = history.entries.len();
        last = least(|| drop(black_box(observe(&scenario, black_box(&history)))));
        let drawn = least(|| drop(black_box(timeline(&scenario, black_box(&history)))));
        per_entry.push(last.as_secs_f64() * 1e9 / entries as f64);
        println!(
            "{operations} operations, {waits} waits, {entries} entries: judge {last:.3?}, \
             timeline {drawn:.3?}, {:.0} ns per entry, peak {} MiB",
            per_entry[per_entry.len() - 1],
            peak_kib().unwrap_or_default() / 1024,
        );
    }
    let most = per_entry.iter().copied().fold(0.0, f64::max);
    assert!(most <= per_entry[0] * GROWTH_FROM_CACHE_MAX, "{per_entry:.0?} ns per entry");
    assert!(most <= per_entry[1] * GROWTH_MAX, "{per_entry:.0?} ns per entry");
    let peak = peak_kib().unwrap_or_default();
    assert!(last <= TIME_MAX, "{last:?}");
    assert!(peak <= MEMORY_MAX_KIB, "{peak} KiB");
}

criterion_group!(benches, derive);

fn main() {
    // `cargo test --benches` runs this without `--bench`, unoptimised.
    if std::env::args().any(|argument| argument == "--bench") {
        long_trials();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
