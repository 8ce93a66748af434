//! The manifests of a run on a cluster: they follow Kubernetes' schemas, and their scripts run the
//! shares and bring the results together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rstest::rstest;
use tempfile::TempDir;

use crate::ci_files::{KUBERNETES, executable, root};
use crate::schemas::{check, installed};

/// Stands in for pgauntlet: leaves a result and ends as `CODE` says.
const STAND_IN: &str = r#"#!/bin/bash
echo "$*" >>"$STAND_IN_LOG"
verb=$1
while [ $# -gt 0 ]; do
  case $1 in --out) out=$2 ;; esac
  shift
done
case $verb in
  run) [ "$CODE" != 2 ] || exit 2; mkdir "$out" && echo '{}' >"$out/result.json"; exit "$CODE" ;;
  merge) mkdir "$out" && echo '{}' >"$out/result.json" ;;
  report) echo "$verb" >"$out" ;;
esac
"#;

fn validated(files: &[&Path]) -> Result<(), String> {
    let mut command = Command::new(installed("linters/bin/kubernetes-validate"));
    check(command.arg("--strict").args(files).current_dir(root()))
}

#[test]
fn the_manifests_follow_the_schemas_of_kubernetes() {
    validated(&KUBERNETES.map(Path::new)).unwrap();
}

#[test]
fn a_manifest_with_a_misspelt_key_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("job.yaml");
    let text = fs::read_to_string(root().join(KUBERNETES[0])).expect("a manifest");
    fs::write(&file, text.replace("completionMode:", "completionmode:")).expect("a written file");
    let complaint = validated(&[&file]).expect_err("a finding");
    assert!(complaint.contains("completionmode"), "{complaint}");
}

#[test]
fn every_pod_knows_how_many_there_are() {
    let text = fs::read_to_string(root().join(KUBERNETES[0])).expect("a manifest");
    let number_after = |key: &str| {
        let (_, rest) = text.split_once(key).unwrap_or_else(|| panic!("no {key}"));
        let digits = rest.chars().skip_while(|c| !c.is_ascii_digit());
        digits.take_while(char::is_ascii_digit).collect::<String>()
    };
    let shards = number_after("- name: PGAUNTLET_SHARDS");
    for key in ["\n  completions:", "\n  parallelism:", "\n  maxFailedIndexes:"] {
        assert_eq!(number_after(key), shards, "{key}");
    }
}

/// The scripts of the manifests, with a stand-in for pgauntlet and a directory for the volume.
struct Cluster(TempDir);

impl Cluster {
    fn new() -> Cluster {
        let cluster = Cluster(tempfile::tempdir().expect("a directory"));
        let mut shells = Command::new(installed("linters/bin/python"));
        shells.arg("ci/tools/shells.py").arg(cluster.0.path()).args(KUBERNETES);
        check(shells.current_dir(root())).unwrap();
        fs::create_dir(cluster.path("bin")).expect("a directory");
        fs::create_dir(cluster.path("results")).expect("a directory");
        executable(&cluster.path("bin/pgauntlet"), STAND_IN);
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the script of the manifest whose name its file begins with, as the container does.
    fn code(&self, manifest: &str, variables: &[(&str, &str)]) -> Option<i32> {
        let entries = fs::read_dir(self.0.path()).expect("a directory that can be read");
        let mut paths = entries.map(|entry| entry.expect("an entry").path());
        let script = paths.find(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            name.starts_with(manifest)
        });
        let script = fs::read_to_string(script.expect("a script")).expect("text");
        let programs = std::env::var("PATH").expect("PATH");
        let mut command = Command::new("timeout");
        command.args(["60", "bash", "-euc", &script]);
        command.env("PATH", format!("{}:{programs}", self.path("bin").display()));
        command.env("RESULTS", self.path("results")).env("STAND_IN_LOG", self.path("log"));
        command.envs(variables.iter().copied());
        command.output().expect("timeout, of coreutils, can be run").status.code()
    }

    fn share(&self, index: &str, code: &str) -> Option<i32> {
        self.code("job.yaml", &[("JOB_COMPLETION_INDEX", index), ("CODE", code)])
    }
}

#[rstest]
#[case("0", "0", 0)]
#[case("0", "3", 3)]
#[case("3", "1", 1)]
// A failure of one is the whole run's; bad input is worse than a verdict.
#[case("4", "1", 4)]
#[case("101", "0", 4)]
fn the_join_ends_with_the_worst_code_of_the_shares(
    #[case] first: &str,
    #[case] second: &str,
    #[case] code: i32,
) {
    let cluster = Cluster::new();
    for (index, ended) in [("0", first), ("1", second)] {
        // A verdict is for the join to tell; what could not be run is the pod's failure.
        let told = ended.parse().ok().filter(|code| ![0, 1, 3].contains(code));
        assert_eq!(cluster.share(index, ended), Some(told.unwrap_or(0)));
    }
    assert_eq!(cluster.code("join.yaml", &[]), Some(code));
    let log = fs::read_to_string(cluster.path("log")).expect("a log");
    let results = cluster.path("results").display().to_string();
    assert!(log.contains(&format!("run --shard auto --out {results}/shard-0")), "{log}");
    let merged = format!("merge {results}/shard-0 {results}/shard-1 --out {results}/all");
    assert!(log.contains(&merged), "{log}");
    for made in ["report.txt", "junit.xml", "summary.md", "report.html"] {
        assert!(cluster.path("results/all").join(made).is_file(), "no {made}\n{log}");
    }
}

#[test]
fn a_share_without_a_result_and_one_without_an_end_fail_the_join() {
    let cluster = Cluster::new();
    assert_eq!(cluster.share("0", "0"), Some(0));
    assert_eq!(cluster.share("1", "2"), Some(2));
    assert_eq!(cluster.code("join.yaml", &[]), Some(4));
    assert_eq!(cluster.share("1", "0"), Some(0), "tried again");
    assert_eq!(cluster.code("join.yaml", &[]), Some(0), "and joined again");
    fs::remove_file(cluster.path("results/shard-1.exit-code")).expect("a code");
    assert_eq!(cluster.code("join.yaml", &[]), Some(4));
}
