//! Who may come through the tap, and as whom it goes on to the server.
//!
//! The tap listens where every user of the machine can connect, and dials the server as us. So it
//! demands a password of its own from every client, whatever the server would ask of us, and
//! answers the server itself. It lets clients into one database, as one user.

mod scram;
mod server;

use bytes::{Bytes, BytesMut};
use postgres_protocol::authentication::sasl::SCRAM_SHA_256;
use rand::RngExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::history::{RefusedFor, ServerError};
use crate::pg::SqlState;

use super::startup::{Session, message};
use scram::{Refusal, Verifier};

pub use server::sign_in;

/// Characters of the password, which is drawn from 62.
const PASSWORD_CHARACTERS: usize = 32;
/// Kinds of AuthenticationRequest.
const SASL: u32 = 10;
const SASL_CONTINUE: u32 = 11;
const SASL_FINAL: u32 = 12;

/// What clients of a tap may do, and what it needs to do it for them.
pub struct Gate {
    /// The only user that a client may connect as.
    pub user: String,
    /// Its password at the server, for a server that asks for one.
    pub server_password: Option<String>,
    /// The only database that a client may connect to. None: any.
    pub database: Option<String>,
    password: String,
    verifier: Verifier,
}

/// A client that may not go on.
#[derive(Debug)]
pub enum Stopped {
    /// It went away, or does not speak the protocol.
    Gone,
    Refused(RefusedFor, ServerError),
}

impl From<std::io::Error> for Stopped {
    fn from(_: std::io::Error) -> Stopped {
        Stopped::Gone
    }
}

impl Gate {
    /// With a new random password.
    pub fn new(user: &str, server_password: Option<String>, database: Option<String>) -> Gate {
        let mut random = rand::rng();
        let mut character = || char::from(random.sample(rand::distr::Alphanumeric));
        let password: String = (0..PASSWORD_CHARACTERS).map(|_| character()).collect();
        let verifier = Verifier::of(&password);
        Gate { user: user.to_owned(), server_password, database, password, verifier }
    }

    /// What a client has to know.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Lets a client prove that it knows the password, then sees whether it may go where it wants.
    /// `rest` is what was read beyond its last message.
    pub async fn admit<S>(
        &self,
        client: &mut S,
        rest: &mut BytesMut,
        session: &Session,
    ) -> Result<(), Stopped>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let offer = [SCRAM_SHA_256.as_bytes(), &[0, 0]].concat();
        client.write_all(&request(SASL, &offer)).await?;
        let first = response(client, rest).await?;
        let refused = |refusal| self.refuse_password(refusal, session);
        let first = first_text(&first).ok_or(Refusal::Malformed).map_err(refused)?;
        let exchange = self.verifier.begin(first).map_err(refused)?;
        client.write_all(&request(SASL_CONTINUE, exchange.server_first.as_bytes())).await?;
        let last = response(client, rest).await?;
        let last = std::str::from_utf8(&last).map_err(|_| refused(Refusal::Malformed))?;
        let proof = self.verifier.finish(&exchange, last).map_err(refused)?;
        client.write_all(&request(SASL_FINAL, proof.as_bytes())).await?;
        match self.stops(session) {
            None => Ok(()),
            Some((why, error)) => Err(Stopped::Refused(why, error)),
        }
    }

    fn refuse_password(&self, refusal: Refusal, session: &Session) -> Stopped {
        let error = match refusal {
            // protocol_violation
            Refusal::Malformed => error("08P01", "malformed SCRAM message".to_owned(), None),
            // invalid_password, in the server's words
            Refusal::WrongPassword => error(
                "28P01",
                format!("password authentication failed for user \"{}\"", session.user),
                Some(
                    "pgauntlet hands the change a password of its own: take user, password and \
                     database from DATABASE_URL or PGUSER, PGPASSWORD and PGDATABASE",
                ),
            ),
        };
        Stopped::Refused(RefusedFor::Password, error)
    }

    /// Why a client that knows the password may not go where it wants.
    fn stops(&self, session: &Session) -> Option<(RefusedFor, ServerError)> {
        if session.user != self.user {
            let message = format!(
                "pgauntlet lets the change connect as \"{}\" only, not as \"{}\"",
                self.user, session.user
            );
            // invalid_authorization_specification
            let error = error("28000", message, Some("set role in [change] to run it as another"));
            return Some((RefusedFor::User, error));
        }
        let database = self.database.as_ref()?;
        let wanted = match session.physical_replication {
            true => "replication".to_owned(),
            false if session.database == *database => return None,
            false => format!("\"{}\"", session.database),
        };
        let message =
            format!("pgauntlet lets the change reach the trial's database only, not {wanted}");
        let hint = "set other_databases = true in [change] to allow it";
        // insufficient_privilege
        Some((RefusedFor::Database, error("42501", message, Some(hint))))
    }
}

fn error(sqlstate: &str, message: String, hint: Option<&str>) -> ServerError {
    let hint = hint.map(str::to_owned);
    ServerError { sqlstate: Some(SqlState::new(sqlstate)), message, hint, ..ServerError::default() }
}

/// An AuthenticationRequest.
fn request(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).unwrap_or(u32::MAX);
    [&b"R"[..], &length.to_be_bytes(), &kind.to_be_bytes(), body].concat()
}

/// A client's answer.
async fn response<S>(client: &mut S, rest: &mut BytesMut) -> Result<Bytes, Stopped>
where
    S: AsyncRead + Unpin,
{
    match message(client, rest).await? {
        Some((b'p', body)) => Ok(body),
        // One that knows no password closes the connection.
        _ => Err(Stopped::Gone),
    }
}

/// The mechanism, a length, then the client's first message.
fn first_text(body: &[u8]) -> Option<&str> {
    let body = body.strip_prefix(SCRAM_SHA_256.as_bytes())?.strip_prefix(&[0])?;
    std::str::from_utf8(body.get(4..)?).ok()
}
