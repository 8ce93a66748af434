//! Where the change connects to, on a thread of its own.
//!
//! A round trip must not wait for whatever else the process does, and its steps need not wake
//! other threads.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::history::{Attempt, Listener, Recorder, ServerError};

use super::connection::{Connection, Opening};
use super::fault::Injection;
use super::shared::{Announcements, TapState};
use super::startup::{self, Startup};
use super::watch::{BoxStream, Upstream};

/// How long backends may take to be gone after their connections.
const TERMINATE_TIMEOUT: Duration = Duration::from_secs(5);
/// Before another try to take a connection, where one could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// Answer to a client while connections are refused: FATAL 57P03, as a server that is starting up.
const REFUSED: (&str, &str) = ("57P03", "the database system is not yet accepting connections");

/// What to carry, and how.
pub struct TapSetup<'a> {
    /// The server behind it.
    pub upstream: Arc<dyn Upstream>,
    /// Where statements and connections are recorded.
    pub recorder: &'a Recorder,
    /// Hears of a command's statements.
    pub listener: &'a Listener,
    /// Application of the change, from 0.
    pub attempt: Attempt,
    /// Some: statements that are not announced are a runner's own and are not traced.
    pub announcements: Option<Arc<Announcements>>,
    /// What is injected, each once.
    pub faults: Vec<Injection>,
}

/// Why there is no tap.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error("listen on 127.0.0.1 for the change's connections: {0}")]
    Listen(#[source] std::io::Error),
    #[error("open the session that probes the change: {0}")]
    Watch(String),
    #[error("start the thread that carries the change's connections: {0}")]
    Thread(#[source] std::io::Error),
}

/// A tap that listens. Dropped without [`Tap::stop`], it closes every connection at once.
pub struct Tap {
    address: SocketAddr,
    shared: Arc<TapState>,
    stopping: CancellationToken,
    /// Connections are still open that no task will close.
    given_up: CancellationToken,
    ended: Option<oneshot::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tap {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// No port is free, or the session that probes the change cannot be opened.
    pub async fn start(setup: TapSetup<'_>) -> Result<Tap, Error> {
        let (stopping, given_up) = (CancellationToken::new(), CancellationToken::new());
        let (started, starting) = oneshot::channel();
        let (ends, ended) = oneshot::channel();
        let life = Life { stopping: stopping.clone(), given_up: given_up.clone() };
        let TapSetup { upstream, recorder, listener, attempt, announcements, faults } = setup;
        let (recorder, listener) = (recorder.clone(), Arc::clone(listener));
        let thread =
            std::thread::Builder::new().name("pgauntlet-tap".to_owned()).spawn(move || {
                let runtime = match Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        let _ = started.send(Err(Error::Thread(error)));
                        return;
                    }
                };
                runtime.block_on(async {
                    let opened = open(&*upstream).await;
                    let (socket, address, watch) = match opened {
                        Ok(opened) => opened,
                        Err(error) => {
                            let _ = started.send(Err(error));
                            return;
                        }
                    };
                    let shared =
                        TapState::new(&recorder, &listener, attempt, watch, announcements, faults);
                    let shared = Arc::new(shared);
                    if started.send(Ok((address, Arc::clone(&shared)))).is_ok() {
                        accept(socket, upstream, shared, life).await;
                    }
                });
                let _ = ends.send(());
            });
        let thread = thread.map_err(Error::Thread)?;
        let gone = || Error::Thread(std::io::Error::other("it ended before it listened"));
        let (address, shared) = starting.await.map_err(|_| gone())??;
        let (ended, thread) = (Some(ended), Some(thread));
        Ok(Tap { address, shared, stopping, given_up, ended, thread })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Pids of the backends of the connections that are open.
    pub fn pids(&self) -> Vec<i32> {
        self.shared.pids()
    }

    /// Cancelled when a fault asks for it that the change's process be killed, at once and
    /// without a goodbye.
    pub fn killed(&self) -> CancellationToken {
        self.shared.killed.clone()
    }

    /// Cancels what the change's backends run.
    pub async fn cancel(&self) {
        for pid in self.shared.pids() {
            // A backend that cannot be asked is ended by what follows.
            let _ = self.shared.watch.cancel(pid).await;
        }
    }

    /// Takes no new connection, lets those that are open come to their end for `grace`, then
    /// closes them and ends their backends. What they did is recorded when this returns. Gives the
    /// error that the change was left with, if it was.
    pub async fn stop(mut self, grace: Duration) -> Option<ServerError> {
        self.stopping.cancel();
        let mut ended = self.ended.take()?;
        if tokio::time::timeout(grace, &mut ended).await.is_err() {
            self.shared.giving_up.store(true, Ordering::Relaxed);
            let pids = self.shared.pids();
            for pid in pids {
                let _ = self.shared.watch.terminate(pid).await;
            }
            if tokio::time::timeout(TERMINATE_TIMEOUT, &mut ended).await.is_err() {
                // What they did is recorded by those that can still be closed.
                self.shared.cut_all();
                if tokio::time::timeout(TERMINATE_TIMEOUT, &mut ended).await.is_err() {
                    self.given_up.cancel();
                    let _ = ended.await;
                }
            }
        }
        if let Some(thread) = self.thread.take() {
            // It has said that it ends.
            let _ = thread.join();
        }
        self.shared.last_error()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stopping.cancel();
        self.given_up.cancel();
    }
}

struct Life {
    stopping: CancellationToken,
    given_up: CancellationToken,
}

type Opened = (TcpListener, SocketAddr, Arc<dyn super::watch::Watch>);

async fn open(upstream: &dyn Upstream) -> Result<Opened, Error> {
    let watch = upstream.watch().await.map_err(Error::Watch)?;
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Listen)?;
    let address = socket.local_addr().map_err(Error::Listen)?;
    Ok((socket, address, watch))
}

async fn accept(
    socket: TcpListener,
    upstream: Arc<dyn Upstream>,
    shared: Arc<TapState>,
    life: Life,
) {
    let connections = TaskTracker::new();
    let clocks = CancellationToken::new();
    for (after, action) in shared.faults_by_time() {
        let (shared, ended) = (Arc::clone(&shared), clocks.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(after) => shared.inject_now(action).await,
                () = ended.cancelled() => {}
            }
        });
    }
    let mut number = 0;
    loop {
        let client = tokio::select! {
            accepted = socket.accept() => accepted,
            () = life.stopping.cancelled() => break,
        };
        // Out of descriptors, or a client that went at once: the next one may do better.
        let Ok((client, _)) = client else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (upstream, shared) = (Arc::clone(&upstream), Arc::clone(&shared));
        let given_up = life.given_up.clone();
        connections.spawn(async move {
            tokio::select! {
                () = serve(client, number, &*upstream, &shared) => {}
                () = given_up.cancelled() => {}
            }
        });
        number += 1;
    }
    drop(socket);
    clocks.cancel();
    connections.close();
    connections.wait().await;
    // A backend that works does not notice that its connection was given up.
    for pid in shared.pids() {
        let _ = tokio::time::timeout(TERMINATE_TIMEOUT, shared.watch.terminate(pid)).await;
    }
}

async fn serve(client: TcpStream, number: u32, upstream: &dyn Upstream, shared: &Arc<TapState>) {
    // Nagle's algorithm would hold a small answer back until the client acknowledges the last.
    let _ = client.set_nodelay(true);
    let mut client: BoxStream = Box::new(client);
    let mut rest = BytesMut::new();
    let Ok(Some(startup)) = startup::read(&mut client, &mut rest).await else { return };
    if shared.is_refusing() && matches!(startup, Startup::Session { .. }) {
        return refuse(&mut client, REFUSED).await;
    }
    let mut server = match upstream.dial().await {
        Ok(server) => server,
        Err(error) => {
            // 08001 sqlclient_unable_to_establish_sqlconnection
            let message = format!("the tap cannot reach the server: {error}");
            return refuse(&mut client, ("08001", &message)).await;
        }
    };
    match startup {
        Startup::Cancel { bytes } => {
            // As the client would have sent it; a server answers by closing.
            if server.write_all(&bytes).await.is_ok() {
                let _ = tokio::io::copy(&mut server, &mut tokio::io::sink()).await;
            }
        }
        Startup::Session { bytes, application_name, replication } => {
            let opening = Opening { startup: bytes, application_name, rest, replication };
            Connection::new(shared, number, opening, client, server).run().await;
        }
    }
}

/// Says why not, as a server would.
async fn refuse(client: &mut BoxStream, (code, message): (&str, &str)) {
    let mut body = Vec::new();
    for (field, value) in [(b'S', "FATAL"), (b'V', "FATAL"), (b'C', code), (b'M', message)] {
        body.push(field);
        body.extend_from_slice(value.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut error = vec![b'E'];
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    error.extend_from_slice(&length.to_be_bytes());
    error.extend_from_slice(&body);
    // A client that is gone needs no answer.
    let _ = client.write_all(&error).await;
    let _ = client.shutdown().await;
}
