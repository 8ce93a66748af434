//! One database, reached directly or through a tap, for tests that hold of both.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use pgauntlet::clock::Clock;
use pgauntlet::connect::{Address, Session, Wire};
use pgauntlet::history::{ConnectionRefused, Event, Recorder, silent};
use pgauntlet::migrate::TapServer;
use pgauntlet::pg::quote_literal;
use pgauntlet::provision::{Request, SourceRequest, doctor};
use pgauntlet::tap::{Gate, Tap, TapSetup};
use postgres_protocol::message::backend::Header;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, SimpleQueryMessage};

use crate::common::fresh_database;

/// Longest wait for anything that a test waits for.
pub const WAIT_MAX: Duration = Duration::from_secs(60);
/// Between two looks where nothing tells.
const POLL: Duration = Duration::from_millis(5);

/// How a client reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Direct,
    Tapped,
}

pub const WAYS: [Way; 2] = [Way::Direct, Way::Tapped];

/// A database and one way to it.
pub struct Place {
    /// Where clients go: over TCP, with a password.
    pub address: Address,
    /// Past any tap.
    pub admin: Session,
    recorder: Recorder,
    tap: Option<Tap>,
}

impl Place {
    /// On an empty database.
    pub async fn new(way: Way) -> Place {
        Place::on(&fresh_database().await, way).await
    }

    /// On a database of the test's server, given by its address on the unix socket.
    pub async fn on(database: &Address, way: Way) -> Place {
        Place::recorded(database, way, Recorder::in_memory(Clock::start())).await
    }

    pub async fn recorded(database: &Address, way: Way, recorder: Recorder) -> Place {
        Place::with_gate(database, way, recorder, true).await
    }

    /// The tap has no gate: it is the server that lets clients in or does not.
    pub async fn without_gate(way: Way) -> Place {
        let recorder = Recorder::in_memory(Clock::start());
        Place::with_gate(&fresh_database().await, way, recorder, false).await
    }

    async fn with_gate(database: &Address, way: Way, recorder: Recorder, gate: bool) -> Place {
        let admin = Session::open(database, "admin", &BTreeMap::new()).await.expect("a session");
        let tcp = with_password(database, &admin).await;
        let (address, tap) = match way {
            Way::Direct => (tcp, None),
            Way::Tapped => {
                let only = Some(tcp.database().to_owned());
                let gate = gate.then(|| Gate::new(tcp.user(), tcp.password(), only));
                let tap = tap(&tcp, database, &recorder, gate).await;
                let password = tap.password().map(str::to_owned).or_else(|| tcp.password());
                (tcp.at(tap.address(), password.as_deref()), Some(tap))
            }
        };
        Place { address, admin, recorder, tap }
    }

    /// On an empty database of the socket, where nobody is asked for a password: for clients that
    /// speak the protocol by hand.
    pub async fn open(way: Way) -> Place {
        let database = fresh_database().await;
        let place = Place::on(&database, Way::Direct).await;
        match way {
            Way::Direct => Place { address: database, ..place },
            Way::Tapped => {
                let tap = tap(&database, &database, &place.recorder, None).await;
                let address = database.at(tap.address(), None);
                Place { address, tap: Some(tap), ..place }
            }
        }
    }

    /// As a driver is told where to go.
    pub fn config(&self) -> Config {
        let (place, password) = (self.address.place(), self.address.password());
        let (host, port) = place.rsplit_once(':').expect("host:port");
        let mut config = Config::new();
        config.host(host).port(port.parse().expect("a port"));
        config.user(self.address.user()).dbname(self.address.database());
        config.password(password.expect("the server asks for a password on TCP"));
        config
    }

    pub async fn client(&self) -> Caller {
        Caller::open(&self.config()).await.unwrap_or_else(|error| panic!("connect: {error:?}"))
    }

    /// A program of the installed server, told by the environment where to connect to.
    pub async fn program(&self, name: &str, arguments: &[&str]) -> Output {
        self.program_with(name, arguments, &[]).await
    }

    /// The same with further variables, which go before.
    pub async fn program_with(
        &self,
        name: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Output {
        let place = self.address.place();
        let (host, port) = place.rsplit_once(':').expect("host:port");
        let output = tokio::process::Command::new(program(name).await)
            .args(arguments)
            .env("PGHOST", host)
            .env("PGPORT", port)
            .env("PGUSER", self.address.user())
            .env("PGPASSWORD", self.address.password().expect("a password"))
            .env("PGDATABASE", self.address.database())
            .env("LC_ALL", "C")
            .envs(variables.iter().copied())
            .kill_on_drop(true)
            .output();
        within(output).await.unwrap_or_else(|error| panic!("run {name}: {error}"))
    }

    /// Clients that the tap did not let in, up to now.
    pub fn refused(&self) -> Vec<ConnectionRefused> {
        let entries = self.recorder.finish().expect("a history").entries;
        let refused = entries.into_iter().filter_map(|entry| match entry.event {
            Event::ConnectionRefused(refused) => Some(*refused),
            _ => None,
        });
        refused.collect()
    }

    /// The tap ends in order, saw what it had to see, and every statement has its end.
    pub async fn done(self) {
        let Some(tap) = self.tap else { return };
        within(tap.stop(Duration::from_secs(10))).await;
        let history = self.recorder.finish().expect("a history");
        let (mut began, mut ended) = (0, 0);
        for entry in history.entries {
            match entry.event {
                Event::StatementBegan(_) => began += 1,
                Event::StatementEnded(_) => ended += 1,
                Event::MeasurementFailed { stage, message } => panic!("{stage}: {message}"),
                _ => {}
            }
        }
        assert_eq!(began, ended, "statements that began, and that ended");
    }
}

/// The same database over TCP, where the server asks for a password.
async fn with_password(database: &Address, admin: &Session) -> Address {
    let (place, name) = (database.place(), database.database());
    let (_, port) = place.rsplit_once(':').expect("directory:port");
    let (role, password) = (format!("client_of_{name}"), "sésame '; --");
    let sql = format!(
        "SELECT count(*) = 0 FROM pg_catalog.pg_roles WHERE rolname = {}",
        quote_literal(&role)
    );
    if admin.client().query_one(&sql, &[]).await.expect("an answer").get(0) {
        let sql =
            format!("CREATE ROLE {role} SUPERUSER LOGIN PASSWORD {}", quote_literal(password));
        admin.batch(&sql).await.expect("a role");
    }
    let port = port.parse().expect("a port");
    Address::tcp("127.0.0.1", port, &role, Some(password)).with_database(name)
}

/// A tap in front of `change` that traces everything as a command's.
pub async fn tap(change: &Address, ours: &Address, recorder: &Recorder, gate: Option<Gate>) -> Tap {
    let (change, ours) = (change.clone(), ours.clone());
    let upstream = Arc::new(TapServer { change, ours, recorder: recorder.clone() });
    let listener = silent();
    let setup = TapSetup {
        upstream,
        recorder,
        listener: &listener,
        attempt: 0,
        announcements: None,
        faults: Vec::new(),
        gate,
    };
    Tap::start(setup).await.unwrap_or_else(|error| panic!("failed to {error}"))
}

/// The server's own program, else one of a server that Debian installed: not every server comes
/// with its clients.
async fn program(name: &str) -> PathBuf {
    let own = bin().await.join(name);
    if own.is_file() {
        return own;
    }
    let majors = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = majors.map(|major| major.path().join("bin").join(name)).filter(|p| p.is_file());
    found.max().unwrap_or_else(|| panic!("no {name} is installed: run ci/setup"))
}

/// Where the programs of the test's server are.
pub async fn bin() -> PathBuf {
    let source = SourceRequest::Local { pg_bin: None, major: None };
    let report = doctor(&Request { source, cache: None, run_as: None }).await;
    report.chosen.expect("an installed server; ci/setup installs one").bin
}

/// A client, and what came to it beside the answers.
pub struct Caller {
    client: Client,
    pub messages: UnboundedReceiver<AsyncMessage>,
    /// How its connection ended.
    pub ended: JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Caller {
    pub async fn open(config: &Config) -> Result<Caller, tokio_postgres::Error> {
        let (client, mut connection) = within(config.connect(NoTls)).await?;
        let (sender, messages) = unbounded_channel();
        let ended = tokio::spawn(async move {
            while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                // Not every test listens.
                let _ = sender.send(message?);
            }
            Ok(())
        });
        Ok(Caller { client, messages, ended })
    }

    /// `pg_backend_pid()`, asked so that nothing is left to be closed.
    pub async fn pid(&self) -> i32 {
        let messages = self.simple_query("SELECT pg_backend_pid()").await.expect("a pid");
        let pid = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        pid.expect("a pid")
    }

    /// The first row's first column, as text.
    pub async fn text(&self, sql: &str) -> String {
        let row = self.query_one(sql, &[]).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        row.get(0)
    }
}

impl Deref for Caller {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Caller {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(WAIT_MAX, future).await;
    ended.unwrap_or_else(|_| panic!("no end within {} s", WAIT_MAX.as_secs()))
}

/// Asks until the answer is `true`.
pub async fn until(admin: &Session, sql: &str) {
    let began = Instant::now();
    loop {
        let row = admin.client().query_one(sql, &[]).await.expect("an answer");
        if row.get(0) {
            return;
        }
        assert!(began.elapsed() < WAIT_MAX, "not true within {} s: {sql}", WAIT_MAX.as_secs());
        tokio::time::sleep(POLL).await;
    }
}

/// What the server said, every field of it.
pub fn said(error: &tokio_postgres::Error) -> &DbError {
    error.as_db_error().unwrap_or_else(|| panic!("not the server's error: {error:?}"))
}

pub fn code<T: std::fmt::Debug>(result: Result<T, tokio_postgres::Error>) -> String {
    said(&result.expect_err("an error")).code().code().to_owned()
}

/// A client that sends what it is told to and understands as much as it must.
pub struct Raw {
    wire: Box<dyn Wire>,
    unread: BytesMut,
}

impl Raw {
    /// At a [`Place::open`], with the first ReadyForQuery behind it.
    pub async fn at(place: &Place) -> Raw {
        let wire = within(place.address.dial()).await.expect("a connection");
        let mut raw = Raw { wire, unread: BytesMut::new() };
        let mut startup = BytesMut::new();
        let (user, database) = (place.address.user(), place.address.database());
        let parameters = [("user", user), ("database", database)];
        frontend::startup_message(parameters, &mut startup).expect("a startup message");
        raw.send(&startup).await;
        raw.answers(1).await;
        raw
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        within(self.wire.write_all(bytes)).await.expect("the bytes are taken");
    }

    /// The next message with its tag and length; None: the server has closed the connection.
    pub async fn message(&mut self) -> Option<BytesMut> {
        loop {
            if let Some(header) = Header::parse(&self.unread).expect("a message") {
                let length = usize::try_from(header.len()).expect("a length") + 1;
                if self.unread.len() >= length {
                    return Some(self.unread.split_to(length));
                }
            }
            if within(self.wire.read_buf(&mut self.unread)).await.expect("bytes") == 0 {
                return None;
            }
        }
    }

    /// All that comes up to so many ReadyForQuery, or to the end, as text.
    pub async fn answers(&mut self, mut readies: usize) -> Vec<String> {
        let mut all = Vec::new();
        while readies > 0
            && let Some(message) = self.message().await
        {
            readies -= usize::from(message[0] == b'Z');
            all.push(message.escape_ascii().to_string());
        }
        all
    }

    /// Bytes up to the end of the next ReadyForQuery, none of which are kept.
    pub async fn skip_to_ready(&mut self) -> usize {
        let (mut read, mut left) = (0, 0);
        loop {
            let here = self.unread.len().min(left);
            self.unread.advance(here);
            (read, left) = (read + here, left - here);
            if left == 0
                && let Some(header) = Header::parse(&self.unread).expect("a message")
            {
                left = usize::try_from(header.len()).expect("a length") + 1;
                if header.tag() == b'Z' && self.unread.len() >= left {
                    self.unread.advance(left);
                    return read + left;
                }
                if header.tag() != b'Z' {
                    continue;
                }
                left = 0;
            }
            self.unread.reserve(64 << 10);
            let got = within(self.wire.read_buf(&mut self.unread)).await.expect("bytes");
            assert!(got > 0, "the server closed the connection");
        }
    }
}
