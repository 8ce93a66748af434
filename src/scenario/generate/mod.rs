//! Values for columns and parameters, as a pure function of `rng_seed`.
//!
//! The seed stage fills tables and the driver fills parameters from the same generators, so that
//! a parameter can name a row that the seed made. Nothing here is async and nothing connects: a
//! [`Drawer`] is compiled once from a [`Generator`](super::Generator) and is then cheap to draw
//! from, on any thread.
//!
//! What an `rng_seed` determines must not change with the machine, the number of threads or the
//! version of rand. Texts come from the `fake` crate, whose lists may change with its version.

mod document;
mod drawer;
mod key;
pub mod math;
mod pattern;
mod pool;
mod reference;
mod targets;
mod template;
mod value;

pub(super) use drawer::push_decimal;
pub use drawer::{Drawer, Written};
pub use pattern::Pattern;
pub use template::Template;
pub use value::{Drawn, Rng, Value, instant_text, key, stream};

#[cfg(test)]
mod tests;
