//! The time axis of a trial: lanes above, charts below, one mapping of time to place for both.
//!
//! Places are shares of the width, so that they hold on any screen. The stalls' shades and the
//! cross-hair lie over all of it.

use std::fmt::Write;

use serde::Serialize;

use crate::clock::Micros;
use crate::judge::timeline::{Timeline, TimelineStep};
use crate::report::bytes;
use crate::result::Judgement;
use crate::scenario::Scenario;
use crate::stats::grouped;

use super::charts::{Line, Scale, svg};
use super::html::{json, text};
use super::lanes;
use super::places::Axis;

/// What the values of a line are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    PerSecond,
    Time,
    Count,
    BytesPerSecond,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::PerSecond => "rate",
            Unit::Time => "time",
            Unit::Count => "count",
            Unit::BytesPerSecond => "bytes",
        }
    }

    fn text(self, value: f64) -> String {
        let whole = value.round().max(0.0) as u64;
        match self {
            Unit::PerSecond => format!("{}/s", grouped(whole)),
            Unit::Time => Micros(whole).to_string(),
            Unit::Count => grouped(whole),
            Unit::BytesPerSecond => format!("{}/s", bytes(whole)),
        }
    }

    /// A tick's label, which is shorter where the unit allows.
    fn tick(self, value: f64) -> String {
        match self {
            Unit::Time if value < 1e3 => format!("{} µs", value.round()),
            Unit::Time if value < 1e6 => format!("{} ms", (value / 1e3).round()),
            Unit::Time => format!("{} s", (value / 1e6).round()),
            Unit::PerSecond | Unit::Count | Unit::BytesPerSecond => self.text(value),
        }
    }
}

/// A line of a panel, as the page names it and the script finds its values.
struct Row {
    name: &'static str,
    /// Its column in the data, and its colour: `--s-` and this.
    key: &'static str,
    colour: &'static str,
    filled: bool,
    value: fn(&TimelineStep, f64) -> Option<f64>,
}

struct Panel {
    title: &'static str,
    unit: Unit,
    rows: &'static [Row],
}

const fn row(
    name: &'static str,
    key: &'static str,
    colour: &'static str,
    filled: bool,
    value: fn(&TimelineStep, f64) -> Option<f64>,
) -> Row {
    Row { name, key, colour, filled, value }
}

const FAILED: &str = "--s-failed";
const CONNECTIONS: &str = "Connections";

const PANELS: [Panel; 6] = [
    Panel {
        title: "Operations",
        unit: Unit::PerSecond,
        rows: &[
            row("completed", "completed", "--s-completed", true, |s, w| rate(s.completed, w)),
            row("failed", "failed", FAILED, true, |s, w| rate(s.failed, w)),
            row("offered", "offered", "--s-offered", false, |s, w| rate(s.offered, w)),
        ],
    },
    Panel {
        title: "Latency by due time",
        unit: Unit::Time,
        rows: &[
            row("max", "max", "--s-max", false, |s, _| due(s, s.max_us)),
            row("p99", "p99", "--s-p99", false, |s, _| due(s, s.p99_us)),
            row("p50", "p50", "--s-p50", false, |s, _| due(s, s.p50_us)),
        ],
    },
    Panel {
        title: CONNECTIONS,
        unit: Unit::Count,
        rows: &[row("in use", "in_use", "--s-used", true, |s, _| Some(s.in_use as f64))],
    },
    // Of its own: where the pool is used up, a hundred times as many wait as there are connections.
    Panel {
        title: "Waiting for a connection",
        unit: Unit::Count,
        rows: &[row("operations", "waiting", "--s-waiting", true, |s, _| Some(s.waiting as f64))],
    },
    Panel {
        title: "Lock queue",
        unit: Unit::Count,
        rows: &[row("backends waiting", "lock_waits", "--s-locks", true, |s, _| {
            Some(s.lock_waits as f64)
        })],
    },
    Panel {
        title: "WAL of the server",
        unit: Unit::BytesPerSecond,
        rows: &[row("written", "wal", "--s-wal", true, |s, w| rate(s.wal_bytes?, w))],
    },
];

fn rate(count: u64, width_s: f64) -> Option<f64> {
    Some(count as f64 / width_s)
}

/// Latency is of operations that were due; without any there is none.
fn due(step: &TimelineStep, latency: Micros) -> Option<f64> {
    (step.offered > 0).then_some(latency.0 as f64)
}

/// What the script reads: a column per line, a value per step.
#[derive(Serialize)]
struct Data<'c> {
    width_us: u64,
    end_us: u64,
    offered: Vec<u64>,
    completed: Vec<u64>,
    failed: Vec<u64>,
    p50: Vec<Option<u64>>,
    p99: Vec<Option<u64>>,
    max: Vec<Option<u64>>,
    in_use: Vec<u64>,
    waiting: Vec<u64>,
    lock_waits: Vec<u64>,
    wal: Vec<Option<u64>>,
    phases: Vec<(&'c str, u64)>,
}

fn data(timeline: &Timeline) -> Data<'_> {
    let steps = &timeline.steps;
    let column = |value: fn(&TimelineStep) -> u64| steps.iter().map(value).collect::<Vec<u64>>();
    let timed = |value: fn(&TimelineStep) -> Micros| -> Vec<Option<u64>> {
        steps.iter().map(|step| (step.offered > 0).then_some(value(step).0)).collect()
    };
    Data {
        width_us: timeline.width_us.0,
        end_us: timeline.end_us.0,
        offered: column(|step| step.offered),
        completed: column(|step| step.completed),
        failed: column(|step| step.failed),
        p50: timed(|step| step.p50_us),
        p99: timed(|step| step.p99_us),
        max: timed(|step| step.max_us),
        in_use: column(|step| step.in_use),
        waiting: column(|step| step.waiting),
        lock_waits: column(|step| step.lock_waits),
        wal: steps.iter().map(|step| step.wal_bytes).collect(),
        phases: timeline.phases.iter().map(|p| (lanes::phase(p.phase), p.from_us.0)).collect(),
    }
}

/// All of it. `id` is the trial's.
pub fn axis(
    id: &str,
    judgement: &Judgement,
    timeline: &Timeline,
    scenario: Option<&Scenario>,
) -> String {
    let axis = Axis::of(timeline);
    let mut out = format!("<div class=\"axis\" id=\"{id}-axis\" data-trial=\"{id}\">\n");
    let _ = writeln!(
        out,
        "<p class=\"now\" data-whole=\"{whole}\">{whole}</p>",
        whole = text(&whole(timeline))
    );
    out.push_str("<div class=\"stage\">\n");
    overlay(&mut out, axis, timeline);
    out.push_str(&lanes::lanes(id, axis, judgement, timeline));
    let capacity = scenario.map(|s| u64::from(s.pool.size) + u64::from(s.pool.overflow));
    PANELS.iter().for_each(|panel| write_panel(&mut out, axis, panel, timeline, capacity));
    write_ruler(&mut out, axis, id);
    out.push_str("</div>\n");
    let data = json(&data(timeline));
    let _ = writeln!(out, "<script type=\"application/json\">{data}</script>\n</div>");
    out
}

fn whole(timeline: &Timeline) -> String {
    format!(
        "The whole trial, {}, in steps of {}; the numbers are the most of any step.",
        timeline.end_us, timeline.width_us
    )
}

/// What lies behind everything: stalls as shades, begins of phases as lines.
fn overlay(out: &mut String, axis: Axis, timeline: &Timeline) {
    out.push_str("<div class=\"over\" aria-hidden=\"true\">");
    for stall in &timeline.stalls {
        let span = axis.span(stall.from_us, stall.to_us);
        let _ = write!(out, "<i class=\"shade\" style=\"{span}\"></i>");
    }
    for phase in timeline.phases.iter().skip(1) {
        let left = axis.percent(phase.from_us);
        let _ = write!(out, "<i class=\"bound\" style=\"left:{left:.3}%\"></i>");
    }
    out.push_str("<i class=\"cross\" hidden></i></div>\n");
}

fn write_panel(
    out: &mut String,
    axis: Axis,
    panel: &Panel,
    timeline: &Timeline,
    capacity: Option<u64>,
) {
    let width_s = timeline.width_us.as_secs_f64();
    let line = |row: &Row| Line {
        colour: row.colour,
        filled: row.filled,
        values: timeline.steps.iter().map(|step| (row.value)(step, width_s)).collect(),
    };
    let mut lines: Vec<Line> = panel.rows.iter().map(line).collect();
    let capacity = capacity.filter(|_| panel.title == CONNECTIONS);
    let known = || lines.iter().flat_map(|line| &line.values).filter_map(|value| *value);
    let scale = match panel.unit {
        Unit::Time => Scale::log(known()),
        _ => Scale::linear(known().chain(capacity.map(|n| n as f64))),
    };
    let most_of = |line: &Line| line.values.iter().filter_map(|v| *v).reduce(f64::max);
    let most: Vec<Option<f64>> = lines.iter().map(most_of).collect();
    // A red line along the bottom would look as if something had failed.
    for line in lines.iter_mut().filter(|line| line.colour == FAILED) {
        line.values.iter_mut().for_each(|value| *value = value.filter(|failed| *failed > 0.0));
    }
    let _ = writeln!(
        out,
        "<figure class=\"panel\" data-unit=\"{}\"><figcaption><b>{}</b>",
        panel.unit.name(),
        panel.title
    );
    for (row, most) in panel.rows.iter().zip(most) {
        let most = most.map_or_else(|| "-".to_owned(), |most| panel.unit.text(most));
        let _ = writeln!(
            out,
            "<span class=\"key\"><i style=\"background:var({})\"></i>{} \
             <output data-key=\"{}\" data-most=\"{most}\">{most}</output></span>",
            row.colour, row.name, row.key
        );
    }
    if let Some(capacity) = capacity {
        let _ = writeln!(out, "<span class=\"key dim\">the pool has {}</span>", grouped(capacity));
    }
    out.push_str("</figcaption>\n<div class=\"plot\">");
    for tick in scale.ticks() {
        let bottom = 100.0 * scale.height(tick);
        let label = panel.unit.tick(tick);
        let _ = write!(out, "<i class=\"grid\" style=\"bottom:{bottom:.2}%\"><b>{label}</b></i>");
    }
    let steps = axis.end.0 as f64 / timeline.width_us.0.max(1) as f64;
    out.push_str(&svg(&lines, scale, steps));
    out.push_str("</div></figure>\n");
}

/// The ticks of time, and what the keyboard moves.
fn write_ruler(out: &mut String, axis: Axis, id: &str) {
    let _ = write!(
        out,
        "<div class=\"ruler\" role=\"slider\" tabindex=\"0\" aria-label=\"moment of {id}\" \
         aria-valuemin=\"0\" aria-valuemax=\"{:.1}\" aria-valuenow=\"0\" \
         aria-valuetext=\"the whole trial\">",
        axis.end.as_secs_f64()
    );
    for tick in axis.ticks() {
        let (left, label) = (axis.percent(tick), axis.clock(tick));
        let _ = write!(out, "<span style=\"left:{left:.3}%\">{label}</span>");
    }
    out.push_str("</div>\n");
}
