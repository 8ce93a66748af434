//! A hot standby of a private server: a base backup in its run directory, started beside it.
//!
//! pg_basebackup makes the backup where it is installed beside the server. Where it is not, the
//! same is done by hand, as the manual describes it for a backup from outside: pg_backup_start, a
//! copy of the files, pg_backup_stop, and its label beside them.

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::task::JoinHandle;

use crate::connect::{self, Address, Session};
use crate::pg::quote_literal;

use super::error::complaint;
use super::facts;
use super::installation::Installation;
use super::machine::{self, Account};
use super::{Error, postmaster, settings};

/// Replication slots of this prefix are ours.
const SLOT_PREFIX: &str = "pgauntlet_";
/// The slot of the standby.
const SLOT: &str = "pgauntlet_standby";
/// As the standby names itself to its primary.
pub const APPLICATION_NAME: &str = "pgauntlet standby";
/// Longest wait for a base backup.
pub(super) const BACKUP_TIMEOUT: Duration = Duration::from_secs(600);
/// Longest wait until the standby takes sessions.
pub(super) const START_TIMEOUT: Duration = Duration::from_secs(120);
/// Longest wait until it streams from its primary.
const STREAM_TIMEOUT: Duration = Duration::from_secs(30);
/// Of what is not copied: the server's own files of its process, and WAL, which is copied after
/// the rest.
const NOT_COPIED: [&str; 4] = ["postmaster.pid", "postmaster.opts", "pg_wal", "pg_replslot"];
/// Directories of which only the names are copied: what is in them is of the running server.
const EMPTIED: [&str; 6] =
    ["pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans"];

/// What a standby is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandbyRequest {
    /// `max_standby_streaming_delay`, in milliseconds.
    pub delay_ms: u64,
    /// `hot_standby_feedback`.
    pub feedback: bool,
    /// Whether a replication slot keeps WAL for it.
    pub slot: bool,
}

/// The primary, as its standby has to know it.
pub struct Primary {
    pub installation: Installation,
    pub account: Option<Account>,
    pub data: PathBuf,
    pub socket: PathBuf,
    pub port: u16,
    pub user: &'static str,
    /// `-c name=value` of the running server; those of a standby may not be less.
    pub arguments: Vec<String>,
}

impl Primary {
    fn address(&self) -> Address {
        Address::unix(&self.socket, self.port, self.user)
    }

    async fn session(&self) -> Result<Session, connect::Error> {
        facts::session(&self.address()).await
    }
}

/// A standby that runs, or that is being made.
pub struct Standby {
    data: PathBuf,
    log: PathBuf,
    child: Option<Child>,
    /// A copy that is under way, and what stops it.
    copying: Option<JoinHandle<Result<(), Error>>>,
    stopped: Arc<AtomicBool>,
    port: u16,
    request: StandbyRequest,
}

impl Standby {
    /// Nothing is there yet.
    pub fn new((data, log): (PathBuf, PathBuf), port: u16, request: &StandbyRequest) -> Standby {
        let (request, stopped) = (request.clone(), Arc::default());
        Standby { data, log, child: None, copying: None, stopped, port, request }
    }

    /// Makes a base backup, and starts a server on it.
    pub async fn make(&mut self, primary: &Primary) -> Result<(), Error> {
        let needed = machine::directory_bytes(&primary.data);
        if let Some(free) = machine::free_disk_bytes(&self.data).filter(|free| *free < needed) {
            return Err(Error::StandbyDisk { needed, free, path: self.data.clone() });
        }
        let session = primary.session().await?;
        make_slot(&session).await?;
        make(&self.data, primary.account.as_ref())?;
        let (program, data) = (primary.installation.bin.join("pg_basebackup"), self.data.clone());
        let backing_up = async {
            match program.is_file() {
                true => by_program(&program, primary, &data).await,
                false => self.by_hand(&session, primary).await,
            }
        };
        tokio::time::timeout(BACKUP_TIMEOUT, backing_up).await.unwrap_or_else(|_| {
            Err(failed("make a base backup", format!("took more than {BACKUP_TIMEOUT:?}")))
        })?;
        let signal = self.data.join("standby.signal");
        fs::write(&signal, "").map_err(Error::io("write", &signal))?;
        machine::give(&signal, primary.account.as_ref())?;
        self.start(primary).await?;
        if !self.request.slot {
            drop_slots(&session).await?;
        }
        Ok(())
    }

    /// Whether it runs as that was asked for.
    pub fn is(&mut self, request: &StandbyRequest) -> bool {
        let running = self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        running && self.request == *request
    }

    /// Its maintenance database.
    pub fn address(&self, socket: &Path, user: &str) -> Address {
        Address::unix(socket, self.port, user)
    }

    /// The backup's session has to stay open from its start to its stop.
    async fn by_hand(&mut self, session: &Session, primary: &Primary) -> Result<(), Error> {
        let (start, stop) = match primary.installation.major {
            ..15 => (
                "SELECT pg_start_backup('pgauntlet', true, false)",
                "SELECT labelfile FROM pg_stop_backup(false, false)",
            ),
            _ => (
                "SELECT pg_backup_start('pgauntlet', true)",
                "SELECT labelfile FROM pg_backup_stop(false)",
            ),
        };
        session.batch(start).await?;
        self.copied(primary, Part::Files).await?;
        let stopped = session.client().query_one(stop, &[]).await;
        let stopped = stopped.map_err(|error| connect::Error::query(stop, &error))?;
        // All WAL up to the backup's end is there by now, and the slot keeps it.
        self.copied(primary, Part::Wal).await?;
        let path = self.data.join("backup_label");
        fs::write(&path, stopped.get::<_, String>(0)).map_err(Error::io("write", &path))?;
        machine::give(&path, primary.account.as_ref())
    }

    async fn copied(&mut self, primary: &Primary, part: Part) -> Result<(), Error> {
        let (from, to) = (primary.data.clone(), self.data.clone());
        let (account, stopped) = (primary.account.clone(), Arc::clone(&self.stopped));
        let copying = tokio::task::spawn_blocking(move || {
            copy((&from, &to), account.as_ref(), part, &stopped)
        });
        let ended = self.copying.insert(copying).await;
        self.copying = None;
        ended.unwrap_or_else(|e| Err(Error::io("copy", &self.data)(std::io::Error::other(e))))
    }

    async fn start(&mut self, primary: &Primary) -> Result<(), Error> {
        let open = || File::options().create(true).append(true).open(&self.log);
        let log = open().map_err(Error::io("open", &self.log))?;
        let errors = log.try_clone().map_err(Error::io("open", &self.log))?;
        let program = primary.installation.bin.join("postgres");
        let mut command = machine::command(&program, primary.account.as_ref());
        command.arg("-D").arg(&self.data).args(&primary.arguments);
        let socket = primary.socket.display().to_string();
        let place = (socket.as_str(), primary.port, primary.user);
        let mut own = own_settings(&self.request, place, self.port);
        own.insert("listen_addresses".to_owned(), String::new());
        command.args(settings::arguments(&own));
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let spawned = tokio::process::Command::from(command).spawn();
        self.child = Some(spawned.map_err(|source| Error::Spawn { program, source })?);
        self.wait_ready().await?;
        match streams(&primary.session().await?).await? {
            true => Ok(()),
            false => Err(failed("follow the primary", complaint(&read(&self.log)))),
        }
    }

    async fn wait_ready(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        while !postmaster::is_ready(&self.data, self.child.as_ref().and_then(Child::id)) {
            let ended = self.child.as_mut().is_none_or(|child| child.try_wait().is_ok_and(ended));
            if ended || begun.elapsed() > START_TIMEOUT {
                return Err(failed("start the standby", complaint(&read(&self.log))));
            }
            tokio::time::sleep(postmaster::POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// Fast, then immediate, then kill; each for a limited time.
    async fn halt(&mut self) -> Result<(), Error> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) else { return Ok(()) };
        for (signal, limit) in postmaster::ENDING {
            // Not reaped yet, so the pid is still this child's.
            let _ = kill(Pid::from_raw(pid), signal);
            if tokio::time::timeout(limit, child.wait()).await.is_ok() {
                return Ok(());
            }
        }
        Err(Error::WouldNotStop { seconds: postmaster::KILL_TIMEOUT.as_secs(), pid })
    }

    /// Ends it and removes its files.
    pub async fn end(mut self) -> Result<(), Error> {
        self.halt().await?;
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(copying) = self.copying.take() {
            // What it failed with is of no interest any more.
            let _ = copying.await;
        }
        remove(&self.data)
    }
}

fn ended(status: Option<std::process::ExitStatus>) -> bool {
    status.is_some()
}

/// On top of the primary's, which is at a directory of its sockets, at a port, for a user.
pub(super) fn own_settings(
    request: &StandbyRequest,
    (host, primary_port, user): (&str, u16, &str),
    port: u16,
) -> BTreeMap<String, String> {
    let conninfo = format!(
        "host={} port={primary_port} user={} application_name={}",
        conninfo_value(host),
        conninfo_value(user),
        conninfo_value(APPLICATION_NAME)
    );
    let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
    let delay = format!("{}ms", request.delay_ms);
    [
        ("port", port.to_string()),
        ("hot_standby", "on".to_owned()),
        ("primary_conninfo", conninfo),
        ("primary_slot_name", if request.slot { SLOT } else { "" }.to_owned()),
        ("max_standby_streaming_delay", delay.clone()),
        ("max_standby_archive_delay", delay),
        ("hot_standby_feedback", on(request.feedback)),
        // What readers may still see is told to the primary this often, not every ten seconds.
        ("wal_receiver_status_interval", "1s".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// Until the standby streams, what it has to read first must stay.
pub(super) async fn make_slot(session: &Session) -> Result<(), connect::Error> {
    drop_slots(session).await?;
    session.batch(&format!("SELECT pg_create_physical_replication_slot('{SLOT}', true)")).await
}

/// A slot that is left keeps WAL for ever.
pub async fn drop_slots(session: &Session) -> Result<(), connect::Error> {
    let sql = format!(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
         WHERE starts_with(slot_name, {}) AND NOT active",
        quote_literal(SLOT_PREFIX)
    );
    session.batch(&sql).await
}

/// Waits until the primary sends WAL to the standby; false: it does not.
pub(super) async fn streams(session: &Session) -> Result<bool, connect::Error> {
    let begun = Instant::now();
    let sql = "SELECT FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'";
    loop {
        let rows = session.client().query(sql, &[&APPLICATION_NAME]).await;
        if !rows.map_err(|error| connect::Error::query(sql, &error))?.is_empty() {
            return Ok(true);
        }
        if begun.elapsed() > STREAM_TIMEOUT {
            return Ok(false);
        }
        tokio::time::sleep(postmaster::POLL_INTERVAL).await;
    }
}

async fn by_program(program: &Path, primary: &Primary, data: &Path) -> Result<(), Error> {
    let mut command = machine::command(program, primary.account.as_ref());
    command
        .arg("-D")
        .arg(data)
        .arg("-h")
        .arg(&primary.socket)
        .args(["-p", &primary.port.to_string(), "-U", primary.user])
        .args(["--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-password"])
        .stdin(Stdio::null());
    let mut command = tokio::process::Command::from(command);
    let output = command.kill_on_drop(true).output().await;
    let program = program.to_owned();
    let output = output.map_err(|source| Error::Spawn { program, source })?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(failed("make a base backup with pg_basebackup", said))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Files,
    Wal,
}

/// What is copied before the backup's end, and what after it.
fn copy(
    (from, to): (&Path, &Path),
    account: Option<&Account>,
    part: Part,
    stopped: &AtomicBool,
) -> Result<(), Error> {
    match part {
        Part::Wal => {
            copy_directory(&from.join("pg_wal"), &to.join("pg_wal"), account, (&[], stopped))
        }
        Part::Files => {
            copy_directory(from, to, account, (&NOT_COPIED, stopped))?;
            for name in ["pg_wal", "pg_wal/archive_status", "pg_replslot"] {
                make(&to.join(name), account)?;
            }
            Ok(())
        }
    }
}

/// A file that goes while it is copied is one that the WAL says is gone.
fn copy_directory(
    from: &Path,
    to: &Path,
    account: Option<&Account>,
    (leave_out, stopped): (&[&str], &AtomicBool),
) -> Result<(), Error> {
    make(to, account)?;
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Error::io("read", from))?,
    };
    for entry in entries {
        let entry = entry.map_err(Error::io("read", from))?;
        if stopped.load(Ordering::Relaxed) {
            return Err(failed("make a base backup", "it was given up".to_owned()));
        }
        let name = entry.file_name();
        let is = |names: &[&str]| names.iter().any(|known| name == *known);
        if is(leave_out) {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        match entry.file_type().map_err(Error::io("examine", &source))? {
            kind if kind.is_dir() && is(&EMPTIED) => make(&target, account)?,
            kind if kind.is_dir() => copy_directory(&source, &target, account, (&[], stopped))?,
            _ => match fs::copy(&source, &target) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => {
                    copied.map_err(Error::io("copy", &source))?;
                    machine::give(&target, account)?;
                }
            },
        }
    }
    Ok(())
}

fn make(directory: &Path, account: Option<&Account>) -> Result<(), Error> {
    match fs::create_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => {
            made.map_err(Error::io("make", directory))?;
            machine::set_mode(directory, 0o700)?;
            machine::give(directory, account)
        }
    }
}

fn remove(data: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", data)(error))
        }
        _ => Ok(()),
    }
}

fn conninfo_value(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn read(log: &Path) -> String {
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}

pub(super) fn failed(action: &'static str, why: String) -> Error {
    Error::Standby { action, why }
}
