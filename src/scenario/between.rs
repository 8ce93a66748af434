//! What is between clients and server under a condition: a pooler, a network.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::names;

names! {
    /// When a pooler takes a server connection from a client.
    #[derive(Serialize)]
    PoolMode {
        /// When the client goes.
        Session "session",
        /// When its transaction is over.
        Transaction "transaction",
    }
}

names! {
    /// Whose connections go through a pooler.
    #[derive(Default, Serialize)]
    Before {
        /// The application's.
        Application "application",
        /// The change's.
        Change "change",
        /// All.
        #[default]
        Both "both",
    }
}

impl Before {
    /// Whether the application's do.
    pub fn application(self) -> bool {
        self != Before::Change
    }

    /// Whether the change's do.
    pub fn change(self) -> bool {
        self != Before::Application
    }
}

/// A PgBouncer between clients and server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pooler {
    /// When it takes a server connection from a client.
    pub mode: PoolMode,
    /// Who goes through it.
    pub before: Before,
    /// Server connections for each role; None: as many as the application's pool opens.
    pub pool_size: Option<u32>,
}

impl Pooler {
    /// Before both, in this mode.
    pub fn of(mode: PoolMode) -> Pooler {
        Pooler { mode, before: Before::default(), pool_size: None }
    }
}

/// By how much a round trip takes longer in a slow network that says no more.
const ROUND_TRIP_MS_DEFAULT: u64 = 20;
/// How often a network that is cut is cut.
const CUT_EVERY_MS_DEFAULT: u64 = 1_000;

/// A network between the application and what it connects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// By how many milliseconds each round trip takes longer.
    pub round_trip_ms: u64,
    /// After so many milliseconds all connections are cut, again and again while the change is
    /// applied, the first time as it begins; None: never.
    pub cut_every_ms: Option<u64>,
}

impl Network {
    /// A slow one.
    pub fn slow() -> Network {
        Network { round_trip_ms: ROUND_TRIP_MS_DEFAULT, cut_every_ms: None }
    }

    /// One that is cut.
    pub fn cut() -> Network {
        Network { round_trip_ms: 0, cut_every_ms: Some(CUT_EVERY_MS_DEFAULT) }
    }
}
