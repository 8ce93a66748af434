//! What texts have to be like for a column to become one of another type: what a conversion by a
//! cast takes.

use crate::pg::{quote_ident, quote_literal};

use super::catalogue::{Catalogue, Column, Type, TypeKind};

/// Digits that every number of the type may have.
const DIGITS_SHORT: usize = 4;
const DIGITS: usize = 8;
/// Texts that are JSON.
const JSON: &[&str] = &["{}", "[]", "{\"a\": 1}", "{\"a\": 2, \"b\": \"c\"}"];

/// A condition on a text before a change, so that it is a value of the type after it; None: the
/// column is no text, its type stays, or nothing is known of the new one.
pub(super) fn condition(
    (before, column): (&Catalogue, &Column),
    (after, then): (&Catalogue, &Column),
) -> Option<String> {
    let (of, to) = (before.type_of(column.type_oid)?, after.type_of(then.type_oid)?);
    if column.type_name == then.type_name || !is_text(of) {
        return None;
    }
    let text = format!("({})::text", quote_ident(&column.name));
    let longest = longest(column);
    if is_text(to) {
        let most = self::longest(then);
        return (most < longest).then(|| format!("(length({text}) <= {most})"));
    }
    let among = |texts: Vec<&str>| {
        let fitting = texts.into_iter().filter(|text| text.chars().count() <= longest);
        let values: Vec<String> =
            fitting.map(|text| format!("{}::text", quote_literal(text))).collect();
        Some(format!("({text} = ANY (ARRAY[{}]))", values.join(", ")))
    };
    if to.kind == TypeKind::Enum {
        return among(to.labels.iter().map(String::as_str).collect());
    }
    let digits = |most: usize| format!("^[0-9]{{1,{}}}$", most.min(longest).max(1));
    let pattern = match to.name.as_str() {
        "int2" => digits(DIGITS_SHORT),
        "int4" | "int8" | "float4" | "float8" => digits(DIGITS),
        "numeric" => digits(whole_digits(then).min(DIGITS)),
        "date" | "timestamp" | "timestamptz" => "^20[0-2][0-9]-0[1-9]-[12][0-9]$".to_owned(),
        "time" | "timetz" => "^[01][0-9]:[0-5][0-9]:[0-5][0-9]$".to_owned(),
        "uuid" => "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$".to_owned(),
        "inet" => "^10[.][1-9][0-9][.][1-9][0-9][.][1-9][0-9]$".to_owned(),
        "bool" => return among(vec!["true", "false"]),
        "json" | "jsonb" => return among(JSON.to_vec()),
        _ => return None,
    };
    Some(format!("({text} ~ {}::text)", quote_literal(&pattern)))
}

fn is_text(of: &Type) -> bool {
    of.kind == TypeKind::Base && matches!(of.name.as_str(), "text" | "varchar" | "bpchar")
}

/// Characters of a column's texts at most.
fn longest(column: &Column) -> usize {
    match usize::try_from(column.type_modifier) {
        Ok(modifier) if modifier > 4 => modifier - 4,
        _ => usize::MAX,
    }
}

/// Digits of a numeric before its point.
fn whole_digits(column: &Column) -> usize {
    let Ok(modifier) = u32::try_from(column.type_modifier.saturating_sub(4)) else {
        return usize::MAX;
    };
    let (precision, scale) = (modifier >> 16, modifier & 0x7ff);
    precision.saturating_sub(scale) as usize
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn type_of(oid: u32, name: &str, labels: &[&str]) -> Type {
        let kind = if labels.is_empty() { TypeKind::Base } else { TypeKind::Enum };
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        Type { oid, name: name.to_owned(), kind, labels, ..Type::default() }
    }

    fn column(type_oid: u32, type_name: &str, type_modifier: i32) -> Column {
        let (name, type_name) = ("c".to_owned(), type_name.to_owned());
        Column { name, type_oid, type_name, type_modifier, ..Column::default() }
    }

    #[rstest]
    #[case::text_stays(column(1, "text", -1), None)]
    #[case::shorter(column(2, "varchar(3)", 7), Some(r#"(length(("c")::text) <= 3)"#))]
    #[case::integer(column(3, "integer", -1), Some(r#"(("c")::text ~ '^[0-9]{1,8}$'::text)"#))]
    // numeric(5, 2)
    #[case::decimal(
        column(4, "numeric(5,2)", (5 << 16 | 2) + 4),
        Some(r#"(("c")::text ~ '^[0-9]{1,3}$'::text)"#)
    )]
    #[case::labels(
        column(5, "mood", -1),
        Some(r#"(("c")::text = ANY (ARRAY['sad'::text, 'ok'::text]))"#)
    )]
    #[case::of_an_unknown_type(column(6, "box", -1), None)]
    fn a_text_is_one_that_the_new_type_takes(#[case] then: Column, #[case] expected: Option<&str>) {
        let types = vec![
            type_of(1, "text", &[]),
            type_of(2, "varchar", &[]),
            type_of(3, "int4", &[]),
            type_of(4, "numeric", &[]),
            type_of(5, "mood", &["sad", "ok"]),
            type_of(6, "box", &[]),
        ];
        let catalogue = Catalogue { types, ..Catalogue::default() };
        let text = column(1, "text", -1);
        let found = condition((&catalogue, &text), (&catalogue, &then));
        assert_eq!(found.as_deref(), expected);
        // What is no text is not cast from its characters.
        let number = column(3, "integer", -1);
        assert_eq!(condition((&catalogue, &number), (&catalogue, &then)), None);
    }
}
