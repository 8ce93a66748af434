//! Roles that a schema names and a server does not have: made, and dropped when nothing names them.
//!
//! A role belongs to the whole server, so one that is there is never changed. Ours are known by
//! their comment. While a template is filled its maker shares a lock, and what drops roles takes it
//! alone: a role that is made is not dropped before something names it.

use std::collections::{BTreeMap, BTreeSet};

use crate::connect::{self, Session};
use crate::pg::dump::Part;
use crate::pg::{SqlState, quote_ident, quote_literal};

use super::Error;

/// The comment of a role that was missing.
const MISSING: &str = "made by pgauntlet: a schema names it; dropped with the databases that do";
/// The comment of a role that a schema's own statement made: the schema may change it again.
const DECLARED: &str = "made by a schema that pgauntlet loaded";
/// Advisory lock of those who make roles, shared, and of who drops them, alone.
const LOCK: i64 = 0x7067_6c74_726f_6c65;

const KNOWN: &str = "
    SELECT rolname::text, coalesce(shobj_description(oid, 'pg_authid'), '') = ANY ($2)
    FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)";

/// Roles of ours on which nothing depends.
const UNUSED: &str = "
    SELECT rolname::text FROM pg_catalog.pg_roles AS r
    WHERE shobj_description(oid, 'pg_authid') = $1
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_shdepend AS d
                      WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid
                        AND d.classid <> 'pg_auth_members'::regclass)";

/// Those that own something here.
const OWNERS: &str = "
    SELECT rolname::text FROM pg_catalog.pg_roles AS r
    WHERE shobj_description(oid, 'pg_authid') = $1
      AND EXISTS (SELECT FROM pg_catalog.pg_shdepend AS d
                  WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid
                    AND d.deptype = 'o'
                    AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY rolname";

/// What became of the roles that a script names.
#[derive(Debug, Default)]
pub(super) struct Roles {
    /// Those that were made.
    pub made: Vec<String>,
    /// Those that could not be, with why.
    pub refused: BTreeMap<String, String>,
    /// Those that the script may change.
    ours: BTreeSet<String>,
    /// Those that are there.
    there: BTreeSet<String>,
}

impl Roles {
    /// Makes what the script names, does not make itself, and the server does not have.
    pub async fn make(session: &Session, parts: &[Part]) -> Result<Roles, Error> {
        let named: BTreeSet<&String> = parts.iter().flat_map(Part::roles).collect();
        let of_script = |part: &Part| match part {
            Part::CreateRole(role) => vec![role.clone()],
            Part::AlterRoles(roles) => roles.clone(),
            _ => Vec::new(),
        };
        let own: BTreeSet<String> = parts.iter().flat_map(of_script).collect();
        let mut roles = Roles::default();
        let all: Vec<&String> = named.iter().copied().chain(&own).collect();
        if all.is_empty() {
            return Ok(roles);
        }
        let rows = session.client().query(KNOWN, &[&all, &vec![MISSING, DECLARED]]).await;
        for row in rows.map_err(|e| connect::Error::query(KNOWN.trim(), &e))? {
            let role: String = row.get(0);
            if row.get(1) {
                roles.ours.insert(role.clone());
            }
            roles.there.insert(role);
        }
        let creates = |role: &String| {
            parts.iter().any(|part| matches!(part, Part::CreateRole(created) if created == role))
        };
        for role in named {
            if !roles.there.contains(role) && !creates(role) {
                roles.make_one(session, role).await?;
            }
        }
        Ok(roles)
    }

    async fn make_one(&mut self, session: &Session, role: &str) -> Result<(), Error> {
        const RESERVED_NAME: &str = "42939";
        match session.batch(&format!("CREATE ROLE {}", quote_ident(role))).await {
            Ok(()) => {
                label(session, role, MISSING).await?;
                self.made.push(role.to_owned());
                self.ours.insert(role.to_owned());
                self.there.insert(role.to_owned());
                join(session, role).await
            }
            // Another process was faster.
            Err(error)
                if error.is_one_of(&[SqlState::DUPLICATE_OBJECT, SqlState::UNIQUE_VIOLATION]) =>
            {
                Ok(())
            }
            Err(connect::Error::Query { error, .. })
                if error.is_one_of(&[SqlState::INSUFFICIENT_PRIVILEGE, RESERVED_NAME]) =>
            {
                self.refused.insert(role.to_owned(), error.message.clone());
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the role is there, made before the script or by it.
    pub fn has(&self, role: &str) -> bool {
        self.there.contains(role)
    }

    /// Whether the script may change all of them.
    pub fn may_change(&self, roles: &[String]) -> bool {
        roles.iter().all(|role| self.ours.contains(role) || !self.there.contains(role))
    }

    /// The first of them that could not be made.
    pub fn refused_of(&self, roles: &[String]) -> Option<(&String, &String)> {
        roles.iter().find_map(|role| self.refused.get_key_value(role))
    }

    /// The script has made a role.
    pub async fn declare(&mut self, session: &Session, role: &str) -> Result<(), Error> {
        self.ours.insert(role.to_owned());
        self.there.insert(role.to_owned());
        label(session, role, DECLARED).await
    }

    /// The script could not make a role.
    pub fn refuse(&mut self, role: &str, why: &str) {
        self.refused.insert(role.to_owned(), why.to_owned());
    }
}

async fn label(session: &Session, role: &str, text: &str) -> Result<(), Error> {
    let (role, text) = (quote_ident(role), quote_literal(text));
    Ok(session.batch(&format!("COMMENT ON ROLE {role} IS {text}")).await?)
}

/// Who is no superuser gives something only to roles that it is a member of.
async fn join(session: &Session, role: &str) -> Result<(), Error> {
    let sql = "SELECT current_setting('server_version_num')::int4, \
               (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)";
    let row = session.client().query_one(sql, &[]).await;
    let row = row.map_err(|e| connect::Error::query(sql, &e))?;
    if row.get::<_, bool>(1) {
        return Ok(());
    }
    Ok(session.batch(&member(role, "CURRENT_USER", row.get(0))).await?)
}

fn member(role: &str, to: &str, version: i32) -> String {
    let how = if version >= 160_000 { " WITH INHERIT TRUE, SET TRUE" } else { "" };
    format!("GRANT {} TO {to}{how}", quote_ident(role))
}

/// Makes a role a member of those of ours that own something in the session's database: what was
/// the owner's to do is this role's to do.
pub(super) async fn join_owners(session: &Session, to: &str) -> Result<(), Error> {
    let sql = "SELECT current_setting('server_version_num')::int4";
    let row = session.client().query_one(sql, &[]).await;
    let version = row.map_err(|e| connect::Error::query(sql, &e))?.get(0);
    let rows = session.client().query(OWNERS, &[&MISSING]).await;
    for row in rows.map_err(|e| connect::Error::query(OWNERS.trim(), &e))? {
        let role: String = row.get(0);
        if role != to {
            session.batch(&member(&role, &quote_ident(to), version)).await?;
        }
    }
    Ok(())
}

/// Keeps roles that are made from being dropped, as long as the session is there.
pub(super) async fn hold(session: &Session) -> Result<(), Error> {
    Ok(session.batch(&format!("SELECT pg_advisory_lock_shared({LOCK})")).await?)
}

/// Drops the roles of ours that no database names any more, unless one is being made.
pub(super) async fn sweep(session: &Session) -> Result<(), Error> {
    let rows = session.client().query(UNUSED, &[&MISSING]).await;
    let rows = rows.map_err(|e| connect::Error::query(UNUSED.trim(), &e))?;
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "SELECT pg_try_advisory_lock($1)";
    let row = session.client().query_one(sql, &[&LOCK]).await;
    if !row.map_err(|e| connect::Error::query(sql, &e))?.get::<_, bool>(0) {
        return Ok(());
    }
    for row in rows {
        // One that is named since then, or is another's, stays.
        let role = quote_ident(row.get(0));
        let _ = session.batch(&format!("DROP ROLE IF EXISTS {role}")).await;
    }
    Ok(session.batch(&format!("SELECT pg_advisory_unlock({LOCK})")).await?)
}
