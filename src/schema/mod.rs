//! The fingerprint of a schema: what the catalogue says, in a form that two databases share.
//!
//! Object ids, and the order of creation where it means nothing, are left out; what a failed
//! change leaves behind (an index that is not valid, a constraint that was never validated) is
//! kept. This module holds the queries and compares their answers; it must not ask them.

mod difference;
mod file;
mod fingerprint;
mod queries;
mod replaced;

pub use difference::{Difference, Objects, differences};
pub use file::{Stored, StoredError};
pub use fingerprint::Fingerprint;
pub use queries::{MAJORS, NUMBERING, Query, SETTINGS, queries};
pub use replaced::{Replaced, ReplacedFunction, ReplacedView, Users, function_parts};
