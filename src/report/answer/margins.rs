//! Limits, what each trial shows of them, and how far the worst is from its limit.

use crate::clock::Micros;
use crate::result::{Limited, Margin};
use crate::stats::grouped;

use super::said::Answer;

/// A limit over all trials.
pub struct MarginRow {
    pub limited: &'static str,
    pub limit: String,
    /// In the order of the trials; `-`: it was not observed there.
    pub observed: Vec<(String, bool)>,
    /// Of the worst of them.
    pub margin: String,
    pub holds: bool,
}

const ALL: [Limited; 6] = [
    Limited::LongestWait,
    Limited::P99Latency,
    Limited::FailedOperations,
    Limited::AcquireTimeouts,
    Limited::LostWrites,
    Limited::RerunLock,
];

fn name(of: Limited) -> &'static str {
    match of {
        Limited::LongestWait => "longest wait",
        Limited::P99Latency => "p99 latency",
        Limited::FailedOperations => "failed operations",
        Limited::AcquireTimeouts => "pool gave up",
        Limited::LostWrites => "lost writes",
        Limited::RerunLock => "lock of a rerun",
    }
}

impl Answer<'_> {
    /// Those that any trial shows, in one order.
    pub fn margins(&self) -> Vec<MarginRow> {
        ALL.into_iter().filter_map(|of| self.row(of)).collect()
    }

    fn row(&self, of: Limited) -> Option<MarginRow> {
        let margins = self.trials.iter().map(|(_, judgement)| {
            let mut margins = judgement.margins.iter();
            margins.find(|margin| margin.of == of)
        });
        let margins: Vec<Option<&Margin>> = margins.collect();
        let worst = margins.iter().flatten().max_by(|a, b| excess(a).total_cmp(&excess(b)))?;
        let limits: Vec<u64> = margins.iter().flatten().map(|margin| margin.limit).collect();
        let limit = match (limits.iter().min(), limits.iter().max()) {
            // That of a latency follows from what it was before the change.
            (Some(min), Some(max)) if min != max => {
                format!("{} – {}", words(of, *min), words(of, *max))
            }
            _ => words(of, worst.limit),
        };
        let observed = margins.iter().map(|margin| match margin {
            Some(margin) => (words(of, margin.observed), margin.holds()),
            None => ("-".to_owned(), true),
        });
        Some(MarginRow {
            limited: name(of),
            limit,
            observed: observed.collect(),
            margin: margin_words(worst),
            holds: worst.holds(),
        })
    }
}

/// How many times the limit; of a limit of 0, one more than was observed.
fn excess(margin: &Margin) -> f64 {
    match margin.limit {
        0 => margin.observed as f64 + 1.0,
        limit => margin.observed as f64 / limit as f64,
    }
}

fn words(of: Limited, value: u64) -> String {
    match of.is_time() {
        true => Micros(value).to_string(),
        false => grouped(value),
    }
}

fn margin_words(margin: &Margin) -> String {
    match (margin.holds(), margin.limit) {
        (true, 0) => "kept".to_owned(),
        (true, limit) => format!("{} % left", 100 * (limit - margin.observed) / limit),
        (false, 0) => format!("{} over", grouped(margin.observed)),
        (false, _) => format!("{:.1} × the limit", excess(margin)),
    }
}
