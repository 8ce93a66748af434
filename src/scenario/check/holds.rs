//! What a column's values are to other rows: which can be referred to.

use toml::Spanned;

use super::super::wire;

/// What a column is to those that refer to it.
#[derive(Clone, Debug)]
pub enum Holds {
    /// A uuid or a serial: values that dangle are known as well.
    Key,
    /// Another function of the row.
    ByRow,
    /// What the row of another table holds.
    Through { table: String, column: String },
    /// Something that cannot be computed again: why.
    Drawn(&'static str),
}

impl Holds {
    pub fn of(value: &wire::Value) -> Holds {
        if value.distinct.is_some() {
            return Holds::Drawn("its values repeat (`distinct`)");
        }
        if value.uuid.is_some() || value.serial.is_some() {
            return Holds::Key;
        }
        let function = value.numbered.is_some() || value.constant.is_some() || value.pool.is_some();
        let through = value.reference.as_ref().map(Spanned::get_ref);
        let through =
            through.filter(|reference| reference.each.is_some() || reference.row.is_some());
        let nulls = value.null_fraction.as_ref().is_some_and(|share| *share.get_ref() > 0.0);
        match through {
            _ if nulls && (function || through.is_some()) => {
                Holds::Drawn("its values are NULL in some rows")
            }
            Some(reference) => Holds::Through {
                table: reference.table.get_ref().clone(),
                column: reference.column.get_ref().clone(),
            },
            None if function => Holds::ByRow,
            None if value.reference.is_some() => {
                Holds::Drawn("a reference can be referred to with `each` or `row`")
            }
            None => Holds::Drawn(
                "only a uuid, serial, numbered, pool or constant column, or a reference with \
                 `each` or `row`, can be referred to",
            ),
        }
    }
}
