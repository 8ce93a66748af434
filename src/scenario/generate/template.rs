//! Texts by the row's number: `user-{n}@example.org`, `{n/3%7*2+1:08}`.
//!
//! A place is `{n}`, then any of `/k`, `%m`, `*s`, `+c` or `-c` in this order, then a form after a
//! colon. Divisions are of whole numbers, sums that leave 64 bits are held at their ends. `{{` and
//! `}}` are braces.

use std::fmt::Write as _;

use super::value::{Drawn, instant_text};

/// 2020-01-01T00:00:00Z, from which the forms `time` and `date` count.
const EPOCH_US: i64 = 1_577_836_800_000_000;
const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;
/// The widest padding.
const WIDTH_MAX: usize = 64;

/// A text with numbered places, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place { sum: Sum, form: Form },
}

/// `n / divide % modulo * times + plus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sum {
    divide: i64,
    /// 0: none.
    modulo: i64,
    times: i64,
    plus: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// In digits of a base, padded with zeros to a width.
    Digits { base: u64, width: usize },
    /// Seconds after 2020-01-01, as an instant.
    Time,
    /// Days after 2020-01-01, as a date.
    Date,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A sentence about the place that is wrong.
    pub fn parse(text: &str) -> Result<Template, String> {
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(beyond) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = beyond;
                continue;
            }
            let (place, beyond) = match brace {
                "{" => after.split_once('}').ok_or("a `{` has no `}`; a brace itself is `{{`")?,
                _ => return Err("a `}` has no `{`; a brace itself is `}}`".to_owned()),
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(part(place)?);
            rest = beyond;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template { parts })
    }

    /// A template that was checked; anything else is the text that it is.
    pub(super) fn of(text: &str) -> Template {
        let literal = |_| Template { parts: vec![Part::Text(text.to_owned())] };
        Template::parse(text).unwrap_or_else(literal)
    }

    /// The value for `n`. Where the template is a single number or time it is that; else its text
    /// is written to `text`.
    pub(super) fn drawn<'a>(&self, n: i64, text: &'a mut String) -> Drawn<'a> {
        match self.parts.as_slice() {
            [Part::Place { sum, form: Form::PLAIN }] => Drawn::Int(sum.of(n)),
            [Part::Place { sum, form: Form::Time }] => Drawn::Instant(time_us(sum.of(n))),
            _ => {
                self.push(n, text);
                Drawn::Text(text)
            }
        }
    }

    /// Whether its values are texts.
    pub(super) fn is_written(&self) -> bool {
        let single = [Form::PLAIN, Form::Time];
        !matches!(self.parts.as_slice(), [Part::Place { form, .. }] if single.contains(form))
    }

    /// Appends the text for `n`.
    pub fn push(&self, n: i64, text: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Place { sum, form } => form.push(sum.of(n), text),
            }
        }
    }
}

fn part(place: &str) -> Result<Part, String> {
    let wrong = |why: &str| format!("`{{{place}}}`: {why}");
    let (sum, form) = match place.split_once(':') {
        Some((sum, form)) => (sum, Form::parse(form).ok_or_else(|| wrong(Form::KNOWN))?),
        None => (place, Form::PLAIN),
    };
    let sum = Sum::parse(sum).map_err(wrong)?;
    Ok(Part::Place { sum, form })
}

impl Sum {
    fn parse(text: &str) -> Result<Sum, &'static str> {
        const SHAPE: &str = "right would be n, then /k, %m, *s, +c in this order, as in {n/3%7+1}";
        let mut rest = text.trim().strip_prefix('n').ok_or(SHAPE)?;
        let mut sum = Sum { divide: 1, modulo: 0, times: 1, plus: 0 };
        for (operator, number) in [
            ('/', &mut sum.divide),
            ('%', &mut sum.modulo),
            ('*', &mut sum.times),
            ('+', &mut sum.plus),
        ] {
            let sign = match rest.chars().next() {
                Some(found) if found == operator => 1,
                Some('-') if operator == '+' => -1,
                _ => continue,
            };
            let after = &rest[1..];
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let value: i64 = after[..end].parse().map_err(|_| SHAPE)?;
            if value == 0 && matches!(operator, '/' | '%') {
                return Err("nothing can be divided by 0");
            }
            *number = sign * value;
            rest = &after[end..];
        }
        if rest.is_empty() { Ok(sum) } else { Err(SHAPE) }
    }

    fn of(self, n: i64) -> i64 {
        let n = n / self.divide;
        let n = if self.modulo == 0 { n } else { n % self.modulo };
        let exact = i128::from(n) * i128::from(self.times) + i128::from(self.plus);
        exact.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }
}

impl Form {
    /// A number as it is.
    const PLAIN: Form = Form::Digits { base: 10, width: 0 };

    const KNOWN: &str =
        "known forms are :08 (padded), :x, :08x (hexadecimal), :b36, :06b36, :time and :date";

    fn parse(text: &str) -> Option<Form> {
        match text {
            "time" => return Some(Form::Time),
            "date" => return Some(Form::Date),
            _ => {}
        }
        let (width, base) = match (text.strip_suffix("b36"), text.strip_suffix('x')) {
            (Some(width), _) => (width, 36),
            (None, Some(width)) => (width, 16),
            (None, None) => (text, 10),
        };
        if width.is_empty() {
            return (base != 10).then_some(Form::Digits { base, width: 0 });
        }
        let padded = width.strip_prefix('0')?;
        let width = padded.parse().ok().filter(|width| (1..=WIDTH_MAX).contains(width))?;
        Some(Form::Digits { base, width })
    }

    fn push(self, value: i64, text: &mut String) {
        match self {
            Form::Digits { base, width } => push_digits(value, base, width, text),
            Form::Time => text.push_str(&instant_text(time_us(value))),
            Form::Date => {
                let us = EPOCH_US.saturating_add(value.saturating_mul(DAY_US));
                let instant = instant_text(us);
                text.push_str(instant.split('T').next().unwrap_or(&instant));
            }
        }
    }
}

fn time_us(seconds: i64) -> i64 {
    EPOCH_US.saturating_add(seconds.saturating_mul(SECOND_US))
}

/// The sign counts for the width, as in printf.
fn push_digits(value: i64, base: u64, width: usize, text: &mut String) {
    if base == 10 {
        // A String takes all that is written to it.
        let _ = write!(text, "{value:0width$}");
        return;
    }
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::with_capacity(16);
    let mut left = value.unsigned_abs();
    while left > 0 || digits.is_empty() {
        digits.push(char::from(DIGITS[(left % base) as usize]));
        left /= base;
    }
    let sign = if value < 0 { "-" } else { "" };
    text.push_str(sign);
    text.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len() + sign.len())));
    text.extend(digits.iter().rev());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(template: &str, n: i64) -> String {
        let mut text = String::new();
        Template::parse(template).expect("a template").push(n, &mut text);
        text
    }

    proptest! {
        #[test]
        fn a_place_is_what_its_arithmetic_says(
            n in 1_i64..1 << 40, k in 1_i64..1_000, m in 1_i64..1_000, s in 0_i64..1_000,
            c in -1_000_i64..1_000,
        ) {
            let expected = n / k % m * s + c;
            let signed = if c < 0 { c.to_string() } else { format!("+{c}") };
            prop_assert_eq!(text(&format!("{{n/{k}%{m}*{s}{signed}}}"), n), expected.to_string());
            let hex = text(&format!("{{n/{k}%{m}*{s}{signed}:x}}"), n);
            prop_assert_eq!(i64::from_str_radix(&hex, 16).ok(), Some(expected));
            let b36 = text(&format!("{{n/{k}%{m}*{s}{signed}:09b36}}"), n);
            prop_assert_eq!(i64::from_str_radix(&b36, 36).ok(), Some(expected));
            prop_assert!(b36.len() >= 9);
        }

        #[test]
        fn a_quotient_and_its_rest_tell_numbers_apart(a in 1_i64..1 << 40, b in 1_i64..1 << 40) {
            prop_assume!(a != b);
            let pair = |n| (text("{n/97}", n), text("{n%97}", n));
            prop_assert_ne!(pair(a), pair(b));
        }

        #[test]
        fn no_text_stops_the_reading(template in ".{0,40}", n in any::<i64>()) {
            if let Ok(parsed) = Template::parse(&template) {
                parsed.push(n, &mut String::new());
            }
        }
    }

    #[rstest::rstest]
    #[case("user-{n}@example.org", 7, "user-7@example.org")]
    #[case("{n:08}", 42, "00000042")]
    #[case("{n:08x}", 255, "000000ff")]
    #[case("{n:x}", 255, "ff")]
    #[case("{n:b36}", 36, "10")]
    #[case("{n*3600:time}", 2, "2020-01-01T02:00:00Z")]
    #[case("{n:date}", 59, "2020-02-29")]
    #[case("[{n*10},{n*10+10})", 3, "[30,40)")]
    #[case("{{{n},{n+1}}}", 3, "{3,4}")]
    #[case("{n*9223372036854775807}", 9, "9223372036854775807")]
    #[case("none", 1, "none")]
    fn a_template_has_its_places_filled(
        #[case] template: &str,
        #[case] n: i64,
        #[case] expected: &str,
    ) {
        assert_eq!(text(template, n), expected);
    }

    #[rstest::rstest]
    #[case("{m}")]
    #[case("{n%3/2}")]
    #[case("{n/0}")]
    #[case("{n:8}")]
    #[case("{n:weekday}")]
    #[case("{n")]
    #[case("n}")]
    #[case("{n/99999999999999999999}")]
    fn what_is_no_template_is_refused(#[case] template: &str) {
        assert!(Template::parse(template).is_err(), "{template}");
    }
}
