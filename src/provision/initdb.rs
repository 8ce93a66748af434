//! initdb: run to its end, ended in order, and what a killed one left is freed.
//!
//! Only initdb itself gets a signal. It then lets the server that it runs come to its end, which
//! frees that server's shared memory, and removes what it made. A server in bootstrap mode dies
//! of a signal at once and leaves a System V segment and files in /dev/shm that no later start
//! finds: their key is the inode of a directory that is gone.

use std::fs;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;

use super::Error;
use super::installation::Installation;
use super::machine::{self, Account};
use super::postmaster::POLL_INTERVAL;

/// The role that every cluster of ours begins with.
pub const SUPERUSER: &str = "postgres";

/// Longest wait for initdb; it takes a second.
const TIMEOUT: Duration = Duration::from_secs(120);
/// From SIGTERM until SIGKILL: what the server of initdb has begun takes a second or two.
const TERM_GRACE: Duration = Duration::from_secs(30);
/// Longest wait for the kernel after SIGKILL.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// A running initdb. Dropped, it gets SIGTERM; the guardian waits for its end.
struct Running(Child);

impl Running {
    fn signal(&self, signal: Signal) {
        // Not reaped yet, so the pid is still this child's.
        if let Some(pid) = self.0.id().and_then(|id| i32::try_from(id).ok()) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
    }
}

/// Makes a cluster in an empty directory.
pub async fn run(
    installation: &Installation,
    data: &Path,
    account: Option<&Account>,
) -> Result<(), Error> {
    let program = installation.bin.join("initdb");
    // A pipe would break when we are gone, and end initdb out of order.
    let mut printed = tempfile::tempfile().map_err(Error::io("make a file in", "TMPDIR"))?;
    let share = || printed.try_clone().map(Stdio::from);
    let (output, errors) = share()
        .and_then(|output| Ok((output, share()?)))
        .map_err(Error::io("share a file in", "TMPDIR"))?;
    let mut command = tokio::process::Command::from(machine::command(&program, account));
    command
        .arg("-D")
        .arg(data)
        .args(["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"])
        .args(["--locale", "C", "--no-sync", "--no-instructions"])
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    let spawned = command.spawn();
    let spawned = spawned.map_err(|source| Error::Spawn { program: program.clone(), source })?;
    let mut running = Running(spawned);
    let Ok(ended) = tokio::time::timeout(TIMEOUT, running.0.wait()).await else {
        running.signal(Signal::SIGTERM);
        if tokio::time::timeout(TERM_GRACE, running.0.wait()).await.is_err() {
            running.signal(Signal::SIGKILL);
        }
        return Err(Error::InitdbTimeout { program, seconds: TIMEOUT.as_secs() });
    };
    let status = ended.map_err(|source| Error::Spawn { program: program.clone(), source })?;
    if status.success() {
        return Ok(());
    }
    let mut output = Vec::new();
    // What cannot be read is not shown; that initdb failed is.
    let _ = printed.rewind().and_then(|()| printed.read_to_end(&mut output));
    Err(Error::Initdb { program, output: String::from_utf8_lossy(&output).trim().to_owned() })
}

/// Ends what still works in a half-made cluster, frees its memory and removes it. Blocks.
pub fn clear(bin: &Path, new_data: &Path, account: Option<&Account>) -> Result<(), Error> {
    if !new_data.exists() {
        return Ok(());
    }
    end(new_data);
    if new_data.join("postmaster.pid").exists() && Workers::on(new_data).is_empty() {
        free(bin, new_data, account);
    }
    match fs::remove_dir_all(new_data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", new_data)(error))
        }
        _ => Ok(()),
    }
}

fn end(new_data: &Path) {
    for (signal, limit) in [(Signal::SIGTERM, TERM_GRACE), (Signal::SIGKILL, KILL_TIMEOUT)] {
        let workers = Workers::on(new_data);
        if workers.is_empty() {
            return;
        }
        for pid in workers.initdb {
            // It may have ended just now; then the wait is over at once.
            let _ = kill(pid, signal);
        }
        let begun = Instant::now();
        while !Workers::on(new_data).is_empty() && begun.elapsed() < limit {
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

/// Frees the memory of a killed server of initdb. A cluster that is half made cannot be started,
/// but a server that only checks that it could start takes over the old one's memory and frees it
/// with its own.
fn free(bin: &Path, new_data: &Path, account: Option<&Account>) {
    // No process works here; a pid that is not yet reaped would be taken for one that does.
    let _ = fs::remove_file(new_data.join("postmaster.pid"));
    // The second is the first's name before 15.
    for check in [["--check", "-F"], ["--boot", "-x0"]] {
        let ran = machine::command(&bin.join("postgres"), account)
            .args(check)
            .arg("-D")
            .arg(new_data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if ran.is_ok_and(|status| status.success()) {
            return;
        }
    }
}

/// The processes that work on a cluster that is being made.
#[derive(Default)]
struct Workers {
    initdb: Vec<Pid>,
    /// Their current directory is the cluster; their command line does not name it.
    servers: Vec<Pid>,
}

impl Workers {
    fn is_empty(&self) -> bool {
        self.initdb.is_empty() && self.servers.is_empty()
    }

    /// Without /proc only initdb itself can be found.
    fn on(new_data: &Path) -> Workers {
        let mut workers = Workers::default();
        let Ok(entries) = fs::read_dir("/proc") else { return Workers::by_ps(new_data) };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Ok(pid) = name.to_string_lossy().parse::<i32>() else { continue };
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0);
            let program = words.next().unwrap_or_default();
            if program.ends_with(b"initdb") && words.any(|word| is_path(word, new_data)) {
                workers.initdb.push(Pid::from_raw(pid));
            } else if program.ends_with(b"postgres")
                && fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == new_data)
            {
                workers.servers.push(Pid::from_raw(pid));
            }
        }
        workers
    }

    fn by_ps(new_data: &Path) -> Workers {
        let listed = std::process::Command::new("ps").args(["-A", "-o", "pid=,command="]).output();
        let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let ours = format!("/initdb -D {} ", new_data.display());
        let listed = listed.unwrap_or_default();
        let lines = listed.lines().filter(|line| line.contains(&ours));
        let pids = lines.filter_map(|line| line.split_whitespace().next()?.parse().ok());
        Workers { initdb: pids.map(Pid::from_raw).collect(), servers: Vec::new() }
    }
}

fn is_path(word: &[u8], path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    word == path.as_os_str().as_bytes()
}
