//! Findings that are accepted with a reason: by an `[[accept]]` of a scenario or of pgauntlet.toml,
//! or by a comment in the change itself.

use jiff::civil::Date;

use super::expect::FindingKind;

/// Findings that may be there. They are shown, and the verdict does not count them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// What may be found; None: whatever breaks a rule. What says that the evidence carries no
    /// answer is never accepted.
    pub kind: Option<FindingKind>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds, as in 2027-01-31; None: there is none.
    pub until: Option<String>,
    /// The file that says so.
    pub file: String,
    /// 1-based line in it.
    pub line: u32,
    /// Of several files of a change, the one whose statements it is about; None: it is about the
    /// whole change.
    pub within: Option<String>,
    /// The change itself says so: that it accepts nothing is an error.
    pub in_change: bool,
}

impl Acceptance {
    /// Where it is written: `migrations/3_key.sql:2`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// Whether it holds at that time, which is UTC in ISO 8601. One with a last day does not hold
    /// where the time is not known.
    pub fn holds_at(&self, time: &str) -> bool {
        let Some(until) = &self.until else { return true };
        time.get(..DAY_LENGTH).is_some_and(|day| day <= until.as_str())
    }
}

/// Letters of 2027-01-31.
const DAY_LENGTH: usize = 10;

/// The day that a text names: a day of the calendar as in 2027-01-31, which sorts as it reads.
pub(super) fn day(text: &str) -> Option<String> {
    let date: Date = text.parse().ok()?;
    let is_plain = text.len() == DAY_LENGTH && date.to_string() == text;
    is_plain.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_of_the_calendar() {
        assert_eq!(day("2028-02-29").as_deref(), Some("2028-02-29"));
        for text in ["2027-02-29", "2027-1-31", "31.01.2027", "20270131", "2027-01-31T10:00", ""] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn an_acceptance_holds_through_its_last_day() {
        let until = |until: Option<&str>| Acceptance {
            kind: None,
            reason: "r".to_owned(),
            until: until.map(str::to_owned),
            file: "f".to_owned(),
            line: 1,
            within: None,
            in_change: false,
        };
        assert!(until(Some("2027-01-31")).holds_at("2027-01-31T23:59:59Z"));
        assert!(!until(Some("2027-01-31")).holds_at("2027-02-01T00:00:00Z"));
        assert!(!until(Some("2027-01-31")).holds_at(""));
        assert!(until(None).holds_at(""));
    }
}
