//! No path among the arguments: whoever names a file has it read, or written, with the account's rights.
//!
//! The rule goes by the arguments' types, so that it holds for every command that there is and will be: what is
//! declared as a `PathBuf` is refused. Texts that can be a path are known by their names (`Kind::of`).

use std::any::TypeId;
use std::ffi::OsStr;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use sandbook_executor::is_path;

use super::Account;
use crate::problem::Problem;

/// A path that was given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GivenPath {
    /// What was given, as the person knows it.
    what: String,
    /// What to do instead.
    instead: &'static str,
}

/// The first path among the arguments, as an error.
pub(super) fn refuse_paths(command: &Command, given: &ArgMatches) -> Result<(), GivenPath> {
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        if let None | Some(ValueSource::DefaultValue) = given.value_source(id) {
            continue;
        }
        for value in given.get_raw(id).into_iter().flatten() {
            if let Some(what) = Kind::of(argument).path(argument, value) {
                let instead = instead(id);
                return Err(GivenPath { what, instead });
            }
        }
    }
    let below = given.subcommand().and_then(|(name, given)| {
        let command = command.find_subcommand(name)?;
        Some((command, given))
    });
    below.map_or(Ok(()), |(command, given)| refuse_paths(command, given))
}

impl GivenPath {
    /// Why it isn't accepted, and what is.
    pub(super) fn refused(self, operator: &str, account: &Account) -> Problem {
        let GivenPath { what, instead } = self;
        Problem::wrong(format!(
            "{what}, and no path is accepted from you: the engine runs as `{}` for `{operator}`",
            account.name
        ))
        .help(instead)
    }
}

/// What an argument's value may be.
enum Kind {
    /// A path, whatever it looks like.
    Path,
    /// A path, or `-` for what is handed in.
    PathOrInput,
    /// A name, or a path when it looks like one.
    NameOrPath,
    /// `KEY=VALUE`, or `KEY=@FILE`.
    Input,
    /// Never a path.
    Other,
}

impl Kind {
    fn of(argument: &Arg) -> Kind {
        match argument.get_id().as_str() {
            "answer" => Kind::PathOrInput,
            _ if argument.get_value_parser().type_id() == TypeId::of::<PathBuf>() => Kind::Path,
            "runbook" | "runbooks" | "plugin" | "old" | "new" | "targets" => Kind::NameOrPath,
            "input" => Kind::Input,
            _ => Kind::Other,
        }
    }

    /// What is said of the value when it is a path.
    fn path(self, argument: &Arg, value: &OsStr) -> Option<String> {
        let text = value.to_string_lossy();
        match self {
            Kind::PathOrInput if text == "-" => None,
            Kind::Path | Kind::PathOrInput => Some(format!("`{}` takes a path", shown(argument))),
            Kind::NameOrPath if is_path(&text) => Some(format!("`{text}` is a path")),
            Kind::Input => {
                let (key, value) = text.split_once('=')?;
                value
                    .starts_with('@')
                    .then(|| format!("`-i {key}=@FILE` names a file by its path"))
            }
            Kind::NameOrPath | Kind::Other => None,
        }
    }
}

/// An option by its name, anything else by what stands for its value.
fn shown(argument: &Arg) -> String {
    let name = argument.get_value_names().and_then(|names| names.first());
    match (argument.get_long(), name) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(name)) => name.to_string(),
        (None, None) => argument.get_id().to_string(),
    }
}

fn instead(id: &str) -> &'static str {
    match id {
        "project" => "leave it out: the project is the account's own; `sandbook whoami` shows it",
        "state" => "leave it out: the record is the account's own; `sandbook whoami` shows it",
        "answer" => "hand it in: `--answer - < FILE`",
        "runbook" | "runbooks" => {
            "name one of the account's runbooks, without an ending: `sandbook list` shows them"
        }
        "plugin" | "old" | "new" | "file" | "targets" => {
            "`sandbook plugin inspect NAME` shows a plugin of the account's project, and `sandbook plugin list` all of them"
        }
        "input" | "inputs" => {
            "write the value itself, `-i KEY=VALUE`; your shell can read a file for it: `-i KEY=\"$(cat FILE)\"`"
        }
        _ => {
            "do that as yourself, without sudo; of the account's only what its project names is used"
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::arguments::Arguments;

    fn refused(arguments: &[&str]) -> Option<String> {
        let mut command = Arguments::command();
        command.build();
        let all = ["sandbook"].iter().chain(arguments);
        let given = command.try_get_matches_from_mut(all).unwrap();
        refuse_paths(&command, &given).err().map(|path| path.what)
    }

    #[test]
    fn every_path_is_refused() {
        for (arguments, says) in [
            (&["list", "--project", "x"][..], "--project"),
            (&["--state=x", "runs"], "--state"),
            (&["run", "./x"], "./x"),
            (&["run", "x.yaml"], "x.yaml"),
            (&["run", "../up/x"], "../up/x"),
            (&["run", "x", "--inputs", "y"], "--inputs"),
            (&["run", "x", "-i", "a=b", "-i", "c=@d"], "c=@FILE"),
            (&["plan", "x", "-ic=@d"], "c=@FILE"),
            (&["plan", "/x"], "/x"),
            (&["plan", "--ceiling", "x.yml"], "x.yml"),
            (&["check", "x", "y.yaml"], "y.yaml"),
            (&["plugin", "check", "./x"], "./x"),
            (&["plugin", "inspect", "x.wasm"], "x.wasm"),
            (&["plugin", "inspect", "p/x"], "p/x"),
            (&["plugin", "diff", "x.wasm", "x"], "x.wasm"),
            (&["plugin", "diff", "x", "./y"], "./y"),
            (&["plugin", "pack", "x", "-m", "y"], "COMPONENT"),
            (&["plugin", "test", "x", "y.yaml"], "y.yaml"),
            (&["plugin", "run", "./x"], "./x"),
            (&["plugin", "run", "x", "--record", "y"], "--record"),
            (&["plugin", "test", "x", "-p", "./y"], "./y"),
            (&["init", "x"], "DIR"),
        ] {
            let refused = refused(arguments).unwrap_or_else(|| panic!("accepted: {arguments:?}"));
            assert!(refused.contains(&format!("{says}`")), "{refused}");
        }
    }

    #[test]
    fn names_and_values_are_accepted() {
        for arguments in [
            &["list"][..],
            &[
                "run",
                "x",
                "--env",
                "production",
                "-i",
                "a=b@c",
                "-i",
                "mail=/etc",
                "--yes",
            ],
            &["plan", "--ceiling"],
            &["check", "x", "--env", "demo", "--live"],
            &["plugin", "inspect", "http-check"],
            &["plugin", "check", "http-check"],
            &["note", "@last", "see", "/etc/motd"],
            &["resume", "@last"],
            &["whoami", "-o", "json"],
        ] {
            assert_eq!(refused(arguments), None, "{arguments:?}");
        }
    }

    /// Whoever adds an argument that names a file and gives it another type would have it pass unseen.
    #[test]
    fn what_is_called_a_file_or_a_folder_is_a_path() {
        fn look(command: &Command) {
            for argument in command.get_arguments() {
                let names = argument.get_value_names().unwrap_or_default();
                if names
                    .iter()
                    .any(|name| ["FILE", "DIR", "PATH"].contains(&name.as_str()))
                {
                    let id = argument.get_id();
                    assert!(
                        matches!(Kind::of(argument), Kind::Path | Kind::PathOrInput),
                        "{} {id}",
                        command.get_name()
                    );
                }
            }
            command.get_subcommands().for_each(look);
        }
        look(&Arguments::command());
    }
}
