//! Private servers: every major, the cache, whom they run as, and who may not get in.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use nix::unistd::{Uid, User};
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{Listener, silent};
use pgauntlet::provision::{
    Error, Request, Server, SourceRequest, clean_cache, doctor, list_cache, provision,
};
use rstest::rstest;

use crate::leftovers;
use crate::leftovers::{CHILD_VARIABLE, Footprint, TestChild, place};

/// Where ci/setup puts further majors.
const CI_DIRECTORY: &str = "/var/lib/pgauntlet-ci";

fn local(major: Option<u32>, cache: Option<&Path>) -> Request {
    let source = SourceRequest::Local { pg_bin: None, major };
    Request { source, cache: cache.map(Path::to_owned), run_as: None }
}

async fn start(request: &Request) -> Box<dyn Server> {
    let started = provision(request, &silent()).await;
    started.unwrap_or_else(|e| panic!("failed to {e}\n(ci/setup installs what the tests need)"))
}

async fn session(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.unwrap_or_else(|e| panic!("{e}"))
}

async fn databases(server: &dyn Server) -> Vec<String> {
    let session = session(&server.address()).await;
    let sql = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1";
    session.client().query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[rstest]
#[tokio::test]
async fn every_supported_major_starts_and_leaves_nothing(#[values(14, 15, 16, 17, 18)] major: u32) {
    let base = std::env::var("PGAUNTLET_CI_DIR").unwrap_or_else(|_| CI_DIRECTORY.to_owned());
    let bin = PathBuf::from(format!("{base}/pg/{major}/native/bin"));
    // Debian's own server is found without being named.
    let pg_bin = bin.exists().then_some(bin);
    let source = SourceRequest::Local { pg_bin, major: Some(major) };
    let server = start(&Request { source, cache: None, run_as: None }).await;
    assert_eq!(server.facts().version_num / 10_000, major);
    let footprint = Footprint::of(&*server);
    server.stop().await.unwrap();
    assert_eq!(footprint.left(), Vec::<String>::new());
}

#[tokio::test]
async fn databases_in_the_cache_outlive_the_process_and_copies_of_trials_do_not() {
    let cache = place();
    let request = local(None, Some(cache.path()));
    let server = start(&request).await;
    assert!(server.keeps_databases());
    let here = session(&server.address()).await;
    here.batch("CREATE DATABASE seeded").await.unwrap();
    here.batch("CREATE DATABASE pgauntlet_trial_1").await.unwrap();
    drop(here);
    server.stop().await.unwrap();

    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = Arc::clone(&heard);
    let listener: Listener = Arc::new(move |p| sink.lock().unwrap().push(format!("{p:?}")));
    let server = provision(&request, &listener).await.unwrap();
    assert_eq!(databases(&*server).await, ["postgres", "seeded"]);
    assert!(!heard.lock().unwrap().iter().any(|line| line.contains("making")), "{heard:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn half_a_cluster_is_never_taken_for_a_whole_one() {
    let cache = place();
    let request = local(None, Some(cache.path()));
    start(&request).await.stop().await.unwrap();
    let slot = list_cache(cache.path()).remove(0).path;
    let (data, new) = (slot.join("data"), slot.join("data.new"));
    // As a process leaves it that is killed in initdb.
    fs::rename(&data, &new).unwrap();
    fs::remove_file(new.join("global/pg_control")).unwrap();
    let server = start(&request).await;
    assert_eq!(server.data_directory().unwrap(), data);
    assert!(!new.exists());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_other_options_is_made_anew() {
    let cache = place();
    let request = local(None, Some(cache.path()));
    let server = start(&request).await;
    session(&server.address()).await.batch("CREATE DATABASE seeded").await.unwrap();
    server.stop().await.unwrap();
    let slot = list_cache(cache.path()).remove(0).path;
    let description = slot.join("cluster.json");
    let text = fs::read_to_string(&description).unwrap();
    fs::write(&description, text.replace("\"options\":1", "\"options\":0")).unwrap();
    let server = start(&request).await;
    assert_eq!(databases(&*server).await, ["postgres"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_cache_is_listed_and_emptied_but_for_what_is_in_use() {
    let cache = place();
    let request = local(None, Some(cache.path()));
    let (first, second) = (start(&request).await, start(&request).await);
    first.stop().await.unwrap();
    fs::write(cache.path().join("notes.txt"), "somebody else's").unwrap();
    let listed: Vec<bool> = list_cache(cache.path()).iter().map(|c| c.in_use).collect();
    assert_eq!(listed, [false, true]);
    let cleaned = clean_cache(cache.path()).unwrap();
    assert_eq!((cleaned.removed.len(), cleaned.in_use.len()), (1, 1));
    assert!(cleaned.removed[0].bytes > 10_000_000, "{cleaned:?}");
    session(&second.address()).await;
    second.stop().await.unwrap();
    assert_eq!(clean_cache(cache.path()).unwrap().removed.len(), 1);
    assert_eq!(leftovers::entries(cache.path()).len(), 1);
}

#[tokio::test]
async fn other_users_of_the_machine_do_not_get_in() {
    let server = start(&local(None, None)).await;
    let run = server.log_path().unwrap().parent().unwrap().to_owned();
    let mode = fs::metadata(run.join("socket")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let tcp = server.tcp_address().unwrap();
    session(&tcp).await;
    let place = tcp.place();
    let (host, port) = place.rsplit_once(':').unwrap();
    let guess = Address::tcp(host, port.parse().unwrap(), "postgres", Some("postgres"));
    let refused = Session::open(&guess, "test", &BTreeMap::new()).await;
    let told = refused.err().expect("a refusal").to_string();
    assert!(told.contains("password authentication failed"), "{told}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_never_runs_as_root() {
    let server = start(&local(None, None)).await;
    let pid = Footprint::of(&*server).pid;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    let uid: u32 = uid.split_whitespace().next().unwrap().parse().unwrap();
    assert_ne!(uid, 0);
    server.stop().await.unwrap();
}

/// The test that a child runs.
const CHILD: &str = "provision_local::a_child_of_another_test_starts_and_stops";

#[tokio::test]
async fn a_child_of_another_test_starts_and_stops() {
    let Ok(cache) = std::env::var(CHILD_VARIABLE) else { return };
    let server = start(&local(None, Some(Path::new(&cache)))).await;
    let facts = server.facts();
    let footprint = Footprint::of(&*server);
    server.stop().await.unwrap();
    println!("ran: as {} {} {:?}", Uid::effective(), facts.source, footprint.left());
}

#[test]
fn an_ordinary_user_needs_nothing_more() {
    let (place, cache) = (place(), place());
    let user = if Uid::effective().is_root() { "nobody" } else { "" };
    let mut child = match User::from_name(user).unwrap() {
        Some(user) => {
            // What is built may be where only root can enter. The copy is made by a process of its
            // own: a file that this one has open for writing is inherited by every child that
            // another test starts meanwhile, and cannot be run until that child runs its program.
            let exe = place.path().join("test");
            let built = std::env::current_exe().unwrap();
            assert!(Command::new("cp").args([&built, &exe]).status().unwrap().success());
            for path in [place.path(), cache.path()] {
                nix::unistd::chown(path, Some(user.uid), Some(user.gid)).unwrap();
            }
            let mut command = Command::new(exe);
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
            TestChild::start_by(command, CHILD, cache.path().to_str().unwrap(), place.path())
        }
        None => TestChild::start(CHILD, cache.path().to_str().unwrap(), place.path()),
    };
    let told = child.expect("ran");
    assert!(told.ends_with("local []"), "{told}");
    assert!(!told.starts_with("as 0 "), "{told}");
    assert_eq!(leftovers::entries(cache.path()).len(), 1);
}

#[tokio::test]
async fn root_is_told_when_nobody_may_run_the_server_or_enter_the_cache() {
    if !Uid::effective().is_root() {
        return;
    }
    let request = Request { run_as: Some("no-such-user".to_owned()), ..local(None, None) };
    let told = refused(&request).await;
    assert!(told.contains("\"no-such-user\"") && told.contains("--run-as"), "{told}");
    let closed = place();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let told = refused(&local(None, Some(&closed.path().join("cache")))).await;
    let remedy = format!("chmod o+x {}", closed.path().display());
    assert!(told.contains(&remedy), "{told}");
}

async fn refused(request: &Request) -> String {
    provision(request, &silent()).await.err().expect("a refusal").to_string()
}

#[tokio::test]
async fn nothing_found_names_what_was_looked_at() {
    let source = SourceRequest::Local { pg_bin: Some("/no/such/place".into()), major: Some(18) };
    let told = refused(&Request { source, cache: None, run_as: None }).await;
    assert!(told.contains("--pg-bin: /no/such/place: holds no program"), "{told}");
    let told = refused(&local(Some(13), None)).await;
    assert!(told.contains("14 or later"), "{told}");
    let told = refused(&local(Some(99), None)).await;
    assert!(told.contains("/usr/lib/postgresql/*/bin: ") && told.contains("PATH: "), "{told}");
}

#[tokio::test]
async fn the_doctor_tells_what_would_be_used() {
    let cache = place();
    let report = doctor(&local(None, Some(cache.path()))).await;
    let chosen = report.chosen.expect("an installed server");
    assert!((14..=18).contains(&chosen.major));
    assert!(report.places.iter().any(|place| place.name == "/usr/lib/postgresql/*/bin"));
    assert_eq!(report.cache.as_deref(), Some(cache.path()));
    assert!(report.cores > 0 && report.memory_bytes > 1 << 28);
    assert!(report.cache_free_bytes.unwrap() > 0);
    assert_ne!(report.server_user.unwrap(), "root");
    // Looking makes nothing.
    assert_eq!(leftovers::entries(cache.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_standby_is_refused() {
    let cache = place();
    let request = local(None, Some(cache.path()));
    let server = start(&request).await;
    let data = server.data_directory().unwrap();
    server.stop().await.unwrap();
    fs::write(data.join("standby.signal"), "").unwrap();
    let standby = Standby::start(&data, cache.path()).await;
    let told = match provision(&standby.request(), &silent()).await {
        Err(error @ Error::InRecovery { .. }) => error.to_string(),
        Err(error) => panic!("another refusal: {error}"),
        Ok(_) => panic!("a standby was taken"),
    };
    assert!(told.contains("standby in recovery"), "{told}");
}

/// A server in recovery, ended with the value.
struct Standby {
    process: std::process::Child,
    socket: PathBuf,
}

impl Standby {
    async fn start(data: &Path, socket: &Path) -> Standby {
        use std::os::unix::fs::MetadataExt;
        let owner = fs::metadata(data).unwrap();
        let chosen = doctor(&local(None, None)).await.chosen.expect("an installed server");
        nix::unistd::chown(socket, Some(owner.uid().into()), None).unwrap();
        let log = fs::File::create(socket.join("standby.log")).unwrap();
        let mut command = Command::new(chosen.bin.join("postgres"));
        command.arg("-D").arg(data).current_dir("/").stderr(log);
        // A standby must have room for as many sessions as the server that wrote its WAL.
        command.args(["-c", "listen_addresses=", "-c", "port=5432", "-c", "max_connections=500"]);
        command.arg("-c").arg(format!("unix_socket_directories={}", socket.display()));
        if Uid::effective().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let process = command.spawn().unwrap();
        let standby = Standby { process, socket: socket.to_owned() };
        leftovers::eventually("the standby takes sessions", || {
            let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            let ready = text.lines().nth(7).is_some_and(|line| line.trim() == "ready");
            if ready { Vec::new() } else { vec![text] }
        });
        standby
    }

    fn request(&self) -> Request {
        let socket = self.socket.display();
        let url = format!("host={socket} user=postgres dbname=postgres sslmode=disable");
        Request { source: SourceRequest::Url(url), cache: None, run_as: None }
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.process.id()).unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::SIGINT);
        let _ = self.process.wait();
    }
}
