//! As whom the application and the change run in a database, and what is theirs in it.
//!
//! By default they are roles of ours with ordinary privileges: row security, missing grants and a
//! role's own settings are seen as in production. Our own sessions run as the connecting user.

use crate::connect::{Address, Session};
use crate::history::{APPLICATION_ROLE, MIGRATOR_ROLE, RoleFacts, RolesFacts};
use crate::pg::{quote_ident, quote_literal};
use crate::provision::{Login, Logins, Server};
use crate::scenario::{ROLE_SETTING, RunsAs, Scenario};
use crate::seed;

use super::Error;
use super::effects::Identities;

const APPLICATION_NAME: &str = "pgauntlet provision";

/// A database of the server over TCP where there is a choice: some tools cannot use a unix socket.
pub fn over_tcp(server: &dyn Server, address: &Address) -> Address {
    let place = server.tcp_address().unwrap_or_else(|| address.clone());
    place.with_database(address.database())
}

/// Makes the change's role the owner of what is ours in the database, and lets the application's
/// use it. May be done again.
pub async fn of(
    server: &dyn Server,
    scenario: &Scenario,
    address: &Address,
) -> Result<Identities, Error> {
    let over_tcp = over_tcp(server, address);
    let session = Session::open(address, APPLICATION_NAME, &Default::default()).await?;
    let database = Database { session, logins: server.logins() };
    let change = database.change(scenario).await?;
    let application = database.application(scenario).await?;
    let us = address.user().to_owned();
    let names = [&application, &change]
        .map(|login| login.as_ref().map_or(us.clone(), |login| login.role.clone()));
    let [application_facts, change_facts] = names.map(|name| database.facts(name));
    let facts = RolesFacts { application: application_facts.await?, change: change_facts.await? };
    let as_login = |address: &Address, login: Option<Login>| match login {
        Some(login) => address.with_login(&login.role, Some(&login.password)),
        None => address.clone(),
    };
    Ok(Identities {
        application: as_login(address, application),
        change: as_login(&over_tcp, change),
        facts: Some(facts),
    })
}

struct Database {
    session: Session,
    logins: Option<Logins>,
}

impl Database {
    /// None: it is the connecting user.
    async fn change(&self, scenario: &Scenario) -> Result<Option<Login>, Error> {
        let declared = match &scenario.change.runs_as {
            RunsAs::Superuser => return Ok(None),
            RunsAs::Migrator => None,
            RunsAs::Role(role) => Some(role),
        };
        let (Some(logins), role) = (&self.logins, declared) else {
            return no_roles("[change]", declared);
        };
        let login = match role {
            Some(role) => self.declared("[change]", role, logins, &logins.migrator).await?,
            None => logins.migrator.clone(),
        };
        let owner = role.filter(|_| !logins.server_is_ours).unwrap_or(&login.role);
        seed::hand_over(&self.session, owner).await?;
        Ok(Some(login))
    }

    async fn application(&self, scenario: &Scenario) -> Result<Option<Login>, Error> {
        let pool = &scenario.pool;
        let Some(logins) = &self.logins else { return no_roles("[pool]", pool.role.as_ref()) };
        if let Some(role) = &pool.role {
            // A role has one password: where it applies the change too, it has the change's.
            let login = match &scenario.change.runs_as {
                RunsAs::Role(change) if change == role => &logins.migrator,
                _ => &logins.application,
            };
            let login = self.declared("[pool]", role, logins, login).await?;
            return Ok(Some(login));
        }
        let login = logins.application.clone();
        let operations = scenario.traffic.operations.iter();
        let sql = operations.flat_map(|operation| &operation.statements);
        seed::let_use(&self.session, &login.role, sql.map(|one| one.sql.as_str())).await?;
        if let Some(role) = pool.settings.get(ROLE_SETTING) {
            self.exists("[pool]", role).await?;
            self.grant(role, &login).await?;
        }
        Ok(Some(login))
    }

    /// How to sign in as a role that the schema makes. On a server of ours it gets a password; on
    /// another one a role of ours becomes it as it signs in.
    async fn declared(
        &self,
        section: &'static str,
        role: &str,
        logins: &Logins,
        login: &Login,
    ) -> Result<Login, Error> {
        match role {
            APPLICATION_ROLE => return Ok(logins.application.clone()),
            MIGRATOR_ROLE => return Ok(logins.migrator.clone()),
            _ => self.exists(section, role).await?,
        }
        let (name, password) = (quote_ident(role), &login.password);
        if logins.server_is_ours {
            let sql = format!("ALTER ROLE {name} LOGIN PASSWORD {}", quote_literal(password));
            self.session.batch(&sql).await?;
            return Ok(Login { role: role.to_owned(), password: password.clone() });
        }
        self.grant(role, login).await?;
        let own = quote_ident(&login.role);
        self.session.batch(&format!("ALTER ROLE {own} SET role = {name}")).await?;
        Ok(login.clone())
    }

    async fn exists(&self, section: &'static str, role: &str) -> Result<(), Error> {
        match seed::is_superuser(&self.session, role).await? {
            Some(_) => Ok(()),
            None => Err(Error::NoSuchRole { section, role: role.to_owned() }),
        }
    }

    async fn grant(&self, role: &str, login: &Login) -> Result<(), Error> {
        let (role, login) = (quote_ident(role), quote_ident(&login.role));
        Ok(self.session.batch(&format!("GRANT {role} TO {login}")).await?)
    }

    async fn facts(&self, name: String) -> Result<RoleFacts, Error> {
        let superuser = seed::is_superuser(&self.session, &name).await?.unwrap_or_default();
        Ok(RoleFacts { name, superuser })
    }
}

fn no_roles(section: &'static str, declared: Option<&String>) -> Result<Option<Login>, Error> {
    match declared {
        Some(role) => Err(Error::NoRoles { section, role: role.clone() }),
        None => Ok(None),
    }
}
