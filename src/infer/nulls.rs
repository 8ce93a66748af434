//! Expressions that ask only which columns are NULL: the combinations that satisfy them.

use std::collections::BTreeMap;

use crate::pg::expression::Expression;

use super::condition::{Alternative, Condition};

/// Columns whose NULLs are tried in all combinations.
const NULLS_MAX: usize = 6;

/// How many of some columns are NULL: which of them are.
pub(super) fn of_null_count(
    left: &Expression,
    operator: &str,
    right: &Expression,
    wanted: bool,
) -> Option<Vec<Alternative>> {
    let (Expression::Call(name, columns), Expression::Constant(Some(count))) = (left, right) else {
        return None;
    };
    let counts_nulls = match name.as_str() {
        "num_nulls" => true,
        "num_nonnulls" => false,
        _ => return None,
    };
    let count: u32 = count.parse().ok()?;
    let columns: Option<Vec<&str>> = columns
        .iter()
        .map(|column| match column {
            Expression::Column(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let columns = columns.filter(|columns| columns.len() <= NULLS_MAX)?;
    let holds = |found: u32| match operator {
        "=" => found == count,
        "<>" | "!=" => found != count,
        "<" => found < count,
        "<=" => found <= count,
        ">" => found > count,
        ">=" => found >= count,
        _ => true,
    };
    let subsets = (0..1_u32 << columns.len()).filter(|set| holds(set.count_ones()) == wanted);
    let of_set = |set: u32| -> Alternative {
        let null = |at: usize| (set >> at & 1 == 1) == counts_nulls;
        let one = |(at, column): (usize, &&str)| Condition::Null {
            column: (*column).to_owned(),
            null: null(at),
        };
        columns.iter().enumerate().map(one).collect()
    };
    Some(subsets.map(of_set).collect())
}

/// Of an expression that asks only which columns are NULL: each combination that satisfies it.
pub(super) fn of_nulls(expression: &Expression, wanted: bool) -> Option<Vec<Alternative>> {
    // A single one, or a plain list of them by AND and OR, is read as it is.
    let counts = matches!(expression, Expression::Binary(_, op, _) if op != "AND" && op != "OR"
        && !op.starts_with("IS"));
    let columns = expression.columns();
    if !counts || columns.is_empty() || columns.len() > NULLS_MAX {
        return None;
    }
    let mut found = Vec::new();
    for combination in 0..1_u32 << columns.len() {
        let null = |index: usize| combination >> index & 1 == 1;
        let nulls: BTreeMap<&str, bool> =
            columns.iter().enumerate().map(|(i, column)| (*column, null(i))).collect();
        if (number(expression, &nulls)? != 0) == wanted {
            let condition = |(column, null): (&&str, &bool)| Condition::Null {
                column: (*column).to_owned(),
                null: *null,
            };
            found.push(nulls.iter().map(condition).collect());
        }
    }
    Some(found)
}

/// The value of an expression by which of the columns are NULL; None: it asks for more.
fn number(expression: &Expression, nulls: &BTreeMap<&str, bool>) -> Option<i64> {
    match expression {
        Expression::Constant(Some(text)) => match text.as_str() {
            "true" => Some(1),
            "false" => Some(0),
            number => number.parse().ok(),
        },
        Expression::Binary(left, operator, right) => {
            if let (Expression::Column(column), Expression::Constant(None)) = (&**left, &**right) {
                let null = *nulls.get(column.as_str())?;
                return match operator.as_str() {
                    "IS" => Some(i64::from(null)),
                    "IS NOT" => Some(i64::from(!null)),
                    _ => None,
                };
            }
            let (left, right) = (number(left, nulls)?, number(right, nulls)?);
            Some(match operator.as_str() {
                "+" => left + right,
                "-" => left - right,
                "=" => i64::from(left == right),
                "<>" | "!=" => i64::from(left != right),
                "<" => i64::from(left < right),
                "<=" => i64::from(left <= right),
                ">" => i64::from(left > right),
                ">=" => i64::from(left >= right),
                "AND" => i64::from(left != 0 && right != 0),
                "OR" => i64::from(left != 0 || right != 0),
                _ => return None,
            })
        }
        Expression::Prefix(operator, inner) if operator == "NOT" => {
            Some(i64::from(number(inner, nulls)? == 0))
        }
        Expression::Call(name, arguments) => {
            let columns = arguments.iter().map(|argument| match argument {
                Expression::Column(column) => nulls.get(column.as_str()).copied(),
                _ => None,
            });
            let columns = columns.collect::<Option<Vec<bool>>>()?;
            let counted = match name.as_str() {
                "num_nulls" => columns.iter().filter(|null| **null).count(),
                "num_nonnulls" => columns.iter().filter(|null| !**null).count(),
                _ => return None,
            };
            i64::try_from(counted).ok()
        }
        Expression::Case(branches, otherwise) => {
            for (condition, result) in branches {
                if number(condition, nulls)? != 0 {
                    return number(result, nulls);
                }
            }
            number(otherwise.as_deref()?, nulls)
        }
        _ => None,
    }
}
