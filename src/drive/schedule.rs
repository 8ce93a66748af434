//! When operations are scheduled, and which: a pure function of the scenario and its `rng_seed`.
//!
//! Nothing here waits or knows a clock. A schedule that depended on the server would leave out
//! exactly the operations that a stall delays (coordinated omission).

use crate::clock::Micros;
use crate::scenario::generate::math::{ln, unit};
use crate::scenario::generate::{Rng, stream};
use crate::scenario::{Arrivals, OperationSpec, Traffic};

/// What lets an operation go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// The clock: operations are scheduled whatever the server does.
    /// Operations are due at their own times, whatever the server does.
    Open {
        /// How the times between two operations are drawn.
        arrivals: Arrivals,
        /// Operations per second.
        rate_per_s: f64,
    },
    /// The operation before it: each of `workers` begins the next one when its last has finished.
    /// For measuring the driver's own cost; it hides queueing by construction.
    /// Each worker sends its next operation when the one before has ended.
    Closed {
        /// Number of workers.
        workers: u32,
    },
}

impl Schedule {
    /// The scenario's own, which is always open.
    pub fn of(traffic: &Traffic) -> Schedule {
        Schedule::Open { arrivals: traffic.arrivals, rate_per_s: traffic.rate.per_s() }
    }
}

/// One operation of an open schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// From 0.
    pub seq: u64,
    /// From the beginning of the schedule.
    pub offset: Micros,
    /// Index into the scenario's operations.
    pub kind: u16,
}

/// The arrivals of an open schedule, in order and without end. Empty where it can have none:
/// no operation, no weight, or no rate.
pub struct Timetable {
    arrivals: Arrivals,
    rate_per_s: f64,
    mix: Option<Mix>,
    times: Rng,
    seq: u64,
    elapsed_s: f64,
}

impl Timetable {
    /// Makes the timetable of a schedule; `rng` draws the times.
    pub fn new(
        arrivals: Arrivals,
        rate_per_s: f64,
        operations: &[OperationSpec],
        rng_seed: u64,
    ) -> Timetable {
        let mix = Mix::new(operations, stream(rng_seed, "schedule-kinds", 0));
        Timetable {
            arrivals,
            rate_per_s,
            mix: mix.filter(|_| rate_per_s.is_finite() && rate_per_s > 0.0),
            times: stream(rng_seed, "schedule-times", 0),
            seq: 0,
            elapsed_s: 0.0,
        }
    }
}

impl Iterator for Timetable {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let kind = self.mix.as_mut()?.draw();
        let seq = self.seq;
        self.seq += 1;
        let at_s = match self.arrivals {
            // Multiplied rather than summed: a sum of steps would drift over millions of them.
            Arrivals::Uniform => seq as f64 / self.rate_per_s,
            Arrivals::Poisson => {
                // 1 − u, because u may be 0 and is never 1.
                self.elapsed_s -= ln(1.0 - unit(&mut self.times)) / self.rate_per_s;
                self.elapsed_s
            }
        };
        Some(Arrival { seq, offset: Micros::from_secs_f64(at_s), kind })
    }
}

/// Draws kinds of operations by their weights.
pub struct Mix {
    /// Sum of the weights up to and with each kind.
    up_to: Vec<f64>,
    total: f64,
    rng: Rng,
}

impl Mix {
    /// None where no operation has any weight.
    pub fn new(operations: &[OperationSpec], rng: Rng) -> Option<Mix> {
        let mut total = 0.0;
        let sum = |operation: &OperationSpec| {
            total += operation.weight.max(0.0);
            total
        };
        let up_to: Vec<f64> = operations.iter().map(sum).collect();
        (total > 0.0).then_some(Mix { up_to, total, rng })
    }

    /// Draws the index of an operation.
    pub fn draw(&mut self) -> u16 {
        let point = unit(&mut self.rng) * self.total;
        let kind = self.up_to.partition_point(|up_to| *up_to <= point);
        // A product that was rounded up to the total would fall behind the last kind.
        kind.min(self.up_to.len() - 1) as u16
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scenario::On;

    fn operation(weight: f64) -> OperationSpec {
        OperationSpec {
            name: "operation".to_owned(),
            weight,
            statements: Vec::new(),
            parameters: Default::default(),
            ledger: None,
            on: On::Primary,
        }
    }

    fn timetable(
        arrivals: Arrivals,
        rate_per_s: f64,
        weights: &[f64],
        rng_seed: u64,
        count: usize,
    ) -> Vec<Arrival> {
        let operations: Vec<OperationSpec> = weights.iter().copied().map(operation).collect();
        Timetable::new(arrivals, rate_per_s, &operations, rng_seed).take(count).collect()
    }

    fn any_arrivals() -> impl Strategy<Value = Arrivals> {
        prop_oneof![Just(Arrivals::Poisson), Just(Arrivals::Uniform)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn arrivals_are_numbered_without_gaps_and_never_go_back(
            arrivals in any_arrivals(), rate in 0.1f64..50_000.0, rng_seed: u64,
        ) {
            let drawn = timetable(arrivals, rate, &[1.0], rng_seed, 2_000);
            for (n, pair) in drawn.windows(2).enumerate() {
                prop_assert!(pair[0].offset <= pair[1].offset);
                prop_assert_eq!(pair[0].seq, n as u64);
            }
        }

        #[test]
        fn the_rate_is_the_declared_one(
            arrivals in any_arrivals(), rate in 0.5f64..20_000.0, rng_seed: u64,
        ) {
            const COUNT: usize = 20_000;
            let drawn = timetable(arrivals, rate, &[1.0], rng_seed, COUNT);
            let measured = COUNT as f64 / drawn[COUNT - 1].offset.as_secs_f64();
            // The mean of n exponential steps has a relative deviation of 1/√n = 0.7 %: 6 of them.
            prop_assert!((measured / rate - 1.0).abs() < 0.042, "{} for {}", measured, rate);
        }

        #[test]
        fn kinds_come_in_the_proportion_of_their_weights(
            weights in prop::collection::vec(0.0f64..10.0, 1..6), rng_seed: u64,
        ) {
            const COUNT: usize = 20_000;
            let total: f64 = weights.iter().sum();
            prop_assume!(total > 0.1);
            let drawn = timetable(Arrivals::Uniform, 1.0, &weights, rng_seed, COUNT);
            for (kind, weight) in weights.iter().enumerate() {
                let expected = weight / total;
                let share =
                    drawn.iter().filter(|a| usize::from(a.kind) == kind).count() as f64
                        / COUNT as f64;
                // Binomial: at most 0.5/√n = 0.35 % deviation, 6 of them.
                prop_assert!((share - expected).abs() < 0.022, "{} for {}", share, expected);
            }
        }

        #[test]
        fn the_same_seed_gives_the_same_schedule_and_another_seed_another(
            arrivals in any_arrivals(), rng_seed: u64,
        ) {
            let weights = [1.0, 2.0];
            let first = timetable(arrivals, 100.0, &weights, rng_seed, 500);
            prop_assert_eq!(&first, &timetable(arrivals, 100.0, &weights, rng_seed, 500));
            let other = timetable(arrivals, 100.0, &weights, rng_seed.wrapping_add(1), 500);
            prop_assert_ne!(&first, &other);
        }
    }

    #[test]
    fn uniform_arrivals_keep_their_distance_for_a_whole_day() {
        let last = timetable(Arrivals::Uniform, 3.0, &[1.0], 1, 259_201)[259_200];
        assert_eq!(last.offset, Micros::from_secs(86_400));
    }

    #[test]
    fn nothing_is_scheduled_without_a_rate_or_a_weight() {
        assert!(timetable(Arrivals::Poisson, 0.0, &[1.0], 1, 3).is_empty());
        assert!(timetable(Arrivals::Poisson, 5.0, &[], 1, 3).is_empty());
        assert!(timetable(Arrivals::Poisson, 5.0, &[0.0], 1, 3).is_empty());
    }
}
