//! One disturbance from the moment at which it holds until its end.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::connect::{Session, server_error};
use crate::history::{Moment, ServerError};

/// Longest time that an end may take: a COMMIT checks deferred constraints and waits for the disk.
const END_MAX: Duration = Duration::from_secs(30);

/// What all disturbances are asked to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Hold,
    /// Each ends its own length after this.
    CountFrom(Instant),
    /// Each ends now, by rolling back.
    Stop,
}

/// Holds until the order's time has come, or until the server ends the session; says which.
pub(super) async fn hold(
    session: Session,
    length: Duration,
    orders: watch::Receiver<Order>,
) -> Moment {
    let end = tokio::select! {
        biased;
        end = time_to_end(length, orders) => end,
        error = session.closed() => return Moment::Broken(error.unwrap_or_else(closed)),
    };
    match tokio::time::timeout(END_MAX, session.client().batch_execute(end)).await {
        Ok(Ok(())) => Moment::Ended,
        Ok(Err(error)) if error.is_closed() => {
            Moment::Broken(session.closed().await.unwrap_or_else(closed))
        }
        Ok(Err(error)) => Moment::Broken(server_error(&error)),
        Err(_) => {
            let message = format!("{end} did not end within {} s", END_MAX.as_secs());
            Moment::Broken(without_sqlstate(message))
        }
    }
}

/// The statement that ends the transaction, when its time has come.
async fn time_to_end(length: Duration, mut orders: watch::Receiver<Order>) -> &'static str {
    loop {
        let order = *orders.borrow_and_update();
        let changed = match order {
            Order::Stop => return "ROLLBACK",
            Order::Hold => orders.changed().await,
            Order::CountFrom(begun) => tokio::select! {
                () = tokio::time::sleep_until(begun + length) => return "COMMIT",
                changed = orders.changed() => changed,
            },
        };
        if changed.is_err() {
            // The sender of the orders is gone.
            return "ROLLBACK";
        }
    }
}

fn closed() -> ServerError {
    without_sqlstate("the connection closed without a word of the server".to_owned())
}

fn without_sqlstate(message: String) -> ServerError {
    ServerError { sqlstate: None, message, ..ServerError::default() }
}
