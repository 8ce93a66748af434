//! The same plan on servers of several majors, one after the other.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;

use crate::history::{Listener, Progress};
use crate::provision;
use crate::result::ResultFile;

use super::Error;
use super::files::prepare_out;
use super::merge::{OfMajor, of_majors};
use super::request::Request;

/// Runs a request on the one server that it names.
pub type RunOne<'a> =
    &'a dyn for<'r> Fn(&'r Request, &'r Listener) -> LocalBoxFuture<'r, Result<ResultFile, Error>>;

/// What is run on each of the servers.
#[derive(Clone, Copy)]
pub struct EachMajor<'a> {
    pub request: &'a Request,
    /// The result before the first trial.
    pub blank: &'a ResultFile,
    /// Trials, matrices and policies on one server.
    pub units: usize,
    pub run_one: RunOne<'a>,
}

impl EachMajor<'_> {
    /// Runs the plan on each of the request's servers. Their results are one, which is there before
    /// the first trial and grows with each major; each has a directory of its own in it.
    pub async fn run(self, listener: &Listener) -> Result<ResultFile, Error> {
        let EachMajor { request, blank, units, run_one } = self;
        let mut servers = vec![request.server.clone()];
        servers.extend(request.other_majors.iter().cloned());
        // One that is missing is known before hours are spent on the others.
        for server in &servers {
            provision::available(server).await?;
        }
        let out = request.out.as_deref().map(prepare_out).transpose()?;
        let part = |server: &provision::Request| OfMajor {
            major: server.source.major().unwrap_or_default(),
            result: blank.clone(),
        };
        let mut parts: Vec<OfMajor> = servers.iter().map(part).collect();
        let mut joined = keep(&parts, out.as_deref())?;
        for (index, server) in servers.iter().enumerate() {
            let directory = parts[index].directory();
            let of_it = Request {
                server: server.clone(),
                other_majors: Vec::new(),
                out: out.as_ref().map(|out| out.join(directory)),
                ..request.clone()
            };
            let numbered = numbered(listener, &parts[index], index * units, servers.len());
            let ended = run_one(&of_it, &numbered).await;
            let known = match (&ended, &of_it.out) {
                (Ok(result), _) => Some(result.clone()),
                // As far as it came.
                (Err(_), Some(out)) => ResultFile::read(out).ok(),
                (Err(_), None) => None,
            };
            if let Some(known) = known {
                parts[index].result = known;
            }
            joined = keep(&parts, out.as_deref())?;
            ended?;
        }
        Ok(joined)
    }
}

fn keep(parts: &[OfMajor], out: Option<&Path>) -> Result<ResultFile, Error> {
    let joined = of_majors(parts);
    if let Some(out) = out {
        joined.write(out)?;
    }
    Ok(joined)
}

/// Trials count over all majors, and say on which they run.
fn numbered(listener: &Listener, part: &OfMajor, before: usize, times: usize) -> Listener {
    let (listener, major) = (Arc::clone(listener), part.major);
    Arc::new(move |progress| {
        listener(match progress {
            Progress::Trial { scenario, number, of } => Progress::Trial {
                scenario: format!("{scenario}, PostgreSQL {major}"),
                number: before + number,
                of: of * times,
            },
            other => other,
        });
    })
}
