//! From a moment to its place on the time axis.

use crate::clock::Micros;
use crate::judge::timeline::Timeline;

/// Lengths of time between two ticks, in seconds.
const TICKS_S: [u64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200];
/// Most ticks of the time axis; more of them run into each other on a phone.
const TICKS_MAX: u64 = 7;

/// The position of a moment, in percent of the width.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    pub end: Micros,
}

impl Axis {
    pub fn of(timeline: &Timeline) -> Axis {
        Axis { end: timeline.end_us.max(Micros(1)) }
    }

    pub fn percent(self, at: Micros) -> f64 {
        100.0 * at.min(self.end).0 as f64 / self.end.0 as f64
    }

    /// For a style attribute.
    pub fn span(self, from: Micros, to: Micros) -> String {
        let left = self.percent(from);
        format!("left:{left:.3}%;width:{:.3}%", (self.percent(to) - left).max(0.0))
    }

    /// Few and round.
    pub fn ticks(self) -> Vec<Micros> {
        let seconds = self.end.0 / 1_000_000;
        let few = TICKS_S.iter().find(|tick| seconds / **tick < TICKS_MAX);
        let tick = few.copied().unwrap_or(seconds / TICKS_MAX + 1);
        (0..=seconds / tick).map(|n| Micros::from_secs(n * tick)).collect()
    }

    /// As long as the axis asks for: `12 s`, `3:20`, `1:05 h`.
    pub fn clock(self, at: Micros) -> String {
        let seconds = at.0 / 1_000_000;
        match self.end.0 / 1_000_000 {
            0..120 => format!("{seconds} s"),
            120..3_600 => format!("{}:{:02}", seconds / 60, seconds % 60),
            _ => format!("{}:{:02} h", seconds / 3_600, seconds / 60 % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_axis_has_few_round_ticks() {
        for (seconds, ticks, last) in
            [(23, 5, "20 s"), (300, 6, "5:00"), (3_600, 7, "1:00 h"), (0, 1, "0 s")]
        {
            let axis = Axis { end: Micros::from_secs(seconds).max(Micros(1)) };
            let found = axis.ticks();
            assert_eq!(found.len(), ticks, "{seconds} s");
            assert_eq!(axis.clock(*found.last().expect("a tick")), last);
        }
    }

    #[test]
    fn a_moment_stands_where_its_share_of_the_time_is() {
        let axis = Axis { end: Micros::from_secs(10) };
        let span = axis.span(Micros::from_secs(5), Micros::from_secs(20));
        assert_eq!(span, "left:50.000%;width:50.000%");
    }
}
