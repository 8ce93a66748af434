//! The whole fingerprint: every kind of object on every supported major, and kept by a dump and
//! its restore.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use pgauntlet::connect::{Address, Session};
use pgauntlet::observe;
use pgauntlet::provision::{Request, SourceRequest, doctor};
use pgauntlet::schema::Fingerprint;
use rstest::rstest;

use crate::common;

/// For pg_dump and for psql.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(60);

const ROLES: &str = include_str!("../fingerprint/roles.sql");
const SCHEMA: &str = include_str!("../fingerprint/schema.sql");
/// What a major brought, for it and all later ones.
const SINCE: &[(u32, &str)] = &[
    (15, include_str!("../fingerprint/since_15.sql")),
    (16, include_str!("../fingerprint/since_16.sql")),
    (17, include_str!("../fingerprint/since_17.sql")),
    (18, include_str!("../fingerprint/since_18.sql")),
];

async fn session(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

/// A database with every kind of object that the major has.
pub async fn with_everything(major: u32) -> (Address, Session) {
    let address = common::fresh_database_of(major).await;
    let session = session(&address).await;
    session.batch(ROLES).await.expect("the roles");
    let later = SINCE.iter().filter(|(since, _)| *since <= major).map(|(_, sql)| *sql);
    for sql in std::iter::once(SCHEMA).chain(later) {
        // Statement by statement: a label that was added to an enum is usable after its commit.
        for piece in pgauntlet::pg::split(sql).expect("SQL") {
            let made = session.batch(&piece.text).await;
            made.unwrap_or_else(|error| panic!("failed to {error}"));
        }
    }
    (address, session)
}

async fn fingerprint(session: &Session) -> Fingerprint {
    observe::fingerprint(session).await.unwrap_or_else(|e| panic!("failed to {e}"))
}

/// For people: an object, and below it its properties.
fn listed(fingerprint: &Fingerprint) -> String {
    let mut text = String::new();
    for (object, properties) in &fingerprint.objects {
        let _ = writeln!(text, "{object}");
        for (property, value) in properties {
            let _ =
                writeln!(text, "    {property}: {}", value.trim_end().replace('\n', "\n        "));
        }
    }
    text
}

#[rstest]
#[tokio::test]
async fn every_kind_of_object_is_told_on_every_major(#[values(14, 15, 16, 17, 18)] major: u32) {
    let (_, session) = with_everything(major).await;
    let found = fingerprint(&session).await;
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(format!("fingerprint_{major}"), listed(&found));
    });
    // Whoever may connect reads the same.
    session.batch("SET ROLE fp_reader").await.expect("a role without privileges");
    assert_eq!(found.diff(&fingerprint(&session).await), []);
}

/// No dump of the database has it, and every session but those that are there gets it.
#[rstest]
#[tokio::test]
async fn what_sessions_get_as_they_begin_is_told(#[values(14, 18)] major: u32) {
    let session = session(&common::fresh_database_of(major).await).await;
    let object = "session defaults of the database";
    assert_eq!(fingerprint(&session).await.objects.get(object), None);
    let set = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = %L', \
               current_database(), '5MB'); END $$";
    session.batch(set).await.expect("a setting");
    let found = fingerprint(&session).await;
    let expected = [("work_mem".to_owned(), "5MB".to_owned())].into();
    assert_eq!(found.objects.get(object), Some(&expected));
}

/// A key to a partitioned table has rows of its own for each partition, under names that count.
#[rstest]
#[tokio::test]
async fn the_order_of_partitions_means_nothing(#[values(14, 15, 16, 17, 18)] major: u32) {
    let parts = [
        "CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        "CREATE TABLE t (id int REFERENCES p) PARTITION BY LIST (id);
         CREATE TABLE t0 PARTITION OF t DEFAULT",
    ];
    let mut found = Vec::new();
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0]] {
        let session = session(&common::fresh_database_of(major).await).await;
        let parent = "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY HASH (id)";
        session.batch(parent).await.expect("a parent");
        for part in order {
            session.batch(parts[part]).await.expect("a part");
        }
        found.push(fingerprint(&session).await);
    }
    assert_eq!(found[0].diff(&found[1]), []);
    assert_eq!(found[0].diff(&found[2]), []);
    let keys = found[0].objects.keys().filter(|object| object.contains("fkey"));
    let keys: Vec<&String> = keys.collect();
    assert_eq!(keys, ["constraint public.t.t_id_fkey", "constraint public.t0.t_id_fkey"]);
}

/// Majors whose own pg_dump and psql are installed, and where.
async fn with_clients() -> Vec<(u32, PathBuf)> {
    let source = SourceRequest::Local { pg_bin: None, major: None };
    let report = doctor(&Request { source, cache: None, run_as: None }).await;
    let servers = report.places.iter().flat_map(|place| &place.found);
    let mut found: Vec<(u32, PathBuf)> = servers
        .filter(|server| ["pg_dump", "psql"].iter().all(|name| server.bin.join(name).is_file()))
        .map(|server| (server.major, server.bin.clone()))
        .collect();
    found.sort();
    found.dedup_by_key(|(major, _)| *major);
    found
}

async fn program(path: &Path, database: &Address, arguments: &[&str]) -> Output {
    let place = database.place();
    let (host, port) = place.rsplit_once(':').expect("host:port");
    let output = tokio::process::Command::new(path)
        .args(arguments)
        .env("PGHOST", host)
        .env("PGPORT", port)
        .env("PGUSER", database.user())
        .env("PGDATABASE", database.database())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PROGRAM_TIMEOUT, output).await.expect("an end in time");
    let output = output.unwrap_or_else(|error| panic!("run {}: {error}", path.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[tokio::test]
async fn a_dump_and_its_restore_keep_the_fingerprint() {
    let clients = with_clients().await;
    assert!(!clients.is_empty(), "no server has pg_dump and psql beside it: run ci/setup");
    for (major, bin) in clients {
        let (from, session_of_from) = with_everything(major).await;
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().to_str().expect("UTF-8");
        program(&bin.join("pg_dump"), &from, &["--file", path]).await;
        let to = common::fresh_database_of(major).await;
        let restore = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", path];
        program(&bin.join("psql"), &to, &restore).await;
        let (before, after) =
            (fingerprint(&session_of_from).await, fingerprint(&session(&to).await).await);
        let told: Vec<String> = before.diff(&after).iter().map(ToString::to_string).collect();
        assert_eq!(told, [""; 0], "PostgreSQL {major}");
        assert!(before.objects.len() > 100, "{} objects are everything", before.objects.len());
    }
}

#[tokio::test]
async fn options_that_are_secrets_are_told_without_their_values() {
    let session = session(&common::fresh_database().await).await;
    let sql = "CREATE FOREIGN DATA WRAPPER w OPTIONS (api_key 'hush', mode 'plain');
               CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (\"Password\" 'hu=sh', root '/srv');
               CREATE FOREIGN TABLE t (id int) SERVER s OPTIONS (token 'hush', path 'a')";
    session.batch(sql).await.expect("the schema");
    let told = listed(&fingerprint(&session).await);
    assert!(!told.contains("hush") && !told.contains("hu=sh"), "{told}");
    for options in ["api_key=…, mode=plain", "Password=…, root=/srv", "path=a, token=…"] {
        assert!(told.contains(options), "{options}: {told}");
    }
}
