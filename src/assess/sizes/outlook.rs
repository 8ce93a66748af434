//! Each statement's growth, and what it comes to at the size that is asked about.

use std::collections::BTreeMap;

use crate::clock::Micros;
use crate::pg::facts::{Certainty, RelationName, StatementFacts, Work, facts, works};
use crate::pg::syntax::Kind;
use crate::result::{
    Crossing, GrowthPoint, Interval, Judgement, Leftover, Matrix, ReachedTimeout, StatementGrowth,
    StatementRow,
};
use crate::scenario::{Scenario, Sizes};
use crate::stats::{Estimate, Growth, Law, Point, SIZES_MIN};
use crate::trial::FaultKind;

use super::series::{Series, series};

/// What takes less at every size is not told from the noise of a machine; on a busy one, what takes
/// less than the slowest operations of the baseline did.
const BRIEF_LEAST: Micros = Micros::from_millis(5);
/// What takes less at the size that is asked about is not listed.
const SHORT: Micros = Micros::from_millis(20);
/// A sort holds about so much per row: a key, its row's place and the sort's own.
const SORT_ROW_BYTES: u64 = 40;

/// The trials of one change, and what is asked of them.
#[derive(Clone, Copy)]
pub struct Sized<'r> {
    pub scenario: &'r Scenario,
    pub trials: &'r [&'r Judgement],
    pub matrices: &'r [&'r Matrix],
    /// Rows per table that are asked about; by an empty name: of the largest one.
    pub at: &'r BTreeMap<String, u64>,
}

/// Every statement's growth.
pub struct Outlook<'r> {
    pub of: Sized<'r>,
    pub trials: Vec<&'r Judgement>,
    /// The largest trial.
    pub largest: &'r Judgement,
    pub grown: Vec<Grown<'r>>,
    /// Statements of which nothing is predicted, although their table grows.
    pub unknown: Vec<&'r StatementRow>,
    /// What takes less at every size says nothing of growth.
    brief: Micros,
    /// Rows per table of the size for which figures are given.
    sizes: BTreeMap<String, u64>,
}

/// A statement with its growth.
pub struct Grown<'r> {
    pub series: Series<'r>,
    /// None: it took next to no time at every size, or by its text it does not grow.
    pub growth: Option<Growth>,
    /// For which figures are given.
    pub rows: u64,
    pub crossings: Vec<Crossing>,
}

impl<'r> Outlook<'r> {
    pub fn of(of: Sized<'r>, trials: Vec<&'r Judgement>) -> Option<Outlook<'r>> {
        let largest = trials.iter().copied().max_by_key(|judgement| rows_of_largest(judgement))?;
        let sizes = asked(of.at, &largest.trial.sizes);
        let (grown, unknown) = (Vec::new(), Vec::new());
        let brief = brief(&trials);
        let mut outlook = Outlook { of, trials, largest, grown, unknown, brief, sizes };
        if outlook.tried().len() < SIZES_MIN {
            return None;
        }
        for series in series(&outlook.trials, largest) {
            let row = series.row;
            let is_long = row.work_us() >= outlook.brief
                && !stays(&row.statement.text)
                && outlook.grows(&series.table);
            match outlook.grow(series) {
                Some(grown) => outlook.grown.push(grown),
                None if is_long => outlook.unknown.push(row),
                None => {}
            }
        }
        Some(outlook)
    }

    /// Whether the table has other rows at other sizes.
    fn grows(&self, table: &str) -> bool {
        let mut rows = self.trials.iter().map(|j| j.trial.sizes.get(table));
        let first = rows.next();
        rows.any(|other| Some(other) != first)
    }

    /// Rows of the largest table at each size, ascending.
    pub fn tried(&self) -> Vec<u64> {
        tried(&self.trials)
    }

    /// What is known of the statement's growth; None: another row stands for it, or nothing.
    pub fn grown(&self, row: &StatementRow) -> Option<&Grown<'r>> {
        self.grown.iter().find(|grown| std::ptr::eq(grown.series.row, row))
    }

    /// Rows per table that are asked about; empty: nothing is.
    pub fn asked(&self) -> BTreeMap<String, u64> {
        if self.of.at.is_empty() { BTreeMap::new() } else { self.sizes.clone() }
    }

    pub fn is_asked(&self) -> bool {
        !self.of.at.is_empty()
    }

    /// Those whose time counts, and how many there are whose time does not.
    pub fn statements(&self) -> (Vec<StatementGrowth>, u32) {
        let long = self.grown.iter().filter_map(|grown| Some((grown, grown.growth.as_ref()?)));
        let all: Vec<StatementGrowth> =
            long.map(|(of, growth)| self.described(of, growth)).collect();
        let brief = self.grown.iter().filter(|grown| grown.growth.is_none()).count();
        let counts = |growth: &StatementGrowth| {
            growth.timeout.as_ref().is_some_and(|timeout| timeout.chance.is_none_or(|c| c > 0.0))
                || growth.took.high >= SHORT.0 as f64
        };
        let (listed, short): (Vec<_>, Vec<_>) = all.into_iter().partition(counts);
        (listed, u32::try_from(short.len() + brief).unwrap_or(u32::MAX))
    }

    fn grow(&self, series: Series<'r>) -> Option<Grown<'r>> {
        let points = series.sums(|row| row.work_us().0 as f64);
        let rows = self.sizes.get(&series.table).copied()?;
        let crossings = self.crossings(&series, rows);
        let is_brief = stays(&series.row.statement.text) || self.is_brief(&series, &points, rows);
        let growth = Growth::expecting(&points, likely(&series.row.statement.text))?;
        let growth = growth.widened(Crossing::widen(&crossings));
        Some(Grown { series, growth: (!is_brief).then_some(growth), rows, crossings })
    }

    /// Whether it takes next to no time, and would even if it grew with its table.
    fn is_brief(&self, series: &Series<'_>, points: &[Point], rows: u64) -> bool {
        let most = points.iter().map(|point| point.y).fold(0.0, f64::max);
        let tried = series.runs.last().map_or(rows, |runs| runs.rows).max(1);
        let grown = most * (rows as f64 / tried as f64).max(1.0);
        let timeout_ms = Some(series.row.timeouts.statement_ms).filter(|ms| *ms > 0);
        let timeout = timeout_ms.map(Micros::from_millis).unwrap_or(Micros(u64::MAX));
        let least = timeout.min(self.largest.ending.stall_limit_us);
        most < BRIEF_LEAST.0 as f64 || (most < self.brief.0 as f64 && grown < least.0 as f64)
    }

    fn described(&self, grown: &Grown<'_>, growth: &Growth) -> StatementGrowth {
        let Grown { series, rows, crossings, .. } = grown;
        let has_wal = series.row.wal_bytes.is_some();
        let wal = series.sums(|row| row.wal_bytes.unwrap_or_default() as f64);
        let wal = Growth::expecting(&wal, likely(&series.row.statement.text)).filter(|_| has_wal);
        let point = |runs: &super::series::Runs<'_>| {
            let sum = |of: &dyn Fn(&StatementRow) -> Micros| {
                runs.statements.iter().fold(Micros::ZERO, |sum, row| sum + of(row))
            };
            let (took_us, waited_us) = (sum(&StatementRow::work_us), sum(&|row| row.waited_us));
            GrowthPoint { rows: runs.rows, took_us, waited_us }
        };
        let runs = series.runs.last().map_or(0, |runs| runs.statements.len() as u64);
        StatementGrowth {
            statement: series.row.statement.clone(),
            table: series.table.clone(),
            runs,
            points: series.runs.iter().map(point).collect(),
            law: growth.law(),
            missed: growth.missed(),
            crossings: crossings.clone(),
            rows: *rows,
            took: interval(growth.at(*rows as f64)),
            wal: wal.map(|wal| interval(wal.at(*rows as f64))),
            timeout: self.timeout(grown),
        }
    }

    /// The statement_timeout that one run of it comes to.
    fn timeout(&self, grown: &Grown<'_>) -> Option<ReachedTimeout> {
        let Grown { series, rows, crossings, .. } = grown;
        let limit_ms = Some(series.row.timeouts.statement_ms).filter(|ms| *ms > 0)?;
        let limit_us = Micros::from_millis(limit_ms);
        let growth = Growth::expecting(&series.longest(), likely(&series.row.statement.text))?;
        let growth = growth.widened(Crossing::widen(crossings));
        let (from, to) = growth.reaches(limit_us.0 as f64)?;
        let chance = growth.chance_above(*rows as f64, limit_us.0 as f64);
        Some(ReachedTimeout {
            setting: "statement_timeout".to_owned(),
            limit_us,
            from_rows: rounded(from),
            to_rows: to.map(rounded),
            chance: self.is_asked().then_some(chance),
            leaves: leftover(&series.row.statement.text, series.row.in_transaction),
            crash_case: self.crash_case(series.row),
        })
    }

    /// How the case ended that cancelled this statement.
    fn crash_case(&self, row: &StatementRow) -> Option<String> {
        let place = row.statement.place();
        self.of.matrices.iter().find_map(|matrix| {
            let at = matrix.rows.iter().find(|of| of.statement.place() == place)?;
            let cancelled = matrix.cases.iter().find(|case| {
                case.fault.kind == FaultKind::Cancel && case.fault.at.statement == at.id
            });
            cancelled.and_then(|case| case.outcome).map(|outcome| outcome.to_string())
        })
    }

    /// What is another at the size that is asked about than at the largest one that was tried.
    fn crossings(&self, series: &Series<'_>, rows: u64) -> Vec<Crossing> {
        let facts = &self.largest.trial;
        let tried = facts.sizes.get(&series.table).copied().unwrap_or_default().max(1);
        if rows <= tried {
            return Vec::new();
        }
        let setting = |name: &str, or: u64| {
            facts.server.settings.get(name).and_then(|value| bytes_of(value)).unwrap_or(or)
        };
        let between = |least: u64, most: u64, limit: u64| least <= limit && most > limit;
        let table = self.table_bytes(&series.table);
        let grown = |bytes: u64| (bytes as f64 * rows as f64 / tried as f64) as u64;
        let mut crossings = Vec::new();
        if let Some(bytes) = table {
            if between(bytes, grown(bytes), setting("shared_buffers", 128 << 20)) {
                crossings.push(Crossing::SharedBuffers);
            }
            if facts.machine.memory_bytes > 0
                && between(bytes, grown(bytes), facts.machine.memory_bytes)
            {
                crossings.push(Crossing::Memory);
            }
        }
        let sorts = works(&series.row.statement.text);
        let builds = index_build(&series.row.statement.text).is_some()
            || sorts.iter().any(|work| {
                matches!(work, Work::IndexBuild | Work::UniqueKey | Work::Reindex | Work::Exclusion)
            });
        let memory = setting("maintenance_work_mem", 64 << 20);
        if builds && between(tried * SORT_ROW_BYTES, rows * SORT_ROW_BYTES, memory) {
            crossings.push(Crossing::SortMemory);
        }
        let wal = series
            .runs
            .last()
            .map_or(0, |runs| runs.statements.iter().filter_map(|row| row.wal_bytes).sum::<u64>());
        if between(wal, grown(wal), setting("max_wal_size", 1 << 30)) {
            crossings.push(Crossing::Checkpoints);
        }
        crossings
    }

    /// Of the table's files in the largest trial, before the change; None: not known.
    fn table_bytes(&self, table: &str) -> Option<u64> {
        let named = RelationName::of(table);
        let sizes = self.largest.measured.table_bytes.iter();
        let mut own = sizes.filter(|(name, _)| RelationName::unquoted(name).may_be(&named));
        own.next().map(|(_, bytes)| *bytes)
    }
}

/// Rows of the largest table at each size, ascending.
pub fn tried(trials: &[&Judgement]) -> Vec<u64> {
    let mut tried: Vec<u64> = trials.iter().map(|judgement| rows_of_largest(judgement)).collect();
    tried.sort_unstable();
    tried.dedup();
    tried
}

pub fn rows_of_largest(judgement: &Judgement) -> u64 {
    judgement.trial.sizes.values().copied().max().unwrap_or_default()
}

/// The asked rows, and of every other table as many as are in proportion to the largest of them.
fn asked(at: &BTreeMap<String, u64>, tried: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let largest = tried.iter().max_by_key(|(_, rows)| **rows).map(|(table, _)| table.clone());
    let named: BTreeMap<String, u64> = at
        .iter()
        .filter_map(|(table, rows)| match table.is_empty() {
            true => largest.clone().map(|table| (table, *rows)),
            false => {
                let own = tried.keys().find(|known| RelationName::same(known, table))?;
                Some((own.clone(), *rows))
            }
        })
        .collect();
    let most = named.iter().max_by_key(|(_, rows)| **rows);
    let factor = most.and_then(|(table, rows)| Some(*rows as f64 / *tried.get(table)? as f64));
    let mut sizes = Sizes(tried.clone()).scaled(factor.unwrap_or(1.0)).0;
    sizes.extend(named);
    sizes
}

pub fn interval(of: Estimate) -> Interval {
    Interval { low: of.low, mid: of.mid, high: of.high }
}

/// Two digits say as much of a size as an interval knows.
fn rounded(rows: f64) -> u64 {
    let unit = 10_f64.powf(rows.log10().floor() - 1.0).max(1.0);
    ((rows / unit).round() * unit) as u64
}

/// `128MB`, `16384` of 8 kB are not told apart by the server's own spelling: it always has a unit.
fn bytes_of(setting: &str) -> Option<u64> {
    let at = setting.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = setting.split_at(at);
    let factor = match unit {
        "B" => 1,
        "kB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The median of what the slowest operations of the baselines took.
fn brief(trials: &[&Judgement]) -> Micros {
    let mut slowest: Vec<Micros> =
        trials.iter().map(|judgement| judgement.measured.latency.before.p99_us).collect();
    slowest.sort_unstable();
    slowest.get(slowest.len() / 2).copied().unwrap_or_default().max(BRIEF_LEAST)
}

/// Whether the text says that it changes the catalogue alone: it reads and writes no rows.
pub fn stays(text: &str) -> bool {
    let facts = facts(text);
    let alone = |statement: &StatementFacts| {
        let reads_none = statement.scans == Certainty::No && statement.rewrites == Certainty::No;
        reads_none && statement.writes.is_empty() && !statement.dynamic
    };
    let opaque = matches!(facts.kind(), Kind::Do | Kind::Call | Kind::Select);
    let is_index = index_build(text).is_some();
    !opaque
        && !is_index
        && !works(text).iter().any(|work| work.grows())
        && facts.statements.iter().all(alone)
}

/// What is known of the work before anything is measured: what reads, sorts or writes each row once
/// does not grow with the square of the rows.
pub fn likely(text: &str) -> impl Fn(Law) -> f64 + use<> {
    let once = !matches!(works(text).first(), None | Some(Work::Rows | Work::Refresh))
        || index_build(text).is_some();
    move |law| match law {
        Law::Quadratic if once => 0.0,
        _ => 1.0,
    }
}

/// Of CREATE INDEX: whether it is CONCURRENTLY, and whether it has IF NOT EXISTS.
fn index_build(text: &str) -> Option<(bool, bool)> {
    facts(text).statements.iter().find_map(|statement| match statement.kind {
        Kind::CreateIndex { concurrently, if_not_exists, .. } => {
            Some((concurrently, if_not_exists))
        }
        _ => None,
    })
}

fn leftover(text: &str, in_transaction: bool) -> Leftover {
    let facts = facts(text);
    let reindex = facts.statements.iter().any(|s| s.kind == Kind::ReindexConcurrently);
    match index_build(text) {
        Some((true, true)) => Leftover::HiddenInvalidIndex,
        Some((true, false)) => Leftover::InvalidIndex,
        _ if reindex => Leftover::InvalidIndex,
        // A block or a procedure may commit inside, unless a transaction is open.
        _ if !in_transaction && matches!(facts.kind(), Kind::Do | Kind::Call) => {
            Leftover::CommittedPart
        }
        _ => Leftover::Nothing,
    }
}
