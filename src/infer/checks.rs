//! What a CHECK asks of its columns, as far as its form is a known one: alternatives, each a list
//! of simple conditions. The rest is left to trying: the server says whether a row keeps it.

use crate::pg::expression::Expression;

use super::condition::{Alternative, Condition};
use super::nulls::{of_null_count, of_nulls};

/// Alternatives beyond this many are left to trying.
const ALTERNATIVES_MAX: usize = 64;

/// The ways to satisfy an expression, at least one; it may have no conditions that are known.
pub(super) fn alternatives(expression: &Expression) -> Vec<Alternative> {
    let mut found = of(expression, true);
    found.truncate(ALTERNATIVES_MAX);
    if found.is_empty() { vec![Vec::new()] } else { found }
}

/// The same of a text; none where it does not parse.
pub(super) fn of_text(text: &str) -> Vec<Alternative> {
    Expression::read(text).map(|expression| alternatives(&expression)).unwrap_or_default()
}

fn of(expression: &Expression, wanted: bool) -> Vec<Alternative> {
    if let Some(found) = of_nulls(expression, wanted) {
        return found;
    }
    match expression {
        Expression::Binary(left, operator, right) => match (operator.as_str(), wanted) {
            ("AND", true) | ("OR", false) => both(of(left, wanted), &of(right, wanted)),
            ("OR", true) | ("AND", false) => either(of(left, wanted), of(right, wanted)),
            (operator, wanted) => compared(left, operator, right, wanted),
        },
        Expression::Prefix(operator, inner) if operator == "NOT" => of(inner, !wanted),
        Expression::Column(column) => vec![vec![is(column, wanted)]],
        Expression::Constant(Some(text)) => match (text == "true") == wanted {
            true => vec![Vec::new()],
            false => Vec::new(),
        },
        // Its constants are the table's oid, which differs from run to run, and a remainder.
        Expression::Call(name, _) if name == "satisfies_hash_partition" => vec![Vec::new()],
        Expression::Case(branches, otherwise) => of_case(branches, otherwise.as_deref(), wanted),
        other => vec![hints(other)],
    }
}

fn is(column: &str, wanted: bool) -> Condition {
    Condition::In { column: column.to_owned(), among: true, values: vec![wanted.to_string()] }
}

fn both(left: Vec<Alternative>, right: &[Alternative]) -> Vec<Alternative> {
    let joined = left.iter().flat_map(|l| right.iter().map(|r| [l.clone(), r.clone()].concat()));
    joined.take(ALTERNATIVES_MAX).collect()
}

/// Both sides have their share of the limit.
fn either(mut left: Vec<Alternative>, mut right: Vec<Alternative>) -> Vec<Alternative> {
    if left.len() + right.len() > ALTERNATIVES_MAX {
        left.truncate(ALTERNATIVES_MAX.saturating_sub(right.len()).max(ALTERNATIVES_MAX / 2));
        right.truncate(ALTERNATIVES_MAX - left.len().min(ALTERNATIVES_MAX));
    }
    left.extend(right);
    left
}

fn of_case(
    branches: &[(Expression, Expression)],
    otherwise: Option<&Expression>,
    wanted: bool,
) -> Vec<Alternative> {
    let mut found = Vec::new();
    // What came before did not hold.
    let mut before: Vec<Alternative> = vec![Vec::new()];
    for (condition, result) in branches {
        let holds = both(before.clone(), &of(condition, true));
        found = either(found, both(holds, &of(result, wanted)));
        before = both(before, &of(condition, false));
    }
    let last = match otherwise {
        Some(otherwise) => of(otherwise, wanted),
        // NULL satisfies a CHECK.
        None => vec![Vec::new()],
    };
    either(found, both(before, &last))
}

fn compared(
    left: &Expression,
    operator: &str,
    right: &Expression,
    wanted: bool,
) -> Vec<Alternative> {
    if let Some(found) = of_case_operand(left, operator, right, wanted) {
        return found;
    }
    if let Some(found) = of_null_count(left, operator, right, wanted) {
        return found;
    }
    if let ("=", Some(cased)) = (operator, cased(left, right).or_else(|| cased(right, left))) {
        return match wanted {
            true => vec![vec![cased]],
            false => vec![hints_of(&[left, right])],
        };
    }
    let whole = || hints_of(&[left, right]);
    let Some(operator) = (if wanted { Some(operator) } else { negated(operator) }) else {
        return vec![whole()];
    };
    if let Expression::Call(quantifier, values) = right
        && let ("any" | "all", [Expression::List(values)]) =
            (quantifier.as_str(), values.as_slice())
    {
        return quantified(left, operator, quantifier == "any", values);
    }
    match (left, right) {
        (_, Expression::Constant(None)) => null(left, operator),
        (Expression::Constant(_), Expression::Constant(_)) => vec![Vec::new()],
        (_, Expression::Constant(Some(value))) => vec![against(left, operator, value)],
        (Expression::Constant(Some(value)), _) => match mirrored(operator) {
            Some(operator) => vec![against(right, operator, value)],
            None => vec![whole()],
        },
        _ if is_now(right) => vec![against(left, operator, NOW)],
        _ if is_now(left) => {
            vec![mirrored(operator).map_or_else(whole, |op| against(right, op, NOW))]
        }
        _ => vec![pair(left, operator, right).unwrap_or_else(whole)],
    }
}

/// A comparison with a CASE: each branch with its own result.
fn of_case_operand(
    left: &Expression,
    operator: &str,
    right: &Expression,
    wanted: bool,
) -> Option<Vec<Alternative>> {
    let (branches, otherwise, on_right) = match (left, right) {
        (_, Expression::Case(branches, otherwise)) => (branches, otherwise, true),
        (Expression::Case(branches, otherwise), _) => (branches, otherwise, false),
        _ => return None,
    };
    let compare = |result: &Expression| match on_right {
        true => compared(left, operator, result, wanted),
        false => compared(result, operator, right, wanted),
    };
    let mut found = Vec::new();
    let mut before: Vec<Alternative> = vec![Vec::new()];
    for (condition, result) in branches {
        let holds = both(before.clone(), &of(condition, true));
        found = either(found, both(holds, &compare(result)));
        before = both(before, &of(condition, false));
    }
    let last = otherwise.as_ref().map_or_else(|| vec![Vec::new()], |result| compare(result));
    Some(either(found, both(before, &last)))
}

/// That a column is itself in lower, or upper, case.
fn cased(column: &Expression, call: &Expression) -> Option<Condition> {
    let Expression::Call(name, arguments) = call else { return None };
    let upper = match name.as_str() {
        "lower" => false,
        "upper" => true,
        _ => return None,
    };
    match (column, arguments.as_slice()) {
        (Expression::Column(column), [Expression::Column(of)]) if column == of => {
            Some(Condition::Case { column: column.clone(), upper })
        }
        _ => None,
    }
}

/// Any moment that has passed is one at which no row lies in the future.
const NOW: &str = "2024-06-01";

fn is_now(expression: &Expression) -> bool {
    match expression {
        Expression::Call(name, inside) if inside.is_empty() => {
            name.starts_with("current_") || name.starts_with("localtime") || name == "now"
        }
        Expression::Binary(left, operator, right) if matches!(operator.as_str(), "+" | "-") => {
            is_now(left) && matches!(**right, Expression::Constant(_))
        }
        _ => false,
    }
}

fn negated(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "=" => "<>",
        "<>" | "!=" => "=",
        "<" => ">=",
        "<=" => ">",
        ">" => "<=",
        ">=" => "<",
        "~~" => "!~~",
        "!~~" => "~~",
        "~" => "!~",
        "!~" => "~",
        "IS" => "IS NOT",
        "IS NOT" => "IS",
        "IS DISTINCT FROM" => "IS NOT DISTINCT FROM",
        "IS NOT DISTINCT FROM" => "IS DISTINCT FROM",
        _ => return None,
    })
}

fn mirrored(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "=" => "=",
        "<>" | "!=" => "<>",
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        _ => return None,
    })
}

fn quantified(
    left: &Expression,
    operator: &str,
    any: bool,
    values: &[Expression],
) -> Vec<Alternative> {
    let texts = values.iter().filter_map(|value| match value {
        Expression::Constant(Some(text)) => Some(text.clone()),
        _ => None,
    });
    let texts: Vec<String> = texts.collect();
    let column = subject(left).map(str::to_owned);
    match (column, operator, any) {
        (Some(column), "=", true) | (Some(column), "<>", false) => {
            vec![vec![Condition::In { column, among: any, values: texts }]]
        }
        (Some(_), _, true) => texts.iter().map(|text| against(left, operator, text)).collect(),
        (Some(_), _, false) => {
            vec![texts.iter().flat_map(|text| against(left, operator, text)).collect()]
        }
        _ => {
            let values = Expression::List(values.to_vec());
            vec![hints_of(&[left, &values])]
        }
    }
}

fn null(left: &Expression, operator: &str) -> Vec<Alternative> {
    let null = match operator {
        "IS" | "IS NOT DISTINCT FROM" => true,
        "IS NOT" | "IS DISTINCT FROM" => false,
        // A comparison with NULL is NULL, which satisfies a CHECK.
        _ => return vec![Vec::new()],
    };
    let of = |column: &str| Condition::Null { column: column.to_owned(), null };
    match left {
        Expression::Column(column) => vec![vec![of(column)]],
        other => {
            let mut found: Alternative = other.columns().into_iter().map(of).collect();
            found.extend(hints(other));
            vec![found]
        }
    }
}

/// A column, or one within a function that keeps its value recognisable.
fn subject(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Column(column) => Some(column),
        Expression::Call(name, arguments) => match (name.as_str(), arguments.as_slice()) {
            (
                "lower" | "upper" | "btrim" | "ltrim" | "rtrim" | "coalesce" | "trim",
                [first, ..],
            ) => subject(first),
            _ => None,
        },
        _ => None,
    }
}

/// The column whose characters or elements an expression counts.
fn counted(expression: &Expression) -> Option<&str> {
    let Expression::Call(name, arguments) = expression else { return None };
    let counts = [
        "length",
        "char_length",
        "character_length",
        "octet_length",
        "cardinality",
        "array_length",
        "bit_length",
        "jsonb_array_length",
        "json_array_length",
        "array_upper",
        "array_ndims",
    ];
    match counts.contains(&name.as_str()) {
        true => arguments.first().and_then(subject),
        false => None,
    }
}

fn against(left: &Expression, operator: &str, value: &str) -> Alternative {
    let text = value.to_owned();
    if let Some(column) = counted(left) {
        return length(column, operator, value);
    }
    let Some(column) = subject(left) else { return hints_with(left, value) };
    let of_case = matches!(left, Expression::Call(name, _) if name != "coalesce");
    let column = column.to_owned();
    let bound = |least, strict| Condition::Bound {
        column: column.clone(),
        least,
        strict,
        value: text.clone(),
    };
    let mut found = vec![match operator {
        "=" | "IS" | "IS NOT DISTINCT FROM" => {
            Condition::In { column, among: true, values: vec![text] }
        }
        "<>" | "!=" | "IS NOT" | "IS DISTINCT FROM" if value.is_empty() => {
            Condition::Length { column, least: true, length: 1 }
        }
        "<>" | "!=" | "IS NOT" | "IS DISTINCT FROM" => {
            Condition::In { column, among: false, values: vec![text] }
        }
        ">" => bound(true, true),
        ">=" => bound(true, false),
        "<" => bound(false, true),
        "<=" => bound(false, false),
        "~~" | "~~*" => Condition::Like { column, pattern: text },
        "~" | "~*" => Condition::Matches { column, pattern: text },
        _ => Condition::Hint { column, constants: vec![text] },
    }];
    if of_case && let Some(column) = subject(left) {
        found.push(Condition::Hint { column: column.to_owned(), constants: Vec::new() });
    }
    found
}

fn length(column: &str, operator: &str, value: &str) -> Alternative {
    let Ok(length) = value.parse::<usize>() else { return Vec::new() };
    let of = |least, length| Condition::Length { column: column.to_owned(), least, length };
    match operator {
        "=" => vec![of(true, length), of(false, length)],
        ">" => vec![of(true, length + 1)],
        ">=" => vec![of(true, length)],
        "<" => vec![of(false, length.saturating_sub(1))],
        "<=" => vec![of(false, length)],
        "<>" if length == 0 => vec![of(true, 1)],
        _ => Vec::new(),
    }
}

/// Two columns, each perhaps with something added; or one that is the same in a certain case.
fn pair(left: &Expression, operator: &str, right: &Expression) -> Option<Alternative> {
    let plain = |e: &Expression| -> Option<String> {
        match e {
            Expression::Binary(inner, op, _) if matches!(op.as_str(), "+" | "-" | "*") => {
                subject(inner).map(str::to_owned)
            }
            other => subject(other).map(str::to_owned),
        }
    };
    let (l, r) = (plain(left)?, plain(right)?);
    if l == r {
        let name = [left, right].into_iter().find_map(|e| match e {
            Expression::Call(name, _) => Some(name.as_str()),
            _ => None,
        });
        return match name {
            Some("lower") => Some(vec![Condition::Case { column: l, upper: false }]),
            Some("upper") => Some(vec![Condition::Case { column: l, upper: true }]),
            _ => None,
        };
    }
    let operator = match operator {
        "!=" | "IS DISTINCT FROM" => "<>",
        "IS NOT DISTINCT FROM" => "=",
        "=" | "<>" | "<" | "<=" | ">" | ">=" => operator,
        _ => return None,
    };
    let mut found = vec![Condition::Pair { left: l, operator: operator.to_owned(), right: r }];
    found.extend(hints_of(&[left, right]));
    Some(found)
}

fn hints(expression: &Expression) -> Alternative {
    hints_of(&[expression])
}

fn hints_of(parts: &[&Expression]) -> Alternative {
    let constants: Vec<String> =
        parts.iter().flat_map(|part| part.constants()).map(str::to_owned).collect();
    let columns = parts.iter().flat_map(|part| part.columns());
    let hint =
        |column: &str| Condition::Hint { column: column.to_owned(), constants: constants.clone() };
    columns.map(hint).collect()
}

fn hints_with(expression: &Expression, value: &str) -> Alternative {
    let constant = Expression::Constant(Some(value.to_owned()));
    hints_of(&[expression, &constant])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let expression = Expression::read(text).expect("an expression");
        let shown = |a: &Alternative| {
            a.iter().map(|condition| format!("{condition:?}")).collect::<Vec<_>>().join(" & ")
        };
        alternatives(&expression).iter().map(shown).collect()
    }

    #[rstest::rstest]
    #[case("(a = ANY (ARRAY['x'::text, 'y'::text]))",
        &["In { column: \"a\", among: true, values: [\"x\", \"y\"] }"])]
    #[case("(NOT (a > 3))",
        &["Bound { column: \"a\", least: false, strict: false, value: \"3\" }"])]
    #[case("(3 < a)", &["Bound { column: \"a\", least: true, strict: true, value: \"3\" }"])]
    #[case("((a IS NULL) OR (a ~ '^x'::text))",
        &["Null { column: \"a\", null: true }", "Matches { column: \"a\", pattern: \"^x\" }"])]
    #[case("(length((a)::text) = 3)",
        &["Length { column: \"a\", least: true, length: 3 } & \
           Length { column: \"a\", least: false, length: 3 }"])]
    #[case("(btrim(a) <> ''::text)",
        &["Length { column: \"a\", least: true, length: 1 } & \
           Hint { column: \"a\", constants: [] }"])]
    #[case("((a IS NULL) <> (b IS NULL))",
        &["Null { column: \"a\", null: true } & Null { column: \"b\", null: false }",
          "Null { column: \"a\", null: false } & Null { column: \"b\", null: true }"])]
    #[case("(num_nonnulls(a, b) = 2)",
        &["Null { column: \"a\", null: false } & Null { column: \"b\", null: false }"])]
    #[case("(lower(a) = a)", &["Case { column: \"a\", upper: false }"])]
    #[case("active", &["In { column: \"active\", among: true, values: [\"true\"] }"])]
    #[case("(born <= CURRENT_DATE)",
        &["Bound { column: \"born\", least: false, strict: false, value: \"2024-06-01\" }"])]
    #[case("true", &[""])]
    #[case("satisfies_hash_partition('16384'::oid, 2, 0, id)", &[""])]
    fn a_check_of_a_known_form_says_what_it_asks(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(read(text), expected);
    }

    #[test]
    fn what_depends_on_a_state_has_an_alternative_for_each() {
        let case = "CASE WHEN (kind = 'x'::text) THEN (a IS NOT NULL) ELSE (a IS NULL) END";
        let or = "(((kind = 'x'::text) AND (a IS NOT NULL)) OR ((kind <> 'x'::text) AND \
                  (a IS NULL)))";
        assert_eq!(read(case), read(or));
        assert_eq!(read(case).len(), 2);
    }

    #[test]
    fn alternatives_are_limited() {
        let one = "((a = 1) OR (b = 2))";
        let text = format!("({})", [one; 12].join(" AND "));
        assert_eq!(read(&text).len(), ALTERNATIVES_MAX);
    }
}
