//! What a column's name says of its values.

use super::profile::{Kind, Profile, choice};
use crate::scenario::generate::Template;
use crate::scenario::{FakeKind, Generator};

/// Words of a name, and typical values of a column that has one of them.
const TEXTS: &[(&[&str], &[&str])] = &[
    (&["status", "state", "phase"], &["active", "pending", "done", "failed"]),
    (&["kind", "type", "category"], &["standard", "premium", "basic", "other"]),
    (&["role"], &["member", "admin", "owner"]),
    (&["currency"], &["EUR", "USD", "GBP"]),
    (&["country"], &["DE", "US", "FR", "GB", "DEU", "USA"]),
    (&["language", "lang", "locale"], &["en", "de", "fr", "en-US", "eng"]),
    (&["timezone", "tz"], &["UTC", "Europe/Berlin", "America/New_York"]),
    (&["color", "colour"], &["#1f77b4", "#ff7f0e", "#2ca02c", "red"]),
    (
        &["url", "uri", "website", "link", "href"],
        &["https://example.org/a", "https://example.org/b/c"],
    ),
    (&["email", "mail"], &["ada@example.org", "bob@example.com", "eve@example.net"]),
    (&["phone", "mobile", "fax"], &["+4930123456", "+15550100", "030 123456", "5550100123"]),
    (&["ip", "host", "address"], &["10.0.0.1", "192.168.1.7", "db.example.org"]),
    (&["domain"], &["example.org", "example.com"]),
    (&["zip", "postcode", "postal"], &["10115", "90210", "SW1A 1AA"]),
    (&["city", "town"], &["Berlin", "Paris", "Lima"]),
    (&["version"], &["1.0.0", "2.3.1", "1.0"]),
    (&["mime", "content"], &["text/plain", "application/json", "image/png"]),
    (&["slug"], &["first-post", "about-us", "a"]),
    (&["method"], &["GET", "POST", "PUT"]),
    (&["path", "file", "filename"], &["/a/b.txt", "docs/readme.md"]),
    (
        &["hash", "digest", "checksum", "sha", "token"],
        &[
            "d41d8cd98f00b204e9800998ecf8427e",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ],
    ),
    (&["gender", "sex"], &["f", "m", "x"]),
    (&["level", "priority", "severity"], &["low", "medium", "high"]),
    (&["unit"], &["kg", "pcs", "h"]),
    (&["date", "day"], &["2024-01-01", "2023-06-15"]),
    (&["uuid", "guid"], &["6f1d3c1e-6b0a-4a5c-9d0e-2f6b8a1c4d01"]),
];

/// Texts of many shapes: for a constraint of unknown form one of them may do.
const SHAPES: &[&str] = &[
    "alpha",
    "beta",
    "gamma",
    "Lorem ipsum",
    "a",
    "b",
    "A",
    "B",
    "AB",
    "abc",
    "ABC",
    "x1",
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "0",
    "a-b",
    "a_b",
    "A1",
    "AA-1234",
    "",
    "Word",
    "two words",
    "10000",
    "1.5",
    "user@example.org",
    "https://example.org/",
    "2024-01-01",
    "{}",
    "/a",
    "a.b",
];

/// Words of a name, the kind of text that `fake` makes for it, and how long that may get.
const FAKES: &[(&[&str], FakeKind, usize)] = &[
    (&["email", "mail"], FakeKind::Email, 80),
    (&["company", "organisation", "organization", "vendor", "employer"], FakeKind::Company, 80),
    (&["street", "address"], FakeKind::Street, 80),
    (
        &[
            "title",
            "subject",
            "summary",
            "description",
            "comment",
            "body",
            "note",
            "notes",
            "message",
            "text",
            "content",
            "bio",
            "about",
            "reason",
        ],
        FakeKind::Sentence,
        200,
    ),
    (
        &["name", "author", "firstname", "lastname", "username", "fullname", "label"],
        FakeKind::Name,
        60,
    ),
];

/// Words of a name, and the least and largest of a number's usual values.
const RANGES: &[(&[&str], i64, i64)] = &[
    (&["price", "amount", "total", "cost", "balance", "fee", "salary"], 1, 10_000),
    (&["quantity", "qty", "count", "stock"], 1, 100),
    (&["age"], 18, 90),
    (&["percent", "percentage", "rate", "ratio", "discount", "progress"], 0, 100),
    (&["year"], 1990, 2024),
    (&["month"], 1, 12),
    (&["day"], 1, 28),
    (&["hour"], 0, 23),
    (&["latitude", "lat"], -90, 90),
    (&["longitude", "lng", "lon"], -180, 180),
    (&["rating", "score", "stars", "level", "priority"], 1, 5),
    (&["port"], 1024, 65_535),
];

fn parts(column: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before_lower = false;
    for c in column.chars() {
        let boundary = !c.is_alphanumeric() || (c.is_uppercase() && before_lower);
        before_lower = c.is_lowercase();
        if boundary {
            parts.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(last) = parts.last_mut()
        {
            last.extend(c.to_lowercase());
        }
    }
    parts
}

fn has(parts: &[String], words: &[&str]) -> bool {
    parts.iter().any(|part| words.contains(&part.as_str()))
}

/// The usual values of a number.
pub(super) fn range_of(column: &str) -> (i64, i64) {
    let parts = parts(column);
    let found = RANGES.iter().find(|(words, ..)| has(&parts, words));
    found.map_or((0, 1_000), |(_, min, max)| (*min, *max))
}

/// Text of at most so many characters.
pub(super) fn text(column: &str, longest: usize) -> Profile {
    let parts = parts(column);
    let named = TEXTS.iter().filter(|(words, _)| has(&parts, words));
    let mut candidates: Vec<String> = Vec::new();
    for text in named.flat_map(|(_, texts)| *texts).chain(SHAPES) {
        if text.chars().count() <= longest && !candidates.iter().any(|c| c == text) {
            candidates.push((*text).to_owned());
        }
    }
    // Exactly as long as it may be, and long ones for lower limits of a length.
    if longest <= 100 {
        candidates.push("x".repeat(longest));
    }
    let texts: Vec<&str> = candidates.iter().map(String::as_str).collect();
    let templates = templates(&parts, longest);
    let templates: Vec<&str> = templates.iter().map(String::as_str).collect();
    let profile = Profile::new(&texts, &templates).of_kind(Kind::Text { longest });
    match natural(&parts, longest) {
        Some(natural) => profile.with(natural),
        None => profile,
    }
}

fn natural(parts: &[String], longest: usize) -> Option<Generator> {
    if let Some((_, texts)) = TEXTS[..3].iter().find(|(words, _)| has(parts, words)) {
        let fitting: Vec<String> = texts
            .iter()
            .filter(|text| text.chars().count() <= longest)
            .map(|text| (*text).to_owned())
            .collect();
        return (!fitting.is_empty()).then(|| choice(&fitting));
    }
    let of_name = FAKES.iter().find(|(words, ..)| has(parts, words));
    of_name
        .filter(|(_, _, length)| longest >= *length)
        .map(|(_, kind, _)| Generator::Fake { kind: *kind, unique: false })
}

/// Characters of a template's text for a row of one digit.
fn shortest(template: &str) -> usize {
    let mut text = String::new();
    match Template::parse(template) {
        Ok(parsed) => parsed.push(9, &mut text),
        Err(_) => return usize::MAX,
    }
    text.chars().count()
}

fn templates(parts: &[String], longest: usize) -> Vec<String> {
    let of_name = match () {
        () if has(parts, &["email", "mail"]) => "user{n}@example.org",
        () if has(parts, &["url", "uri", "website", "link", "href"]) => "https://example.org/{n}",
        () if has(parts, &["slug", "path"]) => "item-{n}",
        () if has(parts, &["phone", "mobile", "fax"]) => "+4930{n:07}",
        () if has(parts, &["domain", "host", "hostname"]) => "host{n}.example.org",
        () if has(parts, &["uuid", "guid"]) => "{n:08x}-0000-4000-8000-{n:012x}",
        () if has(parts, &["sha", "sha1"]) => "{n:040x}",
        () if has(parts, &["sha256", "digest", "hash", "checksum"]) => "{n:064x}",
        () if has(parts, &["number", "no", "code", "sku"]) => "{n:08}",
        () => "n{n}",
    };
    let mut found = vec![of_name.to_owned()];
    let any = [
        "n{n}",
        "{n}",
        "item-{n}",
        "user{n}@example.org",
        "https://example.org/{n}",
        "+4930{n:07}",
        "{n:08}",
        "{n:08x}",
        "{n:032x}",
        "{n:040x}",
        "{n:064x}",
        "A{n}",
        "Item {n}",
        "/n{n}",
        "{n:08x}-0000-4000-8000-{n:012x}",
        "host{n}.example.org",
        "0{n:09}",
        "1{n:09}",
        "{n:date}",
        "a.n{n}",
        "{n:06b36}",
        "10.{n/65536%256}.{n/256%256}.{n%256}",
    ];
    found.extend(any.map(str::to_owned));
    // What fits in a short code.
    found.extend((1..=longest.min(8)).rev().flat_map(|width| {
        [format!("{{n:0{width}}}"), format!("{{n:0{width}b36}}"), format!("{{n:0{width}x}}")]
    }));
    let mut seen = Vec::new();
    found.retain(|template| {
        let fits = shortest(template) <= longest;
        let new = !seen.contains(template);
        seen.push(template.clone());
        fits && new
    });
    found
}
