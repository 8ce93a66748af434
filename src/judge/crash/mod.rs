//! Crash matrices: which faults a change leaves room for, what came of each, what they amount to.

mod case;
mod incomplete;
mod injection_points;
mod matrix;

pub use case::case;
pub use incomplete::{incomplete, is_whole};
pub use injection_points::{FeasibleFault, Needs, Span, faults, spans};
pub use matrix::{Undisturbed, matrix};
