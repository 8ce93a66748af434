//! Applies the change as its runner would: transactions, timeouts, versions, retries.
//!
//! Every statement goes through the tap's tracer. This module does not know what else goes on
//! around the change and does not judge how it went.

mod error;
mod probe;
mod runner;
mod versions;

pub use error::Error;
pub use runner::{Setup, apply};
pub use versions::{prepare, versions};
