//! What the shell and `man` read, made from the command line itself.

use assert_cmd::cargo::cargo_bin_cmd;
use pgauntlet::schema::{Fingerprint, Stored};
use rstest::rstest;

fn printed(arguments: &[&str]) -> String {
    let output = cargo_bin_cmd!("pgauntlet").args(arguments).output().expect("pgauntlet");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[rstest]
fn a_shell_completes_commands_and_options(
    #[values("bash", "zsh", "fish", "powershell", "elvish")] shell: &str,
) {
    let text = printed(&["completions", shell]);
    for known in ["try", "predict", "conditions", "offline"] {
        assert!(text.contains(known), "{shell} does not know {known}");
    }
}

#[test]
fn the_manual_has_every_command_with_its_options() {
    let text = printed(&["man"]);
    assert!(text.contains(".TH") && text.contains("pgauntlet"), "{text}");
    for known in ["PGAUNTLET TRY", "PGAUNTLET RUN", "PGAUNTLET SERVER", "fail\\-on", "sizes"] {
        assert!(text.contains(known), "the manual does not have {known}");
    }
}

/// Without it, what no terminal reads has no colours.
#[rstest]
#[case(&[], false)]
#[case(&["--color", "auto"], false)]
#[case(&["--color", "never"], false)]
#[case(&["--color", "always"], true)]
fn colours_are_where_they_are_asked_for(#[case] asked: &[&str], #[case] has_colours: bool) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, column: &str| {
        let mut fingerprint = Fingerprint::default();
        fingerprint.insert("column", &format!("public.orders.{column}"), "type", "integer");
        let found = Stored { server_major: 18, fingerprint };
        let path = directory.path().join(name);
        std::fs::write(&path, found.to_text()).expect("a fingerprint");
        path
    };
    let (from, to) = (file("from", "total"), file("to", "sum"));
    let mut command = cargo_bin_cmd!("pgauntlet");
    let output = command.arg("diff").args([from, to]).args(asked).output().expect("pgauntlet");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("orders.total"), "{output:?}");
    assert_eq!(text.contains('\u{1b}'), has_colours, "{text}");
}

#[test]
fn a_program_can_read_which_scenarios_and_servers_there_are() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let text = printed(&["list", "--format", "json", "--scenarios-dir", directory]);
    let listed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let guarded = listed
        .as_array()
        .and_then(|all| all.iter().find(|scenario| scenario["name"] == "add-column-guarded"));
    let guarded = guarded.expect("a bundled scenario");
    assert_eq!(guarded["expected"], serde_json::json!(["safe"]));
    assert!(guarded["summary"].as_str().is_some_and(|text| text.contains("IF NOT EXISTS")));
}
