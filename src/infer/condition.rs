//! Simple conditions on a column, or on two: what values are drawn by.

/// A simple condition on one column, or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// It is one of these, or where `among` is false none of them.
    In { column: String, among: bool, values: Vec<String> },
    /// It is at least, or at most, this value.
    Bound { column: String, least: bool, strict: bool, value: String },
    /// It is NULL, or is not.
    Null { column: String, null: bool },
    /// Its text has at least, or at most, so many characters, an array so many elements.
    Length { column: String, least: bool, length: usize },
    /// It matches a LIKE pattern.
    Like { column: String, pattern: String },
    /// It matches a regular expression.
    Matches { column: String, pattern: String },
    /// Two columns compare by this operator.
    Pair { left: String, operator: String, right: String },
    /// It is in upper, or lower, case.
    Case { column: String, upper: bool },
    /// Constants that are said together with the column, for whatever they are good.
    Hint { column: String, constants: Vec<String> },
}

impl Condition {
    /// The one column that it is about; None: there are two.
    pub(super) fn column(&self) -> Option<&str> {
        match self {
            Condition::In { column, .. }
            | Condition::Bound { column, .. }
            | Condition::Null { column, .. }
            | Condition::Length { column, .. }
            | Condition::Like { column, .. }
            | Condition::Matches { column, .. }
            | Condition::Case { column, .. }
            | Condition::Hint { column, .. } => Some(column),
            Condition::Pair { .. } => None,
        }
    }

    /// The same about a column of another name: a domain's `value` is a column of a table.
    pub(super) fn renamed(mut self, name: &str) -> Condition {
        match &mut self {
            Condition::In { column, .. }
            | Condition::Bound { column, .. }
            | Condition::Null { column, .. }
            | Condition::Length { column, .. }
            | Condition::Like { column, .. }
            | Condition::Matches { column, .. }
            | Condition::Case { column, .. }
            | Condition::Hint { column, .. } => name.clone_into(column),
            Condition::Pair { .. } => {}
        }
        self
    }
}

/// One way to satisfy a CHECK.
pub(super) type Alternative = Vec<Condition>;
