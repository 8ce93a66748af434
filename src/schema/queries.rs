//! The queries that read a fingerprint, about one per kind of object, for servers 14 to 18.

use std::ops::RangeInclusive;

/// The majors whose catalogues the queries fit.
pub const MAJORS: RangeInclusive<u32> = 14..=18;

/// Each returns rows of four texts: the object's kind and name, a property, its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// What it reads, for errors.
    pub about: &'static str,
    /// The first major that has the catalogues it reads.
    pub since: u32,
    /// The query's text, which takes no parameters.
    pub sql: &'static str,
}

const fn query(about: &'static str, sql: &'static str) -> Query {
    Query { about, since: *MAJORS.start(), sql }
}

const QUERIES: &[Query] = &[
    query("schema", include_str!("sql/schemas.sql")),
    query("table", include_str!("sql/tables.sql")),
    query("column", include_str!("sql/columns.sql")),
    query("constraint", include_str!("sql/constraints.sql")),
    query("index", include_str!("sql/indexes.sql")),
    query("sequence", include_str!("sql/sequences.sql")),
    query("view", include_str!("sql/views.sql")),
    query("function", include_str!("sql/functions.sql")),
    query("trigger", include_str!("sql/triggers.sql")),
    query("type", include_str!("sql/types.sql")),
    query("policy", include_str!("sql/policies.sql")),
    query("rule", include_str!("sql/rules.sql")),
    query("statistics", include_str!("sql/statistics.sql")),
    query("collation", include_str!("sql/collations.sql")),
    query("extension", include_str!("sql/extensions.sql")),
    query("event trigger", include_str!("sql/event_triggers.sql")),
    query("session defaults", include_str!("sql/session_defaults.sql")),
    query("foreign server", include_str!("sql/foreign.sql")),
    query("publication", include_str!("sql/publications.sql")),
    Query { since: 15, ..query("publication", include_str!("sql/publications_15.sql")) },
    // Last: it adds to objects that the others have named.
    query("owners and privileges", include_str!("sql/access.sql")),
];

/// Which sequences number the columns of a table, whose name as text is the parameter: column,
/// sequence, and the column's numbers as an expression. Texts count where they are digits.
pub const NUMBERING: &str = include_str!("sql/numbering.sql");

/// What to ask a server of this major.
pub fn queries(major: u32) -> impl Iterator<Item = &'static Query> {
    QUERIES.iter().filter(move |query| query.since <= major)
}

/// Settings that must be in force while the queries run, because the server prints names and
/// constants by them. With an empty search_path every name but pg_catalog's is qualified.
pub const SETTINGS: &[(&str, &str)] = &[
    ("search_path", ""),
    ("quote_all_identifiers", "off"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("standard_conforming_strings", "on"),
];
