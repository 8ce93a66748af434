//! `infer`: a scenario from a schema, as files that a person keeps.

use std::fs;
use std::path::{Path, PathBuf};

use crate::connect::Address;
use crate::history::silent;
use crate::infer::{Mix, Rows};
use crate::run::{
    self, ExitStatus, InferRequest, InferredScenario, Like, OwnQueries, OwnSource, Source,
};
use crate::scenario::read_text;
use crate::stats::grouped;

use super::args::{AppSource, InferArguments, TrafficMix};
use super::run::{cancelled_by_signals, ending_of};
use super::secrets::without_passwords;
use super::server::is_address;
use super::{complain, show};

/// Remarks that are printed; the scenario has all of them.
const SHOWN_MAX: usize = 20;

pub async fn infer(arguments: &InferArguments) -> ExitStatus {
    let ready = read(&arguments.schema).and_then(|schema| {
        is_free(&arguments.out)?;
        let change = arguments.change.as_deref().map(read).transpose()?;
        let app = arguments.app.as_deref().map(read).transpose()?;
        let like = arguments.like.as_deref().map(likeness).transpose()?;
        if let (Some(AppSource::Statements), Some(Likeness::File(..))) = (arguments.app_from, &like)
        {
            return Err("read pg_stat_statements: --like is a file; name the database, as in \
                        postgres://user@host:5432/database"
                .to_owned());
        }
        Ok((schema, change, app, like, arguments.server.request()?))
    });
    let (schema, change, app, like, server) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            complain(&error);
            return ExitStatus::BadInput;
        }
    };
    let request = InferRequest {
        path: &arguments.schema,
        schema: &schema,
        change: change.as_deref(),
        rows: Rows { default: arguments.rows, ..Rows::default() },
        rng_seed: arguments.rng_seed,
        rate_per_s: arguments.rate,
        mix: match arguments.traffic {
            TrafficMix::Auto => None,
            TrafficMix::ReadHeavy => Some(Mix::ReadHeavy),
            TrafficMix::Mixed => Some(Mix::Mixed),
            TrafficMix::WriteHeavy => Some(Mix::WriteHeavy),
        },
        own: own(arguments, app.as_deref(), like.as_ref()),
        like: like.as_ref().map(|like| Like {
            source: match like {
                Likeness::Database(address) => Source::Database(address),
                Likeness::File(path, text) => Source::File(path, text),
            },
            values: arguments.with_common_values,
        }),
        server: &server,
    };
    let made = match run::infer(&request, &silent(), &cancelled_by_signals()).await {
        Ok(made) => made,
        Err(error) => return ending_of(&error),
    };
    match write(&made, &arguments.out) {
        Ok(()) => {
            print(&made, &arguments.out);
            ExitStatus::AsExpected
        }
        Err(error) => {
            complain(&error);
            ExitStatus::Failed
        }
    }
}

/// The application's own statements; None: its operations are inferred.
fn own<'a>(
    arguments: &'a InferArguments,
    app: Option<&'a str>,
    like: Option<&'a Likeness>,
) -> Option<OwnQueries<'a>> {
    let source = match (arguments.app.as_deref().zip(app), like) {
        (Some((path, text)), _) => OwnSource::File(path, text),
        (None, Some(Likeness::Database(address))) if arguments.app_from.is_some() => {
            OwnSource::Recorded(address)
        }
        _ => return None,
    };
    Some(OwnQueries { source, adds: arguments.app_adds })
}

/// Whose rows the scenario's are like, with the file's text.
enum Likeness {
    Database(Box<Address>),
    File(PathBuf, String),
}

fn likeness(text: &str) -> Result<Likeness, String> {
    if is_address(text) {
        // The error does not repeat the text, and so no password.
        let address = Address::parse(text).map_err(|error| format!("read --like: {error}"))?;
        return Ok(Likeness::Database(Box::new(address)));
    }
    let path = PathBuf::from(text);
    // What is no file may be an address that is mistyped, with its password.
    let shown = without_passwords(text);
    let read = read_text(&path).map_err(|why| {
        format!(
            "read {shown}: {why}; --like takes postgres://user@host:5432/database, or a file of \
             pg_dump --statistics-only"
        )
    });
    Ok(Likeness::File(path, read?))
}

fn read(path: &Path) -> Result<String, String> {
    read_text(path).map_err(|why| format!("read {}: {why}", path.display()))
}

fn is_free(out: &Path) -> Result<(), String> {
    match fs::read_dir(out).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(format!("write to {}: it holds something; name another", out.display())),
        _ if out.is_file() => Err(format!("write to {}: it is a file", out.display())),
        _ => Ok(()),
    }
}

fn write(made: &InferredScenario, out: &Path) -> Result<(), String> {
    for (name, text) in &made.files {
        let path = out.join(name);
        let parent = path.parent().unwrap_or(out);
        let failed = |error| format!("write {}: {error}", path.display());
        fs::create_dir_all(parent).map_err(failed)?;
        fs::write(&path, text).map_err(failed)?;
    }
    Ok(())
}

fn print(made: &InferredScenario, out: &Path) {
    let filled = made.tables.values().filter(|rows| **rows > 0).count();
    let rows: u64 = made.tables.values().sum();
    made.statistics.iter().for_each(|line| show(line));
    show(&format!(
        "{filled} of {} tables get rows, {} in all; {} operations use them",
        made.tables.len(),
        grouped(rows),
        made.operations,
    ));
    for remark in made.remarks.iter().take(SHOWN_MAX) {
        let refused = if remark.refused { " (no rows)" } else { "" };
        show(&format!("  {}, {}: {}{refused}", remark.table, remark.about, remark.text));
    }
    let more = made.remarks.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        show(&format!("  and {more} more, as comments in scenario.toml"));
    }
    made.left_out.iter().for_each(|left_out| show(&format!("  {left_out}")));
    show(&format!("the scenario is in {}", out.display()));
}
