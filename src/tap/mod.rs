//! The seam between a change and the server: where its statements are traced.
//!
//! A [`Tracer`] is told when a statement begins and ends on a backend; it looks at the server
//! through a [`Probe`] before the next statement may go on, and appends what it saw to the
//! history. Whoever carries the statements (the built-in runner, a wire) tells the same tracer,
//! so there is one way to trace a change. It must not decide what is run, nor judge it.

mod tracer;

pub use tracer::{Probe, Sight, StatementText, Tracer};
