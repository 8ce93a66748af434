//! What cannot be divided, by its key: what the trials and the matrix of a scenario are called.

use crate::trial::{Axis, TrialKey};

/// What the trials of the key's unit are called together.
pub fn trials(key: &TrialKey) -> String {
    unit_of(key).to_string()
}

/// What the crash matrix of the key's scenario is called.
pub fn matrix_of(key: &TrialKey) -> String {
    format!("{}, crash matrix", unit_of(key))
}

/// Starting states are of one unit, and sizes, which are fitted together; a plan knows no server
/// yet.
pub fn unit_of(key: &TrialKey) -> TrialKey {
    let own = [Axis::STATE, Axis::SIZE, Axis::SERVER, Axis::FAULT];
    own.iter().fold(key.clone(), |key, axis| key.without(axis))
}
