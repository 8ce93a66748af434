//! Operations that take longer since the change, although nothing of it is under way any more: an
//! index that they used is gone, a trigger has come.

use statrs::stats_tests::Alternative;
use statrs::stats_tests::mannwhitneyu::{MannWhitneyUMethod, mannwhitneyu};

use crate::clock::Micros;
use crate::history::{Operation, OperationOutcome, OperationPlan, Phase, PlanNode};
use crate::pg::facts::RelationName;
use crate::result::evidence::{ChangedScan, Served, SlowerOperation};
use crate::result::{Evidence as Shown, Finding, Subject};
use crate::scenario::{OperationSpec, Verdict};

use super::Evidence;
use super::reads::change_over;
use super::work::Size;

/// Fewer operations of a kind, before or after, say nothing of it.
const OPERATIONS_MIN: usize = 8;
/// Operations of a kind, before or after, that are compared: evenly from the fastest to the
/// slowest. The test compares each with each.
const OPERATIONS_MAX: usize = 500;
/// Chance that a difference is none, for all kinds together, beyond which nothing is said.
const CHANCE_MAX: f64 = 1e-3;
/// With more than this, enough operations say that those after the change take no longer.
const CHANCE_NOT: f64 = 0.05;
/// The median has to be so many times what it was, and by so much more.
const FACTOR: u64 = 2;
const LONGER_BY: Micros = Micros::from_millis(1);
/// From so many rows on a table that is read whole makes operations slower with every row.
const ROWS_MIN: u64 = 10_000;
/// The server's estimate has to be so many times what it was.
const COST_FACTOR: f64 = 2.0;

/// An operation's kind before the change and after it.
struct Compared {
    before: Served,
    after: Served,
    /// That those after the change take no longer, as far as chance goes; None: too few.
    chance: Option<f64>,
    scan: Option<ChangedScan>,
}

impl Compared {
    fn factor(&self) -> Option<f64> {
        let ratio = self.after.p50_us.0 as f64 / self.before.p50_us.0.max(1) as f64;
        self.chance.map(|_| ratio)
    }

    /// Beyond chance, and by enough to be felt.
    fn is_slower(&self, kinds: usize) -> bool {
        let before = self.before.p50_us;
        let felt = Micros(before.0 * FACTOR).max(before + LONGER_BY);
        let beyond = self.chance.is_some_and(|chance| chance * kinds as f64 <= CHANCE_MAX);
        beyond && self.after.p50_us >= felt
    }

    /// The server reads every row now, and enough operations would have shown it if that were no
    /// slower.
    fn grows(&self) -> bool {
        let scan = self.scan.as_ref();
        let costly = |scan: &ChangedScan| scan.cost >= scan.before_cost * COST_FACTOR;
        scan.is_some_and(|scan| scan.rows >= Some(ROWS_MIN) && costly(scan))
            && self.chance.is_none_or(|chance| chance <= CHANCE_NOT)
    }
}

/// Per kind of operation. Unsafe where the server reads a whole table now and did not before: that
/// grows with the table, and its plan shows it however few operations ran. Whatever else is slower
/// informs, unless all kinds are: then it is the machine, or the server.
pub fn operations(evidence: &Evidence<'_, '_>) -> Vec<Finding> {
    if evidence.begins_empty() || !evidence.trace.attempts.iter().any(|a| a.finished()) {
        return Vec::new();
    }
    let specs = &evidence.scenario.traffic.operations;
    let times = served(evidence, specs.len()).into_iter().enumerate();
    let compared = times.map(|(kind, of)| compare(evidence, kind, of)).collect::<Vec<_>>();
    let factors: Vec<f64> = compared.iter().filter_map(Compared::factor).collect();
    let least = factors.iter().copied().fold(f64::INFINITY, f64::min);
    let common = if factors.len() > 2 { least.max(1.0) } else { 1.0 };
    let finding = |(compared, spec): (Compared, &OperationSpec)| {
        let apart = compared.factor() >= Some(FACTOR as f64 * common);
        let verdict = match compared.grows() {
            true => Verdict::Unsafe,
            false if compared.is_slower(specs.len()) && apart => Verdict::Safe,
            false => return None,
        };
        let Compared { before, after, scan, .. } = compared;
        let shown = Shown::OperationSlower(SlowerOperation { before, after, scan });
        Some(Finding::new(verdict, Subject::operation(spec.name.clone()), shown))
    };
    compared.into_iter().zip(specs).filter_map(finding).collect()
}

fn compare(evidence: &Evidence<'_, '_>, kind: usize, times: Times) -> Compared {
    let Times { before, after } = times;
    let method = MannWhitneyUMethod::AsymptoticInclContinuityCorrection;
    let enough = before.len().min(after.len()) >= OPERATIONS_MIN;
    let samples = (thinned(&after), thinned(&before));
    let test = || mannwhitneyu(&samples.0, &samples.1, method, Alternative::Greater).ok();
    Compared {
        before: median(&before),
        after: median(&after),
        chance: enough.then(test).flatten().map(|(_, chance)| chance),
        scan: changed_scan(evidence, kind),
    }
}

/// For how long operations of a kind had a connection, the shortest first.
#[derive(Clone, Default)]
struct Times {
    before: Vec<u64>,
    /// When latency was back within its limit.
    after: Vec<u64>,
}

fn served(evidence: &Evidence<'_, '_>, kinds: usize) -> Vec<Times> {
    let trace = evidence.trace;
    let began = evidence.change_began();
    let back = change_over(evidence) + evidence.recovery.took.unwrap_or_default();
    let mut times = vec![Times::default(); kinds];
    let time = |o: &Operation| (o.finished_us - o.acquired_us.unwrap_or(o.dispatched_us)).0;
    let counts = |o: &&Operation| o.outcome == OperationOutcome::Succeeded && !o.on_replica;
    let baseline = trace.scheduled_in(Phase::Baseline).filter(counts);
    for operation in baseline.filter(|o| o.finished_us < began) {
        let of_kind = times.get_mut(usize::from(operation.kind));
        of_kind.into_iter().for_each(|times| times.before.push(time(operation)));
    }
    let recovery = trace.scheduled_in(Phase::Recovery).filter(counts);
    for operation in recovery.filter(|o| o.scheduled_us >= back) {
        let of_kind = times.get_mut(usize::from(operation.kind));
        of_kind.into_iter().for_each(|times| times.after.push(time(operation)));
    }
    for times in &mut times {
        times.before.sort_unstable();
        times.after.sort_unstable();
    }
    times
}

fn thinned(sorted: &[u64]) -> Vec<u64> {
    let step = sorted.len().div_ceil(OPERATIONS_MAX).max(1);
    sorted.iter().skip(step / 2).step_by(step).copied().collect()
}

fn median(times: &[u64]) -> Served {
    let p50_us = times.get(times.len() / 2).copied().map(Micros).unwrap_or_default();
    Served { operations: times.len() as u64, p50_us }
}

/// A table that one of the operation's statements reads whole, and by an index before.
fn changed_scan(evidence: &Evidence<'_, '_>, kind: usize) -> Option<ChangedScan> {
    let over = change_over(evidence);
    let plans = evidence.trace.operation_plans.iter().copied();
    let of_kind = plans.filter(|(_, plan)| usize::from(plan.operation) == kind);
    let (after, before): (Vec<_>, Vec<_>) = of_kind.partition(|(at, _)| *at >= over);
    let changed = |(_, now): (Micros, &OperationPlan)| {
        let (_, was) = before.iter().rfind(|(_, plan)| plan.statement == now.statement)?;
        let mut whole = now.nodes.iter().filter(|node| reads_whole(node));
        let (node, index) = whole.find_map(|node| Some((node, indexed(&was.nodes, node)?)))?;
        let relation = node.relation.clone()?;
        Some(ChangedScan {
            rows: Size::of(evidence, &RelationName::unquoted(&relation)).rows,
            relation,
            index,
            node_type: node.node_type.clone(),
            before_cost: was.cost,
            cost: now.cost,
        })
    };
    after.into_iter().rev().find_map(changed)
}

fn reads_whole(node: &PlanNode) -> bool {
    node.node_type == "Seq Scan"
}

/// The index by which the same table was read; None: it was not read by one alone.
fn indexed(before: &[PlanNode], now: &PlanNode) -> Option<String> {
    let of_table: Vec<&PlanNode> =
        before.iter().filter(|node| node.relation == now.relation).collect();
    if of_table.iter().any(|node| reads_whole(node)) {
        return None;
    }
    let at = before.iter().position(|node| node.relation == now.relation)?;
    // The indexes of a bitmap are its children.
    before[at..].iter().find_map(|node| node.index.clone())
}
