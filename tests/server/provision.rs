//! One server is like another: what holds for each of the three sources.
//!
//! The server behind the url is a private one that this test started, so nothing is needed but
//! an installed Postgres and a container engine; `ci/setup` installs both.

use std::collections::BTreeMap;
use std::process::Command;

use pgauntlet::clock::Clock;
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{Event, Recorder, silent};
use pgauntlet::observe;
use pgauntlet::provision::{Error, Request, Server, SourceRequest, provision, sweep};
use rstest::rstest;

use crate::common;
use crate::leftovers;
use crate::leftovers::{CHILD_VARIABLE, Footprint, TestChild, eventually, pids_naming, place};

/// Made by ci/setup; any image that keeps the official one's contract will do.
const DEFAULT_IMAGE: &str = "pgauntlet-test-postgres:15";

pub fn image() -> String {
    std::env::var("PGAUNTLET_TEST_IMAGE").unwrap_or_else(|_| DEFAULT_IMAGE.to_owned())
}

async fn source(name: &str) -> SourceRequest {
    match name {
        "local" => SourceRequest::Local { pg_bin: None, major: None },
        "docker" => SourceRequest::Docker { image: Some(image()), major: None },
        _ => SourceRequest::Url(common::server_with(&[]).await.conninfo("postgres")),
    }
}

async fn try_start(source: SourceRequest) -> Result<Box<dyn Server>, Error> {
    provision(&Request { source, cache: None, run_as: None }, &silent()).await
}

async fn start(name: &str) -> Box<dyn Server> {
    match try_start(source(name).await).await {
        Ok(server) => server,
        Err(error) => panic!("failed to {error}\n(ci/setup installs what the tests need)"),
    }
}

async fn session(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.unwrap_or_else(|e| panic!("{e}"))
}

async fn setting(server: &dyn Server, name: &str) -> String {
    let session = session(&server.address()).await;
    let row = session.client().query_one("SELECT current_setting($1)", &[&name]).await;
    row.expect("a setting").get(0)
}

fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[rstest]
#[tokio::test]
async fn a_server_tells_what_it_is_and_takes_databases(
    #[values("local", "docker", "url")] name: &str,
) {
    let server = start(name).await;
    let facts = server.facts();
    assert_eq!(facts.source, name);
    assert!((140_000..200_000).contains(&facts.version_num), "{facts:?}");
    assert!(facts.version.starts_with(&(facts.version_num / 10_000).to_string()), "{facts:?}");
    let here = session(&server.address()).await;
    here.batch("CREATE DATABASE pgauntlet_tried").await.unwrap();
    let there = session(&server.address().with_database("pgauntlet_tried")).await;
    there.batch("CREATE TABLE t (id int); INSERT INTO t VALUES (1)").await.unwrap();
    drop(there);
    here.batch("DROP DATABASE pgauntlet_tried WITH (FORCE)").await.unwrap();
    drop(here);
    server.stop().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_server_runs_with_the_habits_of_production(#[values("local", "docker")] name: &str) {
    let server = start(name).await;
    for habit in ["fsync", "full_page_writes", "autovacuum", "synchronous_commit"] {
        assert_eq!(setting(&*server, habit).await, "on", "{habit}");
        assert!(!server.facts().settings.contains_key(habit), "{habit}");
    }
    assert_eq!(setting(&*server, "log_lock_waits").await, "on");
    assert_eq!(setting(&*server, "deadlock_timeout").await, "1s");
    assert_eq!(server.facts().settings["max_connections"], "200");
    server.stop().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn settings_are_applied_and_taken_back_and_databases_stay(
    #[values("local", "docker")] name: &str,
) {
    let mut server = start(name).await;
    session(&server.address()).await.batch("CREATE DATABASE stays").await.unwrap();
    let wanted = settings(&[("max_locks_per_transaction", "77"), ("Shared_Buffers", "64MB")]);
    server.apply_settings(&wanted).await.unwrap();
    assert_eq!(setting(&*server, "max_locks_per_transaction").await, "77");
    assert_eq!(setting(&*server, "shared_buffers").await, "64MB");
    assert_eq!(server.facts().settings["max_locks_per_transaction"], "77");
    session(&server.address().with_database("stays")).await;
    server.apply_settings(&BTreeMap::new()).await.unwrap();
    assert_eq!(setting(&*server, "max_locks_per_transaction").await, "64");
    assert_ne!(setting(&*server, "shared_buffers").await, "64MB");
    server.stop().await.unwrap();
}

#[rstest]
#[tokio::test]
async fn settings_that_are_in_force_restart_nothing(
    #[values("local", "docker", "url")] name: &str,
) {
    let mut server = start(name).await;
    let wanted = match name {
        "url" => settings(&[("max_connections", "200"), ("deadlock_timeout", "1000")]),
        _ => settings(&[("deadlock_timeout", "2s")]),
    };
    server.apply_settings(&wanted).await.unwrap();
    let held = session(&server.address()).await;
    server.apply_settings(&wanted).await.unwrap();
    held.batch("SELECT 1").await.expect("the session lives on");
    drop(held);
    server.stop().await.unwrap();
}

#[rstest]
#[case("no_such_setting", "on")]
#[case("shared_buffers", "64 apples")]
#[case("shared_buffers", "1000TB")]
#[tokio::test]
async fn settings_that_the_server_refuses_are_told_and_it_runs_on(
    #[values("local", "docker")] name: &str,
    #[case] setting_name: &str,
    #[case] value: &str,
) {
    let mut server = start(name).await;
    let refused = server.apply_settings(&settings(&[(setting_name, value)])).await;
    let told = refused.expect_err("a refusal").to_string();
    assert!(told.contains(&format!("{setting_name} = {value}")), "{told}");
    assert!(told.contains("runs without them again"), "{told}");
    assert_eq!(setting(&*server, "max_connections").await, "200");
    server.apply_settings(&settings(&[("deadlock_timeout", "3s")])).await.unwrap();
    assert_eq!(setting(&*server, "deadlock_timeout").await, "3s");
    server.stop().await.unwrap();
}

/// After a restart as before it.
#[tokio::test]
async fn the_log_of_a_container_says_who_waited_as_a_local_servers_does() {
    let mut server = start("docker").await;
    server.apply_settings(&settings(&[("deadlock_timeout", "50ms")])).await.unwrap();
    let path = server.log_path().expect("a container's log is copied");
    let [holder, waiter] = [session(&server.address()).await, session(&server.address()).await];
    holder.batch("CREATE TABLE t (n int)").await.unwrap();
    waiter.batch("SET lock_timeout = '200ms'").await.unwrap();
    let recorder = Recorder::in_memory(Clock::start());
    let reading = observe::read_log(&server.address(), &recorder, Some(&path)).await;
    holder.batch("BEGIN; LOCK TABLE t").await.unwrap();
    waiter.batch("INSERT INTO t VALUES (1)").await.expect_err("it gives up");
    reading.stop().await;
    let history = recorder.finish().expect("a history");
    let logged = history.entries.iter().find_map(|entry| match &entry.event {
        Event::LoggedWait(wait) => Some((wait.session.pid, wait.holders.clone())),
        _ => None,
    });
    assert_eq!(logged, Some((waiter.pid(), vec![holder.pid()])));
    let not_read = history.entries.iter().find_map(|entry| match &entry.event {
        Event::Log(report) => Some(report.not_read.clone()),
        _ => None,
    });
    assert_eq!(not_read, Some(None));
    drop((holder, waiter));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn somebody_elses_server_is_not_reconfigured_and_the_difference_is_told() {
    let mut server = start("url").await;
    let wanted = settings(&[("deadlock_timeout", "20ms"), ("max_connections", "200")]);
    let told = server.apply_settings(&wanted).await.unwrap_err().to_string();
    assert!(told.contains("deadlock_timeout = 1s instead of 20ms"), "{told}");
    assert!(!told.contains("max_connections"), "{told}");
    assert!(!server.keeps_databases());
}

#[tokio::test]
async fn a_user_who_may_not_create_databases_is_told_what_to_grant() {
    let server = common::server_with(&[]).await;
    session(&server.address).await.batch("CREATE ROLE poor LOGIN").await.unwrap();
    let refused = try_start(SourceRequest::Url(server.conninfo("poor"))).await;
    let told = refused.err().expect("a refusal").to_string();
    assert!(told.contains(r#"ALTER ROLE "poor" CREATEDB"#), "{told}");
}

#[rstest]
#[case("http://example.org/", "postgres://user:password@host:5432/")]
#[case("postgres://postgres@127.0.0.1:1/", "see that it runs there")]
#[tokio::test]
async fn an_address_that_is_none_or_does_not_answer_is_told(#[case] url: &str, #[case] part: &str) {
    let told = try_start(SourceRequest::Url(url.to_owned())).await.err().expect("a refusal");
    assert!(told.to_string().contains(part), "{told}");
}

#[tokio::test]
async fn an_image_that_is_not_there_is_told_with_the_way_out() {
    let image = Some("pgauntlet.invalid/no-such-image:1".to_owned());
    let refused = try_start(SourceRequest::Docker { image, major: None }).await;
    let told = refused.err().expect("a refusal").to_string();
    for part in ["pgauntlet.invalid/no-such-image:1", "docker image ls", "--image"] {
        assert!(told.contains(part), "{part} is not in: {told}");
    }
}

#[tokio::test]
async fn an_image_of_another_major_than_the_asked_is_refused_and_removed() {
    let source = SourceRequest::Docker { image: Some(image()), major: Some(14) };
    let told = try_start(source).await.err().expect("a refusal").to_string();
    assert!(told.contains("not the asked 14"), "{told}");
}

#[tokio::test]
async fn a_local_stop_leaves_nothing() {
    let server = start("local").await;
    let footprint = Footprint::of(&*server);
    server.stop().await.unwrap();
    assert_eq!(footprint.left(), Vec::<String>::new());
}

/// Containers with our label that belong to a place, and their volumes.
fn containers_of(place: &str) -> Vec<String> {
    let output = Command::new("docker")
        .args(["ps", "--all", "--no-trunc", "--format", "{{.Names}}"])
        .args(["--filter", "label=io.pgauntlet.run"])
        .output()
        .expect("a docker command; ci/setup installs one");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    let run = |name: &str| {
        let format = "{{index .Config.Labels \"io.pgauntlet.run\"}}";
        let output = Command::new("docker").args(["inspect", "-f", format, name]).output();
        output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default()
    };
    names.lines().filter(|name| run(name).starts_with(place)).map(str::to_owned).collect()
}

/// The test that a child runs.
const CHILD: &str = "provision::a_child_of_another_test_holds_a_container";

#[tokio::test]
async fn a_child_of_another_test_holds_a_container() {
    let Ok(task) = std::env::var(CHILD_VARIABLE) else { return };
    match task.as_str() {
        "hold" => {
            let server = start("docker").await;
            println!("serving: {}", server.address().place());
            std::future::pending::<()>().await;
        }
        "stop" => {
            start("docker").await.stop().await.unwrap();
            println!("stopped: ");
        }
        _ => println!("swept: {:?}", sweep().await),
    }
}

#[test]
fn a_stop_of_a_container_leaves_nothing() {
    let place = place();
    let mut child = TestChild::start(CHILD, "stop", place.path());
    child.expect("stopped");
    assert_eq!(containers_of(place.path().to_str().unwrap()), Vec::<String>::new());
    assert_eq!(leftovers::entries(place.path()), Vec::<String>::new());
}

#[test]
fn a_kill_of_our_process_removes_its_container() {
    let place = place();
    let mut child = TestChild::start(CHILD, "hold", place.path());
    let port = child.expect("serving");
    let listening = Command::new("docker").args(["ps", "--format", "{{.Ports}}"]).output();
    let listening = String::from_utf8_lossy(&listening.unwrap().stdout).into_owned();
    assert!(listening.contains(&format!("{port}->5432/tcp")), "{listening}");
    assert!(!listening.contains("0.0.0.0"), "published on loopback only: {listening}");
    child.kill(nix::sys::signal::Signal::SIGKILL);
    eventually("no container and no directory", || {
        let mut left = containers_of(place.path().to_str().unwrap());
        left.extend(leftovers::entries(place.path()));
        left
    });
}

#[test]
fn a_sweep_removes_the_container_of_a_process_that_was_killed_with_its_guardian() {
    let place = place();
    let mut live = TestChild::start(CHILD, "hold", place.path());
    live.expect("serving");
    let containers = || containers_of(place.path().to_str().unwrap());
    let lives = containers();
    let mut child = TestChild::start(CHILD, "hold", place.path());
    child.expect("serving");
    assert_eq!(containers().len(), 2);
    for (pid, line) in pids_naming(place.path()) {
        if line.contains("/guardian") && !line.contains(&lives[0]) {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL)
                .expect("a signal to the guardian");
        }
    }
    child.kill(nix::sys::signal::Signal::SIGKILL);
    TestChild::start(CHILD, "sweep", place.path()).expect("swept");
    // Another test's start sweeps the same engine: it may be the one that is removing it, and
    // then ours is told that the removal is under way.
    eventually("only the container of the process that lives", || {
        containers().into_iter().filter(|name| !lives.contains(name)).collect()
    });
    assert_eq!(containers(), lives);
}
