//! Finds what overlaps a span without looking at all there is.

use std::ops::Range;

use crate::clock::Micros;

/// An index of intervals that are in order of their begin.
///
/// Its answers are exact at the later end. At the earlier one they begin with the first interval
/// that reaches into the span, so they hold all that overlaps it and little else as long as no
/// interval lasts very much longer than the others.
#[derive(Clone, Debug, Default)]
pub struct Overlaps {
    begins: Vec<Micros>,
    /// The latest end up to and with each interval.
    ends: Vec<Micros>,
}

impl Overlaps {
    pub fn of(intervals: impl Iterator<Item = (Micros, Micros)>) -> Overlaps {
        let mut overlaps = Overlaps::default();
        for (begin, end) in intervals {
            let latest = overlaps.ends.last().map_or(end, |latest| end.max(*latest));
            overlaps.begins.push(begin);
            overlaps.ends.push(latest);
        }
        overlaps
    }

    /// Numbers of the intervals among which are all that touch the span.
    pub fn within(&self, (from, to): (Micros, Micros)) -> Range<usize> {
        let first = self.ends.partition_point(|end| *end < from);
        let last = self.begins.partition_point(|begin| *begin <= to);
        first..last.max(first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_that_touches_a_span_is_left_out(
            mut intervals in prop::collection::vec((0u64..100, 0u64..30), 0..40),
            from in 0u64..120, length in 0u64..40,
        ) {
            intervals.sort_unstable();
            let all: Vec<(Micros, Micros)> =
                intervals.iter().map(|(at, length)| (Micros(*at), Micros(at + length))).collect();
            let span = (Micros(from), Micros(from + length));
            let found = Overlaps::of(all.iter().copied()).within(span);
            for (number, (begin, end)) in all.iter().enumerate() {
                let touches = *begin <= span.1 && *end >= span.0;
                prop_assert!(!touches || found.contains(&number));
            }
            for number in found.clone() {
                prop_assert!(all[number].0 <= span.1);
            }
            prop_assert!(found.is_empty() || all[found.start].1 >= span.0);
        }
    }
}
