//! Roles with ordinary privileges, as which the application and the change run on a server.
//!
//! A role belongs to the whole server. On a server of ours there are two, made once; on an external
//! one each process has two of its own and drops them at its end, and a start drops those of
//! processes that are gone.

use crate::connect::{self, Address, Session};
use crate::history::{APPLICATION_ROLE, MIGRATOR_ROLE};
use crate::pg::{quote_ident, quote_literal};

use super::settings;

/// First key of the advisory locks by which an external server's roles are known to be in use.
const LOCK_CLASS: i32 = 0x7067_6c6f;

/// A role, and how it signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its name.
    pub role: String,
    /// A new one in each process.
    pub password: String,
}

/// Those of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logins {
    /// It owns nothing.
    pub application: Login,
    /// It owns the tables.
    pub migrator: Login,
    /// The server is ours: its other roles may be given a password as well.
    pub server_is_ours: bool,
}

impl Logins {
    /// Of a server of ours, with new passwords.
    pub fn of_ours() -> Logins {
        Logins::named("", true)
    }

    fn named(suffix: &str, server_is_ours: bool) -> Logins {
        let login = |role: &str| {
            let password = settings::random_password();
            Login { role: format!("{role}{suffix}"), password }
        };
        let (application, migrator) = (login(APPLICATION_ROLE), login(MIGRATOR_ROLE));
        Logins { application, migrator, server_is_ours }
    }

    fn both(&self) -> [&Login; 2] {
        [&self.application, &self.migrator]
    }

    /// Makes the roles, or gives those that are there their passwords.
    pub async fn make(&self, session: &Session) -> Result<(), connect::Error> {
        for Login { role, password } in self.both() {
            let (name, text) = (quote_ident(role), quote_literal(role));
            let password = quote_literal(password);
            let sql =
                format!("SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {text})");
            let row = session.client().query_one(&sql, &[]).await;
            let is_there: bool = row.map_err(|e| connect::Error::query(&sql, &e))?.get(0);
            let verb = if is_there { "ALTER" } else { "CREATE" };
            // The error of this statement would show the password.
            let made =
                session.batch(&format!("{verb} ROLE {name} LOGIN PASSWORD {password}")).await;
            made.map_err(|error| without(error, &password))?;
        }
        Ok(())
    }
}

fn without(error: connect::Error, password: &str) -> connect::Error {
    match error {
        connect::Error::Query { sql, error } => {
            connect::Error::Query { sql: sql.replace(password, "…"), error }
        }
        other => other,
    }
}

/// The roles of this process on an external server.
pub struct ForeignLogins {
    pub logins: Logins,
    /// Holds the lock by which others know that the roles are in use.
    keeper: Session,
}

impl ForeignLogins {
    /// Makes them, where the connecting user may, and tries whether they can sign in.
    ///
    /// # Errors
    /// Why that cannot be, in a sentence.
    pub async fn make(address: &Address) -> Result<ForeignLogins, String> {
        let words = |error: connect::Error| error.to_string();
        let keeper = super::facts::session(address).await.map_err(words)?;
        sweep(&keeper).await.map_err(words)?;
        let key = rand::random::<i32>();
        let sql = format!("SELECT pg_advisory_lock({LOCK_CLASS}, {key})");
        keeper.batch(&sql).await.map_err(words)?;
        let logins = Logins::named(&format!("_{key}").replace('-', "m"), false);
        let made = ForeignLogins { logins, keeper };
        match made.try_out(address).await {
            Ok(()) => Ok(made),
            Err(error) => {
                made.drop_roles().await;
                Err(words(error))
            }
        }
    }

    async fn try_out(&self, address: &Address) -> Result<(), connect::Error> {
        self.logins.make(&self.keeper).await?;
        let sql = "SELECT current_setting('server_version_num')::int4, \
                   (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)";
        let row = self.keeper.client().query_one(sql, &[]).await;
        let row = row.map_err(|error| connect::Error::query(sql, &error))?;
        let (version, is_superuser): (i32, bool) = (row.get(0), row.get(1));
        for Login { role, password } in self.logins.both() {
            if !is_superuser {
                // What these roles own, and what they run, is ours to see.
                let how = if version >= 160_000 { " WITH INHERIT TRUE, SET TRUE" } else { "" };
                let sql = format!("GRANT {} TO CURRENT_USER{how}", quote_ident(role));
                self.keeper.batch(&sql).await?;
            }
            super::facts::session(&address.with_login(role, Some(password))).await?;
        }
        Ok(())
    }

    /// As far as that goes: the next start drops the rest.
    pub async fn drop_roles(&self) {
        for login in self.logins.both() {
            drop_role(&self.keeper, &login.role).await;
        }
    }
}

async fn drop_role(session: &Session, role: &str) {
    // One that owns something still is left for a later start.
    let _ = session.batch(&format!("DROP ROLE IF EXISTS {}", quote_ident(role))).await;
}

/// Drops the roles of processes that are gone.
async fn sweep(session: &Session) -> Result<(), connect::Error> {
    let sql = "SELECT rolname::text FROM pg_catalog.pg_roles \
               WHERE starts_with(rolname, $1) OR starts_with(rolname, $2)";
    let prefixes = [APPLICATION_ROLE, MIGRATOR_ROLE].map(|role| format!("{role}_"));
    let rows = session.client().query(sql, &[&prefixes[0], &prefixes[1]]).await;
    for row in rows.map_err(|error| connect::Error::query(sql, &error))? {
        let role: String = row.get(0);
        let Some(key) = key_of(&role) else { continue };
        let sql = "SELECT pg_try_advisory_lock($1, $2)";
        let locked = session.client().query_one(sql, &[&LOCK_CLASS, &key]).await;
        if locked.map_err(|error| connect::Error::query(sql, &error))?.get(0) {
            drop_role(session, &role).await;
            session.batch(&format!("SELECT pg_advisory_unlock({LOCK_CLASS}, {key})")).await?;
        }
    }
    Ok(())
}

/// The key of its process's lock, as the role's name has it.
fn key_of(role: &str) -> Option<i32> {
    let (_, key) = role.rsplit_once('_')?;
    key.replace('m', "-").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_names_the_lock_of_its_process() {
        assert_eq!(key_of("pgauntlet_app_17"), Some(17));
        assert_eq!(key_of("pgauntlet_migrator_m17"), Some(-17));
        assert_eq!(key_of("pgauntlet_app"), None);
        assert_eq!(key_of("pgauntlet_app_of_mine"), None);
    }
}
