//! Values of arguments: how they are read, and what is said of one that cannot be.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::scenario::{RATE_PER_S_MAX, RATE_PER_S_MIN, Tool, TransactionRule, rows_of};
use crate::trial::FaultKind;

/// Executions of one trial.
const REPEAT_MAX: i64 = 1_000;
/// As Postgres limits its own timeouts: milliseconds in an int.
const TIMEOUT_MS_MAX: u64 = i32::MAX as u64;

pub fn repeat() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=REPEAT_MAX)
}

pub fn timeout_ms() -> impl TypedValueParser<Value = u64> {
    clap::value_parser!(u64).range(0..=TIMEOUT_MS_MAX)
}

pub fn tool() -> impl TypedValueParser<Value = Tool> {
    PossibleValuesParser::new(Tool::ALL.map(Tool::as_str)).try_map(|name| {
        let known = Tool::ALL.into_iter().find(|tool| tool.as_str() == name);
        known.ok_or("it is none of the tools")
    })
}

pub fn transaction() -> impl TypedValueParser<Value = TransactionRule> {
    PossibleValuesParser::new(TransactionRule::ALL.map(TransactionRule::as_str)).try_map(|name| {
        let known = TransactionRule::ALL.into_iter().find(|rule| rule.as_str() == name);
        known.ok_or("it is none of the rules")
    })
}

pub fn kind() -> impl TypedValueParser<Value = FaultKind> {
    let names = FaultKind::ALL.iter().map(|kind| kind.as_str());
    PossibleValuesParser::new(names).try_map(|name| FaultKind::parse(&name).ok_or("it is none"))
}

pub fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(factor),
        _ => Err("it is a number above 0, such as 10 or 0.1".to_owned()),
    }
}

pub fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (RATE_PER_S_MIN..=RATE_PER_S_MAX).contains(&rate) => Ok(rate),
        _ => Err(format!("it is a number from {RATE_PER_S_MIN} to {RATE_PER_S_MAX}")),
    }
}

/// `spans=20M`.
pub fn rows(text: &str) -> Result<(String, u64), String> {
    let wanted = || format!("{text:?} is not TABLE=ROWS, such as spans=20M or tasks=2_000");
    let (table, text) = text.split_once('=').ok_or_else(wanted)?;
    let whole = table.trim() == table && !table.is_empty();
    rows_of(text).filter(|_| whole).map(|rows| (table.to_owned(), rows)).ok_or_else(wanted)
}

/// `250k`.
pub fn rows_alone(text: &str) -> Result<u64, String> {
    rows_of(text).ok_or_else(|| format!("{text:?} is no number of rows, such as 250k or 2M"))
}

/// `20M`, of every table, or `spans=20M`.
pub fn rows_of_any(text: &str) -> Result<(Option<String>, u64), String> {
    if text.contains('=') {
        return rows(text).map(|(table, rows)| (Some(table), rows));
    }
    let wanted = || format!("{text:?} is neither ROWS nor TABLE=ROWS, such as 10k or spans=20M");
    rows_of(text).map(|rows| (None, rows)).ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_with_units_and_grouping() {
        assert_eq!(rows("spans=20M"), Ok(("spans".to_owned(), 20_000_000)));
        assert_eq!(rows("spans=1.5k"), Ok(("spans".to_owned(), 1_500)));
        assert_eq!(rows("tasks=2_000"), Ok(("tasks".to_owned(), 2_000)));
    }

    #[test]
    fn rows_are_of_every_table_where_none_is_named() {
        assert_eq!(rows_of_any("20k"), Ok((None, 20_000)));
        assert_eq!(rows_of_any("a.b=2"), Ok((Some("a.b".to_owned()), 2)));
        for text in ["", "many", "0", "=1", "t="] {
            assert!(rows_of_any(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rows_that_are_no_rows_are_refused() {
        for text in ["spans", "spans=", "=5", "spans=0", "spans=-1", "spans=NaN", "spans=inf"] {
            assert!(rows(text).is_err(), "{text}");
        }
    }
}
