//! The charts' lines, by kuva; nothing outside of this file knows the library.
//!
//! It draws the plot area alone and fills the whole picture with it, so that charts of one width
//! share their time axis, whatever stands beside them, and a page may stretch a picture to its own
//! width. Ticks and labels are the page's: stretched letters cannot be read. Colours are names of
//! CSS variables, so that one picture serves the light scheme and the dark one.

use kuva::plot::LinePlot;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::theme::Theme;

/// Units of a picture; the page stretches them.
const WIDTH: f64 = 1_200.0;
const HEIGHT: f64 = 120.0;
const STROKE: f64 = 1.5;
const FILL_OPACITY: f64 = 0.16;
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

    /// How far up a value stands, from 0 to 1.
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
    let plots: Vec<Plot> = lines.iter().flat_map(|line| plots(line, scale, steps)).collect();
    let (least, most) = match scale {
        Scale::Linear { most, .. } => (0.0, most),
        Scale::Log { least, most } => (least, most),
    };
    let mut layout = Layout::new((0.0, steps), (least, most))
        .with_width(WIDTH)
        .with_height(HEIGHT)
        .with_show_grid(false)
        .with_theme(theme())
        .with_force_margins(0.0, 0.0)
        .with_force_margins_y(0.0, 0.0)
        .with_x_axis_min(0.0)
        .with_x_axis_max(steps)
        .with_y_axis_min(least)
        .with_y_axis_max(most);
    if matches!(scale, Scale::Log { .. }) {
        layout = layout.with_log_y();
    }
    (layout.suppress_x_ticks, layout.suppress_y_ticks) = (true, true);
    stretchable(&kuva::render_to_svg(plots, layout))
}

/// A line per stretch without a gap.
fn plots(line: &Line, scale: Scale, steps: f64) -> Vec<Plot> {
    let mut stretches: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut open = false;
    for (index, value) in line.values.iter().enumerate() {
        let Some(value) = value else {
            open = false;
            continue;
        };
        let value = match scale {
            Scale::Linear { .. } => *value,
            Scale::Log { least, .. } => value.max(least),
        };
        let (from, to) = (index as f64, (index as f64 + 1.0).min(steps));
        if !open {
            stretches.push(Vec::new());
        }
        if let Some(stretch) = stretches.last_mut() {
            // The end of the step before is the begin of this one.
            if open {
                stretch.pop();
            }
            stretch.extend([(from, value), (to, value)]);
        }
        open = true;
    }
    let plot = |stretch: Vec<(f64, f64)>| {
        let plot = LinePlot::new().with_data(stretch).with_step();
        let plot = plot.with_color(format!("var({})", line.colour)).with_stroke_width(STROKE);
        Plot::Line(if line.filled {
            plot.with_fill().with_fill_opacity(FILL_OPACITY)
        } else {
            plot
        })
    };
    stretches.into_iter().map(plot).collect()
}

fn theme() -> Theme {
    let none = || "none".to_owned();
    Theme {
        background: none(),
        axis_color: none(),
        grid_color: none(),
        tick_color: none(),
        show_grid: false,
        ..Theme::light()
    }
}

/// The picture's paths in an element that takes any size, their numbers to a tenth. What is around
/// them goes: axes without a colour, and a clip whose name counts up from picture to picture, so
/// that no page would be the same twice.
fn stretchable(svg: &str) -> String {
    let element = |rest: &str| rest.split_once("/>").map(|(path, _)| format!("<path{path}/>"));
    let paths: String = svg.split("<path").skip(1).filter_map(element).collect();
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         {}</svg>",
        short(&to_tenths(&paths))
    )
}

/// Drops every digit but the first after a point that follows a digit.
fn to_tenths(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    let (mut last, mut decimals) = (' ', None);
    for c in svg.chars() {
        decimals = match (decimals, c) {
            (None, '.') if last.is_ascii_digit() => Some(0),
            (Some(n), c) if c.is_ascii_digit() => Some(n + 1),
            _ => None,
        };
        if decimals.is_none_or(|n| n <= 1) {
            out.push(c);
        }
        last = c;
    }
    out
}

/// A path is the same without these blanks and zeros, and a third shorter.
fn short(paths: &str) -> String {
    paths.replace(".0 ", " ").replace("M ", "M").replace(" L ", "L").replace("L ", "L")
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
        assert!(svg.contains("M0 120L600 120L600 0L1200 0"), "{svg}");
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
    fn numbers_keep_a_tenth() {
        assert_eq!(to_tenths("M 1.25 30.000000004L.5 7"), "M 1.2 30.0L.5 7");
    }
}
