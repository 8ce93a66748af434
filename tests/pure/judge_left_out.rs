//! Rows that were asked for and that the server refused: a change that is about such a table is not
//! safe, and the result names the table. Each history is made by hand.

use std::collections::BTreeMap;

use pgauntlet::assess::{self, Against, Effort};
use pgauntlet::clock::Micros;
use pgauntlet::explain::{explain, explain_matrix};
use pgauntlet::history::{
    CatalogueSnapshot, Event, ShortTable, TableState, TableStates, TrialFacts, Tried,
};
use pgauntlet::judge::{crash, observe};
use pgauntlet::report::{self, Width};
use pgauntlet::result::{Evidence, Finding, Judgement};
use pgauntlet::scenario::{Crash, FindingKind, Outcome, Table, Verdict};
use pgauntlet::trial::{Fault, FaultKind, InjectionPoint};
use rstest::rstest;

use crate::made::Made;

const CHECK: &str = "tokens_check";

fn short(table: &str, loaded: u64) -> ShortTable {
    ShortTable {
        table: table.to_owned(),
        asked: 2_000,
        loaded,
        why: vec![format!("{} rows: violates check constraint", 2_000 - loaded)],
        refused_by: vec![CHECK.to_owned()],
        ..ShortTable::default()
    }
}

/// One that is short because its rows refer to rows of another.
fn follows(table: &str, loaded: u64, refers_to: &str) -> ShortTable {
    ShortTable {
        refused_by: Vec::new(),
        dangling: 2_000 - loaded,
        refers_to: vec![refers_to.to_owned()],
        ..short(table, loaded)
    }
}

fn put(facts: &mut TrialFacts, short: Vec<ShortTable>) {
    facts.sizes = short.iter().map(|table| (table.table.clone(), table.loaded)).collect();
    facts.sizes.insert("public.spans".to_owned(), 1_000);
    let (rate_per_s, background, runners, declared) = (9.0, Vec::new(), 1, BTreeMap::new());
    facts.tried = Some(Tried { rate_per_s, background, runners, declared, short });
}

fn judge(made: Made, short: Vec<ShortTable>) -> Judgement {
    let (scenario, mut history) = (made.scenario.clone(), made.history());
    put(&mut history.header.trial, short);
    explain(assess::trial(&scenario, observe(&scenario, &history), Against::Nothing))
}

const OBJECTS: [(&str, &str, &str); 11] = [
    (
        "constraint public.tokens.tokens_kind_fkey",
        "definition",
        "FOREIGN KEY (kind) REFERENCES public.kinds(id)",
    ),
    ("constraint public.tokens.tokens_check", "definition", "CHECK ((hash ~ '^$'::text))"),
    (
        "constraint public.tokens.tokens_user_fkey",
        "definition",
        "FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE",
    ),
    ("view public.live", "definition", " SELECT tokens.id FROM public.tokens WHERE tokens.live;"),
    (
        "function public.purge()",
        "definition",
        "CREATE FUNCTION public.purge() … BEGIN DELETE FROM tokens; END",
    ),
    ("function public.outer()", "definition", "CREATE … AS $$ SELECT purge() $$"),
    (
        "trigger public.spans.follow",
        "definition",
        "CREATE TRIGGER follow AFTER INSERT ON public.spans EXECUTE FUNCTION public.purge()",
    ),
    ("index public.tokens_hash", "definition", "CREATE INDEX tokens_hash ON public.tokens (hash)"),
    ("table public.tokens_2024", "inherits", "public.tokens"),
    ("column public.tokens.kind", "type", "public.kind"),
    ("table public.users", "kind", "table"),
];

fn tables_of(made: &mut Made) {
    let objects = OBJECTS.map(|(object, property, value)| {
        (object.to_owned(), BTreeMap::from([(property.to_owned(), value.to_owned())]))
    });
    for after in [None, Some(0)] {
        let (objects, versions) = (objects.clone().into(), Vec::new());
        let at = if after.is_none() { 1 } else { 19_001 };
        made.at(at, Event::Catalogue(CatalogueSnapshot { after, objects, versions }));
        let state = |oid| TableState { oid, relfilenode: oid, rows: 9, ..TableState::default() };
        let part = TableState { root: Some("public.tokens".to_owned()), ..state(3) };
        let tables = [("public.spans", state(1)), ("public.users", state(2)), ("public.p", part)];
        let tables = tables.map(|(name, state)| (name.to_owned(), state)).into();
        made.at(at + 1, Event::Tables(Box::new(TableStates { after, tables })));
    }
}

fn left_out(judgement: &Judgement) -> Vec<&Finding> {
    judgement.findings.iter().filter(|f| f.kind == FindingKind::RowsLeftOut).collect()
}

/// They fit because they were made to.
#[test]
fn rows_that_were_made_to_fit_say_so() {
    let mut made = Made::with_change();
    let (name, columns) = ("public.tokens".to_owned(), Vec::new());
    let (unfilled, fitted) = (BTreeMap::new(), vec!["tokens_kind_key".to_owned()]);
    made.scenario.tables.push(Table { name, rows: 9, columns, asked: None, unfilled, fitted });
    let judgement = made.judge();
    let finding = judgement.findings.iter().find(|f| f.kind == FindingKind::RowsFitted);
    let finding = finding.expect("a finding");
    assert_eq!(finding.verdict, Verdict::Safe);
    assert!(finding.sentence.contains("(tokens_kind_key): whether yours do was not tried"));
}

#[rstest]
#[case::altered("ALTER TABLE tokens ADD COLUMN c int", true)]
#[case::with_its_schema("ALTER TABLE public.tokens ADD COLUMN c int", true)]
#[case::of_another_schema("ALTER TABLE sales.tokens ADD COLUMN c int", false)]
#[case::written("UPDATE tokens SET hash = '' WHERE id < 9", true)]
#[case::read("CREATE TABLE copied AS SELECT * FROM tokens", true)]
#[case::read_through_a_view("INSERT INTO spans SELECT id FROM live", true)]
#[case::indexed("CREATE INDEX CONCURRENTLY i ON tokens (id)", true)]
#[case::by_its_index("REINDEX INDEX CONCURRENTLY tokens_hash", true)]
#[case::referred_to("ALTER TABLE spans ADD FOREIGN KEY (t) REFERENCES tokens", true)]
#[case::a_partition_by_its_name("ALTER TABLE tokens_2024 ADD CHECK (id > 0)", true)]
#[case::a_partition_by_its_state("ALTER TABLE p ADD CHECK (id > 0)", true)]
#[case::all_tables("VACUUM", true)]
#[case::in_a_block("DO $$ BEGIN UPDATE tokens SET hash = ''; END $$", true)]
#[case::in_a_string("DO $$ BEGIN EXECUTE 'DELETE FROM tokens'; END $$", true)]
#[case::by_the_catalogue(
    "DO $$ DECLARE t text; BEGIN FOR t IN SELECT relname FROM pg_class LOOP EXECUTE \
     format('ANALYZE %I', t); END LOOP; END $$",
    true
)]
#[case::by_a_function("SELECT purge()", true)]
#[case::by_a_function_of_a_function("SELECT outer()", true)]
#[case::by_a_procedure("CALL purge()", true)]
#[case::by_a_trigger("INSERT INTO spans VALUES (1)", true)]
#[case::a_value_of_its_type("ALTER TYPE kind ADD VALUE 'x'", false)]
#[case::a_check_of_its_type("ALTER DOMAIN kind ADD CHECK (VALUE > 0)", true)]
#[case::deleted_with_what_it_refers_to("DELETE FROM users WHERE id = 1", true)]
#[case::truncated_with_it("TRUNCATE users CASCADE", true)]
#[case::its_key_gets_another_type("ALTER TABLE users ALTER COLUMN id TYPE bigint", true)]
#[case::another_column_gets_another_type("ALTER TABLE users ALTER COLUMN n TYPE bigint", false)]
#[case::renumbered("UPDATE users SET n = 2, id = id + 1", true)]
#[case::values_of_what_it_refers_to("UPDATE users SET n = 2 WHERE id = 9", false)]
#[case::a_column_of_what_it_refers_to("ALTER TABLE users ADD COLUMN c int", false)]
#[case::of_the_same_name("ALTER TABLE users ADD COLUMN tokens int", false)]
#[case::another_table("ALTER TABLE users ADD COLUMN c int", false)]
fn a_change_is_about_what_it_gets_at(#[case] statement: &str, #[case] concerned: bool) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    tables_of(&mut made);
    let judgement = judge(made, vec![short("public.tokens", 0)]);
    let found = left_out(&judgement);
    let expected = if concerned { Verdict::Unproven } else { Verdict::Safe };
    let verdicts: Vec<Verdict> = found.iter().map(|finding| finding.verdict).collect();
    assert_eq!(verdicts, [expected], "{statement}");
    assert_eq!(found[0].subject.relation.as_deref(), Some("public.tokens"));
    // Of a change that is about nothing with rows, that is said.
    let nothing = judgement.findings.iter().any(|f| f.kind == FindingKind::NothingTried);
    let expected = if nothing { Verdict::Unproven } else { expected };
    assert_eq!(judgement.verdict, expected, "{:?}", judgement.findings);
}

#[rstest]
#[case::none(0, Verdict::Unproven)]
#[case::most(1_979, Verdict::Unproven)]
#[case::enough(1_980, Verdict::Safe)]
fn enough_rows_are_99_of_100(#[case] loaded: u64, #[case] expected: Verdict) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "ALTER TABLE tokens ADD COLUMN c int", false);
    tables_of(&mut made);
    let judgement = judge(made, vec![short("tokens", loaded)]);
    assert_eq!(judgement.verdict, expected);
    assert_eq!(left_out(&judgement).len(), 1);
}

#[test]
fn it_says_what_is_missing_why_and_what_to_write() {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "ALTER TABLE tokens ADD COLUMN c int", false);
    tables_of(&mut made);
    let judgement = judge(made, vec![short("public.tokens", 0)]);
    let expected = "public.tokens has 0 of 2,000 rows that were asked for, and the change is about \
                    it: what it does to rows was not tried; 2000 rows: violates check constraint";
    assert_eq!(judgement.reason, expected);
    let remedy = "in [[table]] public.tokens, write generators for the columns of tokens_check: \
                  CHECK ((hash ~ '^$'::text)) whose values the server takes: a `pool` of rows \
                  that go together, `pattern`, `numbered`, `reference`; or lower `rows` of \
                  [[table]] public.tokens to 0, if it may have as few";
    assert_eq!(left_out(&judgement)[0].remedy.as_deref(), Some(remedy));
    let text =
        anstream::adapter::strip_str(&report::trial(&judgement, Width::default())).to_string();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("tried: 0 of 2,000 rows in public.tokens, 1,000 rows in"), "{text}");
    assert!(text.contains("not tried here: another size, rows that were left out"), "{text}");
}

/// One that the scenario was made with fewer rows of: what refuses rows is not the server.
#[rstest]
#[case::about_it("ALTER TABLE tokens ADD COLUMN c int", Verdict::Unproven, 1)]
#[case::not_about_it("ALTER TABLE spans ADD COLUMN c int", Verdict::Safe, 0)]
fn a_table_that_was_made_with_fewer_rows_is_short(
    #[case] statement: &str,
    #[case] expected: Verdict,
    #[case] findings: usize,
) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    tables_of(&mut made);
    let why = vec!["tokens_hash_key: 15 of 2000 rows: its values do not differ".to_owned()];
    let refused_by = Vec::new();
    let lowered = ShortTable { made: Some(15), why, refused_by, ..short("public.tokens", 15) };
    let judgement = judge(made, vec![lowered]);
    assert_eq!((judgement.verdict, left_out(&judgement).len()), (expected, findings));
    if let [finding] = left_out(&judgement).as_slice() {
        let sentence = "public.tokens has 15 of 2,000 rows that were asked for, and the change is \
                        about it; tokens_hash_key: 15 of 2000 rows: its values do not differ";
        assert_eq!(finding.sentence, sentence);
        let remedy = finding.remedy.as_deref().unwrap_or_default();
        assert!(remedy.ends_with("--rows public.tokens=15"), "{remedy}");
    }
    // Run again, it is made as it was.
    assert_eq!(judgement.trial.asked().get("public.tokens"), Some(&15));
}

/// A column without values is said where the change is about it.
#[rstest]
#[case::indexed("CREATE INDEX i ON tokens (kind)", true)]
#[case::referring("ALTER TABLE tokens ADD FOREIGN KEY (id, \"kind\") REFERENCES users", true)]
#[case::by_a_constraint("ALTER TABLE tokens VALIDATE CONSTRAINT tokens_kind_fkey", true)]
#[case::another_column("CREATE INDEX i ON tokens (hash)", false)]
#[case::another_table("ALTER TABLE spans ADD COLUMN kind text", false)]
fn a_column_that_is_null_in_every_row_is_said(#[case] statement: &str, #[case] is_said: bool) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    tables_of(&mut made);
    let (name, why) = ("public.tokens".to_owned(), "its key: no value is known".to_owned());
    let unfilled = BTreeMap::from([("kind".to_owned(), why)]);
    let columns = Vec::new();
    made.scenario.tables.push(Table {
        name,
        rows: 9,
        columns,
        asked: None,
        unfilled,
        fitted: Vec::new(),
    });
    let judgement = judge(made, Vec::new());
    let expected = if is_said { Verdict::Unproven } else { Verdict::Safe };
    assert_eq!((judgement.verdict, left_out(&judgement).len()), (expected, usize::from(is_said)));
    if is_said {
        let sentence = "public.tokens.kind is NULL in every row, and the change names it (its \
                        key: no value is known)";
        assert_eq!(judgement.reason, sentence);
    }
}

#[test]
fn tables_that_follow_from_one_are_named_with_it() {
    let chain = vec![
        follows("public.c", 0, "public.b"),
        follows("public.b", 9, "public.tokens"),
        short("public.tokens", 100),
        follows("public.own", 0, "public.own"),
    ];
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "ALTER TABLE spans ADD COLUMN c int", false);
    tables_of(&mut made);
    let judgement = judge(made, chain.clone());
    let about = |judgement: &Judgement| -> Vec<String> {
        let found = left_out(judgement).into_iter();
        found.map(|finding| finding.subject.relation.clone().unwrap_or_default()).collect()
    };
    assert_eq!(about(&judgement), ["public.own", "public.tokens"]);
    assert_eq!(judgement.verdict, Verdict::Safe);
    let sentence = &left_out(&judgement)[1].sentence;
    let also = "2 tables that refer to it are short too (public.c, public.b)";
    assert!(sentence.ends_with(also), "{sentence}");
    // One that the change is about decides for itself.
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "ALTER TABLE c ADD COLUMN c int", false);
    tables_of(&mut made);
    let judgement = judge(made, chain);
    assert_eq!(about(&judgement), ["public.c", "public.own", "public.tokens"]);
    assert_eq!(judgement.verdict, Verdict::Unproven);
    assert!(judgement.reason.contains("public.tokens is short first"), "{}", judgement.reason);
}

#[test]
fn many_tables_that_do_not_matter_are_no_flood() {
    let many = (0..40).map(|n| short(&format!("public.t{n:02}"), n)).collect();
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "ALTER TABLE spans ADD COLUMN c int", false);
    tables_of(&mut made);
    let judgement = judge(made, many);
    let found = left_out(&judgement);
    assert_eq!((found.len(), judgement.verdict), (5, Verdict::Safe));
    let also = "35 tables that the change is not about are short too (public.t05, public.t06, \
                public.t07, …)";
    assert!(found[4].sentence.ends_with(also), "{}", found[4].sentence);
    let Some(Evidence::RowsLeftOut(of)) = &found[4].evidence else { panic!("its evidence") };
    assert_eq!(of.others.len(), 35);
}

#[rstest]
#[case::about_it("ALTER TABLE tokens ADD COLUMN c int", Verdict::Unproven)]
#[case::not_about_it("ALTER TABLE spans ADD COLUMN c int", Verdict::Safe)]
fn a_matrix_without_the_rows_is_not_clean(#[case] statement: &str, #[case] expected: Verdict) {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, statement, false);
    tables_of(&mut made);
    let (scenario, mut history) = (made.scenario.clone(), made.history());
    put(&mut history.header.trial, vec![short("public.tokens", 0)]);
    let case = pgauntlet::result::Case {
        fault: Fault {
            kind: FaultKind::CutBefore,
            at: InjectionPoint::new(0, statement.to_owned(), 0),
        },
        outcome: Some(Outcome::Clean),
        seen: String::new(),
        sentence: String::new(),
        ending: None,
        differences: Vec::new(),
        broken: false,
        not_compared: Vec::new(),
        reruns: 1,
        took_us: Micros(9),
    };
    let effort = Effort { took_us: Micros(9), at_once: 1 };
    let run = (&crash::undisturbed(&history), effort);
    let matrix = assess::matrix(&scenario, &Crash::default(), run, vec![case], None);
    let matrix = explain_matrix(matrix);
    assert_eq!(matrix.verdict, expected, "{}", matrix.reason);
    assert_eq!(matrix.reason.contains("public.tokens has 0 of 2000"), !matrix.as_expected);
}

/// What was asked for is what a trial is run again with, and a file of before the field is read.
#[test]
fn what_was_asked_for_is_known_of_old_files_too() {
    let mut facts = Made::calm().history().header.trial;
    put(&mut facts, vec![short("public.tokens", 5)]);
    let asked = BTreeMap::from([("public.spans", 1_000), ("public.tokens", 2_000)]);
    let asked: BTreeMap<String, u64> =
        asked.into_iter().map(|(table, rows)| (table.to_owned(), rows)).collect();
    assert_eq!(facts.asked(), asked);
    let mut stored = serde_json::to_value(&facts).expect("JSON");
    assert_eq!(serde_json::from_value::<TrialFacts>(stored.clone()).expect("facts"), facts);
    stored["tried"].as_object_mut().expect("an object").remove("short");
    let old: TrialFacts = serde_json::from_value(stored).expect("facts of before");
    assert_eq!((old.short(), old.asked()), (&[][..], old.sizes.clone()));
}
