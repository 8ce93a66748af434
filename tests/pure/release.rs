//! What a release rests on: one version, that Cargo.toml has; a section of CHANGELOG.md for each;
//! actions that are named by commits.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

use crate::ci_files::{KUBERNETES, root};

/// `major.minor.patch`.
type Version = (u64, u64, u64);

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn version(text: &str) -> Option<Version> {
    let mut parts = text.split('.').map(|part| part.parse::<u64>().ok());
    let found = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(found)
}

#[test]
fn packages_take_their_version_from_cargo() {
    let pyproject: toml::Table = read("pyproject.toml").parse().expect("TOML");
    let project = &pyproject["project"];
    assert!(project.get("version").is_none(), "maturin reads it from Cargo.toml");
    assert_eq!(project["dynamic"].as_array().expect("names")[0].as_str(), Some("version"));
    for package in ["npm/package.json", "npm/platform/package.json"] {
        let package: serde_json::Value = serde_json::from_str(&read(package)).expect("JSON");
        assert_eq!(package["version"], "0.0.0", "ci/package writes it");
        let needs = package["optionalDependencies"].as_object();
        let own = needs.into_iter().flatten().filter(|(name, _)| name.starts_with("@pgauntlet/"));
        own.for_each(|(name, version)| assert_eq!(version, "0.0.0", "{name}"));
    }
}

/// A file that is copied from here names the version that it was tried with.
#[test]
fn files_to_copy_name_the_version_of_cargo() {
    let ours = env!("CARGO_PKG_VERSION");
    let files = ["ci/github/pull-request.yml", "ci/github/nightly.yml", "ci/gitlab/.gitlab-ci.yml"];
    let mut seen = 0;
    for file in files.into_iter().chain(KUBERNETES) {
        for line in read(file).lines() {
            let line = line.trim_start_matches(['#', ' ']);
            let of_image = line.split_once("pgauntlet:").map(|(_, version)| version);
            let mut keys = ["version: ", "PGAUNTLET_VERSION: "].iter();
            let named = keys.find_map(|key| line.strip_prefix(key)).or(of_image);
            if let Some(named) = named.filter(|named| version(named).is_some()) {
                assert_eq!(named, ours, "{file}: {line}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 7, "{seen} found");
}

#[test]
fn the_changelog_has_a_section_per_version_newest_first() {
    let text = read("CHANGELOG.md");
    let mut headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    assert_eq!(headings.next(), Some("Unreleased"));
    let mut newer = version(env!("CARGO_PKG_VERSION")).map(|(a, b, c)| (a, b, c + 1));
    for heading in headings {
        let (named, day) = heading.split_once(", ").unwrap_or_else(|| panic!("{heading}: no day"));
        assert!(day.parse::<jiff::civil::Date>().is_ok(), "{heading}: no day");
        let named = version(named);
        assert!(named.is_some() && named < newer, "{heading}: no version, or not in order");
        newer = named;
    }
}

#[test]
fn every_action_of_the_release_is_named_by_a_commit_with_its_version() {
    let text = read(".github/workflows/release.yml");
    let uses =
        text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "));
    let mut seen = 0;
    for action in uses {
        let (named, version) = action.split_once(" # v").unwrap_or_else(|| panic!("{action}"));
        let (_, commit) = named.split_once('@').expect("a commit");
        assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{action}");
        assert!(self::version(version).is_some(), "{action}");
        seen += 1;
    }
    assert!(seen >= 8, "{seen} actions");
}

fn notes(cargo: &str, changelog: &str, tag: &str) -> Output {
    let place = tempfile::tempdir().expect("a directory");
    let path = |name: &str| place.path().join(name);
    fs::create_dir(path("ci")).expect("a directory");
    fs::copy(root().join("ci/release-notes"), path("ci/release-notes")).expect("a copied file");
    fs::write(path("Cargo.toml"), format!("[package]\nversion = \"{cargo}\"\n")).expect("a file");
    fs::write(path("CHANGELOG.md"), changelog).expect("a file");
    run(&path("ci/release-notes"), tag)
}

fn run(script: &Path, tag: &str) -> Output {
    Command::new("bash").arg(script).arg(tag).output().expect("bash can be run")
}

const CHANGES: &str = "# Changelog\n\n## Unreleased\n\n- no\n\n\
                       ## 0.2.0, 2026-12-01\n\n- one\n- two\n\n\
                       ## 0.1.0, 2026-11-01\n\n- first\n";

#[test]
fn the_notes_of_a_release_are_the_section_of_its_version() {
    let output = notes("0.2.0", CHANGES, "v0.2.0");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "- one\n- two");
}

#[rstest]
#[case("0.2.0", "v0.3.0", "the tag v0.3.0 is not v0.2.0")]
#[case("0.2.0", "0.2.0", "is not v0.2.0")]
#[case("0.3.0", "v0.3.0", "no section \"## 0.3.0,")]
fn a_tag_of_another_version_or_without_a_section_is_refused(
    #[case] cargo: &str,
    #[case] tag: &str,
    #[case] said: &str,
) {
    let output = notes(cargo, CHANGES, tag);
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains(said) && output.stdout.is_empty(), "{complaint}");
}
