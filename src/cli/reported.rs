//! `report` and `merge`: stored results, rendered and joined.

use std::path::Path;

use crate::report::{self, Document, Width};
use crate::result::ResultFile;
use crate::run::{self, ExitStatus, Stored};

use super::args::{MergeArguments, ReportArguments, ReportFormat};
use super::ending::ending_of;
use super::{complain, diff, show, sources, width};

/// A report that was rendered is a success, whatever it says: who wants a verdict asks `judge`.
pub fn report(arguments: &ReportArguments) -> ExitStatus {
    if let Some(Err(error)) = arguments.out.as_deref().map(diff::is_writable) {
        complain(&error);
        return ExitStatus::BadInput;
    }
    // Courses take as long as the judging, and a page alone draws them.
    let read = match arguments.format {
        ReportFormat::Html => run::stored_with_timelines,
        _ => run::stored,
    };
    let stored = match read(&arguments.result) {
        Ok(stored) => stored,
        Err(error) => return ending_of(&error),
    };
    stored.broken.iter().for_each(|error| complain(error));
    let width = arguments.out.as_ref().map_or_else(width, |_| Width::default());
    let rendered = rendered(&stored, arguments, width);
    write(&rendered, arguments.out.as_deref())
}

fn rendered(stored: &Stored, arguments: &ReportArguments, width: Width) -> String {
    let path = &arguments.result;
    // By one trial's directory in a result, nothing can be run again.
    let has_result = ResultFile::path_of(path).is_file();
    let path = if has_result { path.display().to_string() } else { String::new() };
    let sources = || sources::of(&stored.result);
    let document = Document { result: &stored.result, timelines: &stored.timelines, path: &path };
    match arguments.format {
        ReportFormat::Text => report::plain(&text(&stored.result, arguments, width)).into_owned(),
        ReportFormat::Json => report::json(&stored.result),
        ReportFormat::Html => report::page(&document),
        ReportFormat::Markdown => report::plain(&report::markdown(&document)).into_owned(),
        ReportFormat::Github => report::github(&report::suites(&document, &sources())),
        ReportFormat::Junit => report::junit("pgauntlet", &report::suites(&document, &sources())),
        ReportFormat::Sarif => report::sarif(&report::suites(&document, &sources())),
        ReportFormat::Prometheus => report::prometheus(&stored.result),
    }
}

/// Of what `try` tried the answer, as it printed it; each trial in full where it is asked for, and
/// of any other result.
fn text(result: &ResultFile, arguments: &ReportArguments, width: Width) -> String {
    let answer = report::answer(result, width).filter(|_| result.answers);
    match (answer, arguments.details) {
        (None, _) => report::text(result, width),
        (Some(answer), true) => format!("{answer}\n{}", report::text(result, width)),
        (Some(answer), false) => {
            let path = arguments.result.display().to_string();
            let more = format!("{} --details", report::report_command(&path));
            format!("{answer}{}", report::labelled_text("details", &more, width))
        }
    }
}

/// To the file, or to standard output; colours go where they are wanted.
fn write(text: &str, out: Option<&Path>) -> ExitStatus {
    let text = text.trim_end_matches('\n');
    let Some(out) = out else {
        anstream::println!("{text}");
        return ExitStatus::AsExpected;
    };
    let plain = format!("{}\n", anstream::adapter::strip_str(text));
    match diff::write(out, &plain) {
        Ok(()) => ExitStatus::AsExpected,
        Err(error) => {
            complain(&error);
            ExitStatus::BadInput
        }
    }
}

pub fn schema() -> ExitStatus {
    anstream::println!("{:#}", report::schema());
    ExitStatus::AsExpected
}

/// To join is a success, whatever the results say: who wants a verdict asks `judge`.
pub fn merge(arguments: &MergeArguments) -> ExitStatus {
    match run::merge(&arguments.results, &arguments.out) {
        Ok(result) => {
            show(&report::verdicts(&result.trials, &result.crash_matrices, width()));
            let out = arguments.out.display();
            anstream::println!("\n{} results are one in {out}", arguments.results.len());
            ExitStatus::AsExpected
        }
        Err(error) => ending_of(&error),
    }
}
