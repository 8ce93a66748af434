//! What a server leaves on a machine, and children of a test that hold servers and are killed.
//!
//! Each server's own traces are looked for, by its data directory, its shared memory's ids and
//! its port, because other servers may come and go on the same machine meanwhile.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgauntlet::provision::Server;

/// Longest wait for what must happen soon after a process's end.
pub const SOON: Duration = Duration::from_secs(15);
/// Longest wait for a child that makes a cluster.
const CHILD_START_TIMEOUT: Duration = Duration::from_secs(60);

/// The traces of one local server.
#[derive(Clone, Debug)]
pub struct Footprint {
    pub data: PathBuf,
    pub run: PathBuf,
    pub pid: i32,
    /// The server's data directory goes with it.
    pub private: bool,
    sysv_id: String,
    posix_shared_memory: Vec<PathBuf>,
    port: u16,
}

impl Footprint {
    pub fn of(server: &dyn Server) -> Footprint {
        let data = server.data_directory().expect("a local server's data");
        let log = server.log_path().expect("a local server's log");
        Footprint::read(&data, log.parent().expect("a run directory"))
    }

    pub fn read(data: &Path, run: &Path) -> Footprint {
        let text = fs::read_to_string(data.join("postmaster.pid")).expect("a pid file");
        let lines: Vec<&str> = text.lines().collect();
        let pid = lines[0].trim().parse().expect("a pid");
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the server's memory");
        let mut shared: Vec<PathBuf> = maps
            .lines()
            .filter_map(|line| line.split_whitespace().nth(5))
            .filter(|path| path.starts_with("/dev/shm/PostgreSQL."))
            .map(PathBuf::from)
            .collect();
        shared.dedup();
        assert!(!shared.is_empty(), "a server has a segment in /dev/shm");
        let sysv_id = lines[6].split_whitespace().nth(1).expect("a segment's id").to_owned();
        let footprint = Footprint {
            data: data.to_owned(),
            run: run.to_owned(),
            pid,
            private: data.starts_with(run),
            sysv_id,
            posix_shared_memory: shared,
            port: lines[3].trim().parse().expect("a port"),
        };
        assert!(footprint.left().len() >= 5, "all traces are seen: {:?}", footprint.left());
        footprint
    }

    /// What is still there.
    pub fn left(&self) -> Vec<String> {
        let mut left = processes_naming(&self.data);
        left.extend(processes_naming(&self.run));
        let mut directories = vec![&self.run];
        directories.extend(self.private.then_some(&self.data));
        directories.extend(&self.posix_shared_memory);
        left.extend(directories.iter().filter(|p| p.exists()).map(|p| p.display().to_string()));
        if sysv_segments().contains(&self.sysv_id) {
            left.push(format!("SysV segment {}", self.sysv_id));
        }
        if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            left.push(format!("port {}", self.port));
        }
        left
    }

    pub fn assert_gone_soon(&self) {
        eventually("nothing is left", || self.left());
    }
}

/// Waits until the list is empty.
pub fn eventually(what: &str, mut left: impl FnMut() -> Vec<String>) {
    let begun = Instant::now();
    loop {
        let now = left();
        if now.is_empty() {
            return;
        }
        assert!(begun.elapsed() < SOON, "{what}: after {SOON:?} there is still {now:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The command lines in which the path, or one below it, is a word.
pub fn processes_naming(path: &Path) -> Vec<String> {
    pids_naming(path).into_iter().map(|(_, line)| line).collect()
}

pub fn pids_naming(path: &Path) -> Vec<(i32, String)> {
    let path = path.display().to_string();
    let entries = fs::read_dir("/proc").expect("a list of processes").flatten();
    let mut found = Vec::new();
    for entry in entries {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.split(' ').any(|word| word == path || word.starts_with(&format!("{path}/"))) {
            found.push((pid, line));
        }
    }
    found
}

/// The second column of the list of shared memory segments is their id.
fn sysv_segments() -> Vec<String> {
    let text = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    text.lines().skip(1).filter_map(|l| l.split_whitespace().nth(1)).map(str::to_owned).collect()
}

/// A directory for run directories, short and open to the server's user.
pub fn place() -> tempfile::TempDir {
    let place = tempfile::Builder::new().prefix("pgt").tempdir_in("/tmp").expect("a directory");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("an open mode");
    place
}

/// What is in a directory, hidden entries included.
pub fn entries(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory").flatten();
    entries.map(|entry| entry.path().display().to_string()).collect()
}

/// Tells a test that it is a child, and what to do.
pub const CHILD_VARIABLE: &str = "PGAUNTLET_TEST_CHILD";

/// This test executable, run again for one test only.
pub struct TestChild {
    pub process: Child,
    lines: Receiver<String>,
}

impl TestChild {
    /// Runs `test` in a process and a process group of its own, with `place` for its directories.
    pub fn start(test: &str, task: &str, place: &Path) -> TestChild {
        // Whoever runs the tests in the background, or under nohup, ignores signals, and a child
        // would inherit that.
        let mut command = Command::new("env");
        command.arg("--default-signal=HUP,INT,QUIT");
        command.arg(std::env::current_exe().expect("this executable"));
        TestChild::start_by(command, test, task, place)
    }

    /// The same by a command that was prepared otherwise.
    pub fn start_by(mut command: Command, test: &str, task: &str, place: &Path) -> TestChild {
        let mut process = command
            .args(["--exact", test, "--nocapture", "--test-threads", "1"])
            .env(CHILD_VARIABLE, task)
            .env("TMPDIR", place)
            .current_dir("/")
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let stdout = process.stdout.take().expect("its output");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
        });
        TestChild { process, lines }
    }

    /// Waits for a line that begins with `word`; gives the rest of it.
    pub fn expect(&mut self, word: &str) -> String {
        let deadline = Instant::now() + CHILD_START_TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|error| {
                panic!("the child did not say {word:?} within {CHILD_START_TIMEOUT:?}: {error}")
            });
            // The test harness writes the test's name without an end of line before it.
            if let Some((_, rest)) = line.split_once(&format!("{word}:")) {
                return rest.trim().to_owned();
            }
        }
    }

    /// The server that the child holds.
    pub fn footprint(&mut self) -> Footprint {
        let told = self.expect("serving");
        let (data, run) = told.split_once(' ').expect("two directories");
        Footprint::read(Path::new(data), Path::new(run))
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).expect("a pid"))
    }

    pub fn kill(&mut self, signal: Signal) {
        kill(self.pid(), signal).expect("a signal to the child");
        self.assert_ends_soon();
    }

    pub fn assert_ends_soon(&mut self) {
        eventually("the child's end", || match self.process.try_wait().expect("a child") {
            Some(_) => Vec::new(),
            None => vec![format!("process {}", self.process.id())],
        });
    }
}

impl Drop for TestChild {
    fn drop(&mut self) {
        // After a failed assertion, the child must not outlive the test.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
