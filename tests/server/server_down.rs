//! A server of ours that is stopped in the midst of a trial, or whose disk is full: that trial
//! proves nothing, the others run, and nothing is left.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process};
use std::time::{Duration, Instant};

use assert_cmd::cargo::{CommandCargoExt, cargo_bin};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgauntlet::history::{Event, History};
use pgauntlet::result::{Judgement, ResultFile};
use rstest::rstest;

use crate::foreign::scenarios;

const LONGEST: Duration = Duration::from_secs(120);

fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < LONGEST, "{what} did not come within {LONGEST:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn run(command: &mut Process, directory: &Path) -> Child {
    command.current_dir(directory).args(["--scenarios-dir", ".", "--quiet", "--no-cache"]);
    command.args(["--out", "out"]).env_remove("PGAUNTLET_SERVER").spawn().expect("a child")
}

/// The exit code, and what is in the result.
fn ended(mut child: Child, directory: &Path) -> (Option<i32>, ResultFile) {
    let code = wait_for("the end", || child.try_wait().expect("a status")).code();
    (code, ResultFile::read(&directory.join("out")).expect("a result"))
}

fn verdicts(result: &ResultFile) -> Vec<&str> {
    result.trials.iter().map(|trial| trial.verdict.as_str()).collect()
}

fn sentences(trial: &Judgement) -> String {
    trial.findings.iter().map(|found| found.sentence.as_str()).collect::<Vec<_>>().join("\n")
}

/// A place for run directories that the server's user may enter.
fn place() -> tempfile::TempDir {
    let place = tempfile::Builder::new().prefix("pgdown").tempdir_in("/tmp").expect("a place");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path(), open).expect("a mode");
    place
}

fn entries(place: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(place).expect("a list").flatten().map(|entry| entry.path()).collect()
}

fn main_process(place: &Path) -> Option<Pid> {
    let file = entries(place).into_iter().map(|run| run.join("data/postmaster.pid"));
    let text = file.flat_map(std::fs::read_to_string).next()?;
    text.lines().next()?.parse().ok().map(Pid::from_raw)
}

#[rstest]
#[case::immediate_shutdown(Signal::SIGQUIT)]
#[case::fast_shutdown(Signal::SIGINT)]
#[case::kill(Signal::SIGKILL)]
fn a_server_of_ours_that_is_stopped_in_a_trial_is_started_again(#[case] signal: Signal) {
    let directory = scenarios(&["first", "second"], "SELECT pg_sleep(2); ALTER TABLE t ADD a int;");
    let place = place();
    let mut command = Process::cargo_bin("pgauntlet").expect("the binary");
    command.args(["run", "first", "second"]).env("TMPDIR", place.path());
    let child = run(&mut command, directory.path());
    let history = directory.path().join("out/first/history.jsonl");
    wait_for("the change", || {
        let text = std::fs::read_to_string(&history).unwrap_or_default();
        let begun = |line: &str| line.contains("statement-began") && line.contains("pg_sleep");
        text.lines().any(begun).then_some(())
    });
    let server = wait_for("the server", || main_process(place.path()));
    kill(server, signal).expect("a signal to the server");
    let (code, result) = ended(child, directory.path());
    assert_eq!((code, result.finished), (Some(3), true));
    assert_eq!(verdicts(&result), ["unproven", "safe"]);
    let first = &result.trials[0];
    let ledger = first.measured.ledger.as_ref().expect("the ledger was compared after recovery");
    assert!(ledger.acknowledged > 0 && ledger.mismatches == 0, "{ledger:?}");
    let told = sentences(first);
    assert!(told.contains("the server went down in the midst of the trial"), "{told}");
    assert!(told.contains("this says nothing of the change"), "{told}");
    let history = History::read(&history).expect("a history");
    assert!(history.entries.iter().any(|entry| matches!(entry.event, Event::ServerDown)));
    assert!(entries(place.path()).is_empty(), "{:?}", entries(place.path()));
}

/// What fills the disk is WAL as well, or not.
#[rstest]
#[case::with_tables("UNLOGGED", "160m")]
#[case::with_wal("", "130m")]
#[case::before_the_change("", "75m")]
fn a_full_disk_is_the_end_of_a_trial_and_not_of_the_run(#[case] kind: &str, #[case] size: &str) {
    let fill = format!(
        "CREATE {kind} TABLE filler AS \
         SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, 1000000) g;"
    );
    let directory = scenarios(&["first", "second"], &fill);
    let change = "SELECT 1; ALTER TABLE t ADD a int;";
    std::fs::write(directory.path().join("second/own.sql"), change).expect("a file");
    let place = place();
    // The mount is gone with its last process.
    let script = "mount -t tmpfs -o size=$0,mode=755 tmpfs \"$TMPDIR\" && \"$@\"; code=$?; \
                  ls -A \"$TMPDIR\" >left; exit $code";
    let mut command = Process::new("unshare");
    command.args(["--mount", "sh", "-c", script, size]).arg(cargo_bin!("pgauntlet"));
    command.args(["run", "first", "second"]).env("TMPDIR", place.path());
    let child = run(&mut command, directory.path());
    let (code, result) = ended(child, directory.path());
    assert_eq!((code, result.finished), (Some(3), true));
    assert_eq!(result.trials[0].verdict.as_str(), "unproven");
    assert_eq!(result.trials.len(), 2);
    if size != "75m" {
        assert_eq!(verdicts(&result), ["unproven", "safe"]);
        let told = sentences(&result.trials[0]);
        assert!(told.contains("53100 disk_full"), "{told}");
        assert!(told.contains("the disk of the trial's server, which was full"), "{told}");
    }
    let left = std::fs::read_to_string(directory.path().join("left")).expect("a list");
    assert_eq!(left, "");
}
