//! What a fault has put in the way of a statement, and has to be taken away after it.

use super::super::fault::Injection;
use super::super::watch::Hold;

/// A lock that the statement is to wait for.
pub(super) struct Armed {
    pub fault: Injection,
    pub hold: Box<dyn Hold>,
}

/// A `lock_timeout` of ours on the change's session.
pub(super) struct Limited {
    /// As SHOW returned it before.
    pub was: String,
    /// It ends with the transaction.
    pub local: bool,
}
