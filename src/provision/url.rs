//! An external server. It is looked at and used, never changed.
//!
//! Databases of our own prefix are created and dropped by others in this crate; here two roles of
//! our own prefix are, where the connecting user may.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use crate::connect::{self, Address, Session};
use crate::history::{Listener, Progress, ServerFacts};

use super::external::{OwnRole, role};
use super::logins::{ForeignLogins, Logins};
use super::{Error, MAJORS, Server, facts, settings};

struct ForeignServer {
    address: Address,
    facts: ServerFacts,
    /// None: the connecting user may make no roles, or they cannot sign in.
    logins: Option<ForeignLogins>,
}

/// Checks that the server is one that a change can be tried on.
pub async fn connect(url: &str, listener: &Listener) -> Result<Box<dyn Server>, Error> {
    let address = Address::parse(url)?;
    let place = address.place();
    listener(Progress::Server(format!("connecting to {place}")));
    let session = facts::session(&address)
        .await
        .map_err(|error| Error::Unreachable { place: place.clone(), error: Box::new(error) })?;
    let facts = facts::read(&session, "url").await?;
    if facts.version_num / 10_000 < *MAJORS.start() {
        return Err(Error::TooOld { place, version: facts.version });
    }
    if facts.version_num / 10_000 > *MAJORS.end() {
        let version = &facts.version;
        listener(Progress::Note(format!("PostgreSQL {version} is newer than this pgauntlet")));
    }
    let OwnRole { in_recovery, may_create, may_make_roles, user } = role(&session).await?;
    if in_recovery {
        return Err(Error::InRecovery { place });
    }
    if !may_create {
        return Err(Error::NoCreatedb { place, user });
    }
    let made = match may_make_roles {
        true => ForeignLogins::make(&address).await,
        false => Err(format!("{user} has no CREATEROLE")),
    };
    if let Err(why) = &made {
        listener(Progress::Note(format!(
            "application and change run as {user}, who owns the tables: no roles of their own \
             could be made ({why})"
        )));
    }
    listener(Progress::Note(format!(
        "{place} is an external server: each trial copies a database there, which forces two \
         checkpoints and takes its size on the server's disk; all of ours are named pgauntlet_…"
    )));
    Ok(Box::new(ForeignServer { address, facts, logins: made.ok() }))
}

impl Server for ForeignServer {
    fn address(&self) -> Address {
        self.address.clone()
    }

    fn tcp_address(&self) -> Option<Address> {
        Some(self.address.clone())
    }

    fn facts(&self) -> ServerFacts {
        self.facts.clone()
    }

    fn apply_settings<'a>(
        &'a mut self,
        settings: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let wanted = settings::checked(settings)?;
            if wanted.is_empty() {
                return Ok(());
            }
            let session = facts::session(&self.address).await?;
            let mut differing = Vec::new();
            for (name, value) in &wanted {
                differing.extend(difference(&session, name, value).await?);
            }
            if differing.is_empty() {
                return Ok(());
            }
            let (place, differing) = (self.address.place(), differing.join(", "));
            Err(Error::ForeignSettings { place, differing })
        })
    }

    fn logins(&self) -> Option<Logins> {
        self.logins.as_ref().map(|made| made.logins.clone())
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(async move {
            if let Some(logins) = &self.logins {
                logins.drop_roles().await;
            }
            Ok(())
        })
    }
}

/// What the server runs with instead, if it is not what is wanted.
async fn difference(session: &Session, name: &str, wanted: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT setting, unit, current_setting(name) FROM pg_settings WHERE name = $1";
    let row = session.client().query_opt(sql, &[&name]).await;
    let row = row.map_err(|error| connect::Error::query(sql, &error))?;
    let Some(row) = row else {
        return Ok(Some(format!("without any setting {name}, which should be {wanted}")));
    };
    let (setting, unit, shown): (String, Option<String>, String) =
        (row.get(0), row.get(1), row.get(2));
    let unit = unit.as_deref();
    if settings::same_value(&setting, wanted, unit) || settings::same_value(&shown, wanted, unit) {
        return Ok(None);
    }
    Ok(Some(format!("with {name} = {shown} instead of {wanted}")))
}
