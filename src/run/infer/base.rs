//! The schema that a change begins from, as text: what a file says, what a command makes in an
//! empty database, or what a running database has.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process;

use crate::connect::Address;
use crate::history::{Listener, Progress};
use crate::pg::purpose;
use crate::provision::Server;
use crate::scenario::{Change, Command, OF_A_CLONE};

use super::super::Error;
use super::super::databases::Databases;
use super::super::effects::{Effects, Origin};
use super::super::identities;
use super::super::request::CloneCommands;
use super::rehearsal::Rehearsal;

/// Where the schema comes from.
#[derive(Clone, Debug)]
pub enum Base {
    /// SQL, as psql would run it.
    Script {
        /// Where it is from, for errors.
        path: PathBuf,
        /// What it says.
        text: String,
    },
    /// What a command makes in an empty database, rows included.
    Command(Command),
    /// The schema of a running database, and what migration tools keep there. Nothing else is read
    /// of its rows.
    Database(Box<DatabaseUrl>),
    /// What is in a clone, rows included.
    Clone(CloneCommands),
}

/// In place of the schema of a clone: the scenario is that of one run, and cannot be run again
/// without its clones.
fn of_a_clone() -> String {
    format!(
        "DO $$ BEGIN RAISE EXCEPTION '{OF_A_CLONE}: run pgauntlet try --clone again'; END $$;\n"
    )
}

/// A database by its URL.
#[derive(Clone, Debug)]
pub struct DatabaseUrl {
    url: String,
    parsed: Address,
}

impl DatabaseUrl {
    /// Reads a `postgres://` URL.
    ///
    /// # Errors
    /// Why it is none, without its password.
    pub fn parse(url: &str) -> Result<DatabaseUrl, String> {
        let parsed = Address::parse(url).map_err(|error| error.to_string())?;
        Ok(DatabaseUrl { url: url.to_owned(), parsed })
    }

    /// Without the password, which other users of the machine would see in the list of processes.
    /// One that is written in another form than it is stays.
    fn bare(&self) -> String {
        match self.parsed.password() {
            Some(password) => self.url.replacen(&format!(":{password}@"), "@", 1),
            None => self.url.clone(),
        }
    }
}

impl Base {
    /// The commands that give it, where it has rows already.
    pub(super) fn clones(&self) -> Option<&CloneCommands> {
        match self {
            Base::Clone(commands) => Some(commands),
            _ => None,
        }
    }

    /// For people.
    pub fn name(&self) -> String {
        match self {
            Base::Script { path, .. } => path.display().to_string(),
            Base::Command(command) => format!("`{}`", command.line),
            Base::Clone(commands) => format!("a clone, `{}`", commands.clone),
            Base::Database(address) => {
                format!("{} on {}", address.parsed.database(), address.parsed.place())
            }
        }
    }

    /// Where errors in its text are.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Base::Script { path, .. } => path.clone(),
            Base::Command(_) | Base::Database(_) | Base::Clone(_) => PathBuf::from("schema.sql"),
        }
    }

    /// The schema as psql would run it.
    pub(super) async fn text(
        &self,
        effects: &dyn Effects,
        (server, databases): (&dyn Server, &Databases),
        listener: &Listener,
    ) -> Result<Cow<'_, str>, Error> {
        let step = |sentence: &str| listener(Progress::SeedStep(sentence.to_owned()));
        match self {
            Base::Script { text, .. } => Ok(Cow::Borrowed(text)),
            Base::Clone(_) => Ok(Cow::Owned(of_a_clone())),
            Base::Command(command) => {
                step(&format!("run {}", command.line));
                let name = databases.name();
                let address = effects.make(server, &Origin::Empty, &name).await?;
                let dumped = dumped_after(effects, server, (&address, command), listener).await;
                databases.drop(effects, &server.address(), &name).await?;
                dumped.map(Cow::Owned)
            }
            Base::Database(url) => {
                step("read the schema");
                let dump = Dump { server: None, target: Target::Url(url) };
                let schema = dump.run(&["--schema-only"]).await?;
                let tables: Vec<String> =
                    purpose::tools_own().map(|name| format!("--table=*.\"{name}\"")).collect();
                let mut options = vec!["--data-only"];
                options.extend(tables.iter().map(String::as_str));
                // A database that has none of them is as good.
                let versions = dump.run(&options).await.unwrap_or_default();
                Ok(Cow::Owned(format!("{schema}\n{versions}")))
            }
        }
    }
}

async fn dumped_after(
    effects: &dyn Effects,
    server: &dyn Server,
    (address, command): (&Address, &Command),
    listener: &Listener,
) -> Result<String, Error> {
    let over_tcp = identities::over_tcp(server, address);
    let change =
        Change { command: Some(command.clone()), versions: None, ..Change::of(Vec::new()) };
    let rehearsal = Rehearsal::of(effects, (address, &over_tcp), &change, listener).await?;
    if let Some(why) = rehearsal.failure() {
        let line = command.line.clone();
        return Err(Error::Base { line, why });
    }
    let dump = Dump { server: Some(server), target: Target::Address(&over_tcp) };
    dump.run(&["--no-owner", "--no-privileges"]).await
}

/// What is dumped.
enum Target<'a> {
    Url(&'a DatabaseUrl),
    Address(&'a Address),
}

/// `pg_dump` of a database.
struct Dump<'a> {
    /// The server, where it is one of ours.
    server: Option<&'a dyn Server>,
    target: Target<'a>,
}

impl Dump<'_> {
    async fn run(&self, options: &[&str]) -> Result<String, Error> {
        let beside = self.server.and_then(|server| server.program("pg_dump"));
        let program = beside.unwrap_or_else(|| Path::new("pg_dump").to_owned());
        let mut command = process::Command::new(&program);
        command.args(options).stdin(Stdio::null()).kill_on_drop(true);
        match self.target {
            Target::Url(url) => command.arg(format!("--dbname={}", url.bare())),
            Target::Address(address) => {
                let (host, port) = address.host_and_port();
                let (port, user) = (port.to_string(), address.user());
                command.args(["--host", &host, "--port", &port, "--username", user]);
                command.args(["--dbname", address.database()])
            }
        };
        let password = match self.target {
            Target::Url(url) => url.parsed.password(),
            Target::Address(address) => address.password(),
        };
        if let Some(password) = password {
            command.env("PGPASSWORD", password);
        }
        let failed = |why: String| Error::Dump { why, major: self.server.map(major) };
        let output = command.output().await;
        let output = output.map_err(|error| failed(format!("{}: {error}", program.display())))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        }
    }
}

fn major(server: &dyn Server) -> u32 {
    server.facts().version_num / 10_000
}
