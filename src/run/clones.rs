//! Clones: databases that a command of the user's gives, one for each trial, and takes back.
//!
//! They may be changed, and hold rows already: nothing is seeded, and nothing else on their servers
//! is touched. Everything in them runs as the user of the clone's address.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::process;

use crate::connect::{self, Address, Session};
use crate::history::{Listener, Progress, ServerFacts};
use crate::provision::{self, Server};

use super::Error;
use super::effects::{Claim, Doing};
use super::request::CloneCommands;

const APPLICATION_NAME: &str = "pgauntlet clone";
/// What a command gets of the clone: a name that no other has, and what it printed.
const CLONE_ID: &str = "PGAUNTLET_CLONE_ID";
const CLONE_URL: &str = "PGAUNTLET_CLONE_URL";
/// Longest time that a command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(600);
/// Tables of users that were never analysed: nobody knows their rows.
const NEVER_ANALYSED: &str = "SELECT count(*) FROM pg_class c JOIN pg_namespace n \
                              ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') \
                              AND c.reltuples < 0 AND n.nspname !~ '^pg_' \
                              AND n.nspname <> 'information_schema'";

/// The clones of a process.
pub struct Clones {
    commands: CloneCommands,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    made: u32,
    /// The first one, until a database is asked for.
    spare: Option<Lent>,
    /// By the name of the database for which each is there.
    lent: BTreeMap<String, Lent>,
}

/// One of them.
#[derive(Clone, Debug)]
struct Lent {
    id: String,
    /// As it was printed; empty: the command has not said it.
    url: Arc<OnceLock<String>>,
    /// Held as long as the command that makes it runs: nobody gives back what is not made yet.
    making: Arc<tokio::sync::Mutex<()>>,
}

impl Lent {
    fn new(id: String) -> Lent {
        Lent { id, url: Arc::default(), making: Arc::default() }
    }

    fn url(&self) -> &str {
        self.url.get().map_or("", String::as_str)
    }

    /// Runs the command to its end, also where nobody waits for it any more.
    async fn make(&self, line: &str) -> Result<(), String> {
        let making = Arc::clone(&self.making).lock_owned().await;
        let (line, made) = (line.to_owned(), self.clone());
        let task = tokio::spawn(async move {
            let output = run(&line, &made).await?;
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            let last = printed.lines().map(str::trim).rfind(|line| !line.is_empty());
            let _ = made.url.set(last.unwrap_or_default().to_owned());
            drop(making);
            Ok(())
        });
        task.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

impl Clones {
    pub fn of(commands: &CloneCommands) -> Arc<Clones> {
        Arc::new(Clones { commands: commands.clone(), state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server of the first clone, which is the first that is lent.
    pub async fn server(&self, listener: &Listener) -> Result<Box<dyn Server>, Error> {
        listener(Progress::Server("waiting for a clone".to_owned()));
        let spare = self.new_clone(|state, clone| state.spare = Some(clone)).await?;
        let address = self.address(&spare)?;
        let facts = provision::facts_of(&address).await?;
        let (place, user) = (address.place(), address.user().to_owned());
        listener(Progress::Note(format!(
            "a clone on {place}: application and change run as {user}, its own user, and existing \
             rows are used"
        )));
        Ok(Box::new(ClonedServer { address, facts }))
    }

    /// A clone for this database.
    pub async fn lend(&self, database: &str) -> Result<Address, Error> {
        let spare = {
            let mut state = self.state();
            let spare = state.spare.take();
            spare.inspect(|spare| drop(state.lent.insert(database.to_owned(), spare.clone())))
        };
        let clone = match spare {
            Some(spare) => spare,
            None => {
                let keep = |state: &mut State, clone| {
                    state.lent.insert(database.to_owned(), clone);
                };
                self.new_clone(keep).await?
            }
        };
        let address = self.address(&clone)?;
        analyse(&address).await?;
        Ok(address)
    }

    /// Runs the command. What it makes is known before it says where that is: however this ends, it
    /// is given back.
    async fn new_clone(&self, mut keep: impl FnMut(&mut State, Lent)) -> Result<Lent, Error> {
        let clone = {
            let mut state = self.state();
            state.made += 1;
            let id = format!("pgauntlet_clone_{:08x}_{}", rand::random::<u32>(), state.made);
            let clone = Lent::new(id);
            keep(&mut state, clone.clone());
            clone
        };
        let line = self.commands.clone.clone();
        let failed = |why: String| Error::Clone { line: line.clone(), why };
        clone.make(&self.commands.clone).await.map_err(failed)?;
        self.address(&clone)?;
        let state = self.state();
        let mut others = state.spare.iter().chain(state.lent.values());
        if others.any(|other| other.id != clone.id && other.url() == clone.url()) {
            let why = "it printed the URL of a clone that is in use; each trial changes one of \
                       its own";
            return Err(failed(why.to_owned()));
        }
        drop(state);
        Ok(clone)
    }

    fn address(&self, clone: &Lent) -> Result<Address, Error> {
        let failed = |why: String| Error::Clone { line: self.commands.clone.clone(), why };
        if clone.url().is_empty() {
            return Err(failed("it printed nothing; its last line is to be a URL".to_owned()));
        }
        Address::parse(clone.url())
            .map_err(|error| failed(format!("the last line that it printed is no URL: {error}")))
    }

    /// Gives back what was lent for this database; it is no longer ours, whatever comes of it.
    pub async fn give_back(&self, database: &str) -> Result<(), Error> {
        let clone = self.state().lent.get(database).cloned();
        let Some(clone) = clone else { return Ok(()) };
        let released = self.release(&clone).await;
        self.state().lent.remove(database);
        released
    }

    /// Gives back all that is left; the first error is the one to tell.
    pub async fn give_back_all(&self) -> Result<(), Error> {
        let left: Vec<Lent> = {
            let mut state = self.state();
            let lent = std::mem::take(&mut state.lent);
            state.spare.take().into_iter().chain(lent.into_values()).collect()
        };
        let mut first = Ok(());
        for clone in left {
            first = first.and(self.release(&clone).await);
        }
        first
    }

    async fn release(&self, clone: &Lent) -> Result<(), Error> {
        let Some(line) = &self.commands.release else { return Ok(()) };
        let (id, line_of) = (clone.id.clone(), line.clone());
        let failed = |why: String| Error::Release { line: line_of, id, why };
        let _made = clone.making.lock().await;
        run(line, clone).await.map(|_| ()).map_err(failed)
    }
}

/// Why it did not succeed, in a sentence.
async fn run(line: &str, clone: &Lent) -> Result<Output, String> {
    let mut command = process::Command::new("sh");
    command.args(["-c", line]).env(CLONE_ID, &clone.id).env(CLONE_URL, clone.url());
    // What is typed at the terminal to end us does not end it.
    command.stdin(Stdio::null()).kill_on_drop(true).process_group(0);
    let output = tokio::time::timeout(COMMAND_TIMEOUT, command.output()).await;
    let output = output.map_err(|_| format!("it takes longer than {COMMAND_TIMEOUT:?}"))?;
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    let said = last.map_or_else(String::new, |last| format!(": {}", last.trim()));
    Err(format!("{}{said}", output.status))
}

/// What a dump has restored is not known to the planner, as it would be in production.
async fn analyse(address: &Address) -> Result<(), Error> {
    let session = Session::open(address, APPLICATION_NAME, &BTreeMap::new()).await?;
    let row = session.client().query_one(NEVER_ANALYSED, &[]).await;
    let row = row.map_err(|error| connect::Error::query(NEVER_ANALYSED, &error))?;
    if row.get::<_, i64>(0) > 0 {
        session.batch("ANALYZE").await?;
    }
    Ok(())
}

/// Where the first clone is. Others may be elsewhere.
struct ClonedServer {
    address: Address,
    facts: ServerFacts,
}

impl Server for ClonedServer {
    fn address(&self) -> Address {
        self.address.clone()
    }

    /// Each clone has its own place.
    fn tcp_address(&self) -> Option<Address> {
        None
    }

    fn facts(&self) -> ServerFacts {
        self.facts.clone()
    }

    /// A clone has the settings that it has; what is made for one asks for none.
    fn apply_settings<'a>(
        &'a mut self,
        _settings: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), provision::Error>> {
        Box::pin(async { Ok(()) })
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, Result<(), provision::Error>> {
        Box::pin(async { Ok(()) })
    }
}

/// Of clones nothing is claimed: no other process knows of them.
#[derive(Default)]
pub struct Unclaimed(Mutex<u32>);

impl Claim for Unclaimed {
    fn name(&self) -> String {
        let mut number = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *number += 1;
        format!("clone {number}")
    }

    fn losses(&self) -> BoxFuture<'_, u32> {
        Box::pin(async { 0 })
    }

    fn renew<'a>(&'a self, _server: &'a Address) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
