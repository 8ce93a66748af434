//! What can go wrong with the runner itself. A change that fails is no error: it is a result.

use crate::connect;
use crate::tap;

#[derive(Debug, thiserror::Error)]
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
}
