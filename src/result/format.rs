//! The versions of result.json.

/// Version of result.json. A reader knows this one and [`FORMAT_READ`] before it.
pub const FORMAT: u32 = 5;

/// The oldest version that is still read.
pub const FORMAT_READ: u32 = 4;
