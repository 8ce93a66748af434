//! Whether a container engine can be used, in builds with and without the feature.

/// What is known of the container engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DockerState {
    /// The feature was left out of this build.
    NotBuilt,
    /// The engine answers.
    Reachable {
        /// The engine's version, as it states it.
        version: String,
    },
    /// The engine does not answer.
    Unreachable {
        /// The client's error.
        why: String,
    },
}
