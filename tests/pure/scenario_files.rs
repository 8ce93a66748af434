//! Scenario files: the bundled ones load, the format's examples parse, and mistakes are told with
//! their place and what would be right, however broken a file is. None of it needs a server.

use std::fs;
use std::path::{Path, PathBuf};

use pgauntlet::scenario::{self, FindingKind, Outcome, Scenario, StoredScenario};
use pgauntlet::trial::FaultKind;
use proptest::prelude::*;
use rstest::{Context, rstest};

use crate::example::{Block, README, example, fragments, load};

fn bundled() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

#[test]
fn every_bundled_scenario_loads() {
    let mut found = scenario::find(&bundled()).expect("the bundled scenarios");
    let groups = scenario::groups(&bundled()).expect("their groups");
    assert_eq!(groups, ["growth", "operations"].map(|name| bundled().join(name)));
    found.extend(groups.iter().flat_map(|group| scenario::find(group).expect("a group")));
    assert!(found.len() >= 70, "{found:?}");
    for dir in found {
        if let Err(problems) = scenario::load(&dir) {
            panic!("{}:\n{}", dir.display(), scenario::render(&problems));
        }
    }
}

#[test]
fn bundled_scenarios_share_their_seed() {
    let seeds = |names: &[&str]| -> Vec<_> {
        let load = |name: &&str| scenario::load(&bundled().join(name)).expect("a scenario").value;
        let seed = |s: Scenario| (s.schema, s.indexes, s.tables, s.rng_seed);
        names.iter().map(load).map(seed).collect()
    };
    let before = seeds(&["spans-task-id-original", "cic-in-transaction"]);
    let after = seeds(&["backfill-runbook", "backfill-one-statement"]);
    assert!(before[0] == before[1] && after[0] == after[1]);
    assert!(before[0] != after[0]);
}

#[test]
fn the_example_of_the_format_loads() {
    let scenario = load(&example()).unwrap_or_else(|problems| panic!("{problems}"));
    let stored = StoredScenario::from(&scenario);
    insta::assert_json_snapshot!(stored, { ".dir" => "[dir]", ".**.path" => "[path]" });
}

#[test]
fn every_fragment_of_the_format_loads_in_place_of_the_examples_section() {
    let own = ["analysis", "change", "expect", "disturbance"];
    let mut base: toml::Table = example()["scenario.toml"].parse().expect("the example");
    let mut rest = toml::Table::new();
    for key in own {
        rest.extend(base.remove(key).map(|value| (key.to_owned(), value)));
    }
    let fragments = fragments();
    assert!(fragments.len() > 6);
    for fragment in fragments {
        let mut whole: toml::Table = fragment.text.parse().expect("a fragment is TOML");
        for (key, value) in &rest {
            whole.entry(key.clone()).or_insert_with(|| value.clone());
        }
        whole.insert("base".to_owned(), "base.toml".into());
        let mut files = example();
        files.insert("scenario.toml".to_owned(), whole.to_string());
        files.insert("base.toml".to_owned(), base.to_string());
        if let Err(problems) = load(&files) {
            panic!("{problems}\nin\n{}", fragment.text);
        }
    }
}

/// The first cases of the README's tables name it: `a`, `b`.
fn has_a_row(name: &str) -> bool {
    let cases = README.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cases.flat_map(|case| case.split(", ")).any(|case| case == format!("`{name}`"))
}

#[test]
fn every_finding_outcome_and_way_of_dying_is_explained() {
    let findings = FindingKind::ALL.iter().map(|kind| kind.as_str());
    let outcomes = Outcome::ALL.iter().map(|outcome| outcome.as_str());
    let kinds = FaultKind::ALL.iter().map(|kind| kind.as_str());
    let missing: Vec<&str> =
        findings.chain(outcomes).chain(kinds).filter(|name| !has_a_row(name)).collect();
    assert!(missing.is_empty(), "no row in scenarios/README.md: {missing:?}");
}

/// The part of the example that a command stands in for.
const MIGRATION: &str =
    "[[change.migration]]\nversion = \"orders-by-customer\"\nfile    = \"migration.sql\"\n";

fn load_with_command(command: &str) -> Result<Scenario, String> {
    let mut files = example();
    let text = &files["scenario.toml"];
    assert!(text.contains(MIGRATION), "the example has no such migration");
    files.insert("scenario.toml".to_owned(), text.replacen(MIGRATION, command, 1));
    load(&files)
}

#[test]
fn a_change_may_be_a_command() {
    let scenario = load_with_command(
        "[change]\ncommand = \"alembic upgrade head\"\ndirectory = \"../_alembic\"\n\
         [change.environment]\nPGOPTIONS = \"-c work_mem=64MB\"\nREVISION = \"head\"\n",
    );
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let command = scenario.change.command.expect("a command");
    assert_eq!(command.line, "alembic upgrade head");
    assert!(command.directory.ends_with("_alembic"), "{}", command.directory.display());
    let environment: Vec<_> = command.environment.into_iter().collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(environment, [pair("PGOPTIONS", "-c work_mem=64MB"), pair("REVISION", "head")]);
    assert_eq!(scenario.change.migrations, []);
    assert_eq!(scenario.change.versions, None);
    assert_eq!(scenario.change.timeouts.lock_timeout_ms, Some(3_000));
}

#[test]
fn a_command_runs_in_its_scenarios_directory_unless_it_says_another() {
    let scenario = load_with_command("[change]\ncommand = \"true\"\n");
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(scenario.change.command.expect("a command").directory, scenario.dir);
}

#[test]
fn the_schema_need_not_create_a_commands_table_of_versions() {
    let versions = |table: &str, column: &str| {
        load_with_command(&format!(
            "[change]\ncommand = \"true\"\n\
             versions = {{ table = \"{table}\", column = \"{column}\", rows = \"one\" }}\n"
        ))
    };
    let scenario = versions("alembic_version", "version_num");
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(scenario.change.versions.expect("a table").table, "alembic_version");
    let problems = versions("customers", "version_num").expect_err("the table has no such column");
    assert!(problems.contains("no column `version_num` in table `customers`"), "{problems}");
}

/// What a mistake does to the example: text to replace, and what to put there.
#[rstest]
#[case::unknown_key("rate_per_s = 200", "rates_per_s = 200")]
#[case::wrong_type("rows = 10_000", "rows = \"many\"")]
#[case::negative("rows = 10_000", "rows = -1")]
#[case::no_toml("[traffic]", "[traffic")]
#[case::missing_file("\"migration.sql\"", "\"migrations.sql\"")]
#[case::empty_migration("\"migration.sql\"", "\"empty.sql\"")]
#[case::unknown_table("name = \"orders\"", "name = \"order\"")]
#[case::unknown_column("note        = {", "notes        = {")]
#[case::reference_to_no_table(
    "table = \"customers\", column = \"id\", s",
    "table = \"custmers\", column = \"id\", s"
)]
#[case::reference_to_no_key("column = \"id\", skew", "column = \"name\", skew")]
#[case::two_generators("{ fake = \"name\" }", "{ fake = \"name\", serial = {} }")]
#[case::no_generator("{ fake = \"name\" }", "{ null_fraction = 0.5 }")]
#[case::unknown_fake("{ fake = \"name\" }", "{ fake = \"nane\" }")]
#[case::fraction("null_fraction = 0.5", "null_fraction = 1.5")]
#[case::rate("rate_per_s = 200", "rate_per_s = 50_000")]
#[case::baseline("rate_per_s = 200", "rate_per_s = 200\nbaseline_ms = 100")]
#[case::weight("weight = 1", "weight = 0")]
#[case::no_param("$total)", "$totals)")]
#[case::positional("$total)", "$3)")]
#[case::unused_param("($id, $customer_id, $total)", "($id, $customer_id, 1)")]
#[case::open_quote("\"migration.sql\"", "\"open.sql\"")]
#[case::psql_command("\"migration.sql\"", "\"psql.sql\"")]
#[case::ledger_key("key = \"id\", param = \"id\"", "key = \"ids\", param = \"order\"")]
#[case::transaction_in_operation("\"INSERT INTO", "\"BEGIN; INSERT INTO")]
#[case::unknown_finding("\"stall\"", "\"stal\"")]
#[case::unknown_verdict("\"unsafe\"", "\"danger\"")]
#[case::scope("scope           = \"local\"", "scope = \"locale\"")]
#[case::scale_with("lock_timeout_ms = 3_000", "statement_timeout_ms = 5\nscale_with = \"order\"")]
#[case::empty_change(MIGRATION, "")]
#[case::command_and_migration("[change.timeouts]", "[change]\ncommand = \"x\"\n[change.timeouts]")]
#[case::empty_command(MIGRATION, "[change]\ncommand = \" \"\n")]
#[case::command_with_zero(
    MIGRATION,
    "[change]\ncommand = \"x\\u0000\"\nenvironment.A = \"\\u0000\"\n"
)]
#[case::command_for_the_runner(
    MIGRATION,
    "[change]\ncommand = \"x\"\ntransaction = \"none\"\n\
    [change.retries]\non_lock_timeout = 1\n[change.stop]\nafter_statements = 1\n"
)]
#[case::two_lock_timeouts(
    "[change.timeouts]",
    "[change.retries]\npolicy = \"1s x3\"\n[change.timeouts]"
)]
#[case::no_policy(
    "[change.timeouts]",
    "[change.retries]\npolicy = \"1s three times\"\n[change.timeouts]"
)]
#[case::retries_without_a_number(
    "[change.timeouts]",
    "[change.retries]\nbackoff_ms = 5\n[change.timeouts]"
)]
#[case::no_command(
    "[change.timeouts]",
    "[change]\ndirectory = \".\"\n[change.environment]\nA = \"1\"\n[change.timeouts]"
)]
#[case::missing_directory(MIGRATION, "[change]\ncommand = \"x\"\ndirectory = \"alembic\"\n")]
#[case::no_directory(MIGRATION, "[change]\ncommand = \"x\"\ndirectory = \"schema.sql\"\n")]
#[case::environment_value(MIGRATION, "[change]\ncommand = \"x\"\nenvironment.WORKERS = 1\n")]
#[case::environment_names(
    MIGRATION,
    "[change]\ncommand = \"x\"\n[change.environment]\nDATABASE_URL = \"postgres:///\"\n\
    PGHOST = \"db\"\nPGAUNTLET_LOCK_TIMEOUT_MS = \"1\"\nPGHOSTADDR = \"10.0.0.1\"\n\
    PGSERVICE = \"production\"\nPGPASSFILE = \"/dev/null\"\n1ST = \"1\"\nA-B = \"1\"\n"
)]
#[case::versions(
    "[[change.migration]]",
    "[[change.migration]]\nversion = \"orders-by-customer\"\n\
    file = \"migration.sql\"\n[[change.migration]]"
)]
#[case::version_table(
    "[[change.migration]]",
    "[change.versions]\ntable = \"version\"\n\
    column = \"v\"\nrows = \"each\"\n[[change.migration]]"
)]
#[case::pause(
    "file    = \"migration.sql\"",
    "file = \"migration.sql\"\n\
    pauses = [{ after = 2, ms = 10 }]"
)]
#[case::no_analysis("analysis = '''", "[server]\nwork_mem = '''")]
#[case::pool_file("{ fake = \"name\" }", "{ pool = { file = \"a.tsv\", column = \"total\" } }")]
#[case::pool_column(
    "{ fake = \"name\" }",
    "{ pool = { file = \"pools/orders.tsv\", column = \"totals\" } }"
)]
#[case::pool_broken("{ fake = \"name\" }", "{ pool = { file = \"psql.sql\", column = \"a\" } }")]
#[case::pattern("{ fake = \"name\" }", "{ pattern = \"[a-z\" }")]
#[case::decimal("{ fake = \"name\" }", "{ decimal = { min = \"0.001\", max = 1, scale = 2 } }")]
#[case::numbered("{ fake = \"name\" }", "{ numbered = \"{n%5/2}\" }")]
#[case::distinct("{ fake = \"name\" }", "{ serial = {}, distinct = 5, skew = 9 }")]
#[case::skew("{ fake = \"name\" }", "{ fake = \"name\", skew = 0.5 }")]
#[case::repeated_key("id   = { uuid = {} }\nname", "id = { uuid = {}, distinct = 9 }\nname")]
#[case::asked_for_no_more("rows = 10_000", "rows = 10_000\nasked = { rows = 10_000, why = [] }")]
#[case::unfilled(
    "rows = 10_000",
    "rows = 10_000\nunfilled = { id = \"none is known\", ids = \"none is known\" }"
)]
#[case::asked_without_a_reason("rows = 10_000", "rows = 10_000\nasked = { rows = 20_000 }")]
#[case::null_with("null_fraction = 0.5", "null_with = \"a\"")]
#[case::earlier("column = \"id\", skew = 1.0", "column = \"id\", skew = 1.0, earlier = true")]
#[case::circle(
    "id   = { uuid = {} }\nname",
    "id = { reference = { table = \"customers\", column = \"id\", each = 2 } }\nname"
)]
#[case::accept_without_reason("[expect]", "[[accept]]\nfinding = \"stall\"\n[expect]")]
#[case::read_on_no_replica("weight = 1", "weight = 1\non = \"replica\"")]
#[case::replica_of_no_wal(
    "[expect]",
    "[server]\nwal_level = \"minimal\"\nmax_wal_senders = 1\n[replica]\nconnections = 0\n[expect]"
)]
#[case::replica_key("[expect]", "[replica]\nslots = true\n[expect]")]
#[case::condition_of_nothing("[expect]", "[[condition]]\nname = \"back-up\"\n[expect]")]
#[case::condition_of_no_kind(
    "[expect]",
    "[[condition]]\nname = \"x\"\nkind = \"bakcup\"\n[expect]"
)]
#[case::condition_with_a_pooler_of_no_mode(
    "[expect]",
    "[[condition]]\nname = \"x\"\n[condition.pooler]\nmode = \"statement\"\n[expect]"
)]
#[case::condition_with_a_pooler_of_no_size(
    "[expect]",
    "[[condition]]\nname = \"x\"\n[condition.pooler]\nmode = \"session\"\npool_size = 0\n[expect]"
)]
#[case::condition_of_no_table(
    "[expect]",
    "[[condition]]\nname = \"vacuum\"\ntables = [\"order\"]\n[expect]"
)]
#[case::condition_of_too_few_tables(
    "[expect]",
    "[[condition]]\nname = \"lock-order\"\ntables = [\"orders\"]\n[expect]"
)]
#[case::condition_holds_without_kind(
    "[expect]",
    "[[condition]]\nname = \"x\"\nhold_ms = 1\nsettings.work_mem = \"1MB\"\n[expect]"
)]
#[case::disturbance_without_length(
    "[expect]",
    "[[disturbance]]\nname = \"x\"\nsql = \"SELECT 1\"\n[expect]"
)]
#[case::disturbance_of_no_session(
    "[expect]",
    "[[disturbance]]\nname = \"x\"\nsql = \"SELECT 1\"\nhold_ms = 1\nsessions = \"every\"\n[expect]"
)]
#[case::disturbance_isolated_alone(
    "[expect]",
    "[[disturbance]]\nname = \"x\"\nsql = \"VACUUM\"\nhold_ms = 1\ntransaction = false\n\
     isolation = \"serializable\"\n[expect]"
)]
#[case::accept_of_two(
    "[expect]",
    "[[accept]]\nfinding = \"stall\"\nrows = \"orders\"\nreason = \"x\"\n[expect]"
)]
#[case::accept_of_the_evidence(
    "[expect]",
    "[[accept]]\nfinding = \"generator-lag\"\nreason = \"x\"\n[expect]"
)]
#[case::accept_with_no_day(
    "[expect]",
    "[[accept]]\nfinding = \"stall\"\nreason = \"x\"\nuntil = \"soon\"\n[expect]"
)]
#[case::accept_rows_with_reason(
    "[expect]",
    "[[accept]]\nrows = \"orders\"\nreason = \"x\"\nuntil = 2027-01-31\n[expect]"
)]
#[case::acknowledged_wrongly("\"migration.sql\"", "\"acknowledged.sql\"")]
#[case::several("rate_per_s = 200", "rates = 1\n[limits]\nstall_ms = 3\np99_ratio_max = \"x\"")]
fn a_mistake_is_told_with_its_place_and_what_would_be_right(
    #[context] context: Context,
    #[case] right: &str,
    #[case] wrong: &str,
) {
    let mut files = example();
    let text = &files["scenario.toml"];
    assert!(text.contains(right), "the example has no `{right}`");
    files.insert("scenario.toml".to_owned(), text.replacen(right, wrong, 1));
    files.insert("empty.sql".to_owned(), "-- nothing\n".to_owned());
    files.insert("open.sql".to_owned(), "SELECT 1;\n\nSELECT 'it;\n".to_owned());
    let text = "-- pgauntlet: accept stal \"x\"\nSELECT 1;\n-- migration-unsafe-ack:\n";
    files.insert("acknowledged.sql".to_owned(), text.to_owned());
    files.insert("psql.sql".to_owned(), "SELECT 1;\n\\gexec\n".to_owned());
    let problems = load(&files).expect_err("a mistake");
    let case = context.description.unwrap_or("case");
    // Kinds become more.
    let lists = vec![("known kinds: stall, .*", "known kinds: …")];
    insta::with_settings!({
        omit_expression => true, prepend_module_to_snapshot => false, filters => lists
    }, {
        insta::assert_snapshot!(format!("mistake_{case}"), problems);
    });
}

#[test]
fn what_belongs_to_a_scenario_has_no_place_in_its_base() {
    let mut files = example();
    let whole = files["scenario.toml"].clone();
    files.insert("scenario.toml".to_owned(), format!("base = \"base.toml\"\n{whole}"));
    let own = "[[state]]\nname = \"base\"\n[crash]\nrandom = 1\n";
    files.insert("base.toml".to_owned(), format!("{whole}{own}"));
    let problems = load(&files).expect_err("a base with a change");
    insta::assert_snapshot!(problems);
}

#[test]
fn a_mistake_in_a_base_is_told_with_the_bases_name() {
    let mut files = example();
    files.insert("base.toml".to_owned(), "[pool]\nsizes = 3\n".to_owned());
    let whole = example()["scenario.toml"].clone();
    files.insert("scenario.toml".to_owned(), format!("base = \"base.toml\"\n{whole}"));
    assert!(load(&files).expect_err("a mistake").starts_with("base.toml:2:1"));
}

#[test]
fn every_directory_is_a_scenario_or_says_that_it_is_shared() {
    let root = tempfile::tempdir().expect("a temporary directory");
    for name in ["b", "a", "_shared", ".git"] {
        fs::create_dir(root.path().join(name)).expect("a directory");
    }
    fs::write(root.path().join("README.md"), "").expect("a file");
    fs::write(root.path().join("a/scenario.toml"), "").expect("a file");
    let problem = scenario::find(root.path()).expect_err("b has no scenario.toml");
    assert!(problem.to_string().contains("there is no scenario.toml; write one"), "{problem}");
    fs::write(root.path().join("b/scenario.toml"), "").expect("a file");
    let found = scenario::find(root.path()).expect("two scenarios");
    assert_eq!(found, [root.path().join("a"), root.path().join("b")]);
    assert_eq!(scenario::find(&found[0]).expect("one scenario"), [root.path().join("a")]);
    assert!(scenario::find(&root.path().join("none")).is_err());
}

#[test]
fn a_directory_of_scenarios_is_a_group_and_no_scenario() {
    let root = tempfile::tempdir().expect("a temporary directory");
    for name in ["a", "group/b", "group/_shared"] {
        let directory = root.path().join(name);
        fs::create_dir_all(&directory).expect("a directory");
        fs::write(directory.join("scenario.toml"), "").expect("a file");
    }
    let group = root.path().join("group");
    assert_eq!(scenario::find(root.path()).expect("one scenario"), [root.path().join("a")]);
    assert_eq!(scenario::groups(root.path()).expect("one group"), std::slice::from_ref(&group));
    assert_eq!(scenario::find(&group).expect("those of the group"), [group.join("b")]);
    assert_eq!(scenario::groups(&group).expect("no group"), Vec::<PathBuf>::new());
    assert_eq!(scenario::groups(&group.join("b")).expect("no group"), Vec::<PathBuf>::new());
}

/// One change to a text: bytes cut out, and something put there.
fn mutation() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    let inserted = prop_oneof![
        Just(String::new()),
        "[a-z_$'\"\\[\\]{}=,.;()#\\\\ \n0-9-]{0,6}",
        prop::sample::select(vec!["-1", "1e999", "nan", "''\'", "[[", "}}", "$1", "\u{0}", "ü"])
            .prop_map(str::to_owned),
    ];
    (any::<prop::sample::Index>(), 0_usize..12, inserted)
}

/// What the example does without.
fn sections_apart() -> String {
    let apart = ["[[state]]", "[crash]", "[[invariant]]"];
    let is_apart = |block: &Block| apart.iter().any(|section| block.text.contains(section));
    fragments().into_iter().filter(is_apart).map(|block| block.text).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_mutation_of_a_scenario_makes_loading_panic(
        mutations in prop::collection::vec((any::<bool>(), mutation()), 1..4),
    ) {
        let mut files = example();
        let whole = files["scenario.toml"].clone() + &sections_apart();
        files.insert("scenario.toml".to_owned(), whole);
        for (in_sql, (at, cut, inserted)) in mutations {
            let name = if in_sql { "migration.sql" } else { "scenario.toml" };
            let text: Vec<char> = files[name].chars().collect();
            let start = at.index(text.len().max(1)).min(text.len());
            let end = (start + cut).min(text.len());
            let (before, after) = (&text[..start], &text[end..]);
            let mutated = before.iter().collect::<String>() + &inserted
                + &after.iter().collect::<String>();
            files.insert(name.to_owned(), mutated);
        }
        if let Err(problems) = load(&files) {
            prop_assert!(!problems.is_empty());
        }
    }
}
