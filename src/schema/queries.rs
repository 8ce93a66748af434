//! The queries that read a fingerprint, one per kind of object, for servers 14 to 18.

/// Kind and SQL. Each returns rows of three texts: the object's name, a property, its value.
pub const QUERIES: &[(&str, &str)] = &[
    ("schema", include_str!("sql/schemas.sql")),
    ("table", include_str!("sql/tables.sql")),
    ("column", include_str!("sql/columns.sql")),
    ("constraint", include_str!("sql/constraints.sql")),
    ("index", include_str!("sql/indexes.sql")),
    ("sequence", include_str!("sql/sequences.sql")),
    ("view", include_str!("sql/views.sql")),
    ("function", include_str!("sql/functions.sql")),
    ("trigger", include_str!("sql/triggers.sql")),
    ("type", include_str!("sql/types.sql")),
];

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
];
