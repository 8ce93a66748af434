//! Counters and gauges per step of the time axis.

use crate::clock::Micros;
use crate::history::OperationOutcome;
use crate::stats::{BUCKET_WIDTH, Bucket, Buckets};

use super::super::pool;
use super::super::trace::Trace;
use super::{STEPS_MAX, TimelineStep};

/// Two samples this close together show the same; the sampler leaves out as much as 100 ms.
const UNCHANGED_MAX: Micros = Micros::from_millis(250);
/// A step is the bucket's width times one of these, and times ten, and so on.
const FACTORS: [u64; 3] = [1, 2, 5];

/// The shortest round length of which few enough make up the trial.
pub fn width(end: Micros) -> Micros {
    let mut scale = BUCKET_WIDTH.0;
    loop {
        for factor in FACTORS {
            let width = scale.saturating_mul(factor);
            if end.0 / width < STEPS_MAX {
                return Micros(width);
            }
        }
        scale = scale.saturating_mul(10);
    }
}

pub fn steps(trace: &Trace<'_>, width: Micros) -> Vec<TimelineStep> {
    let count = (trace.end.0 / width.0 + 1) as usize;
    let begin = |index: usize| TimelineStep {
        from_us: Micros(width.0.saturating_mul(index as u64)),
        ..TimelineStep::default()
    };
    let mut steps: Vec<TimelineStep> = (0..count).map(begin).collect();
    let index = |at: Micros| ((at.0 / width.0) as usize).min(count - 1);
    latency(trace, width, &mut steps);
    for operation in &trace.operations {
        let step = &mut steps[index(operation.finished_us)];
        match operation.outcome {
            OperationOutcome::Succeeded => step.completed += 1,
            _ => step.failed += 1,
        }
    }
    pressure(trace, &mut steps, &index);
    for (number, (at, sample)) in trace.waits.iter().enumerate() {
        // What stays the same is not recorded with each sample.
        let next = trace.waits.get(number + 1).map_or(*at, |(next, _)| *next);
        let until = if next - *at <= UNCHANGED_MAX { next } else { *at };
        for step in &mut steps[index(*at)..=index(until)] {
            step.lock_waits = step.lock_waits.max(sample.waits.len() as u64);
        }
    }
    wal(trace, &mut steps, &index);
    steps
}

fn latency(trace: &Trace<'_>, width: Micros, steps: &mut [TimelineStep]) {
    let mut buckets = Buckets::new(width);
    for operation in &trace.operations {
        let failed = operation.outcome != OperationOutcome::Succeeded;
        buckets.record(operation.scheduled_us, operation.latency(), failed);
    }
    for (step, bucket) in steps.iter_mut().zip(buckets.series()) {
        let Bucket { count, p50_us, p99_us, max_us, .. } = bucket;
        *step = TimelineStep { offered: count, p50_us, p99_us, max_us, ..*step };
    }
}

/// Connections in use and operations that wait for one. What lasts is in every step that it lasts.
fn pressure(trace: &Trace<'_>, steps: &mut [TimelineStep], index: &impl Fn(Micros) -> usize) {
    let (mut in_use, mut waiting, mut at_step) = (0_i64, 0_i64, 0);
    for moment in pool::steps(trace).chunk_by(|a, b| a.at() == b.at()) {
        let here = index(moment[0].at());
        for step in &mut steps[at_step..=here] {
            step.in_use = step.in_use.max(in_use as u64);
            step.waiting = step.waiting.max(waiting as u64);
        }
        // What happens at one moment is looked at when all of it has happened.
        in_use = (in_use + moment.iter().map(|step| step.in_use()).sum::<i64>()).max(0);
        waiting = (waiting + moment.iter().map(|step| step.waiting()).sum::<i64>()).max(0);
        at_step = here;
        steps[here].in_use = steps[here].in_use.max(in_use as u64);
        steps[here].waiting = steps[here].waiting.max(waiting as u64);
    }
}

/// What came between two samples is spread over the time between them.
fn wal(trace: &Trace<'_>, steps: &mut [TimelineStep], index: &impl Fn(Micros) -> usize) {
    for pair in trace.wal.windows(2) {
        let ((from, before), (to, after)) = (pair[0], pair[1]);
        let written = after.bytes.saturating_sub(before.bytes);
        let (first, last) = (index(from), index(to));
        share(steps, (first, last), (from, to), written);
    }
}

fn share(
    steps: &mut [TimelineStep],
    (first, last): (usize, usize),
    span: (Micros, Micros),
    written: u64,
) {
    let length = (span.1 - span.0).0.max(1);
    let mut left = written;
    for at in first..=last {
        let begin = steps[at].from_us.max(span.0);
        let end = steps.get(at + 1).map_or(span.1, |next| next.from_us.min(span.1));
        let part = match at == last {
            true => left,
            false => {
                (u128::from(written) * u128::from((end - begin).0) / u128::from(length)) as u64
            }
        };
        left -= part.min(left);
        *steps[at].wal_bytes.get_or_insert(0) += part;
    }
}
