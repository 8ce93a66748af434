//! A run prints what it is about to take before it begins, where a user has named nothing.

use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use pgauntlet::result::CrashRequest;
use pgauntlet::run::{self, Foreseen, Work};
use pgauntlet::scenario::{self, Scenario};

use crate::run_without_server::request;

fn bundled(quick: bool, work: Work) -> Foreseen {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let found = scenario::find(&root).expect("scenarios");
    let scenarios: Vec<Scenario> =
        found.iter().map(|path| scenario::load(path).expect("a scenario").value).collect();
    let mut request = request(scenarios[0].clone(), work, None);
    request.scenarios = scenarios;
    request.crash = CrashRequest::default();
    request.sizes.quick = quick;
    run::foreseen(&request).expect("a plan")
}

#[test]
fn the_bundled_scenarios_take_about_as_long_as_was_measured() {
    let whole = bundled(false, Work::default());
    println!("{whole:?}");
    assert!(whole.trials > whole.scenarios / 2 && whole.matrices > 0, "{whole:?}");
    assert!((1_200.0..3_600.0).contains(&whole.seconds), "half an hour: {whole:?}");
    assert!(whole.rows_max >= 2_000_000 && whole.bytes_max > 1_000_000_000, "{whole:?}");
    let quick = bundled(true, Work::default());
    println!("{quick:?}");
    assert!(quick.seconds < whole.seconds / 2.0, "{quick:?}");
    assert!(quick.bytes_max < whole.bytes_max, "{quick:?}");
}

#[test]
fn a_crash_matrix_is_no_trial_of_full_size() {
    let crash = bundled(false, Work::Crash);
    assert_eq!((crash.trials, crash.bytes_max), (0, 0), "{crash:?}");
    assert!(crash.matrices > 0 && crash.seconds > 0.0, "{crash:?}");
}

/// What `run` says, in a directory without scenarios and with an engine that is not there.
fn said(arguments: &[&str]) -> String {
    let place = tempfile::tempdir().expect("a directory");
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.current_dir(place.path()).args(["run", "--server", "docker"]).args(arguments);
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").env_remove("PGAUNTLET_SERVER");
    let output = command.env("PGAUNTLET_CACHE", place.path()).output().expect("pgauntlet");
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn a_run_of_nothing_named_says_what_it_will_take() {
    let text = said(&[]);
    let announced = text.lines().next().expect("a line");
    for words in ["no ./scenarios is here", "trials", "crash matri", " rows", " min ", "GB of disk"]
    {
        assert!(announced.contains(words), "no {words:?} in {announced}");
    }
}

#[test]
fn a_run_of_something_named_does_not() {
    let text = said(&["add-column-guarded"]);
    assert!(!text.contains("is here"), "{text}");
}
