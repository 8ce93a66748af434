//! What trials at several sizes say of a size that was not tried.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::prediction::{Interval, PredictedHold, ReachedTimeout};

/// A timeout that a statement comes to at a size that was not tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictedTimeout {
    /// Rows of the table that are asked about; where nothing is asked, of the largest size.
    pub rows: u64,
    /// How long the statement works there.
    pub took: Interval,
    /// Rows of the largest table at each size that was tried.
    pub tried: Vec<u64>,
    /// The timeout, and what it leaves.
    pub timeout: ReachedTimeout,
}

/// A lock that is held longer than operations may wait at a size that was not tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictedStall {
    /// Rows per table that are asked about.
    pub at: BTreeMap<String, u64>,
    /// Rows of the largest table at each size that was tried.
    pub tried: Vec<u64>,
    /// The lock.
    pub hold: PredictedHold,
}
