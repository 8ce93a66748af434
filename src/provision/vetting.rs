//! Whether an external server may be one that others need.
//!
//! Nothing is written there. What a role without privileges cannot see is counted as far as it can
//! be: a session of another role is one of others, whatever it does.

use crate::connect::{self, Address, Session};

use super::error::MARKER;
use super::server::Named;
use super::{Error, facts};

/// Databases of others that hold more than this are no test's.
const BYTES_MAX: i64 = 10_000_000_000;
/// Words in the names of servers and databases that others need.
const NAMES: &[&str] = &["prod", "prd", "production", "live", "primary"];

/// Sessions of others that did something in the last minute; null states are of other roles.
const SESSIONS: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
      AND application_name NOT LIKE 'pgauntlet%'
      AND (state IS NULL OR state <> 'idle' OR state_change > now() - interval '1 minute')";
const STANDBYS: &str = "SELECT count(*) FROM pg_stat_replication";
const SLOTS: &str = "SELECT count(*) FROM pg_replication_slots";
const BYTES: &str = "
    SELECT coalesce(sum(pg_database_size(oid)), 0)::int8 FROM pg_database
    WHERE NOT starts_with(datname, 'pgauntlet_') AND has_database_privilege(oid, 'CONNECT')";
const DATABASES: &str = "
    SELECT datname::text FROM pg_database
    WHERE NOT datistemplate AND NOT starts_with(datname, 'pgauntlet_') ORDER BY datname";
const MARKED: &str = "
    SELECT coalesce(shobj_description(oid, 'pg_database'), '') LIKE '%' || $1 || '%'
    FROM pg_database WHERE datname = current_database()";

/// What a server looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vetting {
    /// `others are at work: 3 sessions in the last minute` and the like; empty: nothing was seen.
    pub signs: Vec<String>,
    /// The database's comment vouches for the server.
    pub is_marked: bool,
}

/// Looks at the server.
pub async fn vet(address: &Address, session: &Session) -> Result<Vetting, connect::Error> {
    let mut signs = Vec::new();
    let sessions = number(session, SESSIONS).await?;
    if sessions > 0 {
        signs.push(format!("sessions of others within the last minute: {sessions}"));
    }
    let standbys = number(session, STANDBYS).await?;
    if standbys > 0 {
        signs.push(format!("standbys that are attached: {standbys}"));
    }
    let slots = number(session, SLOTS).await?;
    if slots > 0 {
        signs.push(format!("replication slots: {slots}"));
    }
    let bytes = number(session, BYTES).await?;
    if bytes > BYTES_MAX {
        signs.push(format!("databases of others hold {} GB", bytes / 1_000_000_000));
    }
    let sql = "SELECT current_setting('cluster_name')";
    let row = session.client().query_one(sql, &[]).await;
    let cluster: String = row.map_err(|error| connect::Error::query(sql, &error))?.get(0);
    let rows = session.client().query(DATABASES, &[]).await;
    let rows = rows.map_err(|error| connect::Error::query(DATABASES.trim(), &error))?;
    let databases = rows.iter().map(|row| row.get::<_, String>(0));
    let place = address.place();
    for name in [place, cluster].into_iter().chain(databases).filter(|name| is_telling(name)) {
        signs.push(format!("the name {name}"));
    }
    let row = session.client().query_one(MARKED, &[&MARKER]).await;
    let is_marked = row.map_err(|error| connect::Error::query(MARKED.trim(), &error))?.get(0);
    Ok(Vetting { signs, is_marked })
}

impl Vetting {
    /// An error where the user has to say more.
    pub fn allows(&self, address: &Address, named: Named) -> Result<(), Error> {
        if self.is_marked {
            return Ok(());
        }
        let why = match (self.signs.is_empty(), named) {
            (true, Named::OnTheCommandLine) => return Ok(()),
            (true, Named::InTheEnvironment) => {
                "PGAUNTLET_SERVER alone names it, which may be there for another purpose".to_owned()
            }
            (false, _) => format!("others may need it ({})", self.signs.join("; ")),
        };
        let (place, database) = (address.place(), address.database().to_owned());
        Err(Error::NotVouchedFor { place, database, why })
    }
}

/// Looks at the server, and refuses one that others may need.
pub async fn vouched(url: &str, named: Named) -> Result<(), Error> {
    let address = Address::parse(url)?;
    let session = facts::session(&address)
        .await
        .map_err(|error| Error::Unreachable { place: address.place(), error: Box::new(error) })?;
    vet(&address, &session).await?.allows(&address, named)
}

async fn number(session: &Session, sql: &str) -> Result<i64, connect::Error> {
    let row = session.client().query_one(sql, &[]).await;
    Ok(row.map_err(|error| connect::Error::query(sql.trim(), &error))?.get(0))
}

fn is_telling(name: &str) -> bool {
    let words = name.split(|c: char| !c.is_ascii_alphabetic());
    words.map(str::to_ascii_lowercase).any(|word| NAMES.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("db-prod-1.example.org:5432", true)]
    #[case("PRODUCTION", true)]
    #[case("shop_live", true)]
    #[case("products", false)]
    #[case("/run/postgresql:5432", false)]
    #[case("delivery", false)]
    fn a_name_tells_by_its_words(#[case] name: &str, #[case] tells: bool) {
        assert_eq!(is_telling(name), tells);
    }

    fn allows(signs: &[&str], is_marked: bool, named: Named) -> Result<(), String> {
        let signs = signs.iter().map(|sign| (*sign).to_owned()).collect();
        let address = Address::tcp("h", 5432, "u", None);
        let vetting = Vetting { signs, is_marked };
        vetting.allows(&address, named).map_err(|error| error.to_string())
    }

    #[test]
    fn what_looks_needed_or_was_not_typed_takes_consent() {
        let (typed, found) = (Named::OnTheCommandLine, Named::InTheEnvironment);
        assert_eq!(allows(&[], false, typed), Ok(()));
        assert_eq!(allows(&["replication slots: 1"], true, typed), Ok(()));
        assert_eq!(allows(&[], true, found), Ok(()));
        let error = allows(&["replication slots: 1"], false, typed).expect_err("a refusal");
        for part in ["replication slots: 1", "--server-is-mine", "COMMENT ON DATABASE", MARKER] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
        let error = allows(&[], false, found).expect_err("a refusal");
        assert!(error.contains("PGAUNTLET_SERVER") && error.contains("--server-is-mine"));
    }
}
