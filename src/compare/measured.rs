//! One metric, or the machine's speed, from two samples: better, same, worse, or undecided.

use super::comparison::{Delta, Interval, Machine, MetricRow, Options, Sample};
use super::evidence::{
    Resampler, Stream, median, p_reachable, p_value, percentile_interval, ratio,
};
use super::metric::{Metric, Speed};

/// With fewer on a side a median is not one.
const REPETITIONS_MIN: usize = 4;

/// How much slower B's machine is, with what its own noise makes of that.
pub struct Slowness {
    ratio: f64,
    drawn: Vec<f64>,
    known: bool,
}

impl Slowness {
    /// None of it is taken out.
    fn none(options: &Options) -> Slowness {
        Slowness { ratio: 1.0, drawn: vec![1.0; options.resamples], known: false }
    }

    pub fn of(a: &[u64], b: &[u64], options: &Options, resampler: &mut Resampler) -> Slowness {
        let float = |values: &[u64]| -> Vec<f64> { values.iter().map(|v| *v as f64).collect() };
        let (a, b) = (float(a), float(b));
        // A control of no time is none.
        if median(&a) <= 0.0 || median(&b) <= 0.0 {
            return Slowness::none(options);
        }
        let drawn_a = resampler.medians(Stream::ControlA, &a);
        let drawn_b = resampler.medians(Stream::ControlB, &b);
        let drawn = drawn_a.iter().zip(&drawn_b).map(|(a, b)| ratio(*a, *b)).collect();
        Slowness { ratio: ratio(median(&a), median(&b)), drawn, known: true }
    }

    pub fn is_slower(&self, options: &Options) -> bool {
        self.ratio >= options.ratio_min
    }

    fn is_faster(&self, options: &Options) -> bool {
        self.ratio <= 1.0 / options.ratio_min
    }

    pub fn machine(&self, a: &[u64], b: &[u64], options: &Options) -> Machine {
        let middle = |values: &[u64]| -> Option<u64> {
            let values: Vec<f64> = values.iter().map(|v| *v as f64).collect();
            (!values.is_empty()).then(|| median(&values) as u64)
        };
        let text = match () {
            () if !self.known => {
                "the machine control is missing: times are compared as measured, and a slower \
                 machine looks like a slower change"
                    .to_owned()
            }
            () if self.is_slower(options) => format!("B's machine was {}", self.words()),
            () if self.is_faster(options) => format!("B's machine was {}", self.words()),
            () => "the machines were about as fast".to_owned(),
        };
        let (low, high) = percentile_interval(self.drawn.clone(), options.confidence);
        Machine {
            control_a_us: middle(a),
            control_b_us: middle(b),
            slower: self.known.then_some(self.ratio),
            interval: self.known.then(|| interval(low, high)),
            text,
        }
    }

    fn words(&self) -> String {
        match self.ratio >= 1.0 {
            true => format!("{:.2} times slower", self.ratio),
            false => format!("{:.2} times faster", 1.0 / self.ratio),
        }
    }
}

fn interval(low: f64, high: f64) -> Interval {
    Interval { low: finite(low), high: finite(high) }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// In which direction B's values lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
    Level,
}

/// What two samples say.
struct Evidence {
    ratio: f64,
    low: f64,
    high: f64,
    p: f64,
    direction: Direction,
}

/// Every condition has to hold: the ranks differ, the interval of the ratio excludes 1, and the
/// difference is large enough to matter.
fn evidence(
    metric: &Metric,
    (a, b): (&[f64], &[f64]),
    slowness: &Slowness,
    options: &Options,
    resampler: &mut Resampler,
) -> Evidence {
    let scaled: Vec<f64> = b.iter().map(|value| value / slowness.ratio).collect();
    let (drawn_a, drawn_b) = (resampler.medians(Stream::A, a), resampler.medians(Stream::B, b));
    let drawn = drawn_a.iter().zip(&drawn_b).zip(&slowness.drawn);
    let drawn = drawn.map(|((a, b), slower)| ratio(*a, b / slower)).collect();
    let (low, high) = percentile_interval(drawn, options.confidence);
    let (median_a, median_b) = (median(a), median(&scaled));
    let (ratio, p) = (ratio(median_a, median_b), p_value(a, &scaled));
    let large = median_a != median_b && (median_b - median_a).abs() >= metric.floor;
    let direction = match p < options.alpha && large {
        true if low > 1.0 && ratio >= options.ratio_min => Direction::Up,
        true if high < 1.0 && ratio <= 1.0 / options.ratio_min => Direction::Down,
        _ => Direction::Level,
    };
    Evidence { ratio, low, high, p, direction }
}

/// The row of a metric. Neither sample is empty.
pub fn row(
    (key, metric): (&str, &Metric),
    (a, b): (&[Option<u64>], &[Option<u64>]),
    slowness: &Slowness,
    options: &Options,
    resampler: &mut Resampler,
) -> MetricRow {
    let float = |values: &[Option<u64>]| -> Vec<f64> {
        values.iter().map(|value| value.map_or(f64::INFINITY, |value| value as f64)).collect()
    };
    let (floats_a, floats_b) = (float(a), float(b));
    let sides = (floats_a.as_slice(), floats_b.as_slice());
    let raw = evidence(metric, sides, &Slowness::none(options), options, resampler);
    let judged = evidence(metric, sides, slowness, options, resampler);
    let (delta, why) = match few(a.len(), b.len(), options) {
        Some(why) => (Delta::Undecided, why),
        None => {
            let (direction, why) =
                Judged { metric, raw: &raw, judged: &judged, slowness, options }.direction();
            (delta(direction, metric), why)
        }
    };
    let shown = if metric.speed == Speed::Scales { &judged } else { &raw };
    // What is drawn from next to nothing would look certain.
    let shown_interval = match few(a.len(), b.len(), options) {
        Some(_) => interval(0.0, f64::INFINITY),
        None => interval(shown.low, shown.high),
    };
    let name = key.strip_prefix(super::metric::STATEMENT.key);
    MetricRow {
        key: key.to_owned(),
        name: name.unwrap_or(metric.name).to_owned(),
        unit: metric.unit,
        speed: metric.speed,
        more_is_worse: metric.more_is_worse,
        a: sample(a, &floats_a),
        b: sample(b, &floats_b),
        ratio: finite(shown.ratio),
        interval: shown_interval,
        raw_ratio: finite(raw.ratio),
        p: shown.p,
        delta,
        why,
    }
}

fn sample(values: &[Option<u64>], floats: &[f64]) -> Sample {
    let median = finite(median(floats)).map(|median| median as u64);
    Sample { values: values.to_vec(), median }
}

/// Why so few values carry no answer, whatever they are; None: they may.
fn few(a: usize, b: usize, options: &Options) -> Option<String> {
    let enough =
        |a: usize, b: usize| a.min(b) >= REPETITIONS_MIN && p_reachable(a, b) < options.alpha;
    if enough(a, b) {
        return None;
    }
    let wanted = (REPETITIONS_MIN..).find(|n| enough(*n, *n)).unwrap_or(REPETITIONS_MIN);
    Some(format!(
        "{a} against {b} repetitions cannot tell a difference from noise: run both with --repeat \
         {wanted}"
    ))
}

fn delta(direction: Option<Direction>, metric: &Metric) -> Delta {
    match direction {
        None => Delta::Undecided,
        Some(Direction::Level) => Delta::Same,
        Some(Direction::Up) if metric.more_is_worse => Delta::Worse,
        Some(Direction::Down) if !metric.more_is_worse => Delta::Worse,
        Some(_) => Delta::Better,
    }
}

/// The values as measured beside those without the machine's speed.
struct Judged<'j> {
    metric: &'j Metric,
    raw: &'j Evidence,
    judged: &'j Evidence,
    slowness: &'j Slowness,
    options: &'j Options,
}

impl Judged<'_> {
    /// None: undecided.
    fn direction(&self) -> (Option<Direction>, String) {
        match self.metric.speed {
            Speed::None => (Some(self.raw.direction), String::new()),
            Speed::Scales => self.scaled(),
            Speed::UpToProportional => self.in_between(),
            Speed::BeyondALimit => self.beyond_a_limit(),
        }
    }

    fn scaled(&self) -> (Option<Direction>, String) {
        // As measured they are alike although the machines are not: a timeout's length, or work
        // whose change the machine's happens to hide. The numbers do not tell which.
        let (least, most) = (1.0 / self.options.ratio_min, self.options.ratio_min);
        let alike =
            (least..=most).contains(&self.raw.ratio) && self.raw.direction == Direction::Level;
        let other = self.slowness.is_slower(self.options) || self.slowness.is_faster(self.options);
        let hidden = alike && other;
        match (self.judged.direction, self.raw.direction) {
            (Direction::Up, _) if hidden => {
                let why = "as measured it is the same: a time that a timeout bounds, or work that \
                           became slower; compare on machines of one speed";
                (None, format!("{}; {why}", self.machine()))
            }
            (Direction::Down, _) if hidden => {
                let why = "as measured it is the same, so that an improvement is not certain";
                (Some(Direction::Level), format!("{}; {why}", self.machine()))
            }
            (Direction::Level, Direction::Up) => {
                (Some(Direction::Level), format!("{}; {}", self.machine(), self.no(self.raw.ratio)))
            }
            (Direction::Level, Direction::Down) => {
                (Some(Direction::Level), format!("{}; no improvement", self.machine()))
            }
            (direction, _) => (Some(direction), String::new()),
        }
    }

    /// Whether the machine explains all, some or none of it is not known: both have to say it.
    fn in_between(&self) -> (Option<Direction>, String) {
        match (self.raw.direction, self.judged.direction) {
            (raw, judged) if raw == judged => (Some(raw), String::new()),
            (Direction::Up, _) if self.slowness.is_slower(self.options) => {
                (Some(Direction::Level), format!("{}; {}", self.machine(), self.no(self.raw.ratio)))
            }
            (Direction::Down, _) if self.slowness.is_faster(self.options) => {
                (Some(Direction::Level), format!("{}; no improvement", self.machine()))
            }
            (raw, _) => (Some(raw), String::new()),
        }
    }

    /// As much as a slower machine explains in proportion is put down to it; of more than that, it
    /// may still be the reason.
    fn beyond_a_limit(&self) -> (Option<Direction>, String) {
        let why = "it counts what is beyond a limit of time, and that alone may be the reason";
        let slower = self.slowness.is_slower(self.options);
        match (self.raw.direction, self.judged.direction) {
            (Direction::Up, Direction::Up) if slower => {
                (None, format!("{}; {why}", self.machine()))
            }
            _ => self.in_between(),
        }
    }

    fn machine(&self) -> String {
        format!("the machine was {}", self.slowness.words())
    }

    fn no(&self, raw: f64) -> String {
        match raw.is_finite() {
            true => format!("that explains {raw:.2} times as much; no regression"),
            false => "no regression".to_owned(),
        }
    }
}
