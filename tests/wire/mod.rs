//! A conversation through the tap, both ends of it made here: a client that cuts what it says at
//! random, and a server that keeps the protocol's rules and remembers what it did.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

pub mod client;
pub mod messages;
pub mod script;
pub mod server;
pub mod talk;
