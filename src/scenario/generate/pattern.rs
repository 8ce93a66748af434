//! Text that a regular expression matches.
//!
//! `.`, `\d`, `\w`, `\s` and what a class leaves out mean printable ASCII characters, which every
//! encoding has. Anchors at the ends say nothing, since a text is always matched as a whole; inside
//! they are refused.

use rand::distr::Distribution as _;
use regex_syntax::hir::{Hir, HirKind};

use super::Rng;

/// How often more than their least `*`, `+` and `{n,}` repeat, at most.
const REPEAT_MAX: u32 = 8;
/// Longest text that a pattern may make, in bytes.
const BYTES_MAX: u64 = 100_000;
/// A text with a NUL, which Postgres does not take, is drawn again this often at most.
const REDRAWS_MAX: usize = 16;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: rand_regex::Regex,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(pattern: &str) -> Result<Pattern, String> {
        let ascii = in_ascii(without_anchors(pattern));
        let parsed = regex_syntax::Parser::new().parse(&ascii);
        let hir = parsed.map_err(|error| last_line(&error.to_string()))?;
        let bytes = bytes_max(&hir);
        if bytes > BYTES_MAX {
            return Err(format!("its texts have up to {bytes} bytes, at most {BYTES_MAX} serve"));
        }
        let regex = rand_regex::Regex::with_hir(hir, REPEAT_MAX).map_err(|error| match error {
            rand_regex::Error::Anchor => "anchors have no place inside of it".to_owned(),
            rand_regex::Error::Unsatisfiable => "no text matches it".to_owned(),
            rand_regex::Error::Syntax(error) => last_line(&error.to_string()),
        })?;
        if !regex.is_utf8() {
            return Err("it matches bytes that are no text".to_owned());
        }
        Ok(Pattern { regex })
    }

    /// Draws a text into `text`.
    pub fn draw(&self, rng: &mut Rng, text: &mut String) {
        for _ in 0..REDRAWS_MAX {
            let drawn: Vec<u8> = self.regex.sample(rng);
            // That it is UTF-8 was asked when it was compiled.
            *text = String::from_utf8(drawn).unwrap_or_default();
            if !text.contains('\0') {
                return;
            }
        }
        text.retain(|c| c != '\0');
    }
}

fn without_anchors(pattern: &str) -> &str {
    let pattern = pattern.strip_prefix('^').or(pattern.strip_prefix(r"\A")).unwrap_or(pattern);
    match pattern.strip_suffix('$') {
        // A backslash in front of it makes it a character, unless that is one itself.
        Some(rest) => match rest.len() - rest.trim_end_matches('\\').len() {
            backslashes if backslashes % 2 == 1 => pattern,
            _ => rest,
        },
        None => pattern.strip_suffix(r"\z").unwrap_or(pattern),
    }
}

/// The same pattern without what stands for characters of Unicode, whose tables are not in every
/// build.
fn in_ascii(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    // How deep in classes, and the depth at which a negated one has an end of its own.
    let (mut depth, mut negated) = (0_usize, None);
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                let escaped = characters.next();
                match (escaped.and_then(perl), escaped) {
                    (Some(class), _) if depth > 0 => out.push_str(class),
                    (Some(class), _) => out.push_str(&format!("[{class}]")),
                    (None, Some(c @ ('D' | 'W' | 'S'))) if depth == 0 => {
                        let class = perl(c.to_ascii_lowercase()).unwrap_or_default();
                        out.push_str(&format!("[ -~&&[^{class}]]"));
                    }
                    (None, escaped) => {
                        out.push('\\');
                        out.extend(escaped);
                    }
                }
            }
            '.' if depth == 0 => out.push_str("[ -~]"),
            '[' => {
                depth += 1;
                let not = depth == 1 && characters.next_if_eq(&'^').is_some();
                if not {
                    negated = Some(depth);
                }
                out.push_str(if not { "[ -~&&[^" } else { "[" });
                // The first one is a character.
                out.extend(characters.next_if_eq(&']').map(|_| "\\]"));
            }
            ']' if depth > 0 => {
                out.push_str(if negated == Some(depth) { "]]" } else { "]" });
                negated = negated.filter(|at| *at != depth);
                depth -= 1;
            }
            c => out.push(c),
        }
    }
    out
}

/// What is in a class of that letter.
fn perl(letter: char) -> Option<&'static str> {
    match letter {
        'd' => Some("0-9"),
        'w' => Some("0-9A-Za-z_"),
        's' => Some(" "),
        _ => None,
    }
}

/// The crate's messages show the pattern above the message proper.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Most bytes of a text. Asked before the pattern is compiled, which repeats literals.
fn bytes_max(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(class) => class.maximum_len().unwrap_or(0) as u64,
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min.saturating_add(REPEAT_MAX));
            // An empty text that is repeated costs its repetitions.
            bytes_max(&repetition.sub).max(1).saturating_mul(u64::from(most))
        }
        HirKind::Capture(capture) => bytes_max(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(bytes_max).fold(0, u64::saturating_add),
        HirKind::Alternation(parts) => parts.iter().map(bytes_max).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream;
    use super::*;

    #[rstest::rstest]
    #[case("[A-Z]{2}-[0-9]{5}", 8..=8)]
    #[case(r"^\d{3}$", 3..=3)]
    #[case("a+", 1..=9)]
    #[case(r"[\d.]{2}.\D[^a-z\]]\.\S", 7..=7)]
    #[case("[^]]{3}[]x]", 4..=4)]
    #[case("(red|green)", 3..=5)]
    #[case(r"\$", 1..=1)]
    #[case("", 0..=0)]
    fn a_pattern_is_drawn_from(
        #[case] pattern: &str,
        #[case] lengths: std::ops::RangeInclusive<usize>,
    ) {
        let compiled = Pattern::parse(pattern).expect("a pattern");
        let mut rng = stream(1, "pattern", 0);
        let mut text = String::new();
        for _ in 0..200 {
            compiled.draw(&mut rng, &mut text);
            assert!(lengths.contains(&text.len()), "{pattern}: {text}");
            assert!(text.bytes().all(|byte| (32..127).contains(&byte)), "{pattern}: {text}");
        }
    }

    #[rstest::rstest]
    #[case("(", "unclosed group")]
    #[case("a^b", "anchors have no place inside of it")]
    #[case("[a&&b]", "no text matches it")]
    #[case("((a{1000}){1000}){1000}", "bytes")]
    fn a_pattern_that_cannot_be_drawn_from_is_refused(#[case] pattern: &str, #[case] why: &str) {
        let message = Pattern::parse(pattern).expect_err("no pattern");
        assert!(message.contains(why), "{message}");
    }
}
