//! Clusters: made by initdb, whole or not at all, and kept in the cache if there is one.
//!
//! A cluster in the cache is used where it lies, so that seeded databases outlive the process
//! without being copied. One process uses it at a time: `<cache>/pg<major>-<slot>/lock` is held
//! by our process and its guardian. Which databases it holds is not this file's business.
//!
//! Locale C and UTF8, because every machine has them: the same rows sort alike everywhere. Text
//! keys sort faster so than under a language's collation, and so do their index builds.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::installation::Installation;
use super::machine::{self, Account};
use super::run_directory::RunDirectory;
use super::{Error, initdb, postmaster};

/// Changes when initdb's options do: a cluster of other options is made anew.
const OPTIONS_VERSION: u32 = 1;
/// Clusters of one major that may run side by side from one cache.
const SLOTS_MAX: u32 = 16;

/// Other users of the machine reach the port, not the socket's directory.
const HBA: &str = "\
# Written by pgauntlet. The socket is in a directory that only its owner enters.
local all all trust
local replication all trust
host all all 127.0.0.1/32 scram-sha-256
";

/// A data directory that is ours while the value lives.
#[derive(Debug)]
pub struct Cluster {
    pub data: PathBuf,
    /// Where initdb works until the cluster is whole.
    pub new_data: PathBuf,
    /// Held while a cluster of the cache is in use.
    pub lock: Option<File>,
    description: Option<PathBuf>,
}

/// What a cluster in the cache was made with.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    options: u32,
    major: u32,
}

/// A cluster in the cache, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedCluster {
    /// Its data directory.
    pub path: PathBuf,
    /// Major version of the server that made it; None: its description cannot be read.
    pub major: Option<u32>,
    /// Size on disk.
    pub bytes: u64,
    /// A live process has it.
    pub in_use: bool,
}

/// What emptying the cache did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheCleaned {
    /// Clusters that are gone.
    pub removed: Vec<CachedCluster>,
    /// Left alone, because a live process has them.
    pub in_use: Vec<PathBuf>,
}

/// As root `/var/cache/pgauntlet`, otherwise below the user's own cache directory.
pub fn default_cache_directory() -> Option<PathBuf> {
    if nix::unistd::Uid::effective().is_root() {
        return Some(PathBuf::from("/var/cache/pgauntlet"));
    }
    let named = |variable: &str| {
        std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    };
    let base = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(base.join("pgauntlet"))
}

impl Cluster {
    /// A cluster in the run directory; it goes with it.
    pub fn private(run: &RunDirectory) -> Cluster {
        let (data, new_data) = (run.private_data(), run.private_new_data());
        Cluster { data, new_data, lock: None, description: None }
    }

    /// The first cluster of the major that is not in use, made or not.
    pub fn in_cache(
        cache: &Path,
        installation: &Installation,
        account: Option<&Account>,
    ) -> Result<Cluster, Error> {
        let major = installation.major;
        if !cache.exists() {
            fs::create_dir_all(cache).map_err(Error::io("make the cache directory", cache))?;
            // Whatever the umask: the server's user must pass through.
            machine::set_mode(cache, if account.is_some() { 0o711 } else { 0o700 })?;
        }
        let cache = fs::canonicalize(cache).map_err(Error::io("find", cache))?;
        if let (Some(account), Some(blocked)) = (account, machine::blocked_at(&cache, account)) {
            let user = account.name.clone();
            return Err(Error::CacheNotReachable { path: cache, user, blocked });
        }
        let mut why = Vec::new();
        for slot in 0..SLOTS_MAX {
            let path = cache.join(format!("pg{major}-{slot}"));
            match Cluster::in_slot(&path, installation, account)? {
                Ok(cluster) => return Ok(cluster),
                Err(reason) => why.push(format!("{}: {reason}", path.display())),
            }
        }
        Err(Error::NoFreeSlot { path: cache, slots: SLOTS_MAX, why: why.join(", ") })
    }

    /// The cluster of one slot, or why it is left alone.
    fn in_slot(
        path: &Path,
        installation: &Installation,
        account: Option<&Account>,
    ) -> Result<Result<Cluster, String>, Error> {
        if !path.exists() {
            fs::create_dir_all(path).map_err(Error::io("make", path))?;
            machine::set_mode(path, if account.is_some() { 0o711 } else { 0o700 })?;
        }
        if !machine::is_ours(path) {
            return Ok(Err("belongs to another user".to_owned()));
        }
        let Some(lock) = lock_of(path)? else { return Ok(Err("in use".to_owned())) };
        let cluster = Cluster {
            data: path.join("data"),
            new_data: path.join("data.new"),
            lock: Some(lock),
            description: Some(path.join("cluster.json")),
        };
        if cluster.data.exists() {
            use std::os::unix::fs::MetadataExt;
            let found = fs::metadata(&cluster.data).map_err(Error::io("examine", path))?;
            if found.uid() != machine::owner_uid(account) {
                return Ok(Err("its data belong to another user".to_owned()));
            }
            // A server whose guardian was killed and whose run directory is gone.
            postmaster::end(&cluster.data)?;
        }
        initdb::clear(&installation.bin, &cluster.new_data, account)?;
        cluster.remove_unless_fit(installation.major)?;
        Ok(Ok(cluster))
    }

    /// Whether databases outlive the process.
    pub fn is_kept(&self) -> bool {
        self.lock.is_some()
    }

    /// Whether initdb has yet to be run.
    pub fn is_new(&self) -> bool {
        !self.data.exists()
    }

    /// Removes a cluster that was made with other options.
    fn remove_unless_fit(&self, major: u32) -> Result<(), Error> {
        let remove = |path: &Path| match path.exists() {
            true => fs::remove_dir_all(path).map_err(Error::io("remove", path)),
            false => Ok(()),
        };
        let wanted = Description { options: OPTIONS_VERSION, major };
        let printed = self.description.as_ref().and_then(|path| fs::read_to_string(path).ok());
        let described = printed.and_then(|text| serde_json::from_str::<Description>(&text).ok());
        let version = fs::read_to_string(self.data.join("PG_VERSION")).unwrap_or_default();
        let fits = described == Some(wanted) && version.trim() == major.to_string();
        if fits { Ok(()) } else { remove(&self.data) }
    }

    /// Who may connect, as today's version has it: one of the cache may be an older one's.
    pub fn admit(&self) -> Result<(), Error> {
        write_hba(&self.data)
    }

    /// Runs initdb under another name and renames what is whole.
    pub async fn make(
        &self,
        installation: &Installation,
        account: Option<&Account>,
    ) -> Result<(), Error> {
        let new = &self.new_data;
        fs::create_dir(new).map_err(Error::io("make", new))?;
        machine::set_mode(new, 0o700)?;
        machine::give(new, account)?;
        initdb::run(installation, new, account).await?;
        write_hba(new)?;
        if let Some(path) = &self.description {
            let wanted = Description { options: OPTIONS_VERSION, major: installation.major };
            let text = serde_json::to_string(&wanted)
                .map_err(|error| Error::io("write", path)(error.into()))?;
            fs::write(path, text).map_err(Error::io("write", path))?;
        }
        fs::rename(new, &self.data).map_err(Error::io("rename to", &self.data))
    }
}

fn write_hba(data: &Path) -> Result<(), Error> {
    let hba = data.join("pg_hba.conf");
    fs::write(&hba, HBA).map_err(Error::io("write", &hba))
}

/// The lock of a slot, unless a live process has it.
fn lock_of(slot: &Path) -> Result<Option<File>, Error> {
    let path = slot.join("lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(Error::io("open", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(source)) => Err(Error::io("lock", &path)(source)),
    }
}

/// Where initdb works on what will be the cluster `data`.
pub fn new_data(data: &Path) -> PathBuf {
    data.with_file_name("data.new")
}

/// Frees what a killed server or initdb left on a cluster of the cache, unless a process uses it
/// by now.
pub fn release(bin: &Path, data: &Path, account: Option<&Account>) {
    let Some(slot) = data.parent() else { return };
    let Ok(Some(_held)) = lock_of(slot) else { return };
    // What cannot be removed now is tried again when the slot is used.
    let _ = initdb::clear(bin, &new_data(data), account);
    if postmaster::was_killed(data) {
        postmaster::release(bin, data, account);
    }
}

/// The clusters in a cache directory, in the order of their names.
pub fn list_cache(cache: &Path) -> Vec<CachedCluster> {
    let Ok(entries) = fs::read_dir(cache) else { return Vec::new() };
    let mut found: Vec<CachedCluster> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| is_slot(path))
        .map(|path| CachedCluster {
            major: fs::read_to_string(path.join("data/PG_VERSION"))
                .ok()
                .and_then(|text| text.trim().parse().ok()),
            bytes: machine::directory_bytes(&path),
            in_use: File::open(path.join("lock")).is_ok_and(|lock| lock.try_lock().is_err()),
            path,
        })
        .collect();
    found.sort_by(|left, right| left.path.cmp(&right.path));
    found
}

/// Removes every cluster that no live process uses; nothing else in the directory.
///
/// # Errors
/// A cluster that no process uses cannot be removed.
pub fn clean_cache(cache: &Path) -> Result<CacheCleaned, Error> {
    let mut cleaned = CacheCleaned::default();
    for cluster in list_cache(cache) {
        let Some(_held) = lock_of(&cluster.path)? else {
            cleaned.in_use.push(cluster.path);
            continue;
        };
        postmaster::end(&cluster.path.join("data"))?;
        fs::remove_dir_all(&cluster.path).map_err(Error::io("remove", &cluster.path))?;
        cleaned.removed.push(cluster);
    }
    Ok(cleaned)
}

/// `pg15-0`, and ours: the directory may hold other things, and they stay.
fn is_slot(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let numbers = name.strip_prefix("pg").and_then(|rest| rest.split_once('-'));
    let numeric = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    numbers.is_some_and(|(major, slot)| numeric(major) && numeric(slot))
        && path.join("lock").is_file()
        && machine::is_ours(path)
}
