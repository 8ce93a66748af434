//! What a scenario was made from, for people.

use crate::run::InferredScenario;
use crate::stats::grouped;

use super::super::show;

/// Tables that are named in one line.
const NAMED_MAX: usize = 4;
/// Remarks and operations left out that are shown; `--save` keeps all.
const SHOWN_MAX: usize = 5;

/// What was made, in a few lines.
pub fn show_made(made: &InferredScenario) {
    made.statistics.iter().for_each(|line| show(&format!("like    {line}")));
    let rows = |name: &String| made.tables.get(name).copied().unwrap_or(0);
    let mut concerned: Vec<&String> = made.concerned.iter().collect();
    concerned.sort_by_key(|name| (std::cmp::Reverse(rows(name)), (*name).clone()));
    let named: Vec<String> = concerned
        .iter()
        .take(NAMED_MAX)
        .map(|name| format!("{} in {name}", grouped(rows(name))))
        .collect();
    let more = concerned.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more tables") } else { String::new() };
    let others = made.tables.len().saturating_sub(concerned.len());
    match named.is_empty() {
        true => show("rows    the change is about no table that is there"),
        false => show(&format!(
            "rows    {}{more}, which the change is about; {others} other tables",
            named.join(", ")
        )),
    }
    show(&format!("traffic {} operations on these and their neighbours", made.operations));
    let is_about = |table: &str| made.concerned.iter().any(|name| name == table);
    let remarks = made.remarks.iter().filter(|remark| is_about(&remark.table)).map(|remark| {
        let refused = if remark.refused { " (no rows)" } else { "" };
        format!("  {}, {}: {}{refused}", remark.table, remark.about, remark.text)
    });
    let left_out = made.left_out.iter().map(|left_out| format!("  {left_out}"));
    let all: Vec<String> = remarks.chain(left_out).collect();
    all.iter().take(SHOWN_MAX).for_each(|line| show(line));
    if all.len() > SHOWN_MAX {
        show(&format!("  and {} more; --save DIR keeps the scenario", all.len() - SHOWN_MAX));
    }
}
