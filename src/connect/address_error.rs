//! Why an address cannot be used, each with the way out.

/// A connection string that cannot be used. It never holds the string, which has a password.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum AddressError {
    #[error(
        "read the server's address: {}; it is written postgres://user:password@host:5432/",
        chain(source)
    )]
    Driver { source: tokio_postgres::Error },
    #[error(
        "read the server's address: a NAME = VALUE has no = or no end of its quotes; it is written \
         postgres://user:password@host:5432/"
    )]
    Words,
    #[error("read the server's address: {why}")]
    Url { why: &'static str },
    #[error(
        "read the server's address: what follows the password is no known NAME = VALUE; a value \
         with spaces is in quotes"
    )]
    BehindPassword,
    #[error(
        "read the server's address: {ports} ports of {hosts} hosts; name one port, or one each"
    )]
    Ports { hosts: usize, ports: usize },
    #[error("use sslmode={mode}: it is disable, allow, prefer, require, verify-ca or verify-full")]
    SslMode { mode: String },
    #[error(
        "verify the server's certificate: no root certificate is named; name a file with \
         sslrootcert=FILE, put it at ~/.postgresql/root.crt, or take the system's with \
         sslmode=verify-full&sslrootcert=system"
    )]
    NoRoot,
    #[error("use sslrootcert=system: it is for sslmode=verify-full alone")]
    SystemRoots,
    #[error("use sslrootcert=system: this system has no root certificates; name a file")]
    NoSystemRoots,
    #[error("read the root certificates of {}: {why}; it is a file in PEM form", path.display())]
    Root { path: std::path::PathBuf, why: String },
    #[error("set up TLS: {why}")]
    Tls { why: String },
    #[error("use TLS: this pgauntlet was built without it; build it with its default features")]
    NotBuilt,
    #[error(
        "find the service {name:?}: it is neither in ~/.pg_service.conf (PGSERVICEFILE) nor in \
         the system's pg_service.conf (PGSYSCONFDIR)"
    )]
    NoService { name: String },
    #[error("read the server's address: {value:?} is no port")]
    Port { value: String },
}

/// The driver's own errors say little without their source, which never holds the string.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
