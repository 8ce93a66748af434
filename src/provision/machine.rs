//! What this machine has: memory, cores, room on disk, and a user that a server may run as.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Uid, User};

use crate::history::MachineFacts;

use super::Error;

/// Users that exist for running a server, or for nothing, in the order of preference.
const UNPRIVILEGED_USERS: &[&str] = &["postgres", "_postgres", "nobody"];

/// What is assumed where the machine does not tell.
const MEMORY_ASSUMED_BYTES: u64 = 4 << 30;

/// Another user as whom a server runs, because we are root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

/// Whom a local server runs as; `None` is ourselves.
pub fn server_account(run_as: Option<&str>) -> Result<Option<Account>, Error> {
    let us = Uid::effective();
    if let Some(name) = run_as {
        let found = user(name).ok_or_else(|| Error::NoSuchUser { user: name.to_owned() })?;
        return match us.as_raw() {
            0 => Ok(Some(found)),
            own if own == found.uid => Ok(None),
            _ => Err(Error::NotRoot { user: name.to_owned() }),
        };
    }
    if !us.is_root() {
        return Ok(None);
    }
    let tried = || Error::NoUnprivilegedUser { tried: UNPRIVILEGED_USERS.join(", ") };
    UNPRIVILEGED_USERS.iter().find_map(|name| user(name)).map(Some).ok_or_else(tried)
}

fn user(name: &str) -> Option<Account> {
    let found = User::from_name(name).ok()??;
    Some(Account { name: found.name, uid: found.uid.as_raw(), gid: found.gid.as_raw() })
}

/// The name of the user of this process.
pub fn own_name() -> String {
    let us = Uid::effective();
    User::from_uid(us).ok().flatten().map_or_else(|| us.to_string(), |user| user.name)
}

/// The user id that a server's files belong to.
pub fn owner_uid(account: Option<&Account>) -> u32 {
    account.map_or_else(|| Uid::effective().as_raw(), |account| account.uid)
}

/// Gives a file or directory of ours to the server's user.
pub fn give(path: &Path, account: Option<&Account>) -> Result<(), Error> {
    let Some(account) = account else { return Ok(()) };
    std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid))
        .map_err(Error::io("give to the server's user", path))
}

pub fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(Error::io("set the mode of", path))
}

/// The first directory above `path`, or `path` itself, that the account may not enter.
///
/// Supplementary groups do not count: a server that is started by root loses them.
pub fn blocked_at(path: &Path, account: Option<&Account>) -> Option<PathBuf> {
    let account = account?;
    let mut above: Vec<&Path> = path.ancestors().collect();
    above.reverse();
    above.into_iter().find(|directory| !may_enter(directory, account)).map(Path::to_owned)
}

fn may_enter(directory: &Path, account: &Account) -> bool {
    // What does not exist yet will be made by us, with a mode that lets the account in.
    let Ok(found) = fs::metadata(directory) else { return true };
    let bit = if found.uid() == account.uid {
        0o100
    } else if found.gid() == account.gid {
        0o010
    } else {
        0o001
    };
    found.mode() & bit != 0
}

/// Runs a command as the server's user, away from our terminal's signals and environment.
pub fn command(program: &Path, account: Option<&Account>) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    // Ctrl-C reaches a terminal's whole foreground group; the server is ended by us, in order.
    command.process_group(0);
    // The caller's directory may be one that the server's user cannot enter.
    command.current_dir("/");
    for (name, _) in std::env::vars_os() {
        // PGPORT, PGDATA, PGOPTIONS and the like are meant for another server.
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C").env("TZ", "UTC");
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Memory that this process may use: the machine's, or its control group's limit.
pub fn memory_bytes() -> u64 {
    let machine = meminfo().or_else(sysctl_memory).unwrap_or(MEMORY_ASSUMED_BYTES);
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limit = limits.iter().filter_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        text.trim().parse::<u64>().ok()
    });
    limit.fold(machine, u64::min)
}

fn meminfo() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

/// macOS has no /proc.
fn sysctl_memory() -> Option<u64> {
    let output = Command::new("sysctl").args(["-n", "hw.memsize"]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// What a result says of the machine.
pub fn facts() -> MachineFacts {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    MachineFacts {
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        processor: model.map_or("", |m| m.trim_start_matches([' ', '\t', ':'])).trim().to_owned(),
        cores: u32::try_from(cores()).unwrap_or(u32::MAX),
        memory_bytes: memory_bytes(),
    }
}

pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Room left for us on the file system of `path`, or of the nearest directory above it.
pub fn free_disk_bytes(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|path| path.exists())?;
    let found = nix::sys::statvfs::statvfs(existing).ok()?;
    Some((found.blocks_available() as u64).saturating_mul(found.fragment_size() as u64))
}

/// Bytes of the files below `path`.
pub fn directory_bytes(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => directory_bytes(&entry.path()),
            Ok(found) => found.blocks().saturating_mul(512),
            Err(_) => 0,
        })
        .sum()
}

/// Whether we own what `path` is, and no other user may have put something there.
pub fn is_ours(path: &Path) -> bool {
    let Ok(found) = fs::symlink_metadata(path) else { return false };
    found.uid() == Uid::effective().as_raw() && found.mode() & 0o022 == 0
}
