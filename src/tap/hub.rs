//! Where a pooler connects to in the server's place, on a thread of its own.
//!
//! The tap of an attempt comes and goes; the server connections of a pooler stay. So they have a
//! place of their own, which an attempt joins for as long as it lasts ([`Tap::behind`]).
//!
//! [`Tap::behind`]: super::Tap::behind

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::history::{Listener, Recorder};

use super::connection::Connection;
use super::gate::Gate;
use super::listen::{ACCEPT_PAUSE, Door, Error, Life, admits, cancel, reach, refusal, refuse};
use super::pool::{Clients, PoolState};
use super::startup::{self, Startup};
use super::watch::{BoxStream, Upstream};

/// A user that the pooler signs in as.
pub struct Lane {
    /// Its password here, and who may come in.
    pub gate: Gate,
    /// The server, as that user is let in there.
    pub upstream: Arc<dyn Upstream>,
    /// Whose clients it is.
    pub clients: Clients,
}

/// The server's side of a pooler. Dropped, it closes every connection.
pub struct Hub {
    address: SocketAddr,
    state: Arc<PoolState>,
    _stop: DropGuard,
}

impl Hub {
    /// Listens on a free port of the loopback interface for the users of these lanes.
    ///
    /// # Errors
    /// No port is free, or the session that probes the change cannot be opened.
    pub async fn start(
        lanes: Vec<Lane>,
        recorder: &Recorder,
        listener: &Listener,
    ) -> Result<Hub, Error> {
        let stop = CancellationToken::new();
        let (started, starting) = oneshot::channel();
        let (recorder, listener, stopping) = (recorder.clone(), Arc::clone(listener), stop.clone());
        let thread = std::thread::Builder::new().name("pgauntlet-hub".to_owned());
        let spawned = thread.spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = started.send(Err(Error::Thread(error)));
                    return;
                }
            };
            runtime.block_on(async {
                match open(&lanes, &recorder, &listener).await {
                    Ok((socket, address, state)) => {
                        if started.send(Ok((address, Arc::clone(&state)))).is_ok() {
                            accept(socket, doors(lanes, &state, &stopping), state, stopping).await;
                        }
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                    }
                }
            });
        });
        spawned.map_err(Error::Thread)?;
        let gone = || Error::Thread(std::io::Error::other("it ended before it listened"));
        let (address, state) = starting.await.map_err(|_| gone())??;
        Ok(Hub { address, state, _stop: stop.drop_guard() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its connections share.
    pub fn state(&self) -> &Arc<PoolState> {
        &self.state
    }
}

async fn open(
    lanes: &[Lane],
    recorder: &Recorder,
    listener: &Listener,
) -> Result<(TcpListener, SocketAddr, Arc<PoolState>), Error> {
    let none = || Error::Watch("a pooler has no user".to_owned());
    let lane = lanes.first().ok_or_else(none)?;
    let watch = lane.upstream.watch().await.map_err(Error::Watch)?;
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Listen)?;
    let address = socket.local_addr().map_err(Error::Listen)?;
    Ok((socket, address, Arc::new(PoolState::new(recorder, listener, watch))))
}

type Doors = Vec<(String, Clients, Door)>;

fn doors(lanes: Vec<Lane>, state: &Arc<PoolState>, stopping: &CancellationToken) -> Arc<Doors> {
    let door = |Lane { gate, upstream, clients }: Lane| {
        let life = Life { stopping: stopping.clone(), given_up: stopping.clone() };
        let user = gate.user.clone();
        let shared = Arc::clone(&state.nobody);
        (user, clients, Door { upstream, gate: Some(gate), shared, life })
    };
    Arc::new(lanes.into_iter().map(door).collect())
}

async fn accept(
    socket: TcpListener,
    doors: Arc<Doors>,
    state: Arc<PoolState>,
    stopping: CancellationToken,
) {
    let connections = TaskTracker::new();
    let mut number = 0;
    loop {
        let client = tokio::select! {
            accepted = socket.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        let Ok((client, _)) = client else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (doors, state, stopping) = (Arc::clone(&doors), Arc::clone(&state), stopping.clone());
        connections.spawn(async move {
            tokio::select! {
                () = serve(client, number, &doors, &state) => {}
                () = stopping.cancelled() => {}
            }
        });
        number += 1;
    }
    drop(socket);
    connections.close();
    connections.wait().await;
}

async fn serve(client: TcpStream, number: u32, doors: &Doors, state: &Arc<PoolState>) {
    let _ = client.set_nodelay(true);
    let mut client: BoxStream = Box::new(client);
    let mut rest = BytesMut::new();
    let Ok(Some(startup)) = startup::read(&mut client, &mut rest).await else { return };
    let session = match startup {
        Startup::Cancel { bytes } => {
            // The server knows the backend's key, whoever asks.
            if let Some((_, _, door)) = doors.first() {
                cancel(door, &bytes).await;
            }
            return;
        }
        Startup::Session(session) => session,
    };
    let Some((_, clients, door)) = doors.iter().find(|(user, ..)| *user == session.user) else {
        let message = format!("no client of the pooler is \"{}\"", session.user);
        return refuse(&mut client, &refusal("28000", message)).await;
    };
    if !admits(door, &mut client, &mut rest, &session).await {
        return;
    }
    match reach(door, rest, session).await {
        Ok((server, opening)) => {
            let connection = Connection::new(&door.shared, number, opening, client, server);
            connection.of_pooler(state, *clients).run().await;
        }
        Err(error) => {
            let message = format!("the tap cannot reach the server: {error}");
            refuse(&mut client, &refusal("08001", message)).await;
        }
    }
}
