//! The identity of a trial, spelled in one place: what it is called, where it is kept.
//!
//! A trial is one execution of a scenario at one point of several axes: starting state, condition,
//! size, server, fault. An axis is data, so that a new one needs no new code where trials are
//! expanded, paired, stored or rendered.

mod key;

pub use key::{Axis, TrialKey};
