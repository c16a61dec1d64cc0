//! Sending the ledger's signed head to where whoever has this machine can't rewrite it.

mod file;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sandbook_journal::{
    Anchors, Clock as _, Digest, Reader, RunId, StateDir, StoreError, SystemClock,
};
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

/// A file among the anchors.
#[derive(Debug)]
pub struct AnchorFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it has; nothing where it isn't there.
    pub bytes: io::Result<Vec<u8>>,
    /// The last entry of the ledger that it was sent a head of; 0 for none.
    pub sent: u64,
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

    /// Sends a head. Where it `has` it by the book, it gets it again only if it is a file that has lost it.
    async fn send(&self, line: String, hash: Digest, has: bool) -> Result<(), String> {
        match &self.to {
            Place::Webhook(_) if has => Ok(()),
            Place::Webhook(url) => network::post(url.clone(), line, self.deadline)
                .await
                .map_err(|error| error.to_string()),
            Place::File(path) => {
                let path = path.clone();
                let append = tokio::task::spawn_blocking(move || {
                    if has && file::ends_with(&path, &hash.to_string()) {
                        return Ok(());
                    }
                    file::append(&path, &line)
                });
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
        for anchor in anchors {
            let has = book.has(&anchor.key())? >= head.seq;
            let (anchor, line) = (anchor.clone(), head.line());
            let (seq, hash) = (head.seq, head.hash);
            sending.spawn(async move {
                let outcome = anchor.send(line, hash, has).await.map(|()| seq);
                let anchored = Anchored {
                    anchor: anchor.shown(),
                    outcome,
                };
                (anchor.key(), anchored)
            });
        }
        let all = sending.join_all().await;
        let have = all.iter().filter(|(_, anchored)| anchored.outcome.is_ok());
        book.have(have.map(|(key, _)| key.as_str()), &head)?;
        Ok(all.into_iter().map(|(_, anchored)| anchored).collect())
    }

    /// Whether there is nowhere to send anything to.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// What the project's files among its anchors have got, each read within its deadline.
    ///
    /// # Errors
    ///
    /// When the record can't be read. That of an anchor is told with it.
    pub fn files(&self, record: &Reader) -> Result<Vec<AnchorFile>, StoreError> {
        let mut files = Vec::new();
        for anchor in &self.anchors {
            let Place::File(path) = &anchor.to else {
                continue;
            };
            // What is in the book was in the file before.
            let sent = record.anchor_has(&anchor.key())?;
            files.push(AnchorFile {
                path: path.clone(),
                bytes: file::read_within(path, anchor.deadline),
                sent,
            });
        }
        Ok(files)
    }
}
