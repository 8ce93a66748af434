//! Drives the application's operations through a pool, open loop.
//!
//! Operations are scheduled whatever the server does, and latency counts from the scheduled time:
//! a client that starts its clock when a connection is free leaves out the very operations
//! that a migration delays. Everything is appended to the history; nothing is judged here.

mod accounting;
mod answers;
mod capacity;
mod connection;
mod driver;
mod error;
mod keyed;
mod ledger;
mod operation;
mod parameters;
mod plan;
mod pool;
mod rehearse;
mod schedule;
mod settle;
mod warm;
mod written;

pub use answers::{CalledFunction, function_answers};
pub use capacity::capacity;
pub use connection::Pooled;
pub use driver::{DriveSetup, Driving, Stopped, start, start_on};
pub use error::Error;
pub use ledger::Ledger;
pub use plan::UnknownName;
pub use rehearse::{Draw, rehearse};
pub use schedule::{Arrival, Mix, Schedule, Timetable};
pub use settle::Error as LedgerError;
