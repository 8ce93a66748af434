//! Faults: which ones a change leaves room for, and what one case, or the run without one, shows.

mod case;
mod injection_points;
mod undisturbed;

pub use case::case;
pub use injection_points::{FeasibleFault, Needs, Span, faults, spans};
pub use undisturbed::{Undisturbed, is_whole, undisturbed};
