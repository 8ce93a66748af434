//! Real migration tools, run as their users run them, against seeded spans under traffic: what each
//! sends is traced, and what comes of a careful rollout is safe with every one of them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use pgauntlet::history::{
    AttemptEnd, Event, History, Protocol, StatementBegan, StatementEnded, TransactionStatus, silent,
};
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::result::{CrashRequest, Judgement};
use pgauntlet::run::{HISTORY_FILE, OnJudged, Request, SizeRequest, Work, run};
use pgauntlet::scenario::{self, FindingKind, Verdict};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::toolbox;

/// A tool's project, and how it is run.
struct Project {
    name: &'static str,
    /// Below tests/tools, or the bundled Alembic project.
    directory: &'static str,
    command: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// Lines of `[change]` beside the command.
    timeouts: &'static str,
    versions: &'static str,
    rerun: &'static str,
}

const ALEMBIC_VERSIONS: &str =
    "table = \"alembic_version\", column = \"version_num\", rows = \"one\"";
const LOCAL: &str = "scope = \"local\", lock_timeout_ms = 3_000, statement_timeout_ms = 30_000";
const SESSION: &str = "scope = \"session\", lock_timeout_ms = 3_000, statement_timeout_ms = 30_000";

const fn alembic(
    name: &'static str,
    command: &'static str,
    environment: &'static [(&'static str, &'static str)],
    timeouts: &'static str,
) -> Project {
    Project {
        name,
        directory: "_alembic",
        command,
        environment,
        timeouts,
        versions: ALEMBIC_VERSIONS,
        rerun: "",
    }
}

const fn other(name: &'static str, command: &'static str, versions: &'static str) -> Project {
    Project { name, directory: name, command, environment: &[], timeouts: "", versions, rerun: "" }
}

const PROJECTS: &[Project] = &[
    alembic("alembic-psycopg", "alembic upgrade head", &[("TIMEOUTS", "local")], LOCAL),
    alembic(
        "alembic-psycopg-async",
        "alembic upgrade head",
        &[("TIMEOUTS", "local"), ("DRIVER", "psycopg_async")],
        LOCAL,
    ),
    alembic(
        "alembic-asyncpg",
        "alembic upgrade head",
        &[("TIMEOUTS", "session"), ("DRIVER", "asyncpg")],
        SESSION,
    ),
    alembic("alembic-outer", "alembic upgrade head", &[("TIMEOUTS", "outer")], SESSION),
    alembic(
        "alembic-outer-without-a-block",
        "alembic upgrade 9ff3ee32c81b",
        &[("TIMEOUTS", "outer")],
        SESSION,
    ),
    other(
        "django",
        "python manage.py migrate --fake-initial --noinput",
        "table = \"django_migrations\", column = \"name\", rows = \"each\"",
    ),
    other(
        "sqlx",
        "sqlx migrate run",
        "table = \"_sqlx_migrations\", column = \"version\", rows = \"each\"",
    ),
    other(
        "dbmate",
        "dbmate --migrations-dir migrations --no-dump-schema migrate",
        "table = \"schema_migrations\", column = \"version\", rows = \"each\"",
    ),
    other(
        "knex",
        "knex migrate:latest",
        "table = \"knex_migrations\", column = \"name\", rows = \"each\"",
    ),
    // It keeps no versions; the scenario asks for its rerun.
    Project {
        rerun: "rerun = true\n",
        ..other("psql", "psql -X -v ON_ERROR_STOP=1 -f rollout.sql", "")
    },
];

fn project_directory(project: &Project, scenarios: &Path) -> PathBuf {
    match project.directory {
        "_alembic" => scenarios.join("_alembic"),
        name => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools").join(name),
    }
}

fn scenario_text(project: &Project, scenarios: &Path) -> String {
    let mut environment = format!("PATH = {:?}\n", toolbox::path());
    let modules = toolbox::tools().join("node/node_modules");
    let _ = writeln!(environment, "NODE_PATH = {:?}", modules.display().to_string());
    let _ = writeln!(environment, "PYTHONDONTWRITEBYTECODE = \"1\"");
    for (name, value) in project.environment {
        let _ = writeln!(environment, "{name} = {value:?}");
    }
    let mut beside = String::new();
    for (key, value) in [("timeouts", project.timeouts), ("versions", project.versions)] {
        if !value.is_empty() {
            let _ = writeln!(beside, "{key} = {{ {value} }}");
        }
    }
    format!(
        "analysis = 'The rollout of spans.task_id by a real tool.'\n\
         base = '../_spans/application.toml'\n\
         [change]\n\
         command = {:?}\n\
         directory = {:?}\n\
         deadline_s = 120\n\
         {}\
         {beside}\
         [change.environment]\n\
         {environment}\
         [expect]\n\
         verdict = 'safe'\n",
        project.command,
        project_directory(project, scenarios).display().to_string(),
        project.rerun,
    )
}

type Trials = BTreeMap<String, (Judgement, History)>;

/// Every trial of this file, in one run: one server, one seed.
fn trials() -> &'static Trials {
    static TRIALS: OnceLock<Trials> = OnceLock::new();
    TRIALS.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let made = std::thread::spawn(move || runtime.expect("a runtime").block_on(run_all()));
        made.join().expect("the trials")
    })
}

async fn run_all() -> Trials {
    let unpacked = tempfile::tempdir().expect("a directory");
    let scenarios = unpacked.path();
    scenario::bundled::unpack(scenarios).expect("the bundled scenarios");
    let mut directories = Vec::new();
    for project in PROJECTS {
        let directory = scenarios.join(project.name);
        std::fs::create_dir(&directory).expect("a directory");
        let text = scenario_text(project, scenarios);
        std::fs::write(directory.join("scenario.toml"), text).expect("a scenario file");
        directories.push(directory);
    }
    let load = |directory: &PathBuf| match scenario::load(directory) {
        Ok(checked) => checked.value,
        Err(problems) => panic!("{}", scenario::render(&problems)),
    };
    let out = scenarios.join("out");
    let request = Request {
        scenarios: directories.iter().map(load).collect(),
        work: Work::Trials,
        crash: CrashRequest::default(),
        state: None,
        repeat: 1,
        share: None,
        sizes: SizeRequest { scale: Some(0.05), ..SizeRequest::default() },
        other_majors: Vec::new(),
        clones: None,
        answers: false,
        at: Vec::new(),
        retry: None,
        server: provision::Request {
            source: SourceRequest::Local { pg_bin: None, major: None },
            cache: None,
            run_as: None,
        },
        out: Some(out.clone()),
    };
    let nobody: OnJudged = Arc::new(|_| {});
    let judged = run(&request, &silent(), &nobody, &CancellationToken::new()).await;
    let with_history = |judgement: Judgement| {
        let name = judgement.trial.key.scenario.clone();
        let history = History::read(&out.join(&name).join(HISTORY_FILE)).expect("a history");
        (name, (judgement, history))
    };
    judged.expect("a run").trials.into_iter().map(with_history).collect()
}

fn statements(history: &History, attempt: u32) -> Vec<(&StatementBegan, &StatementEnded)> {
    let events = || history.entries.iter().map(|entry| &entry.event);
    let began = events().filter_map(|event| match event {
        Event::StatementBegan(began) if began.attempt == attempt => Some(began),
        _ => None,
    });
    let ended = |began: &StatementBegan| {
        events().find_map(|event| match event {
            Event::StatementEnded(ended)
                if ended.attempt == attempt && ended.statement == began.statement =>
            {
                Some(ended)
            }
            _ => None,
        })
    };
    began.map(|began| (&**began, &**ended(began).expect("every statement has an end"))).collect()
}

fn end_of(history: &History, attempt: u32) -> &AttemptEnd {
    let mut ends = history.entries.iter().rev().filter_map(|entry| match &entry.event {
        Event::AttemptEnded { attempt: a, end } if *a == attempt => Some(end),
        _ => None,
    });
    ends.next().expect("an end")
}

/// A line per statement, without what differs from run to run.
/// Up to the moment that a tool writes beside its version.
fn without_moment(sql: &str) -> &str {
    let is_moment = |at: &usize| {
        let rest = &sql.as_bytes()[at + 3..];
        rest.iter().take(4).all(u8::is_ascii_digit) && rest.get(4) == Some(&b'-')
    };
    let mut found = sql.match_indices(", '").map(|(at, _)| at);
    found.find(is_moment).map_or(sql, |at| &sql[..at])
}

fn trace(history: &History) -> String {
    let mut text = String::new();
    for (began, ended) in statements(history, 0) {
        let protocol = match began.protocol {
            Protocol::Simple => "simple",
            Protocol::Extended => "extended",
            Protocol::FunctionCall => "function",
        };
        let status = |status: TransactionStatus| match status {
            TransactionStatus::Idle => "idle",
            TransactionStatus::InTransaction => "open",
            TransactionStatus::Failed => "failed",
            TransactionStatus::Gone => "gone",
        };
        let words: Vec<&str> = began.text.split_whitespace().collect();
        let sql = words.join(" ");
        let sql = without_moment(sql.get(..sql.floor_char_boundary(100)).unwrap_or_default());
        let _ = write!(
            text,
            "{} {protocol:8} {:4} -> {:6} lock {:>4} statement {:>5} | {sql}",
            began.connection,
            status(began.transaction),
            status(ended.transaction),
            began.lock_timeout_ms,
            began.statement_timeout_ms,
        );
        if began.statements > 1 {
            let _ = write!(text, " [{} statements]", began.statements);
        }
        match &ended.error {
            Some(error) => {
                let _ = write!(text, " | {error}");
            }
            None => {
                let _ = write!(text, " | {}", ended.tags.join(", "));
            }
        }
        for lock in &ended.taken {
            let _ = write!(text, " + {} {}", lock.relation, lock.mode);
        }
        text.push('\n');
    }
    text
}

#[rstest]
#[case("alembic-psycopg")]
#[case("alembic-psycopg-async")]
#[case("alembic-asyncpg")]
#[case("alembic-outer")]
#[case("django")]
#[case("sqlx")]
#[case("dbmate")]
#[case("knex")]
#[case("psql")]
fn what_a_tool_sends_is_traced_statement_by_statement(#[case] name: &str) {
    let (_, history) = &trials()[name];
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_suffix(name);
    // Django writes the time into its version row.
    settings.add_filter(r"'\d{4}-\d\d-\d\d[^']*'", "'[time]'");
    settings.bind(|| insta::assert_snapshot!("trace", trace(history)));
}

#[rstest]
#[case("alembic-psycopg")]
#[case("alembic-psycopg-async")]
#[case("alembic-asyncpg")]
#[case("django")]
#[case("sqlx")]
#[case("dbmate")]
#[case("knex")]
#[case("psql")]
fn a_careful_rollout_is_safe_with_every_tool(#[case] name: &str) {
    let (judgement, history) = &trials()[name];
    let told: Vec<String> =
        judgement.findings.iter().map(|f| format!("{}: {}", f.kind, f.sentence)).collect();
    // A machine that was the slow one proves nothing, and says so.
    let slow = judgement.findings.iter().filter(|f| f.verdict != Verdict::Safe);
    let slow: Vec<bool> = slow.map(|finding| finding.doubt.is_some()).collect();
    let is_slow = judgement.verdict == Verdict::Unproven && slow.iter().all(|doubt| *doubt);
    if is_slow {
        println!("{name} is unproven: {}", told.join("\n"));
    }
    assert!(judgement.verdict == Verdict::Safe || is_slow, "{}", told.join("\n"));
    assert!(matches!(end_of(history, 1), AttemptEnd::Finished { .. }), "a rerun succeeds");
    // What the rollout is about has been seen.
    let all = statements(history, 0);
    let index = all.iter().find(|(began, _)| {
        began.text.to_lowercase().contains("index concurrently") && began.text.contains("task_id")
    });
    let (began, ended) = index.expect("the index on task_id is built concurrently");
    assert_eq!(began.transaction, TransactionStatus::Idle, "outside a transaction");
    assert_eq!(ended.error, None);
}

#[test]
fn a_set_that_opens_an_outer_transaction_is_told_with_the_migrations_that_shared_it() {
    let (judgement, history) = &trials()["alembic-outer"];
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    let found = |kind| judgement.findings.iter().find(|finding| finding.kind == kind);
    let failed = found(FindingKind::CommandFailed).expect("the command failed");
    assert!(failed.sentence.contains("status 1"), "{}", failed.sentence);
    let shared = found(FindingKind::OneTransaction).expect("migrations shared a transaction");
    assert!(shared.sentence.contains("SET lock_timeout"), "{}", shared.sentence);
    let all = statements(history, 0);
    assert!(all.iter().all(|(_, ended)| ended.error.is_none()), "the server saw no error at all");
}

#[test]
fn a_command_that_reports_success_and_commits_nothing_is_unsafe() {
    let (judgement, history) = &trials()["alembic-outer-without-a-block"];
    assert!(matches!(end_of(history, 0), AttemptEnd::Finished { .. }), "exit code 0");
    assert_eq!(judgement.verdict, Verdict::Unsafe);
    let open = judgement.findings.iter().find(|f| f.kind == FindingKind::OpenTransaction);
    let open = open.expect("what was rolled back is told");
    assert_eq!(open.verdict, Verdict::Unsafe);
}
