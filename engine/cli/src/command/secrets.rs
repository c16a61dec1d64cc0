//! `sandbook secrets`: what is in the project's encrypted file.

use std::error::Error as _;
use std::io::{self, Read as _};

use sandbook_executor::{Secrets, SecretsError};
use sandbook_runbook::CredentialName;
use sandbook_sandbox::secret::{LONGEST, Secret};
use serde_json::json;
use zeroize::Zeroizing;

use crate::arguments::{SecretsCommand, SecretsSet};
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::prompt;
use crate::screen::{Output, complain, safe};

pub(crate) fn secrets(
    command: &SecretsCommand,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let secrets = Secrets::of(&places.project()?)?;
    match command {
        SecretsCommand::Set(arguments) => set(arguments, &secrets, output)?,
        SecretsCommand::List(format) => {
            let names = secrets.names()?;
            if format.is_json() {
                output.line(&json!({ "secrets": names }).to_string());
            } else {
                names.iter().for_each(|name| output.line(&safe(name)));
            }
        }
        SecretsCommand::Rotate => {
            secrets.rotate()?;
            let (file, identity) = (secrets.file().display(), secrets.identity().display());
            output.line(&format!("`{file}` is encrypted to a new identity."));
            complain(&format!(
                "The new identity is in `{identity}`, above the former one: copy it to wherever the former was copied to."
            ));
        }
    }
    Ok(Exit::Succeeded)
}

fn set(arguments: &SecretsSet, secrets: &Secrets, output: &mut Output) -> Result<(), Problem> {
    // Before anything is asked.
    let name = CredentialName::new(&arguments.name).map_err(SecretsError::from)?;
    let value = value(name.as_str())?;
    let stored = secrets.set(name.as_str(), &value)?;
    let what = if stored.replaced { "replaced" } else { "set" };
    let file = secrets.file().display();
    output.line(&format!("`{name}` is {what} in `{file}`."));
    if stored.made_identity {
        complain(&format!(
            "A new age identity was made, `{}`: keep a copy of it in a safe place, and out of the project. Without it nobody can read the secrets.",
            secrets.identity().display()
        ));
    }
    Ok(())
}

/// What is typed, unseen, or handed in.
fn value(name: &str) -> Result<Secret, Problem> {
    let bytes = if prompt::somebody_is_there() {
        prompt::hidden(&format!("Value of `{name}`"))?.into_bytes()
    } else {
        handed_in()
            .map_err(|error| Problem::wrong("the standard input can't be read").caused_by(&error))?
    };
    Secret::from_bytes(bytes, "what was given")
        .map_err(|fault| Problem::wrong(fault.to_string()).help(GIVE))
}

const GIVE: &str = "hand the value in, as in `pass show ops/statuspage | sandbook secrets set statuspage`, or run it on a terminal and type it";

fn handed_in() -> io::Result<Vec<u8>> {
    const MOST: usize = LONGEST + 3;
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST));
    io::stdin().take(MOST as u64).read_to_end(&mut bytes)?;
    let value = bytes
        .strip_suffix(b"\r\n")
        .or_else(|| bytes.strip_suffix(b"\n"))
        .unwrap_or(&bytes);
    Ok(value.to_vec())
}

impl From<SecretsError> for Problem {
    fn from(error: SecretsError) -> Problem {
        let problem = Problem::wrong(error.to_string());
        let problem = match error.source() {
            Some(cause) => problem.caused_by(cause),
            None => problem,
        };
        match help(&error) {
            Some(help) => problem.help(help),
            None => problem,
        }
    }
}

fn help(error: &SecretsError) -> Option<&'static str> {
    match error {
        SecretsError::NoFile(_) => Some("`sandbook secrets set NAME` makes it"),
        SecretsError::NoIdentity(_) => Some(
            "put the identity back from its copy, or name its file with $SANDBOOK_AGE_IDENTITY or `secrets.identity` in sandbook.yaml",
        ),
        SecretsError::Sealed { .. } => Some(
            "use the identity that it was encrypted to: $SANDBOOK_AGE_IDENTITY, or `secrets.identity` in sandbook.yaml",
        ),
        SecretsError::Damaged { .. } => Some(
            "put it back from its copy or from version control; or remove it, and set its secrets anew with `sandbook secrets set`",
        ),
        SecretsError::Shared(_) => Some("change it with `age` itself, for all its recipients"),
        SecretsError::NoPlace => Some("name a file with $SANDBOOK_AGE_IDENTITY"),
        _ => None,
    }
}
