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
use crate::pg::SqlState;

use super::connection::{Connection, Opening};
use super::fault::Injection;
use super::gate::{self, Gate, Stopped};
use super::pool::PoolState;
use super::shared::{Announcements, TapState};
use super::startup::{self, Session, Startup};
use super::watch::{BoxStream, Upstream};

/// How long backends may take to be gone after their connections.
const TERMINATE_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two looks whether an attempt's statements have ended behind a pooler.
const REST_POLL: Duration = Duration::from_millis(10);
/// Before another try to take a connection, where one could not be taken.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
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
    /// None: whom the server lets in, it lets in.
    pub gate: Option<Gate>,
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
    password: Option<String>,
    shared: Arc<TapState>,
    stopping: CancellationToken,
    /// Connections are still open that no task will close.
    given_up: CancellationToken,
    ended: Option<oneshot::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
    /// Some: its connections are a pooler's, and stay.
    pool: Option<Arc<PoolState>>,
}

impl Tap {
    /// The tap of an attempt whose clients connect to a pooler there, with this password.
    pub fn behind(
        pool: &Arc<PoolState>,
        (address, password): (SocketAddr, String),
        (attempt, announcements): (Attempt, Option<Arc<Announcements>>),
        listener: &Listener,
    ) -> Tap {
        let (recorder, watch) = (&pool.recorder, Arc::clone(&pool.watch));
        let shared = TapState::new(recorder, listener, attempt, watch, announcements, Vec::new());
        let shared = Arc::new(shared);
        pool.join(Arc::clone(&shared));
        let (stopping, given_up) = (CancellationToken::new(), CancellationToken::new());
        let (password, pool) = (Some(password), Some(Arc::clone(pool)));
        let (ended, thread) = (None, None);
        Tap { address, password, shared, stopping, given_up, ended, thread, pool }
    }

    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// No port is free, or the session that probes the change cannot be opened.
    pub async fn start(setup: TapSetup<'_>) -> Result<Tap, Error> {
        let (stopping, given_up) = (CancellationToken::new(), CancellationToken::new());
        let (started, starting) = oneshot::channel();
        let (ends, ended) = oneshot::channel();
        let life = Life { stopping: stopping.clone(), given_up: given_up.clone() };
        let TapSetup { upstream, recorder, listener, attempt, announcements, faults, gate } = setup;
        let (recorder, listener) = (recorder.clone(), Arc::clone(listener));
        let password = gate.as_ref().map(|gate| gate.password().to_owned());
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
                        accept(socket, Arc::new(Door { upstream, gate, shared, life })).await;
                    }
                });
                let _ = ends.send(());
            });
        let thread = thread.map_err(Error::Thread)?;
        let gone = || Error::Thread(std::io::Error::other("it ended before it listened"));
        let (address, shared) = starting.await.map_err(|_| gone())??;
        let (ended, thread) = (Some(ended), Some(thread));
        Ok(Tap { address, password, shared, stopping, given_up, ended, thread, pool: None })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client has to know to be let in; None: there is no gate.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
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
        if let Some(pool) = self.pool.take() {
            leave(&self.shared, grace).await;
            pool.leave(&self.shared);
            return self.shared.last_error();
        }
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
        if let Some(pool) = self.pool.take() {
            pool.leave(&self.shared);
        }
        self.stopping.cancel();
        self.given_up.cancel();
    }
}

/// Lets what runs come to its end for `grace`, then ends its backends. The pooler's other server
/// connections stay.
async fn leave(shared: &TapState, grace: Duration) {
    let rested = async {
        while !shared.working().is_empty() {
            tokio::time::sleep(REST_POLL).await;
        }
    };
    tokio::pin!(rested);
    if tokio::time::timeout(grace, &mut rested).await.is_err() {
        shared.giving_up.store(true, Ordering::Relaxed);
        for pid in shared.working() {
            let _ = shared.watch.terminate(pid).await;
        }
        let _ = tokio::time::timeout(TERMINATE_TIMEOUT, rested).await;
    }
}

pub(super) struct Life {
    pub stopping: CancellationToken,
    pub given_up: CancellationToken,
}

/// What a client that connects has to do with.
pub(super) struct Door {
    pub upstream: Arc<dyn Upstream>,
    pub gate: Option<Gate>,
    pub shared: Arc<TapState>,
    pub life: Life,
}

type Opened = (TcpListener, SocketAddr, Arc<dyn super::watch::Watch>);

async fn open(upstream: &dyn Upstream) -> Result<Opened, Error> {
    let watch = upstream.watch().await.map_err(Error::Watch)?;
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Listen)?;
    let address = socket.local_addr().map_err(Error::Listen)?;
    Ok((socket, address, watch))
}

async fn accept(socket: TcpListener, door: Arc<Door>) {
    let (connections, shared) = (TaskTracker::new(), &door.shared);
    let clocks = CancellationToken::new();
    for (after, action) in shared.faults_by_time() {
        let (shared, ended) = (Arc::clone(shared), clocks.clone());
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
            () = door.life.stopping.cancelled() => break,
        };
        // Out of descriptors, or a client that went at once: the next one may do better.
        let Ok((client, _)) = client else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let door = Arc::clone(&door);
        connections.spawn(async move {
            tokio::select! {
                () = serve(client, number, &door) => {}
                () = door.life.given_up.cancelled() => {}
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

async fn serve(client: TcpStream, number: u32, door: &Door) {
    // Nagle's algorithm would hold a small answer back until the client acknowledges the last.
    let _ = client.set_nodelay(true);
    let mut client: BoxStream = Box::new(client);
    let mut rest = BytesMut::new();
    let Ok(Some(startup)) = startup::read(&mut client, &mut rest).await else { return };
    let session = match startup {
        Startup::Cancel { bytes } => return cancel(door, &bytes).await,
        Startup::Session(session) => session,
    };
    if door.shared.is_refusing() {
        let (code, message) = REFUSED;
        return refuse(&mut client, &refusal(code, message.to_owned())).await;
    }
    if !admits(door, &mut client, &mut rest, &session).await {
        return;
    }
    match reach(door, rest, session).await {
        Ok((server, opening)) => {
            Connection::new(&door.shared, number, opening, client, server).run().await;
        }
        Err(error) => {
            // 08001 sqlclient_unable_to_establish_sqlconnection
            let message = format!("the tap cannot reach the server: {error}");
            refuse(&mut client, &refusal("08001", message)).await;
        }
    }
}

/// As the client would have sent it; a server answers by closing. It knows the backend's key, which
/// only a client that was let in can have.
pub(super) async fn cancel(door: &Door, bytes: &[u8]) {
    let Ok(mut server) = door.upstream.dial().await else { return };
    if server.write_all(bytes).await.is_ok() {
        let _ = tokio::io::copy(&mut server, &mut tokio::io::sink()).await;
    }
}

/// Whether the client may come in. One that may not knows why.
pub(super) async fn admits(
    door: &Door,
    client: &mut BoxStream,
    rest: &mut BytesMut,
    session: &Session,
) -> bool {
    let Some(gate) = &door.gate else { return true };
    let admitted = tokio::select! {
        admitted = gate.admit(client, rest, session) => admitted,
        () = door.life.stopping.cancelled() => return false,
    };
    if let Err(Stopped::Refused(why, error)) = &admitted {
        door.shared.refused(*why, session, error);
        refuse(client, error).await;
    }
    admitted.is_ok()
}

/// Opens a connection to the server for the client's session, and signs in where it has to.
pub(super) async fn reach(
    door: &Door,
    rest: BytesMut,
    session: Session,
) -> std::io::Result<(BoxStream, Opening)> {
    let mut server = door.upstream.dial().await?;
    let Session { bytes, application_name, settings, replication, user, .. } = session;
    let opening = Opening { application_name, settings, rest, replication, ..Opening::default() };
    let opening = match &door.gate {
        None => Opening { startup: bytes, ..opening },
        Some(gate) => {
            let by = (user.as_str(), gate.server_password.as_deref());
            Opening { welcome: gate::sign_in(&mut server, &bytes, by).await?, ..opening }
        }
    };
    Ok((server, opening))
}

pub(super) fn refusal(code: &str, message: String) -> ServerError {
    ServerError { sqlstate: Some(SqlState::new(code)), message, ..ServerError::default() }
}

/// Says why not, as a server would.
pub(super) async fn refuse(client: &mut BoxStream, why: &ServerError) {
    let code = why.sqlstate.as_ref().map_or("", SqlState::code);
    let hint = why.hint.as_deref().unwrap_or_default();
    let fields =
        [(b'S', "FATAL"), (b'V', "FATAL"), (b'C', code), (b'M', &why.message), (b'H', hint)];
    let mut body = Vec::new();
    for (field, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
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
