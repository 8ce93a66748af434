//! What the shell and `man` read, made from the command line itself.

use assert_cmd::cargo::cargo_bin_cmd;
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
