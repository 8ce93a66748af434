//! What the shell and `man` know of the command line, made from the arguments themselves.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::run::ExitStatus;

use super::args::Arguments;
use super::complain;

pub fn completions(shell: Shell) -> ExitStatus {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "pgauntlet", &mut text);
    write(&text)
}

pub fn manual() -> ExitStatus {
    let mut command = Arguments::command();
    command.build();
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(command.clone()).render(&mut text).and_then(|()| {
        let mut commands = command.get_subcommands().filter(|command| !command.is_hide_set());
        commands.try_for_each(|command| of_command(command, &mut text))
    });
    match rendered {
        Ok(()) => write(&text),
        Err(error) => {
            complain(&format!("write the manual: {error}"));
            ExitStatus::Failed
        }
    }
}

/// Its synopsis and options, below a heading of its name.
fn of_command(command: &clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    let name = command.get_name().to_uppercase();
    writeln!(text, ".SH \"PGAUNTLET {name}\"")?;
    let man = clap_mangen::Man::new(command.clone());
    man.render_description_section(text)?;
    man.render_synopsis_section(text)?;
    man.render_options_section(text)
}

fn write(text: &[u8]) -> ExitStatus {
    match std::io::stdout().write_all(text) {
        Ok(()) => ExitStatus::AsExpected,
        // A reader that has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitStatus::AsExpected,
        Err(error) => {
            complain(&format!("print: {error}"));
            ExitStatus::Failed
        }
    }
}
