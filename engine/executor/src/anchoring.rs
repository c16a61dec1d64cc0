//! Sending the ledger's signed head to where whoever has this machine can't rewrite it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sandbook_journal::{Anchors, Clock as _, RunId, StateDir, StoreError, SystemClock};
use sandbook_runbook::{Anchor, Destination};
use sandbook_sandbox::network;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

/// The anchors of a project, and the record whose head they get.
#[derive(Debug, Clone)]
pub struct Anchoring {
    pub(crate) state: StateDir,
    pub(crate) anchors: Vec<ToAnchor>,
    /// Webhooks get it as well. In a rehearsal and in a dry run nothing real is reached, and they are owed it.
    pub(crate) with_webhooks: bool,
}

/// An anchor whose path is known.
#[derive(Debug, Clone)]
pub(crate) struct ToAnchor {
    to: Place,
    deadline: Duration,
}

#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Webhook(Url),
}

/// What came of sending to an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// The anchor, as shown to people.
    pub anchor: String,
    /// The ledger's entry that it has now, or why it doesn't.
    pub outcome: Result<u64, String>,
}

impl ToAnchor {
    /// An anchor of the project in this folder.
    pub(crate) fn new(anchor: &Anchor, root: &Path) -> ToAnchor {
        ToAnchor {
            to: match &anchor.to {
                Destination::File(path) => Place::File(root.join(path)),
                Destination::Webhook(url) => Place::Webhook(url.clone()),
            },
            deadline: anchor.deadline,
        }
    }

    /// Whether what it has got can still be there. A file can be gone.
    fn is_there(&self) -> bool {
        match &self.to {
            Place::File(path) => path.exists(),
            Place::Webhook(_) => true,
        }
    }

    /// As the book of anchors has it.
    fn key(&self) -> String {
        match &self.to {
            Place::File(path) => format!("file {}", path.display()),
            Place::Webhook(url) => format!("webhook {url}"),
        }
    }

    /// As people are shown it: a webhook's path can be as good as a password.
    fn shown(&self) -> String {
        match &self.to {
            Place::File(path) => path.display().to_string(),
            Place::Webhook(url) => url.origin().ascii_serialization(),
        }
    }

    async fn send(&self, line: String) -> Result<(), String> {
        match &self.to {
            Place::Webhook(url) => network::post(url.clone(), line, self.deadline)
                .await
                .map_err(|error| error.to_string()),
            Place::File(path) => {
                let path = path.clone();
                let append = tokio::task::spawn_blocking(move || append(&path, &line));
                match timeout(self.deadline, append).await {
                    Ok(Ok(appended)) => appended.map_err(|error| error.to_string()),
                    Ok(Err(panicked)) => Err(panicked.to_string()),
                    Err(_) => Err(format!("it took longer than {:?}", self.deadline)),
                }
            }
        }
    }
}

impl Anchoring {
    /// Sends the ledger's head as it is now to all anchors that don't have it, each within its deadline and all at
    /// the same time. `run` is the one whose end it is for.
    ///
    /// # Errors
    ///
    /// When the record can't be read or written. What an anchor does is no error, but in what is returned.
    pub async fn send(&self, run: Option<RunId>) -> Result<Vec<Anchored>, StoreError> {
        let anchors = self.anchors.iter().filter(|anchor| match anchor.to {
            Place::File(_) => true,
            Place::Webhook(_) => self.with_webhooks,
        });
        let anchors: Vec<&ToAnchor> = anchors.collect();
        if anchors.is_empty() {
            return Ok(Vec::new());
        }
        let book = Anchors::open(&self.state)?;
        let Some(head) = book.head(run, SystemClock.now())? else {
            return Ok(Vec::new());
        };
        let mut sending = JoinSet::new();
        let mut all = Vec::new();
        for anchor in anchors {
            if anchor.is_there() && book.has(&anchor.key())? >= head.seq {
                let anchored = Anchored {
                    anchor: anchor.shown(),
                    outcome: Ok(head.seq),
                };
                all.push((anchor.key(), anchored));
                continue;
            }
            let (anchor, line) = (anchor.clone(), head.line());
            let seq = head.seq;
            sending.spawn(async move {
                let outcome = anchor.send(line).await.map(|()| seq);
                let anchored = Anchored {
                    anchor: anchor.shown(),
                    outcome,
                };
                (anchor.key(), anchored)
            });
        }
        all.extend(sending.join_all().await);
        let have = all.iter().filter(|(_, anchored)| anchored.outcome.is_ok());
        book.have(have.map(|(key, _)| key.as_str()), &head)?;
        Ok(all.into_iter().map(|(_, anchored)| anchored).collect())
    }

    /// Whether there is nowhere to send anything to.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// What the project's files among its anchors have got: each one's path, and its text. One that isn't there has
    /// got nothing.
    ///
    /// # Errors
    ///
    /// When one that is there can't be read.
    pub fn files(&self) -> io::Result<Vec<(PathBuf, String)>> {
        let paths = self.anchors.iter().filter_map(|anchor| match &anchor.to {
            Place::File(path) => Some(path),
            Place::Webhook(_) => None,
        });
        let read = |path: &PathBuf| match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok((path.clone(), String::new()))
            }
            read => Ok((path.clone(), read?)),
        };
        paths.map(read).collect()
    }
}

/// Adds a line to a file, durably. One that was cut off before is left as it is.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let begins = if ends_in_a_line(&mut file)? { "" } else { "\n" };
    file.write_all(format!("{begins}{line}\n").as_bytes())?;
    file.sync_all()
}

fn ends_in_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let folder = std::env::temp_dir().join(format!("anchoring-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder of this process alone");
        let path = folder.join("heads");
        let appended = append(&path, "one")
            .and_then(|()| OpenOptions::new().append(true).open(&path))
            .and_then(|mut file| file.write_all(b"cut"))
            .and_then(|()| append(&path, "two"))
            .and_then(|()| std::fs::read_to_string(&path));
        let removed = std::fs::remove_dir_all(&folder);
        assert_eq!(appended.ok().as_deref(), Some("one\ncut\ntwo\n"));
        assert!(removed.is_ok());
    }
}
