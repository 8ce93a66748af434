//! Whether a container engine can be used, in builds with and without the feature.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DockerState {
    /// The feature was left out of this build.
    NotBuilt,
    /// The engine answers.
    Reachable {
        version: String,
    },
    Unreachable {
        why: String,
    },
}
