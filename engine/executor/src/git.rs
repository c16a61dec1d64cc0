//! Which version of the project's folder a run is of, as git has it.
//!
//! `git` itself is asked, since it alone knows all the ways in which a repository can lie. It takes some 4 ms, so it
//! is asked only where there is a `.git`, and beside what a run's start waits for anyway: credentials and components.

use std::env;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sandbook_journal::GitFacts;

/// How long git may take. A run that starts isn't held up by a large repository.
const LONGEST: Duration = Duration::from_secs(2);

/// How much of its answer is read: the first line says the commit, and any other that something changed.
const MOST: u64 = 64 * 1024;

/// A look under way.
pub(crate) struct Looking {
    begun: Instant,
    child: Arc<Mutex<Option<Child>>>,
    answer: Receiver<GitFacts>,
}

/// Asks for the version of a folder; nothing where it lies in no repository.
pub(crate) fn look(folder: &Path) -> Option<Looking> {
    folder
        .ancestors()
        .find(|folder| folder.join(".git").exists())?;
    let (sender, answer) = channel();
    let child = Arc::new(Mutex::new(None));
    let (folder, ours) = (folder.to_owned(), Arc::clone(&child));
    let look = move || {
        if let Some(facts) = ask(&folder, &ours) {
            let _ = sender.send(facts);
        }
    };
    std::thread::Builder::new()
        .name("git".to_owned())
        .spawn(look)
        .ok()?;
    Some(Looking {
        begun: Instant::now(),
        child,
        answer,
    })
}

impl Looking {
    /// What git says; nothing where it isn't there, takes too long, or has no commit.
    pub(crate) fn facts(self) -> Option<GitFacts> {
        let left = LONGEST.saturating_sub(self.begun.elapsed());
        let facts = self.answer.recv_timeout(left).ok();
        if let (None, Some(child)) = (&facts, &mut *lock(&self.child)) {
            let _ = child.kill();
        }
        facts
    }
}

fn ask(folder: &Path, shared: &Mutex<Option<Child>>) -> Option<GitFacts> {
    let mut child = command(folder).spawn().ok()?;
    let output = child.stdout.take();
    *lock(shared) = Some(child);
    let mut said = Vec::new();
    let read = output?.take(MOST).read_to_end(&mut said);
    // Its output is closed by now, so that it doesn't go on.
    if let Some(mut child) = lock(shared).take() {
        let _ = child.wait();
    }
    read.ok()?;
    parse(&String::from_utf8_lossy(&said))
}

/// Nothing of what is around us leads git elsewhere, it starts no monitor of the repository's, and it writes nothing.
fn command(folder: &Path) -> Command {
    let around = ["PATH", "HOME"].map(|name| Some((name, env::var_os(name)?)));
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.fsmonitor=false", "status", "--porcelain=v2"])
        .args(["--branch", "--", "."])
        .env_clear()
        .envs(around.into_iter().flatten())
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

fn parse(said: &str) -> Option<GitFacts> {
    let commit = said
        .lines()
        .find_map(|line| line.strip_prefix("# branch.oid "))?;
    let is_commit = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then(|| GitFacts {
        commit: commit.to_owned(),
        dirty: said.lines().any(|line| !line.starts_with('#')),
    })
}

fn lock(shared: &Mutex<Option<Child>>) -> std::sync::MutexGuard<'_, Option<Child>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_and_whether_something_changed_are_read() {
        let commit = "aace5501234567890123456789012345678901ab";
        let clean = format!("# branch.oid {commit}\n# branch.head main\n");
        let facts = parse(&clean).unwrap();
        assert_eq!((facts.commit.as_str(), facts.dirty), (commit, false));
        assert!(parse(&(clean + "? new.yaml\n")).unwrap().dirty);
        assert_eq!(parse("# branch.oid (initial)\n"), None);
        assert_eq!(parse(""), None);
    }
}
