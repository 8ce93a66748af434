//! A tap before a database of its own, clients that speak through it, and what it recorded.
//!
//! `mod common; mod tapped;` in a test file. Everything is traced, as with a command.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

pub mod log;
pub mod raw;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pgauntlet::clock::Clock;
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{
    ConnectionClosed, ConnectionOpened, Event, FaultEvent, HeldLock, Recorder, StatementBegan,
    StatementEnded, silent,
};
use pgauntlet::migrate::TapServer;
use pgauntlet::pg::LockMode;
use pgauntlet::tap::{self, Injection, Tap, Upstream};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use tokio_util::sync::CancellationToken;

/// Longest wait for anything that has to happen.
pub const SOON: Duration = Duration::from_secs(10);

pub type Trace = (StatementBegan, StatementEnded);

pub struct Tapped {
    /// The database itself.
    pub address: Address,
    recorder: Recorder,
    tap: Option<Tap>,
    seen: Mutex<Vec<Event>>,
}

impl Tapped {
    /// Before a database that a batch of SQL has filled.
    pub async fn with(schema: &str) -> Tapped {
        Tapped::with_faults(schema, &[]).await
    }

    pub async fn with_faults(schema: &str, faults: &[Injection]) -> Tapped {
        Tapped::before(common_database().await, schema, faults).await
    }

    pub async fn before(address: Address, schema: &str, faults: &[Injection]) -> Tapped {
        Tapped::before_as(address, schema, faults, |server| Arc::new(server)).await
    }

    /// With something in between that sees the server otherwise.
    pub async fn before_as(
        address: Address,
        schema: &str,
        faults: &[Injection],
        seen: impl FnOnce(TapServer) -> Arc<dyn Upstream>,
    ) -> Tapped {
        let recorder = Recorder::in_memory(Clock::start());
        let upstream = TapServer {
            change: address.clone(),
            ours: address.clone(),
            recorder: recorder.clone(),
        };
        let mut tapped = Tapped { address, recorder, tap: None, seen: Mutex::default() };
        tapped.direct().await.batch(schema).await.expect("the schema");
        let setup = tap::TapSetup {
            upstream: seen(upstream),
            recorder: &tapped.recorder,
            listener: &silent(),
            attempt: 0,
            announcements: None,
            faults: faults.to_vec(),
            gate: None,
        };
        tapped.tap = Some(Tap::start(setup).await.expect("a tap"));
        tapped
    }

    /// A session beside the tap.
    pub async fn direct(&self) -> Session {
        Session::open(&self.address, "test beside", &BTreeMap::new()).await.expect("a session")
    }

    pub fn socket(&self) -> std::net::SocketAddr {
        self.tap.as_ref().expect("the tap listens").address()
    }

    /// A client that connects to the tap, as anybody's would.
    pub async fn client(&self) -> Client {
        self.try_client(&[]).await.expect("a connection through the tap")
    }

    /// With further connection parameters: `options`, `user`.
    pub async fn try_client(
        &self,
        parameters: &[(&str, &str)],
    ) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.socket().port()).dbname(self.address.database());
        config.user(self.address.user()).application_name("test change");
        for (name, value) in parameters {
            match *name {
                "options" => config.options(*value),
                "user" => config.user(*value),
                name => panic!("no parameter {name}"),
            };
        }
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    pub async fn raw(&self) -> raw::Raw {
        raw::Raw::open(self.socket(), self.address.user(), self.address.database()).await
    }

    /// Cancelled when whoever applies the change is to be killed.
    pub fn killed(&self) -> CancellationToken {
        self.tap.as_ref().expect("the tap listens").killed()
    }

    /// Ends the tap: what goes on is given `grace`.
    pub async fn stop(&mut self, grace: Duration) {
        let tap = self.tap.take().expect("the tap listens");
        tap.stop(grace).await;
    }

    /// Ends it without a stop.
    pub fn drop_tap(&mut self) {
        drop(self.tap.take());
    }

    /// What has been recorded up to now.
    pub fn events(&self) -> Vec<Event> {
        let mut seen = self.seen.lock().expect("no panic");
        let more = self.recorder.finish().expect("a history").entries;
        seen.extend(more.into_iter().map(|entry| entry.event));
        seen.clone()
    }

    /// The statements that have ended, in the order in which they began.
    pub fn traces(&self) -> Vec<Trace> {
        let mut ended = BTreeMap::new();
        let events = self.events();
        for event in &events {
            if let Event::StatementEnded(end) = event {
                assert!(ended.insert(end.statement, (**end).clone()).is_none(), "it ended twice");
            }
        }
        let began = events.into_iter().filter_map(|event| match event {
            Event::StatementBegan(began) => Some(*began),
            _ => None,
        });
        let mut traces: Vec<Trace> = began
            .filter_map(|began| ended.remove(&began.statement).map(|ended| (began, ended)))
            .collect();
        assert!(ended.is_empty(), "they ended and never began: {ended:?}");
        traces.sort_by_key(|(began, _)| began.statement);
        traces
    }

    /// The last statement of this text, once it has ended.
    pub fn trace(&self, text: &str) -> Trace {
        let traces = self.traces();
        let found = traces.iter().rfind(|(began, _)| began.text == text);
        found.unwrap_or_else(|| panic!("{text} is not among {:#?}", texts(&traces))).clone()
    }

    /// The same for a statement that failed: its client hears of it before the server is ready for
    /// the next one, and then it has ended.
    pub async fn trace_soon(&self, text: &str) -> Trace {
        let has_ended = async || self.traces().iter().any(|(began, _)| began.text == text);
        eventually("the statement is recorded", has_ended).await;
        self.trace(text)
    }

    pub fn opened(&self) -> Vec<ConnectionOpened> {
        let opened = self.events().into_iter().filter_map(|event| match event {
            Event::ConnectionOpened(opened) => Some(opened),
            _ => None,
        });
        opened.collect()
    }

    pub fn closed(&self) -> Vec<ConnectionClosed> {
        let closed = self.events().into_iter().filter_map(|event| match event {
            Event::ConnectionClosed(closed) => Some(*closed),
            _ => None,
        });
        closed.collect()
    }

    pub fn faults(&self) -> Vec<FaultEvent> {
        let faults = self.events().into_iter().filter_map(|event| match event {
            Event::Fault(fault) => Some(fault),
            _ => None,
        });
        faults.collect()
    }

    /// Waits until that many connections are closed.
    pub async fn closed_soon(&self, count: usize) -> Vec<ConnectionClosed> {
        eventually("connections are closed", async || self.closed().len() >= count).await;
        self.closed()
    }

    /// Waits until the server says true.
    pub async fn true_soon(&self, sql: &str) {
        let session = self.direct().await;
        let is_so = async || session.client().query_one(sql, &[]).await.expect("a row").get(0);
        eventually(sql, is_so).await;
    }

    /// One value, by a session beside the tap.
    pub async fn text(&self, sql: &str) -> String {
        let sql = format!("SELECT ({sql})::text");
        self.direct().await.client().query_one(&sql, &[]).await.expect("a row").get(0)
    }

    /// What nothing but a look that failed leaves.
    pub fn assert_measured(&self) {
        let failed: Vec<Event> = self.events().into_iter().filter(is_failed_look).collect();
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

fn is_failed_look(event: &Event) -> bool {
    matches!(event, Event::MeasurementFailed { .. })
}

async fn common_database() -> Address {
    crate::common::fresh_database().await
}

/// Asks whether a backend of the trial's own database runs this statement.
pub fn running(sql: &str) -> String {
    format!(
        "SELECT EXISTS (SELECT FROM pg_stat_activity \
         WHERE query = '{sql}' AND datname = current_database())"
    )
}

/// Waits, within bounds, until it is so.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < SOON, "after {SOON:?} it is not so that {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub fn texts(traces: &[Trace]) -> Vec<&str> {
    traces.iter().map(|(began, _)| began.text.as_str()).collect()
}

/// Runs a text by the simple protocol; each must succeed.
pub async fn run(client: &Client, statements: &[&str]) {
    for sql in statements {
        if let Err(error) = client.simple_query(sql).await {
            panic!("{sql}: {error:?}");
        }
    }
}

/// The first value of the first row.
pub async fn value(client: &Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    row.unwrap_or_else(|| panic!("{sql}: no value")).to_owned()
}

/// The SQLSTATE with which a text fails; empty where the connection broke without one.
pub async fn failure(client: &Client, sql: &str) -> String {
    match client.simple_query(sql).await {
        Ok(_) => panic!("{sql}: no failure"),
        Err(error) => code(&error),
    }
}

pub fn code(error: &tokio_postgres::Error) -> String {
    error.code().map(|code| code.code().to_owned()).unwrap_or_default()
}

/// A mode in the letters of its name in the manual.
pub fn mode_letters(mode: LockMode) -> &'static str {
    match mode {
        LockMode::AccessShareLock => "AS",
        LockMode::RowShareLock => "RS",
        LockMode::RowExclusiveLock => "RX",
        LockMode::ShareUpdateExclusiveLock => "SUX",
        LockMode::ShareLock => "S",
        LockMode::ShareRowExclusiveLock => "SRX",
        LockMode::ExclusiveLock => "X",
        LockMode::AccessExclusiveLock => "AX",
    }
}

/// `ref SRX, t AX`: relations in order and what is held on each.
pub fn letters(held: &[HeldLock]) -> String {
    let mut words: Vec<String> = held
        .iter()
        .map(|lock| {
            let letters = mode_letters(lock.mode);
            format!("{} {letters}", lock.relation)
        })
        .collect();
    words.sort_unstable();
    words.join(", ")
}
