//! A scenario: one directory that says what to build, what goes on, what changes, what to expect.
//!
//! Three passes, each its own module: `wire` reads the strict TOML, `check` turns it into the
//! types below or into errors with file, line and remedy, and the code that runs a trial reads the
//! result. The types here are data; nothing in this module connects.

mod accept;
mod acceptance;
mod acknowledged;
mod background;
mod between;
pub mod bundled;
mod change;
mod check;
mod condition;
mod crash;
mod definition;
mod draft;
mod expect;
pub mod generate;
mod load;
mod names;
mod pool;
mod problem;
mod project;
mod psql;
mod read;
mod replica;
mod retry;
mod size_axis;
mod sql;
mod state;
mod stored;
mod table;
mod tool;
mod tools;
mod traffic;
mod wire;
mod written;

pub use accept::Meant;
pub use acceptance::Acceptance;
pub use acknowledged::acknowledged;
pub use background::{
    Beside, Disturbance, Sessions, Until, application_name as disturbance_application_name,
};
pub use between::{Before, Network, PoolMode, Pooler};
pub use change::{
    Change, Check, Command, Migration, Pause, Precondition, Repeat, Retries, RetryOf, RunsAs,
    Scope, Script, Statement, Stop, Timeouts, TransactionRule, Unmet, VersionRows, Versions,
};
pub use condition::{Condition, ConditionError, ConditionKind, HOLD_MS_DEFAULT, KnownCondition};
pub use crash::{CRASH_ROWS_DEFAULT, Crash, Outcome, Step};
pub use definition::{OF_A_CLONE, Scenario, is_kebab_case};
pub use draft::{Applied, Demands, DraftChange};
pub use expect::{Expect, FindingKind, Limits, Verdict};
pub use load::{directory_name, find, groups, is_group, is_scenario, load, project_defaults};
pub use pool::{PoolFile, Values};
pub use problem::{Checked, ForTry, Problem, nearest, render};
pub use project::{
    Budget, FailsOn, PROJECT_FILE, ProjectBase, ProjectChange, ProjectDefaults, TrafficKind, Trying,
};
pub use psql::{psql_inlined, psql_script, read_text};
pub use replica::Replica;
pub use retry::{PolicyError, RetryPolicy};
pub use size_axis::{SIZES_NEEDED, SizeAxis, rows_of, show_growth, size_name};
pub use state::{Accepted, Base, State};
pub use stored::{STORED_VERSION, StoredScenario};
pub use table::{AskedRows, Column, FakeKind, Generator, MISSES_DEFAULT, Sizes, Table};
pub use tool::{Recognised, Tool};
pub use tools::{ToolsMigrations, changelog_directory, read_migration_file, read_migrations};

pub use traffic::{
    Arrivals, CALIBRATED_MAX_PER_S, Follow, Invariant, LedgerRule, On, OperationSpec,
    OperationStatement, Parameter, PlanLimit, Pool, RATE_PER_S_MAX, RATE_PER_S_MIN, ROLE_SETTING,
    Rate, Rows, Since, SqlPlace, Traffic, returns_row_of,
};
pub use written::Draft;
