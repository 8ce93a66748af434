//! JSON documents of an exact size, made ahead so that drawing one is a look-up.

use std::fmt::Write as _;

use fake::Fake as _;
use fake::faker::company::en::CompanyName;
use fake::faker::lorem::en::Word;
use fake::faker::name::en::Name;

use super::Rng;
use super::math::{below, exp, ln, unit};

/// Most documents of one column. More distinct ones would not change what the server does.
const DOCUMENTS_MAX: u64 = 256;
/// Fewest, whatever their size.
const DOCUMENTS_MIN: u64 = 16;
/// Fewer are made when they would be larger than this together.
const POOL_BYTES_MAX: u64 = 16 << 20;

/// What an application's documents speak of. One that has more members counts them up.
const NAMES: [&str; 12] = [
    "model",
    "user",
    "attempt",
    "cached",
    "latency_ms",
    "tool",
    "company",
    "retryable",
    "tokens",
    "label",
    "score",
    "region",
];

/// Documents whose sizes are log-uniform between the limits, both included.
pub fn pool(rng: &mut Rng, min_bytes: u32, max_bytes: u32) -> Vec<String> {
    let low = f64::from(min_bytes.max(2));
    let high = f64::from(max_bytes.max(2)).max(low);
    let mean = if high > low { (high - low) / (ln(high) - ln(low)) } else { low };
    let count = ((POOL_BYTES_MAX as f64 / mean) as u64).clamp(DOCUMENTS_MIN, DOCUMENTS_MAX);
    (0..count)
        .map(|index| {
            // One size from each of `count` equal shares: a small pool still has its large ones.
            let share = (index as f64 + unit(rng)) / count as f64;
            let size = exp(ln(low) + share * (ln(high) - ln(low)));
            document(rng, size.round().clamp(low, high) as usize)
        })
        .collect()
}

/// An object of exactly `bytes` bytes, at least the two of `{}`.
fn document(rng: &mut Rng, bytes: usize) -> String {
    /// A comma and a member that holds an empty text.
    const EMPTY_TEXT: usize = r#","text":"""#.len();
    let mut text = String::with_capacity(bytes);
    text.push('{');
    // Half of it is small members, the other half one long text, as in a recorded request.
    for number in 0.. {
        let member = member(rng, number);
        if text.len() + member.len() + EMPTY_TEXT + 2 > bytes || text.len() > bytes / 2 {
            break;
        }
        if number > 0 {
            text.push(',');
        }
        text.push_str(&member);
    }
    let comma = usize::from(text.len() > 1);
    let room = bytes.saturating_sub(text.len() + 1);
    match room.checked_sub(EMPTY_TEXT - 1 + comma) {
        Some(letters) => {
            text.push_str(&","[..comma]);
            let _ = write!(text, "\"text\":\"{}\"", words(rng, letters)); // a String takes it all
        }
        None => text.extend(std::iter::repeat_n(' ', room)),
    }
    text.push('}');
    text
}

fn member(rng: &mut Rng, number: usize) -> String {
    let name = NAMES[number % NAMES.len()];
    let name = match number / NAMES.len() {
        0 => name.to_owned(),
        round => format!("{name}_{}", round + 1),
    };
    let value = match number % NAMES.len() {
        0 | 5 | 9 | 11 => serde_json::Value::from(Word().fake_with_rng::<String, _>(rng)),
        1 => Name().fake_with_rng::<String, _>(rng).into(),
        6 => CompanyName().fake_with_rng::<String, _>(rng).into(),
        3 | 7 => (below(rng, 2) == 0).into(),
        10 => (below(rng, 10_000) as f64 / 10_000.0).into(),
        _ => below(rng, 5_000).into(),
    };
    format!("\"{name}\":{value}")
}

/// Exactly `letters` bytes of words that need no escape.
fn words(rng: &mut Rng, letters: usize) -> String {
    let mut text = String::with_capacity(letters + 16);
    while text.len() < letters {
        let word: String = Word().fake_with_rng(rng);
        text.extend(word.chars().filter(char::is_ascii_alphabetic));
        text.push(' ');
    }
    text.truncate(letters);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::stream;
    use super::*;

    proptest! {
        #[test]
        fn a_document_is_of_the_asked_size(seed in any::<u64>(), bytes in 2_usize..4_000) {
            let text = document(&mut stream(seed, "document", 0), bytes);
            prop_assert_eq!(text.len(), bytes);
            let parsed: serde_json::Value = serde_json::from_str(&text).expect("valid JSON");
            prop_assert!(parsed.is_object());
        }
    }

    #[test]
    fn most_documents_are_small_and_some_are_large() {
        let pool = pool(&mut stream(3, "pool", 0), 100, 10_000);
        let shorter = pool.iter().filter(|text| text.len() < 1_000).count();
        assert_eq!(pool.len(), 256);
        assert!((120..=136).contains(&shorter), "{shorter} of 256 are below the geometric mean");
        assert!(pool.iter().any(|text| text.len() > 9_000));
    }

    #[test]
    fn a_pool_of_huge_documents_is_small() {
        let pool = pool(&mut stream(3, "pool", 0), 4 << 20, 4 << 20);
        assert_eq!(pool.len() as u64, DOCUMENTS_MIN);
    }
}
