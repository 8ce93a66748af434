//! A bare connection to a server: the socket, encrypted where the server's address asks for it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};

use super::Address;

/// Longest wait for a server to take a connection.
const DIAL_TIMEOUT: Duration = Duration::from_secs(30);
/// Length, then the code that asks for TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// What a connection is, whatever carries it.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}

impl Address {
    /// Opens a connection on which nothing has been said but what encryption takes.
    ///
    /// # Errors
    /// No connection can be opened, or encryption is demanded and refused.
    pub async fn dial(&self) -> io::Result<Box<dyn Wire>> {
        let dialled = tokio::time::timeout(DIAL_TIMEOUT, self.dial_now()).await;
        dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn dial_now(&self) -> io::Result<Box<dyn Wire>> {
        let port = self.config().get_ports().first().copied().unwrap_or(5432);
        match self.config().get_hosts().first() {
            Some(Host::Unix(directory)) => {
                let socket = directory.join(format!(".s.PGSQL.{port}"));
                Ok(Box::new(UnixStream::connect(socket).await?))
            }
            Some(Host::Tcp(name)) => self.encrypted(name, dial_tcp(name, port).await?).await,
            None => self.encrypted("localhost", dial_tcp("localhost", port).await?).await,
        }
    }

    async fn encrypted(&self, host: &str, mut socket: TcpStream) -> io::Result<Box<dyn Wire>> {
        let mode = self.config().get_ssl_mode();
        let Some(mut connector) = self.tls().connector() else {
            return Ok(Box::new(socket));
        };
        socket.write_all(&SSL_REQUEST).await?;
        match socket.read_u8().await? {
            b'S' => {
                let tls = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut connector, host);
                let tls = tls.map_err(io::Error::other)?;
                Ok(Box::new(tls.connect(socket).await.map_err(io::Error::other)?))
            }
            _ if mode == SslMode::Require => {
                Err(io::Error::other("the server offers no TLS, and sslmode asks for it"))
            }
            _ => Ok(Box::new(socket)),
        }
    }
}

async fn dial_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let socket = TcpStream::connect((host, port)).await?;
    // Nagle's algorithm would hold small messages back.
    socket.set_nodelay(true)?;
    Ok(socket)
}
