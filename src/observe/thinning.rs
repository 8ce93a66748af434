//! Leaves out samples that say what the one before said: a stall of minutes would fill gigabytes.
//!
//! Measured: 50 waiters at 100 Hz are 1 MB/s of history; a queue behind one lock does not change
//! for as long as the lock is held. Nothing that a judge could derive is lost: when a wait was
//! first and last seen, and how long it had lasted then, stays exact.

use crate::clock::Micros;
use crate::history::{Wait, WaitSample};

/// A sample that shows no change is recorded again after this long.
const UNCHANGED_INTERVAL: Micros = Micros::from_millis(100);

type Taken = (Micros, WaitSample);

#[derive(Default)]
pub(super) struct Thinning {
    recorded: Option<Taken>,
    /// The last sample, where it said what the recorded one says.
    held_back: Option<Taken>,
}

impl Thinning {
    /// What has to be recorded, in order, now that `sample` was taken at `at`. A sample in which
    /// nothing waits is never recorded.
    pub(super) fn offer(&mut self, at: Micros, sample: WaitSample) -> Vec<Taken> {
        let unchanged = self.recorded.as_ref().filter(|(_, last)| goes_on(last, &sample));
        match unchanged.map(|(then, _)| at - *then) {
            Some(since) if since < UNCHANGED_INTERVAL => {
                self.held_back = Some((at, sample));
                Vec::new()
            }
            Some(_) => {
                self.held_back = None;
                self.recorded = Some((at, sample.clone()));
                vec![(at, sample)]
            }
            None => {
                let mut due: Vec<Taken> = self.held_back.take().into_iter().collect();
                self.recorded = None;
                if !sample.waits.is_empty() {
                    self.recorded = Some((at, sample.clone()));
                    due.push((at, sample));
                }
                due
            }
        }
    }

    /// What is still held back when sampling ends.
    pub(super) fn end(self) -> Option<Taken> {
        self.held_back
    }
}

/// The same waits for the same locks behind the same others.
fn goes_on(before: &WaitSample, now: &WaitSample) -> bool {
    before.waits.len() == now.waits.len()
        && before.waits.iter().zip(&now.waits).all(|(before, now)| is_the_same(before, now))
}

fn is_the_same(before: &Wait, now: &Wait) -> bool {
    let lasted = match (before.waited_us, now.waited_us) {
        // A session that waits again, even for the same, has waited less.
        (Some(before), Some(now)) => before <= now,
        _ => false,
    };
    lasted
        && (&before.session, &before.locktype, &before.mode, &before.relation)
            == (&now.session, &now.locktype, &now.mode, &now.relation)
        && before.blockers == now.blockers
        && before.holders == now.holders
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn wait(pid: i32, waited_ms: u64) -> Wait {
        Wait {
            session: pid.into(),
            locktype: "relation".to_owned(),
            mode: "AccessShareLock".to_owned(),
            relation: None,
            waited_us: Some(Micros::from_millis(waited_ms)),
            blockers: vec![1.into()],
            holders: Vec::new(),
        }
    }

    /// One sample each 10 ms, in each the pids that wait; a pid waits from its first sample on.
    fn samples(pids: &[Vec<i32>]) -> Vec<Taken> {
        let mut began: BTreeMap<i32, u64> = BTreeMap::new();
        let sample = |(n, pids): (usize, &Vec<i32>)| {
            let now = n as u64 * 10;
            began.retain(|pid, _| pids.contains(pid));
            let waits = pids.iter().map(|pid| {
                let began = *began.entry(*pid).or_insert(now);
                wait(*pid, now - began + 1)
            });
            (Micros::from_millis(now), WaitSample { waits: waits.collect() })
        };
        pids.iter().enumerate().map(sample).collect()
    }

    fn thinned(samples: &[Taken]) -> Vec<Taken> {
        let mut thinning = Thinning::default();
        let mut recorded: Vec<Taken> = Vec::new();
        for (at, sample) in samples {
            recorded.extend(thinning.offer(*at, sample.clone()));
        }
        recorded.extend(thinning.end());
        recorded
    }

    /// First and last time at which each wait was seen; a wait is a pid and its beginning.
    fn spans(samples: &[Taken]) -> BTreeMap<(i32, u64), (Micros, Micros)> {
        let mut spans = BTreeMap::new();
        for (at, sample) in samples {
            for wait in &sample.waits {
                let began = *at - wait.waited_us.unwrap_or_default();
                let span = spans.entry((wait.session.pid, began.0)).or_insert((*at, *at));
                span.1 = *at;
            }
        }
        spans
    }

    #[test]
    fn a_queue_that_stands_still_is_recorded_ten_times_a_second_and_as_last_seen() {
        let mut pids = vec![vec![7, 8]; 48];
        pids.push(Vec::new());
        let times: Vec<u64> = thinned(&samples(&pids)).iter().map(|(at, _)| at.0 / 1_000).collect();
        assert_eq!(times, [0, 100, 200, 300, 400, 470]);
    }

    #[test]
    fn a_session_that_waits_again_is_another_wait() {
        let again = [(0, 5), (10, 15), (20, 3)]
            .map(|(at, waited)| (Micros::from_millis(at), vec![wait(7, waited)]))
            .map(|(at, waits)| (at, WaitSample { waits }));
        assert_eq!(thinned(&again), again);
    }

    proptest! {
        #[test]
        fn when_a_wait_was_first_and_last_seen_is_not_lost(
            pids in prop::collection::vec(
                (prop::collection::btree_set(1i32..4, 0..3), 1usize..30),
                1..20,
            ),
        ) {
            let pids: Vec<Vec<i32>> = pids
                .into_iter()
                .flat_map(|(pids, times)| vec![Vec::from_iter(pids); times])
                .collect();
            let all = samples(&pids);
            prop_assert_eq!(spans(&thinned(&all)), spans(&all));
        }

        #[test]
        fn what_is_recorded_was_sampled_and_stays_in_order(
            pids in prop::collection::vec(prop::collection::btree_set(1i32..4, 0..3), 1..60),
        ) {
            let pids: Vec<Vec<i32>> = pids.into_iter().map(Vec::from_iter).collect();
            let all = samples(&pids);
            let recorded = thinned(&all);
            prop_assert!(recorded.is_sorted_by_key(|(at, _)| *at));
            prop_assert!(recorded.iter().all(|taken| all.contains(taken)));
        }
    }
}
