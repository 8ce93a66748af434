//! Crash matrices: where a change can die, what came of each death, what they amount to.

mod cell;
mod deaths;
mod incomplete;
mod matrix;

pub use cell::cell;
pub use deaths::{Lethal, Means, Span, deaths, spans};
pub use incomplete::{incomplete, is_whole};
pub use matrix::{Undisturbed, matrix};
