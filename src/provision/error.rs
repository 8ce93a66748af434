//! What can go wrong before there is a server, each with the way out.

use std::path::PathBuf;

use crate::connect;

use super::installation::{MAJORS, SearchedPlace};

/// A comment on the database of an address that holds this vouches for the server.
pub(super) const MARKER: &str = "pgauntlet may work on this server";

/// Why there is no server, or why it did not end.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error("{}", nothing_found(*major, places))]
    NothingFound { major: Option<u32>, places: Vec<SearchedPlace> },
    #[error(
        "drop root's rights to {user:?}: there is no such user; a Postgres server refuses to run \
         as root, so name an existing one with --run-as USER"
    )]
    NoSuchUser { user: String },
    #[error("run the server as {user:?}: only root may run it as another user; leave --run-as out")]
    NotRoot { user: String },
    #[error(
        "drop root's rights: none of the users {tried} exists; a Postgres server refuses to run \
         as root, so create one (useradd --system postgres) or name one with --run-as USER"
    )]
    NoUnprivilegedUser { tried: String },
    #[error(
        "make a run directory: {why}; set TMPDIR to a directory that the server's user may \
         enter and whose path is short"
    )]
    NoRunDirectory { why: String },
    #[error(
        "use the cache directory {path}: the server's user {user:?} may not enter {blocked}; \
         choose another, such as --cache-dir /var/cache/pgauntlet, or allow it: chmod o+x {blocked}"
    )]
    CacheNotReachable { path: PathBuf, user: String, blocked: PathBuf },
    #[error(
        "use the cache directory {path}: all of its {slots} clusters of this major are in use or \
         unusable ({why}); stop another pgauntlet, or run `pgauntlet cache clear`"
    )]
    NoFreeSlot { path: PathBuf, slots: u32, why: String },
    #[error("{action} {path}: {source}")]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("run {program}: {source}")]
    Spawn { program: PathBuf, source: std::io::Error },
    #[error("make a cluster: {program} failed:\n{output}")]
    Initdb { program: PathBuf, output: String },
    #[error("make a cluster: {program} took more than {seconds} s")]
    InitdbTimeout { program: PathBuf, seconds: u64 },
    #[error("start the server: it ended at once; it says\n{log}")]
    ServerEnded { log: String },
    #[error("start the server: it was not ready within {seconds} s; the end of its log:\n{log}")]
    ServerNotReady { seconds: u64, log: String },
    #[error("set {name}: pgauntlet sets it itself, because {why}; leave it out of the scenario")]
    OwnSetting { name: String, why: &'static str },
    #[error(
        "apply the scenario's settings {names}: the server does not take them, and runs without \
         them again; it says\n{log}"
    )]
    SettingsRefused { names: String, log: String },
    #[error(
        "fetch a server of PostgreSQL {major}: {why}; install one, or use Docker or a server by URL"
    )]
    Fetch { major: u32, why: String },
    #[error(
        "start PgBouncer: it is neither on PATH nor in /usr/sbin; install it (apt-get install \
         pgbouncer), or name its program: PGAUNTLET_PGBOUNCER=/path/to/pgbouncer"
    )]
    NoPooler,
    #[error("start PgBouncer: it does not take connections; it says\n{log}")]
    PoolerEnded { log: String },
    #[error("stop the server: it was still alive {seconds} s after SIGKILL (pid {pid})")]
    WouldNotStop { seconds: u64, pid: i32 },
    #[error("{action}: {why}")]
    Standby { action: &'static str, why: String },
    #[error(
        "make a standby: {path} takes about {} MB and {} MB are free; free space, or empty the \
         cache: pgauntlet cache clear",
        .needed >> 20, .free >> 20
    )]
    StandbyDisk { needed: u64, free: u64, path: PathBuf },
    #[error(
        "make a standby: pgauntlet makes one of a server of its own only, and this one is {of}; \
         use --server local or docker, or leave out [replica]"
    )]
    NoStandby { of: String },
    #[error("speak to the server: {0}")]
    Connect(Box<connect::Error>),
    #[error("{0}")]
    Address(#[from] connect::AddressError),
    #[error(
        "use the server at {place}: {error}; see that it runs there, that user and password are \
         right, that it lets this machine in (pg_hba.conf), and that it encrypts as sslmode asks \
         (sslmode=disable: not at all; verify-ca, verify-full: sslrootcert names whose certificate \
         it must have)"
    )]
    Unreachable { place: String, error: Box<connect::Error> },
    #[error(
        "use PostgreSQL {major}: pgauntlet needs {least} or later, because older servers do not \
         tell since when a lock is waited for (pg_locks.waitstart)",
        least = MAJORS.start()
    )]
    MajorTooOld { major: u32 },
    #[error(
        "use {place}: it is PostgreSQL {version}; pgauntlet needs 14 or later, because older \
         servers do not tell since when a lock is waited for (pg_locks.waitstart)"
    )]
    TooOld { place: String, version: String },
    #[error(
        "use {place}: it is a standby in recovery, and a change cannot run there; name its primary"
    )]
    InRecovery { place: String },
    #[error(
        "use {place}: {why}; if pgauntlet may create, fill and drop databases there, type \
         --server-is-mine, or say so on the server: COMMENT ON DATABASE {database} IS '{marker}'",
        database = crate::pg::quote_ident(database),
        marker = MARKER
    )]
    NotVouchedFor { place: String, database: String, why: String },
    #[error(
        "use {place}: the user {user:?} may not create databases, and pgauntlet works in \
         databases of its own only; grant it: ALTER ROLE {role} CREATEDB",
        role = crate::pg::quote_ident(user)
    )]
    NoCreatedb { place: String, user: String },
    #[error(
        "apply the scenario's settings on {place}: the server is external and is not \
         reconfigured; it runs {differing}. Set this there, or use --server local or docker"
    )]
    ForeignSettings { place: String, differing: String },
    #[error(
        "start a container: this pgauntlet was built without Docker; build it with its default \
         features, or use --server local or --server postgres://…"
    )]
    DockerNotBuilt,
    #[error(
        "reach Docker: {why}; start it (systemctl start docker), see that you may use it \
         (`docker info` works; group \"docker\"), or set DOCKER_HOST. Without it: --server local, \
         or --server postgres://user:password@host/"
    )]
    DockerUnreachable { why: String },
    #[error(
        "start a container of {image:?}: {why}; see that the image is here (`docker image ls`) or \
         can be pulled, or name one that you have: --image NAME:TAG"
    )]
    DockerImage { image: String, why: String },
    #[error("{action} the container of {image:?}: {why}")]
    Docker { action: &'static str, image: String, why: String },
}

impl From<connect::Error> for Error {
    fn from(error: connect::Error) -> Error {
        Error::Connect(Box::new(error))
    }
}

impl Error {
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { action, path, source }
    }
}

fn nothing_found(major: Option<u32>, places: &[SearchedPlace]) -> String {
    use std::fmt::Write;
    let wanted = match major {
        Some(major) => format!("PostgreSQL {major}"),
        None => "an installed PostgreSQL server".to_owned(),
    };
    let mut text = format!("find {wanted}; looked at\n");
    for place in places {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}: {}", place.name, place.to_text());
    }
    let package = match major {
        Some(major) => format!("postgresql-{major}"),
        None => "postgresql".to_owned(),
    };
    let fetched = major.map(|major| format!(" {major}")).unwrap_or_default();
    let image = major.map(|m| format!(" --pg {m}")).unwrap_or_default();
    let _ = write!(
        text,
        "there are four ways out:\n  \
         let pgauntlet fetch one: pgauntlet server install{fetched}\n  \
         install a server (Debian: apt-get install {package}) or name its directory: --pg-bin DIR\n\
         \x20 let Docker run one: --server docker{image}\n  \
         use one that runs already: --server postgres://user:password@host:5432/"
    );
    text
}

/// Lines of a server's log that an error shows.
const COMPLAINT_LINES_MAX: usize = 12;

/// What a server's log complains about: its worst messages with their hints, or else its end.
pub(super) fn complaint(log: &str) -> String {
    let is_bad = |line: &&str| {
        ["PANIC:", "FATAL:", "ERROR:", "HINT:", "DETAIL:"].iter().any(|mark| line.contains(mark))
            && !line.contains("terminating connection")
    };
    let mut lines: Vec<&str> = log.lines().filter(is_bad).collect();
    if lines.is_empty() {
        lines = log.lines().collect();
    }
    lines[lines.len().saturating_sub(COMPLAINT_LINES_MAX)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_what_went_wrong_and_not_what_came_before() {
        let log = "12:00 LOG:  starting\n12:00 FATAL:  no memory\n12:00 HINT:  buy some\n\
                   12:00 LOG:  database system is shut down";
        assert_eq!(complaint(log), "12:00 FATAL:  no memory\n12:00 HINT:  buy some");
        assert_eq!(complaint("Killed"), "Killed");
    }
}
