//! The wire-level tap: carries the change's connections and traces them statement by statement.
//!
//! The change's runner, built-in or any command, connects to a [`Tap`] on the
//! loopback interface and speaks to the server through it. All bytes pass as they came; between
//! two statements the tap looks at the server, and what it saw goes to the history. It can also
//! inject faults into a change (an [`Injection`]). It must not decide what is run, nor judge it.
//!
//! | file | what |
//! |---|---|
//! | `listen` | the socket, its thread, its end |
//! | `hub`, `pool` | the same for a pooler's server connections; whom each serves |
//! | `startup` | what comes before a session |
//! | `gate` | who may come in; signs in at the server |
//! | `frame`, `message` | the stream cut into messages; what the few mean that matter |
//! | `conversation`, `statement` | what runs and what has to wait, from the messages alone |
//! | `connection`, `side` | carries one connection; asks between its statements |
//! | `probes`, `injected` | when a probe is due; questions put to the change's own session |
//! | `rewritten` | whose storage a probe reads, by the statement's text |
//! | `tracer` | from what was seen to events |
//! | `fault`, `shared` | which faults it can inject, and when; what connections share |
//! | `relay` | a slow or a broken network, on the application's side |
//! | `rehearsal` | a connection without sockets, to be fuzzed |
//! | `watch` | what the tap needs of the server |

mod connection;
mod conversation;
mod fault;
pub mod frame;
mod gate;
mod hub;
mod injected;
mod listen;
mod message;
mod pool;
mod probes;
#[doc(hidden)]
pub mod rehearsal;
mod relay;
mod rewritten;
mod shared;
mod side;
mod startup;
mod statement;
mod tracer;
mod watch;

pub use fault::{Action, At, Injection};
pub use gate::Gate;
pub use hub::{Hub, Lane};
pub use listen::{Error, Tap, TapSetup};
pub use pool::{APPLICATION_CLIENT, CHANGE_CLIENT, Clients, Passed, PoolState};
pub use relay::{Relay, Relayed, Weather};
pub use rewritten::ProbedRelations;
pub use shared::{Announced, Announcements};
pub use watch::{BoxStream, Hold, LockSnapshot, SeenLock, Stream, Upstream, Watch};
