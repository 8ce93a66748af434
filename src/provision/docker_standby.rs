//! A hot standby of a server in a container: a base backup in the same container, and a second
//! server on it at a port of its own. Both end with the container.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use testcontainers::bollard::Docker;
use testcontainers::bollard::exec::{StartExecOptions, StartExecResults};
use testcontainers::bollard::models::ExecConfig;

use crate::connect::{self, Address, Session};

use super::standby::{self, BACKUP_TIMEOUT, START_TIMEOUT, StandbyRequest, failed};
use super::{Error, facts};

/// Where the standby listens, inside the container.
pub const PORT: u16 = 5433;
/// As images name the user that owns the cluster.
const USER: &str = "postgres";
/// Inside the container: every image lets its user write there.
const DATA: &str = "/tmp/pgauntlet_standby";
const POLL_INTERVAL: Duration = Duration::from_millis(50);

const MAKE: &str = r#"
set -e
rm -rf "$DATA"
pg_basebackup -D "$DATA" -h "$HOST" -p "$PORT" -U "$ROLE" \
  --wal-method=stream --checkpoint=fast --no-sync --no-password
printf '%s' "$SETTINGS" >>"$DATA/postgresql.auto.conf"
touch "$DATA/standby.signal"
"#;
/// A child of the engine's, not of the primary: a postmaster takes an unknown child's end for a
/// crash of its own.
const RUN: &str = r#"exec postgres -D "$DATA" >>"$DATA.log" 2>&1"#;
const END: &str = r#"
[ ! -e "$DATA" ] || pg_ctl -D "$DATA" -m immediate -w stop >/dev/null 2>&1
rm -rf "$DATA" "$DATA.log"
"#;
const SOCKETS: &str = "SELECT split_part(current_setting('unix_socket_directories'), ',', 1)";
const LOG: &str = r#"tail -n 20 "$DATA.log""#;

/// The container, and its server as the standby has to know it.
pub struct Primary<'a> {
    pub client: &'a Docker,
    pub container: &'a str,
    /// Its maintenance database, from here.
    pub address: Address,
    pub port: u16,
    pub user: &'a str,
}

impl Primary<'_> {
    /// Runs a shell script inside the container until its end; its output, if it ended with 0.
    async fn run(&self, script: &str, variables: &[(&str, &str)]) -> Result<String, Error> {
        let config = ExecConfig { attach_stdout: Some(true), ..script_of(script, variables) };
        let config = ExecConfig { attach_stderr: Some(true), ..config };
        let id = self.client.create_exec(self.container, config).await.map_err(engine)?.id;
        let mut said = String::new();
        let started = self.client.start_exec(&id, None).await.map_err(engine)?;
        if let StartExecResults::Attached { mut output, .. } = started {
            while let Some(piece) = output.next().await {
                said.push_str(&piece.map_err(engine)?.to_string());
            }
        }
        let code = self.client.inspect_exec(&id).await.map_err(engine)?.exit_code;
        match code {
            Some(0) => Ok(said),
            _ => Err(failed("make a standby in the container", said.trim().to_owned())),
        }
    }

    /// Starts a shell script inside the container; gives the name by which the engine knows it.
    async fn begin(&self, script: &str) -> Result<String, Error> {
        let id = self.client.create_exec(self.container, script_of(script, &[])).await;
        let id = id.map_err(engine)?.id;
        let detached = StartExecOptions { detach: true, ..StartExecOptions::default() };
        self.client.start_exec(&id, Some(detached)).await.map_err(engine)?;
        Ok(id)
    }

    async fn session(&self) -> Result<Session, connect::Error> {
        facts::session(&self.address).await
    }
}

/// A standby inside the container.
pub struct ContainerStandby {
    request: StandbyRequest,
    /// As the engine knows its postmaster.
    running: String,
}

impl ContainerStandby {
    /// Makes a base backup and starts a server on it, in place of one that is there. Its end of
    /// the published port answers when this returns.
    ///
    /// # Errors
    /// The container has no pg_basebackup, no place, or its server does not follow.
    pub async fn make(
        primary: &Primary<'_>,
        address: &Address,
        request: &StandbyRequest,
    ) -> Result<ContainerStandby, Error> {
        end(primary).await?;
        let session = primary.session().await?;
        standby::make_slot(&session).await?;
        let host = text(&session, SOCKETS).await?;
        let place = (host.as_str(), primary.port, primary.user);
        let settings = standby::own_settings(request, place, PORT);
        let settings: String = settings
            .iter()
            .chain([(&"listen_addresses".to_owned(), &"*".to_owned())])
            .map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''")))
            .collect();
        let port = primary.port.to_string();
        let variables =
            [("HOST", &*host), ("PORT", &*port), ("ROLE", primary.user), ("SETTINGS", &*settings)];
        let backed_up = tokio::time::timeout(BACKUP_TIMEOUT, primary.run(MAKE, &variables));
        backed_up.await.unwrap_or_else(|_| {
            Err(failed("make a base backup", format!("took more than {BACKUP_TIMEOUT:?}")))
        })?;
        let running = primary.begin(RUN).await?;
        let made = ContainerStandby { request: request.clone(), running };
        made.answers(primary, address).await?;
        if !standby::streams(&session).await? {
            let log = primary.run(LOG, &[]).await.unwrap_or_default();
            return Err(failed("follow the primary", log));
        }
        if !request.slot {
            standby::drop_slots(&session).await?;
        }
        Ok(made)
    }

    /// Whether it runs as that was asked for.
    pub async fn is(&self, primary: &Primary<'_>, request: &StandbyRequest) -> bool {
        self.request == *request && self.is_running(primary).await
    }

    async fn is_running(&self, primary: &Primary<'_>) -> bool {
        let state = primary.client.inspect_exec(&self.running).await;
        state.is_ok_and(|state| state.running == Some(true))
    }

    async fn answers(&self, primary: &Primary<'_>, address: &Address) -> Result<(), Error> {
        let begun = Instant::now();
        while let Err(refused) = facts::session(address).await {
            if begun.elapsed() > START_TIMEOUT || !self.is_running(primary).await {
                let log = primary.run(LOG, &[]).await.unwrap_or_default();
                return Err(failed("start the standby", format!("{refused}; it says\n{log}")));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }
}

/// Ends a standby that is there, removes its files, and drops its slot.
///
/// # Errors
/// The engine or the server does not answer.
pub async fn end(primary: &Primary<'_>) -> Result<(), Error> {
    primary.run(END, &[]).await?;
    Ok(standby::drop_slots(&primary.session().await?).await?)
}

fn script_of(script: &str, variables: &[(&str, &str)]) -> ExecConfig {
    let variables = variables.iter().chain(&[("DATA", DATA)]);
    ExecConfig {
        cmd: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
        env: Some(variables.map(|(name, value)| format!("{name}={value}")).collect()),
        user: Some(USER.to_owned()),
        ..ExecConfig::default()
    }
}

async fn text(session: &Session, sql: &str) -> Result<String, connect::Error> {
    let row = session.client().query_one(sql, &[]).await;
    Ok(row.map_err(|error| connect::Error::query(sql, &error))?.get(0))
}

fn engine(error: testcontainers::bollard::errors::Error) -> Error {
    failed("make a standby in the container", error.to_string())
}
