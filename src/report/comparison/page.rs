//! A comparison as one page that needs nothing else: tables, and an interval per metric.

use std::fmt::Write;

use crate::compare::{Comparison, Fact, MetricRow, Standing};

use super::super::page::text as escaped;
use super::words;

const STYLE: &str = "
:root { color-scheme: light dark; --line: light-dark(#ddd, #444); --dim: light-dark(#666, #999);
  --worse: light-dark(#b3261e, #ff8a80); --better: light-dark(#1b7f3b, #7bd88f);
  --undecided: light-dark(#8a3ea8, #d59bf0); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.name { overflow-wrap: anywhere; }
.why, .how { color: var(--dim); font-size: .9em; }
.worse, .regression { color: var(--worse); font-weight: 600; }
.better, .no-regression { color: var(--better); }
.undecided { color: var(--undecided); }
.same { color: var(--dim); }
svg { display: block; } svg line, svg circle { stroke: currentColor; fill: currentColor; }
svg .one { stroke: var(--line); }
";

const PLOT_WIDTH: f64 = 160.0;
const PLOT_HEIGHT: f64 = 18.0;
/// Ends of the plot's axis, which is logarithmic; what is beyond is drawn at its end.
const RATIO_MAX: f64 = 4.0;

pub fn comparison_html(comparison: &Comparison) -> String {
    let mut out = String::new();
    let (overall, reason) = (comparison.overall, escaped(&comparison.reason));
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>pgauntlet compare: {overall}</title>\n<style>{STYLE}</style></head><body>\n\
         <h1 class=\"{overall}\">{overall}</h1>\n<p>{reason}.</p>\n<ul>\n"
    );
    let sides = [("A", &comparison.a), ("B", &comparison.b)];
    for (label, side) in sides {
        let _ = writeln!(out, "<li>{label}: {}</li>", escaped(&words::side(side)));
    }
    comparison.notes.iter().for_each(|note| item(&mut out, note));
    out.push_str("</ul>\n");
    for pair in &comparison.pairs {
        heading(&mut out, pair.standing, &pair.name);
        let _ = writeln!(out, "<p>{}.</p>", escaped(&pair.machine.told));
        write_facts(&mut out, &pair.facts);
        write_metrics(&mut out, &pair.metrics);
    }
    for pair in &comparison.crash_matrices {
        heading(&mut out, pair.standing, &format!("{}, crash matrix", pair.name));
        write_facts(&mut out, &pair.facts);
        let _ = writeln!(out, "<p>{} cells end alike.</p><ul>", pair.cells_same);
        let label = |side, cell| format!("cell only in {side}: {cell}");
        pair.cells_only_in_a.iter().for_each(|cell| item(&mut out, &label("A", cell)));
        pair.cells_only_in_b.iter().for_each(|cell| item(&mut out, &label("B", cell)));
        out.push_str("</ul>\n");
    }
    out.push_str("<ul>\n");
    comparison.only_in_a.iter().for_each(|name| item(&mut out, &format!("only in A: {name}")));
    comparison.only_in_b.iter().for_each(|name| item(&mut out, &format!("only in B: {name}")));
    let how = escaped(&words::how(&comparison.how));
    let _ = writeln!(out, "</ul>\n<p class=\"how\">{how}.</p>\n</body></html>");
    out
}

fn heading(out: &mut String, standing: Standing, name: &str) {
    let name = escaped(name);
    let _ = writeln!(out, "<h2><span class=\"{standing}\">{standing}</span> {name}</h2>");
}

fn item(out: &mut String, text: &str) {
    let _ = writeln!(out, "<li>{}</li>", escaped(text));
}

fn write_facts(out: &mut String, facts: &[Fact]) {
    out.push_str("<table><tr><th></th><th></th><th>A</th><th>B</th></tr>\n");
    for fact in facts {
        let _ = writeln!(
            out,
            "<tr><td class=\"{standing}\">{standing}</td><td class=\"name\">{}{}</td><td>{}</td>\
             <td>{}</td></tr>",
            escaped(&fact.what),
            why(&fact.why),
            escaped(&fact.a),
            escaped(&fact.b),
            standing = fact.standing
        );
    }
    out.push_str("</table>\n");
}

fn write_metrics(out: &mut String, rows: &[MetricRow]) {
    if rows.is_empty() {
        return;
    }
    out.push_str(
        "<table><tr><th></th><th></th><th>A</th><th>B</th><th>B to A</th><th>¼ … 1 … 4</th>\
         <th>p</th></tr>\n",
    );
    for row in rows {
        let (a, b) = (words::sample(&row.a, row.unit), words::sample(&row.b, row.unit));
        let _ = writeln!(
            out,
            "<tr><td class=\"{standing}\">{standing}</td><td class=\"name\">{}{}</td>\
             <td class=\"n\">{a}</td><td class=\"n\">{b}</td><td class=\"n\">{}</td>\
             <td class=\"{standing}\">{}</td><td class=\"n\">{:.3}</td></tr>",
            escaped(&row.name),
            why(&row.why),
            words::ratio(row),
            plot(row),
            row.p,
            standing = row.standing
        );
    }
    out.push_str("</table>\n");
}

fn why(text: &str) -> String {
    match text.is_empty() {
        true => String::new(),
        false => format!("<div class=\"why\">{}</div>", escaped(text)),
    }
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
    let told = escaped(&words::ratio(row));
    format!(
        "<svg width=\"{PLOT_WIDTH}\" height=\"{PLOT_HEIGHT}\" role=\"img\" aria-label=\"{told}\">\
         <line class=\"one\" x1=\"{one:.1}\" x2=\"{one:.1}\" y1=\"0\" y2=\"{PLOT_HEIGHT}\"/>\
         <line x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\
         <circle cx=\"{dot:.1}\" cy=\"{middle}\" r=\"3\"/></svg>"
    )
}
