//! A server's main process: whether it lives, whether it is ready, and how it is ended.
//!
//! A pid alone proves nothing, because pids are used again: a process is taken for a server only
//! if its command line names the data directory. No other process is ever signalled.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Error;
use super::machine::{self, Account};

/// Longest wait for a fast shutdown, which rolls back and writes a checkpoint.
pub const FAST_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for an immediate shutdown. The server itself kills children that take five
/// seconds, and frees its shared memory after that.
pub const IMMEDIATE_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for the kernel after SIGKILL.
pub const KILL_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a process that ends is looked at.
pub const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Longest wait until a killed server's memory can be freed by another.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);
const RELEASE_RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// Longest wait for the recovery of a killed server's cluster.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(120);

/// Fast, immediate, kill. Never SIGTERM, which waits for clients, and SIGKILL only at the end: it
/// leaves shared memory behind.
pub const ENDING: [(Signal, Duration); 3] = [
    (Signal::SIGINT, FAST_SHUTDOWN_TIMEOUT),
    (Signal::SIGQUIT, IMMEDIATE_SHUTDOWN_TIMEOUT),
    (Signal::SIGKILL, KILL_TIMEOUT),
];

/// The server's process, if one lives on this data directory.
pub fn alive(data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    serves(pid, data).then(|| Pid::from_raw(pid))
}

/// Whether the server says that it accepts sessions: the eighth line of its pid file, if the
/// first is its pid. The file may be one that a killed server left.
pub fn is_ready(data: &Path, pid: Option<u32>) -> bool {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let written = lines.first().and_then(|line| line.parse().ok());
    pid.is_some() && written == pid && lines.get(7) == Some(&"ready")
}

/// A killed server left its pid file, and with it perhaps shared memory.
pub fn was_killed(data: &Path) -> bool {
    data.join("postmaster.pid").exists() && alive(data).is_none()
}

/// Whether the process is a postgres that was started on `data`.
fn serves(pid: i32, data: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    if let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) {
        let mut words = line.split(|byte| *byte == 0);
        let program = words.next().unwrap_or_default();
        return program.ends_with(b"postgres") && words.any(|w| w == data.as_os_str().as_bytes());
    }
    if Path::new("/proc/self").exists() {
        return false;
    }
    let output = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    let printed = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    printed.is_ok_and(|line| line.contains(&format!("postgres -D {} ", data.display())))
}

/// Ends the server on `data`, if one lives. Blocks.
pub fn end(data: &Path) -> Result<(), Error> {
    for (signal, limit) in ENDING {
        let Some(pid) = alive(data) else { return Ok(()) };
        // It may have ended just now; then the wait is over at once.
        let _ = kill(pid, signal);
        wait_gone(data, limit);
    }
    match alive(data) {
        None => Ok(()),
        Some(pid) => {
            Err(Error::WouldNotStop { seconds: KILL_TIMEOUT.as_secs(), pid: pid.as_raw() })
        }
    }
}

fn wait_gone(data: &Path, limit: Duration) {
    let begun = Instant::now();
    while alive(data).is_some() && begun.elapsed() < limit {
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Frees the shared memory that a killed server left. Blocks.
///
/// Removing the data directory does not free it. Postgres itself does, when it starts on that
/// directory again; a single-user server does that and ends at the end of its input. It refuses
/// while the killed server's children still end, and while its pid is not yet reaped.
pub fn release(bin: &Path, data: &Path, account: Option<&Account>) {
    let begun = Instant::now();
    while was_killed(data) && begun.elapsed() < RELEASE_TIMEOUT {
        if !run_single_user(bin, data, account) {
            std::thread::sleep(RELEASE_RETRY_INTERVAL);
        }
    }
}

/// Whether a single-user server started on the directory and ended well.
fn run_single_user(bin: &Path, data: &Path, account: Option<&Account>) -> bool {
    let program = bin.join("postgres");
    let started = machine::command(&program, account)
        .args(["--single", "-D"])
        .arg(data)
        .args(["-c", "log_min_messages=panic", "template1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = started else { return false };
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(None) if begun.elapsed() < RECOVERY_TIMEOUT => std::thread::sleep(POLL_INTERVAL),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
            Ok(Some(status)) => return status.success(),
        }
    }
}
