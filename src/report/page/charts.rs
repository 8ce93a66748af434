//! The charts' lines as SVG paths.
//!
//! A picture is the plot area alone and fills its element, so that charts of one width share their
//! time axis, whatever is beside them, and a page may stretch a picture to its own width. Ticks and
//! labels are the page's: stretched letters cannot be read. Colours are names of CSS variables, so
//! that one picture serves the light scheme and the dark one.

use std::fmt::Write as _;
use std::ops::Range;

/// Units of a picture; the page stretches them.
const WIDTH: f64 = 1_200.0;
const HEIGHT: f64 = 120.0;
const STROKE: f64 = 1.5;
const FILL_OPACITY: f64 = 0.1;
/// Least and most of a logarithmic axis where nothing was measured; microseconds.
const LOG_LEAST: f64 = 1e2;
const LOG_MOST: f64 = 1e4;
/// Intervals between the ticks of a linear axis.
const INTERVALS: f64 = 3.0;

/// One line. A value holds from its own step to the next one; None is a gap.
pub struct Line {
    /// Name of a CSS variable.
    pub colour: &'static str,
    pub filled: bool,
    pub values: Vec<Option<f64>>,
}

/// What the values are drawn against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// From zero.
    Linear { most: f64, tick: f64 },
    /// Whole decades.
    Log { least: f64, most: f64 },
}

impl Scale {
    /// A round scale with room for these.
    pub fn linear(values: impl Iterator<Item = f64>) -> Scale {
        let most = values.fold(0.0, f64::max).max(1.0);
        let rough = most / INTERVALS;
        let decade = 10_f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|factor| factor * decade);
        let fits = round.into_iter().find(|tick| *tick >= rough * 0.999 && tick.fract() == 0.0);
        let tick = fits.unwrap_or_else(|| rough.ceil()).max(1.0);
        Scale::Linear { most: (most / tick).ceil() * tick, tick }
    }

    pub fn log(values: impl Iterator<Item = f64>) -> Scale {
        let positive = values.filter(|value| *value > 0.0);
        let ends = positive.fold(None, |ends: Option<(f64, f64)>, value| {
            let (least, most) = ends.unwrap_or((value, value));
            Some((least.min(value), most.max(value)))
        });
        let (least, most) = ends.unwrap_or((LOG_LEAST, LOG_MOST));
        let (low, high) = (least.log10().floor(), most.log10().ceil());
        Scale::Log { least: 10_f64.powf(low), most: 10_f64.powf(high.max(low + 1.0)) }
    }

    /// Values at which to put a tick, from below.
    pub fn ticks(self) -> Vec<f64> {
        match self {
            Scale::Linear { most, tick } => {
                (0..=(most / tick).round() as u32).map(|n| f64::from(n) * tick).collect()
            }
            Scale::Log { least, most } => {
                let decades = (most / least).log10().round() as i32;
                (0..=decades).map(|n| least * 10_f64.powi(n)).collect()
            }
        }
    }

    /// The height of a value, from 0 to 1.
    pub fn height(self, value: f64) -> f64 {
        match self {
            Scale::Linear { most, .. } => (value / most).clamp(0.0, 1.0),
            Scale::Log { least, most } => {
                ((value.max(least) / least).log10() / (most / least).log10()).clamp(0.0, 1.0)
            }
        }
    }
}

/// The picture. `steps` is the length of the time axis in steps, the last of which may be cut.
pub fn svg(lines: &[Line], scale: Scale, steps: f64) -> String {
    let paths: String = lines.iter().map(|line| paths(line, scale, steps)).collect();
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         {paths}</svg>"
    )
}

/// A path per stretch without a gap, below it the area down to the axis where that is filled.
fn paths(line: &Line, scale: Scale, steps: f64) -> String {
    let mut out = String::new();
    let colour = line.colour;
    for stretch in stretches(&line.values) {
        let x = |step: usize| tenths((step as f64).min(steps) / steps * WIDTH);
        let from = x(stretch.start);
        let mut path = String::new();
        for (step, value) in stretch.clone().zip(line.values[stretch].iter().flatten()) {
            let y = tenths((1.0 - scale.height(*value)) * HEIGHT);
            let command = if path.is_empty() { format!("M{from} {y}") } else { format!("V{y}") };
            let _ = write!(path, "{command}H{}", x(step + 1));
        }
        if line.filled {
            let _ = write!(
                out,
                "<path d=\"{path}V{HEIGHT}H{from}Z\" fill=\"var({colour})\" \
                 fill-opacity=\"{FILL_OPACITY}\"/>",
            );
        }
        let _ = write!(
            out,
            "<path d=\"{path}\" stroke=\"var({colour})\" stroke-width=\"{STROKE}\" fill=\"none\"/>"
        );
    }
    out
}

/// The steps between two gaps.
fn stretches(values: &[Option<f64>]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for step in values.iter().enumerate().filter(|(_, value)| value.is_some()).map(|(at, _)| at) {
        match found.last_mut() {
            Some(last) if last.end == step => last.end += 1,
            _ => found.push(step..step + 1),
        }
    }
    found
}

/// Finer than that, nothing can be seen.
fn tenths(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[Option<f64>]) -> String {
        let line = Line { colour: "--s", filled: false, values: values.to_vec() };
        svg(&[line], Scale::Linear { most: 10.0, tick: 5.0 }, values.len() as f64)
    }

    #[test]
    fn a_line_spans_the_picture_from_edge_to_edge() {
        let svg = drawn(&[Some(0.0), Some(10.0)]);
        assert!(svg.contains("M0 120H600V0H1200\""), "{svg}");
        assert!(svg.contains("stroke=\"var(--s)\""), "{svg}");
    }

    #[test]
    fn the_same_values_are_the_same_picture() {
        assert_eq!(drawn(&[Some(1.0), Some(2.0)]), drawn(&[Some(1.0), Some(2.0)]));
    }

    #[test]
    fn a_gap_ends_a_line_and_a_step_alone_is_one() {
        let svg = drawn(&[Some(5.0), None, Some(5.0)]);
        assert_eq!(svg.matches("<path").count(), 2, "{svg}");
    }

    #[test]
    fn a_scale_is_round_and_holds_its_values() {
        let linear = |most| Scale::linear([most].into_iter());
        assert_eq!(linear(30.0), Scale::Linear { most: 30.0, tick: 10.0 });
        assert_eq!(linear(1.0), Scale::Linear { most: 1.0, tick: 1.0 });
        assert_eq!(linear(1_842.0), Scale::Linear { most: 2_000.0, tick: 1_000.0 });
        let log = Scale::log([2_500.0, 0.0, 9_500_000.0].into_iter());
        assert_eq!(log, Scale::Log { least: 1e3, most: 1e7 });
        assert_eq!(log.ticks().len(), 5);
        assert!((log.height(1e5) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_filled_line_has_an_area_down_to_the_axis_and_a_cut_last_step() {
        let line = Line { colour: "--s", filled: true, values: vec![Some(3.3), Some(5.0)] };
        let svg = svg(&[line], Scale::Linear { most: 10.0, tick: 5.0 }, 1.3);
        let (area, drawn) = ("M0 80.4H923.1V60H1200V120H0Z", "M0 80.4H923.1V60H1200\"");
        assert!(svg.contains(area) && svg.contains(drawn), "{svg}");
    }
}
