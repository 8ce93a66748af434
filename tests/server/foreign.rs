//! External servers: which are refused, what is said of them, how they are reached and what happens
//! when one crashes; and what comes from files is not obeyed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use assert_cmd::cargo::{CommandCargoExt, cargo_bin_cmd};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};
use pgauntlet::connect::{Address, Session};
use pgauntlet::result::ResultFile;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use rstest::rstest;

use crate::common::{self, TestServer};

fn pgauntlet() -> assert_cmd::Command {
    let mut command = cargo_bin_cmd!("pgauntlet");
    command.env("NO_COLOR", "1").env_remove("PGAUNTLET_SERVER").env_remove("GITHUB_ACTIONS");
    command
}

async fn open(address: &Address) -> Session {
    Session::open(address, "test", &BTreeMap::new()).await.expect("a session")
}

async fn server(name: &str) -> TestServer {
    common::server_with(&[("cluster_name", name)]).await
}

/// A directory with a scenario `NAME` of a few rows.
pub fn scenarios(names: &[&str], change: &str) -> tempfile::TempDir {
    let scenario = "analysis = 'A few rows.'\n\
        [schema]\ntables = 'schema.sql'\n\
        [[table]]\nname = 't'\nrows = 500\ncolumns.id = { serial = {} }\n\
        [traffic]\nrate_per_s = 50\nbaseline_ms = 500\nrecovery_min_ms = 200\n\
        recovery_max_ms = 2_000\n\
        [[operation]]\nname = 'add'\nweight = 1\nsql = 'INSERT INTO t VALUES ($id)'\n\
        params.id = { integer = [1_000, 1_000_000_000] }\n\
        ledger.insert = { table = 't', key = 'id', param = 'id' }\n\
        [limits]\nstall_ms_max = 10_000\np99_ms_floor = 10_000\ngenerator_lag_ms_max = 10_000\n\
        [[change.migration]]\nversion = '1'\nfile = 'own.sql'\n\
        [expect]\nverdict = 'safe'\n";
    let directory = tempfile::tempdir().expect("a directory");
    for name in names {
        let at = directory.path().join(name);
        std::fs::create_dir(&at).expect("a directory");
        std::fs::write(at.join("scenario.toml"), scenario).expect("a file");
        let schema = "CREATE TABLE t (id bigint); CREATE TABLE u (id bigint);";
        std::fs::write(at.join("schema.sql"), schema).expect("a file");
        std::fs::write(at.join("own.sql"), change).expect("a file");
    }
    directory
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_others_may_need_is_refused_unless_the_user_vouches_for_it() {
    let server = server("shop-production").await;
    let url = server.conninfo("postgres");
    let other = open(&server.address).await;
    other.batch("BEGIN").await.expect("a transaction");
    let directory = scenarios(&["small"], "ALTER TABLE u ADD COLUMN a int;");
    let run = |arguments: &[&str]| {
        let mut command = pgauntlet();
        command.current_dir(&directory).args(["run", "small", "--scenarios-dir", ".", "--quiet"]);
        command.args(["--server", &url]).args(arguments).assert()
    };
    let signs = contains("shop-production").and(contains("sessions of others"));
    run(&[]).code(4).stderr(signs.and(contains("--server-is-mine")));
    let listed = open(&server.address).await;
    let sql = "SELECT count(*) FROM pg_database WHERE datname LIKE 'pgauntlet_template%'";
    let made: i64 = listed.client().query_one(sql, &[]).await.expect(sql).get(0);
    assert_eq!(made, 0);
    pgauntlet()
        .args(["doctor", "--server", &url])
        .assert()
        .code(4)
        .stdout(contains("sessions of others").and(contains("shop-production")));
    run(&["--server-is-mine"]).stderr(contains("--server-is-mine").not());

    let mark = "COMMENT ON DATABASE postgres IS 'Ours: pgauntlet may work on this server.'";
    listed.batch(mark).await.expect(mark);
    let directory = scenarios(&["marked"], "ALTER TABLE u ADD COLUMN a int;");
    let mut command = pgauntlet();
    command.current_dir(&directory).args(["run", "marked", "--scenarios-dir", ".", "--quiet"]);
    command.args(["--server", &url]).assert().stderr(contains("--server-is-mine").not());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_the_environment_names_takes_consent() {
    let server = server("from the environment").await;
    let directory = scenarios(&["small"], "SELECT 1;");
    let mut command = pgauntlet();
    command.current_dir(&directory).args(["run", "small", "--scenarios-dir", ".", "--quiet"]);
    command.env("PGAUNTLET_SERVER", server.conninfo("postgres"));
    command.assert().code(4).stderr(contains("PGAUNTLET_SERVER").and(contains("--server-is-mine")));
}

#[rstest]
#[case("mysql://u:s3cretive@h/x")]
#[case("postgres://u:s3cretive@h:port/x")]
#[case("host=h password='s3cretive")]
#[case("postgresql+psycopg2://u:s3cretive@h/x")]
fn an_address_that_cannot_be_read_is_not_repeated(#[case] address: &str) {
    let refused = pgauntlet().args(["doctor", "--server", address]).assert().code(2);
    refused.stderr(contains("s3cretive").not());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_of_a_server_is_that_server_s() {
    let server = server("cache").await;
    let url = server.conninfo("postgres");
    let session = open(&server.address).await;
    for name in ["pgauntlet_trial_1_00c0ffee", "pgauntlet_seeding_0123456789abcdef"] {
        session.batch(&format!("CREATE DATABASE {name}")).await.expect(name);
    }
    session.batch("CREATE DATABASE pgauntlet_prod").await.expect("a database");
    let listed = pgauntlet().args(["cache", "--server", &url]).assert().code(0);
    listed.stdout(contains("pgauntlet_seeding_0123456789abcdef").and(contains("left behind")));
    let cleared = pgauntlet().args(["cache", "--server", &url, "clear"]).assert().code(0);
    cleared.stdout(contains("dropped 2 databases").and(contains("pgauntlet_prod").not()));
    let sql = "SELECT string_agg(datname, ',') FROM pg_database WHERE datname LIKE 'pgauntlet_%'";
    let left: String = session.client().query_one(sql, &[]).await.expect(sql).get(0);
    assert_eq!(left, "pgauntlet_prod");
}

/// A server with a certificate for `localhost` that it signed itself, as on Debian.
async fn encrypted() -> (TestServer, tempfile::TempDir) {
    let directory = tempfile::Builder::new().prefix("pgtls").tempdir_in("/tmp").expect("a place");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
    let (certificate, key) =
        (directory.path().join("server.crt"), directory.path().join("server.key"));
    std::fs::copy(fixtures.join("server.crt"), &certificate).expect("a certificate");
    std::fs::copy(fixtures.join("server.key"), &key).expect("a key");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(&key, mode(0o600)).expect("a mode");
    std::fs::set_permissions(directory.path(), mode(0o755)).expect("a mode");
    if nix::unistd::Uid::effective().is_root() {
        let user = User::from_name("postgres").expect("users").expect("the server's user");
        let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
        std::os::unix::fs::chown(&key, Some(uid), Some(gid)).expect("an owner");
    }
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let settings = [("ssl", "on"), ("ssl_cert_file", &certificate), ("ssl_key_file", &key)];
    (common::server_with(&settings).await, directory)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_s_own_certificate_is_verified_as_sslmode_says() {
    let (server, _place) = encrypted().await;
    let session = open(&server.address).await;
    session.batch("CREATE ROLE tls LOGIN PASSWORD 'x'").await.expect("a role");
    let sql = "SELECT current_setting('port')";
    let port: String = session.client().query_one(sql, &[]).await.expect(sql).get(0);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
    let (own, other) = (fixtures.join("server.crt"), fixtures.join("other.crt"));
    let (own, other) = (own.display(), other.display());
    let cases = [
        ("127.0.0.1", String::new(), Some(true)),
        ("127.0.0.1", "?sslmode=disable".to_owned(), Some(false)),
        ("127.0.0.1", "?sslmode=require".to_owned(), Some(true)),
        ("127.0.0.1", format!("?sslmode=require&sslrootcert={own}"), Some(true)),
        ("127.0.0.1", format!("?sslmode=require&sslrootcert={other}"), None),
        ("127.0.0.1", format!("?sslmode=prefer&sslrootcert={other}"), Some(true)),
        ("127.0.0.1", format!("?sslmode=verify-ca&sslrootcert={own}"), Some(true)),
        ("127.0.0.1", format!("?sslmode=verify-ca&sslrootcert={other}"), None),
        ("127.0.0.1", format!("?sslmode=verify-full&sslrootcert={own}"), None),
        ("localhost", format!("?sslmode=verify-full&sslrootcert={own}"), Some(true)),
        ("localhost", "?sslmode=verify-full&sslrootcert=system".to_owned(), None),
    ];
    for (host, query, encrypted) in cases {
        let url = format!("postgres://tls:x@{host}:{port}/postgres{query}");
        let address = Address::parse(&url).expect("an address");
        let opened = Session::open(&address, "test", &BTreeMap::new()).await;
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let found: Option<bool> = match opened {
            Ok(session) => Some(session.client().query_one(sql, &[]).await.expect(sql).get(0)),
            Err(_) => None,
        };
        assert_eq!(found, encrypted, "{host} {query}");
        // The tap's way to the server.
        assert_eq!(address.dial().await.is_ok(), encrypted.is_some(), "{host} {query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_server_ends_the_trial_and_not_the_run() {
    let server = server("crash").await;
    let url = server.conninfo("postgres");
    let directory = scenarios(&["first", "second"], "SELECT pg_sleep(2); ALTER TABLE t ADD a int;");
    let out = directory.path().join("out");
    let mut child = Process::cargo_bin("pgauntlet")
        .expect("the binary")
        .current_dir(&directory)
        .args(["run", "first", "second", "--scenarios-dir", ".", "--quiet", "--server-is-mine"])
        .args(["--server", &url, "--out", "out"])
        .spawn()
        .expect("a child");
    let mut session = open(&server.address).await;
    let sql = "SELECT min(a.pid) FROM pg_stat_activity a WHERE application_name = 'pgauntlet app' \
               AND EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2)%' \
                           AND state = 'active' AND pid <> pg_backend_pid())";
    let backend = loop {
        let found: Option<i32> = session.client().query_one(sql, &[]).await.expect(sql).get(0);
        if let Some(pid) = found {
            break pid;
        }
        assert_eq!(child.try_wait().expect("a status"), None, "it ended before its change");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    kill(Pid::from_raw(backend), Signal::SIGKILL).expect("a signal to a backend");
    let ended = tokio::task::spawn_blocking(move || child.wait()).await.expect("a wait");
    assert_eq!(ended.expect("an end").code(), Some(3), "unproven");
    let result = ResultFile::read(&out).expect("a result");
    assert!(result.finished);
    let verdicts: Vec<&str> = result.trials.iter().map(|trial| trial.verdict.as_str()).collect();
    assert_eq!(verdicts, ["unproven", "safe"]);
    let ledger = result.trials[0].measured.ledger.as_ref().expect("a ledger");
    assert!(ledger.acknowledged > 0 && ledger.mismatches == 0, "{ledger:?}");
    session = open(&server.address).await;
    let sql = "SELECT count(*) FROM pg_database WHERE datname LIKE 'pgauntlet_trial_%'";
    let left: i64 = session.client().query_one(sql, &[]).await.expect(sql).get(0);
    assert_eq!(left, 0);
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-4").join(name)
}

#[test]
fn a_command_of_a_result_runs_only_if_the_user_says_so() {
    let scratch = tempfile::tempdir().expect("a directory");
    let text = std::fs::read_to_string(fixture("command/result.json")).expect("a result");
    let mut result: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let line = format!("touch {}", scratch.path().join("pwned").display());
    let mut commands = 0;
    replace(&mut result, &line, &mut commands);
    assert!(commands > 0, "the fixture has a command");
    std::fs::write(scratch.path().join("result.json"), result.to_string()).expect("a file");
    let mut command = pgauntlet();
    command.arg("repro").arg(scratch.path()).args(["--trial", "1"]).write_stdin("");
    command.assert().code(2).stderr(contains("--yes").and(contains(&line)));
    assert!(!scratch.path().join("pwned").exists());
}

/// Puts the line in place of each command's, in a directory that is there.
fn replace(value: &mut serde_json::Value, line: &str, commands: &mut usize) {
    match value {
        serde_json::Value::Object(object) => {
            if object.contains_key("line") && object.contains_key("directory") {
                object.insert("line".to_owned(), line.into());
                object.insert("directory".to_owned(), "/tmp".into());
                *commands += 1;
            }
            object.values_mut().for_each(|value| replace(value, line, commands));
        }
        serde_json::Value::Array(list) => {
            list.iter_mut().for_each(|value| replace(value, line, commands));
        }
        _ => {}
    }
}

#[test]
fn a_pipe_in_the_way_is_not_waited_for() {
    let scratch = tempfile::tempdir().expect("a directory");
    let pipe = |name: &str| {
        let made = Process::new("mkfifo").arg(scratch.path().join(name)).status();
        assert!(made.expect("mkfifo").success());
    };
    pipe("change.sql");
    let text = std::fs::read_to_string(fixture("command/result.json")).expect("a result");
    let mut result: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let (mut commands, here) = (0, scratch.path().display().to_string());
    replace(&mut result, "true", &mut commands);
    let text =
        result.to_string().replace("\"directory\":\"/tmp\"", &format!("\"directory\":{here:?}"));
    std::fs::write(scratch.path().join("result.json"), text).expect("a file");
    let limit = std::time::Duration::from_secs(60);
    for format in ["junit", "sarif", "github"] {
        let mut command = pgauntlet();
        command.arg("report").arg(scratch.path()).args(["--format", format]).timeout(limit);
        let output = command.output().expect("an end in time");
        assert!(output.status.code().is_some(), "{format} waited");
    }
    std::fs::remove_file(scratch.path().join("result.json")).expect("a file");
    pipe("result.json");
    let mut command = pgauntlet();
    command.arg("report").arg(scratch.path()).timeout(limit).assert().code(2);
    pipe("history.jsonl");
    let mut command = pgauntlet();
    command.arg("judge").arg(scratch.path()).timeout(limit).assert().code(2);
}
