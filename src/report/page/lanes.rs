//! What lasted, as bars above the charts: phases, statements, locks, disturbances, stalls.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::clock::Micros;
use crate::history::Phase;
use crate::judge::timeline::{LockSpan, StallSpan, Timeline};
use crate::pg::LockMode;
use crate::pg::lex::one_line;
use crate::pg::purpose::Purpose;
use crate::report::statements::{outcome_of, strongest};
use crate::report::trial::{place, seconds};
use crate::result::{Judgement, StatementRow};
use crate::stats::grouped;

use super::html::{cut, text};
use super::places::Axis;

/// Lanes of one kind; what does not fit is counted.
const LANES_MAX: usize = 10;
/// Bars that are shorter than this share of the axis and are as close are one.
const BAR_LEAST_PERCENT: f64 = 0.2;
/// Of the axis, where a phase's name has room.
const NAME_LEAST_PERCENT: f64 = 5.0;
const TEXT_MAX: usize = 240;

/// The phases' names, as the tables use them.
pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Baseline => "before",
        Phase::Change => "change",
        Phase::Recovery => "after",
        Phase::Rerun => "rerun",
        Phase::Checks => "checks",
        Phase::End => "end",
    }
}

/// A bar in the making.
struct Bar {
    from: Micros,
    to: Micros,
    class: String,
    tip: String,
    /// How many others are drawn as this one.
    more: u64,
}

struct Lane {
    name: String,
    detail: String,
    bars: Vec<Bar>,
}

pub fn lanes(id: &str, axis: Axis, judgement: &Judgement, timeline: &Timeline) -> String {
    let mut out = String::new();
    write_phases(&mut out, axis, timeline);
    let rows = &judgement.measured.statements;
    write_lanes(&mut out, axis, statements(rows, timeline), "connections of the change");
    write_lanes(&mut out, axis, locks(&timeline.locks), "locks");
    write_lanes(&mut out, axis, disturbances(timeline), "disturbances");
    write_stalls(&mut out, id, axis, &timeline.stalls);
    out
}

fn write_phases(out: &mut String, axis: Axis, timeline: &Timeline) {
    out.push_str("<div class=\"lane phases\" aria-hidden=\"true\"><div class=\"track\">");
    for span in timeline.phases.iter().filter(|span| span.to_us > span.from_us) {
        let wide = axis.percent(span.to_us) - axis.percent(span.from_us) > NAME_LEAST_PERCENT;
        let place = axis.span(span.from_us, span.to_us);
        let name = if wide { phase(span.phase) } else { "" };
        let _ = write!(out, "<span style=\"{place}\">{name}</span>");
    }
    out.push_str("</div></div>\n");
}

/// A lane per attempt and connection.
fn statements(rows: &[StatementRow], timeline: &Timeline) -> Vec<Lane> {
    let mut lanes: BTreeMap<(u32, u32), Vec<Bar>> = BTreeMap::new();
    for (row, span) in rows.iter().zip(&timeline.statements) {
        let class = match (&row.error, row.purpose) {
            (Some(_), _) => "statement bad",
            (None, Purpose::Work) => "statement",
            (None, _) => "statement quiet",
        };
        let bar = Bar {
            from: span.from_us,
            to: span.to_us,
            class: class.to_owned(),
            tip: statement_tip(row),
            more: 0,
        };
        lanes.entry((row.attempt, row.connection)).or_default().push(bar);
    }
    let several =
        |attempt: u32| rows.iter().any(|row| row.attempt == attempt && row.connection > 0);
    let whose = |attempt: u32| {
        let first = rows.iter().find(|row| row.attempt == attempt);
        first.and_then(|row| row.statement.sent_by()).unwrap_or_else(|| "the change".to_owned())
    };
    let lane = |((attempt, connection), bars): ((u32, u32), Vec<Bar>)| Lane {
        name: whose(attempt),
        detail: match several(attempt) {
            true => format!("connection {}", connection + 1),
            false => String::new(),
        },
        bars,
    };
    lanes.into_iter().map(lane).collect()
}

/// What it is, what it cost, how it ended.
fn statement_tip(row: &StatementRow) -> String {
    let text = cut(&one_line(&row.statement.text), TEXT_MAX);
    let rows = row.rows.map(|rows| format!(", {} rows", grouped(rows))).unwrap_or_default();
    let outcome = match &row.error {
        None => "ok".to_owned(),
        Some(error) => format!("{} ({})", cut(error, TEXT_MAX), outcome_of(row)),
    };
    let held = match strongest(&row.held).as_str() {
        "-" => String::new(),
        held => format!(", then held {held}"),
    };
    format!(
        "{text} · at {} s, took {}{rows}, {outcome}{held} · {}",
        seconds(row.began_us),
        row.statement.took_us,
        place(&row.statement)
    )
}

/// A lane per relation and mode, those that are held longest first.
fn locks(locks: &[LockSpan]) -> Vec<Lane> {
    let mut lanes: BTreeMap<(&str, &str), Vec<&LockSpan>> = BTreeMap::new();
    for lock in locks {
        lanes.entry((&lock.relation, &lock.mode)).or_default().push(lock);
    }
    let mut lanes: Vec<_> = lanes.into_iter().collect();
    let weight = |mode: &str, spans: &[&LockSpan]| {
        let held: u64 = spans.iter().map(|lock| (lock.to_us - lock.from_us).0).sum();
        std::cmp::Reverse((LockMode::parse(mode), held))
    };
    lanes.sort_by_key(|((_, mode), spans)| weight(mode, spans));
    let lane = |((relation, mode), spans): ((&str, &str), Vec<&LockSpan>)| Lane {
        name: relation.to_owned(),
        detail: mode.to_owned(),
        bars: spans.into_iter().map(lock_bar).collect(),
    };
    lanes.into_iter().map(lane).collect()
}

fn lock_bar(lock: &LockSpan) -> Bar {
    let strength = match LockMode::parse(&lock.mode) {
        Some(LockMode::AccessExclusiveLock) => "strong",
        Some(LockMode::ExclusiveLock | LockMode::ShareRowExclusiveLock) => "middling",
        _ => "weak",
    };
    let held = lock.to_us - lock.from_us;
    let LockSpan { whose, mode, relation, .. } = lock;
    let from = seconds(lock.from_us);
    Bar {
        from: lock.from_us,
        to: lock.to_us,
        class: format!("lock {strength}"),
        tip: format!("{whose} held {mode} on {relation} for {held}, from {from} s at the earliest"),
        more: 0,
    }
}

fn disturbances(timeline: &Timeline) -> Vec<Lane> {
    let mut lanes: BTreeMap<&str, Vec<Bar>> = BTreeMap::new();
    for span in &timeline.disturbances {
        let end = match span.broken.as_str() {
            "" => String::new(),
            broken => format!("; the server ended it: {broken}"),
        };
        let (name, held) = (span.name.as_str(), span.to_us - span.from_us);
        let bar = Bar {
            from: span.from_us,
            to: span.to_us,
            class: "disturbance".to_owned(),
            tip: format!("{name} for {held}, from {} s{end}", seconds(span.from_us)),
            more: 0,
        };
        lanes.entry(name).or_default().push(bar);
    }
    let lane = |(name, bars): (&str, Vec<Bar>)| Lane {
        name: name.to_owned(),
        detail: "disturbance".to_owned(),
        bars,
    };
    lanes.into_iter().map(lane).collect()
}

fn write_lanes(out: &mut String, axis: Axis, lanes: Vec<Lane>, what: &str) {
    let more = lanes.len().saturating_sub(LANES_MAX);
    for lane in lanes.into_iter().take(LANES_MAX) {
        let (name, detail) = (text(&lane.name), text(&lane.detail));
        let _ = write!(
            out,
            "<div class=\"lane\" role=\"group\" aria-label=\"{name} {detail}\">\
             <span class=\"name\" title=\"{name} {detail}\">{name} <small>{detail}</small></span>\
             <div class=\"track\">"
        );
        for (index, bar) in together(axis, lane.bars).iter().enumerate() {
            write_bar(out, axis, bar, index == 0);
        }
        out.push_str("</div></div>\n");
    }
    if more > 0 {
        let _ = writeln!(out, "<p class=\"dim\">{more} more {what} are not drawn</p>");
    }
}

/// Bars that are too short to be distinguished are drawn as one.
fn together(axis: Axis, mut bars: Vec<Bar>) -> Vec<Bar> {
    bars.sort_by_key(|bar| bar.from);
    let mut drawn: Vec<Bar> = Vec::new();
    for bar in bars {
        let short = axis.percent(bar.to) - axis.percent(bar.from) < BAR_LEAST_PERCENT;
        let near = drawn.last_mut().filter(|last| {
            short && axis.percent(bar.to) - axis.percent(last.from) < BAR_LEAST_PERCENT
        });
        let Some(last) = near else {
            drawn.push(bar);
            continue;
        };
        last.more += 1 + bar.more;
        last.to = last.to.max(bar.to);
        // What failed is shown, and what works rather than what prepares it.
        let rank = |class: &str| (class.contains("bad"), !class.contains("quiet"));
        if rank(&bar.class) > rank(&last.class) {
            (last.class, last.tip) = (bar.class, bar.tip);
        }
    }
    drawn
}

fn write_bar(out: &mut String, axis: Axis, bar: &Bar, first: bool) {
    let span = axis.span(bar.from, bar.to);
    let more = match bar.more {
        0 => String::new(),
        n => format!(" · and {} more at the same place", grouped(n)),
    };
    let tip = text(&format!("{}{more}", bar.tip));
    let tab = if first { 0 } else { -1 };
    let _ = write!(
        out,
        "<button type=\"button\" class=\"bar {}\" style=\"{span}\" tabindex=\"{tab}\" \
         aria-label=\"{tip}\"></button>",
        bar.class
    );
}

fn write_stalls(out: &mut String, id: &str, axis: Axis, stalls: &[StallSpan]) {
    if stalls.is_empty() {
        return;
    }
    out.push_str(
        "<div class=\"lane\" role=\"group\" aria-label=\"stalls\">\
         <span class=\"name\">stalls <small>who waited</small></span><div class=\"track\">",
    );
    for (number, stall) in (1..).zip(stalls) {
        let tip = format!(
            "stall {number}: {} operations waited, the longest {}, from {} s; show who waited for \
             whom",
            grouped(stall.operations),
            stall.longest_us,
            seconds(stall.from_us)
        );
        let _ = write!(
            out,
            "<button type=\"button\" class=\"bar stall\" style=\"{}\" \
             aria-label=\"{tip}\" aria-haspopup=\"dialog\" data-stall=\"{id}-stall-{number}\">\
             </button>",
            axis.span(stall.from_us, stall.to_us)
        );
    }
    out.push_str("</div></div>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(from: u64, to: u64, class: &str) -> Bar {
        let (from, to) = (Micros::from_millis(from), Micros::from_millis(to));
        Bar { from, to, class: class.to_owned(), tip: class.to_owned(), more: 0 }
    }

    fn hundred_seconds() -> Axis {
        let timeline = Timeline {
            end_us: Micros::from_secs(100),
            phases: Vec::new(),
            width_us: Micros::from_millis(200),
            steps: Vec::new(),
            statements: Vec::new(),
            locks: Vec::new(),
            disturbances: Vec::new(),
            stalls: Vec::new(),
            schema: Vec::new(),
        };
        Axis::of(&timeline)
    }

    #[test]
    fn a_thousand_short_bars_are_drawn_as_a_few_and_a_long_one_as_itself() {
        let short = (0..1_000).map(|n| bar(n * 10, n * 10 + 9, "statement"));
        let bars = short.chain([bar(20_000, 60_000, "statement")]).collect();
        let drawn = together(hundred_seconds(), bars);
        assert!(drawn.len() <= 60, "{}", drawn.len());
        assert_eq!(drawn.iter().map(|bar| bar.more + 1).sum::<u64>(), 1_001);
        assert_eq!(drawn.last().map(|bar| bar.more), Some(0));
    }

    #[test]
    fn of_bars_that_are_one_the_failed_statement_is_told() {
        let bars = vec![bar(0, 1, "quiet"), bar(2, 3, "bad"), bar(4, 5, "statement")];
        let drawn = together(hundred_seconds(), bars);
        assert_eq!((drawn.len(), drawn[0].tip.as_str(), drawn[0].more), (1, "bad", 2));
    }
}
