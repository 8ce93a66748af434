//! A foreign key, as `pg_get_constraintdef` prints it.

/// `FOREIGN KEY (a, b) REFERENCES t(x, y) ON DELETE CASCADE`.
pub struct ForeignKey<'c> {
    /// Its columns, with commas.
    pub columns: &'c str,
    /// The table that it refers to.
    pub refers_to: &'c str,
    /// The columns of that, with commas.
    pub referred: &'c str,
    /// What is behind them.
    pub actions: &'c str,
    /// What is before that.
    pub what: &'c str,
}

impl<'c> ForeignKey<'c> {
    /// None: the definition is of another constraint.
    pub fn of(definition: &'c str) -> Option<ForeignKey<'c>> {
        let (columns, rest) =
            definition.strip_prefix("FOREIGN KEY (")?.split_once(") REFERENCES ")?;
        let (refers_to, rest) = rest.split_once('(')?;
        let (referred, actions) = rest.split_once(')')?;
        let what = definition.strip_suffix(actions)?;
        Some(ForeignKey { columns, refers_to, referred, actions: actions.trim(), what })
    }
}
