//! What is known of a column's values before the server has been asked.

use crate::scenario::Generator;

/// What is known of values of a column before the server has been asked.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Profile {
    /// How values are ordered and drawn between bounds.
    pub kind: Kind,
    /// Typical values, the likeliest first.
    pub candidates: Vec<String>,
    /// Templates whose texts differ from row to row, the best first.
    pub templates: Vec<String>,
    /// What makes good values where nothing constrains them.
    pub natural: Option<Generator>,
}

/// What values are, as far as drawing them between bounds has to know.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in super::super) enum Kind {
    /// Whole numbers from `min` to `max`.
    Integer {
        /// Least value of the type.
        min: i64,
        /// Largest value of the type.
        max: i64,
    },
    /// Numbers with so many digits after the point, below `below` in size.
    Decimal {
        /// Digits after the point.
        scale: u32,
        /// 10 to the digits before the point.
        below: f64,
    },
    /// Text of at most so many characters.
    Text {
        /// Most characters.
        longest: usize,
    },
    /// Days.
    Date,
    /// Instants, with a zone or without.
    Instant,
    /// Lists of values.
    Array,
    /// JSON.
    Json,
    /// Bytes, as `\x` and two hexadecimal digits each.
    Bytes,
    /// Anything else: only candidates.
    #[default]
    Other,
}

/// One of these, the first ones more often.
pub(super) fn choice(values: &[String]) -> Generator {
    let weights = (0..values.len()).map(|at| 1.0 / (at as f64 + 1.0)).collect();
    Generator::Choice { values: values.to_vec(), weights }
}

/// Ascending instants of the years 2023 and 2024.
pub(super) fn instants() -> Generator {
    const FROM_US: i64 = 1_672_531_200_000_000;
    const TO_US: i64 = 1_735_603_200_000_000;
    Generator::Timestamp { from_us: FROM_US, to_us: TO_US, hot_fraction: 0.0, hot_span_us: 0 }
}

impl Profile {
    pub(super) fn new(candidates: &[&str], templates: &[&str]) -> Profile {
        Profile {
            kind: Kind::Other,
            candidates: candidates.iter().map(|c| (*c).to_owned()).collect(),
            templates: templates.iter().map(|t| (*t).to_owned()).collect(),
            natural: None,
        }
    }

    pub(super) fn of_kind(self, kind: Kind) -> Profile {
        Profile { kind, ..self }
    }

    pub(super) fn with(self, natural: Generator) -> Profile {
        Profile { natural: Some(natural), ..self }
    }
}
