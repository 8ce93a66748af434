//! Private servers for the tests of one process, each started once; the guardian ends them.
//!
//! `common::fresh_database().await` is an empty database of its own for each call. Nothing is kept,
//! nothing has to be dropped.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use pgauntlet::connect::{Address, Session};
use pgauntlet::history::silent;
use pgauntlet::provision::{Request, Server, SourceRequest, provision};
use tokio::sync::{Mutex, oneshot};

type Settings = BTreeMap<String, String>;

/// Where ci/setup puts further majors.
const CI_DIRECTORY: &str = "/var/lib/pgauntlet-ci";

/// What a test may know of its server.
#[derive(Clone)]
pub struct TestServer {
    /// The maintenance database.
    pub address: Address,
    pub log_path: std::path::PathBuf,
}

impl TestServer {
    /// As somebody would write it on the command line, for a user and a database of it.
    pub fn conninfo(&self, user: &str) -> String {
        let place = self.address.place();
        let (host, port) = place.rsplit_once(':').expect("host:port");
        format!("host={host} port={port} user={user} dbname=postgres sslmode=disable")
    }

    pub async fn fresh_database(&self) -> Address {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("pgauntlet_test_{number}");
        let session = Session::open(&self.address, "test", &Settings::new()).await;
        let session = session.expect("a session on the test's server");
        session.batch(&format!("CREATE DATABASE {name}")).await.expect("a new database");
        self.address.with_database(&name)
    }
}

type Servers = BTreeMap<(Option<u32>, Settings), TestServer>;

static SERVERS: Mutex<Servers> = Mutex::const_new(BTreeMap::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// An empty database on a server that runs with our own settings.
pub async fn fresh_database() -> Address {
    fresh_database_with(&[]).await
}

/// An empty database on a server that runs with these settings on top.
pub async fn fresh_database_with(settings: &[(&str, &str)]) -> Address {
    server_with(settings).await.fresh_database().await
}

/// An empty database on a server of this major, with our own settings.
pub async fn fresh_database_of(major: u32) -> Address {
    server(Some(major), &[]).await.fresh_database().await
}

/// The server itself of this major, for tests that make databases by a request of their own.
pub async fn server_of(major: u32) -> TestServer {
    server(Some(major), &[]).await
}

/// The same with settings beside ours.
pub async fn server_of_with(major: u32, settings: &[(&str, &str)]) -> TestServer {
    server(Some(major), settings).await
}

/// The server itself, for tests that read its log.
pub async fn server_with(settings: &[(&str, &str)]) -> TestServer {
    server(None, settings).await
}

async fn server(major: Option<u32>, settings: &[(&str, &str)]) -> TestServer {
    let pairs = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let settings: Settings = pairs.collect();
    let mut servers = SERVERS.lock().await;
    if let Some(server) = servers.get(&(major, settings.clone())) {
        return server.clone();
    }
    let server = start(major, settings.clone()).await;
    servers.insert((major, settings), server.clone());
    server
}

/// Each test has a runtime that ends with it; the server's own lasts as long as the process.
async fn start(major: Option<u32>, settings: Settings) -> TestServer {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let server = private_server(major, &settings).await;
            let told = TestServer {
                address: server.address(),
                log_path: server.log_path().expect("a local server has a log"),
            };
            let _ = sender.send(told);
            // Held until the process ends; then its guardian sees that.
            std::future::pending::<()>().await;
            drop(server);
        });
    });
    receiver.await.expect("a server of an installed Postgres; ci/setup installs one")
}

async fn private_server(major: Option<u32>, settings: &Settings) -> Box<dyn Server> {
    let source = SourceRequest::Local { pg_bin: major.and_then(binaries), major };
    let request = Request { source, cache: None, run_as: None };
    let mut server = match provision(&request, &silent()).await {
        Ok(server) => server,
        Err(error) => panic!("failed to {error}\n(ci/setup installs what the tests need)"),
    };
    if !settings.is_empty() {
        server.apply_settings(settings).await.unwrap_or_else(|e| panic!("failed to {e}"));
    }
    server
}

/// Where ci/setup put the major; Debian's own server is found without being named.
fn binaries(major: u32) -> Option<PathBuf> {
    let base = std::env::var("PGAUNTLET_CI_DIR").unwrap_or_else(|_| CI_DIRECTORY.to_owned());
    let bin = PathBuf::from(format!("{base}/pg/{major}/native/bin"));
    bin.exists().then_some(bin)
}
