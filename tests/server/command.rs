//! A command that applies a change, as a process: its end, its output, its environment, and that
//! nothing of its group is left, however the command or our own process ends.
//!
//! The process of ours that is killed is this test executable, started again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgauntlet::migrate::Error;
use pgauntlet::migrate::command::{Exit, Invocation, LINGER, TERM_GRACE, run};
use pgauntlet::scenario::Command;
use rstest::rstest;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::leftovers::{CHILD_VARIABLE, SOON, TestChild, eventually, pids_naming, place};

/// The test that a child runs.
const CHILD: &str = "command::a_child_of_another_test_runs_a_command";
/// Tells the process group, as the first line of the output.
const TELL_GROUP: &str = "echo group: $(cut -d' ' -f5 /proc/$$/stat)";
/// Longer than any command here takes.
const DEADLINE: Duration = Duration::from_secs(60);

fn command(line: &str, directory: &Path) -> Command {
    let directory = directory.to_owned();
    Command { line: line.to_owned(), requires: Vec::new(), directory, environment: BTreeMap::new() }
}

fn invocation(command: &Command) -> Invocation<'_> {
    Invocation {
        command,
        environment: BTreeMap::new(),
        deadline: DEADLINE,
        output: None,
        killed: CancellationToken::new(),
    }
}

async fn exit(line: &str, deadline: Duration) -> Exit {
    let place = place();
    let command = command(line, place.path());
    let invocation = Invocation { deadline, ..invocation(&command) };
    run(&invocation).await.unwrap_or_else(|error| panic!("failed to {error}"))
}

/// The group that a line of the output tells, and the rest of the output.
fn group_of(output: &str) -> (i32, &str) {
    let (group, rest) = output.split_once('\n').expect("a line");
    let group = group.strip_prefix("group: ").expect("a group").trim();
    (group.parse().expect("a number"), rest)
}

/// The command lines of a group's processes that live.
fn members(group: i32) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("a list of processes").flatten() {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // After the name in parentheses: state, parent, group.
        let (_, rest) = stat.rsplit_once(") ").expect("a name");
        let fields: Vec<&str> = rest.split(' ').collect();
        if fields[2] == group.to_string() && fields[0] != "Z" {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&line).replace('\0', " "));
        }
    }
    found
}

fn assert_gone_soon(group: i32) {
    eventually("nobody is left in the group", || members(group));
}

#[rstest]
#[case::success("true", 0)]
#[case::failure("false || exit 3", 3)]
#[case::no_such_program("no-such-program-here", 127)]
#[tokio::test]
async fn a_command_that_ends_tells_its_exit_code(#[case] line: &str, #[case] code: i32) {
    let exit = exit(line, DEADLINE).await;
    assert_eq!((exit.code, exit.signal, exit.deadline_exceeded), (Some(code), None, false));
}

#[tokio::test]
async fn a_command_that_a_signal_ends_tells_the_signal() {
    let exit = exit("kill -s KILL $$", DEADLINE).await;
    assert_eq!((exit.code, exit.signal, exit.deadline_exceeded), (None, Some(9), false));
}

#[tokio::test]
async fn both_outputs_are_kept_in_order_and_the_input_is_empty() {
    let exit = exit("echo one; echo two >&2; cat; echo three; printf '\\377'", DEADLINE).await;
    assert_eq!((exit.output.as_str(), exit.output_cut), ("one\ntwo\nthree\n\u{fffd}", 0));
}

#[tokio::test]
async fn a_long_output_is_cut_in_memory_and_whole_in_the_file() {
    let place = place();
    let path = place.path().join("output");
    let command = command("seq 100000; echo end", place.path());
    let invocation = Invocation { output: Some(path.clone()), ..invocation(&command) };
    let exit = run(&invocation).await.expect("an exit");
    let whole = fs::read_to_string(path).expect("the output's file");
    let numbers: String = (1..=100_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(whole, numbers + "end\n");
    assert_eq!(exit.output.len(), 64 << 10);
    assert_eq!(exit.output_cut as usize + exit.output.len(), whole.len());
    assert!(whole.ends_with(&exit.output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_has_what_was_printed_while_the_command_still_runs() {
    let place = place();
    let (path, go) = (place.path().join("output"), place.path().join("go"));
    nix::unistd::mkfifo(&go, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    let command = command("printf first; cat go", place.path());
    let invocation = Invocation { output: Some(path.clone()), ..invocation(&command) };
    let watch = tokio::task::spawn_blocking(move || {
        let text = || fs::read_to_string(&path).unwrap_or_default();
        eventually("it is in the file", || match text() {
            text if text == "first" => Vec::new(),
            other => vec![other],
        });
        fs::write(go, " second").expect("a command that reads");
    });
    let exit = run(&invocation).await.expect("an exit");
    watch.await.expect("the file in time");
    assert_eq!(exit.output, "first second");
}

/// The command itself ends in time or not; what it started hears no SIGTERM in any case.
#[rstest]
#[case::command_that_ends("trap 'echo cleaned up; exit 7' TERM", Some(7), None)]
#[case::command_that_ignores_it("trap '' TERM", None, Some(9))]
#[tokio::test]
async fn at_the_deadline_the_whole_group_is_told_and_then_killed(
    #[case] trap: &str,
    #[case] code: Option<i32>,
    #[case] signal: Option<i32>,
) {
    let line = format!(
        "{TELL_GROUP}; {trap}; (trap '' TERM; echo deaf; while :; do sleep 1; done) & \
         while :; do wait; done"
    );
    let begun = Instant::now();
    let deadline = Duration::from_secs(1);
    let exit = exit(&line, deadline).await;
    let took = begun.elapsed();
    let (group, rest) = group_of(&exit.output);
    assert_gone_soon(group);
    assert!(exit.deadline_exceeded);
    assert_eq!((exit.code, exit.signal), (code, signal));
    assert_eq!(rest, if code.is_some() { "deaf\ncleaned up\n" } else { "deaf\n" });
    assert!(took >= deadline + TERM_GRACE && took < deadline + TERM_GRACE + SOON, "{took:?}");
}

#[tokio::test]
async fn a_command_that_stands_still_hears_of_the_deadline() {
    let begun = Instant::now();
    let line = "trap 'echo woken; exit 4' TERM; kill -s STOP $$; sleep 60";
    let exit = exit(line, Duration::from_secs(1)).await;
    assert_eq!((exit.code, exit.output.as_str()), (Some(4), "woken\n"));
    assert!(exit.deadline_exceeded && begun.elapsed() < TERM_GRACE, "{:?}", begun.elapsed());
}

#[rstest]
#[case::that_keeps_the_output_open("", LINGER)]
#[case::that_does_not(">/dev/null 2>&1", Duration::ZERO)]
#[tokio::test]
async fn a_background_process_is_ended_soon_after_the_command(
    #[case] redirected: &str,
    #[case] wait: Duration,
) {
    let begun = Instant::now();
    let exit = exit(&format!("{TELL_GROUP}; sleep 600 {redirected} & exit 5"), DEADLINE).await;
    let took = begun.elapsed();
    let (group, rest) = group_of(&exit.output);
    assert_gone_soon(group);
    assert_eq!((exit.code, exit.deadline_exceeded, rest), (Some(5), false, ""));
    assert!(took >= wait && took < wait + SOON, "{took:?}");
}

#[tokio::test]
async fn a_process_that_left_the_group_with_the_output_is_not_waited_for() {
    let place = place();
    let followed = place.path().join("followed");
    fs::write(&followed, "").expect("a file");
    let command = command("setsid tail -f \"$PWD/followed\" & echo over", place.path());
    let invocation = invocation(&command);
    let bounded = tokio::time::timeout(LINGER + SOON, run(&invocation));
    let exit = bounded.await.expect("an end").expect("an exit");
    assert_eq!((exit.code, exit.output.as_str()), (Some(0), "over\n"));
    for (pid, _) in pids_naming(&followed) {
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("a signal to tail");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_future_that_is_dropped_ends_the_group_at_once() {
    let place = place();
    let path = place.path().join("output");
    let line = format!("trap '' TERM; {TELL_GROUP}; sleep 600 & sleep 600; true");
    let command = command(&line, place.path());
    let invocation = Invocation { output: Some(path.clone()), ..invocation(&command) };
    let told = tokio::task::spawn_blocking(move || {
        eventually("four live: leader, shell, two sleeps", || {
            match fs::read_to_string(&path).unwrap_or_default() {
                text if text.ends_with('\n') && members(group_of(&text).0).len() == 4 => vec![],
                text => vec![text],
            }
        });
        group_of(&fs::read_to_string(&path).expect("the output")).0
    });
    let group = tokio::select! {
        exit = run(&invocation) => panic!("it ended: {exit:?}"),
        group = told => group.expect("a group"),
    };
    let begun = Instant::now();
    assert_gone_soon(group);
    assert!(begun.elapsed() < TERM_GRACE, "no grace for anybody");
}

#[tokio::test]
async fn a_child_of_another_test_runs_a_command() {
    let Ok(line) = std::env::var(CHILD_VARIABLE) else { return };
    let place = std::env::temp_dir();
    let mut command = command(&line, &place);
    command.environment = pairs(&[("OWN", "its own"), ("TAKEN", "its own"), ("PGHOST", "its own")]);
    let invocation = Invocation {
        environment: pairs(&[("PGHOST", "the tap"), ("DATABASE_URL", "postgresql://the-tap/")]),
        output: Some(PathBuf::from("/dev/stdout")),
        ..invocation(&command)
    };
    let exit = run(&invocation).await.unwrap_or_else(|error| panic!("failed to {error}"));
    println!("\nexit: {:?}", exit.code);
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_kill_of_our_own_process_ends_the_group() {
    let place = place();
    let line = format!(
        "trap '' HUP INT TERM; sleep 600 & sh -c '(sleep 600; true) & sleep 600; true' & \
         {TELL_GROUP}; wait"
    );
    let mut child = TestChild::start(CHILD, &line, place.path());
    let group: i32 = child.expect("group").parse().expect("a number");
    eventually("leader, three shells, three sleeps", || match members(group) {
        live if live.len() == 7 => Vec::new(),
        live => live,
    });
    child.kill(Signal::SIGKILL);
    assert_gone_soon(group);
}

#[test]
fn a_command_sees_our_environment_then_its_own_then_where_to_connect() {
    let place = place();
    let mut program = Program::new(std::env::current_exe().expect("this executable"));
    program.envs([("KEPT", "ours"), ("TAKEN", "ours"), ("PGSERVICE", "production")]);
    program.envs([("PGHOST", "production"), ("DATABASE_URL", "postgres://production/")]);
    let line = "echo seen: \"$KEPT, $OWN, $TAKEN, $PGHOST, $DATABASE_URL, ${PGSERVICE-none}\"";
    let mut child = TestChild::start_by(program, CHILD, line, place.path());
    let wanted = "ours, its own, its own, the tap, postgresql://the-tap/, none";
    assert_eq!(child.expect("seen"), wanted);
    assert_eq!(child.expect("exit"), "Some(0)");
}

#[tokio::test]
async fn what_keeps_a_command_from_starting_is_told_with_its_remedy() {
    let place = place();
    let gone = command("true", &place.path().join("gone"));
    let error = run(&invocation(&gone)).await.expect_err("no directory");
    assert!(matches!(error, Error::CommandDirectory { .. }), "{error:?}");
    assert!(error.to_string().ends_with("put it back or name another"), "{error}");
    let command = command("touch started", place.path());
    let output = Some(place.path().join("gone/output"));
    let error = run(&Invocation { output, ..invocation(&command) }).await.expect_err("no file");
    assert!(matches!(error, Error::CommandOutput { .. }), "{error:?}");
    assert!(!place.path().join("started").exists(), "output is checked before the start");
}

#[tokio::test]
async fn a_command_runs_in_its_directory() {
    let place: TempDir = place();
    let command = command("pwd -P", place.path());
    let exit = run(&invocation(&command)).await.expect("an exit");
    let wanted = place.path().canonicalize().expect("a directory");
    assert_eq!(exit.output.trim_end(), wanted.display().to_string());
}
