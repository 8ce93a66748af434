//! The page of a run: what stands in it, what cannot get into it, what it says was not tried.

use pgauntlet::report::{self, Document};
use pgauntlet::result::ResultFile;
use pgauntlet::scenario::{Base, Condition, Crash, State, Verdict};
use pgauntlet::trial::{Axis, FaultKind};
use rstest::rstest;

use crate::made::Made;
use crate::page::{ADD_COLUMN, HOSTILE, Run, hostile, long, matrix, stalled};

/// The elements' texts between two marks, the first that there are.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let rest = text.split_once(from).unwrap_or_else(|| panic!("no {from:?} in the page")).1;
    rest.split_once(to).unwrap_or_else(|| panic!("no {to:?} after {from:?}")).0
}

fn data(html: &str) -> serde_json::Value {
    let json = between(html, "<script type=\"application/json\">", "</script>");
    serde_json::from_str(json).expect("the data is JSON")
}

fn not_tried(run: &Run) -> String {
    report::not_tried(&run.document(), "made").join("\n")
}

#[test]
fn a_page_begins_with_the_verdict_the_sentence_and_the_analysis() {
    let run = Run::one(stalled());
    let html = run.page();
    let top = between(&html, "<header>", "</header>");
    assert!(top.contains("v-unsafe\">unsafe</p>"), "{top}");
    assert!(top.contains("as expected") && top.contains("made by hand"), "{top}");
    let reason = run.result.trials[0].reason.split(" (").next().expect("a reason");
    assert!(top.contains(reason), "no {reason:?} in {top}");
}

#[test]
fn a_page_asks_for_nothing_from_anywhere() {
    let html = Run::one(stalled()).page();
    for asking in ["src=", "@import", "url(", "<link", "http://", "https://", "fetch("] {
        // The name of SVG's namespace would be one, and an inline SVG needs none.
        assert!(!html.contains(asking), "{asking:?} in the page");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn every_step_stands_in_the_data_and_the_lines_hold_as_many_points() {
    let run = Run::of(vec![long(60, 50)]);
    let html = run.page();
    let course = run.timelines[0].as_ref().expect("a course");
    let data = data(&html);
    let column = |name: &str| data[name].as_array().expect("a column").clone();
    assert_eq!(column("offered").len(), course.steps.len());
    let p99: Vec<Option<u64>> = column("p99").iter().map(serde_json::Value::as_u64).collect();
    let wanted: Vec<Option<u64>> =
        course.steps.iter().map(|step| (step.offered > 0).then_some(step.p99_us.0)).collect();
    assert_eq!(p99, wanted);
    // A staircase: up or down to the value of a step, then along it.
    let drawn = |colour: &str| -> usize {
        let lines = html.split("<path d=\"").skip(1).filter_map(|rest| rest.split("/>").next());
        let stroke = format!("stroke=\"var({colour})\"");
        let of_colour = lines.filter(|line| line.contains(&stroke));
        of_colour.map(|line| between(line, "", "\"").matches(['M', 'V', 'H']).count()).sum()
    };
    let with_latency = wanted.iter().flatten().count();
    assert_eq!(drawn("--s-p99"), 2 * with_latency);
    assert_eq!(drawn("--s-offered"), 2 * course.steps.len());
}

#[test]
fn lanes_hold_statements_locks_disturbances_and_stalls() {
    let html = Run::one(stalled()).page();
    let axis = between(&html, "<div class=\"stage\">", "<script");
    for bar in ["bar statement\"", "bar statement quiet", "bar lock strong", "bar disturbance"] {
        assert!(axis.contains(bar), "no {bar:?}");
    }
    assert!(axis.contains("data-stall=\"trial-1-stall-1\""));
    assert!(axis.contains("UPDATE spans SET task_id = trace_id · at 5.02 s, took 2.98 s"));
    assert!(axis.contains("the change held AccessExclusiveLock on spans"));
    assert_eq!(axis.matches("class=\"shade\"").count(), 1);
}

#[test]
fn a_stall_tells_who_waited_for_whom_and_the_statement_to_blame() {
    let html = Run::one(stalled()).page();
    let stall = between(&html, "id=\"trial-1-stall-1\"", "</details>");
    assert!(stall.contains("<svg class=\"graph\"") && stall.contains("3 wait"), "{stall}");
    let sentence = "3 × insert-span asked for RowExclusiveLock on spans: the change held \
                    AccessExclusiveLock";
    assert!(stall.contains(sentence), "{stall}");
    assert!(stall.contains("UPDATE spans SET task_id = trace_id"), "{stall}");
    assert!(between(stall, "<dt>taken by", "</dl>").contains(ADD_COLUMN), "{stall}");
}

#[test]
fn no_text_of_a_history_gets_out_of_its_place() {
    let mut run = Run::one(hostile());
    run.result.crash_matrices.push(matrix());
    let told = &mut run.result.crash_matrices[0];
    (told.reason, told.trial.key.scenario) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    for case in &mut told.cases {
        (case.sentence, case.seen, case.fault.at.text) =
            (HOSTILE.into(), HOSTILE.into(), HOSTILE.into());
    }
    let document = Document { path: HOSTILE, ..run.document() };
    let html = report::page(&document);
    assert!(!html.contains("<img"), "a tag of the history's");
    assert!(!html.contains(HOSTILE));
    assert!(html.matches("&lt;/script&gt;&lt;img").count() > 20);
    // The axis' data and the script: nothing else ends one.
    assert_eq!(html.matches("</script").count(), html.matches("<script").count());
    // An attribute would be closed by this.
    assert!(!html.contains("alert(1)>\""));
}

#[test]
fn trials_are_counted_on_by_crash_matrices_and_repeated_by_that_number() {
    let mut run = Run::one(stalled());
    run.add(Made::calm().scenario, Made::calm().history());
    run.result.crash_matrices.push(matrix());
    let html = run.page();
    for number in 1..=3 {
        let command = format!("pgauntlet repro out/result.json --trial {number}<");
        assert_eq!(html.matches(&command).count(), 1, "{command}");
        assert!(html.contains(&format!("<a href=\"#trial-{number}\">")));
        assert!(html.contains(&format!("<section class=\"trial\" id=\"trial-{number}\">")));
    }
    assert!(between(&html, "id=\"trial-3\"", "</section>").contains("crash matrix"));
}

#[rstest]
#[case::the_first_that_is_not_expected(&[true, false, false], 2)]
#[case::else_the_first_of_the_worst(&[true, true, true], 1)]
fn of_several_trials_one_is_open(#[case] expected: &[bool], #[case] open: usize) {
    let mut run = Run::default();
    for as_expected in expected {
        run.add(stalled().scenario, stalled().history());
        run.result.trials.last_mut().expect("a trial").as_expected = *as_expected;
    }
    let html = run.page();
    assert_eq!(html.matches("<details class=\"whole\" open>").count(), 1);
    assert!(html.contains(&format!("id=\"trial-{open}\">\n<details class=\"whole\" open>")));
}

/// Scenarios that are meant to be unsafe are no reason for a red page.
#[rstest]
#[case(&[true, true, true], "v-safe\">3 of 3 as expected</p>")]
#[case(&[true, true, false], "v-unsafe\">1 of 3 not as expected</p>")]
fn a_page_of_several_scenarios_begins_with_how_many_are_as_expected(
    #[case] expected: &[bool],
    #[case] headline: &str,
) {
    let mut run = Run::default();
    for (number, as_expected) in expected.iter().enumerate() {
        run.add(stalled().scenario, stalled().history());
        let added = run.result.trials.last_mut().expect("a trial");
        added.as_expected = *as_expected;
        added.trial.key.scenario = format!("scenario-{number}");
    }
    let html = run.page();
    let top = between(&html, "<header>", "</header>");
    assert!(top.contains(headline), "{top}");
    assert!(top.contains("<h1>3 verdicts of 3 scenarios</h1>"), "{top}");
    let failing = expected.iter().position(|as_expected| !as_expected);
    assert_eq!(top.contains("<p class=\"reason\">"), failing.is_some());
    // The first row is of what is not as expected.
    let first = between(top, "<a href=\"#trial-", "\"");
    assert_eq!(first, (failing.unwrap_or(0) + 1).to_string());
}

#[test]
fn a_result_without_histories_or_scenarios_has_a_page_too() {
    let mut run = Run::one(stalled());
    run.timelines.clear();
    run.result.scenarios.clear();
    let html = run.page();
    assert!(html.contains("The history of this trial is not there"));
    assert!(html.contains("<h3>Findings</h3>") && !html.contains("class=\"axis\""));
    assert!(not_tried(&run).contains("the scenario is not in this result"));
    let nothing = Run { result: ResultFile::empty(), timelines: Vec::new() };
    assert!(nothing.page().contains("No verdict"));
}

#[test]
fn what_the_schema_became_is_shown_as_a_difference() {
    let html = Run::one(stalled()).page();
    let schema = between(&html, "<h3>Schema", "<h3>Environment");
    assert!(schema.contains("<p>type: <del>bigint</del> → <ins>text</ins></p>"), "{schema}");
    assert!(schema.contains("<h4 class=\"new\"><b>+</b> index public.ix</h4>"), "{schema}");
}

#[test]
fn every_outcome_of_a_crash_matrix_is_in_its_table() {
    let mut run = Run::default();
    run.result.crash_matrices.push(matrix());
    let html = run.page();
    let table = between(&html, "<table class=\"matrix\">", "</table>");
    for outcome in ["clean", "by hand", "fails", "debris", "diverges", "loses data"] {
        assert!(table.contains(&format!(">{outcome}</b>")), "no {outcome:?} in {table}");
    }
    assert!(html.contains("not injected: kill-backend at 1: it was over"));
    assert!(!html.contains("<h3>What happened when"));
}

#[test]
fn what_was_not_tried_follows_from_a_scenario_that_says_little() {
    let told = not_tried(&Run::one(Made::calm()));
    for sentence in [
        "no crash matrix: what is left where the change is interrupted is not known (the scenario \
         declares none)",
        "no starting state is an empty database, one that came by another path or one that was \
         left part-way",
        "nothing but the application was in the way",
        "no second runner applied the change at the same time",
        "PostgreSQL 15 only, not 14, 16, 17, 18",
        "each trial ran once",
        "no ledger is kept",
    ] {
        assert!(told.contains(sentence), "no {sentence:?} in:\n{told}");
    }
    // No interval is in that history, so nothing is said of one.
    assert!(!told.contains("lock waits shorter"), "{told}");
}

#[test]
fn a_session_of_a_condition_that_was_tried_is_not_called_untried() {
    let mut made = stalled();
    let disturbances = std::mem::take(&mut made.scenario.disturbances);
    made.scenario.conditions = vec![Condition {
        name: "backup".to_owned(),
        known: None,
        settings: Default::default(),
        disturbances,
        network: None,
        pooler: None,
    }];
    let mut run = Run::one(made);
    assert!(not_tried(&run).contains("nothing but the application was in the way"));
    let key = &mut run.result.trials[0].trial.key;
    *key = key.clone().with(Axis::CONDITION, "backup");
    assert!(
        not_tried(&run).contains("nothing was in the way but backup: no long-reader"),
        "{}",
        not_tried(&run)
    );
}

#[test]
fn what_was_tried_is_not_called_untried() {
    let mut made = stalled();
    let path = made.scenario.change.clone();
    let stop = pgauntlet::scenario::Stop { after_statements: 1, scale_with: None };
    let part_way = pgauntlet::scenario::Change { stop: Some(stop), ..path };
    let named = |name: &str| State { name: name.to_owned(), ..State::base() };
    made.scenario.states = vec![
        State::base(),
        State { from: Base::Empty, ..named("empty") },
        State { path: Some(part_way), ..named("part-way") },
    ];
    made.scenario.change.runners = 2;
    made.scenario.crash = Some(Crash::default());
    let mut run = Run::one(made.clone());
    let without = not_tried(&run);
    assert!(without.contains("declares, not in this result: empty, part-way"), "{without}");
    assert!(without.contains("it is declared, and this run left it out"), "{without}");
    assert!(without.contains("lock waits shorter than 10 ms are seen by chance"), "{without}");
    assert!(without.contains("nothing was in the way but long-reader: no backup"), "{without}");

    run.result.crash_matrices.push(matrix());
    run.result.trials.extend_from_within(..);
    for (trial, state) in run.result.trials.clone().iter().zip(["empty", "part-way"]) {
        let mut other = trial.clone();
        other.trial.key = other.trial.key.clone().with(Axis::STATE, state);
        run.result.trials.push(other);
    }
    let told = not_tried(&run);
    for sentence in ["no crash matrix", "starting state", "second runner", "ran once", "kinds of"] {
        assert!(!told.contains(sentence), "{sentence:?} in:\n{told}");
    }
    assert!(told.contains("no fault at a random moment"), "{told}");
}

#[test]
fn a_matrix_says_which_deaths_it_lacks() {
    let mut run = Run::one(Made::calm());
    let mut matrix = matrix();
    matrix.columns.retain(|kind| *kind != FaultKind::KillRunner);
    run.result.crash_matrices.push(matrix);
    let told = not_tried(&run);
    assert!(
        told.contains("kinds of faults that are not in the crash matrix: kill-runner"),
        "{told}"
    );
    assert!(told.contains("1 fault of the crash matrix could not be injected"), "{told}");
}

#[test]
fn a_trial_of_fewer_rows_than_declared_says_so() {
    let mut made = Made::calm();
    let (name, columns) = ("spans".to_owned(), Vec::new());
    made.scenario.tables.push(pgauntlet::scenario::Table {
        name,
        rows: 2_000_000,
        columns,
        asked: None,
        unfilled: std::collections::BTreeMap::new(),
        fitted: Vec::new(),
    });
    let mut run = Run::one(made);
    run.result.trials[0].trial.sizes.insert("spans".to_owned(), 20_000);
    let told = not_tried(&run);
    assert!(told.contains("fewer rows than are declared: 20,000 of 2,000,000 in spans"), "{told}");
    run.result.trials[0].trial.sizes.insert("spans".to_owned(), 2_000_000);
    assert!(!not_tried(&run).contains("fewer rows"));
}

#[test]
fn a_page_of_an_hour_is_no_larger_than_the_steps_it_has_room_for() {
    let hour = Run::of(vec![long(3_600, 20)]);
    let steps = hour.timelines[0].as_ref().map_or(0, |course| course.steps.len());
    let html = hour.page();
    assert!(steps <= 600 && html.len() < 600_000, "{steps} steps, {} bytes", html.len());
    assert_eq!(hour.result.trials[0].verdict, Verdict::Unsafe);
}
