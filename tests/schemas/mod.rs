//! The schemas of the formats that are written for other programs, and what applies them.
//! `ci/setup` installs both; `PGAUNTLET_TOOLS` says where.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::NamedTempFile;

/// A checker that takes longer hangs.
const CHECK_S_MAX: u32 = 60;
/// As much of a checker's complaints as one reads.
const COMPLAINT_CHARS_MAX: usize = 4_000;

/// What a text is, beyond what `prometheus_client`'s parser refuses by itself: each family once and
/// with a type, each series once, and a last line that ends.
const PROMETHEUS: &str = r#"
import sys
from prometheus_client.parser import text_string_to_metric_families
text = sys.stdin.read()
try:
    families = list(text_string_to_metric_families(text))
except ValueError as error:
    sys.exit(f"not in the text format: {error}")
wrong = [] if text.endswith("\n") else ["the last line does not end"]
wrong += [] if families else ["there is no metric"]
seen, series = set(), set()
for family in families:
    if family.name in seen:
        wrong.append(f"{family.name}: more than once")
    seen.add(family.name)
    if family.type in ("unknown", "untyped"):
        wrong.append(f"{family.name}: no TYPE")
    if not family.documentation:
        wrong.append(f"{family.name}: no HELP")
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        if key in series:
            wrong.append(f"{sample.name}{sample.labels}: more than once")
        series.add(key)
sys.exit("\n".join(wrong) if wrong else 0)
"#;

/// A file or a program that `ci/setup` installs; a test that does not find it fails.
pub fn installed(relative: &str) -> PathBuf {
    let tools = std::env::var_os("PGAUNTLET_TOOLS").map(PathBuf::from);
    let tools = tools.unwrap_or_else(|| PathBuf::from("/var/lib/pgauntlet-ci/tools"));
    let path = tools.join(relative);
    assert!(path.exists(), "no {}: run ci/setup, or set PGAUNTLET_TOOLS", path.display());
    path
}

/// Runs a checker to its end, or for as long as it may take; says what it said.
pub fn check(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_owned();
    let mut bounded = Command::new("timeout");
    bounded.arg(CHECK_S_MAX.to_string()).arg(&program).args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        bounded.current_dir(directory);
    }
    let output = bounded.output().expect("timeout, of coreutils, can be run");
    told(&program.display().to_string(), &output)
}

fn told(program: &str, output: &Output) -> Result<(), String> {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = format!("{}{}", said(&output.stdout), said(&output.stderr));
    let short: String = all.chars().take(COMPLAINT_CHARS_MAX).collect();
    match output.status.code() {
        Some(0) => Ok(()),
        Some(124) => Err(format!("{program} was not done after {CHECK_S_MAX} s\n{short}")),
        Some(126 | 127) => Err(format!("{program} cannot be run: run ci/setup\n{short}")),
        code => Err(format!("{program} ended with {code:?}\n{short}")),
    }
}

/// The JSON schema of SARIF 2.1.0, draft 7, as OASIS publishes it.
pub fn sarif_schema() -> serde_json::Value {
    let path = installed("schemas/sarif-2.1.0.json");
    let text = fs::read_to_string(&path).expect("the schema of SARIF can be read");
    serde_json::from_str(&text).expect("the schema of SARIF is JSON")
}

/// Whether Jenkins's xUnit plugin would read it, by the plugin's own schema.
pub fn junit_is_valid(xml: &str) -> Result<(), String> {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(xml.as_bytes()).expect("a written file");
    let schema = installed("schemas/junit-10.xsd");
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema"]).arg(schema).arg(file.path());
    check(&mut command)
}

/// Whether Prometheus would take it as a scrape or a textfile.
pub fn prometheus_is_valid(text: &str) -> Result<(), String> {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("a written file");
    let python = installed("linters/bin/python");
    let output = Command::new("timeout")
        .arg(CHECK_S_MAX.to_string())
        .arg(python)
        .args(["-I", "-c", PROMETHEUS])
        .stdin(File::open(file.path()).expect("the file that was written"))
        .output()
        .expect("timeout, of coreutils, can be run");
    told("prometheus_client", &output)
}
