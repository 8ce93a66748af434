//! What it costs to derive lock waits and to judge: a history of ten minutes, every backend stuck.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pgauntlet::clock::Micros;
use pgauntlet::history::{
    Entry, Event, GrantedLock, Header, History, Role, SessionSeen, Wait, WaitSample,
};
use pgauntlet::judge::lock_waits;

const CHANGE: i32 = 1;
const BACKENDS: i32 = 30;
const INTERVAL_MS: u64 = 10;
/// Each backend waits this long, then again.
const WAIT_MS: u64 = 1_000;

fn stuck(seconds: u64) -> History {
    let mut entries = Vec::new();
    let mut session = |pid, role| {
        entries
            .push(Entry { at_us: Micros::ZERO, event: Event::Session(SessionSeen { pid, role }) });
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
        pid,
        locktype: "relation".to_owned(),
        mode: "RowExclusiveLock".to_owned(),
        relation: relation.clone(),
        waited_us: Some(Micros::from_millis(waited_ms)),
        blockers: vec![CHANGE],
        holders: vec![GrantedLock { pid: CHANGE, relation, mode }],
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

criterion_group!(benches, derive);
criterion_main!(benches);
