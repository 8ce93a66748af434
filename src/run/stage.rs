//! Where operations are tried before they are part of a scenario: a database with a few rows, in
//! which the application is the role that it is in a trial.

use std::fs;
use std::path::Path;

use crate::connect::Address;
use crate::drive;
use crate::history::silent;
use crate::infer::{self, Narrowed, Rehearsed};
use crate::provision::Server;
use crate::scenario::{Draft, OperationSpec, Problem, Scenario, Sizes, load};
use crate::seed;

use super::{Error, identities};

/// Rows of each table on which operations are tried.
const ROWS: u64 = 200;
/// How often each is tried in a round.
const DRAWS: u64 = 60;
/// How often values are taken out of an operation that fails with them.
pub(super) const ROUNDS: u64 = 5;
/// Sessions that load the rows.
const LOADERS: usize = 2;

/// A database in which operations are tried.
pub(super) struct Stage {
    scenario: Scenario,
    sizes: Sizes,
    application: Address,
    /// The user that connects, to whom row security does not apply.
    owner: Address,
}

/// An operation that was tried.
pub(super) struct Tried {
    pub operation: OperationSpec,
    pub narrowed: Narrowed,
    /// What the server said first; None: it never failed.
    pub error: Option<String>,
    /// How often it found or changed a row by each of its statements.
    pub met: usize,
    /// Of how many times.
    pub draws: usize,
}

impl Stage {
    /// Fills a database that is empty with a few rows, or takes one that has rows as it is; an
    /// error of the scenario is given as a sentence.
    pub async fn of(
        draft: &Draft,
        server: &dyn Server,
        address: &Address,
        is_filled: bool,
    ) -> Result<Result<Stage, String>, Error> {
        let scenario = match read_back(draft)? {
            Ok(scenario) => scenario,
            Err(problems) => return Ok(Err(problems.into_iter().next().unwrap_or_default())),
        };
        let few = |rows: u64| if is_filled { rows } else { rows.min(ROWS) };
        let tables = scenario.tables.iter();
        let sizes = Sizes(tables.map(|table| (table.name.clone(), few(table.rows))).collect());
        if !is_filled {
            let (scenario, sizes) = (&scenario, sizes.clone());
            let plan = seed::Plan { scenario, sizes, loaders: LOADERS, catalogue: None };
            seed::fill_in_place(address, &plan, &silent()).await?;
        }
        let roles = identities::of(server, &scenario, address).await?;
        let (application, owner) = (roles.application, address.clone());
        Ok(Ok(Stage { scenario, sizes, application, owner }))
    }

    /// Tries operations once more: in each round with other values.
    pub async fn tried(
        &mut self,
        operations: Vec<OperationSpec>,
        round: u64,
    ) -> Result<Vec<Tried>, Error> {
        let application = self.application.clone();
        self.tried_as(&application, operations, round).await
    }

    /// Tries operations as the user that connects, with the same values.
    pub async fn tried_as_owner(
        &mut self,
        operations: Vec<OperationSpec>,
        round: u64,
    ) -> Result<Vec<Tried>, Error> {
        let owner = self.owner.clone();
        self.tried_as(&owner, operations, round).await
    }

    async fn tried_as(
        &mut self,
        user: &Address,
        operations: Vec<OperationSpec>,
        round: u64,
    ) -> Result<Vec<Tried>, Error> {
        self.scenario.traffic.operations.clone_from(&operations);
        let draws = round * DRAWS..(round + 1) * DRAWS;
        let tried = drive::rehearse(user, &self.scenario, &self.sizes, draws).await?;
        let of = |(operation, draws): (OperationSpec, Vec<drive::Draw>)| {
            let met = draws.iter().filter(|draw| draw.rows > 0).count();
            let error = draws.iter().find_map(|draw| draw.error.clone());
            let all = draws.len();
            let draws = draws.into_iter().map(|draw| (draw.values, draw.error)).collect();
            let narrowed = infer::narrowed(&operation, &Rehearsed { draws });
            Tried { operation, narrowed, error, met, draws: all }
        };
        Ok(operations.into_iter().zip(tried).map(of).collect())
    }
}

/// The scenario as it is read from its files, or why it would be refused.
pub(super) fn read_back(draft: &Draft) -> Result<Result<Scenario, Vec<String>>, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Out { path, source }
    };
    let directory = tempfile::Builder::new().prefix("pgauntlet-infer").tempdir();
    let directory = directory.map_err(failed(&std::env::temp_dir()))?;
    let root = directory.path().join("inferred");
    for (name, text) in draft.to_files() {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&root)).map_err(failed(&path))?;
        fs::write(&path, text).map_err(failed(&path))?;
    }
    let messages =
        |problems: Vec<Problem>| problems.into_iter().map(|problem| problem.message).collect();
    Ok(load(&root).map(|checked| checked.value).map_err(messages))
}

/// Puts an operation in the place of the one with its name.
pub(super) fn put(draft: &mut Draft, operation: OperationSpec) {
    let operations = &mut draft.traffic.operations;
    if let Some(known) = operations.iter_mut().find(|known| known.name == operation.name) {
        *known = operation;
    }
}
