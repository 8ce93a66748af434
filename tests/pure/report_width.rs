//! Text for terminals of different widths: no line is longer, and nothing is missing.

use std::collections::BTreeMap;
use std::path::Path;

use pgauntlet::compare::{Baseline, Comparison, Options, compare};
use pgauntlet::pg::LockMode;
use pgauntlet::report::{self, Width};
use pgauntlet::result::{Judgement, ResultFile};
use pgauntlet::schema::Fingerprint;
use rstest::rstest;
use unicode_width::UnicodeWidthStr;

use crate::made::Made;
use crate::page::Run;
use crate::sent::{COMMAND, by_command, exits, failed_with_status, sent};

const LONG_TABLE: &str = "measurements_of_customers.spans_of_the_year_2026_that_are_not_archived";
const BACKFILL: &str = "UPDATE measurements_of_customers.\
                        spans_of_the_year_2026_that_are_not_archived SET task_id = trace_id \
                        WHERE task_id IS NULL AND id BETWEEN 1 AND 2000000";

fn stored(name: &str) -> ResultFile {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-4");
    ResultFile::read(&fixtures.join(name)).expect("a result")
}

/// Long names, large numbers, a command that prints, a statement that fails.
fn made() -> ResultFile {
    let mut made: Made = by_command(1);
    made.scenario.name = "a-scenario-with-a-name-that-says-all-of-what-it-is-about".to_owned();
    sent(0, 5_000, 8_000, BACKFILL)
        .inside()
        .holds(LONG_TABLE, LockMode::AccessExclusiveLock)
        .holds("spans", LockMode::ShareUpdateExclusiveLock)
        .rewrites(&[LONG_TABLE])
        .tag("UPDATE 1999999")
        .notices("a notice that the server sent, which says at length what it has left out")
        .add_to(&mut made);
    sent(1, 8_000, 8_010, "CREATE INDEX a ON spans (task_id)")
        .inside()
        .fails("42P07", "relation \"a\" already exists")
        .add_to(&mut made);
    made.blocked_pid(crate::made::APP, 5_100, 8_000, &[COMMAND]);
    exits(&mut made, 0, Some(3), &"a line that a command printed and that is long ".repeat(4));
    made.ends(failed_with_status(3));
    Run::one(made).result
}

fn result(name: &str) -> ResultFile {
    match name {
        "made" => made(),
        name => stored(name),
    }
}

fn shown(result: &ResultFile, columns: usize) -> String {
    let text = report::text(result, Width::of_terminal(columns));
    anstream::adapter::strip_str(&text).to_string()
}

/// Lines that are longer, but for a word alone: a path, a name, a literal without a blank.
fn too_long(text: &str, columns: usize) -> Vec<&str> {
    let is_one_word = |line: &str| {
        let labels =
            ["witness", "during", "taken by", "behind", "instead", "!", "UNSAFE", "undecided"];
        let line = line.trim();
        let bare = labels.iter().find_map(|label| line.strip_prefix(label)).unwrap_or(line);
        bare.split_whitespace().count() == 1
    };
    text.lines().filter(|line| line.width() > columns && !is_one_word(line)).collect()
}

/// How often each character is there; blanks are no content, nor is the mark before each row of a
/// command's output.
fn content(text: &str) -> BTreeMap<char, usize> {
    let mut content = BTreeMap::new();
    for character in text.chars().filter(|c| !c.is_whitespace() && *c != '|') {
        *content.entry(character).or_default() += 1;
    }
    content
}

/// Each number of a table, whole and in one line.
fn numbers(of: &Judgement) -> Vec<String> {
    let latency = &of.measured.latency;
    let latencies = [&latency.before, &latency.during, &latency.after];
    let latencies = latencies.into_iter().filter(|summary| summary.count > 0);
    let latencies = latencies.flat_map(|s| [s.p50_us, s.p99_us, s.max_us]);
    let times = latencies.map(|time| time.to_string());
    times.chain([pgauntlet::stats::grouped(of.measured.queue_max)]).collect()
}

#[rstest]
fn no_line_is_longer_than_the_terminal(
    #[values("made", "states", "crash", "runners", "command", "stall", "repeat")] name: &str,
    #[values(60, 80, 100, 120, 160)] columns: usize,
) {
    let text = shown(&result(name), columns);
    assert_eq!(too_long(&text, columns), Vec::<&str>::new(), "{text}");
}

#[rstest]
fn what_is_shown_in_80_columns_is_what_is_shown_in_a_file(
    #[values("made", "states", "crash", "runners", "command", "stall", "repeat")] name: &str,
) {
    let result = result(name);
    let (narrow, usual) = (shown(&result, 80), shown(&result, 100));
    assert_eq!(content(&narrow), content(&usual), "{narrow}");
    // In a wider one statements are cut later.
    let wide = content(&shown(&result, 120));
    let missing = content(&usual).into_iter().filter(|(c, n)| *c != '…' && wide.get(c) < Some(n));
    assert_eq!(missing.collect::<Vec<_>>(), []);
}

#[rstest]
fn every_finding_and_every_number_is_there(
    #[values("made", "states", "crash", "runners", "command", "stall", "repeat")] name: &str,
    #[values(60, 80, 120)] columns: usize,
) {
    let result = result(name);
    let text = shown(&result, columns);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = words(&text);
    for trial in &result.trials {
        for finding in &trial.findings {
            assert!(told.contains(&words(&finding.sentence)), "{}\n{text}", finding.sentence);
        }
        for number in numbers(trial) {
            assert!(text.lines().any(|line| line.contains(&number)), "{number}\n{text}");
        }
    }
    for case in result.crash_matrices.iter().flat_map(|matrix| &matrix.cases) {
        let is_told = case.outcome.is_some_and(|o| o != pgauntlet::scenario::Outcome::Clean);
        assert!(!is_told || told.contains(&words(&case.sentence)), "{}\n{text}", case.sentence);
    }
}

#[rstest]
#[case(10, 60)]
#[case(80, 80)]
#[case(120, 120)]
#[case(400, 160)]
fn a_terminal_that_is_very_narrow_or_wide_is_taken_for_another(
    #[case] columns: usize,
    #[case] expected: usize,
) {
    assert_eq!(Width::of_terminal(columns).columns(), expected);
    assert_eq!(Width::default().columns(), 100);
}

fn compared() -> Comparison {
    let baseline = |of: &ResultFile| Baseline::of(&of.trials, &of.crash_matrices);
    let (slow, mut fast) = (made(), made());
    fast.trials[0].measured.longest_stall_us.0 = 1;
    let (a, b) = (baseline(&slow).expect("a baseline"), baseline(&fast).expect("a baseline"));
    compare(("nightly/a", &a), ("nightly/b", &b), &Options::default())
}

#[rstest]
fn a_comparison_fits_the_terminal(#[values(60, 80, 120)] columns: usize) {
    let shown = |columns| {
        let text = report::comparison_text(&compared(), Width::of_terminal(columns));
        anstream::adapter::strip_str(&text).to_string()
    };
    let text = shown(columns);
    assert_eq!(too_long(&text, columns), Vec::<&str>::new(), "{text}");
    // What is a paragraph instead of a row has the heads again.
    let here = content(&text);
    let missing = content(&shown(100)).into_iter().filter(|(c, n)| here.get(c) < Some(n));
    assert_eq!(missing.collect::<Vec<_>>(), []);
}

#[rstest]
fn differences_of_schemas_fit_the_terminal(#[values(60, 80, 120)] columns: usize) {
    let fingerprint = |check: &str| {
        let mut found = Fingerprint::default();
        found.insert("table", "public.spans", "check", check);
        found
    };
    let (from, to) = (fingerprint(&"a AND ".repeat(40)), fingerprint(&"b AND ".repeat(40)));
    let text = report::differences(&from, &to, &from.diff(&to), Width::of_terminal(columns));
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(text.lines().all(|line| line.width() <= columns), "{text}");
    let words = |word: &str| text.split_whitespace().filter(|w| *w == word).count();
    assert_eq!((words("a"), words("b"), words("AND")), (40, 40, 80));
}

#[test]
fn a_list_for_a_program_has_a_line_per_scenario() {
    let rows = || [["name".to_owned(), "safe".to_owned(), "a sentence ".repeat(20)]];
    assert_eq!(report::list(rows(), None).lines().count(), 1);
    let narrow = report::list(rows(), Some(Width::of_terminal(80)));
    assert!(narrow.lines().count() > 1 && narrow.lines().all(|line| line.len() <= 80), "{narrow}");
}
