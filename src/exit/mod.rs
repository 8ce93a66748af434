//! What the process says when it ends: one code per kind of outcome.
//!
//! A pipeline tells "this change is not what you expected" from "this machine could not say".

use std::process::ExitCode;

use crate::run::ExitStatus;

/// Every trial ended as its scenario expects; for `diff`, no difference.
pub const AS_EXPECTED: u8 = 0;
/// Some verdict or finding is not the expected one; for `try`, the change is not safe; for `diff`,
/// there are differences, or an accepted one is not there; for `compare`, a regression.
pub const NOT_AS_EXPECTED: u8 = 1;
/// The command line or a scenario file is wrong; nothing was started.
pub const BAD_INPUT: u8 = 2;
/// Some trial's evidence carries no answer.
pub const UNPROVEN: u8 = 3;
/// Our failure or the environment's.
pub const FAILED: u8 = 4;
/// Ended by SIGINT or SIGTERM.
pub const INTERRUPTED: u8 = 130;

/// For `--help`.
pub const HELP: &str = "\
Exit codes:
    0  every trial ended as its scenario expects; for diff: no difference
    1  a verdict or finding is not the expected one; for try: the change is not safe;
       for diff: the schemas differ; for compare: a regression
    2  the command line or a scenario file is wrong; nothing was started
    3  a trial's evidence carries no answer (unproven)
    4  our failure or the environment's
  130  interrupted";

/// The process's exit code, as `HELP` lists them.
pub fn code(ending: ExitStatus) -> ExitCode {
    ExitCode::from(match ending {
        ExitStatus::AsExpected => AS_EXPECTED,
        ExitStatus::NotAsExpected => NOT_AS_EXPECTED,
        ExitStatus::BadInput => BAD_INPUT,
        ExitStatus::Unproven => UNPROVEN,
        ExitStatus::Failed => FAILED,
        ExitStatus::Interrupted => INTERRUPTED,
    })
}
