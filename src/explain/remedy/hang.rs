//! What to do instead of a change that waits without an end.

use crate::result::evidence::Hang;

/// Of a change that waited to its deadline.
pub fn hung(of: &Hang) -> &'static str {
    match (of.cycle, &of.polled) {
        (_, Some(_)) => {
            "give up after some tries, and see that the session which holds the advisory lock ends \
             and lets go of it"
        }
        (true, None) => {
            "commit on the one connection before the other is used, or do all of it on one; a \
             lock_timeout turns the hang into an error"
        }
        (false, None) => {
            "SET lock_timeout (a few seconds) before the statement and retry with backoff, and end \
             the session that is in the way first"
        }
    }
}
