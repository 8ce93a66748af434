//! What became of every operation: counters, latencies, what is outstanding, what was written.
//!
//! Kept in shards by sequence number, so that operations that finish at once rarely meet on a
//! lock. It derives nothing that the history does not hold; it answers the questions of a run
//! that is going on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Micros;
use crate::history::{Counters, OperationOutcome};

use super::ledger::{Ledger, Write};

/// A power of two well above the number of cores that run operations.
const SHARDS: usize = 16;
/// Longest time between an operation's end and its entry here that a search allows for.
const DISORDER_MAX: Micros = Micros::from_millis(500);
/// Latencies kept; the oldest go. 24 bytes each.
const SAMPLES_MAX: usize = 8_000_000;
/// Writes remembered; a ledger that overflowed says so instead of vouching for the rest.
const WRITES_MAX: usize = 5_000_000;

#[derive(Default)]
pub struct Accounting {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    counters: Counters,
    /// Scheduled time of each operation that has not finished, by number.
    outstanding: BTreeMap<u64, Micros>,
    /// In the order of their end, give or take the time between end and entry.
    samples: VecDeque<Sample>,
    writes: Vec<Write>,
    writes_dropped: u64,
}

#[derive(Clone, Copy)]
struct Sample {
    scheduled: Micros,
    finished: Micros,
    succeeded: bool,
}

impl Accounting {
    /// An operation is let go. Every one that begins here finishes here, once.
    pub fn begin(&self, seq: u64, scheduled: Micros) {
        let mut shard = self.shard(seq);
        shard.counters.scheduled += 1;
        shard.outstanding.insert(seq, scheduled);
    }

    pub fn finish(
        &self,
        seq: u64,
        finished: Micros,
        outcome: &OperationOutcome,
        write: Option<Write>,
    ) {
        let mut shard = self.shard(seq);
        let Some(scheduled) = shard.outstanding.remove(&seq) else { return };
        shard.counters.count(outcome);
        if shard.samples.len() == SAMPLES_MAX / SHARDS {
            shard.samples.pop_front();
        }
        let succeeded = *outcome == OperationOutcome::Succeeded;
        shard.samples.push_back(Sample { scheduled, finished, succeeded });
        match write {
            Some(_) if shard.writes.len() == WRITES_MAX / SHARDS => shard.writes_dropped += 1,
            Some(write) => shard.writes.push(write),
            None => {}
        }
    }

    pub fn counters(&self) -> Counters {
        let mut total = Counters::default();
        for shard in self.locked() {
            let counters = &shard.counters;
            total.scheduled += counters.scheduled;
            total.succeeded += counters.succeeded;
            total.failed += counters.failed;
            total.acquire_timeouts += counters.acquire_timeouts;
            total.indeterminate += counters.indeterminate;
            total.unanswered += counters.unanswered;
        }
        total
    }

    /// Scheduled time of the oldest operation that has not finished.
    pub fn oldest_outstanding(&self) -> Option<Micros> {
        let oldest = |shard: MutexGuard<'_, Shard>| shard.outstanding.values().next().copied();
        self.locked().filter_map(oldest).min()
    }

    /// Latency at quantile `q` of the operations scheduled since `since` that have finished,
    /// whatever their outcome.
    pub fn quantile_scheduled_since(&self, since: Micros, q: f64) -> Option<Micros> {
        // Nothing that was scheduled since then can have finished before.
        self.quantile(since, q, |sample| sample.scheduled >= since)
    }

    /// The same of those that finished since `since`, whenever they were scheduled.
    pub fn quantile_finished_since(&self, since: Micros, q: f64) -> Option<Micros> {
        self.quantile(since, q, |sample| sample.finished >= since)
    }

    /// How many of the operations scheduled since `since` have finished without success.
    pub fn failed_scheduled_since(&self, since: Micros) -> u64 {
        let failed = |shard: MutexGuard<'_, Shard>| {
            let recent = shard.samples.iter().rev();
            let recent = recent.take_while(|s| s.finished + DISORDER_MAX >= since);
            recent.filter(|s| s.scheduled >= since && !s.succeeded).count() as u64
        };
        self.locked().map(failed).sum()
    }

    fn quantile(&self, since: Micros, q: f64, counts: impl Fn(&Sample) -> bool) -> Option<Micros> {
        let mut latencies = Vec::new();
        for shard in self.locked() {
            let samples = shard.samples.iter().rev();
            let recent = samples.take_while(|s| s.finished + DISORDER_MAX >= since);
            latencies.extend(recent.filter(|s| counts(s)).map(Sample::latency));
        }
        quantile(&mut latencies, q)
    }

    /// The writes so far; they are moved out.
    pub fn take_ledger(&self) -> Ledger {
        let (mut writes, mut dropped) = (Vec::new(), 0);
        for mut shard in self.locked() {
            writes.append(&mut shard.writes);
            dropped += std::mem::take(&mut shard.writes_dropped);
        }
        Ledger::new(writes, dropped)
    }

    fn shard(&self, seq: u64) -> MutexGuard<'_, Shard> {
        lock(&self.shards[seq as usize % SHARDS])
    }

    fn locked(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock)
    }
}

impl Sample {
    fn latency(&self) -> Micros {
        self.finished - self.scheduled
    }
}

/// Nearest rank; None of nothing.
fn quantile(latencies: &mut [Micros], q: f64) -> Option<Micros> {
    let last = latencies.len().checked_sub(1)?;
    let rank = (q.clamp(0.0, 1.0) * latencies.len() as f64).ceil() as usize;
    let index = rank.saturating_sub(1).min(last);
    Some(*latencies.select_nth_unstable(index).1)
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_outcome() -> impl Strategy<Value = OperationOutcome> {
        prop_oneof![
            Just(OperationOutcome::Succeeded),
            Just(OperationOutcome::AcquireTimeout),
            Just(OperationOutcome::Indeterminate("gone".to_owned())),
            Just(OperationOutcome::Unanswered),
        ]
    }

    proptest! {
        #[test]
        fn the_equation_holds_once_nothing_is_outstanding(
            ends in prop::collection::vec((0u64..1_000, any_outcome()), 0..200),
        ) {
            let accounting = Accounting::default();
            for (seq, (due, _)) in ends.iter().enumerate() {
                accounting.begin(seq as u64, Micros(*due));
            }
            prop_assert_eq!(accounting.counters().balances(), ends.is_empty());
            let oldest = ends.iter().map(|(due, _)| Micros(*due)).min();
            let scheduled_in_order = ends.is_sorted_by_key(|(due, _)| *due);
            prop_assert!(!scheduled_in_order || accounting.oldest_outstanding() == oldest);
            for (seq, (_, outcome)) in ends.iter().enumerate().rev() {
                accounting.finish(seq as u64, Micros(1_000), outcome, None);
                // A second end of the same operation is not counted.
                accounting.finish(seq as u64, Micros(1_000), outcome, None);
            }
            let counters = accounting.counters();
            prop_assert!(counters.balances());
            prop_assert_eq!(counters.scheduled, ends.len() as u64);
            prop_assert_eq!(accounting.oldest_outstanding(), None);
        }
    }

    #[test]
    fn quantiles_are_of_the_operations_that_were_due_since_then() {
        let accounting = Accounting::default();
        for seq in 0..100 {
            let scheduled = Micros(seq * 10);
            accounting.begin(seq, scheduled);
            accounting.finish(seq, scheduled + Micros(seq), &OperationOutcome::Succeeded, None);
        }
        assert_eq!(accounting.quantile_scheduled_since(Micros(500), 0.5), Some(Micros(74)));
        assert_eq!(accounting.quantile_scheduled_since(Micros(500), 1.0), Some(Micros(99)));
        assert_eq!(accounting.quantile_scheduled_since(Micros(0), 0.0), Some(Micros(0)));
        assert_eq!(accounting.quantile_scheduled_since(Micros(1_000), 0.5), None);
    }
}
