//! Where a server is and as whom we speak to it.

use std::path::Path;

use tokio_postgres::config::{Host, SslMode};

/// A database on a server. Cheap to clone; another database on the same server is one call away.
#[derive(Clone, Debug)]
pub struct Address {
    config: tokio_postgres::Config,
}

/// A connection string that cannot be parsed. It never holds the string, which has a password.
#[derive(Debug, thiserror::Error)]
#[error("read the server's address: {source}; it is written postgres://user:password@host:5432/")]
pub struct AddressError {
    source: tokio_postgres::Error,
}

impl Address {
    /// A `postgres://` URL or a libpq keyword string.
    ///
    /// # Errors
    /// The string is no connection string.
    pub fn parse(url: &str) -> Result<Address, AddressError> {
        let config = url.parse().map_err(|source| AddressError { source })?;
        Ok(Address { config })
    }

    /// A server that listens on a unix socket in `directory`.
    pub fn unix(directory: &Path, port: u16, user: &str) -> Address {
        let mut config = tokio_postgres::Config::new();
        config.host_path(directory).port(port).user(user).dbname("postgres");
        config.ssl_mode(SslMode::Disable);
        Address { config }
    }

    /// A server on TCP.
    pub fn tcp(host: &str, port: u16, user: &str, password: Option<&str>) -> Address {
        let mut config = tokio_postgres::Config::new();
        config.host(host).port(port).user(user).dbname("postgres");
        if let Some(password) = password {
            config.password(password);
        }
        config.ssl_mode(SslMode::Disable);
        Address { config }
    }

    /// The same server, user and settings with another database.
    pub fn with_database(&self, name: &str) -> Address {
        let mut config = self.config.clone();
        config.dbname(name);
        Address { config }
    }

    /// The same database and user at another place, which wants a password of its own: where a
    /// tap takes the server's place.
    pub fn at(&self, socket: std::net::SocketAddr, password: Option<&str>) -> Address {
        let host = socket.ip().to_string();
        let there = Address::tcp(&host, socket.port(), self.user(), password);
        let mut config = there.with_database(self.database()).config;
        if let Some(options) = self.config.get_options() {
            config.options(options);
        }
        Address { config }
    }

    /// What the address asks the server to set, as in `-c search_path=app`.
    pub fn options(&self) -> Option<&str> {
        self.config.get_options()
    }

    /// None: the address has no password, or one that is not UTF-8.
    pub fn password(&self) -> Option<String> {
        self.config.get_password().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The database's name; `postgres` where the address names none.
    pub fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or("postgres")
    }

    /// The user's name; `postgres` where the address names none.
    pub fn user(&self) -> &str {
        self.config.get_user().unwrap_or("postgres")
    }

    /// Host and port for people; no password.
    pub fn place(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "localhost".to_owned(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        format!("{host}:{port}")
    }

    pub(super) fn config(&self) -> &tokio_postgres::Config {
        &self.config
    }
}
