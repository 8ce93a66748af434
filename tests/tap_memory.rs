//! What passes through a tap does not stay there, however large it is.
//!
//! A binary of its own: what is measured is the peak of the whole process. The server is another
//! process, and the client here holds no more than a piece.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![cfg(target_os = "linux")]

mod common;
mod ways;

use std::fs;

use ways::{Place, Raw, Way};

/// Buffers of both sides, and what the allocator keeps of them.
const GROWTH_BYTES_MAX: u64 = 8 << 20;
const LARGE: usize = 100 << 20;
const PIECE: usize = 64 << 10;

/// `VmRSS` or `VmHWM`, the peak since it was reset.
fn resident(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("such a line");
    let kilobytes = line.trim_start_matches(':').trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().expect("a number") << 10
}

/// Sends a message of this length: its tag, a head, a filling and an end.
async fn send_long(raw: &mut Raw, tag: u8, head: &[u8], fill: usize, end: &[u8]) {
    let length = u32::try_from(4 + head.len() + fill + end.len()).expect("a length");
    let mut start = vec![tag];
    start.extend_from_slice(&length.to_be_bytes());
    start.extend_from_slice(head);
    raw.send(&start).await;
    let piece = vec![b'x'; PIECE];
    for from in (0..fill).step_by(PIECE) {
        raw.send(&piece[..PIECE.min(fill - from)]).await;
    }
    raw.send(end).await;
}

async fn query(raw: &mut Raw, sql: &str) -> Vec<String> {
    send_long(raw, b'Q', sql.as_bytes(), 0, b"\0").await;
    raw.answers(1).await
}

async fn peak_of(raw: &mut Raw, what: &str, work: impl AsyncFnOnce(&mut Raw)) {
    let before = resident("VmRSS");
    // Resets the peak.
    fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own peak");
    work(raw).await;
    let growth = resident("VmHWM").saturating_sub(before);
    assert!(growth < GROWTH_BYTES_MAX, "{what}: {} kB more at the peak", growth >> 10);
}

#[tokio::test]
async fn neither_long_messages_nor_many_rows_are_held_in_memory() {
    let place = Place::open(Way::Tapped).await;
    place.admin.batch("CREATE UNLOGGED TABLE t (line text)").await.unwrap();
    let mut raw = Raw::at(&place).await;
    query(&mut raw, "SELECT 1").await;
    peak_of(&mut raw, "a long query", async |raw| {
        send_long(raw, b'Q', b"SELECT length('", LARGE, b"')\0").await;
        let told = raw.answers(1).await;
        assert!(told.iter().any(|m| m.starts_with('D') && m.contains("104857600")), "{told:?}");
    })
    .await;
    peak_of(&mut raw, "a long row", async |raw| {
        send_long(raw, b'Q', b"SELECT repeat('x', 100 * 1048576)", 0, b"\0").await;
        assert!(raw.skip_to_ready().await > LARGE);
    })
    .await;
    peak_of(&mut raw, "a copy in", async |raw| {
        send_long(raw, b'Q', b"COPY t FROM STDIN", 0, b"\0").await;
        let line = [vec![b'x'; 1023], vec![b'\n']].concat().repeat(64);
        for _ in 0..2 * LARGE / line.len() {
            send_long(raw, b'd', &line, 0, b"").await;
        }
        send_long(raw, b'c', b"", 0, b"").await;
        let told = raw.answers(1).await;
        assert!(told.iter().any(|m| m.contains("COPY 204800")), "{told:?}");
    })
    .await;
    peak_of(&mut raw, "a copy out", async |raw| {
        send_long(raw, b'Q', b"COPY t TO STDOUT", 0, b"\0").await;
        assert!(raw.skip_to_ready().await > 2 * LARGE);
    })
    .await;
    drop(raw);
    place.done().await;
}
