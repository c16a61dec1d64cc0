//! What surrounds a process and comes from whoever started it. Sudo leaves most of it out; how much is up to its
//! rules, so it isn't relied on.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

use super::Account;
use crate::operator::BEHIND_SUDO;
use crate::problem::Problem;

/// Where programs are looked for that the engine itself starts.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Leaves behind the caller's variables, working directory, mode of new files and limits.
///
/// # Errors
///
/// The account's home can't be entered, or the engine can't be started again.
pub(super) fn leave_behind(account: &Account) -> Result<(), Problem> {
    let wanted = environment(env::vars_os(), account);
    if !is_same(env::vars_os(), &wanted) {
        return Err(start_again(wanted));
    }
    env::set_current_dir(account.home())
        .map_err(|error| Problem::file("enter", account.home(), &error))?;
    umask(Mode::RWXG | Mode::RWXO);
    raise_limits();
    Ok(())
}

/// Closes what the caller had open, but for the three standard streams: it would be passed on to the programs that
/// fetch secrets, and it counts against the number of files that the engine may have open.
///
/// To be called while the engine has opened nothing of its own.
///
/// # Errors
///
/// What is open can't be told.
pub(super) fn close_inherited() -> Result<(), Problem> {
    let folder = Path::new("/proc/self/fd");
    let open = numbers(folder).map_err(|error| {
        Problem::engine(format!(
            "what you have open can't be closed: `{}` can't be read",
            folder.display()
        ))
        .caused_by(&error)
        .help("whoever looks after the host mounts `/proc`")
    })?;
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        // The one that the folder was read through is closed already.
        let _ = nix::unistd::close(descriptor);
    }
    Ok(())
}

/// The numbers that files in a folder have as their names; all of them before any is closed, since the folder is read
/// through one.
fn numbers(folder: &Path) -> io::Result<Vec<i32>> {
    fs::read_dir(folder)?
        .map(|entry| {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            number.ok_or_else(|| io::Error::other(format!("{} is no number", name.display())))
        })
        .collect()
}

/// The variables that the engine goes on with: some of how things are shown, who is behind it, and the account's.
fn environment(
    current: impl Iterator<Item = (OsString, OsString)>,
    account: &Account,
) -> BTreeMap<OsString, OsString> {
    let mut wanted = BTreeMap::from([
        ("HOME".into(), account.home().as_os_str().to_owned()),
        ("PATH".into(), PATH.into()),
    ]);
    for (name, value) in current {
        let kept = match name.to_str() {
            Some("TERM" | "NO_COLOR" | BEHIND_SUDO) => true,
            Some("TZ") => is_time_zone(&value),
            _ => false,
        };
        if kept {
            // Of two with the same name the first counts, as it does for whoever asks for one.
            wanted.entry(name).or_insert(value);
        }
    }
    wanted
}

/// Whether it is a zone's name, or a rule such as `CET-1`, and no path: that would be read as the account.
fn is_time_zone(value: &OsStr) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_+-,.".contains(c);
    value.to_str().is_some_and(|zone| {
        zone.chars().all(plain) && !zone.starts_with('/') && !zone.contains("..")
    })
}

fn is_same(
    current: impl Iterator<Item = (OsString, OsString)>,
    wanted: &BTreeMap<OsString, OsString>,
) -> bool {
    let mut number = 0;
    let known = current
        .inspect(|_| number += 1)
        .all(|(name, value)| wanted.get(&name) == Some(&value));
    known && number == wanted.len()
}

/// Becomes the same program with the same arguments and these variables. A process can't take variables away from
/// itself: its threads, and libraries that have seen them, may keep them.
fn start_again(variables: BTreeMap<OsString, OsString>) -> Problem {
    let failed = |error| {
        Problem::engine("the engine can't be started again without your environment variables")
            .caused_by(&error)
    };
    let executable = match env::current_exe() {
        Ok(executable) => executable,
        Err(error) => return failed(error),
    };
    let mut arguments = env::args_os();
    let mut command = Command::new(executable);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    failed(command.args(arguments).env_clear().envs(variables).exec())
}

/// A caller's limit ends a run in its midst. What is set for the account, or by sudo, stays as it is.
fn raise_limits() {
    for limit in [
        Resource::As,
        Resource::Cpu,
        Resource::Data,
        Resource::Fsize,
        Resource::Nofile,
    ] {
        let Rlimit { maximum, .. } = getrlimit(limit);
        let highest = Rlimit {
            current: maximum,
            maximum,
        };
        // A limit that stays is no danger: what it ends is taken up by `resume`.
        let _ = setrlimit(limit, highest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    }

    fn cleaned(given: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
        let account = Account::with_home(Path::new("/srv/sandbook"));
        let clean = environment(pairs(given).into_iter(), &account);
        let again = environment(clean.clone().into_iter(), &account);
        assert_eq!(again, clean, "the engine would start again for ever");
        assert!(is_same(clean.clone().into_iter(), &again));
        assert_eq!(clean["HOME".as_ref() as &OsStr], "/srv/sandbook");
        assert_eq!(clean["PATH".as_ref() as &OsStr], PATH);
        clean
    }

    fn kept(given: &[(&str, &str)]) -> Vec<String> {
        let names = cleaned(given).into_keys();
        names
            .map(|name| name.into_string().unwrap())
            .filter(|name| name != "HOME" && name != "PATH")
            .collect()
    }

    #[test]
    fn only_what_is_shown_and_who_is_behind_it_is_kept() {
        let given = [
            ("HOME", "/home/ana"),
            ("PATH", "/home/ana/bin"),
            ("LD_PRELOAD", "x.so"),
            ("SANDBOOK_HOME", "/x"),
            ("SANDBOOK_PROJECT", "/x"),
            ("SSL_CERT_FILE", "/x"),
            ("SUDO_UID", "1000"),
            ("TERM", "xterm"),
            ("XDG_STATE_HOME", "/x"),
        ];
        assert_eq!(kept(&given), ["SUDO_UID", "TERM"]);
        assert!(kept(&[]).is_empty());
    }

    #[test]
    fn what_is_open_is_known_or_a_fault() {
        let open = numbers(Path::new("/proc/self/fd")).unwrap();
        assert!([0, 1, 2].iter().all(|number| open.contains(number)));
        let empty = tempfile::tempdir().unwrap();
        assert!(numbers(&empty.path().join("none")).is_err());
        fs::write(empty.path().join("seven"), "").unwrap();
        assert!(numbers(empty.path()).is_err());
    }

    #[test]
    fn the_first_of_two_variables_counts() {
        let clean = cleaned(&[("SUDO_UID", "1"), ("SUDO_UID", "2")]);
        assert_eq!(clean["SUDO_UID".as_ref() as &OsStr], "1");
        assert!(!is_same(
            pairs(&[("A", "1"), ("A", "1")]).into_iter(),
            &clean
        ));
    }

    #[test]
    fn a_time_zone_is_kept_and_a_path_is_not() {
        for zone in ["UTC", "Europe/Paris", "CET-1CEST,M3.5.0,M10.5.0/3", ""] {
            assert_eq!(kept(&[("TZ", zone)]), ["TZ"], "{zone}");
        }
        for path in ["/etc/shadow", ":/etc/shadow", "a/../../etc/shadow"] {
            assert!(kept(&[("TZ", path)]).is_empty(), "{path}");
        }
    }
}
