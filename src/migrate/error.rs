//! What can go wrong with the runner or with running a command. A change that fails is no error:
//! it is a result.

use std::path::PathBuf;

use crate::connect;
use crate::tap;

/// Why the change could not be applied at all; a change that fails is no error.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error(transparent)]
    Tap(#[from] tap::Error),
    #[error("open the change's session: {0}")]
    Open(#[source] connect::Error),
    #[error("open the session that looks at the change: {0}")]
    Probe(#[source] connect::Error),
    #[error(
        "read the versions that are applied from {table}: {source}; the schema has to create it, \
         or [change.versions] has to name another"
    )]
    Versions { table: String, source: connect::Error },
    #[error("run the command in {path}: it is a directory no more; put it back or name another")]
    CommandDirectory { path: PathBuf },
    #[error("start {program}: {source}; a command needs it, and room for one more process")]
    CommandSpawn { program: PathBuf, source: std::io::Error },
    #[error("follow the command: {0}")]
    CommandPipe(#[source] std::io::Error),
    #[error("write the command's output to {path}: {source}")]
    CommandOutput { path: PathBuf, source: std::io::Error },
    #[error("end the command: it is still there after SIGKILL; the kernel's log may say why")]
    CommandStays,
}
