//! PgBouncer, the real program, between clients and a server.
//!
//! It has a run directory of its own, with its configuration and its users in files that only its
//! user may read, and listens on the loopback interface. A guardian of its own is its parent and
//! ends it when our process ends, however it ends.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};

use super::local::free_port;
use super::machine::{self, Account};
use super::run_directory::RunDirectory;
use super::{Error, error::complaint};

/// Names its program where it is not on PATH.
pub const PGBOUNCER_VARIABLE: &str = "PGAUNTLET_PGBOUNCER";
const PROGRAM: &str = "pgbouncer";
/// Where distributions put programs that are not on every PATH.
const PLACES: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];
/// Longest wait until it takes connections, and until it is gone.
const START_TIMEOUT: Duration = Duration::from_secs(20);
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);
const ATTEMPTS_MAX: u32 = 5;

const SCRIPT: &str = include_str!("pooler.sh");
const CONFIGURATION: &str = "pooler.ini";
const USERS: &str = "users.txt";
const LOG: &str = "pooler.log";

/// An installed PgBouncer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolerProgram {
    /// The program.
    pub path: PathBuf,
    /// As it names itself: `PgBouncer 1.18.0`.
    pub version: String,
}

/// What it is to do.
pub struct PoolerSetup<'a> {
    /// `session` or `transaction`.
    pub mode: &'a str,
    /// The only database.
    pub database: &'a str,
    /// Where the server is.
    pub server: SocketAddr,
    /// Users with their passwords, here and there.
    pub users: Vec<(String, String)>,
    /// Server connections per user.
    pub pool_size: u32,
}

/// A PgBouncer that runs. Dropped, it ends.
pub struct Pooler {
    address: SocketAddr,
    program: PoolerProgram,
    child: Child,
    pipe: ChildStdin,
}

/// Finds it.
///
/// # Errors
/// It is not there, or does not run.
pub fn find_pooler() -> Result<PoolerProgram, Error> {
    let path = match std::env::var_os(PGBOUNCER_VARIABLE) {
        Some(path) => Some(PathBuf::from(path)).filter(|path| path.is_file()),
        None => {
            let on_path = std::env::var_os("PATH").unwrap_or_default();
            let places = std::env::split_paths(&on_path).chain(PLACES.map(PathBuf::from));
            places.map(|place| place.join(PROGRAM)).find(|path| path.is_file())
        }
    };
    let path = path.ok_or(Error::NoPooler)?;
    let asked = Blocking::new(&path).arg("--version").stdin(Stdio::null()).output();
    let spawn = |source| Error::Spawn { program: path.clone(), source };
    let said = String::from_utf8_lossy(&asked.map_err(spawn)?.stdout).into_owned();
    let version = said.lines().next().unwrap_or_default().to_owned();
    match version.starts_with("PgBouncer") {
        true => Ok(PoolerProgram { path, version }),
        false => Err(Error::NoPooler),
    }
}

impl Pooler {
    /// Starts it, and returns when it takes connections.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub async fn start(setup: &PoolerSetup<'_>) -> Result<Pooler, Error> {
        let program = find_pooler()?;
        let account = machine::server_account(None)?;
        for attempt in 1.. {
            match Pooler::start_on(free_port()?, setup, &program, account.as_ref()).await {
                // Another process may have taken the port.
                Err(Error::PoolerEnded { .. }) if attempt < ATTEMPTS_MAX => {}
                started => return started,
            }
        }
        Err(Error::NoPooler)
    }

    async fn start_on(
        port: u16,
        setup: &PoolerSetup<'_>,
        program: &PoolerProgram,
        account: Option<&Account>,
    ) -> Result<Pooler, Error> {
        let run = RunDirectory::create(account)?;
        let written = write_files(&run, port, setup, account);
        let spawned = written.and_then(|()| spawn(&run, program, account));
        let (child, pipe) = match spawned {
            Ok(spawned) => spawned,
            Err(error) => {
                // The first error is the one to tell.
                let _ = run.remove();
                return Err(error);
            }
        };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let log = run.path().join(LOG);
        let pooler = Pooler { address, program: program.clone(), child, pipe };
        match pooler.answers(&log).await {
            Ok(()) => Ok(pooler),
            Err(error) => {
                pooler.stop().await;
                Err(error)
            }
        }
    }

    async fn answers(&self, log: &Path) -> Result<(), Error> {
        let begun = Instant::now();
        while TcpStream::connect(self.address).await.is_err() {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            let failed = said.contains("FATAL");
            if failed || begun.elapsed() > START_TIMEOUT {
                return Err(Error::PoolerEnded { log: complaint(&said) });
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// As it names itself.
    pub fn version(&self) -> &str {
        &self.program.version
    }

    /// Ends it, and removes what it had.
    pub async fn stop(mut self) {
        drop(self.pipe);
        let _ = tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await;
    }
}

/// The script that is its parent.
fn spawn(
    run: &RunDirectory,
    program: &PoolerProgram,
    account: Option<&Account>,
) -> Result<(Child, ChildStdin), Error> {
    let shell = PathBuf::from("/bin/sh");
    let script = run.path().join("guardian");
    std::fs::write(&script, SCRIPT).map_err(Error::io("write", &script))?;
    let lock = run.lock().try_clone().map_err(Error::io("share the lock of", run.path()))?;
    let mut child = Command::new(&shell)
        .arg(&script)
        .env("RUN_DIRECTORY", run.path())
        .env("PROGRAM", &program.path)
        .env("RUN_AS", account.map_or("", |account| account.name.as_str()))
        .env("LC_ALL", "C")
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(lock)
        .stderr(Stdio::null())
        .spawn()
        .map_err(|source| Error::Spawn { program: shell.clone(), source })?;
    let pipe = child.stdin.take().ok_or_else(|| {
        let source = std::io::Error::other("its standard input is not a pipe");
        Error::Spawn { program: shell, source }
    })?;
    Ok((child, pipe))
}

fn write_files(
    run: &RunDirectory,
    port: u16,
    setup: &PoolerSetup<'_>,
    account: Option<&Account>,
) -> Result<(), Error> {
    let mut users = String::new();
    for (user, password) in &setup.users {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let _ = writeln!(users, "{} {}", quoted(user), quoted(password));
    }
    let directory = run.path().display();
    let PoolerSetup { mode, database, server, pool_size, .. } = setup;
    // What is not here is as it comes.
    let configuration = format!(
        "[databases]\n{database} = host={} port={} dbname={database}\n\n[pgbouncer]\n\
         listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = scram-sha-256\nauth_file = {directory}/{USERS}\n\
         logfile = {directory}/{LOG}\nsyslog = 0\npool_mode = {mode}\n\
         default_pool_size = {pool_size}\nmax_client_conn = 2000\n\
         ignore_startup_parameters = extra_float_digits\n",
        server.ip(),
        server.port(),
    );
    for (name, text) in [(USERS, users), (CONFIGURATION, configuration), (LOG, String::new())] {
        let path = run.path().join(name);
        write_private(&path, &text)?;
        machine::give(&path, account)?;
    }
    Ok(())
}

fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(Error::io("make", path))?;
    file.write_all(text.as_bytes()).map_err(Error::io("write", path))
}
