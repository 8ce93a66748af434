//! A connection string and what libpq adds to it: parameters that the driver does not know, a
//! service, the environment, a file of passwords.
//!
//! A parameter of the string wins over one of the service, which wins over the environment.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::address_error::AddressError;

/// What the driver does not know, and we take from the string.
const OURS: &[&str] = &["sslmode", "sslrootcert", "service", "passfile"];
/// What says nothing that matters here.
const IGNORED: &[&str] =
    &["gssencmode", "sslcompression", "sslsni", "client_encoding", "fallback_application_name"];
/// Parameters and the variables that stand for them.
const VARIABLES: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("dbname", "PGDATABASE"),
    ("password", "PGPASSWORD"),
    ("options", "PGOPTIONS"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("passfile", "PGPASSFILE"),
    ("service", "PGSERVICE"),
];

/// The environment, or what a test has in its place.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A string without what is ours, and that.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// For the driver's own parser.
    pub rest: String,
    pub ours: BTreeMap<String, String>,
}

pub fn is_url(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// Takes out of the string what the driver does not know.
pub fn split(text: &str) -> Result<Split, AddressError> {
    if !is_url(text) {
        return split_words(text);
    }
    is_well_formed(text)?;
    Ok(split_url(text))
}

/// What the driver takes and no server has: it would look for a host that is part of a password,
/// or sign in with another one.
fn is_well_formed(url: &str) -> Result<(), AddressError> {
    let refused = |why| Err(AddressError::Url { why });
    let escapes = url.split('%').skip(1).map(|rest| rest.get(..2).unwrap_or_default());
    let is_escape = |digits: &str| {
        digits.len() == 2 && digits.chars().all(|c| c.is_ascii_hexdigit()) && digits != "00"
    };
    if !escapes.into_iter().all(is_escape) {
        return refused("a % is followed by two hexadecimal digits; a % itself is written %25");
    }
    let Some((before, behind)) = url.split_once('@') else { return Ok(()) };
    if before.contains('?') {
        return refused("a ? precedes an @; written in a value, they are %3F and %40");
    }
    if behind.split(['/', '?']).next().is_some_and(|host| host.contains('@')) {
        return refused("it has several @; in a user or a password, one is written %40");
    }
    Ok(())
}

fn split_url(text: &str) -> Split {
    let Some((before, query)) = text.split_once('?') else {
        return Split { rest: text.to_owned(), ours: BTreeMap::new() };
    };
    let (mut ours, mut kept) = (BTreeMap::new(), Vec::new());
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if OURS.contains(&name) {
            ours.insert(name.to_owned(), decoded(value));
        } else if !IGNORED.contains(&name) {
            kept.push(parameter);
        }
    }
    let rest = match kept.is_empty() {
        true => before.to_owned(),
        false => format!("{before}?{}", kept.join("&")),
    };
    Split { rest, ours }
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `name = value`, where a value with spaces is in quotes and a backslash escapes a character.
fn split_words(text: &str) -> Result<Split, AddressError> {
    let (mut ours, mut kept) = (BTreeMap::new(), Vec::new());
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, behind) = rest.split_once('=').ok_or(AddressError::Words)?;
        let (value, behind) = word(behind.trim_start())?;
        let name = name.trim();
        if OURS.contains(&name) {
            ours.insert(name.to_owned(), value);
        } else if !IGNORED.contains(&name) {
            let value = value.replace('\\', r"\\").replace('\'', r"\'");
            kept.push(format!("{name}='{value}'"));
        }
        rest = behind.trim_start();
    }
    Ok(Split { rest: kept.join(" "), ours })
}

fn word(text: &str) -> Result<(String, &str), AddressError> {
    let (quoted, mut value) = (text.starts_with('\''), String::new());
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            c if c.is_whitespace() && !quoted => return Ok((value, &text[at..])),
            c => value.push(c),
        }
    }
    if quoted { Err(AddressError::Words) } else { Ok((value, "")) }
}

/// What a service and the environment say, beside what the string has of ours.
pub fn defaults(
    ours: &BTreeMap<String, String>,
    variable: Variables<'_>,
) -> Result<BTreeMap<String, String>, AddressError> {
    let mut all = BTreeMap::new();
    for (name, named) in VARIABLES {
        if let Some(value) = variable(named).filter(|value| !value.is_empty()) {
            all.insert((*name).to_owned(), value);
        }
    }
    if let Some(service) = ours.get("service").or(all.get("service")).cloned() {
        all.extend(read_service(&service, variable)?);
    }
    all.extend(ours.clone());
    Ok(all)
}

fn read_service(
    name: &str,
    variable: Variables<'_>,
) -> Result<BTreeMap<String, String>, AddressError> {
    let own = variable("PGSERVICEFILE").map(PathBuf::from);
    let own = own.or_else(|| Some(home(variable)?.join(".pg_service.conf")));
    let directory = variable("PGSYSCONFDIR").map(PathBuf::from);
    let of_system = directory.unwrap_or_else(|| PathBuf::from("/etc/postgresql-common"));
    for path in own.into_iter().chain([of_system.join("pg_service.conf")]) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if let Some(found) = section(&text, name) {
            return Ok(found);
        }
    }
    Err(AddressError::NoService { name: name.to_owned() })
}

fn section(text: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| *line == format!("[{name}]"))?;
    let within = lines.take_while(|line| !line.starts_with('['));
    let pairs = within.filter(|line| !line.starts_with('#')).filter_map(|l| l.split_once('='));
    Some(pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect())
}

fn home(variable: Variables<'_>) -> Option<PathBuf> {
    variable("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// libpq's default for `sslrootcert`.
pub fn own_root(variable: Variables<'_>) -> Option<PathBuf> {
    Some(home(variable)?.join(".postgresql/root.crt"))
}

/// Whom a password is looked up for.
pub struct Login<'a> {
    pub host: &'a str,
    pub port: u16,
    pub database: &'a str,
    pub user: &'a str,
}

/// The password of the first line that fits. As in libpq, a file that others may read is not used.
pub fn password(login: &Login<'_>, file: Option<&str>, variable: Variables<'_>) -> Option<String> {
    let path = file.map(PathBuf::from).or_else(|| Some(home(variable)?.join(".pgpass")))?;
    let found = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
    if found.permissions().mode() & 0o077 != 0 {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| password_in(line, login))
}

fn password_in(line: &str, login: &Login<'_>) -> Option<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        let last = fields.len() - 1;
        match c {
            '\\' => fields[last].extend(characters.next()),
            ':' if fields.len() < 5 => fields.push(String::new()),
            c => fields[last].push(c),
        }
    }
    let [host, port, database, user, password] = fields.as_slice() else { return None };
    let fits = |field: &String, value: &str| field == "*" || field == value;
    // The name for every socket.
    let host_fits = fits(host, login.host) || (host == "localhost" && is_socket(login.host));
    let rest_fits = fits(port, &login.port.to_string()) && fits(database, login.database);
    (host_fits && rest_fits && fits(user, login.user)).then(|| password.clone())
}

fn is_socket(host: &str) -> bool {
    Path::new(host).is_absolute()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("postgres://u:p@h/db", "postgres://u:p@h/db", &[])]
    #[case(
        "postgres://h/db?sslmode=verify-full&options=-c%20a&sslrootcert=%2Fca.pem",
        "postgres://h/db?options=-c%20a",
        &[("sslmode", "verify-full"), ("sslrootcert", "/ca.pem")],
    )]
    #[case(
        r"host=h password = 'it\'s a \\' sslmode=require gssencmode=disable",
        r"host='h' password='it\'s a \\'",
        &[("sslmode", "require")],
    )]
    fn what_the_driver_does_not_know_is_taken_out(
        #[case] text: &str,
        #[case] rest: &str,
        #[case] ours: &[(&str, &str)],
    ) {
        let ours = ours.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        assert_eq!(split(text).unwrap(), Split { rest: rest.to_owned(), ours });
    }

    #[rstest]
    #[case("h:5432:db:u:secret", Some("secret"))]
    #[case("*:*:*:*:a:b", Some("a:b"))]
    #[case(r"h:5432:db:u:a\:b\\c", Some(r"a:b\c"))]
    #[case("h:5433:db:u:secret", None)]
    #[case("h:5432:db:other:secret", None)]
    #[case("h:5432", None)]
    fn a_line_of_the_file_of_passwords_fits_or_not(
        #[case] line: &str,
        #[case] found: Option<&str>,
    ) {
        let login = Login { host: "h", port: 5432, database: "db", user: "u" };
        assert_eq!(password_in(line, &login).as_deref(), found);
    }

    #[test]
    fn the_string_wins_over_the_service_and_the_service_over_the_environment() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("services");
        fs::write(&file, "[other]\nhost=x\n# not this\n[mine]\nhost = s\nuser=s\n").unwrap();
        let file = file.display().to_string();
        let variable = |name: &str| match name {
            "PGSERVICEFILE" => Some(file.clone()),
            "PGHOST" | "PGPASSWORD" => Some("e".to_owned()),
            _ => None,
        };
        let ours = BTreeMap::from([("service".to_owned(), "mine".to_owned())]);
        let all = defaults(&ours, &variable).unwrap();
        let value = |name: &str| all.get(name).map(String::as_str);
        assert_eq!((value("host"), value("user")), (Some("s"), Some("s")));
        assert_eq!(value("password"), Some("e"));
        let ours = BTreeMap::from([("service".to_owned(), "none".to_owned())]);
        assert!(matches!(defaults(&ours, &variable), Err(AddressError::NoService { .. })));
    }
}
