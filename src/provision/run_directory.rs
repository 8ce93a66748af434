//! The private directory of one running server: socket, log, lock, and who owns what.
//!
//! Its lock is held by our process and by the guardian, so that any process can prove a directory
//! stale: its holder is alone with it. A directory without our lock file, whatever
//! its name, is never touched.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use super::machine::{self, Account};

const PREFIX: &str = "pgauntlet-";
/// A directory is made under this name and gets its own once it is locked.
const UNFINISHED_PREFIX: &str = ".pgauntlet-new-";
/// First line of a lock file of ours; a directory is removed only if it holds one.
const LOCK_MARK: &str = "locked while a pgauntlet server runs here\n";
/// A unix socket's path holds 104 bytes on macOS and 108 on Linux, the name included.
const SOCKET_PATH_BYTES_MAX: usize = 99;

const LOCK: &str = "lock";
const OWNER: &str = "owner.json";
const SOCKET: &str = "socket";
const LOG: &str = "server.log";
const DATA: &str = "data";
const NEW_DATA: &str = "data.new";
const STANDBY: &str = "standby";
const STANDBY_LOG: &str = "standby.log";

/// What a sweep must know to end what a killed process left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The process that made the directory, for people.
    pub pid: u32,
    /// The cluster that its server runs on.
    pub data: PathBuf,
    pub bin: PathBuf,
    pub run_as: Option<String>,
}

/// A locked directory of a process that lives.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    lock: File,
}

/// Where run directories may be, the first that suits is taken.
pub fn candidates() -> Vec<PathBuf> {
    let mut all = vec![std::env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|path| seen.insert(path.clone()));
    all
}

impl RunDirectory {
    /// Makes and locks a directory that the server's user may enter.
    pub fn create(account: Option<&Account>) -> Result<RunDirectory, Error> {
        let mut why = Vec::new();
        for base in candidates() {
            match unsuitable(&base, account) {
                Some(reason) => why.push(format!("{}: {reason}", base.display())),
                None => match RunDirectory::create_in(&base, account) {
                    Ok(made) => return Ok(made),
                    Err(error) => why.push(error.to_string()),
                },
            }
        }
        Err(Error::NoRunDirectory { why: why.join("; ") })
    }

    fn create_in(base: &Path, account: Option<&Account>) -> Result<RunDirectory, Error> {
        let made = tempfile::Builder::new()
            .prefix(UNFINISHED_PREFIX)
            .tempdir_in(base)
            .map_err(Error::io("make a directory in", base))?;
        let unfinished = made.path().to_owned();
        // Others may pass through, not list: the server's user must reach what is its own.
        machine::set_mode(&unfinished, if account.is_some() { 0o711 } else { 0o700 })?;
        let lock_path = unfinished.join(LOCK);
        let mut lock = File::create_new(&lock_path).map_err(Error::io("make", &lock_path))?;
        lock.write_all(LOCK_MARK.as_bytes()).map_err(Error::io("write", &lock_path))?;
        lock.lock().map_err(Error::io("lock", &lock_path))?;
        let socket = unfinished.join(SOCKET);
        fs::create_dir(&socket).map_err(Error::io("make", &socket))?;
        machine::set_mode(&socket, 0o700)?;
        machine::give(&socket, account)?;
        let name = unfinished.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = base.join(name.replacen(UNFINISHED_PREFIX, PREFIX, 1));
        // From here on it may be swept, but not while we hold its lock.
        fs::rename(&unfinished, &path).map_err(Error::io("rename to", &path))?;
        // Dropping `made` removes only what still has the unfinished name: nothing.
        let _ = made.keep();
        Ok(RunDirectory { path, lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `pgauntlet-XXXXXX`: unique among what lives on this machine.
    #[cfg(feature = "docker")]
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub fn lock(&self) -> &File {
        &self.lock
    }

    pub fn socket_directory(&self) -> PathBuf {
        self.path.join(SOCKET)
    }

    pub fn log_path(&self) -> PathBuf {
        self.path.join(LOG)
    }

    /// Where a cluster that is not kept has its data.
    pub fn private_data(&self) -> PathBuf {
        self.path.join(DATA)
    }

    pub fn private_new_data(&self) -> PathBuf {
        self.path.join(NEW_DATA)
    }

    /// Where the standby of the server has its data.
    pub fn standby_data(&self) -> PathBuf {
        self.path.join(STANDBY)
    }

    pub fn standby_log(&self) -> PathBuf {
        self.path.join(STANDBY_LOG)
    }

    /// Says what runs here, before it runs.
    pub fn write_owner(&self, owner: &Owner) -> Result<(), Error> {
        let path = self.path.join(OWNER);
        let text = serde_json::to_string(owner)
            .map_err(|error| Error::io("write", &path)(error.into()))?;
        fs::write(&path, text).map_err(Error::io("write", &path))
    }

    /// Removes the directory and all that is in it; the lock goes last.
    pub fn remove(self) -> Result<(), Error> {
        remove_locked(&self.path)
    }
}

/// A directory whose process is gone. Holds the lock, so no other process sweeps it.
#[derive(Debug)]
pub struct Stale {
    pub path: PathBuf,
    pub owner: Option<Owner>,
    _lock: File,
}

impl Stale {
    /// The private data of its server, whether or not it is there.
    pub fn private_data(&self) -> PathBuf {
        self.path.join(DATA)
    }

    /// The data of its standby, whether or not it is there.
    pub fn standby_data(&self) -> PathBuf {
        self.path.join(STANDBY)
    }

    pub fn remove(self) -> Result<(), Error> {
        remove_locked(&self.path)
    }
}

/// The stale run directories in all places where they may be; each is locked by us.
pub fn stale() -> Vec<Stale> {
    let entries = candidates().into_iter().filter_map(|base| fs::read_dir(base).ok()).flatten();
    entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(PREFIX) || name.starts_with(UNFINISHED_PREFIX)
        })
        .filter_map(|entry| take_stale(&entry.path()))
        .collect()
}

/// Whether a live process may hold the directory, so that what bears its name is left alone.
#[cfg(feature = "docker")]
pub fn may_be_live(path: &Path) -> bool {
    match File::open(path.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_err(),
        // Another user's directory cannot be looked into.
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

fn take_stale(path: &Path) -> Option<Stale> {
    // Another user's directory may say anything about which program is to be run.
    if !machine::is_ours(path) {
        return None;
    }
    let lock_path = path.join(LOCK);
    let mut lock = File::open(&lock_path).ok()?;
    lock.try_lock().ok()?;
    // Another sweep may have removed the file between our opening and our locking it.
    let (locked, named) = (lock.metadata().ok()?, fs::metadata(&lock_path).ok()?);
    if (locked.dev(), locked.ino()) != (named.dev(), named.ino()) {
        return None;
    }
    let mut mark = String::new();
    lock.read_to_string(&mut mark).ok()?;
    if !mark.starts_with(LOCK_MARK) {
        return None;
    }
    let owner = fs::read_to_string(path.join(OWNER)).ok();
    let owner = owner.and_then(|text| serde_json::from_str(&text).ok());
    Some(Stale { path: path.to_owned(), owner, _lock: lock })
}

fn remove_locked(path: &Path) -> Result<(), Error> {
    let fail = Error::io("remove", path);
    let all = || {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_name() == LOCK {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        // Last: until here, a sweep can still recognise the rest as ours.
        fs::remove_file(path.join(LOCK))?;
        fs::remove_dir(path)
    };
    all().map_err(fail)
}

fn unsuitable(base: &Path, account: Option<&Account>) -> Option<String> {
    let longest = base.join("pgauntlet-XXXXXX").join(SOCKET).join(".s.PGSQL.65535.lock");
    if longest.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
        return Some("its path is too long for a unix socket".to_owned());
    }
    // The server reads its list of socket directories with commas and quotes.
    if base.to_string_lossy().contains([',', '"', '\'']) {
        return Some("its path holds a comma or a quote".to_owned());
    }
    let blocked = machine::blocked_at(base, account)?;
    Some(format!("the server's user may not enter {}", blocked.display()))
}
