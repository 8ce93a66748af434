//! What is said before the answer, as wide as it: what would be run, and what a scenario was made
//! from.

use std::path::Path;

use crate::infer::Remark;
use crate::report;
use crate::run::InferredScenario;
use crate::scenario::{Demands, FindingKind, RunsAs};
use crate::stats::grouped;

use super::super::{show, width};
use super::defaults::Project;

/// Tables that are named in one line.
const NAMED_MAX: usize = 4;
/// Remarks and operations left out that are shown; `--save` keeps all.
const SHOWN_MAX: usize = 5;

/// One labelled text.
pub fn note(label: &str, text: &str) {
    show(&report::labelled_text(label, text, width()));
}

/// What would be run: the change and the base, and what is accepted of it.
pub fn show_asked([change, base]: &[String; 2], project: &Project, demands: &Demands) {
    if let Some(file) = &project.file {
        note("config", &file.display().to_string());
    }
    note("change", change);
    note("base", base);
    match &demands.runs_as {
        RunsAs::Migrator => {}
        RunsAs::Role(role) => note("role", &format!("the change connects as {role}")),
        RunsAs::Superuser => note("role", "the change connects as a superuser"),
    }
    for one in &demands.acceptances {
        let what = one.kind.map_or("whatever breaks a rule", FindingKind::as_str);
        let until = one.until.as_ref().map(|day| format!(" until {day}")).unwrap_or_default();
        note("accept", &format!("{what}{until} ({}): {}", one.place(), one.reason));
    }
}

/// What was made, in a few lines.
pub fn show_made(made: &InferredScenario) {
    made.statistics.iter().for_each(|line| note("like", line));
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
    let rows = match (named.is_empty(), others) {
        (true, _) => "the change is about no table that is there".to_owned(),
        (false, 0) => format!("{}{more}, which the change is about", named.join(", ")),
        (false, n) => {
            let others = if n == 1 { "1 other table".into() } else { format!("{n} other tables") };
            format!("{}{more}, which the change is about; {others}", named.join(", "))
        }
    };
    note("rows", &rows);
    note("traffic", &format!("{} operations on these and their neighbours", made.operations));
    let is_about = |table: &str| made.concerned.iter().any(|name| name == table);
    let of_these = made.remarks.iter().filter(|remark| is_about(&remark.table));
    let remarks = of_these.map(|remark| {
        let refused = if remark.refused { " (no rows)" } else { "" };
        format!("{}{refused}", sentence(remark))
    });
    let all: Vec<String> = remarks.chain(made.left_out.iter().cloned()).collect();
    all.iter().take(SHOWN_MAX).for_each(|line| note("", line));
    if all.len() > SHOWN_MAX {
        note("", &format!("and {} more; --save DIR keeps the scenario", all.len() - SHOWN_MAX));
    }
}

/// That nothing can be shown: no operation can use the tables. `saved`: where the scenario is.
pub fn show_unused(made: &InferredScenario, saved: Option<&Path>) {
    let refused = made.remarks.iter().filter(|remark| remark.refused).map(sentence);
    let mut why: Vec<String> = refused.take(NAMED_MAX).collect();
    if why.is_empty() {
        why = made.left_out.iter().take(NAMED_MAX).cloned().collect();
    }
    let place = match saved {
        Some(directory) => format!("in {0}, then pgauntlet run {0}", directory.display()),
        None => "in the scenario that --save DIR keeps, then pgauntlet run DIR".to_owned(),
    };
    note(
        "UNPROVEN",
        &format!(
            "no operation can use the tables, so the change was not tried: {}; write what is \
             missing (rows, a pool of values, an [[operation]]) {place}",
            why.join("; ")
        ),
    );
}

fn sentence(remark: &Remark) -> String {
    format!("{}, {}: {}", remark.table, remark.about, remark.text)
}
