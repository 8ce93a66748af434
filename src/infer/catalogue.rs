//! What a database's catalogue says of its tables: what rows have to be to be taken.
//!
//! It is read in one query, as JSON ([`CATALOGUE`]). Objects refer to each other by oid, which is
//! an identity within one reading and no further. Expressions are as `pg_get_expr` prints them with
//! an empty search_path.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::pg::quote_ident;

/// The query whose one value, a JSON text, a [`Catalogue`] is read from; for servers 14 to 18.
/// `search_path` has to be empty.
pub const CATALOGUE: &str = include_str!("sql/catalogue.sql");

/// Number of an object in one database's catalogue.
pub type Oid = u32;

/// A database's tables and types.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// `server_version_num`.
    pub version_num: u32,
    /// Ordinary and partitioned tables, and partitions, of the users' schemas; by schema and name.
    pub tables: Vec<Table>,
    /// Types that their columns have, and what those are made of.
    pub types: Vec<Type>,
    /// Functions and procedures of the users' schemas.
    pub functions: Vec<Function>,
    /// Words that `quote_ident` quotes: those that the server's grammar does not take for any name.
    pub reserved: BTreeSet<String>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its oid.
    pub oid: Oid,
    /// Its schema's name.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether it is partitioned, so that only its partitions hold rows.
    pub partitioned: bool,
    /// Whether it is a foreign table.
    pub foreign: bool,
    /// `pg_get_partkeydef`, of a partitioned table.
    pub partition_key: Option<String>,
    /// `FOR VALUES …` or `DEFAULT`, of a partition.
    pub bound: Option<String>,
    /// The condition that a partition's rows keep, its parents' included; None: it takes any row,
    /// or is no partition.
    pub admits: Option<String>,
    /// What it is a partition of or inherits from.
    pub parents: Vec<Oid>,
    /// Whether row security is enabled.
    pub row_security: bool,
    /// Its policies, by name.
    pub policies: Vec<Policy>,
    /// Its columns that are not dropped, in their order.
    pub columns: Vec<Column>,
    /// Keys, checks, exclusions.
    pub constraints: Vec<Constraint>,
    /// Its indexes, those of constraints included.
    pub indexes: Vec<Index>,
    /// Its enabled triggers that users made.
    pub triggers: Vec<Trigger>,
}

/// A trigger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The name of its function.
    pub function: String,
    /// What it passes to the function.
    pub arguments: Vec<String>,
}

/// A policy of row security.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Whether it is PERMISSIVE: a row needs one of those and all others.
    pub permissive: bool,
    /// Roles that it is for; none: for all.
    pub roles: Vec<String>,
    /// Which rows it shows.
    pub using: Option<String>,
    /// Which rows may be written; None: those that it shows.
    pub check: Option<String>,
}

/// A function or a procedure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its text; None: of a language that is not read here.
    pub source: Option<String>,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// `attnum`.
    pub number: i16,
    /// Its name.
    pub name: String,
    /// Its type's oid, a key of [`Catalogue::types`].
    pub type_oid: Oid,
    /// `atttypmod`; -1: none.
    pub type_modifier: i32,
    /// As `format_type` prints it: `character varying(64)`.
    pub type_name: String,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// Its default's expression.
    pub default: Option<String>,
    /// Whether its numbers come from a sequence: an identity or a default with `nextval`.
    pub numbered: bool,
    /// Whether it is GENERATED ALWAYS AS IDENTITY.
    pub identity_always: bool,
    /// Whether it is generated from other columns.
    pub generated: bool,
    /// From what it is generated.
    pub generated_as: Option<String>,
}

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// Its name.
    pub name: String,
    /// What it demands.
    pub kind: ConstraintKind,
    /// `attnum`s of the columns, in the constraint's order; of a CHECK those that it names.
    pub columns: Vec<i16>,
    /// A CHECK's expression.
    pub expression: Option<String>,
    /// As `pg_get_constraintdef` prints it.
    pub definition: String,
    /// Whether the rows that are there are known to keep it.
    pub validated: bool,
    /// Whether it can be checked at the transaction's end.
    pub deferrable: bool,
    /// What a foreign key refers to.
    pub refers: Option<Referred>,
    /// The index that enforces a key or an exclusion.
    pub index: Option<Oid>,
    /// Operators of an exclusion, one per column.
    pub operators: Vec<String>,
}

/// What a constraint demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ConstraintKind {
    /// CHECK.
    #[serde(rename = "c")]
    Check,
    /// FOREIGN KEY.
    #[serde(rename = "f")]
    ForeignKey,
    /// PRIMARY KEY.
    #[serde(rename = "p")]
    PrimaryKey,
    /// UNIQUE.
    #[serde(rename = "u")]
    Unique,
    /// EXCLUDE.
    #[serde(rename = "x")]
    Exclusion,
    /// NOT NULL, of 18 on a constraint of its own.
    #[serde(rename = "n")]
    NotNull,
    /// A constraint trigger.
    #[serde(rename = "t")]
    Trigger,
}

/// The other side of a foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Referred {
    /// Its table.
    pub table: Oid,
    /// Its columns' `attnum`s, in the order of the constraint's own.
    pub columns: Vec<i16>,
    /// Whether a row has all of the columns or none (MATCH FULL).
    pub match_full: bool,
    /// Whether deleting a row there deletes or changes rows here.
    pub cascades: bool,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Its oid.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Its access method: btree, gin, …
    pub method: String,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether it can be used: INVALID ones cannot.
    pub valid: bool,
    /// Whether two NULLs are the same to it.
    pub nulls_not_distinct: bool,
    /// Its key columns: an `attnum`, or 0 for an expression.
    pub columns: Vec<i16>,
    /// Each key column as it is defined, in their order.
    pub definitions: Vec<String>,
    /// The predicate of a partial index.
    pub predicate: Option<String>,
}

/// A type.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Type {
    /// Its oid.
    pub oid: Oid,
    /// Its schema's name.
    pub schema: String,
    /// Its name in pg_type: `int4`, `_text`.
    pub name: String,
    /// As `format_type` prints it: `integer`, `text[]`.
    pub shown: String,
    /// What kind of type it is.
    pub kind: TypeKind,
    /// `typcategory`: `S` is a string, `N` a number, …
    pub category: String,
    /// Whether it has functions for the protocol's binary form; a driver has no other way for it.
    /// Those of an array or a composite call those of its parts.
    pub binary: bool,
    /// The type of an array's elements.
    pub element: Option<Oid>,
    /// The type that a domain is over, or of a range's bounds, or of a multirange's ranges.
    pub base: Option<Oid>,
    /// A domain's modifier of its base; -1: none.
    pub type_modifier: i32,
    /// Whether it is a domain that takes no NULL.
    pub not_null: bool,
    /// Labels of an enum, in their order.
    pub labels: Vec<String>,
    /// Columns of a composite type: name, type and modifier.
    pub attributes: Vec<Attribute>,
    /// CHECKs of a domain, by name: expressions over `VALUE`.
    pub checks: BTreeMap<String, String>,
    /// The extension that it belongs to.
    pub extension: Option<String>,
}

/// What kind of type it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum TypeKind {
    /// One that the server or an extension implements.
    #[default]
    #[serde(rename = "b")]
    Base,
    /// A row of columns.
    #[serde(rename = "c")]
    Composite,
    /// Another type with constraints.
    #[serde(rename = "d")]
    Domain,
    /// A list of labels.
    #[serde(rename = "e")]
    Enum,
    /// A range.
    #[serde(rename = "r")]
    Range,
    /// Several ranges.
    #[serde(rename = "m")]
    Multirange,
    /// One that no column has.
    #[serde(rename = "p")]
    Pseudo,
}

/// A column of a composite type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_oid: Oid,
    /// Its modifier; -1: none.
    pub type_modifier: i32,
}

impl Catalogue {
    /// The table with this oid.
    pub fn table(&self, oid: Oid) -> Option<&Table> {
        self.tables.iter().find(|table| table.oid == oid)
    }

    /// Tables that hold rows of their own: partitions are filled by what they are part of, and a
    /// foreign table's rows are another server's.
    pub fn seeded(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|table| table.bound.is_none() && !table.foreign)
    }

    /// The type with this oid.
    pub fn type_of(&self, oid: Oid) -> Option<&Type> {
        self.types.iter().find(|known| known.oid == oid)
    }

    /// Whether values of the type can be sent and received in binary form.
    pub fn is_binary(&self, oid: Oid) -> bool {
        let Some(known) = self.type_of(oid) else { return false };
        let parts = known.element.into_iter().chain(known.base);
        let mut parts = parts.chain(known.attributes.iter().map(|attribute| attribute.type_oid));
        known.binary && parts.all(|part| self.is_binary(part))
    }

    /// A name as a person writes it in SQL: quoted where the server's `quote_ident` quotes it.
    pub fn quoted(&self, name: &str) -> String {
        let first = |c: char| c.is_ascii_lowercase() || c == '_';
        let plain = name.starts_with(first)
            && name.chars().all(|c| first(c) || c.is_ascii_digit())
            && !self.reserved.contains(name);
        if plain { name.to_owned() } else { quote_ident(name) }
    }
}

impl Table {
    /// The name by which a scenario knows it.
    pub fn seeded_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// The column with this `attnum`.
    pub fn column(&self, number: i16) -> Option<&Column> {
        self.columns.iter().find(|column| column.number == number)
    }

    /// Its primary key.
    pub fn primary_key(&self) -> Option<&Constraint> {
        self.constraints.iter().find(|c| c.kind == ConstraintKind::PrimaryKey)
    }
}
