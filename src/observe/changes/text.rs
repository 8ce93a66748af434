//! A table's rows as SQL: which columns two tables share, and how their values become texts.

use std::fmt::Write;

use tokio_postgres::Row;

use crate::pg::quote_ident;

use super::super::contents::Written;

/// A column of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub type_name: String,
    pub family: Family,
    /// Place in the primary key, from 0; None: it is no part of it.
    pub key: Option<i32>,
    /// Oids and labels of an enum; None: it is of another type.
    pub labels: Option<String>,
    /// Its value follows from the row's others.
    pub generated: bool,
}

/// Types whose values are texts of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Number,
    Float4,
    Instant,
    Json,
    Text,
}

impl Column {
    /// Of a row of compared.sql.
    pub fn of(row: &Row) -> Column {
        let family = match row.get::<_, &str>(2) {
            "number" => Family::Number,
            "float4" => Family::Float4,
            "instant" => Family::Instant,
            "json" => Family::Json,
            _ => Family::Text,
        };
        let (name, type_name) = (row.get(0), row.get(1));
        let (key, labels, generated) = (row.get(3), row.get(4), row.get(5));
        Column { name, type_name, family, key, labels, generated }
    }
}

/// A column that both tables have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    pub name: String,
    pub key: Option<i32>,
    /// Its value in the row `t`; a type that was changed changes no text by that alone.
    pub text: String,
    /// Its value follows from the row's others, before as after.
    pub generated: bool,
}

pub fn shared(before: &[Column], after: &[Column]) -> Vec<Shared> {
    let both = before.iter().filter_map(|was| {
        let is = after.iter().find(|is| is.name == was.name)?;
        let generated = was.generated && is.generated;
        Some(Shared { name: was.name.clone(), key: was.key, text: text(was, is), generated })
    });
    both.collect()
}

/// The text of the column's value in the row `t`.
pub fn plain(column: &str) -> String {
    format!("t.{}::text", quote_ident(column))
}

fn text(was: &Column, is: &Column) -> String {
    let value = format!("t.{}", quote_ident(&was.name));
    let number = |family| matches!(family, Family::Number | Family::Float4);
    match (was.family, is.family) {
        // A label that was renamed is the same value.
        _ if was.labels.is_some() && is.labels.is_some() && was.labels != is.labels => format!(
            "(SELECT e.oid::text FROM pg_catalog.pg_enum AS e \
              WHERE e.enumtypid = pg_catalog.pg_typeof({value})::oid \
              AND e.enumlabel = {value}::text)"
        ),
        _ if was.type_name == is.type_name => format!("{value}::text"),
        // What a float4 was made of is known to its own precision.
        (Family::Float4, other) if number(other) => format!("{value}::float4::text"),
        (one, other) if number(one) && number(other) => {
            format!("trim_scale({value}::numeric)::text")
        }
        (Family::Instant, Family::Instant) => format!("{value}::timestamptz::text"),
        (Family::Json, Family::Json) => format!("{value}::jsonb::text"),
        _ => format!("{value}::text"),
    }
}

/// The rows of one table, as `t`, each with the hash of its key, as `k.h`.
pub struct Rows<'a> {
    pub table: &'a str,
    pub only: bool,
    /// What makes the key, as a text; None: nothing does.
    pub key: Option<&'a str>,
    /// Rows that are left out; their keys are the query's first parameters.
    pub without: &'a [&'a Written],
}

impl Rows<'_> {
    /// From FROM on; a further condition can follow.
    pub fn sql(&self) -> String {
        let only = if self.only { "ONLY " } else { "" };
        let mut sql = format!("FROM {only}{} AS t", self.table);
        // Through unnest, so that it is worked out once a row.
        let _ = match self.key {
            Some(key) => write!(
                sql,
                " CROSS JOIN LATERAL unnest(ARRAY[hashtextextended(({key}) COLLATE \"C\", 0)]) \
                 AS k (h)"
            ),
            None => write!(sql, " CROSS JOIN (VALUES (0::int8)) AS k (h)"),
        };
        sql.push_str(" WHERE true");
        for (index, written) in self.without.iter().enumerate() {
            let _ = write!(
                sql,
                " AND NOT EXISTS (SELECT FROM unnest(${}::text[]) AS written (key) \
                 WHERE written.key = t.{}::text)",
                index + 1,
                quote_ident(&written.key_column),
            );
        }
        sql
    }
}

/// Several texts as one.
pub fn together(columns: &[&Shared]) -> Option<String> {
    match columns {
        [] => None,
        [one] => Some(format!("coalesce({}, '')", one.text)),
        several => {
            let texts: Vec<&str> = several.iter().map(|column| column.text.as_str()).collect();
            Some(format!("ROW({})::text", texts.join(", ")))
        }
    }
}

/// The hash of a value; null where there is none.
pub fn hash(column: &Shared, seed: &str) -> String {
    format!("hashtextextended(({}) COLLATE \"C\", {seed})", column.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, type_name: &str, family: Family) -> Column {
        let (name, type_name) = (name.to_owned(), type_name.to_owned());
        Column { name, type_name, family, key: None, labels: None, generated: false }
    }

    #[test]
    fn a_label_that_was_renamed_is_the_same_value() {
        let mood = |labels: &str| {
            let labels = Some(labels.to_owned());
            Column { labels, ..column("m", "mood", Family::Text) }
        };
        assert!(text(&mood("7 sad"), &mood("7 SAD")).contains("e.oid::text"));
        assert_eq!(text(&mood("7 sad"), &mood("7 sad")), "t.\"m\"::text");
    }

    #[test]
    fn a_type_that_is_changed_changes_no_text_by_that_alone() {
        let text = |was, is| text(&was, &is);
        let number = |type_name| column("n", type_name, Family::Number);
        let instant = |type_name| column("at", type_name, Family::Instant);
        let float4 = column("n", "real", Family::Float4);
        assert_eq!(text(number("integer"), number("integer")), "t.\"n\"::text");
        assert_eq!(text(number("integer"), number("bigint")), "trim_scale(t.\"n\"::numeric)::text");
        assert_eq!(text(float4, number("double precision")), "t.\"n\"::float4::text");
        assert_eq!(text(instant("date"), instant("timestamptz")), "t.\"at\"::timestamptz::text");
        let json = |type_name| column("d", type_name, Family::Json);
        assert_eq!(text(json("json"), json("jsonb")), "t.\"d\"::jsonb::text");
        let plain = |type_name| column("d", type_name, Family::Text);
        assert_eq!(text(plain("mood"), plain("text")), "t.\"d\"::text");
        assert_eq!(text(plain("text"), json("jsonb")), "t.\"d\"::text");
    }

    #[test]
    fn columns_of_only_one_table_are_left_out() {
        let before = [column("a", "text", Family::Text), column("gone", "text", Family::Text)];
        let after = [column("a", "text", Family::Text), column("new", "text", Family::Text)];
        let names: Vec<String> = shared(&before, &after).into_iter().map(|c| c.name).collect();
        assert_eq!(names, ["a"]);
    }
}
