//! However our process ends, its server ends too and nothing is left.
//!
//! The process that ends is this test executable, started again: what a test does with its own
//! process, a user's terminal, a CI system or the kernel does with pgauntlet's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use pgauntlet::connect::Session;
use pgauntlet::history::{Listener, Progress, silent};
use pgauntlet::provision::{Request, Server, SourceRequest, StandbyRequest, provision, sweep};
use rstest::rstest;

use crate::leftovers::{CHILD_VARIABLE, Footprint, TestChild, entries, eventually};
use crate::leftovers::{pids_naming, place, processes_naming};

/// The test that a child runs.
const CHILD: &str = "provision_ends::a_child_of_another_test_does_its_task";

async fn start(cache: Option<PathBuf>, listener: &Listener) -> Box<dyn Server> {
    let source = SourceRequest::Local { pg_bin: None, major: None };
    let request = Request { source, cache, run_as: None };
    provision(&request, listener).await.unwrap_or_else(|error| panic!("failed to {error}"))
}

/// Says where its server is; the parent waits for that.
fn say(server: &dyn Server) {
    let (data, log) = (server.data_directory().unwrap(), server.log_path().unwrap());
    println!("serving: {} {}", data.display(), log.parent().unwrap().display());
}

#[tokio::test]
async fn a_child_of_another_test_does_its_task() {
    let Ok(task) = std::env::var(CHILD_VARIABLE) else { return };
    let (task, argument) = task.split_once(' ').unwrap_or((&task, ""));
    match task {
        "hold" => {
            let server = start(None, &silent()).await;
            say(&*server);
            std::future::pending::<()>().await;
        }
        "hold-cached" => {
            let server = start(Some(argument.into()), &silent()).await;
            say(&*server);
            std::future::pending::<()>().await;
        }
        "hold-with-standby" => {
            let mut server = start(None, &silent()).await;
            let wanted = StandbyRequest { delay_ms: 1_000, feedback: false, slot: true };
            server.follow(Some(&wanted)).await.unwrap_or_else(|e| panic!("failed to {e}"));
            say(&*server);
            std::future::pending::<()>().await;
        }
        "make" => {
            let tell: Listener = std::sync::Arc::new(|progress| {
                if matches!(progress, Progress::Server(text) if text.starts_with("making")) {
                    println!("making:");
                }
            });
            start(Some(argument.into()), &tell).await;
            std::future::pending::<()>().await;
        }
        // As a run is interrupted: the future is dropped, and the process ends by itself.
        "interrupt" => {
            let silent = silent();
            let made = start(Some(argument.into()), &silent);
            tokio::select! {
                _ = made => panic!("too quick to be interrupted"),
                memory = memory_of_initdb(argument.as_ref()) => println!("memory: {memory}"),
            }
        }
        "panic" => {
            let server = start(None, &silent()).await;
            say(&*server);
            let mut go = String::new();
            std::io::stdin().read_line(&mut go).unwrap();
            panic!("as a test asked");
        }
        "sweep" => println!("swept: {:?}", sweep().await),
        other => panic!("no task {other}"),
    }
}

#[rstest]
#[case::interrupt(Signal::SIGINT)]
#[case::terminate(Signal::SIGTERM)]
#[case::hang_up(Signal::SIGHUP)]
#[case::kill(Signal::SIGKILL)]
fn a_signal_to_our_process_ends_the_server_and_leaves_nothing(#[case] signal: Signal) {
    let place = place();
    let mut child = TestChild::start(CHILD, "hold", place.path());
    let footprint = child.footprint();
    child.kill(signal);
    footprint.assert_gone_soon();
    assert_eq!(entries(place.path()), Vec::<String>::new());
}

#[test]
fn a_killed_process_leaves_no_standby_either() {
    let place = place();
    let mut child = TestChild::start(CHILD, "hold-with-standby", place.path());
    let footprint = child.footprint();
    let standby = Footprint::read(&footprint.run.join("standby"), &footprint.run);
    child.kill(Signal::SIGKILL);
    footprint.assert_gone_soon();
    standby.assert_gone_soon();
    assert_eq!(entries(place.path()), Vec::<String>::new());
}

#[test]
fn ctrl_c_in_a_terminal_does_not_reach_the_server_itself() {
    let place = place();
    let mut child = TestChild::start(CHILD, "hold", place.path());
    let footprint = child.footprint();
    let groups: Vec<Pid> = pids_naming(&footprint.run)
        .into_iter()
        .map(|(pid, _)| nix::unistd::getpgid(Some(Pid::from_raw(pid))).expect("a group"))
        .collect();
    assert!(groups.len() >= 2, "server and guardian: {groups:?}");
    assert!(!groups.contains(&child.pid()), "{groups:?}");
    killpg(child.pid(), Signal::SIGINT).expect("a signal to the group");
    child.assert_ends_soon();
    footprint.assert_gone_soon();
}

#[test]
fn a_panic_ends_the_server_and_leaves_nothing() {
    let place = place();
    let mut child = TestChild::start(CHILD, "panic", place.path());
    let footprint = child.footprint();
    // Its standard input is ours, which is empty: reading it ends and it goes on to the panic.
    child.assert_ends_soon();
    footprint.assert_gone_soon();
    assert_eq!(entries(place.path()), Vec::<String>::new());
}

#[test]
fn a_kill_while_a_cluster_is_made_leaves_no_process_and_no_half_a_cluster() {
    let (place, cache) = (place(), place_for_cache());
    let task = format!("make {}", cache.path().display());
    let mut child = TestChild::start(CHILD, &task, place.path());
    child.expect("making");
    child.kill(Signal::SIGKILL);
    eventually("no initdb and no directories", || {
        let mut left = entries(place.path());
        left.extend(pids_naming(cache.path()).into_iter().map(|(_, line)| line));
        left.extend(pids_naming(place.path()).into_iter().map(|(_, line)| line));
        left.extend(slot_entries(cache.path(), "data"));
        left
    });
}

/// The id of the segment that initdb's server has, as soon as it has one.
async fn memory_of_initdb(cache: &Path) -> String {
    loop {
        for slot in fs::read_dir(cache).into_iter().flatten().flatten() {
            let pid_file = slot.path().join("data.new/postmaster.pid");
            let text = fs::read_to_string(pid_file).unwrap_or_default();
            let mut lines = text.lines();
            let pid = lines.next().unwrap_or_default().trim_start_matches('-');
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            // Those before it only find out which settings the machine can bear.
            let is_boot = line.split(|byte| *byte == 0).any(|word| word == b"--boot");
            let id = lines.nth(5).and_then(|line| line.split_whitespace().nth(1));
            if let Some(id) = id.filter(|_| is_boot) {
                return id.to_owned();
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn has_segment(id: &str) -> Vec<String> {
    let text = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let ids = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1));
    ids.filter(|known| *known == id).map(str::to_owned).collect()
}

#[test]
fn an_interrupt_while_a_cluster_is_made_leaves_no_memory_and_no_half_a_cluster() {
    let (place, cache) = (place(), place_for_cache());
    let task = format!("interrupt {}", cache.path().display());
    let mut child = TestChild::start(CHILD, &task, place.path());
    let memory = child.expect("memory");
    eventually("no initdb, no memory and no directories", || {
        let mut left = entries(place.path());
        left.extend(pids_naming(cache.path()).into_iter().map(|(_, line)| line));
        left.extend(slot_entries(cache.path(), "data"));
        left.extend(has_segment(&memory));
        left
    });
}

#[test]
fn the_memory_of_an_initdb_that_was_killed_is_freed_by_the_next_use_of_its_slot() {
    let (place, cache) = (place(), place_for_cache());
    let task = format!("make {}", cache.path().display());
    let mut child = TestChild::start(CHILD, &task, place.path());
    child.expect("making");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let memory = runtime.block_on(memory_of_initdb(cache.path()));
    // The server of initdb names its directory nowhere but in its own.
    let workers = || -> Vec<i32> {
        let all = fs::read_dir("/proc").unwrap().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
        pids.filter(|pid: &i32| {
            let cwd = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            cwd.starts_with(cache.path())
        })
        .collect()
    };
    let initdb = pids_naming(cache.path()).into_iter().map(|(pid, _)| pid);
    for pid in initdb.filter(|pid| *pid != child.pid().as_raw()).chain(workers()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    child.kill(Signal::SIGKILL);
    assert_eq!(has_segment(&memory), std::slice::from_ref(&memory));
    let held = format!("hold-cached {}", cache.path().display());
    let mut next = TestChild::start(CHILD, &held, place.path());
    next.footprint();
    assert_eq!(has_segment(&memory), Vec::<String>::new());
}

#[test]
fn a_start_that_fails_leaves_no_directory() {
    let place = place();
    let cache = place.path().join("closed/cache");
    fs::create_dir_all(&cache).unwrap();
    // No server's user may enter it; without root, nobody may write there.
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o500);
    fs::set_permissions(place.path().join("closed"), closed).unwrap();
    let mut child =
        TestChild::start(CHILD, &format!("hold-cached {}", cache.display()), place.path());
    child.assert_ends_soon();
    assert_eq!(entries(place.path()), [place.path().join("closed").display().to_string()]);
}

#[test]
fn a_kill_keeps_a_cached_cluster_and_frees_it_for_the_next_process() {
    let (place, cache) = (place(), place_for_cache());
    let task = format!("hold-cached {}", cache.path().display());
    let mut first = TestChild::start(CHILD, &task, place.path());
    let footprint = first.footprint();
    first.kill(Signal::SIGKILL);
    footprint.assert_gone_soon();
    assert!(footprint.data.exists());
    let mut second = TestChild::start(CHILD, &task, place.path());
    assert_eq!(second.footprint().data, footprint.data);
}

#[test]
fn a_next_process_waits_for_nothing_and_never_shares_a_cluster_that_lives() {
    let (place, cache) = (place(), place_for_cache());
    let task = format!("hold-cached {}", cache.path().display());
    let mut first = TestChild::start(CHILD, &task, place.path());
    let mut second = TestChild::start(CHILD, &task, place.path());
    let (first, second) = (first.footprint(), second.footprint());
    assert_ne!(first.data, second.data);
}

/// With its guardian killed too, only the next start can know.
fn orphaned(place: &Path) -> Footprint {
    let mut child = TestChild::start(CHILD, "hold", place);
    let footprint = child.footprint();
    let script = footprint.run.join("guardian").display().to_string();
    let guardian = pids_naming(&footprint.run).into_iter().find(|(_, line)| line.contains(&script));
    let (guardian, _) = guardian.expect("a guardian");
    kill(Pid::from_raw(guardian), Signal::SIGKILL).expect("a signal to the guardian");
    // The guardian is the child's to reap, so it is gone once its parent is.
    child.kill(Signal::SIGKILL);
    footprint
}

#[test]
fn a_cached_cluster_whose_server_was_killed_is_recovered_by_the_next_process() {
    let (place, cache) = (place(), place_for_cache());
    let task = format!("hold-cached {}", cache.path().display());
    let mut first = TestChild::start(CHILD, &task, place.path());
    let footprint = first.footprint();
    kill(Pid::from_raw(footprint.pid), Signal::SIGKILL).expect("a signal to the server");
    first.kill(Signal::SIGKILL);
    eventually("server and guardian are gone", || {
        [&footprint.data, &footprint.run]
            .into_iter()
            .flat_map(|path| processes_naming(path))
            .collect()
    });
    let mut second = TestChild::start(CHILD, &task, place.path());
    assert_eq!(second.footprint().data, footprint.data);
    second.kill(Signal::SIGINT);
    footprint.assert_gone_soon();
}

fn run_sweep(place: &Path) -> String {
    TestChild::start(CHILD, "sweep", place).expect("swept")
}

#[test]
fn a_sweep_ends_a_server_that_outlived_its_process_and_its_guardian() {
    let place = place();
    let footprint = orphaned(place.path());
    assert!(footprint.left().len() >= 5, "it is alive: {:?}", footprint.left());
    let told = run_sweep(place.path());
    assert!(told.contains(&footprint.run.display().to_string()), "{told}");
    assert_eq!(footprint.left(), Vec::<String>::new());
    assert_eq!(entries(place.path()), Vec::<String>::new());
}

#[test]
fn a_sweep_frees_the_shared_memory_of_a_server_that_was_killed() {
    let place = place();
    let footprint = orphaned(place.path());
    kill(Pid::from_raw(footprint.pid), Signal::SIGKILL).expect("a signal to the server");
    eventually("the server is gone", || processes_naming(&footprint.data));
    let left = footprint.left();
    assert!(left.iter().any(|l| l.contains("SysV")) && left.iter().any(|l| l.contains("/dev/shm")));
    run_sweep(place.path());
    assert_eq!(footprint.left(), Vec::<String>::new());
}

#[test]
fn a_sweep_leaves_what_lives_and_what_is_not_ours() {
    let place = place();
    let mut live = TestChild::start(CHILD, "hold", place.path());
    let footprint = live.footprint();
    let others = place.path().join("pgauntlet-checkout");
    fs::create_dir(&others).unwrap();
    fs::write(others.join("lock"), "somebody else's").unwrap();
    let told = run_sweep(place.path());
    assert!(told.contains("removed: []"), "{told}");
    assert!(others.join("lock").exists());
    assert!(footprint.left().len() >= 5, "it is alive: {:?}", footprint.left());
}

#[tokio::test]
async fn a_server_that_is_dropped_without_a_stop_leaves_nothing() {
    let server = start(None, &silent()).await;
    let footprint = Footprint::of(&*server);
    drop(server);
    tokio::task::spawn_blocking(move || footprint.assert_gone_soon()).await.unwrap();
}

#[tokio::test]
async fn a_stop_with_clients_connected_leaves_nothing_and_does_not_wait_for_them() {
    let server = start(None, &silent()).await;
    let footprint = Footprint::of(&*server);
    let session = Session::open(&server.address(), "test", &Default::default()).await.unwrap();
    session.batch("BEGIN; CREATE TABLE half_done (id int)").await.unwrap();
    let stopping = tokio::time::timeout(Duration::from_secs(10), server.stop());
    stopping.await.expect("a stop within ten seconds").unwrap();
    assert_eq!(footprint.left(), Vec::<String>::new());
}

fn place_for_cache() -> tempfile::TempDir {
    place()
}

/// The entries named `name*` in the slots of a cache.
fn slot_entries(cache: &Path, name: &str) -> Vec<String> {
    let slots = fs::read_dir(cache).unwrap().flatten();
    let within = slots.flat_map(|slot| entries(&slot.path()));
    within.filter(|path| path.rsplit('/').next().unwrap().starts_with(name)).collect()
}
