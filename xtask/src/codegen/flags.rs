//! docs/flags.md, from the command line itself.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};
use keyferry::cli::Cli;

use super::{NOTE, cell};

const HEAD: &str = "# Commands and flags

`keyferry` without a command is the controller. Flags have the names of External Secrets Operator where the meaning is the
same. A flag that is on or off is given as `--flag`, `--flag=true` or `--flag=false`. Durations are Go's: `30s`, `15m`, `1h30m`.
The chart sets most of them by values ([values.md](values.md)) and the others by `extraArgs`.
";

const WITHOUT_EFFECT: &str = "
### Accepted without effect

Flags of External Secrets Operator that mean nothing here. They are accepted, for they stand in users' `extraArgs`; the log has a
warning for each at every start. Other flags that are not known end the start.

| flag | why |
| --- | --- |
";

/// The page.
pub(super) fn page() -> String {
    let mut program = Cli::command();
    program.build();
    let mut page = format!("{NOTE}{HEAD}");
    write_section(&mut page, "Controller", &program);
    let hidden = program.get_arguments().filter(|arg| arg.is_hide_set());
    let (from_environment, without_effect): (Vec<&Arg>, Vec<&Arg>) =
        hidden.partition(|arg| arg.get_env().is_some());
    page.push_str(WITHOUT_EFFECT);
    for arg in without_effect {
        // writing into a String cannot fail
        let _ = writeln!(page, "| {} | {} |", name(arg), help(arg));
    }
    if !from_environment.is_empty() {
        page.push_str("\n## Environment\n\n| variable | |\n| --- | --- |\n");
        for arg in from_environment {
            let variable = arg.get_env().unwrap_or_default().to_string_lossy();
            let _ = writeln!(page, "| `{variable}` | {} |", help(arg));
        }
    }
    for command in program.get_subcommands() {
        if command.get_name() != "help" {
            write_section(
                &mut page,
                &format!("keyferry {}", command.get_name()),
                command,
            );
        }
    }
    page
}

fn write_section(page: &mut String, title: &str, command: &Command) {
    let _ = writeln!(page, "\n## {title}\n");
    if let Some(about) = command.get_about() {
        let about = about.to_string();
        let _ = writeln!(page, "{}.", about.trim_end_matches('.'));
    }
    let shown =
        |arg: &&Arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str());
    let arguments: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    if arguments.is_empty() {
        return;
    }
    page.push_str("\n| flag | default | |\n| --- | --- | --- |\n");
    for arg in arguments {
        let _ = writeln!(page, "| {} | {} | {} |", name(arg), default(arg), help(arg));
    }
}

fn name(arg: &Arg) -> String {
    match arg.get_long() {
        Some(long) => format!("`--{long}`"),
        None => format!("`{}`", arg.get_id().as_str().to_uppercase()),
    }
}

fn default(arg: &Arg) -> String {
    let defaults = arg.get_default_values().iter();
    let defaults = defaults.map(|it| it.to_string_lossy()).collect::<Vec<_>>();
    match defaults.join(",") {
        text if text.is_empty() => String::new(),
        text => format!("`{text}`"),
    }
}

/// The help, and the values that there are where they are few.
fn help(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let help = format!("{}.", help.trim_end_matches('.'));
    let values = arg.get_possible_values();
    let names: Vec<String> = values
        .iter()
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    let is_switch = names == ["`true`", "`false`"];
    if names.is_empty() || is_switch {
        cell(&help)
    } else {
        cell(&format!("{help} One of {}.", names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_flags_environment_and_commands() {
        let page = page();
        for line in [
            "| `--metrics-addr` | `:8080` | Address of /metrics; 0 for none. |",
            "| `--log-format` | `json` | How log lines are written. One of `json`, `console`. |",
            "| `--enable-http2` | metrics are served by HTTP/1.1. |",
            "## keyferry render",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}\n{page}");
        }
        assert!(page.contains("| `HTTPS_PROXY` | "), "{page}");
    }
}
