//! Dumps are loaded as psql would load them, on a server that is not the one they are from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{Listener, Progress, ServerFacts};
use pgauntlet::observe;
use pgauntlet::scenario::Scenario;
use pgauntlet::schema::Fingerprint;
use pgauntlet::seed::{self, Plan, Template};
use rstest::rstest;

use crate::common;
use crate::example;
use crate::fingerprint;

const SHOP: &str = include_str!("../dumps/shop.sql");
/// What pg_dump of 18 wrote of it with -C, which names another database.
const OF_18: &str = include_str!("../dumps/pg_dump_18.sql");
/// What pg_dumpall of 16 wrote.
const ALL_OF_16: &str = include_str!("../dumps/pg_dumpall_16.sql");

const REST: &str = "
[traffic]
rate_per_s = 1
[[operation]]
name = \"read\"
weight = 1
sql = \"SELECT 1\"
[change]
command = \"true\"
[expect]
verdict = \"safe\"
";
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(60);

fn files(schema: &str, more: &[(&str, &str)]) -> example::Files {
    let tables = more.iter().find(|(name, _)| *name == "tables").map_or("", |(_, text)| *text);
    let toml = format!(
        "analysis = \"x\"\n[schema]\ntables = \"schema.sql\"\nwhole = true\n{tables}{REST}"
    );
    let mut files = BTreeMap::from([
        ("scenario.toml".to_owned(), toml),
        ("schema.sql".to_owned(), schema.to_owned()),
    ]);
    let others = more.iter().filter(|(name, _)| *name != "tables");
    files.extend(others.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    files
}

fn scenario(schema: &str, more: &[(&str, &str)]) -> Scenario {
    example::load(&files(schema, more)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn catalogue(session: &Session) -> BoxFuture<'_, Result<Fingerprint, String>> {
    Box::pin(async move { observe::fingerprint(session).await.map_err(|e| e.to_string()) })
}

async fn open(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

async fn one<T>(session: &Session, sql: &str) -> T
where
    T: for<'a> tokio_postgres::types::FromSql<'a>,
{
    session.client().query_one(sql, &[]).await.expect(sql).get(0)
}

/// What came of a load.
struct Loaded {
    server: Address,
    facts: ServerFacts,
    template: Template,
    /// Notes, in their order.
    said: Vec<String>,
}

async fn load_on(server: &Address, scenario: &Scenario) -> Result<Loaded, (String, Vec<String>)> {
    let session = open(server).await;
    let version = one::<String>(&session, "SHOW server_version_num").await;
    let facts = ServerFacts { version_num: version.parse().unwrap(), ..ServerFacts::default() };
    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&said);
    let listener: Listener = Arc::new(move |progress| {
        if let Progress::Note(note) = progress {
            heard.lock().expect("no test panics here").push(note);
        }
    });
    let sizes = scenario.declared_sizes();
    let plan = Plan { scenario, sizes, loaders: 1, catalogue: Some(catalogue) };
    let template = seed::template(server, &facts, &plan, true, &listener).await;
    let said = said.lock().expect("no test panics here").clone();
    match template {
        Ok(template) => Ok(Loaded { server: server.clone(), facts, template, said }),
        Err(error) => Err((error.to_string(), said)),
    }
}

async fn load(major: u32, scenario: &Scenario) -> Loaded {
    let server = common::fresh_database_of(major).await.with_database("postgres");
    let loaded = load_on(&server, scenario).await;
    loaded.unwrap_or_else(|(error, said)| panic!("failed to {error}\n{said:?}"))
}

impl Loaded {
    /// A session in a copy.
    async fn copy(&self) -> Session {
        static COPIES: AtomicU32 = AtomicU32::new(0);
        let name = format!("pgauntlet_psql_{}", COPIES.fetch_add(1, Ordering::Relaxed));
        let version = self.facts.version_num;
        let copy = seed::copy(&self.server, &self.template, &name, version).await.expect("a copy");
        open(&copy).await
    }
}

/// The rows of every table, each table as one number; large objects beside them.
async fn contents(session: &Session) -> BTreeMap<String, String> {
    let tables = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c \
                  JOIN pg_namespace n ON n.oid = c.relnamespace \
                  WHERE c.relkind IN ('r', 'm') AND c.relispopulated \
                  AND n.nspname IN ('public', 'audit')";
    let mut contents = BTreeMap::new();
    for row in session.client().query(tables, &[]).await.expect(tables) {
        let table: String = row.get(0);
        let sql =
            format!("SELECT count(*) || ' ' || coalesce(sum(hashtext(t::text)), 0) FROM {table} t");
        contents.insert(table, one::<String>(session, &sql).await);
    }
    let large = "SELECT coalesce(string_agg(encode(data, 'hex'), ',' ORDER BY loid), '') \
                 FROM pg_largeobject";
    contents.insert("large objects".to_owned(), one::<String>(session, large).await);
    let last = "SELECT last_value::text || is_called FROM customer_id_seq";
    contents.insert("customer_id_seq".to_owned(), one::<String>(session, last).await);
    contents
}

/// The dump programs of this machine with their majors.
fn dumpers() -> BTreeMap<u32, PathBuf> {
    let named = std::env::var_os("PGAUNTLET_PG_DIRS").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|entry| entry.path().join("bin"));
    let programs = std::env::split_paths(&named).chain(debian).map(|bin| bin.join("pg_dump"));
    let major = |path: &Path| {
        let output = std::process::Command::new(path).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split_whitespace().nth(2)?.split('.').next()?.parse().ok()
    };
    programs.filter_map(|path| Some((major(&path)?, path))).collect()
}

async fn dumped(program: &Path, database: &Address, arguments: &[&str]) -> String {
    let place = database.place();
    let (host, port) = place.rsplit_once(':').expect("host:port");
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .args(["-h", host, "-p", port, "-U", database.user(), "-d", database.database()])
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PROGRAM_TIMEOUT, output).await.expect("an end in time");
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A database with the shop, whose roles are this caller's own.
async fn shop(major: u32) -> (Address, Session, String) {
    static SHOPS: AtomicU32 = AtomicU32::new(0);
    let name = format!("dump{}", SHOPS.fetch_add(1, Ordering::Relaxed));
    let address = common::fresh_database_of(major).await;
    let session = open(&address).await;
    for piece in pgauntlet::pg::split(&SHOP.replace("dump_", &format!("{name}_"))).expect("SQL") {
        session.batch(&piece.text).await.unwrap_or_else(|error| panic!("failed to {error}"));
    }
    (address, session, name)
}

/// Each property on a line, with the roles' names of the file.
fn listed(fingerprint: &Fingerprint, name: &str) -> BTreeSet<String> {
    let lines = fingerprint.objects.iter().flat_map(|(object, properties)| {
        properties.iter().map(move |(property, value)| format!("{object}: {property}: {value}"))
    });
    lines.map(|line| line.replace(&format!("{name}_"), "dump_")).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_pg_dump_writes_is_loaded_with_all_that_is_in_it(
    #[values(14, 15, 16, 17, 18)] major: u32,
) {
    let (address, session, name) = shop(major).await;
    let before = observe::fingerprint(&session).await.expect("a fingerprint");
    let rows = contents(&session).await;
    let dumpers: Vec<_> = dumpers().into_iter().filter(|(of, _)| *of >= major).collect();
    if major <= 15 {
        assert!(!dumpers.is_empty(), "no pg_dump: run ci/setup");
    }
    let ways: [&[&str]; 6] = [
        &[],
        &["--inserts", "--rows-per-insert=7"],
        &["--schema-only"],
        &["-C"],
        &["-C", "--clean", "--if-exists"],
        &["--no-owner", "--no-privileges"],
    ];
    for ((of, program), way) in dumpers.iter().flat_map(|d| ways.map(|way| (d, way))) {
        let label = format!("pg_dump {of} {way:?} of {major}");
        let renamed = format!("{name}at{of}{}", way.concat().len());
        let dump = dumped(program, &address, way).await;
        let dump = dump.replace(&format!("{name}_"), &format!("{renamed}_"));
        let loaded = load(major, &scenario(&dump, &[])).await;
        let copy = loaded.copy().await;
        let mut expected = rows.clone();
        if way == ["--schema-only"] {
            let of_rows = ["customer_id_seq", "large objects", "public.kinds"];
            expected.retain(|table, _| !of_rows.contains(&table.as_str()));
            expected.values_mut().for_each(|rows| "0 0".clone_into(rows));
        }
        let found: BTreeMap<String, String> =
            contents(&copy).await.into_iter().filter(|(t, _)| expected.contains_key(t)).collect();
        assert_eq!(found, expected, "{label}");
        let after = observe::fingerprint(&copy).await.expect("a fingerprint");
        if !way.contains(&"--no-owner") {
            let (found, expected) = (listed(&after, &renamed), listed(&before, &name));
            let mut other: Vec<&String> = found.symmetric_difference(&expected).collect();
            // Nothing fills it then.
            other.retain(|line| way != ["--schema-only"] || !line.contains("kinds: populated"));
            assert_eq!(other, [""; 0], "{label}");
            let made = format!("{renamed}_owner, {renamed}_reader");
            assert!(loaded.said.iter().any(|s| s.contains(&made)), "{label}: {:?}", loaded.said);
        } else {
            // Without the role there is no policy.
            let made = format!("{renamed}_reader");
            let mut said = loaded.said.clone();
            said.retain(|note| !note.contains("no parameter (transaction_timeout)"));
            assert!(said.len() == 1 && said[0].ends_with(&made), "{label}: {said:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_object_comes_out_of_a_dump_as_it_was() {
    for (of, program) in dumpers() {
        for major in (14..=of).filter(|major| *major == of || of == 18) {
            let (address, session) = fingerprint::with_everything(major).await;
            let before = observe::fingerprint(&session).await.expect("a fingerprint");
            let loaded =
                load(major, &scenario(&dumped(&program, &address, &["-C"]).await, &[])).await;
            let after = observe::fingerprint(&loaded.copy().await).await.expect("a fingerprint");
            let told: Vec<String> = before.diff(&after).iter().map(ToString::to_string).collect();
            assert_eq!(told, [""; 0], "pg_dump {of} of {major}: {:?}", loaded.said);
        }
    }
}

/// pg_dump of another major is no program of each machine; what it writes is kept.
#[rstest]
#[case::of_18(OF_18)]
#[case::all_of_16(ALL_OF_16)]
#[tokio::test(flavor = "multi_thread")]
async fn what_later_majors_write_is_loaded_on_earlier_ones(
    #[case] dump: &str,
    #[values(14, 18)] major: u32,
) {
    let loaded = load(major, &scenario(dump, &[])).await;
    let copy = loaded.copy().await;
    let customers = "SELECT count(*) FROM public.customer \
                     WHERE name = '\\.' OR strpos(name, E'\\t\\\\N') > 0";
    assert_eq!(one::<i64>(&copy, customers).await, 49);
    let has_timeout = major < 17 && dump.contains("transaction_timeout");
    let said = loaded.said.join("\n");
    assert_eq!(said.contains("no parameter (transaction_timeout)"), has_timeout, "{said}");
    // What pg_dumpall says of a role that is there.
    assert_eq!(said.contains("postgres: on this server already"), dump.contains("ALTER ROLE"));
    // Rows of the script are vacuumed and analyzed as the seed's are.
    let all = "SELECT relallvisible = relpages AND reltuples = 50 FROM pg_class \
               WHERE oid = 'customer'::regclass";
    assert!(one::<bool>(&copy, all).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_dump_stay_where_no_table_is_declared_and_give_way_where_one_is() {
    const DUMP: &str = "
CREATE TABLE public.kept (id int, note text);
CREATE TABLE public.filled (id int PRIMARY KEY, note text);
COPY public.kept (note, id) FROM stdin WITH (FORMAT csv, HEADER);
note,id
\"a,
b\",1
,2
\\.

COPY public.filled FROM stdin;
1\tof the dump
2\t\\N
\\.
";
    const TABLES: &str = "
[[table]]
name = \"filled\"
rows = 10
[table.columns]
id = { serial = {} }
";
    let loaded = load(15, &scenario(DUMP, &[("tables", TABLES)])).await;
    let copy = loaded.copy().await;
    let kept = "SELECT string_agg(id || coalesce(note, '-'), '|' ORDER BY id) FROM kept";
    assert_eq!(one::<String>(&copy, kept).await, "1a,\nb|2-");
    let declared = "SELECT count(*) FROM filled WHERE note IS NULL";
    assert_eq!(one::<i64>(&copy, declared).await, 10);
    assert_eq!(loaded.template.short, []);
}

#[rstest]
#[case::unknown(
    "SET no_such_parameter = 1;",
    "schema.sql:2: this server has no parameter (no_such"
)]
#[case::in_a_transaction(
    "BEGIN;\nSET no_such_parameter = 1;\nCOMMIT;",
    "schema.sql:3: this server"
)]
#[case::tablespace("SET default_tablespace = nowhere;", "no such tablespace (default_tablespace)")]
#[case::clean(
    "DROP TABLE IF EXISTS x; ALTER TABLE ONLY public.a DROP CONSTRAINT b;\nDROP TABLE a;\
    \nDROP SCHEMA nowhere;\nDROP FUNCTION f(int);",
    "schema.sql:2 and 3 more: what is dropped"
)]
#[case::role_that_is_there(
    "ALTER ROLE postgres NOLOGIN;\nGRANT pg_monitor TO postgres;",
    "schema.sql:2 and 1 more: postgres: on this server already"
)]
#[case::reserved("GRANT SELECT ON pg_class TO pg_no_such_role;", "cannot be made")]
#[case::extension(
    "CREATE EXTENSION no_such_extension;\nCOMMENT ON EXTENSION no_such_extension IS \
    'x';",
    "nothing of the schema needs what it lacks: extension no_such_extension is missing"
)]
#[case::extension_in_a_transaction(
    "BEGIN; CREATE EXTENSION no_such_extension; COMMIT;",
    "extension no_such_extension is missing, which"
)]
#[tokio::test(flavor = "multi_thread")]
async fn what_another_server_need_not_have_is_left_out_and_said(
    #[case] statements: &str,
    #[case] told: &str,
) {
    let text = format!("-- a dump\n{statements}\nCREATE SCHEMA public;\nCREATE TABLE t (id int);");
    let loaded = load(15, &scenario(&text, &[])).await;
    let said = loaded.said.join("\n");
    assert!(said.contains(told) && loaded.said.len() == 1, "{said}");
    let copy = loaded.copy().await;
    assert_eq!(one::<i64>(&copy, "SELECT count(*) FROM t").await, 0);
    let login = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'postgres'";
    assert!(one::<bool>(&copy, login).await);
}

#[rstest]
#[case::value("SET work_mem = 'much';", "schema.sql:2: invalid value")]
#[case::dropped("CREATE TABLE a (id int);\nDROP TABLE b;", "schema.sql:3: table \"b\"")]
#[case::type_of_an_extension(
    "CREATE EXTENSION no_such_extension;\nCREATE TABLE a (g geometry);",
    "schema.sql:3: type \"geometry\" does not exist (42704 undefined_object); probably because \
     extension no_such_extension is missing, which"
)]
#[case::rows(
    "CREATE TABLE a (id int);\nCOPY a FROM stdin;\n1\nx\n\\.",
    "COPY a, line 2, column id"
)]
#[tokio::test(flavor = "multi_thread")]
async fn every_other_error_ends_the_load_with_its_place(
    #[case] statements: &str,
    #[case] told: &str,
) {
    let text = format!("-- a dump\n{statements}\nCREATE TABLE t (id int);");
    let server = common::fresh_database_of(15).await.with_database("postgres");
    let Err((error, _)) = load_on(&server, &scenario(&text, &[])).await else {
        panic!("it is refused");
    };
    assert!(error.contains(told), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_was_missing_is_the_changes_to_be_and_goes_with_its_databases() {
    // A server of its own: roles are swept by whoever drops a database.
    let server = common::server_with(&[("max_connections", "61")]).await;
    let session = open(&server.address).await;
    session.batch("CREATE ROLE there; CREATE ROLE migrator LOGIN").await.expect("roles");
    let schema = "CREATE TABLE a (id int); ALTER TABLE a OWNER TO missing_owner;
                  GRANT SELECT ON a TO there, missing_reader; GRANT there TO missing_reader;";
    let loaded = load_on(&server.address, &scenario(schema, &[])).await;
    let loaded = loaded.unwrap_or_else(|(error, _)| panic!("failed to {error}"));
    assert!(loaded.said.join("\n").contains("missing_owner, missing_reader"), "{:?}", loaded.said);
    let roles = async || {
        let sql = "SELECT coalesce(string_agg(rolname || rolcanlogin, ',' ORDER BY rolname), '') \
                   FROM pg_roles WHERE rolname LIKE 'missing%' OR rolname = 'there'";
        one::<String>(&session, sql).await
    };
    assert_eq!(roles().await, "missing_ownerfalse,missing_readerfalse,therefalse");
    let copy = loaded.copy().await;
    seed::hand_over(&copy, "migrator").await.expect("it is handed over");
    copy.batch("SET ROLE migrator; ALTER TABLE public.a ADD COLUMN b int")
        .await
        .expect("as its owner");
    drop(copy);
    // The copy names them still.
    seed::drop_database(&server.address, &loaded.template.database).await.expect("it is dropped");
    assert!(roles().await.starts_with("missing_owner"));
    let copies = "SELECT datname::text FROM pg_database WHERE datname LIKE 'pgauntlet_psql%'";
    for row in session.client().query(copies, &[]).await.expect(copies) {
        seed::drop_database(&server.address, row.get(0)).await.expect("it is dropped");
    }
    assert_eq!(roles().await, "therefalse");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_make_no_roles_loads_as_without_owners_and_privileges() {
    let server = common::server_with(&[("max_connections", "62")]).await;
    let session = open(&server.address).await;
    session.batch("CREATE ROLE poor LOGIN CREATEDB; CREATE ROLE other").await.expect("roles");
    let schema = "CREATE EXTENSION citext; COMMENT ON EXTENSION citext IS 'x';
                  COMMENT ON EXTENSION plpgsql IS 'x';
                  CREATE TABLE a (id int, c citext); ALTER TABLE a OWNER TO other;
                  ALTER TABLE a OWNER TO missing; GRANT SELECT ON a TO missing;
                  ALTER DEFAULT PRIVILEGES FOR ROLE missing GRANT SELECT ON TABLES TO other;
                  ALTER ROLE other LOGIN; CREATE ROLE third; ALTER ROLE third LOGIN;";
    let poor = server.address.with_login("poor", None);
    let loaded = load_on(&poor, &scenario(schema, &[])).await;
    let loaded = loaded.unwrap_or_else(|(error, said)| panic!("failed to {error}\n{said:?}"));
    let said = loaded.said.join("\n");
    for told in [
        "cannot be made (permission denied to create role)",
        "left out: missing",
        "as pg_restore --no-owner",
        "other: on this server already",
        "role third cannot be made",
        "may not comment on an extension",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert_eq!(loaded.said.len(), 5, "{said}");
    let owner = "SELECT tableowner::text FROM pg_tables WHERE tablename = 'a'";
    assert_eq!(one::<String>(&loaded.copy().await, owner).await, "poor");
    let changed = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'other'";
    assert!(!one::<bool>(&session, changed).await);
}

#[test]
fn what_is_of_the_server_is_a_notice_and_files_are_included() {
    let schema = "\\restrict abc\nCREATE DATABASE shop;\nALTER DATABASE shop SET x.y = '1';\n\
                  \\connect shop\nCOMMENT ON DATABASE shop IS 'x';\n\
                  CREATE TABLESPACE t LOCATION '/x';\n\
                  \\i parts/a.sql\n\\unrestrict abc\n";
    let a = "\\ir b.sql\nCREATE TABLE a (id int);\n";
    let b = "CREATE TABLE b (id int);\nCOPY b FROM stdin;\n1\n\\.\n";
    let more = [("parts/a.sql", a), ("parts/b.sql", b)];
    let scenario = scenario(schema, &more);
    let texts: Vec<(&str, u32, &str)> =
        scenario.schema.statements.iter().map(|s| (s.text.as_str(), s.line, s.rows())).collect();
    assert_eq!(
        texts,
        [
            ("CREATE TABLE b (id int)", 1, ""),
            ("COPY b FROM stdin", 2, "1\n"),
            ("CREATE TABLE a (id int)", 2, "")
        ]
    );
    let of = |n: usize| scenario.schema.statements[n].file.clone().expect("another file");
    assert!(of(0).ends_with("parts/b.sql") && of(2).ends_with("parts/a.sql"));
    let notices = example::notices(&files(schema, &more));
    let told: BTreeSet<&str> = notices.lines().filter(|line| line.contains("notice: ")).collect();
    let expected = [
        "schema.sql:2:1: notice: 3 statements, of which this is the first, are of a database by \
         its name: left out",
        "schema.sql:4:1: notice: \\connect `shop` is passed over",
        "schema.sql:6:1: notice: this statement is of the server's tablespaces: left out",
    ];
    assert_eq!(told, BTreeSet::from(expected), "{notices}");
}

#[rstest]
#[case::two(
    "CREATE TABLE a (id int);\n\\connect shop\nCREATE TABLE b (id int);\n",
    "schema.sql:2:1: the script fills two databases, the one that it begins in and `shop`"
)]
#[case::command("CREATE TABLE a (id int);\n\\gexec\n", "schema.sql:2:1: psql meta-command \\gexec")]
#[case::file("CREATE TABLE a (id int);\n\\ir none.sql\n", "schema.sql:2:1: cannot read none.sql")]
#[case::circle("CREATE TABLE a (id int);\n\\ir schema.sql\n", "include one another without an end")]
fn what_cannot_be_loaded_is_refused_before_anything_starts(
    #[case] schema: &str,
    #[case] told: &str,
) {
    let problems = example::load(&files(schema, &[])).expect_err("it is refused");
    assert!(problems.contains(told), "{problems}");
}
