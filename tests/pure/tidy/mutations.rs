//! Each rule is seen to be broken: the repository's own sources with one fault put in.
//!
//! A rule that cannot fail protects nothing, and looks the same as one that holds.

use std::fs;

use rstest::rstest;

use super::file::Source;
use super::{files, root, rules, sources};

type Rule = fn(&[Source]) -> Vec<String>;

/// What is in the same module as the file: enough for a rule to look at, and soon read.
fn around(path: &str) -> Vec<Source> {
    let module: Vec<&str> = path.split('/').take(2).collect();
    let module = module.join("/");
    let mut sources = files(&[module.as_str()], "rs");
    sources.retain(|source| source.path != path);
    sources.extend(fs::read_to_string(root().join(path)).map(|text| source(path, &text)));
    sources
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

/// The module's sources with `code` at the end of the file.
fn with(path: &str, code: &str) -> Vec<Source> {
    let mut sources = around(path);
    match sources.iter_mut().find(|source| source.path == path) {
        Some(source) => source.text.push_str(&format!("\n{code}\n")),
        None => sources.push(source(path, &format!("//! A.\n{code}\n"))),
    }
    sources
}

/// What a rule says of these that it does not say of the module as it is.
fn new(rule: impl Fn(&[Source]) -> Vec<String>, changed: &[Source]) -> Vec<String> {
    let before = rule(&around(&changed[0].path));
    let mut broken = rule(changed);
    broken.retain(|line| !before.contains(line));
    broken
}

fn assert_caught(rule: Rule, path: &str, code: &str, wanted: &str) {
    let broken = new(rule, &with(path, code));
    assert!(broken.iter().any(|line| line.contains(wanted)), "{wanted:?} not in {broken:#?}");
}

#[rstest]
#[case::one_line("use crate::report::bytes as _;")]
#[case::several_lines("use crate::{\n    clock::Micros as _,\n    report::bytes as _,\n};")]
#[case::nested("use crate::{clock::{Clock as _, Micros as _}, report::{self as _}};")]
#[case::by_super("use super::super::report::bytes as _;")]
#[case::by_super_in_a_tree("use super::super::{clock, report};")]
#[case::in_a_module("mod inner { use super::super::super::report::bytes as _; }")]
#[case::in_code("fn f() -> String { crate::report::bytes(1) }")]
#[case::by_another_name("use crate as root; fn f() -> String { root::report::bytes(1) }")]
fn an_import_from_above_is_caught(#[case] code: &str) {
    assert_caught(rules::layers, "src/judge/zz.rs", code, "judge imports report");
}

#[rstest]
#[case::siblings("src/seed/zz.rs", "use crate::drive::Driving;", "seed imports drive")]
#[case::the_binary("src/clock/zz.rs", "use pgauntlet::judge;", "clock imports judge")]
#[case::without_a_layer("src/wander/mod.rs", "use crate::clock;", "wander has no layer")]
fn an_import_that_is_not_below_is_caught(
    #[case] path: &str,
    #[case] code: &str,
    #[case] wanted: &str,
) {
    assert_caught(rules::layers, path, code, wanted);
}

#[rstest]
#[case::a_comment("// use crate::report::bytes;\n/* crate::report::bytes */")]
#[case::a_text("const A: &str = \"crate::report::bytes\"; const B: &str = r#\"crate::report\"#;")]
#[case::a_test(
    "#[cfg(test)]\nmod tests {\n    use crate::report::bytes;\n    fn f() { bytes(1); }\n}"
)]
#[case::who_may_see("pub(in crate::report) const A: u8 = b'\\'';")]
fn what_is_no_import_is_none(#[case] code: &str) {
    assert_eq!(new(rules::layers, &with("src/judge/zz.rs", code)), [""; 0]);
}

#[rstest]
#[case::clock("fn f() { std::time::SystemTime::now(); }", "std::time::SystemTime")]
#[case::clock_by_use("use std::time::{Duration, Instant};", "std::time::Instant")]
#[case::clock_by_module("use std::time;\nfn f() { time::Instant::now(); }", "std::time::Instant")]
#[case::clock_by_star("use std::time::*;", "std::time::*")]
#[case::file("fn f() { let _ = std::fs::read(\"x\"); }", "std::fs::read")]
#[case::file_by_use("use std::{\n    collections::BTreeMap,\n    fs as disk,\n};", "std::fs")]
#[case::socket("use std::net::TcpStream;", "std::net::TcpStream")]
#[case::tokio("use tokio::net::TcpStream;", "tokio::net")]
#[case::print("fn f() { println!(\"x\"); }", "prints")]
#[case::print_of_an_error("fn f() { std::eprintln!(\"x\"); }", "prints")]
fn an_effect_in_judge_is_caught(#[case] code: &str, #[case] wanted: &str) {
    assert_caught(rules::purity, "src/judge/timeline.rs", code, wanted);
}

#[test]
fn what_a_worker_prints_is_caught() {
    let code = "fn f() { println!(\"x\"); }";
    assert_caught(rules::workers, "src/drive/pool.rs", code, "a worker prints");
}

#[test]
fn an_async_function_without_effects_is_caught() {
    assert_caught(rules::effects, "src/stats/mod.rs", "async fn f() {}", "no effects belong here");
}

#[rstest]
#[case("fn f")]
#[case("pub fn f")]
#[case("pub(super) async fn f")]
#[case("pub(in crate::drive) fn f")]
#[case("pub(crate) const unsafe fn f")]
fn a_long_function_is_caught(#[case] head: &str) {
    let body = "    let _ = 1;\n".repeat(80);
    let code = format!("{head}(a: [u8; {{ 1 }}]) -> (u8, u8)\nwhere\n    u8: Copy,\n{{\n{body}}}");
    assert_caught(rules::lengths, "src/drive/zz.rs", &code, "lines, at most 70");
}

fn circles(sources: &[Source]) -> Vec<String> {
    rules::circles(sources, rules::CYCLES_TO_BREAK)
}

#[test]
fn a_circle_of_files_is_caught() {
    let waits = "use super::zz_stalls::Stall;\npub struct Wait(Option<Box<Stall>>);";
    let stalls = "pub struct Stall(Vec<super::Wait>);";
    let mut sources = with("src/stats/zz_waits.rs", waits);
    sources.extend(with("src/stats/zz_stalls.rs", stalls).pop());
    assert_eq!(new(circles, &sources), [""; 0], "nobody hands Wait on");
    // Through a `pub use` of the parent, the two need each other; the parent needs neither.
    let parent = sources.iter_mut().find(|source| source.path == "src/stats/mod.rs");
    parent.expect("a parent").text.push_str("\npub use zz_waits::Wait;\n");
    let broken = new(circles, &sources);
    assert_eq!(broken, ["these need each other: src/stats/zz_stalls.rs, src/stats/zz_waits.rs"]);
}

#[test]
fn a_shared_type_beside_the_one_who_calls_is_a_circle() {
    let parent = "pub struct Shared;\nmod child;\nfn f() { child::g(&Shared) }";
    let mut sources = with("src/zz/mod.rs", parent);
    sources.extend(with("src/zz/child.rs", "pub fn g(_: &super::Shared) {}").pop());
    let broken = new(circles, &sources);
    assert_eq!(broken, ["these need each other: src/zz/child.rs, src/zz/mod.rs"]);
}

#[test]
fn a_module_that_has_no_circle_does_not_stay_on_the_list() {
    let mut listed = rules::CYCLES_TO_BREAK.to_vec();
    listed.push("clock");
    let broken = rules::circles(&sources(), &listed);
    assert!(broken.contains(&"clock has no circle left: take it off the list".to_owned()));
}

#[rstest]
#[case("pub fn nobody_asks_for_this() {}")]
#[case("impl A {\n    pub(super) async fn nobody_asks_for_this(&self) {}\n}")]
#[case("pub(in crate::drive) const fn nobody_asks_for_this() {}")]
fn a_dead_public_function_is_caught(#[case] code: &str) {
    let mut sources = with("src/drive/zz.rs", code);
    let broken = new(rules::dead, &sources);
    assert!(broken[0].contains("nobody_asks_for_this is named nowhere else"), "{broken:#?}");
    let text = "#[serde(default = \"zz::nobody_asks_for_this\")]";
    sources.push(source("src/drive/yy.rs", text));
    assert_eq!(new(rules::dead, &sources), [""; 0]);
}

#[test]
fn a_snapshot_without_its_test_is_caught() {
    let snapshot = |name: &str| Source {
        path: format!("tests/pure/snapshots/{name}.snap"),
        text: "---\nsource: tests/pure/scenario_files.rs\nexpression: a\n---\n".to_owned(),
    };
    let tests = around("tests/pure/scenario_files.rs");
    let unnamed = [snapshot("pure__scenario_files__nobody_made_this"), snapshot("mistake_gone")];
    assert_eq!(rules::unreferenced(&tests, &unnamed).len(), 2);
    let named = [snapshot("mistake_unknown_key")];
    assert_eq!(rules::unreferenced(&tests, &named), [""; 0]);
}

#[rstest]
#[case::todo("fn f() { todo!() }")]
#[case::ignored("#[ignore]\nfn f() {}")]
fn what_is_left_for_later_is_caught(#[case] code: &str) {
    assert_caught(rules::finished, "src/judge/zz.rs", code, "src/judge/zz.rs:2");
}

/// What clippy and rustc look for they are asked for, and nothing here looks for it twice.
#[rstest]
#[case("rust", "unsafe_code = \"forbid\"")]
#[case("clippy", "unwrap_used = \"warn\"")]
#[case("clippy", "expect_used = \"warn\"")]
#[case("clippy", "panic = \"warn\"")]
#[case("clippy", "print_stdout = \"warn\"")]
#[case("clippy", "print_stderr = \"warn\"")]
fn a_lint_is_on(#[case] table: &str, #[case] line: &str) {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let head = format!("[lints.{table}]\n");
    let (_, rest) = manifest.split_once(&head).expect("a table of lints");
    let lints = rest.split("\n[").next().expect("lints");
    assert!(lints.lines().any(|found| found.starts_with(line)), "{line} is not in {lints}");
    let check = fs::read_to_string(root().join("ci/check")).expect("ci/check");
    assert!(check.contains("clippy --locked --all-targets -- -D warnings"), "warnings fail");
}
