//! Values of a type as text: what a column of it may hold, by its type and its name.
//!
//! These are proposals. The server says which of them its input function takes.

mod built_in;
mod made;
mod profile;
mod words;

pub(super) use made::profile;
pub(super) use profile::{Kind, Profile};
