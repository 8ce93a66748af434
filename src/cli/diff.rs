//! `fingerprint` and `diff`: the schema of a database in a file, and what differs between two.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::connect::{Address, Session};
use crate::observe;
use crate::report;
use crate::run::ExitStatus;
use crate::scenario::Accepted;
use crate::schema::{Difference, Stored};

use super::args::{DiffArguments, FingerprintArguments, Format};
use super::secrets::without_passwords;
use super::{complain, show, width};

/// One side of a comparison; the name is for people and without a password.
struct Schema {
    name: String,
    stored: Stored,
}

/// Where a side comes from.
enum SchemaSource {
    Database(Box<Address>),
    /// Read already.
    File(Schema),
}

/// What went wrong, in the words of `failed to …`, and how the process ends with it.
type Failure = (ExitStatus, String);

pub async fn fingerprint(arguments: &FingerprintArguments) -> ExitStatus {
    match write_fingerprint(arguments).await {
        Ok(()) => ExitStatus::AsExpected,
        Err(failure) => print_failure(failure),
    }
}

pub async fn diff(arguments: &DiffArguments) -> ExitStatus {
    match compare(arguments).await {
        Ok(ending) => ending,
        Err(failure) => print_failure(failure),
    }
}

fn print_failure((ending, error): Failure) -> ExitStatus {
    complain(&error);
    ending
}

async fn write_fingerprint(arguments: &FingerprintArguments) -> Result<(), Failure> {
    let Some(address) = address(&arguments.url) else {
        let error = "read a schema: a database is given as postgres://user@host:5432/database";
        return Err((ExitStatus::BadInput, error.to_owned()));
    };
    let address = address?;
    if let Some(path) = &arguments.out {
        is_writable(path).map_err(|error| (ExitStatus::BadInput, error))?;
    }
    let text = read_database(&address).await?.to_text();
    match &arguments.out {
        Some(path) => write(path, &text).map_err(|error| (ExitStatus::Failed, error)),
        None => {
            anstream::print!("{text}");
            Ok(())
        }
    }
}

/// Before anything is read: a missing directory is reported at once.
pub(super) fn is_writable(path: &Path) -> Result<(), String> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    match path.is_dir() || !parent.is_dir() {
        true => Err(format!("write {}: it is no file in a directory that exists", path.display())),
        false => Ok(()),
    }
}

/// Replaces the file in one step, so that what was there is never half a new one.
pub(super) fn write(path: &Path, text: &str) -> Result<(), String> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    fs::write(&partial, text)
        .and_then(|()| fs::rename(&partial, path))
        .map_err(|error| format!("write {}: {error}", path.display()))
}

async fn compare(arguments: &DiffArguments) -> Result<ExitStatus, Failure> {
    let accepted = accepted(&arguments.accept)?;
    // Files are read here: what is wrong with one is reported before any connection is opened.
    let first = place(&arguments.from)?;
    let (from, to) = match (&arguments.to, &arguments.against) {
        (Some(to), _) => (first, place(to)?),
        (None, Some(file)) => (read_file(file)?, first),
        // One of them is there; that is the parser's promise.
        (None, None) => return Err((ExitStatus::BadInput, "find what to compare with".to_owned())),
    };
    let (from, to) = (schema(from).await?, schema(to).await?);
    if from.stored.server_major != to.stored.server_major {
        anstream::eprintln!(
            "pgauntlet: {} is of PostgreSQL {}, {} of {}: majors tell some things otherwise",
            from.name,
            from.stored.server_major,
            to.name,
            to.stored.server_major
        );
    }
    let differences = from.stored.fingerprint.diff(&to.stored.fingerprint);
    let (known, open): (Vec<Difference>, Vec<Difference>) =
        differences.into_iter().partition(|d| accepted.iter().any(|a| covers(a, d)));
    print(arguments.format, &from, &to, &open, known.len());
    let is_unused = |a: &&Accepted| !known.iter().any(|d| covers(a, d));
    let unused: Vec<&Accepted> = accepted.iter().filter(is_unused).collect();
    for accepted in &unused {
        let accepted = accepted.to_string();
        complain(&format!("find the accepted difference {accepted:?}: take its --accept away"));
    }
    match open.is_empty() && unused.is_empty() {
        true => Ok(ExitStatus::AsExpected),
        false => Ok(ExitStatus::NotAsExpected),
    }
}

fn print(format: Format, from: &Schema, to: &Schema, open: &[Difference], known: usize) {
    match format {
        Format::Text => {
            let (was, is) = (&from.stored.fingerprint, &to.stored.fingerprint);
            show(report::differences(was, is, open, width()).trim_end_matches('\n'));
            show(&summary(from, to, open, known));
        }
        // Texts are JSON always.
        Format::Json => {
            anstream::println!("{}", serde_json::to_string_pretty(open).unwrap_or_default());
        }
    }
}

fn accepted(texts: &[String]) -> Result<Vec<Accepted>, Failure> {
    let parse = |text: &String| {
        Accepted::parse(text).ok_or_else(|| {
            let error = format!(
                "understand --accept {text:?}; it is KIND NAME, or KIND NAME: PROPERTY as in \
                 'column public.orders.total: type'"
            );
            (ExitStatus::BadInput, error)
        })
    };
    texts.iter().map(parse).collect()
}

fn covers(accepted: &Accepted, difference: &Difference) -> bool {
    accepted.covers(&difference.object, &difference.property)
}

fn summary(from: &Schema, to: &Schema, open: &[Difference], known: usize) -> String {
    let count = |number: usize, noun: &str| {
        format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
    };
    let accepted = match known {
        0 => String::new(),
        known => format!(" ({known} accepted)"),
    };
    let (from_name, to_name) = (&from.name, &to.name);
    if open.is_empty() {
        let objects = count(to.stored.fingerprint.objects.len(), "object");
        return format!("no difference{accepted}: {objects} in {to_name} as in {from_name}");
    }
    let mut objects: Vec<&str> = open.iter().map(|d| d.object.as_str()).collect();
    objects.dedup();
    let differences = count(open.len(), "difference");
    let objects = count(objects.len(), "object");
    format!("{differences} in {objects}{accepted}, from {from_name} to {to_name}")
}

/// An address, or else the file of that name.
fn place(text: &str) -> Result<SchemaSource, Failure> {
    match address(text) {
        Some(address) => address.map(|address| SchemaSource::Database(Box::new(address))),
        None => read_file(Path::new(text)),
    }
}

/// None: the text is no URL.
fn address(text: &str) -> Option<Result<Address, Failure>> {
    let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    // The error does not repeat the text, and so no password.
    is_url.then(|| Address::parse(text).map_err(|error| (ExitStatus::BadInput, error.to_string())))
}

/// A mistyped URL is taken for a file's name, with the password in it.
fn read_file(path: &Path) -> Result<SchemaSource, Failure> {
    let name = without_passwords(&path.display().to_string());
    let fail =
        |error: String| (ExitStatus::BadInput, format!("read the fingerprint {name}: {error}"));
    let text = fs::read_to_string(path).map_err(|error| {
        fail(format!("{error}; it is a file, or a database as postgres://user@host:5432/database"))
    })?;
    let stored = Stored::parse(&text).map_err(|error| fail(error.to_string()))?;
    Ok(SchemaSource::File(Schema { name, stored }))
}

async fn schema(place: SchemaSource) -> Result<Schema, Failure> {
    match place {
        SchemaSource::File(schema) => Ok(schema),
        SchemaSource::Database(address) => {
            let name = format!("{} at {}", address.database(), address.place());
            Ok(Schema { name, stored: read_database(&address).await? })
        }
    }
}

async fn read_database(address: &Address) -> Result<Stored, Failure> {
    let settings = BTreeMap::new();
    let session = Session::open(address, observe::APPLICATION_NAME, &settings).await;
    let session = session.map_err(|error| (ExitStatus::Failed, error.to_string()))?;
    observe::read_schema(&session).await.map_err(|error| (ExitStatus::Failed, error.to_string()))
}
