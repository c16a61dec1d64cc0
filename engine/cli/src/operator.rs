//! Who runs this: the person, and the account that the engine runs as.
//!
//! The person, the *operator*, is who `SUDO_UID` names, else the real user. Anybody can set a variable for a process
//! of their own. It can be believed all the same:
//!
//! - Who enters another account by sudo can't set it: sudo sets it itself, over whatever the caller had there. (A
//!   rule of sudoers must not give that away with `SETENV`, nor start anything but `sandbook`; `docs/team.md` says so.)
//! - Who sets it by hand stays who he is to the system: the process runs as him, and the state directory is his. He
//!   could write anything into that record with an editor, so a wrong name in it fools nobody but himself. Nor does
//!   he gain anything: where operator and account differ, less is accepted and not more.
//! - Who can take it away, or set it, in a process of the service account has a shell of that account, and with it
//!   the secrets and the record themselves.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use sandbook_journal::Operator;
use uzers::User;
use uzers::os::unix::UserExt as _;

use crate::problem::Problem;

/// The variable in which sudo says who called it.
pub(crate) const BEHIND_SUDO: &str = "SUDO_UID";

/// The operator: whom `SUDO_UID` names, else the real user.
pub(crate) fn operator() -> Operator {
    // What is no number was refused before anything was done.
    let behind = behind_sudo().ok().flatten();
    named(behind.unwrap_or_else(real_uid))
}

/// The account that the engine runs as.
pub(crate) fn account() -> Operator {
    named(real_uid())
}

/// Whether somebody runs the engine as another account.
///
/// # Errors
///
/// `SUDO_UID` is no uid, or the executable is installed so that it takes on the rights of its owner or group.
pub(crate) fn is_delegated() -> Result<bool, Problem> {
    refuse_borrowed_rights()?;
    let behind = behind_sudo().map_err(|text| {
        let message = format!("{BEHIND_SUDO} is `{}`, which is no uid", text.display());
        Problem::wrong(message).help(
            "sudo sets it to the number of whoever called it; unset it where sudo wasn't used",
        )
    })?;
    Ok(behind.is_some_and(|uid| uid != real_uid()))
}

/// Where the account's home is, by the database of users; the variable HOME doesn't count.
pub(crate) fn home() -> Option<PathBuf> {
    found(real_uid()).map(|user| user.home_dir().to_owned())
}

/// A program with the set-uid bit can be called in any surroundings. Sudo is what keeps those out.
fn refuse_borrowed_rights() -> Result<(), Problem> {
    use rustix::process::{getegid, geteuid, getgid, getuid};
    if getuid() == geteuid() && getgid() == getegid() {
        return Ok(());
    }
    let message = "the executable has the set-uid or set-gid bit, with which it doesn't run";
    Err(Problem::wrong(message).help(
        "take it away with `chmod ug-s`, and let people enter by sudo, as docs/team.md has it",
    ))
}

/// Who called sudo; what the variable holds instead where that is no number.
fn behind_sudo() -> Result<Option<u32>, OsString> {
    env::var_os(BEHIND_SUDO)
        .map(|text| uid(&text).ok_or(text))
        .transpose()
}

fn uid(text: &OsStr) -> Option<u32> {
    text.to_str()?.parse().ok()
}

fn real_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Who the database of users says this is, wherever it has that from (files, LDAP). One that it doesn't know goes
/// by the number.
fn named(uid: u32) -> Operator {
    let name = found(uid).map_or_else(
        || uid.to_string(),
        |user| user.name().to_string_lossy().into_owned(),
    );
    Operator { uid, name }
}

/// That the database can't be asked is no reason to keep anybody from bringing a service back.
fn found(uid: u32) -> Option<User> {
    uzers::get_user_by_uid(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_its_number_and_else_the_number_is_shown() {
        assert_eq!(named(0).name, "root");
        let nobody = named(4_294_967_000);
        assert_eq!(
            (nobody.uid, nobody.name.as_str()),
            (4_294_967_000, "4294967000")
        );
    }

    #[test]
    fn a_uid_is_a_number() {
        assert_eq!(uid(OsStr::new("1000")), Some(1000));
        for text in ["", "ana", "-1", "1000 ", "99999999999"] {
            assert_eq!(uid(OsStr::new(text)), None, "`{text}`");
        }
    }
}
