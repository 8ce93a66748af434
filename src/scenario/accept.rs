//! What a change does on purpose, of what would be found otherwise.

use crate::pg::facts::RelationName;

use super::state::Accepted;

/// One thing that is meant: exactly one of these is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meant {
    /// Rows of this table may go.
    pub rows: Option<String>,
    /// Values of this table, or of this column of it (`orders.note`), may become others.
    pub values: Option<String>,
    /// The schema may differ from before in this.
    pub difference: Option<Accepted>,
    /// No table with rows has to be changed.
    pub no_rows: bool,
}

impl Meant {
    /// Whether rows of the table may go; `table` as the catalogue quotes it.
    pub fn covers_rows(&self, table: &str) -> bool {
        self.rows.as_deref().is_some_and(|meant| is(meant, table))
    }

    /// Whether values of the column may become others.
    pub fn covers_values(&self, table: &str, column: &str) -> bool {
        let Some(meant) = &self.values else { return false };
        let of_column = meant.rsplit_once('.').is_some_and(|(t, c)| c == column && is(t, table));
        of_column || is(meant, table)
    }
}

fn is(meant: &str, table: &str) -> bool {
    RelationName::of(meant).may_be(&RelationName::unquoted(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_or_one_column_of_it_is_meant() {
        let values = |text: &str| Meant { values: Some(text.to_owned()), ..Meant::default() };
        assert!(values("orders").covers_values("public.orders", "note"));
        assert!(values("public.orders").covers_values("public.orders", "note"));
        assert!(values("orders.note").covers_values("public.orders", "note"));
        assert!(values("public.orders.note").covers_values("public.orders", "note"));
        assert!(!values("orders.total").covers_values("public.orders", "note"));
        let rows = Meant { rows: Some("Archive".to_owned()), ..Meant::default() };
        assert!(rows.covers_rows("public.\"Archive\"") && !rows.covers_rows("public.archive"));
    }
}
