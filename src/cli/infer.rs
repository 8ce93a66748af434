//! `infer`: a scenario from a schema, as files that a person keeps.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::connect::Address;
use crate::history::{Listener, Progress};
use crate::infer::Mix;
use crate::run::{
    self, Base, DatabaseUrl, ExitStatus, InferRequest, InferredScenario, Like, OwnQueries,
    OwnSource, RowsRequest, Source,
};
use crate::scenario::{
    Applied, Demands, DraftChange, Rate, TransactionRule, directory_name, is_kebab_case, read_text,
};
use crate::stats::grouped;

use super::args::{AppSource, ApplicationArguments, BaseArguments, InferArguments, TrafficMix};
use super::ending::{cancelled_by_signals, ending_of};
use super::names::kebab;
use super::secrets::without_passwords;
use super::server::is_address;
use super::{complain, remark, show, tried};

/// Rows of a table where nothing is said.
const ROWS: u64 = 10_000;
/// Share of what the idle server carries, where no rate is given: the baseline is healthy.
const CAPACITY_SHARE: f64 = 0.3;
/// Remarks that are printed; the scenario has all of them.
const SHOWN_MAX: usize = 20;

pub async fn infer(arguments: &InferArguments) -> ExitStatus {
    let ready = is_free(&arguments.out).and_then(|()| {
        let base = base(&arguments.base)?;
        let migration = arguments.change.as_deref().map(read).transpose()?;
        let asked = Asked::read(&arguments.application)?;
        Ok((base, migration, asked, arguments.server.request()?))
    });
    let (base, migration, asked, server) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            complain(&error);
            return ExitStatus::BadInput;
        }
    };
    let change = match arguments.change.as_deref().map(tried::file_as_psql).transpose() {
        Ok(change) => change,
        Err(ending) => return ending,
    };
    let (each, of) = rows(&arguments.rows);
    let request = InferRequest {
        base: &base,
        change: change.as_ref(),
        written: migration.map(|text| {
            let (version, transaction) = ("1".to_owned(), TransactionRule::None);
            DraftChange::of(Applied::Sql { version, text, transaction })
        }),
        demands: &Demands::default(),
        conditions: &[],
        rows: RowsRequest { each, concerned: None, of: &of },
        rng_seed: arguments.rng_seed,
        rate: asked.rate,
        mix: asked.mix,
        own: asked.own(),
        like: asked.like(),
        server: &server,
    };
    let made = match run::infer(&request, &notes(), &cancelled_by_signals()).await {
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

/// Rows of a table that is not named, and those of the others.
fn rows(asked: &[(Option<String>, u64)]) -> (u64, Vec<(String, u64)>) {
    let of = |(table, rows): &(Option<String>, u64)| table.clone().map(|table| (table, *rows));
    let default = asked.iter().rev().find(|(table, _)| table.is_none());
    (default.map_or(ROWS, |(_, rows)| *rows), asked.iter().filter_map(of).collect())
}

/// What the arguments say of rows and the application, with the files' texts.
pub(super) struct Asked {
    pub rate: Rate,
    /// None: as the statistics say.
    pub mix: Option<Mix>,
    app: Option<(PathBuf, String)>,
    app_from: Option<AppSource>,
    app_adds: bool,
    likeness: Option<Likeness>,
    values: bool,
}

impl Asked {
    pub fn read(arguments: &ApplicationArguments) -> Result<Asked, String> {
        let with_text = |path: &PathBuf| read(path).map(|text| (path.clone(), text));
        let app = arguments.app.as_ref().map(with_text);
        let likeness = arguments.like.as_deref().map(likeness).transpose()?;
        let (app_from, like) = (arguments.app_from, &likeness);
        if let (Some(AppSource::Statements), Some(Likeness::File(..))) = (app_from, like) {
            return Err("read pg_stat_statements: --like is a file; name the database, as in \
                        postgres://user@host:5432/database"
                .to_owned());
        }
        Ok(Asked {
            rate: arguments.rate.map_or(Rate::CapacityShare(CAPACITY_SHARE), Rate::PerS),
            mix: match arguments.traffic.unwrap_or_default() {
                TrafficMix::Auto => None,
                TrafficMix::ReadHeavy => Some(Mix::ReadHeavy),
                TrafficMix::Mixed => Some(Mix::Mixed),
                TrafficMix::WriteHeavy => Some(Mix::WriteHeavy),
            },
            app: app.transpose()?,
            app_from,
            app_adds: arguments.app_adds,
            likeness,
            values: arguments.with_common_values,
        })
    }

    /// The application's own statements; None: its operations are inferred.
    pub fn own(&self) -> Option<OwnQueries<'_>> {
        let source = match (&self.app, &self.likeness) {
            (Some((path, text)), _) => OwnSource::File(path, text),
            (None, Some(Likeness::Database(address))) if self.app_from.is_some() => {
                OwnSource::Recorded(address)
            }
            _ => return None,
        };
        Some(OwnQueries { source, adds: self.app_adds })
    }

    pub fn like(&self) -> Option<Like<'_>> {
        let source = match self.likeness.as_ref()? {
            Likeness::Database(address) => Source::Database(address),
            Likeness::File(path, text) => Source::File(path, text),
        };
        Some(Like { source, values: self.values })
    }
}

/// The base that the arguments name.
fn base(arguments: &BaseArguments) -> Result<Base, String> {
    base_of(arguments.schema.as_deref(), arguments.base.as_deref())
}

/// The same by its parts.
pub(super) fn base_of(schema: Option<&str>, line: Option<&str>) -> Result<Base, String> {
    match (schema, line) {
        (Some(url), _) if is_address(url) => {
            let parsed = DatabaseUrl::parse(url);
            parsed
                .map(|url| Base::Database(Box::new(url)))
                .map_err(|why| format!("read the schema: {why}"))
        }
        (Some(path), _) => {
            let path = PathBuf::from(path);
            read(&path).map(|text| Base::Script { path, text })
        }
        (None, Some(line)) => Ok(Base::Command(tried::command(line, Path::new("."))?)),
        // One of the group's arguments is there; that is the parser's promise.
        (None, None) => Err("make the base: --schema or --base says from what".to_owned()),
    }
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

/// What is to be said of the base, the way it is made not.
pub(super) fn notes() -> Listener {
    Arc::new(|progress| {
        if let Progress::Note(sentence) = progress {
            remark(&sentence);
        }
    })
}

fn read(path: &Path) -> Result<String, String> {
    read_text(path).map_err(|why| format!("read {}: {why}", path.display()))
}

/// Whether a scenario can be written there.
pub(super) fn is_free(out: &Path) -> Result<(), String> {
    match fs::read_dir(out).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(format!("write to {}: it holds something; name another", out.display())),
        _ if out.is_file() => Err(format!("write to {}: it is a file", out.display())),
        _ if is_kebab_case(&directory_name(out)) => Ok(()),
        _ => Err(format!(
            "write to {}: a scenario is named as its directory is, in lower-case words and digits \
             joined by hyphens; name it {}",
            out.display(),
            out.with_file_name(kebab(&directory_name(out))).display()
        )),
    }
}

pub(super) fn write(made: &InferredScenario, out: &Path) -> Result<(), String> {
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
