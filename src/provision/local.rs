//! A private server from installed binaries.
//!
//! Nothing that starts here may outlive our process: the guardian is started first, and what is
//! started afterwards is in its charge.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::Mutex;

use crate::connect::{Address, Session};
use crate::history::{Listener, Progress, ServerFacts};
use crate::pg::{quote_ident, quote_literal};

use super::cluster::Cluster;
use super::error::complaint;
use super::find;
use super::guardian::{Guarded, Guardian};
use super::initdb::SUPERUSER;
use super::installation::Installation;
use super::logins::Logins;
use super::machine::{self, Account};
use super::run_directory::{Owner, RunDirectory};
use super::standby::{self, Primary, Standby, StandbyRequest};
use super::{Error, MAJORS, Request, Server, TRIAL_DATABASE_PREFIX};
use super::{facts, postmaster, settings, sweep};

/// Longest wait until the server accepts sessions, the recovery of a killed one included.
const START_TIMEOUT: Duration = Duration::from_secs(180);
/// Another process may take a free port before the server has it.
const PORT_ATTEMPTS_MAX: u32 = 5;
/// What the server says then, in every supported major.
const PORT_TAKEN: &str = "could not create any TCP/IP sockets";

struct LocalServer {
    installation: Installation,
    account: Option<Account>,
    cluster: Cluster,
    run: RunDirectory,
    guardian: Guardian,
    running: Mutex<Option<Running>>,
    /// 0: it never ran.
    port: AtomicU16,
    password: String,
    logins: Logins,
    base: BTreeMap<String, String>,
    /// The trial's, in force now.
    applied: BTreeMap<String, String>,
    facts: ServerFacts,
    standby: Option<Standby>,
}

struct Running {
    child: Child,
    /// How long the log was when it started.
    log_bytes: usize,
}

/// The server that would be started.
pub async fn installation(
    pg_bin: Option<PathBuf>,
    major: Option<u32>,
    account: Option<&Account>,
) -> Result<Installation, Error> {
    let of = account.cloned();
    let places = blocking(move || Ok(find::places(pg_bin.as_deref(), of.as_ref()))).await?;
    find::choose(&places, major)
}

/// Starts a server on a cluster of the cache, or on one of its own.
pub async fn start(
    request: &Request,
    pg_bin: Option<PathBuf>,
    major: Option<u32>,
    listener: &Listener,
) -> Result<Box<dyn Server>, Error> {
    let account = machine::server_account(request.run_as.as_deref())?;
    let tell = |text: String| listener(Progress::Server(text));
    let swept = sweep::sweep().await;
    for left in swept.removed.iter().map(|path| path.display().to_string()).chain(swept.containers)
    {
        tell(format!("removed {left}, which a killed process left"));
    }
    for failed in swept.failed {
        listener(Progress::Note(format!("failed to {failed}")));
    }
    let installation = installation(pg_bin, major, account.as_ref()).await?;
    if !MAJORS.contains(&installation.major) {
        let version = &installation.version;
        listener(Progress::Note(format!("PostgreSQL {version} is newer than this pgauntlet")));
    }
    let cached = match &request.cache {
        Some(cache) => {
            let (cache, account, installation) =
                (cache.clone(), account.clone(), installation.clone());
            let found = move || Cluster::in_cache(&cache, &installation, account.as_ref());
            Some(blocking(found).await?)
        }
        None => None,
    };
    // From its directory to its guardian nothing waits: what ends us here leaves no directory.
    let run = RunDirectory::create(account.as_ref())?;
    let cluster = cached.unwrap_or_else(|| Cluster::private(&run));
    let guardian = match guard(&run, &cluster, &installation, account.as_ref()) {
        Ok(guardian) => guardian,
        Err(error) => {
            // The first error is the one to tell.
            let _ = run.remove();
            return Err(error);
        }
    };
    if cluster.is_new() {
        tell(format!("making a cluster of PostgreSQL {}", installation.version));
        cluster.make(&installation, account.as_ref()).await?;
    } else if postmaster::was_killed(&cluster.data) {
        tell(format!("recovering {}, whose server was killed", cluster.data.display()));
        release(&installation, &cluster, account.as_ref()).await?;
    }
    tell(format!("starting PostgreSQL {} on {}", installation.version, cluster.data.display()));
    let mut server = LocalServer {
        base: settings::for_memory(machine::memory_bytes()),
        password: settings::random_password(),
        logins: Logins::of_ours(),
        applied: BTreeMap::new(),
        facts: ServerFacts::default(),
        standby: None,
        running: Mutex::default(),
        port: AtomicU16::default(),
        installation,
        account,
        cluster,
        run,
        guardian,
    };
    server.launch().await?;
    server.prepare().await?;
    Ok(Box::new(server))
}

/// Recovers a cluster and frees its old server's memory, which a start would trip over while the
/// killed server's last children still end.
async fn release(
    installation: &Installation,
    cluster: &Cluster,
    account: Option<&Account>,
) -> Result<(), Error> {
    let (bin, data, account) = (installation.bin.clone(), cluster.data.clone(), account.cloned());
    blocking(move || {
        postmaster::release(&bin, &data, account.as_ref());
        Ok(())
    })
    .await
}

/// Says what will run, and puts it in the guardian's charge.
fn guard(
    run: &RunDirectory,
    cluster: &Cluster,
    installation: &Installation,
    account: Option<&Account>,
) -> Result<Guardian, Error> {
    run.write_owner(&Owner {
        pid: std::process::id(),
        data: cluster.data.clone(),
        bin: installation.bin.clone(),
        run_as: account.map(|account| account.name.clone()),
    })?;
    Guardian::start(&Guarded {
        run_directory: run.path(),
        run_lock: run.lock(),
        data: cluster.data.clone(),
        new_data: cluster.new_data.clone(),
        standby: run.standby_data(),
        cluster_lock: cluster.lock.as_ref(),
        container: None,
    })
}

impl LocalServer {
    /// Starts the server with our settings and the applied ones, and waits until it is ready.
    async fn launch(&mut self) -> Result<(), Error> {
        self.cluster.admit()?;
        for attempt in 1.. {
            match self.launch_on(free_port()?).await {
                Err(Error::ServerEnded { log })
                    if attempt < PORT_ATTEMPTS_MAX && log.contains(PORT_TAKEN) => {}
                launched => return launched,
            }
        }
        Ok(())
    }

    async fn launch_on(&self, port: u16) -> Result<(), Error> {
        self.start_on(port, &mut *self.running.lock().await).await
    }

    async fn start_on(&self, port: u16, running: &mut Option<Running>) -> Result<(), Error> {
        let log = std::fs::metadata(self.run.log_path());
        let log_bytes = log.map_or(0, |found| usize::try_from(found.len()).unwrap_or(0));
        *running = Some(Running { child: self.spawn(port)?, log_bytes });
        self.port.store(port, Ordering::Relaxed);
        self.wait_ready(running).await
    }

    /// Where another has stopped the server: starts it at the same address, for those who use it.
    async fn revive(&self) -> Result<(), Error> {
        let mut running = self.running.lock().await;
        // It may be about to end, or on its way from a call that was given up.
        if is_running(&mut running) {
            match self.wait_ready(&mut running).await {
                Err(Error::ServerEnded { .. }) => {}
                waited => return waited,
            }
        }
        *running = None;
        if postmaster::was_killed(&self.cluster.data) {
            release(&self.installation, &self.cluster, self.account.as_ref()).await?;
        }
        self.start_on(self.port(), &mut running).await
    }

    fn spawn(&self, port: u16) -> Result<Child, Error> {
        let log_path = self.run.log_path();
        let open = || File::options().create(true).append(true).open(&log_path);
        let log = open().map_err(Error::io("open", &log_path))?;
        let errors = log.try_clone().map_err(Error::io("open", &log_path))?;
        let program = self.installation.bin.join("postgres");
        let mut command = machine::command(&program, self.account.as_ref());
        command.arg("-D").arg(&self.cluster.data).args(self.arguments(port));
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let spawned = tokio::process::Command::from(command).spawn();
        spawned.map_err(|source| Error::Spawn { program, source })
    }

    fn arguments(&self, port: u16) -> Vec<String> {
        let mut all = self.base.clone();
        all.extend(self.applied.clone());
        let socket = self.run.socket_directory().display().to_string();
        let own = [
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", port.to_string()),
            ("unix_socket_directories", socket),
            ("logging_collector", "off".to_owned()),
            ("log_destination", "stderr".to_owned()),
        ];
        all.extend(own.map(|(name, value)| (name.to_owned(), value)));
        settings::arguments(&all)
    }

    fn primary(&self) -> Primary {
        Primary {
            installation: self.installation.clone(),
            account: self.account.clone(),
            data: self.cluster.data.clone(),
            socket: self.run.socket_directory(),
            port: self.port(),
            user: SUPERUSER,
            arguments: self.arguments(self.port()),
        }
    }

    async fn wait_ready(&self, child: &mut Option<Running>) -> Result<(), Error> {
        let begun = Instant::now();
        let log_path = self.run.log_path();
        let Some(running) = child else { return Ok(()) };
        let from = running.log_bytes;
        while !postmaster::is_ready(&self.cluster.data, running.child.id()) {
            let ended = running.child.try_wait().map_err(Error::io("wait for", &log_path))?;
            if ended.is_some() {
                *child = None;
                return Err(Error::ServerEnded { log: complaint_since(&log_path, from) });
            }
            if begun.elapsed() > START_TIMEOUT {
                let seconds = START_TIMEOUT.as_secs();
                return Err(Error::ServerNotReady {
                    seconds,
                    log: complaint_since(&log_path, from),
                });
            }
            tokio::time::sleep(postmaster::POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// What is done once per process: a password, and no databases of a killed trial.
    async fn prepare(&mut self) -> Result<(), Error> {
        let session = facts::session(&self.address()).await?;
        let (role, password) = (quote_ident(SUPERUSER), quote_literal(&self.password));
        session.batch(&format!("ALTER ROLE {role} PASSWORD {password}")).await?;
        self.logins.make(&session).await?;
        if self.cluster.is_kept() {
            drop_trial_databases(&session).await?;
            standby::drop_slots(&session).await?;
        }
        self.facts = facts::read(&session, "local").await?;
        Ok(())
    }

    /// Fast, then immediate, then kill; each for a limited time.
    async fn halt(&mut self) -> Result<(), Error> {
        let Some(mut running) = self.running.get_mut().take() else { return Ok(()) };
        let Some(pid) = running.child.id().and_then(|id| i32::try_from(id).ok()) else {
            return Ok(());
        };
        for (signal, limit) in postmaster::ENDING {
            // Not reaped yet, so the pid is still this child's.
            let _ = kill(Pid::from_raw(pid), signal);
            if tokio::time::timeout(limit, running.child.wait()).await.is_ok() {
                return Ok(());
            }
        }
        Err(Error::WouldNotStop { seconds: postmaster::KILL_TIMEOUT.as_secs(), pid })
    }

    async fn restart_with(&mut self, wanted: BTreeMap<String, String>) -> Result<(), Error> {
        self.end_standby().await?;
        let before = std::mem::replace(&mut self.applied, wanted);
        self.halt().await?;
        match self.launch().await {
            Ok(()) => {}
            Err(Error::ServerEnded { log }) => {
                let refused = std::mem::replace(&mut self.applied, before);
                self.launch().await?;
                return Err(Error::SettingsRefused { names: settings::listed(&refused), log });
            }
            Err(error) => return Err(error),
        }
        let session = facts::session(&self.address()).await?;
        self.facts = facts::read(&session, "local").await?;
        Ok(())
    }

    /// Of a cluster that another has broken, or with which its disk is full, nothing can be had any
    /// more: another takes its place, with none of its databases.
    async fn replace(&mut self, wanted: BTreeMap<String, String>) -> Result<(), Error> {
        self.end_standby().await?;
        self.halt().await?;
        let data = &self.cluster.data;
        std::fs::remove_dir_all(data).map_err(Error::io("remove", data))?;
        self.cluster.make(&self.installation, self.account.as_ref()).await?;
        self.applied = wanted;
        self.launch().await?;
        self.prepare().await
    }

    /// A standby as it is asked for, or none. One that is another is made anew.
    async fn follow(&mut self, request: Option<&StandbyRequest>) -> Result<Option<Address>, Error> {
        let fits = |standby: &mut Standby| request.is_some_and(|request| standby.is(request));
        if !self.standby.as_mut().is_some_and(fits) {
            self.end_standby().await?;
            let Some(request) = request else { return Ok(None) };
            let place = (self.run.standby_data(), self.run.standby_log());
            let mut port = free_port()?;
            while port == self.port() {
                port = free_port()?;
            }
            // Known before it is made, so that one that is given up half-made is ended too.
            let primary = self.primary();
            let standby = self.standby.insert(Standby::new(place, port, request));
            if let Err(error) = standby.make(&primary).await {
                // The first error is the one to tell.
                let _ = self.end_standby().await;
                return Err(error);
            }
        }
        let socket = self.run.socket_directory();
        Ok(self.standby.as_ref().map(|standby| standby.address(&socket, SUPERUSER)))
    }

    async fn end_standby(&mut self) -> Result<(), Error> {
        let Some(standby) = self.standby.take() else { return Ok(()) };
        standby.end().await?;
        self.drop_slots().await;
        Ok(())
    }

    /// What a server that is down does not drop now, the next one on its cluster does.
    async fn drop_slots(&self) {
        if let Ok(session) = facts::session(&self.address()).await {
            let _ = standby::drop_slots(&session).await;
        }
    }

    async fn stop(mut self) -> Result<(), Error> {
        self.end_standby().await?;
        self.halt().await?;
        let LocalServer { installation, account, cluster, run, guardian, .. } = self;
        if postmaster::was_killed(&cluster.data) {
            release(&installation, &cluster, account.as_ref()).await?;
        }
        let removed = blocking(move || run.remove()).await;
        guardian.dismiss().await;
        removed
    }
}

impl Server for LocalServer {
    fn address(&self) -> Address {
        // The socket's directory is its owner's; we are the owner, or root.
        Address::unix(&self.run.socket_directory(), self.port(), SUPERUSER)
    }

    fn tcp_address(&self) -> Option<Address> {
        Some(Address::tcp("127.0.0.1", self.port(), SUPERUSER, Some(&self.password)))
    }

    fn facts(&self) -> ServerFacts {
        self.facts.clone()
    }

    fn logins(&self) -> Option<Logins> {
        Some(self.logins.clone())
    }

    fn keeps_databases(&self) -> bool {
        self.cluster.is_kept()
    }

    fn data_directory(&self) -> Option<PathBuf> {
        Some(self.cluster.data.clone())
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        Some(self.installation.bin.join(name)).filter(|program| program.is_file())
    }

    fn log_path(&self) -> Option<PathBuf> {
        Some(self.run.log_path())
    }

    fn apply_settings<'a>(
        &'a mut self,
        settings: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let wanted = settings::checked(settings)?;
            if wanted == self.applied && is_running(self.running.get_mut()) {
                return Ok(());
            }
            let was_running = is_running(self.running.get_mut());
            match self.restart_with(wanted.clone()).await {
                Err(Error::ServerEnded { .. }) if !was_running => self.replace(wanted).await,
                restarted => restarted,
            }
        })
    }

    fn follow<'a>(
        &'a mut self,
        standby: Option<&'a StandbyRequest>,
    ) -> BoxFuture<'a, Result<Option<Address>, Error>> {
        Box::pin(LocalServer::follow(self, standby))
    }

    fn revive(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(LocalServer::revive(self))
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(LocalServer::stop(*self))
    }
}

impl LocalServer {
    fn port(&self) -> u16 {
        self.port.load(Ordering::Relaxed)
    }
}

/// Whether the server's process lives: another may have stopped it.
fn is_running(running: &mut Option<Running>) -> bool {
    let child = running.as_mut().map(|running| running.child.try_wait());
    matches!(child, Some(Ok(None)))
}

/// Copies that belonged to the trials of a process that was killed.
async fn drop_trial_databases(session: &Session) -> Result<(), Error> {
    let sql = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)";
    let rows = session.client().query(sql, &[&TRIAL_DATABASE_PREFIX]).await;
    let rows = rows.map_err(|error| crate::connect::Error::query(sql, &error))?;
    for row in rows {
        let name: String = row.get(0);
        session.batch(&format!("DROP DATABASE {} WITH (FORCE)", quote_ident(&name))).await?;
    }
    Ok(())
}

pub(super) fn free_port() -> Result<u16, Error> {
    let found = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    found.map(|address| address.port()).map_err(Error::io("find a free port on", "127.0.0.1"))
}

/// What the log complains about since it had `from` bytes.
fn complaint_since(path: &Path, from: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    complaint(&String::from_utf8_lossy(text.get(from..).unwrap_or_default()))
}

/// Runs what waits for the disk or for other processes away from the tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Error::Io {
            action: "finish the work on",
            path: std::env::temp_dir(),
            source: std::io::Error::other(error),
        }),
    }
}
