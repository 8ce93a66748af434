//! What a run is about to take, before anything is started: trials, minutes, disk.
//!
//! A rough figure, for a user who has typed `run` and does not know yet what that is. It decides
//! nothing: whether the disk suffices is asked again before each trial.

use crate::seed;

use super::error::Error;
use super::expand::TrialSpec;
use super::plan::{Plan, WorkUnit};
use super::request::Request;

/// Of a trial whatever its size: baseline, recovery and checks on two cores (docs/bundled.md).
const TRIAL_S: f64 = 5.0;
/// Of a trial besides, for each million rows of its largest table: copy, change, rerun.
const MILLION_ROWS_S: f64 = 15.0;
/// Of a crash matrix or the rounds of a policy, which have few rows.
const MATRIX_S: f64 = 45.0;
/// The template, the trial's copy, and as much again for what the change writes.
const COPIES: u64 = 3;

/// What a run will take, roughly.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreseen {
    /// Scenarios of which something is run.
    pub scenarios: usize,
    /// Trials that have a database with all its rows.
    pub trials: usize,
    /// Crash matrices, and policies whose odds are measured.
    pub matrices: usize,
    /// Rows of the largest table of any trial.
    pub rows_max: u64,
    /// Seconds in all.
    pub seconds: f64,
    /// Bytes on disk that the largest trial needs while it runs.
    pub bytes_max: u64,
}

/// # Errors
/// The request cannot be carried out.
pub fn foreseen(request: &Request) -> Result<Foreseen, Error> {
    Ok(of_plan(&Plan::of(request)?))
}

fn of_plan(plan: &Plan) -> Foreseen {
    let (trials, matrices): (Vec<_>, Vec<_>) =
        plan.units.iter().partition(|unit| matches!(unit, WorkUnit::Trials(_)));
    let specs: Vec<&TrialSpec> = trials.into_iter().flat_map(specs_of).collect();
    let million = |spec: &TrialSpec| spec.sizes.largest() as f64 / 1e6;
    let seconds = specs.iter().map(|spec| TRIAL_S + MILLION_ROWS_S * million(spec)).sum::<f64>();
    let bytes = specs.iter().map(|spec| seed::estimated_bytes(&spec.seed()).saturating_mul(COPIES));
    Foreseen {
        scenarios: plan.scenarios.len(),
        trials: specs.len(),
        matrices: matrices.len(),
        rows_max: specs.iter().map(|spec| spec.sizes.largest()).max().unwrap_or(0),
        seconds: seconds + MATRIX_S * matrices.len() as f64,
        bytes_max: bytes.max().unwrap_or(0),
    }
}

fn specs_of(unit: &WorkUnit) -> &[TrialSpec] {
    match unit {
        WorkUnit::Trials(specs) => specs,
        WorkUnit::Matrix(_) | WorkUnit::Retries(_) => &[],
    }
}
