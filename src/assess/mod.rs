//! What the trials of one change mean together: a pure function of keyed observations.
//!
//! `judge` says what one trial shows. Here the trials of a change are set side by side: which of
//! two runs correspond to each other, whether all starting states converge, what came of each
//! fault, and the verdict of the change. An axis is data (`trial::Axis`); nothing here knows how
//! many there are.

mod accepted;
mod change;
mod incomplete;
mod majors;
mod matrix;
mod pairing;
mod retries;
mod sizes;
mod states;
mod trials;

pub use change::changes;
pub use incomplete::incomplete;
pub use matrix::{Effort, matrix};
pub use pairing::{Keyed, Paired, Pairing};
pub use retries::{RetriesTried, retries};
pub use sizes::{likely, replayed_stall};
pub use trials::{Against, reference_of, trial, trials};
