//! What an external server is, for people: nothing is written there.

use crate::connect::{Address, Session};
use crate::history::ServerFacts;

use super::vetting::{self, Vetting};
use super::{Error, facts};

/// What `doctor` tells of an external server.
#[derive(Clone, Debug)]
pub struct External {
    /// Host and port.
    pub place: String,
    /// The role that the address names.
    pub user: String,
    /// Version and settings.
    pub facts: ServerFacts,
    /// Whether the role may create databases.
    pub may_create: bool,
    /// Whether the server is a standby in recovery.
    pub in_recovery: bool,
    /// What lets others seem to need it; empty: nothing.
    pub signs: Vec<String>,
    /// Whether its database's comment vouches for it.
    pub is_marked: bool,
}

/// Looks at an external server.
///
/// # Errors
/// The address cannot be read, or the server not be reached.
pub async fn external(url: &str) -> Result<External, Error> {
    let address = Address::parse(url)?;
    let place = address.place();
    let session = facts::session(&address)
        .await
        .map_err(|error| Error::Unreachable { place: place.clone(), error: Box::new(error) })?;
    let facts = facts::read(&session, "url").await?;
    let OwnRole { in_recovery, may_create, user, .. } = role(&session).await?;
    let Vetting { signs, is_marked } = vetting::vet(&address, &session).await?;
    Ok(External { place, user, facts, may_create, in_recovery, signs, is_marked })
}

/// What the role of a session may do.
pub(super) struct OwnRole {
    pub in_recovery: bool,
    pub may_create: bool,
    pub may_make_roles: bool,
    pub user: String,
}

pub(super) async fn role(session: &Session) -> Result<OwnRole, Error> {
    let sql = "SELECT pg_is_in_recovery(), rolcreatedb OR rolsuper, rolname::text, \
               rolcreaterole OR rolsuper \
               FROM pg_roles WHERE rolname = current_user";
    let row = session.client().query_one(sql, &[]).await;
    let row = row.map_err(|error| crate::connect::Error::query(sql, &error))?;
    Ok(OwnRole {
        in_recovery: row.get(0),
        may_create: row.get(1),
        may_make_roles: row.get(3),
        user: row.get(2),
    })
}
