//! SARIF 2.1.0, for code scanning: a result per finding.
//!
//! What a scenario expects is there as well, suppressed with that reason: a scanner keeps it and
//! raises no alarm.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Level, Remark, SourcePlace, Suite};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const HOME: &str = env!("CARGO_PKG_NAME");

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: Vec<Run>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Result>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    short_description: Text,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Result {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

/// The whole file.
pub fn sarif(suites: &[Suite]) -> String {
    let remarks = || suites.iter().flat_map(|s| s.remarks.iter().map(move |r| (s, r)));
    let rules: BTreeMap<&str, &str> =
        remarks().map(|(_, r)| (r.rule.as_str(), r.rule_text.as_str())).collect();
    let index = |rule: &str| rules.keys().position(|known| *known == rule).unwrap_or(0);
    let results = remarks().map(|(suite, remark)| result(suite, remark, index(&remark.rule)));
    let results = results.collect();
    let rules = rules.iter().map(|(id, text)| Rule {
        id: (*id).to_owned(),
        short_description: Text { text: (*text).to_owned() },
    });
    let driver = Driver { name: HOME, version: env!("CARGO_PKG_VERSION"), rules: rules.collect() };
    let run = Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: vec![run] };
    // Maps of strings and numbers; nothing in them can fail to be written.
    serde_json::to_string_pretty(&log).unwrap_or_default()
}

fn result(suite: &Suite, remark: &Remark, rule_index: usize) -> Result {
    let instead = match remark.remedy.is_empty() {
        true => String::new(),
        false => format!(" Instead: {}.", remark.remedy),
    };
    let text = format!("{}: {}.{instead}", suite.name, remark.sentence);
    let accepted = Suppression {
        kind: "external",
        status: "accepted",
        justification: match &remark.accepted {
            Some(reason) => reason.clone(),
            None => "the scenario expects its outcome".to_owned(),
        },
    };
    Result {
        rule_id: remark.rule.clone(),
        rule_index,
        level: match remark.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        },
        message: Text { text },
        locations: remark.place.iter().map(location).collect(),
        partial_fingerprints: [("pgauntlet/v1", identity(suite, remark))].into(),
        suppressions: remark.expected.then_some(accepted).into_iter().collect(),
    }
}

/// The same finding at the same place of the same trial is the same alert, whatever its numbers.
fn identity(suite: &Suite, remark: &Remark) -> String {
    let place = remark.place.as_ref().map_or(String::new(), |p| format!("{}:{}", p.file, p.line));
    let digest = Sha256::digest(format!("{}\n{}\n{place}", suite.name, remark.rule));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn location(place: &SourcePlace) -> Location {
    Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation { uri: uri(&place.file) },
            region: Region { start_line: place.line.max(1) },
        },
    }
}

/// A path as a reference: relative ones stay relative to the checkout.
fn uri(path: &str) -> String {
    let relative = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::new();
    if relative.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in relative.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        match plain {
            true => uri.push(char::from(byte)),
            false => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
