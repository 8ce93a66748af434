//! Asks a server which values its types, CHECKs and bounds take.

use crate::connect::{self, Session};
use crate::infer::{Answers, Catalogue, Draft, Inferred, Options, Question, Settled, Statistics};

use super::Error;

/// Rows for the tables of a catalogue, which the session's database holds, like those of which
/// there are statistics. Nothing stays but functions of the session's temporary schema.
///
/// # Errors
/// The session is gone. A question that the server refuses is a remark of what is returned.
pub async fn infer_rows(
    session: &Session,
    catalogue: &Catalogue,
    statistics: Option<&Statistics>,
    options: Options,
) -> Result<Inferred, Error> {
    let mut draft = Draft::new(catalogue, statistics, options);
    loop {
        let mut answers = Vec::new();
        for question in draft.questions() {
            answers.push(ask(session, question).await?);
        }
        match draft.settle(answers) {
            Settled::More(next) => draft = *next,
            Settled::Done(inferred) => return Ok(*inferred),
        }
    }
}

async fn ask(session: &Session, question: &Question) -> Result<Answers, Error> {
    if let Err(error) = session.batch(&question.function()).await {
        return refused(error);
    }
    let argument = question.argument();
    match session.client().query_one(Question::ASK, &[&argument]).await {
        Ok(row) => Ok(question.answers(row.get(0))),
        Err(error) => refused(connect::Error::query(Question::ASK, &error)),
    }
}

/// What the server says is an answer; anything else is none.
fn refused(error: connect::Error) -> Result<Answers, Error> {
    match error.server_error() {
        Some(server) if server.sqlstate.is_some() => Ok(Err(server.message.clone())),
        _ => Err(error.into()),
    }
}
