//! Rows for the tables of before a change, made to fit what it demands as far as they can.

use crate::connect::Session;
use crate::infer::{self, Catalogue, Inferred, Options, Statistics, Wish};
use crate::seed;

use super::super::Error;

/// Attempts to leave out what does not fit.
const ATTEMPTS_MAX: usize = 5;

/// Rows, and the catalogue that they and the application keep.
pub(super) struct Fitted {
    pub catalogue: Catalogue,
    pub inferred: Inferred,
}

/// Asks for rows; `after`: the tables as the change leaves them.
pub(super) async fn rows(
    session: &Session,
    (catalogue, after): (&Catalogue, Option<&Catalogue>),
    statistics: Option<&Statistics>,
    options: Options,
) -> Result<Fitted, Error> {
    let ask = async |catalogue: &Catalogue| {
        seed::infer_rows(session, catalogue, statistics, options.clone()).await
    };
    let plain = ask(catalogue).await?;
    let mut wishes = after.map_or_else(Vec::new, |after| infer::wishes(catalogue, after));
    // Rows that a script has made are what they are.
    let is_own = |wish: &Wish| {
        let rows = &options.rows;
        rows.own.contains_key(wish.table()) && !rows.of.contains_key(wish.table())
    };
    let is_refuted = |wish: &Wish| statistics.is_some_and(|known| wish.is_refuted(known));
    wishes.retain(|wish| !is_own(wish) && !is_refuted(wish));
    for _ in 0..ATTEMPTS_MAX {
        if wishes.is_empty() {
            break;
        }
        let wished = infer::with_wishes(catalogue, &wishes);
        let mut made = ask(&wished).await?;
        let fitting = infer::fitting(&wishes, catalogue, (&plain, &made));
        if fitting.len() == wishes.len() {
            made.remarks.splice(0..0, infer::remarks(&wishes));
            infer::say_fitted(&wishes, &mut made);
            return Ok(Fitted { catalogue: wished, inferred: made });
        }
        wishes = fitting;
    }
    Ok(Fitted { catalogue: catalogue.clone(), inferred: plain })
}
