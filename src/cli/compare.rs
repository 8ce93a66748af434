//! `compare` and `baseline`: two results side by side, and what later results are compared with.

use std::fs;
use std::path::Path;

use crate::compare::{self, BASELINE_FORMAT, Baseline, Comparison, Options, Overall};
use crate::report::{self, Width, comparison_html, comparison_markdown, comparison_text};
use crate::result::ResultFile;
use crate::run::ExitStatus;

use super::args::{BaselineArguments, CompareArguments, FailOn, ReportFormat};
use super::diff::{is_writable, write};
use super::{complain, width};

/// What went wrong, in the words of `failed to …`, and how the process ends with it.
type Failure = (ExitStatus, String);

pub fn compare(arguments: &CompareArguments) -> ExitStatus {
    ended(compared(arguments))
}

pub fn baseline(arguments: &BaselineArguments) -> ExitStatus {
    ended(put_together(arguments).map(|()| ExitStatus::AsExpected))
}

fn ended(outcome: Result<ExitStatus, Failure>) -> ExitStatus {
    outcome.unwrap_or_else(|(ending, error)| {
        complain(&error);
        ending
    })
}

fn compared(arguments: &CompareArguments) -> Result<ExitStatus, Failure> {
    if let Some(path) = &arguments.out {
        is_writable(path).map_err(bad)?;
    }
    let (a, b) = (read(&arguments.a)?, read(&arguments.b)?);
    let name = |path: &Path| path.display().to_string();
    let (name_a, name_b) = (name(&arguments.a), name(&arguments.b));
    let comparison = compare::compare((&name_a, &a), (&name_b, &b), &Options::default());
    let width = arguments.out.as_ref().map_or_else(width, |_| Width::default());
    let text = rendered(&comparison, arguments.format, width);
    match &arguments.out {
        Some(path) => {
            let plain = anstream::adapter::strip_str(&text).to_string();
            write(path, &plain).map_err(|error| (ExitStatus::Failed, error))?;
        }
        None => anstream::print!("{text}"),
    }
    Ok(match (comparison.overall, arguments.fail_on) {
        (Overall::Regression, FailOn::Regression | FailOn::Undecided) => ExitStatus::NotAsExpected,
        (Overall::Undecided, FailOn::Undecided) => ExitStatus::Unproven,
        _ => ExitStatus::AsExpected,
    })
}

fn rendered(comparison: &Comparison, format: ReportFormat, width: Width) -> String {
    let suites = || report::comparison_suites(comparison);
    match format {
        ReportFormat::Text => report::plain(&comparison_text(comparison, width)).into_owned(),
        ReportFormat::Markdown => report::plain(&comparison_markdown(comparison)).into_owned(),
        ReportFormat::Html => comparison_html(comparison),
        ReportFormat::Github => report::github(&suites()),
        ReportFormat::Junit => report::junit("pgauntlet compare", &suites()),
        ReportFormat::Sarif => report::sarif(&suites()),
        ReportFormat::Prometheus => report::comparison_prometheus(comparison),
        // Numbers and texts are JSON always.
        ReportFormat::Json => serde_json::to_string_pretty(comparison).unwrap_or_default() + "\n",
    }
}

fn put_together(arguments: &BaselineArguments) -> Result<(), Failure> {
    let out = &arguments.out;
    is_writable(out).map_err(bad)?;
    let mut baseline = match arguments.add {
        true => read(out)?,
        false => Baseline { pgauntlet_baseline: BASELINE_FORMAT, ..Baseline::default() },
    };
    for path in &arguments.results {
        let other = read(path)?;
        baseline.merge(other).map_err(|error| bad(format!("{error} ({})", path.display())))?;
    }
    write(out, &baseline.to_text()).map_err(|error| (ExitStatus::Failed, error))?;
    anstream::println!(
        "{} trials and {} crash matrices are in {}",
        baseline.trials.len(),
        baseline.crash_matrices.len(),
        out.display()
    );
    Ok(())
}

fn bad(error: String) -> Failure {
    (ExitStatus::BadInput, error)
}

/// A directory, a result.json or a baseline file: each holds a key that says which it is.
fn read(path: &Path) -> Result<Baseline, Failure> {
    let file = ResultFile::path_of(path);
    let fail = |error: String| bad(format!("read {}: {error}", file.display()));
    let wanted = "it is a directory of `run --out`, a result.json, or a file that `pgauntlet \
                  baseline` wrote";
    let text = fs::read_to_string(&file).map_err(|error| fail(format!("{error}; {wanted}")))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| fail(format!("{error}; {wanted}")))?;
    if json.get("pgauntlet_baseline").is_some() {
        return Baseline::parse(&text).map_err(|error| fail(error.to_string()));
    }
    if json.get("pgauntlet_result").is_none() {
        return Err(fail(format!("it is no result and no baseline; {wanted}")));
    }
    let result = ResultFile::parse(&file, &text).map_err(|error| bad(error.to_string()))?;
    let baseline = Baseline::of(&result.trials, &result.crash_matrices);
    baseline.map_err(|error| fail(error.to_string()))
}
