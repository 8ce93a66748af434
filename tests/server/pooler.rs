//! PgBouncer between clients and server: it ends with us, it is the real program, and what it does
//! is not taken for the change's.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgauntlet::history::{Event, History, OperationOutcome, PoolerEvent, Role, SessionId};
use pgauntlet::run::HISTORY_FILE;

use crate::leftovers;

const SCENARIO: &str = "tests/retries/add-column-in-turns";
/// Longest wait for a run to have its pooler.
const START_MAX: Duration = Duration::from_secs(120);

fn program() -> Command {
    let mut command = Command::new(cargo_bin!("pgauntlet"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// The history of the scenario's only trial under that condition.
fn history(condition: &str) -> History {
    let out = tempfile::tempdir().expect("a directory");
    let run = program()
        .args(["run", SCENARIO, "--quiet", "--conditions", condition, "--out"])
        .arg(out.path().join("out"))
        .output()
        .expect("a run");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    let found = find(&out.path().join("out")).unwrap_or_else(|| panic!("no history: {said}"));
    History::read(&found).expect("a history")
}

fn find(directory: &Path) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).ok()?.flatten();
    let mut below = entries.map(|entry| entry.path());
    below.find_map(|path| match path.is_dir() {
        true => find(&path),
        false => Some(path).filter(|path| path.ends_with(HISTORY_FILE)),
    })
}

fn poolers(history: &History) -> Vec<&PoolerEvent> {
    let mut found = Vec::new();
    for entry in &history.entries {
        if let Event::Pooler(pooler) = &entry.event {
            found.push(&**pooler);
        }
    }
    found
}

/// Sessions that were somebody's.
fn sessions(history: &History, wanted: &Role) -> Vec<SessionId> {
    let of = |event: &Event| match event {
        Event::Session(seen) if seen.role == *wanted => Some(seen.session.clone()),
        _ => None,
    };
    history.entries.iter().filter_map(|entry| of(&entry.event)).collect()
}

#[rstest::rstest]
#[case("pgbouncer-session", "session")]
#[case("pgbouncer-transaction", "transaction")]
fn what_application_and_change_send_goes_through_the_pooler(
    #[case] condition: &str,
    #[case] mode: &str,
) {
    let history = history(condition);
    let poolers = poolers(&history);
    let passed = poolers.iter().find_map(|event| event.passed).expect("an end");
    assert_eq!(poolers[0].mode, mode);
    assert!(poolers[0].version.starts_with("PgBouncer "), "{poolers:?}");
    assert!(passed.connections > 0 && passed.application > 0 && passed.change > 0, "{passed:?}");
    let application = sessions(&history, &Role::Application);
    let mut texts = Vec::new();
    let (mut on_sessions, mut succeeded) = (0, 0);
    for entry in &history.entries {
        match &entry.event {
            Event::StatementBegan(began) => texts.push(began.text.clone()),
            Event::Operation(operation) => {
                succeeded += u64::from(operation.outcome == OperationOutcome::Succeeded);
                let session = operation.session.as_ref();
                on_sessions += u64::from(session.is_some_and(|known| application.contains(known)));
            }
            _ => {}
        }
    }
    assert!(succeeded > 0 && on_sessions >= succeeded, "{on_sessions} of {succeeded}");
    // What the pooler sends by itself is not the change's.
    let own = |text: &&String| text.starts_with("SET application_name=") || *text == "DISCARD ALL";
    assert_eq!(texts.iter().find(own), None);
    assert!(texts.iter().any(|text| text.contains("ADD COLUMN")), "{texts:?}");
}

#[test]
fn a_pooler_ends_with_a_process_that_is_killed() {
    let place = leftovers::place();
    let mut run = program()
        .args(["run", SCENARIO, "--quiet", "--no-cache", "--conditions", "pgbouncer-session"])
        .env("TMPDIR", place.path())
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a run");
    let begun = Instant::now();
    let has_pooler = || {
        let lines = leftovers::processes_naming(place.path());
        lines.iter().any(|line| line.contains("pgbouncer"))
    };
    while !has_pooler() {
        assert!(begun.elapsed() < START_MAX, "no pooler: {:?}", run.try_wait());
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = Pid::from_raw(i32::try_from(run.id()).expect("a pid"));
    kill(pid, Signal::SIGKILL).expect("a kill");
    run.wait().expect("its end");
    leftovers::eventually("nothing is left of a pooler", || {
        let mut left = leftovers::processes_naming(place.path());
        left.retain(|line| line.contains("pgbouncer"));
        for directory in leftovers::entries(place.path()) {
            if Path::new(&directory).join("pooler.ini").exists() {
                left.push(directory);
            }
        }
        left
    });
    leftovers::eventually("nothing is left", || leftovers::entries(place.path()));
}

#[test]
fn without_the_program_nothing_is_started_and_the_error_says_how_to_get_it() {
    let run = program()
        .args(["run", SCENARIO, "--conditions", "pgbouncer-transaction"])
        .env("PGAUNTLET_PGBOUNCER", "/nowhere/pgbouncer")
        .output()
        .expect("a run");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(4), "{said}");
    assert!(said.contains("start PgBouncer") && said.contains("apt-get install"), "{said}");
    assert!(!said.contains("starting PostgreSQL"), "{said}");
}

#[test]
fn doctor_says_whether_conditions_with_a_pooler_work() {
    let said = |path: Option<&str>| {
        let mut doctor = program();
        doctor.arg("doctor").envs(path.map(|path| ("PGAUNTLET_PGBOUNCER", path)));
        String::from_utf8_lossy(&doctor.output().expect("a report").stdout).into_owned()
    };
    assert!(said(None).contains("conditions with a pooler work: PgBouncer "), "{}", said(None));
    assert!(said(Some("/nowhere")).contains("conditions with a pooler cannot work"));
}
