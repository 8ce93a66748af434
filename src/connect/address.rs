//! Where a server is and as whom we speak to it.

use std::collections::BTreeMap;
use std::path::Path;

use tokio_postgres::config::{Host, SslMode};

use super::address_error::AddressError;
use super::parameters::{self, Login, Split, Variables};
use super::tls::{Mode, Roots, Tls};

/// A database on a server. Cheap to clone; another database on the same server is one call away.
#[derive(Clone, Debug)]
pub struct Address {
    config: tokio_postgres::Config,
    tls: Tls,
}

impl Address {
    /// A `postgres://` URL or a libpq keyword string. As in libpq, what it leaves open comes from
    /// a service (PGSERVICE), the environment (PGHOST, PGPASSWORD, PGSSLMODE, …) and the file of
    /// passwords (PGPASSFILE, ~/.pgpass).
    ///
    /// # Errors
    /// The string is no connection string, or names a service or a certificate that is not there.
    pub fn parse(url: &str) -> Result<Address, AddressError> {
        Address::parse_with(url, &|name| std::env::var(name).ok())
    }

    fn parse_with(url: &str, variable: Variables<'_>) -> Result<Address, AddressError> {
        let Split { rest, ours } = parameters::split(url)?;
        let defaults = parameters::defaults(&ours, variable)?;
        let mut config = driver_config(&rest)?;
        let default = |name: &str| defaults.get(name).map(String::as_str);
        if config.get_hosts().is_empty() {
            config.host(default("host").unwrap_or("localhost"));
        }
        if let Some(port) = default("port").filter(|_| config.get_ports().is_empty()) {
            let value = || AddressError::Port { value: port.to_owned() };
            config.port(port.parse().map_err(|_| value())?);
        }
        has_usable_ports(&config)?;
        if let Some(user) = default("user").filter(|_| config.get_user().is_none()) {
            config.user(user);
        }
        if let Some(name) = default("dbname").filter(|_| config.get_dbname().is_none()) {
            config.dbname(name);
        }
        if let Some(options) = default("options").filter(|_| config.get_options().is_none()) {
            config.options(options);
        }
        let mode = default("sslmode").map_or(Ok(Mode::default()), Mode::parse)?;
        let named = default("sslrootcert").map(|path| match path {
            "system" => Roots::System,
            path => Roots::File(path.into()),
        });
        let own = || parameters::own_root(variable).filter(|path| path.is_file());
        let roots = named.or_else(|| own().map(Roots::File)).unwrap_or_default();
        let mut address = Address { config, tls: Tls::new(mode, roots)? };
        address.set_ssl_mode();
        if address.config.get_password().is_none() {
            let found = default("password").map(str::to_owned);
            if let Some(password) = found.or_else(|| address.kept_password(&defaults, variable)) {
                address.config.password(password);
            }
        }
        Ok(address)
    }

    fn kept_password(
        &self,
        defaults: &BTreeMap<String, String>,
        variable: Variables<'_>,
    ) -> Option<String> {
        let (host, port) = self.host_and_port();
        let login = Login { host: &host, port, database: self.database(), user: self.user() };
        parameters::password(&login, defaults.get("passfile").map(String::as_str), variable)
    }

    /// Verification is the connector's: the driver knows whether there must be TLS.
    fn set_ssl_mode(&mut self) {
        self.config.ssl_mode(match self.tls.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        });
    }

    /// A server that listens on a unix socket in `directory`.
    pub fn unix(directory: &Path, port: u16, user: &str) -> Address {
        let mut config = tokio_postgres::Config::new();
        config.host_path(directory).port(port).user(user).dbname("postgres");
        config.ssl_mode(SslMode::Disable);
        Address { config, tls: Tls::disabled() }
    }

    /// A server on TCP.
    pub fn tcp(host: &str, port: u16, user: &str, password: Option<&str>) -> Address {
        let mut config = tokio_postgres::Config::new();
        config.host(host).port(port).user(user).dbname("postgres");
        if let Some(password) = password {
            config.password(password);
        }
        config.ssl_mode(SslMode::Disable);
        Address { config, tls: Tls::disabled() }
    }

    /// The same server, user and settings with another database.
    pub fn with_database(&self, name: &str) -> Address {
        let mut config = self.config.clone();
        config.dbname(name);
        Address { config, tls: self.tls.clone() }
    }

    /// The same place as another user.
    pub fn with_login(&self, user: &str, password: Option<&str>) -> Address {
        let mut config = self.config.clone();
        config.user(user);
        if let Some(password) = password {
            config.password(password);
        }
        Address { config, tls: self.tls.clone() }
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
        Address { config, tls: Tls::disabled() }
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
        let (host, port) = self.host_and_port();
        format!("{host}:{port}")
    }

    /// The host, or the directory of a unix socket, and the port.
    pub fn host_and_port(&self) -> (String, u16) {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "localhost".to_owned(),
        };
        (host, self.config.get_ports().first().copied().unwrap_or(5432))
    }

    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    pub(super) fn config(&self) -> &tokio_postgres::Config {
        &self.config
    }
}

fn driver_config(text: &str) -> Result<tokio_postgres::Config, AddressError> {
    text.parse().map_err(|source| {
        let error = AddressError::Driver { source };
        // A name that is not known may be the rest of a password with spaces.
        let names_one = error.to_string().contains("unknown option");
        match names_one && !parameters::is_url(text) && text.contains("password=") {
            true => AddressError::BehindPassword,
            false => error,
        }
    })
}

/// What the driver notices only when it connects.
fn has_usable_ports(config: &tokio_postgres::Config) -> Result<(), AddressError> {
    let (hosts, ports) = (config.get_hosts().len(), config.get_ports());
    if ports.contains(&0) {
        return Err(AddressError::Port { value: "0".to_owned() });
    }
    match ports.len() {
        0 | 1 => Ok(()),
        ports if ports == hosts => Ok(()),
        ports => Err(AddressError::Ports { hosts, ports }),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn parsed(text: &str, variables: &[(&str, &str)]) -> Result<Address, AddressError> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Address::parse_with(text, &variable)
    }

    #[rstest]
    #[case("postgres://u:s3cret@h:port/db")]
    #[case("postgres://u:s3cret@h/db?nonsense=1")]
    #[case("host=h password='s3cret")]
    #[case("mysql://u:s3cret@h/db")]
    #[case("s3cret")]
    #[case("postgres://u:s3cret@h/db?sslmode=full")]
    #[case("postgres://u:s3cret%zz@h/db")]
    #[case("postgres://u:%s3cret@h/db")]
    #[case("postgres://u:p@s3cret@h/db")]
    #[case("postgres://u:p?s3cret=1@h/db")]
    #[case("postgres://u:p?s3cret@h/db")]
    #[case("postgres://u:s3cret@h:0/db")]
    #[case("postgres://u:s3cret@[::1/db")]
    #[case("host=h password=a s3cret=b")]
    #[case("host=a,b port=1,2,3 password=s3cret")]
    #[case("host=h port=abc password=s3cret")]
    fn an_address_that_cannot_be_read_is_not_in_its_error(#[case] text: &str) {
        let error = parsed(text, &[]).expect_err(text).to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn what_the_string_leaves_open_is_the_environments() {
        let variables =
            [("PGHOST", "e"), ("PGPORT", "6000"), ("PGUSER", "eu"), ("PGPASSWORD", "ep")];
        let address = parsed("postgres://", &variables).unwrap();
        assert_eq!((address.place().as_str(), address.user()), ("e:6000", "eu"));
        assert_eq!(address.password().as_deref(), Some("ep"));
        let address = parsed("postgres://u:p@h:1/db", &variables).unwrap();
        assert_eq!((address.place().as_str(), address.user()), ("h:1", "u"));
        assert_eq!(address.password().as_deref(), Some("p"));
    }

    #[test]
    fn a_password_comes_from_a_file_that_nobody_else_may_read() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("passwords");
        std::fs::write(&path, "h:5432:*:u:kept\n").unwrap();
        let file = path.display().to_string();
        for (mode, found) in [(0o600, Some("kept")), (0o644, None)] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let address = parsed("postgres://u@h/db", &[("PGPASSFILE", &file)]).unwrap();
            assert_eq!(address.password().as_deref(), found, "{mode:o}");
        }
    }

    #[rstest]
    #[case("", SslMode::Prefer)]
    #[case("?sslmode=disable", SslMode::Disable)]
    #[case("?sslmode=require", SslMode::Require)]
    fn tls_is_there_as_sslmode_says(#[case] query: &str, #[case] mode: SslMode) {
        let address = parsed(&format!("postgres://u@h/db{query}"), &[]).unwrap();
        assert_eq!(address.config().get_ssl_mode(), mode);
    }

    #[rstest]
    #[case("?sslmode=verify-ca", "sslrootcert")]
    #[case("?sslmode=verify-full&sslrootcert=/nowhere.pem", "/nowhere.pem")]
    #[case("?sslmode=require&sslrootcert=system", "verify-full")]
    fn a_certificate_that_cannot_be_verified_is_refused(#[case] query: &str, #[case] says: &str) {
        let error = parsed(&format!("postgres://u@h/db{query}"), &[]).expect_err(query);
        assert!(error.to_string().contains(says), "{error}");
    }
}
