//! What is stored of generators, of an operation's parameters, and of its ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::table::{FakeKind, Generator};
use super::super::traffic::{Follow, LedgerRule, Parameter};
use super::defaults;
use super::form::Stored;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StoredGenerator {
    Uuid,
    Serial,
    Integer {
        min: i64,
        max: i64,
    },
    Reference {
        table: String,
        column: String,
        #[serde(default = "defaults::one")]
        hit_rate: f64,
        #[serde(default)]
        skew: f64,
        #[serde(default = "defaults::misses")]
        misses: u64,
        #[serde(default = "defaults::one")]
        newest: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        each: Option<u64>,
        #[serde(default, skip_serializing_if = "defaults::is_false")]
        earlier: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nulls: Option<Box<StoredGenerator>>,
    },
    Timestamp {
        from_us: i64,
        to_us: i64,
        #[serde(default)]
        hot_fraction: f64,
        #[serde(default)]
        hot_span_us: i64,
    },
    Now,
    Fake {
        kind: FakeKind,
        #[serde(default)]
        unique: bool,
    },
    Json {
        min_bytes: u32,
        max_bytes: u32,
    },
    Choice {
        values: Vec<String>,
        /// Empty: all alike.
        #[serde(default)]
        weights: Vec<f64>,
    },
    Constant {
        value: String,
    },
    Pool {
        file: String,
        column: String,
        /// Null: NULL.
        values: Vec<Option<String>>,
        #[serde(default)]
        each: Option<u64>,
    },
    Pattern {
        pattern: String,
    },
    Decimal {
        min_units: i64,
        max_units: i64,
        scale: u32,
    },
    Numbered {
        template: String,
    },
    Repeated {
        of: Box<StoredGenerator>,
        distinct: u64,
        #[serde(default)]
        skew: f64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StoredParameter {
    Generated {
        generator: StoredGenerator,
        #[serde(default)]
        null_fraction: f64,
    },
    Follow(<Follow as Stored>::Form),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StoredLedgerRule {
    Insert {
        table: String,
        key_column: String,
        #[serde(default)]
        key_parameter: Option<String>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        set: BTreeMap<String, String>,
    },
    Update {
        table: String,
        key_column: String,
        key_parameter: String,
        set: BTreeMap<String, String>,
    },
    Delete {
        table: String,
        key_column: String,
        key_parameter: String,
    },
}

/// The same variants with the same fields on both sides.
macro_rules! same_variants {
    ($domain:ident, $form:ident { $($variant:ident { $($field:ident),* }),+ $(,)? }) => {
        impl Stored for $domain {
            type Form = $form;

            fn to_form(&self) -> $form {
                match self {
                    $($domain::$variant { $($field),* } => {
                        $form::$variant { $($field: $field.to_form()),* }
                    })+
                }
            }

            fn of_form(form: $form) -> $domain {
                match form {
                    $($form::$variant { $($field),* } => {
                        $domain::$variant { $($field: Stored::of_form($field)),* }
                    })+
                }
            }
        }
    };
}

same_variants!(LedgerRule, StoredLedgerRule {
    Insert { table, key_column, key_parameter, set },
    Update { table, key_column, key_parameter, set },
    Delete { table, key_column, key_parameter },
});

impl Stored for Generator {
    type Form = StoredGenerator;

    fn to_form(&self) -> StoredGenerator {
        match self.clone() {
            Generator::Uuid => StoredGenerator::Uuid,
            Generator::Serial => StoredGenerator::Serial,
            Generator::Integer { min, max } => StoredGenerator::Integer { min, max },
            Generator::Reference {
                table,
                column,
                hit_rate,
                skew,
                misses,
                newest,
                each,
                earlier,
                row,
                nulls,
            } => StoredGenerator::Reference {
                table,
                column,
                hit_rate,
                skew,
                misses,
                newest,
                each,
                earlier,
                row,
                nulls: nulls.map(|pool| Box::new(pool.to_form())),
            },
            Generator::Timestamp { from_us, to_us, hot_fraction, hot_span_us } => {
                StoredGenerator::Timestamp { from_us, to_us, hot_fraction, hot_span_us }
            }
            Generator::Now => StoredGenerator::Now,
            Generator::Fake { kind, unique } => StoredGenerator::Fake { kind, unique },
            Generator::Json { min_bytes, max_bytes } => {
                StoredGenerator::Json { min_bytes, max_bytes }
            }
            Generator::Choice { values, weights } => StoredGenerator::Choice { values, weights },
            Generator::Constant { value } => StoredGenerator::Constant { value },
            Generator::Pool { file, column, values, each } => {
                StoredGenerator::Pool { file, column, values: values.to_vec(), each }
            }
            Generator::Pattern { pattern } => StoredGenerator::Pattern { pattern },
            Generator::Decimal { min_units, max_units, scale } => {
                StoredGenerator::Decimal { min_units, max_units, scale }
            }
            Generator::Numbered { template } => StoredGenerator::Numbered { template },
            Generator::Repeated { of, distinct, skew } => {
                StoredGenerator::Repeated { of: Box::new(of.to_form()), distinct, skew }
            }
        }
    }

    fn of_form(form: StoredGenerator) -> Generator {
        match form {
            StoredGenerator::Uuid => Generator::Uuid,
            StoredGenerator::Serial => Generator::Serial,
            StoredGenerator::Integer { min, max } => Generator::Integer { min, max },
            StoredGenerator::Reference {
                table,
                column,
                hit_rate,
                skew,
                misses,
                newest,
                each,
                earlier,
                row,
                nulls,
            } => Generator::Reference {
                table,
                column,
                hit_rate,
                skew,
                misses,
                newest,
                each,
                earlier,
                row,
                nulls: nulls.map(|pool| Box::new(Generator::of_form(*pool))),
            },
            StoredGenerator::Timestamp { from_us, to_us, hot_fraction, hot_span_us } => {
                Generator::Timestamp { from_us, to_us, hot_fraction, hot_span_us }
            }
            StoredGenerator::Now => Generator::Now,
            StoredGenerator::Fake { kind, unique } => Generator::Fake { kind, unique },
            StoredGenerator::Json { min_bytes, max_bytes } => {
                Generator::Json { min_bytes, max_bytes }
            }
            StoredGenerator::Choice { values, weights } => {
                let weights = match weights.is_empty() {
                    true => vec![1.0; values.len()],
                    false => weights,
                };
                Generator::Choice { values, weights }
            }
            StoredGenerator::Constant { value } => Generator::Constant { value },
            StoredGenerator::Pool { file, column, values, each } => {
                Generator::Pool { file, column, values: values.into(), each }
            }
            StoredGenerator::Pattern { pattern } => Generator::Pattern { pattern },
            StoredGenerator::Decimal { min_units, max_units, scale } => {
                Generator::Decimal { min_units, max_units, scale }
            }
            StoredGenerator::Numbered { template } => Generator::Numbered { template },
            StoredGenerator::Repeated { of, distinct, skew } => {
                Generator::Repeated { of: Box::new(Generator::of_form(*of)), distinct, skew }
            }
        }
    }
}

impl Stored for Parameter {
    type Form = StoredParameter;

    fn to_form(&self) -> StoredParameter {
        match self {
            Parameter::Generated { generator, null_fraction } => StoredParameter::Generated {
                generator: generator.to_form(),
                null_fraction: *null_fraction,
            },
            Parameter::Follow(follow) => StoredParameter::Follow(follow.to_form()),
        }
    }

    fn of_form(form: StoredParameter) -> Parameter {
        match form {
            StoredParameter::Generated { generator, null_fraction } => {
                Parameter::Generated { generator: Stored::of_form(generator), null_fraction }
            }
            StoredParameter::Follow(follow) => Parameter::Follow(Stored::of_form(follow)),
        }
    }
}
