//! What is known of a statement.

use std::fmt;

use crate::pg::LockMode;
use crate::pg::purpose::Purpose;
use crate::pg::syntax::Kind;

use super::name::RelationName;

/// What is known of a text, which may hold several statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// In their order; empty statements are left out.
    pub statements: Vec<StatementFacts>,
}

/// What is known of one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementFacts {
    /// Of text that does not parse, from its leading words.
    pub kind: Kind,
    /// What the statement is for.
    pub purpose: Purpose,
    /// None: unknown, because the text does not parse, or what it runs is not in it. Locks that
    /// foreign keys, triggers, views, partitions and CASCADE add are not in the text either.
    pub locks: Option<Vec<AskedLock>>,
    /// Settings that it sets for its session or transaction.
    pub sets: Vec<SettingSet>,
    /// Settings that the body of a DO block may set, in the order in which they are written.
    pub sets_inside: Vec<SettingSet>,
    /// Tables whose rows it writes.
    pub writes: Vec<RelationName>,
    /// The table that a CREATE TABLE, ALTER TABLE or CREATE INDEX is about.
    pub defines: Option<RelationName>,
    /// The table of a CREATE TABLE; None: the statement is another one.
    pub created: Option<CreatedTable>,
    /// Whether it reads every row of a table that is there, beyond the rows that a query asks for.
    pub scans: Certainty,
    /// Whether it gives a relation that is there new storage.
    pub rewrites: Certainty,
    /// How many IF EXISTS and IF NOT EXISTS it has: as many notices as that may say that it did
    /// nothing.
    pub conditions: usize,
    /// Postgres refuses it inside a transaction block (25001).
    pub outside_transaction: bool,
    /// It runs what its text does not show: CALL, EXECUTE, dynamic SQL in a DO block.
    pub dynamic: bool,
}

/// A lock that a statement asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskedLock {
    /// What the lock is on.
    pub relation: Relation,
    /// In which mode.
    pub mode: LockMode,
}

/// On what a lock is asked for, as far as the text names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The relation that the text names.
    Named(RelationName),
    /// The table of this index.
    OfIndex(RelationName),
    /// Every relation of this schema.
    InSchema(String),
    /// Every table with a column of this type.
    OfType(RelationName),
    /// Every relation of the database that it is for.
    Any,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Relation::Named(name) => name.fmt(f),
            Relation::OfIndex(index) => write!(f, "the table of index {index}"),
            Relation::InSchema(schema) => write!(f, "every relation of schema {schema}"),
            Relation::OfType(name) => write!(f, "every table with a column of type {name}"),
            Relation::Any => f.write_str("relations of the database"),
        }
    }
}

/// As far as the text says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// It does not.
    #[default]
    No,
    /// It depends on what is there.
    Maybe,
    /// It does.
    Yes,
}

/// A setting and what it is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingSet {
    /// In lower case; `all`: every setting is reset.
    pub name: String,
    /// Without quotes; `default` where it is reset. None: the text computes it.
    pub value: Option<String>,
    /// For the transaction only.
    pub local: bool,
}

/// A table as its CREATE TABLE states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTable {
    /// With its schema, where the statement names one: `public.spans`.
    pub name: String,
    /// None: the statement alone does not say (LIKE, INHERITS, PARTITION OF, AS).
    pub columns: Option<Vec<String>>,
}

/// Each relation once, with the strongest of its locks.
pub fn strongest_of_each(
    locks: impl Iterator<Item = (RelationName, LockMode)>,
) -> Vec<(RelationName, LockMode)> {
    let mut strongest: Vec<(RelationName, LockMode)> = Vec::new();
    for (name, mode) in locks {
        match strongest.iter_mut().find(|(known, _)| known.may_be(&name)) {
            Some((_, known)) => *known = (*known).max(mode),
            None => strongest.push((name, mode)),
        }
    }
    strongest
}

impl StatementFacts {
    /// Whether it writes rows of the table.
    pub fn writes_to(&self, table: &RelationName) -> bool {
        self.writes.iter().any(|written| written.may_be(table))
    }

    fn is_about(&self, tables: &[RelationName]) -> bool {
        let among = |name: &RelationName| tables.iter().any(|table| table.may_be(name));
        let rows = !self.writes.is_empty() && self.writes.iter().all(among);
        rows || self.defines.as_ref().is_some_and(among)
    }
}

impl Facts {
    /// Of the first statement.
    pub fn kind(&self) -> &Kind {
        self.statements.first().map_or(&Kind::Other, |first| &first.kind)
    }

    /// Whether Postgres refuses the first statement inside a transaction block.
    pub fn outside_transaction(&self) -> bool {
        self.statements.first().is_some_and(|first| first.outside_transaction)
    }

    /// Of several statements the greatest. An empty text is no work.
    pub fn purpose(&self) -> Purpose {
        let purposes = self.statements.iter().map(|statement| statement.purpose);
        purposes.max().unwrap_or(Purpose::Setting)
    }

    /// The locks that are known to be asked for, in the order of the statements.
    pub fn locks(&self) -> impl Iterator<Item = &AskedLock> {
        self.statements.iter().flat_map(|statement| statement.locks.iter().flatten())
    }

    /// Those of them whose relation the text names.
    pub fn named_locks(&self) -> impl Iterator<Item = (&RelationName, LockMode)> {
        self.locks().filter_map(|lock| match &lock.relation {
            Relation::Named(name) => Some((name, lock.mode)),
            Relation::OfIndex(_) | Relation::InSchema(_) | Relation::OfType(_) | Relation::Any => {
                None
            }
        })
    }

    /// The strongest lock that is known to be asked for, but for what every reader and writer of
    /// rows takes.
    pub fn strongest_lock(&self) -> Option<LockMode> {
        let modes = self.locks().map(|lock| lock.mode);
        modes.filter(|mode| *mode > LockMode::RowExclusiveLock).max()
    }

    /// The value to which the text sets a setting; the last, where it is set twice.
    pub fn sets(&self, setting: &str) -> Option<&str> {
        let sets = self.statements.iter().rev().flat_map(|statement| statement.sets.iter().rev());
        let mut known = sets.filter(|set| set.name == setting || set.name == "all");
        known.next()?.value.as_deref()
    }

    /// What a DO block of the text may set a setting to; the last, where it has several. Whether it
    /// does is not known.
    pub fn sets_inside(&self, setting: &str) -> Option<&SettingSet> {
        let inside = self.statements.iter().rev().flat_map(|s| s.sets_inside.iter().rev());
        inside.into_iter().find(|set| set.name == setting || set.name == "all")
    }

    /// Whether it runs what it does not show.
    pub fn is_dynamic(&self) -> bool {
        self.statements.iter().any(|statement| statement.dynamic)
    }

    /// How many of the statements write rows of the table: `orders`, `public.orders`.
    pub fn writes_to(&self, table: &str) -> usize {
        let table = RelationName::of(table);
        self.statements.iter().filter(|statement| statement.writes_to(&table)).count()
    }

    /// Whether all the work of the text is about these tables: their rows, or the tables
    /// themselves.
    pub fn is_about(&self, tables: &[&str]) -> bool {
        let tables: Vec<RelationName> =
            tables.iter().map(|table| RelationName::of(table)).collect();
        let mut work = self.statements.iter().filter(|s| s.purpose == Purpose::Work).peekable();
        work.peek().is_some() && work.all(|statement| statement.is_about(&tables))
    }

    /// Whether the text opens its transaction itself: `BEGIN; …`.
    pub fn begins_transaction(&self) -> bool {
        self.statements.first().is_some_and(|first| first.kind == Kind::Begin)
    }

    /// The table that its first statement creates.
    pub fn created(&self) -> Option<&CreatedTable> {
        self.statements.first()?.created.as_ref()
    }

    /// How many IF EXISTS and IF NOT EXISTS it has.
    pub fn conditions(&self) -> usize {
        self.statements.iter().map(|statement| statement.conditions).sum()
    }
}
