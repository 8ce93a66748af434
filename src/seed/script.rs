//! Runs a schema's script as psql would, on a server that is not the one it was dumped from.
//!
//! Roles that are missing are made first. What another server need not have, parameters, owners
//! that may not be given, and extensions, is left out and said once; every other error ends it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;

use bytes::Bytes;
use futures_util::SinkExt as _;

use crate::connect::{self, Address, Session, server_error};
use crate::history::{Listener, Progress, ServerError};
use crate::pg::SqlState;
use crate::pg::dump::Part;
use crate::pg::syntax::{self, Kind};
use crate::scenario::{Script, Statement};

use super::Error;
use super::plan::{APPLICATION, session_settings};
use super::roles::Roles;

/// Bytes of rows that go into one message.
const ROWS_BYTES: usize = 256 << 10;
/// What is said where something is dropped that is not there: of tables, types and the like,
/// schemas, functions.
const NOT_THERE: &[&str] = &[
    SqlState::UNDEFINED_TABLE,
    UNDEFINED_OBJECT,
    INVALID_SCHEMA_NAME,
    SqlState::UNDEFINED_FUNCTION,
];
const UNDEFINED_OBJECT: &str = "42704";
const INVALID_SCHEMA_NAME: &str = "3F000";
const INVALID_PARAMETER_VALUE: &str = "22023";
const FORBIDDEN: &[&str] = &[SqlState::INSUFFICIENT_PRIVILEGE];
const AS_NO_OWNER: &str = "this role may not give owners and privileges; left out, as pg_restore \
                           --no-owner --no-privileges does";

/// Runs the statements one after the other in a session of their own, so that none of its settings
/// is another's.
///
/// # Errors
/// A statement fails that has to run; the error has its place.
pub async fn run_schema(
    address: &Address,
    script: &Script,
    listener: &Listener,
) -> Result<(), Error> {
    let session = Session::open(address, APPLICATION, &session_settings()).await?;
    let mut running = Running::begin(&session, script, listener).await?;
    for statement in &script.statements {
        running.run(statement).await?;
    }
    running.tell(listener);
    Ok(())
}

fn tell_roles(roles: &Roles, listener: &Listener) {
    if !roles.made.is_empty() {
        let names = roles.made.join(", ");
        listener(Progress::Note(format!(
            "roles that this server does not have are made, without a login, and dropped with the \
             databases that name them: {names}"
        )));
    }
    if !roles.refused.is_empty() {
        let names: Vec<&str> = roles.refused.keys().map(String::as_str).collect();
        let why = roles.refused.values().next().map_or("", String::as_str);
        listener(Progress::Note(format!(
            "roles that this server does not have cannot be made ({why}); owners and privileges \
             that name them are left out: {}",
            names.join(", ")
        )));
    }
}

/// An extension that could not be made.
struct Missing {
    name: String,
    place: String,
    error: ServerError,
}

impl Missing {
    fn to_text(&self) -> String {
        let Missing { name, place, error } = self;
        format!(
            "extension {name} is missing, which {place} asks for: {error}; install it on that \
             server, choose another one (--server, --image), or leave the statement out"
        )
    }
}

/// A script that is being run.
pub(super) struct Running<'a> {
    session: &'a Session,
    path: &'a Path,
    roles: Roles,
    missing: Vec<Missing>,
    /// What was left out: why, with the first place and how often.
    left: BTreeMap<String, (String, usize)>,
    /// A transaction is open.
    is_open: bool,
    /// The script has made something: what is dropped before is of the database before.
    has_created: bool,
}

impl<'a> Running<'a> {
    /// Makes the roles that the script names and the server does not have.
    pub async fn begin(
        session: &'a Session,
        script: &'a Script,
        listener: &Listener,
    ) -> Result<Running<'a>, Error> {
        let parts: Vec<Part> = script.statements.iter().map(|s| Part::of(&s.text)).collect();
        let roles = Roles::make(session, &parts).await?;
        tell_roles(&roles, listener);
        Ok(Running {
            session,
            path: &script.path,
            roles,
            missing: Vec::new(),
            left: BTreeMap::new(),
            is_open: false,
            has_created: false,
        })
    }

    /// Whether a transaction of the script's is open.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Runs the next statement; says whether it was run, and not left out.
    pub async fn run(&mut self, statement: &Statement) -> Result<bool, Error> {
        let left = |running: &Running<'_>| running.left.values().map(|(_, n)| n).sum::<usize>();
        let before = left(self);
        match &statement.rows {
            Some(rows) => self.copy(statement, rows).await?,
            None => self.run_part(statement, &Part::of(&statement.text)).await?,
        }
        Ok(left(self) == before)
    }

    async fn run_part(&mut self, statement: &Statement, part: &Part) -> Result<(), Error> {
        let is_create = statement.text.get(..6).is_some_and(|w| w.eq_ignore_ascii_case("create"));
        match part {
            Part::Parameter(name) => {
                let is_tablespace = name == "default_tablespace";
                let codes: &[&str] = match is_tablespace {
                    true => &[UNDEFINED_OBJECT, INVALID_PARAMETER_VALUE],
                    false => &[UNDEFINED_OBJECT],
                };
                let what = if is_tablespace { "such tablespace" } else { "parameter" };
                let why = format!("this server has no {what} ({name}); left out");
                self.unless(statement, codes, &why).await?;
            }
            Part::Owner(roles) | Part::Privileges(roles) => self.give(statement, roles).await?,
            Part::Extension(name) => self.extension(statement, name).await?,
            Part::ExtensionComment(name) => {
                if !self.missing.iter().any(|missing| missing.name == *name) {
                    let why = "this role may not comment on an extension; left out";
                    self.unless(statement, FORBIDDEN, why).await?;
                }
            }
            Part::CreateRole(role) => self.create_role(statement, role).await?,
            Part::AlterRoles(roles) => self.alter_roles(statement, roles).await?,
            Part::Drop if !self.has_created => {
                let why = "what is dropped is not there; left out";
                self.unless(statement, NOT_THERE, why).await?;
            }
            Part::Statistics => {
                let why = "only servers of 18 and later take statistics; left out";
                self.unless(statement, &[SqlState::UNDEFINED_FUNCTION], why).await?;
            }
            Part::Public => self.batch(statement, "CREATE SCHEMA IF NOT EXISTS public").await?,
            _ => self.batch(statement, &statement.text).await?,
        }
        self.has_created |= is_create && !matches!(part, Part::CreateRole(_));
        match syntax::kind(&statement.text) {
            Kind::Begin => self.is_open = true,
            Kind::Commit | Kind::Rollback => self.is_open = false,
            _ => {}
        }
        Ok(())
    }

    async fn batch(&self, statement: &Statement, text: &str) -> Result<(), Error> {
        self.session.batch(text).await.map_err(|error| self.failed(statement, error))
    }

    /// Runs it; an error of these codes leaves it out, and what its transaction did before.
    async fn attempt(
        &self,
        statement: &Statement,
        codes: &[&str],
    ) -> Result<Option<ServerError>, Error> {
        let control = |sql: &'static str| async move {
            match self.is_open {
                true => self.session.batch(sql).await,
                false => Ok(()),
            }
        };
        control("SAVEPOINT pgauntlet").await?;
        match self.session.batch(&statement.text).await {
            Ok(()) => {
                control("RELEASE SAVEPOINT pgauntlet").await?;
                Ok(None)
            }
            Err(connect::Error::Query { error, .. }) if error.is_one_of(codes) => {
                control("ROLLBACK TO SAVEPOINT pgauntlet; RELEASE SAVEPOINT pgauntlet").await?;
                Ok(Some(*error))
            }
            Err(error) => Err(self.failed(statement, error)),
        }
    }

    async fn unless(
        &mut self,
        statement: &Statement,
        codes: &[&str],
        why: &str,
    ) -> Result<(), Error> {
        if self.attempt(statement, codes).await?.is_some() {
            self.leave(statement, why.to_owned());
        }
        Ok(())
    }

    fn leave(&mut self, statement: &Statement, why: String) {
        let place = self.place(statement);
        self.left.entry(why).or_insert((place, 0)).1 += 1;
    }

    async fn give(&mut self, statement: &Statement, roles: &[String]) -> Result<(), Error> {
        if self.roles.refused_of(roles).is_some() {
            // Said of the roles.
            return Ok(());
        }
        self.unless(statement, FORBIDDEN, AS_NO_OWNER).await
    }

    async fn extension(&mut self, statement: &Statement, name: &str) -> Result<(), Error> {
        // Of what fails for want of an extension, the first error is the one to tell: any that a
        // server gives here, but that it is there already.
        let refused = self.attempt(statement, &[]).await;
        match refused {
            Err(Error::Script { error, .. })
                if !error.is_one_of(&[SqlState::DUPLICATE_OBJECT])
                    && !self.session.is_closed()
                    && !error.is_one_of(&[SqlState::SYNTAX_ERROR]) =>
            {
                if self.is_open {
                    let undo = "ROLLBACK TO SAVEPOINT pgauntlet; RELEASE SAVEPOINT pgauntlet";
                    self.session.batch(undo).await?;
                }
                let (name, place) = (name.to_owned(), self.place(statement));
                self.missing.push(Missing { name, place, error: *error });
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    async fn create_role(&mut self, statement: &Statement, role: &str) -> Result<(), Error> {
        if self.roles.has(role) {
            self.leave(statement, there(role));
            return Ok(());
        }
        match self.attempt(statement, FORBIDDEN).await? {
            None => self.roles.declare(self.session, role).await,
            Some(error) => {
                let why = format!("role {role} cannot be made ({}); left out", error.message);
                self.leave(statement, why);
                self.roles.refuse(role, &error.message);
                Ok(())
            }
        }
    }

    async fn alter_roles(&mut self, statement: &Statement, roles: &[String]) -> Result<(), Error> {
        if self.roles.refused_of(roles).is_some() {
            return Ok(());
        }
        if !self.roles.may_change(roles) {
            self.leave(statement, there(&roles.join(", ")));
            return Ok(());
        }
        // Before 16 a membership has no options, and who granted it need not be here.
        let codes = [SqlState::SYNTAX_ERROR, UNDEFINED_OBJECT, SqlState::INSUFFICIENT_PRIVILEGE];
        match bare_membership(&statement.text) {
            None => self.batch(statement, &statement.text).await,
            Some(bare) => match self.attempt(statement, &codes).await? {
                None => Ok(()),
                Some(_) => self.batch(statement, bare).await,
            },
        }
    }

    /// Sends the rows by COPY, byte for byte.
    async fn copy(&self, statement: &Statement, rows: &str) -> Result<(), Error> {
        let refused = |e: &tokio_postgres::Error| {
            let context = e.as_db_error().and_then(|db| db.where_()).and_then(|w| w.lines().next());
            let mut error = server_error(e);
            if let Some(context) = context {
                error.message = format!("{} ({context})", error.message);
            }
            self.script_error(statement, error)
        };
        let sink = self.session.client().copy_in(&statement.text).await;
        let mut sink = pin!(sink.map_err(|e| refused(&e))?);
        for some in rows.as_bytes().chunks(ROWS_BYTES) {
            let sent: Result<(), _> = sink.send(Bytes::copy_from_slice(some)).await;
            sent.map_err(|e| refused(&e))?;
        }
        sink.finish().await.map_err(|e| refused(&e))?;
        Ok(())
    }

    fn failed(&self, statement: &Statement, error: connect::Error) -> Error {
        match error {
            connect::Error::Query { error, .. } => self.script_error(statement, *error),
            other => other.into(),
        }
    }

    fn script_error(&self, statement: &Statement, error: ServerError) -> Error {
        let (path, line) = (self.path_of(statement), statement.line);
        let missing = self.missing.iter().map(Missing::to_text).collect();
        Error::Script { path, line, error: Box::new(error), missing }
    }

    fn path_of(&self, statement: &Statement) -> PathBuf {
        statement.file.as_deref().unwrap_or(self.path).to_owned()
    }

    fn place(&self, statement: &Statement) -> String {
        format!("{}:{}", self.path_of(statement).display(), statement.line)
    }

    /// Says once what was left out.
    pub fn tell(&self, listener: &Listener) {
        for (why, (place, count)) in &self.left {
            let more = match count {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            listener(Progress::Note(format!("{place}{more}: {why}")));
        }
        for missing in &self.missing {
            let sentence =
                format!("nothing of the schema needs what it lacks: {}", missing.to_text());
            listener(Progress::Note(sentence));
        }
    }
}

/// `GRANT a TO b` without what follows.
fn bare_membership(text: &str) -> Option<&str> {
    let is_grant = text.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("grant "));
    let end = [" WITH ", " GRANTED BY "].iter().filter_map(|word| text.find(word)).min()?;
    text.get(..end).filter(|_| is_grant)
}

fn there(roles: &str) -> String {
    format!("{roles}: on this server already, and no role that is there is changed; left out")
}
