//! The identity of a trial, spelled in one place: what it is called, where it is kept; and the
//! fault that is injected into its change, if any.
//!
//! A trial is one execution of a scenario at one point of several axes: starting state, condition,
//! size, server, fault. An axis is data, so that a new one needs no new code where trials are
//! expanded, paired, stored or rendered.

mod fault;
mod key;

pub use fault::{Fault, FaultKind, InjectionPoint, StatementId};
pub use key::{Axis, TrialKey};
