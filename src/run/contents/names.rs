//! Which table a partition belongs to.

use crate::history::TableState;

/// The partitioned table that it is part of; itself, where it is part of none.
pub fn root_of<'t>(table: &'t str, state: &'t TableState) -> &'t str {
    state.root.as_deref().unwrap_or(table)
}
