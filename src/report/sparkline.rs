//! The course of latency in one line: what a stall looks like, and when.

use crate::clock::Micros;
use crate::result::Measured;
use crate::stats::Bucket;

/// Columns of the line.
const COLUMNS: usize = 60;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A trial in which nothing took longer has no course to show.
const CALM: Micros = Micros::from_millis(10);

/// The longest latency of the operations due in each stretch, from zero to the longest of all, and
/// what the line spans; None: nothing was due, or it is calm throughout.
pub fn sparkline(measured: &Measured) -> Option<(String, String)> {
    of_series(&measured.series)
}

fn of_series(series: &[Bucket]) -> Option<(String, String)> {
    let highest = series.iter().map(|bucket| bucket.max_us).max()?;
    if highest <= CALM {
        return None;
    }
    let per_column = series.len().div_ceil(COLUMNS).max(1);
    let bar = |buckets: &[Bucket]| match buckets.iter().map(|b| b.count).sum::<u64>() {
        0 => ' ',
        _ => height(buckets.iter().map(|b| b.max_us).max().unwrap_or_default(), highest),
    };
    let line: String = series.chunks(per_column).map(bar).collect();
    let width = series.get(1).map_or(Micros::ZERO, |second| second.from_us);
    let span = Micros(width.0.saturating_mul(series.len() as u64));
    Some((line, format!("longest latency by due time, up to {highest}, over {span}")))
}

fn height(latency: Micros, highest: Micros) -> char {
    let share = latency.0 as f64 / highest.0.max(1) as f64;
    let step = (share * (BARS.len() - 1) as f64).round() as usize;
    BARS[step.min(BARS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(index: u64, max_ms: u64, count: u64) -> Bucket {
        let from_us = Micros::from_millis(100 * index);
        Bucket { from_us, count, max_us: Micros::from_millis(max_ms), ..Bucket::default() }
    }

    #[test]
    fn a_stall_stands_out_and_silence_is_blank() {
        let highest = Micros::from_millis(10_000);
        assert_eq!(height(Micros::from_millis(2), highest), '▁');
        assert_eq!(height(highest, highest), '█');
        assert_eq!(height(Micros::from_millis(5_000), highest), '▅');
    }

    #[test]
    fn a_column_is_as_high_as_its_longest_and_blank_where_nothing_was_due() {
        let series = [bucket(0, 2, 20), bucket(1, 1_000, 20), bucket(2, 0, 0), bucket(3, 5, 20)];
        let (line, span) = of_series(&series).expect("a stall");
        assert_eq!(line, "▁█ ▁");
        assert_eq!(span, "longest latency by due time, up to 1.00 s, over 400 ms");
        assert_eq!(of_series(&series[..1]), None);
    }
}
