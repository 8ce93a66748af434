//! The crash matrix: which faults are injected into the change, and what may come of them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trial::FaultKind;

/// How the change's crash matrix is run, and what its author expects of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Crash {
    /// Kinds of faults that are tried.
    pub faults: Vec<FaultKind>,
    /// Rows of the largest table; the others are scaled with it.
    pub rows: u64,
    /// Name of the state from which every case starts; None: the first one.
    pub state: Option<String>,
    /// Whether the application writes meanwhile.
    pub traffic: bool,
    /// Faults at random moments between the boundaries, drawn from `rng_seed`.
    pub random: u32,
    /// What an operator would do by hand where a rerun fails; tried in this order, after those
    /// that follow from what was found.
    pub steps: Vec<Step>,
    /// Must be found.
    pub expect: Vec<Outcome>,
    /// May be found as well. With both lists empty, every case has to end clean.
    pub may: Vec<Outcome>,
}

/// Rows of the largest table of a crash matrix, where the scenario does not say.
pub const CRASH_ROWS_DEFAULT: u64 = 20_000;

impl Default for Crash {
    fn default() -> Crash {
        Crash {
            faults: FaultKind::ALL.to_vec(),
            rows: CRASH_ROWS_DEFAULT,
            state: None,
            traffic: true,
            random: 0,
            steps: Vec::new(),
            expect: Vec::new(),
            may: Vec::new(),
        }
    }
}

/// A step by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is called in the matrix.
    pub name: String,
    /// Each runs by itself, outside a transaction.
    pub statements: Vec<String>,
}

macro_rules! named {
    (
        $(#[$doc:meta])+
        $type:ident { $($(#[doc = $variant_doc:literal])+ $variant:ident $name:literal),+ $(,)? }
    ) => {
        $(#[$doc])+
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum $type {
            $($(#[doc = $variant_doc])+ $variant,)+
        }

        impl $type {
            /// All of them, in the order in which they are declared.
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// The name in files.
            pub fn as_str(self) -> &'static str {
                match self { $($type::$variant => $name,)+ }
            }

            /// What it means, in a sentence.
            pub fn describe(self) -> &'static str {
                let text = match self { $($type::$variant => concat!($($variant_doc),+),)+ };
                text.trim_start()
            }

            /// The one of that name in files.
            pub fn parse(name: &str) -> Option<$type> {
                $type::ALL.iter().copied().find(|known| known.as_str() == name)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

named! {
    /// What came of a fault and one rerun. Ordered: the worst is last.
    Outcome {
        /// The rerun reaches the schema and the data of an undisturbed run.
        Clean "clean",
        /// The rerun fails; after a step by hand that is named, another one reaches them.
        ManualStep "manual-step",
        /// Every rerun fails, whatever was tried by hand.
        FailsForever "fails-forever",
        /// The rerun succeeds, and something half-made is still there.
        Debris "debris",
        /// The rerun succeeds with another schema, other versions or other rows.
        Diverges "diverges",
        /// An acknowledged write, or rows that were there before, are gone.
        LosesData "loses-data",
    }
}
