//! Declared reads: the rows that they returned, and their plans.

use crate::history::PlanNode;
use crate::result::evidence::{Compared, PlanRule, ReadWhen, WrongPlan, WrongRead, WrongRows};

use super::words::count;

pub fn read_changed(of: &WrongRead) -> String {
    let name = &of.read;
    match &of.found {
        WrongRows::Failed(error) => format!("the read {name} failed: {error}"),
        WrongRows::Changed { rows, now, compared } => changed(name, *rows, *now, *compared),
        WrongRows::Unwanted { rows, when, first, writers } => {
            let (rows, when) = (count(*rows, "row"), moment(*when));
            let such = match first.as_slice() {
                [] => String::new(),
                first => format!(" ({})", first.join("; ")),
            };
            let writers: Vec<String> = writers
                .iter()
                .map(|writer| format!("{} {}", writer.operation, count(writer.times, "time")))
                .collect();
            let writers = match writers.is_empty() {
                true => String::new(),
                false => format!(
                    "; between the change and this read the application wrote what it reads by {}",
                    writers.join(", ")
                ),
            };
            format!("the read {name} returned {rows} {when}{such}, and must return none{writers}")
        }
    }
}

fn changed(name: &str, rows: u64, now: u64, compared: Compared) -> String {
    let rows = count(rows, "row");
    match compared {
        Compared::AfterAndLater => {
            format!("the read {name} returned {rows} after the change and {now} other ones later")
        }
        Compared::TwoForms => format!(
            "the read {name} returned {rows} before the change, as the older release sends it, \
             and {now} other ones after it, as the newer one does"
        ),
        Compared::BeforeAnd { when, older_form } => {
            let form = if older_form { ", as the older release sends it" } else { "" };
            let when = moment(when);
            format!(
                "the read {name} returned {rows} before the change and {now} other ones \
                 {when}{form}"
            )
        }
    }
}

fn moment(when: ReadWhen) -> &'static str {
    match when {
        ReadWhen::During => "while it ran",
        ReadWhen::After => "after it",
    }
}

pub fn plan_changed(of: &WrongPlan) -> String {
    let (name, has, limit) = (&of.read, node(&of.node), rule(&of.limit));
    let was =
        of.before.as_ref().map_or_else(String::new, |was| format!("; before it {}", node(was)));
    format!("the plan of the read {name} has {has} after the change, and must have {limit}{was}")
}

/// `Bitmap Heap Scan on public.spans, 312 rows`.
pub fn node(node: &PlanNode) -> String {
    let relation = node.relation.as_ref().or(node.index.as_ref());
    let on = relation.map_or_else(String::new, |relation| format!(" on {relation}"));
    let index = node.index.as_ref().filter(|_| node.relation.is_some());
    let by = index.map_or_else(String::new, |index| format!(" by {index}"));
    format!("{}{on}{by}, {}", node.node_type, count(node.rows, "row"))
}

pub fn rule(rule: &PlanRule) -> String {
    match rule {
        PlanRule::Without { node_type } => format!("no {node_type}"),
        PlanRule::RowsMax(max) => format!("no node of more than {} estimated", count(*max, "row")),
    }
}
