//! Arguments of what concerns a project's secrets.

use clap::{Args, Subcommand};

use super::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    Set(SecretsSet),
    /// List the names of the secrets; no value is shown
    List(Output),
    /// Make a new age identity, and encrypt the secrets to it alone
    ///
    /// The former identity stays in its file, below the new one: other projects may need it, and so may older copies of
    /// the secrets file. Whoever has a copy of it can still read those. Change the values too where it may have been seen.
    Rotate,
}

/// Set a secret: its value is asked for, or read from standard input
///
/// The value is never an argument: others on the machine could see it, and the shell would keep it. One line break at
/// its end is not part of it. An environment uses it with `secret: { age: NAME }`.
///
/// The first one makes the secrets file, and an age identity where there is none. Keep a copy of the identity in a safe
/// place: without it nobody can read the secrets.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook secrets set statuspage                  ask for it
  pass show ops/statuspage | sandbook secrets set statuspage

Environment:
  SANDBOOK_AGE_IDENTITY  the file with the age identity; comes before `secrets.identity` in sandbook.yaml")]
pub(crate) struct SecretsSet {
    /// Its name: small letters, digits, `_` and `-`
    pub(crate) name: String,
}
