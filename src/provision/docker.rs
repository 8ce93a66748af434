//! A server in a container, by testcontainers.
//!
//! Its port is published on loopback only, and its password is random: no other user gets in.
//! It is taken for ready when it takes a session over TCP, whatever its image logs: the temporary
//! server that official images start first listens on no port. Containers of processes that were
//! killed are removed by their guardian, where there is a docker command, and else by the sweep.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use testcontainers::bollard::Docker;
use testcontainers::bollard::models::{ContainerSummary, PortBinding};
use testcontainers::bollard::query_parameters::{
    KillContainerOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use testcontainers::core::IntoContainerPort;
use testcontainers::core::client::{ClientError, docker_client_instance};
use testcontainers::core::error::TestcontainersError;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};

use crate::connect::Address;
use crate::history::{Listener, Progress, ServerFacts};
use crate::pg::{quote_ident, quote_literal};

use super::container_log::LogCopy;
use super::docker_standby::{self, ContainerStandby, PORT as STANDBY_PORT, Primary};
use super::docker_state::DockerState;
use super::error::complaint;
use super::guardian::{Guarded, Guardian};
use super::logins::Logins;
use super::run_directory::{self, Owner, RunDirectory};
use super::standby::StandbyRequest;
use super::{Error, MAJORS, Server, facts, machine, settings};

const DEFAULT_MAJOR: u32 = 17;
const PORT: u16 = 5432;
const SUPERUSER: &str = "postgres";

/// Longest wait for the engine to say who it is.
const ENGINE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait until the server takes a session; its first start makes a cluster.
const READY_TIMEOUT: Duration = Duration::from_secs(120);
const READY_POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Longest wait for a fast shutdown, which writes a checkpoint.
const HALT_TIMEOUT: Duration = Duration::from_secs(60);
/// Of the container's log, read for an error.
const LOG_TAIL_LINES: &str = "40";

/// The run directory of the process that a container belongs to, and the machine it is on.
const RUN_LABEL: &str = "io.pgauntlet.run";
const PLACE_LABEL: &str = "io.pgauntlet.place";

/// Settings whose value is a list of names: each name is quoted for itself.
const LIST_SETTINGS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
];

struct DockerServer {
    image: String,
    client: Docker,
    container: ContainerAsync<GenericImage>,
    run: RunDirectory,
    guardian: Guardian,
    port: u16,
    password: String,
    logins: Logins,
    /// None: the server has not answered yet.
    log: Option<LogCopy>,
    standby: Option<ContainerStandby>,
    base: BTreeMap<String, String>,
    applied: BTreeMap<String, String>,
    facts: ServerFacts,
}

pub async fn start(
    image: Option<&str>,
    major: Option<u32>,
    listener: &Listener,
) -> Result<Box<dyn Server>, Error> {
    if let Some(major) = major.filter(|major| major < MAJORS.start()) {
        return Err(Error::MajorTooOld { major });
    }
    let client = reach().await?;
    for name in sweep(&client).await {
        listener(Progress::Server(format!("removed the container {name} of a killed process")));
    }
    let image = match image {
        Some(image) => image.to_owned(),
        None => format!("postgres:{}", major.unwrap_or(DEFAULT_MAJOR)),
    };
    listener(Progress::Server(format!("starting a container of {image}")));
    let memory = engine_memory(&client).await;
    let run = RunDirectory::create(None)?;
    run.write_owner(&Owner {
        pid: std::process::id(),
        data: run.private_data(),
        bin: PathBuf::new(),
        run_as: None,
    })?;
    let guardian = Guardian::start(&Guarded {
        run_directory: run.path(),
        run_lock: run.lock(),
        data: run.private_data(),
        standby: run.standby_data(),
        new_data: run.private_new_data(),
        cluster_lock: None,
        container: Some(run.name()),
    })?;
    let password = settings::random_password();
    let container = create(&client, &image, &run, &password, memory).await?;
    let mut server = DockerServer {
        image,
        client,
        container,
        run,
        guardian,
        port: 0,
        password,
        logins: Logins::of_ours(),
        log: None,
        standby: None,
        base: settings::for_memory(memory),
        applied: BTreeMap::new(),
        facts: ServerFacts::default(),
    };
    server.wait_ready().await?;
    server.check_major(major)?;
    server.write_settings(&server.base).await?;
    server.restart().await?;
    Ok(Box::new(server))
}

/// Makes and starts a container; leaves none behind if that fails.
async fn create(
    client: &Docker,
    image: &str,
    run: &RunDirectory,
    password: &str,
    memory: u64,
) -> Result<ContainerAsync<GenericImage>, Error> {
    let (name, tag) = match image.rsplit_once(':') {
        // A colon before a slash belongs to a registry's port.
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    };
    let request = GenericImage::new(name, tag)
        .with_exposed_port(PORT.tcp())
        .with_exposed_port(STANDBY_PORT.tcp())
        .with_container_name(run.name())
        .with_label(RUN_LABEL, run.path().display().to_string())
        .with_label(PLACE_LABEL, this_place())
        .with_env_var("POSTGRES_USER", SUPERUSER)
        .with_env_var("POSTGRES_PASSWORD", password)
        .with_env_var("TZ", "UTC")
        // Parallel index builds share memory in /dev/shm, which Docker keeps at 64 MB.
        .with_shm_size(memory / 4)
        .with_startup_timeout(READY_TIMEOUT)
        .with_host_config_modifier(|config| {
            // The library would publish on every address of the machine.
            config.publish_all_ports = Some(false);
            let loopback = PortBinding {
                host_ip: Some("127.0.0.1".to_owned()),
                host_port: Some(String::new()),
            };
            let publish = |port| (format!("{port}/tcp"), Some(vec![loopback.clone()]));
            config.port_bindings = Some([PORT, STANDBY_PORT].map(publish).into());
        });
    match request.start().await {
        Ok(container) => Ok(container),
        Err(error) => {
            remove(client, &run.name()).await;
            Err(start_error(image, &error))
        }
    }
}

impl DockerServer {
    /// Waits until a session over TCP is taken, and reads what the server reports of itself.
    async fn wait_ready(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            // The engine chooses another port at each start.
            self.port = self.container.get_host_port_ipv4(PORT.tcp()).await.unwrap_or(0);
            let refused = match facts::session(&self.address()).await {
                Ok(session) => {
                    self.facts = facts::read(&session, "docker").await?;
                    self.logins.make(&session).await?;
                    return self.copy_log().await;
                }
                Err(error) => error,
            };
            let running = self.container.is_running().await.unwrap_or(false);
            if !running || begun.elapsed() > READY_TIMEOUT {
                let state = if running { "did not answer" } else { "ended" };
                let log = self.log_tail().await;
                let why = format!("its server {state} ({refused}); it says\n{log}");
                return Err(self.failed("start", why));
            }
            tokio::time::sleep(READY_POLL_INTERVAL).await;
        }
    }

    /// Begins anew: with the container that was stopped, the copying ended.
    async fn copy_log(&mut self) -> Result<(), Error> {
        let path = self.run.log_path();
        self.log = Some(LogCopy::begin(&self.client, self.container.id(), &path).await?);
        Ok(())
    }

    fn check_major(&self, asked: Option<u32>) -> Result<(), Error> {
        let major = self.facts.version_num / 10_000;
        let version = self.facts.version.clone();
        if major < *MAJORS.start() {
            return Err(Error::TooOld { place: self.image.clone(), version });
        }
        match asked {
            Some(asked) if asked != major => {
                let why = format!("it holds PostgreSQL {version}, not the asked {asked}");
                Err(self.failed("use", why))
            }
            _ => Ok(()),
        }
    }

    /// Replaces what ALTER SYSTEM set before.
    async fn write_settings(&self, all: &BTreeMap<String, String>) -> Result<(), Error> {
        let session = facts::session(&self.address()).await?;
        session.batch("ALTER SYSTEM RESET ALL").await?;
        for (name, value) in all {
            let value = match LIST_SETTINGS.contains(&name.as_str()) {
                true => value.split(',').map(|v| quote_literal(v.trim())).collect::<Vec<_>>(),
                false => vec![quote_literal(value)],
            };
            let (name, value) = (quote_ident(name), value.join(", "));
            session.batch(&format!("ALTER SYSTEM SET {name} = {value}")).await?;
        }
        Ok(())
    }

    /// A fast shutdown and a start of the same container, so that its databases stay.
    async fn restart(&mut self) -> Result<(), Error> {
        // It would end with the container, and its slot would keep WAL.
        self.end_standby().await?;
        let failed = |error: &dyn std::error::Error| self.failed("restart", chain(error));
        let id = self.container.id();
        // Not the engine's own stop: its signal is the image's, and SIGTERM waits for clients.
        let signal = KillContainerOptionsBuilder::new().signal("SIGINT").build();
        self.client.kill_container(id, Some(signal)).await.map_err(|e| failed(&e))?;
        let begun = Instant::now();
        while self.container.is_running().await.map_err(|e| failed(&e))? {
            if begun.elapsed() > HALT_TIMEOUT {
                let seconds = HALT_TIMEOUT.as_secs();
                let why = format!("it did not end within {seconds} s of a fast shutdown");
                return Err(self.failed("restart", why));
            }
            tokio::time::sleep(READY_POLL_INTERVAL).await;
        }
        self.client.start_container(id, None).await.map_err(|e| failed(&e))?;
        self.wait_ready().await
    }

    async fn apply(&mut self, wanted: BTreeMap<String, String>) -> Result<(), Error> {
        let mut all = self.base.clone();
        all.extend(wanted.clone());
        if let Err(error) = self.write_settings(&all).await {
            let mut before = self.base.clone();
            before.extend(self.applied.clone());
            self.write_settings(&before).await?;
            let names = settings::listed(&wanted);
            return Err(Error::SettingsRefused { names, log: error.to_string() });
        }
        match self.restart().await {
            Ok(()) => {
                self.applied = wanted;
                Ok(())
            }
            Err(error) => {
                let names = settings::listed(&wanted);
                self.replace().await?;
                Err(Error::SettingsRefused { names, log: error.to_string() })
            }
        }
    }

    /// A server that cannot start cannot be given other settings: another takes its place, with
    /// none of its databases.
    async fn replace(&mut self) -> Result<(), Error> {
        remove(&self.client, self.container.id()).await;
        let memory = engine_memory(&self.client).await;
        self.container =
            create(&self.client, &self.image, &self.run, &self.password, memory).await?;
        self.applied = BTreeMap::new();
        self.wait_ready().await?;
        self.write_settings(&self.base).await?;
        self.restart().await
    }

    fn primary(&self) -> Primary<'_> {
        let (client, container) = (&self.client, self.container.id());
        Primary { client, container, address: self.address(), port: PORT, user: SUPERUSER }
    }

    /// A standby as it is asked for, or none. One that is another is made anew.
    async fn follow(&mut self, request: Option<&StandbyRequest>) -> Result<Option<Address>, Error> {
        let Some(request) = request else {
            self.end_standby().await?;
            return Ok(None);
        };
        let failed = |error: TestcontainersError| self.failed("use", chain(&error));
        let port = self.container.get_host_port_ipv4(STANDBY_PORT.tcp()).await.map_err(failed)?;
        let address = Address::tcp("127.0.0.1", port, SUPERUSER, Some(&self.password));
        let primary = self.primary();
        let fits = match &self.standby {
            Some(standby) => standby.is(&primary, request).await,
            None => false,
        };
        if !fits {
            let made = ContainerStandby::make(&primary, &address, request).await;
            if made.is_err() {
                // The first error is the one to tell.
                let _ = docker_standby::end(&primary).await;
            }
            drop(primary);
            self.standby = Some(made?);
        }
        Ok(Some(address))
    }

    async fn end_standby(&mut self) -> Result<(), Error> {
        match self.standby.take() {
            Some(_) => docker_standby::end(&self.primary()).await,
            None => Ok(()),
        }
    }

    async fn log_tail(&self) -> String {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(LOG_TAIL_LINES);
        let mut lines = self.client.logs(self.container.id(), Some(options.build()));
        let mut text = String::new();
        while let Some(Ok(line)) = lines.next().await {
            text.push_str(&line.to_string());
        }
        complaint(&text)
    }

    fn failed(&self, action: &'static str, why: String) -> Error {
        Error::Docker { action, image: self.image.clone(), why }
    }

    async fn stop(self) -> Result<(), Error> {
        let DockerServer { container, run, guardian, image, .. } = self;
        let removed = container.rm().await;
        let swept = run.remove();
        guardian.dismiss().await;
        removed.map_err(|error| Error::Docker { action: "remove", image, why: chain(&error) })?;
        swept
    }
}

impl Server for DockerServer {
    fn address(&self) -> Address {
        Address::tcp("127.0.0.1", self.port, SUPERUSER, Some(&self.password))
    }

    fn tcp_address(&self) -> Option<Address> {
        Some(self.address())
    }

    fn facts(&self) -> ServerFacts {
        self.facts.clone()
    }

    fn log_path(&self) -> Option<PathBuf> {
        Some(self.run.log_path())
    }

    fn logins(&self) -> Option<Logins> {
        Some(self.logins.clone())
    }

    fn apply_settings<'a>(
        &'a mut self,
        settings: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let wanted = settings::checked(settings)?;
            if wanted == self.applied { Ok(()) } else { self.apply(wanted).await }
        })
    }

    fn follow<'a>(
        &'a mut self,
        standby: Option<&'a StandbyRequest>,
    ) -> BoxFuture<'a, Result<Option<Address>, Error>> {
        Box::pin(DockerServer::follow(self, standby))
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(DockerServer::stop(*self))
    }
}

/// The engine, if it answers.
async fn reach() -> Result<Docker, Error> {
    let unreachable = |why: String| Error::DockerUnreachable { why };
    let client = docker_client_instance().await.map_err(|e| unreachable(chain(&e)))?;
    match tokio::time::timeout(ENGINE_TIMEOUT, client.ping()).await {
        Ok(Ok(_)) => Ok(client),
        Ok(Err(error)) => Err(unreachable(chain(&error))),
        Err(_) => Err(unreachable(format!("no answer within {} s", ENGINE_TIMEOUT.as_secs()))),
    }
}

/// For `doctor`.
pub async fn state() -> DockerState {
    let client = match reach().await {
        Ok(client) => client,
        Err(Error::DockerUnreachable { why }) => return DockerState::Unreachable { why },
        Err(error) => return DockerState::Unreachable { why: error.to_string() },
    };
    let version = client.version().await.ok().and_then(|reply| reply.version);
    DockerState::Reachable { version: version.unwrap_or_else(|| "unknown".to_owned()) }
}

/// The engine may run in a machine of its own with less memory than ours.
async fn engine_memory(client: &Docker) -> u64 {
    let reply = client.info().await.ok().and_then(|info| info.mem_total);
    let reply = reply.and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
    machine::memory_bytes().min(reply.unwrap_or(u64::MAX))
}

/// Removes containers whose process is gone; gives their names. An engine that does not answer
/// holds none that we could remove.
pub async fn sweep_reachable() -> Vec<String> {
    match reach().await {
        Ok(client) => sweep(&client).await,
        Err(_) => Vec::new(),
    }
}

async fn sweep(client: &Docker) -> Vec<String> {
    let filters = HashMap::from([("label".to_owned(), vec![RUN_LABEL.to_owned()])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let listed = client.list_containers(Some(options)).await.unwrap_or_default();
    let mut removed = Vec::new();
    for container in listed.iter().filter(|container| is_stale(container)) {
        let Some(id) = &container.id else { continue };
        remove(client, id).await;
        let names = container.names.clone().unwrap_or_default().join(", ");
        removed.push(names.trim_start_matches('/').to_owned());
    }
    removed
}

fn is_stale(container: &ContainerSummary) -> bool {
    let label = |name: &str| container.labels.as_ref().and_then(|labels| labels.get(name));
    // Another machine's process may use the same engine; its directories are not seen from here.
    label(PLACE_LABEL).is_some_and(|place| *place == this_place())
        && label(RUN_LABEL).is_some_and(|run| !run_directory::may_be_live(Path::new(run)))
}

/// This machine and this view of its directories, so that one that shares an engine with another
/// machine or with a container never takes the other's directories for missing ones of its own.
fn this_place() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| {
        let output = std::process::Command::new("hostname").output().ok()?;
        String::from_utf8(output.stdout).ok()
    });
    let view = std::fs::read_link("/proc/self/ns/mnt").unwrap_or_default();
    format!("{} {}", name.unwrap_or_default().trim(), view.display()).trim().to_owned()
}

/// With its volumes. One that is gone already is what is wanted.
async fn remove(client: &Docker, name: &str) {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    let _ = client.remove_container(name, Some(options)).await;
}

fn start_error(image: &str, error: &TestcontainersError) -> Error {
    let image = image.to_owned();
    match error {
        TestcontainersError::Client(ClientError::PullImage { err, .. }) => {
            let why = format!("it is not here, and pulling it failed ({})", chain(err));
            Error::DockerImage { image, why }
        }
        TestcontainersError::Client(ClientError::CreateContainer(err)) => {
            Error::DockerImage { image, why: chain(err) }
        }
        error => Error::Docker { action: "start", image, why: chain(error) },
    }
}

/// An error with its sources; the libraries' own texts repeat theirs, and are not repeated.
fn chain(error: &dyn std::error::Error) -> String {
    let reply = error.to_string();
    match error.source() {
        Some(source) if !reply.contains(&source.to_string()) => {
            format!("{reply}: {}", chain(source))
        }
        _ => reply,
    }
}
