//! Sessions: where a server is, how one session to it is opened, and what its errors mean.
//!
//! Everything that talks to Postgres does so through a [`Session`], so that backend pids and errors
//! are treated in one place. Nothing here decides what is run.

mod address;
mod address_error;
mod dial;
mod masked;
mod parameters;
mod session;
mod tls;

pub use address::Address;
pub use address_error::AddressError;
pub use dial::Wire;
pub use masked::masked;
pub use session::{Canceller, Error, Session, server_error};
