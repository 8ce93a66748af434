//! A run that is divided between processes, and joined again, is the run of one process; and any
//! trial of it can be run again from its result alone.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use assert_cmd::cargo::cargo_bin_cmd;
use pgauntlet::result::{ResultFile, Shard};
use pgauntlet::trial::FaultKind;
use predicates::str::{contains, is_empty};
use rstest::rstest;

const SHARDS: u32 = 3;

fn pgauntlet() -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.env("NO_COLOR", "1");
    command
}

/// A scenario of a few rows; `more` ends its file.
fn scenario(root: &Path, name: &str, change: &str, more: &str) {
    let text = format!(
        "analysis = 'A few rows.'\n\
         [schema]\ntables = 'schema.sql'\n\
         [[table]]\nname = 't'\nrows = 500\ncolumns.id = {{ serial = {{}} }}\n\
         [traffic]\nrate_per_s = 50\nbaseline_ms = 500\nrecovery_min_ms = 100\n\
         [[operation]]\nname = 'count'\nweight = 1\nsql = 'SELECT count(*) FROM t'\n\
         [limits]\nstall_ms_max = 10_000\np99_ms_floor = 10_000\ngenerator_lag_ms_max = 10_000\n\
         [[change.migration]]\nversion = '1'\nfile = 'change.sql'\n{more}"
    );
    let directory = root.join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    for (file, text) in [
        ("scenario.toml", text.as_str()),
        ("schema.sql", "CREATE TABLE t (id bigint);"),
        ("change.sql", change),
    ] {
        std::fs::write(directory.join(file), text).expect("a file");
    }
}

const SAFE: &str = "[expect]\nverdict = 'safe'\n";
const ADD: &str = "ALTER TABLE t ADD COLUMN a int;";

/// What one process makes of the scenarios, and what three do.
struct Runs {
    /// Made anew each time: nothing ends what a whole file of tests shares.
    root: PathBuf,
}

impl Runs {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn result(&self, name: &str) -> ResultFile {
        ResultFile::read(&self.path(name)).expect("a result")
    }

    fn shards(&self) -> Vec<PathBuf> {
        (1..=SHARDS).map(|index| self.path(&format!("shard-{index}"))).collect()
    }

    /// Some trial is not as expected: that is what `repro` looks for.
    fn run(&self, name: &str, more: &[&str]) {
        let mut command = pgauntlet();
        command.current_dir(&self.root);
        command.args(["run", "--scenarios-dir", "scenarios", "--quiet", "--repeat", "2"]);
        command.args(["--out", name]).args(more);
        let ended = command.output().expect("a process");
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(matches!(ended.status.code(), Some(0 | 1)), "{errors}");
    }
}

/// Made once for all tests of this file.
fn runs() -> &'static Runs {
    static RUNS: OnceLock<Runs> = OnceLock::new();
    RUNS.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shards");
        let gone = std::fs::remove_dir_all(&root);
        assert!(gone.is_ok() || !root.exists(), "{gone:?}");
        std::fs::create_dir_all(&root).expect("a directory");
        let runs = Runs { root };
        let scenarios = runs.path("scenarios");
        scenario(&scenarios, "adds-a-column", ADD, SAFE);
        scenario(&scenarios, "fails", "SELECT 1/0;", SAFE);
        let states =
            format!("{SAFE}[[state]]\nname = 'base'\n[[state]]\nname = 'fewer'\nrows.t = 50\n");
        scenario(&scenarios, "from-two-states", ADD, &states);
        let crash = format!("{SAFE}[crash]\nways = ['cut-before', 'cut-after']\nrows = 50\n");
        scenario(&scenarios, "dies", ADD, &crash);
        runs.run("whole", &[]);
        std::thread::scope(|scope| {
            for index in 1..=SHARDS {
                let (runs, name) = (&runs, format!("shard-{index}"));
                let share = format!("{index}/{SHARDS}");
                let whole = runs.path("whole").display().to_string();
                scope.spawn(move || {
                    runs.run(&name, &["--shard", &share, "--costs", &whole]);
                });
            }
        });
        runs
    })
}

/// What does not depend on when and how fast it was.
fn told(result: &ResultFile) -> Vec<String> {
    let trials = result.trials.iter().map(|j| {
        let kinds: Vec<String> = j.findings.iter().map(|f| f.kind.to_string()).collect();
        let trial = &j.trial;
        format!(
            "{} from {} #{}: {} {:?} {:?} {:?}",
            trial.key.scenario,
            trial.key.state(),
            trial.key.repetition,
            j.verdict,
            kinds,
            j.mismatches,
            trial.sizes
        )
    });
    let matrices = result.crash_matrices.iter().map(|m| {
        format!("{}: {} {:?} {}", m.trial.key.scenario, m.verdict, m.outcomes, m.cases.len())
    });
    trials.chain(matrices).collect()
}

fn merged(runs: &Runs, out: &str) -> assert_cmd::Command {
    let mut command = pgauntlet();
    command.current_dir(&runs.root).arg("merge").args(runs.shards()).args(["--out", out]);
    command
}

#[test]
fn three_shards_that_are_merged_are_one_process() {
    let runs = runs();
    merged(runs, "merged").assert().code(0).stdout(contains("3 results are one in merged"));
    let (whole, joined) = (runs.result("whole"), runs.result("merged"));
    assert_eq!(told(&joined), told(&whole));
    assert_eq!((joined.plan, joined.shard), (whole.plan, None));
    assert_eq!(joined.scenarios, whole.scenarios);
    let judged = pgauntlet().arg("judge").arg(runs.path("merged")).assert().code(1);
    judged.stdout(contains("dies, crash matrix"));
}

#[test]
fn every_share_says_which_it_is_and_none_has_what_another_has() {
    let runs = runs();
    let mut all = Vec::new();
    for (index, shard) in (1..).zip(runs.shards()) {
        let result = ResultFile::read(&shard).expect("a result");
        assert_eq!(result.shard, Some(Shard { index, of: SHARDS }));
        assert!(!result.trials.is_empty() || !result.crash_matrices.is_empty());
        all.extend(told(&result));
    }
    let mut whole = told(&runs.result("whole"));
    all.sort();
    whole.sort();
    assert_eq!(all, whole);
}

#[rstest]
#[case("text", "dies, crash matrix, as expected")]
#[case("json", "\"pgauntlet_result\": 5")]
#[case("html", "<!DOCTYPE html>")]
#[case("markdown", "not as expected")]
#[case("github", "::error file=")]
#[case("junit", "<testsuite name=\"from-two-states from fewer, repetition 2\"")]
#[case("sarif", "\"version\": \"2.1.0\"")]
#[case("prometheus", "pgauntlet_crash_deaths{scenario=\"dies\"")]
fn stored_results_are_rendered_without_a_server(#[case] format: &str, #[case] holds: &str) {
    let runs = runs();
    let file = runs.path(&format!("report.{format}"));
    let mut command = pgauntlet();
    command.current_dir(&runs.root).args(["report", "whole", "--format", format, "--out"]);
    command.arg(&file).assert().code(0).stdout(is_empty());
    let text = std::fs::read_to_string(&file).expect("a report");
    assert!(text.contains(holds), "{text}");
}

#[test]
fn a_result_is_what_is_printed_as_json_and_nothing_else() {
    let runs = runs();
    let mut command = pgauntlet();
    command.current_dir(&runs.root).args(["run", "adds-a-column", "--scenarios-dir"]);
    command.args(["scenarios", "--format", "json"]);
    let output = command.assert().code(0).get_output().stdout.clone();
    let result: ResultFile = serde_json::from_slice(&output).expect("result.json");
    assert_eq!(result.trials.len(), 1);
}

#[test]
fn results_of_two_majors_are_joined_side_by_side() {
    let runs = runs();
    let whole = runs.result("whole");
    let taken = whole.trials[0].trial.server.version_num / 10_000;
    let other = if taken == 18 { 17 } else { 18 };
    let ci = std::env::var("PGAUNTLET_CI_DIR").unwrap_or("/var/lib/pgauntlet-ci".to_owned());
    let bin = format!("{ci}/pg/{other}/native/bin");
    assert!(Path::new(&bin).exists(), "no PostgreSQL {other} in {bin}: run ci/setup");
    let mut command = pgauntlet();
    command.current_dir(&runs.root).args(["run", "fails", "--scenarios-dir", "scenarios"]);
    command.args(["--quiet", "--pg-bin", &bin, "--out", "on-other"]).assert().code(1);
    let mut command = pgauntlet();
    command.current_dir(&runs.root).args(["merge", "whole", "on-other", "--out", "majors"]);
    command.assert().code(0).stdout(contains(format!("fails on PostgreSQL {other}")));
    let joined = runs.result("majors");
    assert_eq!(joined.trials.len(), whole.trials.len() + 1);
    assert!(joined.plan.contains(&format!("pg{other}: fails")), "{:?}", joined.plan);
    assert!(runs.path(&format!("majors/pg{other}/fails/history.jsonl")).exists());
}

#[test]
fn a_missing_share_is_told_by_its_number() {
    let runs = runs();
    let mut command = pgauntlet();
    command.current_dir(&runs.root).args(["merge", "shard-1", "shard-3", "--out", "two"]);
    command.assert().code(2).stderr(contains("share 2 of 3 is missing"));
    assert!(!runs.path("two").exists(), "nothing is written before everything is there");
}

#[test]
fn a_share_that_is_named_twice_is_refused() {
    let runs = runs();
    let mut command = pgauntlet();
    command.current_dir(&runs.root);
    command.args(["merge", "shard-1", "shard-2", "shard-3", "shard-2", "--out", "twice"]);
    command.assert().code(2).stderr(contains("share 2 of 3 is in"));
}

#[test]
fn a_result_of_another_format_is_refused_by_name() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    std::fs::write(elsewhere.path().join("result.json"), "{\"pgauntlet_result\": 3}")
        .expect("a file");
    for command in ["report", "repro"] {
        let refused = pgauntlet().arg(command).arg(elsewhere.path()).assert().code(2);
        refused.stderr(contains("result format 3, this pgauntlet reads 4"));
    }
}

#[test]
fn without_a_number_the_trial_that_was_not_as_expected_is_run_again() {
    let runs = runs();
    let again = pgauntlet().args(["repro", "--quiet"]).arg(runs.path("whole")).assert().code(0);
    again
        .stdout(contains("fails, NOT AS EXPECTED"))
        .stdout(contains("the environment is the same"))
        .stdout(contains("reproduced: the verdict and the findings are the same"));
}

#[test]
fn a_trial_is_run_again_from_result_json_alone_with_its_state_and_sizes() {
    let runs = runs();
    let whole = runs.result("whole");
    let wanted = |j: &pgauntlet::result::Judgement| j.trial.key.state() == "fewer";
    let number = whole.trials.iter().position(wanted).expect("a trial") + 1;
    let alone = tempfile::tempdir().expect("a directory");
    let copy = alone.path().join("copied.json");
    std::fs::copy(runs.path("whole/result.json"), &copy).expect("a copy");
    let out = alone.path().join("again");
    let mut command = pgauntlet();
    command.current_dir(alone.path()).args(["repro", "--quiet", "--trial", &number.to_string()]);
    command.arg(&copy).arg("--out").arg(&out).assert().code(0).stdout(contains("reproduced"));
    let again = ResultFile::read(&out).expect("a result");
    let trial = &again.trials.last().expect("a trial").trial;
    assert_eq!((trial.key.state(), trial.sizes["t"]), ("fewer", 50));
    assert_eq!(trial.rng_seed, whole.trials[number - 1].trial.rng_seed);
}

#[test]
fn a_crash_matrix_is_run_again_too() {
    let runs = runs();
    let number = (runs.result("whole").trials.len() + 1).to_string();
    let mut command = pgauntlet();
    command.args(["repro", "--quiet", "--trial", &number]).arg(runs.path("whole"));
    command.assert().code(0).stdout(contains("dies, crash matrix")).stdout(contains("reproduced"));
}

#[test]
fn what_differs_in_the_environment_and_in_the_outcome_is_told() {
    let runs = runs();
    let mut result = runs.result("whole");
    let trial = result.trials.iter_mut().find(|j| !j.as_expected).expect("a failing trial");
    trial.trial.machine.cores += 62;
    trial.trial.server.settings.insert("work_mem".to_owned(), "1GB".to_owned());
    trial.findings.clear();
    trial.verdict = pgauntlet::scenario::Verdict::Safe;
    let elsewhere = tempfile::tempdir().expect("a directory");
    result.write(elsewhere.path()).expect("a result");
    let again = pgauntlet().args(["repro", "--quiet"]).arg(elsewhere.path()).assert().code(1);
    again
        .stdout(contains("cores: "))
        .stdout(contains("work_mem: 1GB then, "))
        .stdout(contains("the verdict was safe and is unsafe"));
}

#[test]
fn a_number_that_no_trial_has_is_refused_with_how_many_there_are() {
    let runs = runs();
    let count = runs.result("whole").trials.len() + 1;
    let mut command = pgauntlet();
    command.args(["repro", "--trial", "99"]).arg(runs.path("whole"));
    command.assert().code(2).stderr(contains(format!("the result has {count}")));
}

/// Copies a directory, since a test must not change what others read.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory").flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copied(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}

fn stored(path: &Path) -> ResultFile {
    pgauntlet::run::stored(path).expect("a stored result").result
}

#[test]
fn what_result_json_holds_stands_where_its_history_is_gone() {
    let runs = runs();
    let whole = runs.result("whole");
    let elsewhere = tempfile::tempdir().expect("a directory");
    copied(&runs.path("whole"), elsewhere.path());
    for gone in ["dies/crash/undisturbed", "from-two-states/fewer", "fails/repetition-2"] {
        std::fs::remove_dir_all(elsewhere.path().join(gone)).expect("it was there");
    }
    assert_eq!(told(&stored(elsewhere.path())), told(&whole));
    std::fs::remove_dir_all(elsewhere.path().join("dies/crash")).expect("it was there");
    assert_eq!(told(&stored(elsewhere.path())), told(&whole));
}

#[test]
fn a_history_that_is_there_twice_is_one_trial() {
    let runs = runs();
    let elsewhere = tempfile::tempdir().expect("a directory");
    copied(&runs.path("whole"), &elsewhere.path().join("all"));
    copied(&runs.path("whole"), &elsewhere.path().join("pg"));
    std::fs::copy(runs.path("whole/result.json"), elsewhere.path().join("result.json"))
        .expect("a copy");
    assert_eq!(told(&stored(elsewhere.path())), told(&runs.result("whole")));
}

#[test]
fn a_run_that_broke_off_is_unproven_however_good_it_was() {
    let runs = runs();
    let mut result = runs.result("whole");
    result.trials.retain(|judgement| judgement.as_expected);
    let elsewhere = tempfile::tempdir().expect("a directory");
    result.write(elsewhere.path()).expect("a result");
    pgauntlet().arg("judge").arg(elsewhere.path()).assert().code(0);
    result.finished = false;
    result.write(elsewhere.path()).expect("a result");
    let judged = pgauntlet().arg("judge").arg(elsewhere.path()).assert().code(3);
    judged.stdout(contains("the run broke off"));
}

#[test]
fn results_are_not_joined_into_one_of_themselves() {
    let runs = runs();
    let mut command = pgauntlet();
    command.current_dir(&runs.root).args(["merge", "whole", "--out", "whole/joined"]);
    command.assert().code(2).stderr(contains("whole/joined is in it"));
    assert!(!runs.path("whole/joined").exists());
}

#[test]
fn of_two_whole_results_the_second_is_one_too_many() {
    let runs = runs();
    copied(&runs.path("whole"), &runs.path("another"));
    let mut command = pgauntlet();
    command.current_dir(&runs.root).args(["merge", "whole", "another", "--out", "both"]);
    command.assert().code(2).stderr(contains("merge another: it is of the plan of whole too"));
}

#[test]
fn a_crash_matrix_is_run_again_as_it_was_asked_for() {
    let runs = runs();
    let mut command = pgauntlet();
    command.current_dir(&runs.root).args(["crash", "dies", "--scenarios-dir", "scenarios"]);
    command.args(["--quiet", "--faults", "cut-before", "--random", "2", "--out", "asked"]);
    command.assert().code(0);
    let mut command = pgauntlet();
    command.current_dir(&runs.root).args(["repro", "asked", "--quiet", "--out", "asked-again"]);
    command.assert().code(0).stdout(contains("reproduced"));
    let (then, now) = (runs.result("asked"), runs.result("asked-again"));
    let asked = |result: &ResultFile| {
        let matrix = &result.crash_matrices[0];
        (matrix.columns.clone(), matrix.cases.len(), matrix.random.is_some())
    };
    assert_eq!(asked(&then), asked(&now));
    assert_eq!((asked(&now).0, asked(&now).2), (vec![FaultKind::CutBefore], true));
}
