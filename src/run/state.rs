//! Brings a database into a trial's starting state.

use crate::clock::Clock;
use crate::connect::Address;
use crate::history::{AttemptEnd, Event, Listener, Progress, Recorder};
use crate::migrate;
use crate::provision::Server;
use crate::scenario::{Change, Ground, Scenario, Sizes, State};
use crate::seed::{self, Template};

use super::{Error, names};

/// Connections that load a table at once; two cores are kept busy by two.
pub const LOADERS: usize = 2;
/// Seeds kept on a server hold at most this much; the least recently used go first.
const CACHE_BYTES_MAX: u64 = 100_000_000_000;

/// A scenario in one of its states, at the sizes of a trial.
#[derive(Clone)]
pub struct Start {
    pub scenario: Scenario,
    pub state: State,
    pub sizes: Sizes,
    /// Which execution of several, from 1.
    pub repetition: u32,
}

impl Start {
    /// How results name it: the state only where there is a choice.
    pub fn name(&self) -> String {
        let name = match self.scenario.states.len() {
            0 | 1 => self.scenario.name.clone(),
            _ => format!("{} from {}", self.scenario.name, self.state.name),
        };
        names::trials(&name, self.repetition)
    }

    pub fn seed(&self) -> seed::Plan<'_> {
        seed::Plan { scenario: &self.scenario, sizes: self.sizes.clone(), loaders: LOADERS }
    }
}

/// The seed that the state is made from; None: it is made from nothing.
pub async fn template(
    server: &dyn Server,
    start: &Start,
    listener: &Listener,
) -> Result<Option<Template>, Error> {
    if start.state.from == Ground::Empty {
        return Ok(None);
    }
    let (address, facts) = (server.address(), server.facts());
    let keeps = server.keeps_databases();
    let template = seed::template(&address, &facts, &start.seed(), keeps, listener).await?;
    for seed in seed::evict(&address, CACHE_BYTES_MAX, &template.key).await? {
        let (database, scenario) = (seed.database, seed.scenario);
        listener(Progress::Note(format!("dropped the seed {database} of {scenario}: cache full")));
    }
    Ok(Some(template))
}

/// Makes the database from the template, if there is one, and applies the state's path to it.
pub async fn make(
    server: &dyn Server,
    start: &Start,
    template: Option<&Template>,
    database: &str,
    listener: &Listener,
) -> Result<Address, Error> {
    let (server_address, version_num) = (server.address(), server.facts().version_num);
    let address = match template {
        Some(template) => seed::copy(&server_address, template, database, version_num).await?,
        None => seed::empty(&server_address, database).await?,
    };
    if let Some(path) = &start.state.path {
        let name = &start.state.name;
        listener(Progress::SeedStep(format!("bring the database into the state {name}")));
        let change_address = change_address(server, &address, database);
        walk(start, path, &address, &change_address, listener).await?;
    }
    Ok(address)
}

/// Where the change connects: over TCP where there is a choice, so that a command authenticates.
pub fn change_address(server: &dyn Server, address: &Address, database: &str) -> Address {
    server.tcp_address().unwrap_or(address.clone()).with_database(database)
}

/// Nothing goes on around the path, and what it does is not recorded.
async fn walk(
    start: &Start,
    path: &Change,
    address: &Address,
    change_address: &Address,
    listener: &Listener,
) -> Result<(), Error> {
    let recorder = Recorder::in_memory(Clock::start());
    let declared = start.scenario.declared_sizes();
    migrate::prepare(address, path).await?;
    let setup = migrate::Setup {
        address,
        change_address,
        change: path,
        declared: &declared,
        sizes: &start.sizes,
        recorder: &recorder,
        listener,
        faults: &[],
        output: None,
    };
    let end = migrate::apply(&setup, 0).await?;
    let printed = last_words(&recorder)?;
    let why = match (&end, &path.stop) {
        (AttemptEnd::Finished { .. }, None) | (AttemptEnd::Stopped, Some(_)) => return Ok(()),
        (AttemptEnd::Finished { .. }, Some(_)) => {
            "it came to its end before the statement at which it is to stop".to_owned()
        }
        (AttemptEnd::Failed { error, .. }, _) => format!("{error}{printed}"),
        (AttemptEnd::DeadlineExceeded, _) => "it took longer than its deadline".to_owned(),
        (AttemptEnd::Stopped | AttemptEnd::Killed, _) => "it was ended".to_owned(),
    };
    let (scenario, state) = (start.scenario.name.clone(), start.state.name.clone());
    Err(Error::State { scenario, state, why })
}

/// The last line that a command printed, as it follows its error.
fn last_words(recorder: &Recorder) -> Result<String, Error> {
    let history = recorder.finish()?;
    let output = history.entries.iter().rev().find_map(|entry| match &entry.event {
        Event::CommandEnded(ended) => Some(&ended.output),
        _ => None,
    });
    let last = output.and_then(|output| output.lines().rev().find(|line| !line.trim().is_empty()));
    Ok(last.map_or_else(String::new, |line| format!(" ({})", line.trim())))
}
