//! The crash matrix of a scenario: at each statement of the change each fault is injected once,
//! each time on a copy of one snapshot, and the change is applied again as an operator would: once.

mod by_hand;
mod cases;
mod faults;
mod points;
mod procedures;
mod random;
mod undisturbed;

use std::time::Instant;

use crate::assess::{self, Effort};
use crate::clock::Micros;
use crate::explain::explain_matrix;
use crate::history::silent;
use crate::judge::crash as judged;
use crate::provision::Server;
use crate::result::Matrix;

use super::Error;
use super::effects::Origin;
use super::execute::Order;
use super::expand::MatrixSpec;
use super::files::UNDISTURBED;
use super::shared::Run;

use cases::Cases;
use undisturbed::Kept;

pub use points::InjectionPoints;
pub use undisturbed::ended_with;

/// Runs the matrix.
pub async fn matrix(
    run: &Run<'_>,
    server: &mut dyn Server,
    spec: &MatrixSpec,
) -> Result<Matrix, Error> {
    let began = Instant::now();
    server.apply_settings(&spec.base.scenario.server).await?;
    let executor = run.executor(server);
    let origin = run.effects.origin(executor.server, &spec.base, run.listener).await?;
    let (listener, short) = (run.listener, origin.short());
    let (spec_of, output, standby) = (&spec.base, None, None);
    let order = Order { spec: spec_of, origin: &origin, short, listener, output, standby };
    let snapshot = run.databases.name();
    let found = match executor.make(order, &snapshot).await {
        Ok(_) => {
            let origin = Origin::Copy(snapshot.clone());
            let cases = Cases { run, executor, spec, origin, short, listener: silent() };
            let undisturbed = run.databases.name();
            let found = cases.all(&undisturbed, began).await;
            executor.drop(&undisturbed).await.and(found)
        }
        Err(error) => Err(error),
    };
    let dropped = executor.drop(&snapshot).await;
    let matrix = found?;
    dropped?;
    Ok(matrix)
}

impl Cases<'_> {
    /// `database` is the name of that in which nothing is disturbed, which is left.
    async fn all(&self, database: &str, began: Instant) -> Result<Matrix, Error> {
        let MatrixSpec { base, crash, statement } = self.spec;
        let output = self.directory(UNDISTURBED);
        let undisturbed = self.executor.in_database(
            self.order(base, &output),
            &procedures::Undisturbed,
            database,
        );
        let undisturbed = undisturbed.await?;
        let at_once = self.at_once();
        let took = || Micros(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        let shown = judged::undisturbed(&undisturbed);
        let matrix = |cases, random| {
            let effort = Effort { took_us: took(), at_once };
            let run = (&shown, effort);
            explain_matrix(assess::matrix(&base.scenario, crash, run, cases, random))
        };
        let Some(ended) = ended_with(&undisturbed) else { return Ok(matrix(Vec::new(), None)) };
        let points = InjectionPoints::of(&undisturbed, crash, *statement);
        if let Some(statement) = *statement
            && points.faults.is_empty()
        {
            let statements = InjectionPoints::statements(&undisturbed, crash);
            return Err(Error::NoSuchStatement { statement, statements });
        }
        self.run.plans_cases(&base.key, points.labels(), points.random)?;
        let address = self.executor.server.address().with_database(database);
        let mut kept = Kept::of(&undisturbed, ended, address);
        // What is not the same a second time, beside an application, is no sign of anything: a time
        // of day, a copy of rows that the application writes.
        kept.compared = self.again(&kept).await?;
        let found = self.inject(&points.faults, &kept, at_once).await?;
        let random = random::faults(self, &points, &kept).await?;
        Ok(matrix(found, random))
    }
}
