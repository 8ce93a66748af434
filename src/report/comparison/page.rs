//! A comparison as one page that needs nothing else: tables, and an interval per metric.

use std::fmt::Write;

use crate::compare::{Comparison, Delta, Fact, MetricRow, Overall, Side};

use super::super::page::{frame, list, paragraph, table, text};
use super::entry::{Entry, entries};
use super::words;

const PLOT_WIDTH: f64 = 160.0;
const PLOT_HEIGHT: f64 = 18.0;
/// Ends of the plot's axis, which is logarithmic; what is beyond is drawn at its end.
const RATIO_MAX: f64 = 4.0;

/// The comparison as one HTML page without scripts or files beside it.
pub fn comparison_html(comparison: &Comparison) -> String {
    let entries = entries(comparison);
    let mut main = top(comparison);
    if entries.len() > 1 {
        main.push_str(&overview(&entries));
    }
    main.push_str("</header>\n");
    // The worst is the first; with many of them, it alone is open.
    for (index, entry) in entries.iter().enumerate() {
        main.push_str(&section(index + 1, entry, index == 0));
    }
    let how = format!("{}.", words::how(&comparison.how));
    let _ = write!(
        main,
        "<section class=\"not-tried\">\n<h2>How differences were judged</h2>\n{}</section>\n",
        paragraph("note", &how)
    );
    frame(&format!("pgauntlet compare: {}", comparison.overall), &main)
}

fn top(comparison: &Comparison) -> String {
    let overall = comparison.overall;
    let class = match overall {
        Overall::NoRegression => "s-better",
        Overall::Undecided => "s-undecided",
        Overall::Regression => "s-worse",
    };
    let (a, b) = (&comparison.a, &comparison.b);
    let mut out = format!(
        "<header>\n<p class=\"verdict big {class}\">{}</p>\n<h1>{} against {}</h1>\n{}\
         <dl class=\"facts\">\n{}{}</dl>\n",
        overall.as_str().replace('-', " "),
        text(&b.name),
        text(&a.name),
        paragraph("reason", &format!("{}.", comparison.reason)),
        side("A", a),
        side("B", b)
    );
    let only = |label: &'static str| move |name: &String| format!("only in {label}: {name}");
    let notes = comparison.notes.iter().cloned();
    let notes = notes.chain(comparison.only_in_a.iter().map(only("A")));
    let notes: Vec<String> = notes.chain(comparison.only_in_b.iter().map(only("B"))).collect();
    out.push_str(&list("note", &notes));
    out
}

fn side(label: &str, side: &Side) -> String {
    format!("<dt>{label}</dt><dd>{}</dd>\n", text(&words::side(side)))
}

fn overview(entries: &[Entry<'_>]) -> String {
    let row = |(number, entry): (usize, &Entry<'_>)| {
        vec![
            delta(entry.delta),
            format!("<a href=\"#trial-{number}\">{}</a>", text(&entry.name)),
            text(&entry.verdict),
            text(&entry.counts),
        ]
    };
    let rows: Vec<Vec<String>> = (1..).zip(entries).map(row).collect();
    table("pairs", "pairs", &["", "", "verdict", ""].map(str::to_owned), &rows)
}

fn delta(of: Delta) -> String {
    format!("<b class=\"s-{of}\">{of}</b>")
}

fn section(number: usize, entry: &Entry<'_>, open: bool) -> String {
    let open = if open { " open" } else { "" };
    let mut out = format!(
        "<section class=\"trial\" id=\"trial-{number}\">\n<details class=\"whole\"{open}>\
         <summary>{}<h2>{}</h2><span class=\"dim\">{}</span></summary>\n<div class=\"body\">\n{}",
        delta(entry.delta),
        text(&entry.name),
        text(&entry.counts),
        paragraph("", &format!("{}.", entry.text))
    );
    out.push_str(&facts(entry.facts));
    out.push_str(&metrics(entry.all_rows()));
    out.push_str(&list("note", &entry.reasons()));
    out.push_str(&list("note", &entry.alone));
    out.push_str("</div>\n</details>\n</section>\n");
    out
}

fn facts(facts: &[Fact]) -> String {
    let row = |fact: &Fact| {
        let cells = [&fact.what, &fact.a, &fact.b, &fact.why].map(|cell| text(cell));
        std::iter::once(delta(fact.delta)).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = facts.iter().map(row).collect();
    table("facts", "pairs", &["", "", "A", "B", ""].map(str::to_owned), &rows)
}

fn metrics(rows: &[MetricRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let row = |row: &MetricRow| {
        vec![
            delta(row.delta),
            text(&row.name),
            text(&words::sample(&row.a, row.unit)),
            text(&words::sample(&row.b, row.unit)),
            text(&words::ratio(row)),
            plot(row),
            format!("{:.3}", row.p),
        ]
    };
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
    let head = ["", "", "A", "B", "B to A", "¼ … 1 … 4", "p"].map(str::to_owned);
    table("numbers", "pairs metrics", &head, &rows)
}

/// The ratio as a dot on its interval, and where 1 is.
fn plot(row: &MetricRow) -> String {
    let x = |ratio: Option<f64>| {
        let ratio = ratio.unwrap_or(f64::INFINITY).clamp(1.0 / RATIO_MAX, RATIO_MAX);
        let share = (ratio.ln() / RATIO_MAX.ln() + 1.0) / 2.0;
        6.0 + share * (PLOT_WIDTH - 12.0)
    };
    let (low, dot, high) = (x(row.interval.low), x(row.ratio), x(row.interval.high));
    let (one, middle) = (x(Some(1.0)), PLOT_HEIGHT / 2.0);
    let (delta, rendered) = (row.delta, text(&words::ratio(row)));
    format!(
        "<svg class=\"ratio s-{delta}\" width=\"{PLOT_WIDTH}\" height=\"{PLOT_HEIGHT}\" \
         role=\"img\" aria-label=\"{rendered}\">\
         <line class=\"one\" x1=\"{one:.1}\" x2=\"{one:.1}\" y1=\"0\" y2=\"{PLOT_HEIGHT}\"/>\
         <line x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\
         <circle cx=\"{dot:.1}\" cy=\"{middle}\" r=\"3\"/></svg>"
    )
}
