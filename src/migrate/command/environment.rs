//! What a command finds in its environment: how to reach the server, and its declared timeouts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::scenario::{Command, Sizes, Timeouts};

/// What the command is to connect to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// A name, an address, or the directory of a unix socket.
    pub host: &'a str,
    /// TCP port, or the port in a socket's name.
    pub port: u16,
    /// Role to connect as.
    pub user: &'a str,
    /// None: the role needs no password.
    pub password: Option<&'a str>,
    /// Database of the trial.
    pub database: &'a str,
    /// As libpq's `options`.
    pub options: Option<&'a str>,
}

/// The variables that tell a command where to connect and what its scenario declares.
/// `statement_timeout` is that of a trial of the `actual` sizes.
pub fn environment(
    target: &Target<'_>,
    timeouts: &Timeouts,
    declared: &Sizes,
    actual: &Sizes,
) -> BTreeMap<String, String> {
    let given = |value: u64| Some(value.to_string());
    let statement_timeout = timeouts.statement_timeout_ms_at(declared, actual);
    let idle = timeouts.idle_in_transaction_session_timeout_ms;
    [
        ("DATABASE_URL", Some(url(target))),
        ("PGHOST", Some(target.host.to_owned())),
        ("PGPORT", Some(target.port.to_string())),
        ("PGUSER", Some(target.user.to_owned())),
        ("PGPASSWORD", target.password.map(str::to_owned)),
        ("PGDATABASE", Some(target.database.to_owned())),
        ("PGSSLMODE", Some("disable".to_owned())),
        ("PGOPTIONS", target.options.map(str::to_owned)),
        ("PGAUNTLET_LOCK_TIMEOUT_MS", timeouts.lock_timeout_ms.and_then(given)),
        ("PGAUNTLET_STATEMENT_TIMEOUT_MS", statement_timeout.and_then(given)),
        ("PGAUNTLET_IDLE_IN_TRANSACTION_SESSION_TIMEOUT_MS", idle.and_then(given)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// The first program that the command requires and that is not on its PATH.
pub fn missing(command: &Command) -> Option<&str> {
    let own = command.environment.get("PATH").map(OsString::from);
    let path = own.or_else(|| std::env::var_os("PATH")).unwrap_or_default();
    let is_there = |name: &String| {
        std::env::split_paths(&path).any(|directory| is_program(&directory.join(name)))
    };
    command.requires.iter().find(|name| !is_there(name)).map(String::as_str)
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// `postgresql://`, because some tools know no `postgres://`; and without parameters, because
/// drivers take what they do not know for an error. `PGSSLMODE` says the rest.
fn url(target: &Target<'_>) -> String {
    let host = match target.host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => encoded(target.host),
    };
    let password = target.password.map(|p| format!(":{}", encoded(p))).unwrap_or_default();
    format!(
        "postgresql://{}{password}@{host}:{}/{}",
        encoded(target.user),
        target.port,
        encoded(target.database)
    )
}

/// Percent-encoded: all but RFC 3986's unreserved characters.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// Our environment without what the surrounding shell says of servers: a command that found its
/// own way to one would stay unseen.
pub(super) fn inherited(
    ours: impl IntoIterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = (OsString, OsString)> {
    ours.into_iter().filter(|(name, _)| {
        let name = name.as_encoded_bytes();
        name != b"DATABASE_URL" && !name.starts_with(b"PG")
    })
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Command, Scope};

    use super::*;

    const TARGET: Target<'_> = Target {
        host: "127.0.0.1",
        port: 5433,
        user: "app",
        password: None,
        database: "pgauntlet_1",
        options: None,
    };

    fn timeouts() -> Timeouts {
        Timeouts {
            scope: Scope::Session,
            lock_timeout_ms: Some(3_000),
            statement_timeout_ms: Some(30_000),
            idle_in_transaction_session_timeout_ms: Some(0),
            scale_with: Some("orders".to_owned()),
        }
    }

    fn sizes(rows: u64) -> Sizes {
        Sizes([("orders".to_owned(), rows)].into())
    }

    #[test]
    fn every_part_is_given_and_reserved() {
        let target = Target { password: Some("p"), ..TARGET };
        let given = environment(&target, &timeouts(), &sizes(1_000), &sizes(100));
        let wanted = [
            ("DATABASE_URL", "postgresql://app:p@127.0.0.1:5433/pgauntlet_1"),
            ("PGAUNTLET_IDLE_IN_TRANSACTION_SESSION_TIMEOUT_MS", "0"),
            ("PGAUNTLET_LOCK_TIMEOUT_MS", "3000"),
            ("PGAUNTLET_STATEMENT_TIMEOUT_MS", "3000"),
            ("PGDATABASE", "pgauntlet_1"),
            ("PGHOST", "127.0.0.1"),
            ("PGPASSWORD", "p"),
            ("PGPORT", "5433"),
            ("PGSSLMODE", "disable"),
            ("PGUSER", "app"),
        ];
        let given: Vec<_> = given.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(given, wanted);
        assert!(given.iter().all(|(name, _)| Command::reserves(name)));
    }

    #[test]
    fn what_is_not_there_is_not_given() {
        let none = Timeouts {
            lock_timeout_ms: None,
            statement_timeout_ms: None,
            idle_in_transaction_session_timeout_ms: None,
            ..timeouts()
        };
        let given = environment(&TARGET, &none, &sizes(1), &sizes(1));
        assert_eq!(given["DATABASE_URL"], url(&TARGET));
        assert!(!given.contains_key("PGPASSWORD"));
        assert!(!given.keys().any(|name| name.starts_with("PGAUNTLET_")));
    }

    #[test]
    fn the_url_means_what_the_parts_say() {
        for host in ["localhost", "127.0.0.1", "/tmp/a socket"] {
            let target = Target {
                host,
                user: "us:er@x/ä",
                password: Some("p%40 ?#&=+[]\\'\""),
                database: "a/b?c",
                ..TARGET
            };
            let url = url(&target);
            let read: tokio_postgres::Config = url.parse().expect("a URL");
            assert_eq!(read.get_user(), Some(target.user), "{url}");
            assert_eq!(read.get_password(), target.password.map(str::as_bytes), "{url}");
            assert_eq!(read.get_dbname(), Some(target.database), "{url}");
            assert_eq!(read.get_ports(), [5433], "{url}");
            let shown = format!("{:?}", read.get_hosts());
            assert!(shown.contains(host), "{url}: {shown}");
        }
        let six = Target { host: "::1", ..TARGET };
        assert_eq!(url(&six), "postgresql://app@[::1]:5433/pgauntlet_1");
    }

    #[test]
    fn nothing_of_another_server_is_inherited() {
        let ours = ["PATH", "DATABASE_URL", "PGHOST", "PGSERVICE", "PGAUNTLET_SERVER", "HOME"];
        let ours = ours.map(|name| (OsString::from(name), OsString::from("x")));
        let left: Vec<_> = inherited(ours).map(|(name, _)| name).collect();
        assert_eq!(left, ["PATH", "HOME"]);
    }
}
