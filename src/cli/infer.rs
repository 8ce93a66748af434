//! `infer`: a scenario from a schema, as files that a person keeps.

use std::fs;
use std::path::Path;

use crate::history::silent;
use crate::infer::Mix;
use crate::run::{self, ExitStatus, InferRequest, InferredScenario, OwnQueries};
use crate::scenario::read_text;
use crate::stats::grouped;

use super::args::{InferArguments, TrafficMix};
use super::run::{cancelled_by_signals, ending_of};
use super::{complain, show};

/// Remarks that are printed; the scenario has all of them.
const SHOWN_MAX: usize = 20;

pub async fn infer(arguments: &InferArguments) -> ExitStatus {
    let ready = read(&arguments.schema).and_then(|schema| {
        is_free(&arguments.out)?;
        let change = arguments.change.as_deref().map(read).transpose()?;
        let app = arguments.app.as_deref().map(read).transpose()?;
        Ok((schema, change, app, arguments.server.request()?))
    });
    let (schema, change, app, server) = match ready {
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
        rows: arguments.rows,
        rng_seed: arguments.rng_seed,
        rate_per_s: arguments.rate,
        mix: match arguments.traffic {
            TrafficMix::ReadHeavy => Mix::ReadHeavy,
            TrafficMix::Mixed => Mix::Mixed,
            TrafficMix::WriteHeavy => Mix::WriteHeavy,
        },
        own: arguments.app.as_deref().zip(app.as_deref()).map(|(path, text)| OwnQueries {
            path,
            text,
            adds: arguments.app_adds,
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
