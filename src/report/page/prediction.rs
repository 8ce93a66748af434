//! Statements with the size on the axis: what was measured, the interval, the timeout in force.

use std::fmt::Write;

use crate::assess;
use crate::clock::Micros;
use crate::report::prediction::lines;
use crate::result::{ChangeAssessment, Prediction, ResultFile, StatementGrowth};
use crate::scenario::size_name;
use crate::stats::{Growth, Point};

use super::html::{list, text};

/// Places of a drawing: its width, its height, and the margins on the left and below.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 72.0;
const BELOW: f64 = 28.0;
const MARGIN: f64 = 12.0;
/// Points of a curve.
const STEPS: usize = 48;
/// Drawings of a change; the other statements have their line.
const DRAWN_MAX: usize = 6;

/// Empty where nothing was predicted.
pub fn predictions(result: &ResultFile) -> String {
    result.changes.iter().map(of_change).collect()
}

fn of_change(change: &ChangeAssessment) -> String {
    let Some(prediction) = &change.prediction else { return String::new() };
    let mut out = format!(
        "<section class=\"prediction\">\n<h2>{} at other sizes</h2>\n{}",
        text(&change.scenario),
        list("", &lines(prediction))
    );
    for growth in prediction.statements.iter().take(DRAWN_MAX) {
        out.push_str(&drawing(growth, prediction));
    }
    out.push_str("</section>\n");
    out
}

/// Rows and microseconds to places; both axes are logarithmic.
struct Frame {
    rows: (f64, f64),
    times: (f64, f64),
}

impl Frame {
    fn x(&self, rows: f64) -> f64 {
        let share = (rows / self.rows.0).ln() / (self.rows.1 / self.rows.0).ln();
        LEFT + share * (WIDTH - LEFT - MARGIN)
    }

    fn y(&self, us: f64) -> f64 {
        let share = (us / self.times.0).ln() / (self.times.1 / self.times.0).ln();
        HEIGHT - BELOW - share.clamp(0.0, 1.0) * (HEIGHT - BELOW - MARGIN)
    }
}

fn drawing(growth: &StatementGrowth, prediction: &Prediction) -> String {
    let points: Vec<Point> = growth
        .points
        .iter()
        .map(|point| Point { n: point.rows as f64, y: point.took_us.0.max(1) as f64 })
        .collect();
    let likely = assess::likely(&growth.statement.text);
    let Some(fitted) = Growth::expecting(&points, likely) else { return String::new() };
    let fitted = fitted.widened(growth.widened());
    let first = points.iter().map(|p| p.n).fold(f64::INFINITY, f64::min);
    let asked = prediction.verdict.map(|_| growth.rows as f64);
    let crossed = growth.timeout.as_ref().map(|t| t.to_rows.unwrap_or(t.from_rows) as f64);
    let far = asked.unwrap_or(0.0).max(fitted.largest());
    // A crossing that is far beyond what is asked about would leave no room for the rest.
    let last = far.max(crossed.filter(|rows| *rows <= far * 10.0).unwrap_or(0.0)) * 1.2;
    let sizes = (0..=STEPS).map(|step| first * (last / first).powf(step as f64 / STEPS as f64));
    let band: Vec<_> = sizes.map(|rows| (rows, fitted.at(rows))).collect();
    // The times are sums; a timeout is of each run.
    let timeout = growth.timeout.as_ref().filter(|_| growth.runs == 1);
    let limit = timeout.map(|timeout| timeout.limit_us.0 as f64);
    let low = points.iter().map(|p| p.y).fold(f64::INFINITY, f64::min) / 1.5;
    let high = band.iter().map(|(_, e)| e.high).fold(limit.unwrap_or(0.0), f64::max) * 1.3;
    let frame = Frame { rows: (first / 1.2, last), times: (low.max(1.0), high) };
    let mut svg = String::new();
    axes(&mut svg, &frame);
    let ends = |of: &dyn Fn(usize) -> (f64, f64), order: &mut dyn Iterator<Item = usize>| {
        let place = |index: usize| {
            let (rows, us) = of(index);
            format!("{:.1},{:.1}", frame.x(rows), frame.y(us))
        };
        order.map(place).collect::<Vec<_>>().join(" ")
    };
    let upper = ends(&|i| (band[i].0, band[i].1.high), &mut (0..band.len()));
    let lower = ends(&|i| (band[i].0, band[i].1.low), &mut (0..band.len()).rev());
    let middle = ends(&|i| (band[i].0, band[i].1.mid), &mut (0..band.len()));
    let _ = write!(svg, "<polygon class=\"band\" points=\"{upper} {lower}\"/>");
    let _ = write!(svg, "<polyline class=\"mid\" points=\"{middle}\"/>");
    if let (Some(limit), Some(timeout)) = (limit, timeout) {
        let y = frame.y(limit);
        let label = text(&format!("{} {}", timeout.setting, timeout.limit_us));
        let _ = write!(
            svg,
            "<line class=\"limit\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"limit\" x=\"{:.1}\" y=\"{:.1}\">{label}</text>",
            LEFT + 6.0,
            y - 4.0
        );
    }
    if let Some(rows) = asked {
        let x = frame.x(rows);
        let foot = HEIGHT - BELOW;
        let _ = write!(
            svg,
            "<line class=\"asked\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{MARGIN}\" y2=\"{foot}\"/>"
        );
    }
    for point in &points {
        let (x, y) = (frame.x(point.n), frame.y(point.y));
        let _ = write!(svg, "<circle class=\"measured\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
    }
    let caption = text(&crate::pg::lex::one_line(&growth.statement.text));
    let table = text(&growth.table);
    format!(
        "<figure class=\"growth\"><figcaption><code>{caption}</code>, time by rows of {table}\
         </figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"time by rows \
         of {table}: measured, predicted and its interval\">{svg}</svg></figure>\n"
    )
}

/// Both axes with a tick per power of ten, and the sizes that were measured in between.
fn axes(svg: &mut String, frame: &Frame) {
    let foot = HEIGHT - BELOW;
    let _ =
        write!(svg, "<path class=\"axis\" d=\"M{LEFT} {MARGIN}V{foot}H{WIDTH}\" fill=\"none\"/>");
    for power in powers(frame.times) {
        let y = frame.y(power);
        let label = text(&Micros(power as u64).to_string());
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{label}</text>",
            LEFT - 6.0,
            y + 4.0
        );
    }
    for power in powers(frame.rows) {
        let x = frame.x(power);
        let label = text(&size_name(power as u64));
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{MARGIN}\" y2=\"{foot}\"/>\
             <text class=\"tick middle\" x=\"{x:.1}\" y=\"{:.1}\">{label}</text>",
            HEIGHT - 8.0
        );
    }
}

/// Powers of ten within a span.
fn powers((low, high): (f64, f64)) -> impl Iterator<Item = f64> {
    let (first, last) = (low.log10().ceil() as i32, high.log10().floor() as i32);
    (first..=last).map(|power| 10_f64.powi(power))
}
