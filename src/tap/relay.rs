//! A slow, or a broken, network between the application and what it connects to.
//!
//! A relay carries bytes unchanged and in order. Each direction takes half of a round trip longer,
//! whatever the amount; where connections are cut, all that are open end at once, in the midst of
//! whatever is on the way, and new ones are let through.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::watch::{BoxStream, Upstream};

/// Pieces on the way in one direction of one connection; beyond that the sender waits.
const ON_THE_WAY_MAX: usize = 10_000;
/// Bytes of a piece.
const PIECE_BYTES: usize = 64 * 1024;
/// Before another try to take a connection, where one could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What it does to connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// By how much each round trip takes longer.
    pub round_trip: Duration,
    /// How often all connections are cut, while that is asked for; None: never.
    pub cut_every: Option<Duration>,
}

/// What it has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relayed {
    /// Connections that were carried.
    pub connections: u64,
    /// Pieces that were held back.
    pub delayed: u64,
    /// Connections that were cut.
    pub cut: u64,
}

/// A relay that listens. Dropped, it closes every connection.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    _stop: DropGuard,
}

struct Shared {
    weather: Weather,
    upstream: Arc<dyn Upstream>,
    /// Hears of each cut, with how many connections it met.
    on_cut: Box<dyn Fn(u64) + Send + Sync>,
    /// Cancelled when all that are open are to be cut.
    cut: Mutex<CancellationToken>,
    cutting: watch::Sender<bool>,
    connections: AtomicU64,
    open: AtomicU64,
    delayed: AtomicU64,
    cuts: AtomicU64,
}

impl Relay {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// No port is free, or there is no thread.
    pub async fn start(
        upstream: Arc<dyn Upstream>,
        weather: Weather,
        on_cut: Box<dyn Fn(u64) + Send + Sync>,
    ) -> std::io::Result<Relay> {
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            weather,
            upstream,
            on_cut,
            cut: Mutex::default(),
            cutting: watch::Sender::new(false),
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            delayed: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
        });
        let (started, starting) = oneshot::channel();
        let (carried, stopping) = (Arc::clone(&shared), stop.clone());
        std::thread::Builder::new().name("pgauntlet-relay".to_owned()).spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = started.send(Err(error));
                    return;
                }
            };
            runtime.block_on(async {
                let opened = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
                let opened = opened.and_then(|socket| Ok((socket.local_addr()?, socket)));
                let (address, socket) = match opened {
                    Ok(opened) => opened,
                    Err(error) => {
                        let _ = started.send(Err(error));
                        return;
                    }
                };
                if started.send(Ok(address)).is_ok() {
                    tokio::select! {
                        () = accept(socket, &carried) => {}
                        () = carried.cut_on_and_on() => {}
                        () = stopping.cancelled() => carried.token().cancel(),
                    }
                }
            });
        })?;
        let gone = |_| std::io::Error::other("it ended before it listened");
        let address = starting.await.map_err(gone)??;
        Ok(Relay { address, shared, _stop: stop.drop_guard() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on connections are cut, the first time at once; or are not any more.
    pub fn cuts(&self, cutting: bool) {
        self.shared.cutting.send_replace(cutting);
    }

    /// What it has done so far.
    pub fn relayed(&self) -> Relayed {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Relayed {
            connections: read(&self.shared.connections),
            delayed: read(&self.shared.delayed),
            cut: read(&self.shared.cuts),
        }
    }
}

impl Shared {
    fn token(&self) -> CancellationToken {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The token of those that are open; who comes later gets another one.
    fn renew(&self) -> CancellationToken {
        let mut token = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *token)
    }

    /// Never ends.
    async fn cut_on_and_on(&self) {
        let Some(every) = self.weather.cut_every else { return std::future::pending().await };
        let mut cutting = self.cutting.subscribe();
        loop {
            // The sender is ours.
            let _ = cutting.wait_for(|cutting| *cutting).await;
            let open = self.open.load(Ordering::Relaxed);
            self.cuts.fetch_add(open, Ordering::Relaxed);
            (self.on_cut)(open);
            self.renew().cancel();
            tokio::time::sleep(every).await;
        }
    }
}

async fn accept(socket: TcpListener, shared: &Arc<Shared>) {
    loop {
        let Ok((client, _)) = socket.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let _ = client.set_nodelay(true);
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            shared.connections.fetch_add(1, Ordering::Relaxed);
            shared.open.fetch_add(1, Ordering::Relaxed);
            let cut = shared.token();
            tokio::select! {
                () = carry(client, &shared) => {}
                // Nothing more is said: what is on the way is lost.
                () = cut.cancelled() => {}
            }
            shared.open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

async fn carry(client: TcpStream, shared: &Arc<Shared>) {
    let Ok(server) = shared.upstream.dial().await else { return };
    let server: BoxStream = server;
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = tokio::io::split(server);
    // A side that is gone takes the other one with it, once what it said last is there.
    tokio::join!(one_way(from_client, to_server, shared), one_way(from_server, to_client, shared));
}

async fn one_way<R, W>(from: R, to: W, shared: &Arc<Shared>)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (pieces, on_the_way) = mpsc::channel(ON_THE_WAY_MAX);
    let later = shared.weather.round_trip / 2;
    tokio::join!(take(from, pieces, later), give(to, on_the_way, shared));
}

async fn take<R: AsyncRead + Unpin>(
    mut from: R,
    pieces: mpsc::Sender<(Instant, Bytes)>,
    later: Duration,
) {
    loop {
        let mut piece = BytesMut::with_capacity(PIECE_BYTES);
        match from.read_buf(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(_) if pieces.send((Instant::now() + later, piece.freeze())).await.is_err() => return,
            Ok(_) => {}
        }
    }
}

async fn give<W: AsyncWrite + Unpin>(
    mut to: W,
    mut on_the_way: mpsc::Receiver<(Instant, Bytes)>,
    shared: &Shared,
) {
    while let Some((due, piece)) = on_the_way.recv().await {
        if due > Instant::now() {
            shared.delayed.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep_until(due).await;
        }
        if to.write_all(&piece).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
