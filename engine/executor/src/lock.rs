//! `sandbook.lock`: what was accepted of plugins that don't lie in the project.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::str::Utf8Error;

use sandbook_runbook::{Ask, PluginName, Report, Slot, Source, read_document};
use serde::{Deserialize, Serialize};

use crate::asked::{Asked, Change, SlotAsked};
use crate::bounded::read_file;
use crate::refused::Refused;
use crate::replace::{folder_of, replace, turn};

/// The file beside `sandbook.yaml`.
pub const LOCK_FILE: &str = "sandbook.lock";

/// The largest file that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// The format that is written.
const VERSION: u32 = 1;

const HEADING: &str = "\
# What was accepted of the plugins that don't lie in the project. Written by `sandbook plugin accept`;
# check it in, and review how it changes.
";

/// What was accepted, by the names that the project gives its plugins.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    entries: BTreeMap<PluginName, Entry>,
}

/// An accepted plugin.
#[derive(Debug, Clone)]
struct Entry {
    /// Where it came from.
    source: String,
    asked: Asked,
}

/// A plugin that a person may accept, with what was accepted before.
#[derive(Debug)]
pub struct Acceptance {
    /// The entries that go, since their plugins need none any more.
    gone: Vec<PluginName>,
    /// What it asks for.
    pub asked: Asked,
    /// What was accepted before; none where nothing was.
    pub before: Option<Asked>,
    /// Where it comes from, as the project says it.
    pub source: String,
    name: PluginName,
    lock: Lock,
}

impl Lock {
    /// Reads the lock of the project in this folder; one that isn't there is empty.
    pub(crate) fn read(root: &Path) -> Result<Lock, Refused> {
        let path = root.join(LOCK_FILE);
        let bytes = match read_file(&path, LARGEST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Refused::unreadable("lock file", &path, error)),
        };
        let entries = match bytes.is_empty() {
            true => BTreeMap::new(),
            false => entries(bytes, &path).map_err(|fault| unusable(&path, fault))?,
        };
        Ok(Lock { path, entries })
    }

    /// Refuses a plugin that isn't what was accepted.
    pub(crate) fn verify(
        &self,
        name: &PluginName,
        source: &str,
        asked: &Asked,
    ) -> Result<(), Refused> {
        let accept = format!(
            "see what it asks for, and accept it if that is right: `sandbook plugin accept {name}`"
        );
        let Some(entry) = self.entries.get(name) else {
            let message = format!(
                "plugin `{name}` doesn't lie in the project (`{source}`), and `{LOCK_FILE}` has no entry for it"
            );
            return Err(Refused::because(message).help(accept));
        };
        let changes = asked.changes_since(Some(&entry.asked));
        if changes.is_empty() && entry.asked.digest == asked.digest {
            return Ok(());
        }
        let mut message =
            format!("plugin `{name}` (`{source}`) is not what `{LOCK_FILE}` says was accepted");
        if entry.asked.digest != asked.digest {
            let was = &entry.asked;
            message.push_str(&format!("\n~ digest {}, was {}", asked.digest, was.digest));
            if asked.version != was.version {
                let (version, was) = (&asked.version, &was.version);
                message.push_str(&format!("\n~ version {version}, was {was}"));
            }
        }
        message.extend(changes.iter().map(|change| format!("\n{change}")));
        Err(Refused::because(message).help(accept))
    }

    /// What there is to accept of a plugin. Entries of plugins that are not among `kept` are dropped by it.
    pub(crate) fn acceptance(
        self,
        name: PluginName,
        source: String,
        asked: Asked,
        kept: &dyn Fn(&PluginName) -> bool,
    ) -> Acceptance {
        let gone = self.entries.keys().filter(|name| !kept(name));
        Acceptance {
            gone: gone.cloned().collect(),
            before: self.entries.get(&name).map(|entry| entry.asked.clone()),
            asked,
            source,
            name,
            lock: self,
        }
    }
}

impl Acceptance {
    /// In what it differs from what was accepted before.
    pub fn changes(&self) -> Vec<Change> {
        self.asked.changes_since(self.before.as_ref())
    }

    /// Whether it is what was accepted before.
    pub fn is_accepted(&self) -> bool {
        let before = self.before.as_ref();
        before.is_some_and(|before| before.digest == self.asked.digest) && self.changes().is_empty()
    }

    /// Writes it down, in one step, beside what others have accepted meanwhile.
    ///
    /// # Errors
    ///
    /// The file can't be written. What was there before still is.
    pub fn accept(self) -> Result<(), Refused> {
        let path = &self.lock.path;
        let failed =
            || Refused::because(format!("lock file `{}` can't be written", path.display()));
        let _turn = turn(path).map_err(|error| failed().caused_by(error))?;
        let mut entries = Lock::read(folder_of(path))?.entries;
        entries.retain(|name, _| !self.gone.contains(name));
        let entry = Entry {
            source: self.source,
            asked: self.asked,
        };
        entries.insert(self.name, entry);
        let text = text(&entries).map_err(|error| failed().caused_by(error))?;
        replace(path, text.as_bytes(), 0o644).map_err(|error| failed().caused_by(error))
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping with `version` and `plugins`"
)]
struct Wire<E> {
    version: u32,
    plugins: BTreeMap<String, E>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping of what was accepted")]
struct WireEntry {
    /// A path; in time also what is fetched.
    source: String,
    version: String,
    digest: String,
    allow: Vec<String>,
    slots: BTreeMap<String, WireSlot>,
    reveal: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping that describes a slot")]
struct WireSlot {
    description: String,
    optional: bool,
}

/// Why a lock file can't be used.
#[derive(Debug, thiserror::Error)]
enum LockFault {
    #[error("it is not UTF-8 text")]
    NotText(#[source] Utf8Error),
    /// What is wrong with it as a document, with places.
    #[error("it is no document of the kind that is wanted")]
    Document(Box<Report>),
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
    #[error("it has version {0}, and only {VERSION} is known")]
    Version(u32),
    #[error("its entry `{entry}`: {fault}")]
    Entry { entry: String, fault: String },
}

fn entries(bytes: Vec<u8>, path: &Path) -> Result<BTreeMap<PluginName, Entry>, LockFault> {
    let text = String::from_utf8(bytes).map_err(|error| LockFault::NotText(error.utf8_error()))?;
    let name = path.display().to_string();
    let document = read_document(&Source { name, text })
        .map_err(|report| LockFault::Document(Box::new(report)))?;
    let wire: Wire<serde_json::Value> = serde_json::from_value(document)?;
    if wire.version != VERSION {
        return Err(LockFault::Version(wire.version));
    }
    let entry = |(name, entry): (String, serde_json::Value)| {
        let read = PluginName::new(&name).map_err(|fault| fault.to_string());
        let wire = serde_json::from_value::<WireEntry>(entry).map_err(|fault| fault.to_string());
        match read.and_then(|name| Ok((name, wire?.read()?))) {
            Ok(read) => Ok(read),
            Err(fault) => Err(LockFault::Entry { entry: name, fault }),
        }
    };
    wire.plugins.into_iter().map(entry).collect()
}

impl WireEntry {
    fn read(self) -> Result<Entry, String> {
        let allow = self.allow.iter().map(|line| {
            Ask::parse(line).map_err(|fault| format!("`{line}` is not an allow line: {fault}"))
        });
        let slots = self.slots.into_iter().map(|(slot, asked)| {
            let slot = Slot::new(&slot).map_err(|fault| fault.to_string())?;
            let asked = SlotAsked {
                what_for: asked.description,
                optional: asked.optional,
            };
            Ok((slot, asked))
        });
        let asked = Asked {
            digest: self
                .digest
                .parse()
                .map_err(|fault: sandbook_sandbox::DigestError| fault.to_string())?,
            version: self.version,
            allow: allow.collect::<Result<_, _>>()?,
            slots: slots.collect::<Result<_, String>>()?,
            reveal: self.reveal,
            inside: None,
        };
        Ok(Entry {
            source: self.source,
            asked,
        })
    }
}

fn text(entries: &BTreeMap<PluginName, Entry>) -> Result<String, serde_yaml::Error> {
    let plugins = entries.iter().map(|(name, Entry { source, asked })| {
        let slots = asked.slots.iter().map(|(slot, asked)| {
            let wire = WireSlot {
                description: asked.what_for.clone(),
                optional: asked.optional,
            };
            (slot.to_string(), wire)
        });
        let wire = WireEntry {
            source: source.clone(),
            version: asked.version.clone(),
            digest: asked.digest.to_string(),
            allow: asked.allow.iter().map(ToString::to_string).collect(),
            slots: slots.collect(),
            reveal: asked.reveal,
        };
        (name.to_string(), wire)
    });
    let wire = Wire {
        version: VERSION,
        plugins: plugins.collect(),
    };
    Ok(HEADING.to_owned() + &serde_yaml::to_string(&wire)?)
}

fn unusable(path: &Path, fault: LockFault) -> Refused {
    match fault {
        LockFault::Document(report) => Refused::Invalid(vec![*report]),
        fault => Refused::because(format!("lock file `{}` can't be used", path.display()))
            .caused_by(fault)
            .help("restore it from version control, or remove it and accept its plugins anew"),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::fs;

    use sandbook_sandbox::Digest;

    use super::*;

    fn asked(allow: &[&str], component: &str) -> Asked {
        let slot = SlotAsked {
            what_for: "an API key: \"of # yours\"".to_owned(),
            optional: true,
        };
        Asked {
            version: "1.0.0".to_owned(),
            digest: Digest::of(component.as_bytes()),
            allow: allow.iter().map(|ask| Ask::parse(ask).unwrap()).collect(),
            slots: BTreeMap::from([(Slot::new("api").unwrap(), slot)]),
            reveal: false,
            inside: None,
        }
    }

    fn name(name: &str) -> PluginName {
        PluginName::new(name).unwrap()
    }

    fn accept(root: &Path, plugin: &str, asked: Asked) {
        let lock = Lock::read(root).unwrap();
        let source = format!("/opt/{plugin}.wasm");
        lock.acceptance(name(plugin), source, asked, &|name| name.as_str() != "gone")
            .accept()
            .unwrap();
    }

    fn refused(root: &Path, asked: &Asked) -> Option<String> {
        let lock = Lock::read(root).unwrap();
        let verified = lock.verify(&name("b"), "/opt/b.wasm", asked);
        verified.err().map(|refused| refused.to_string())
    }

    #[test]
    fn what_was_accepted_is_used_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let first = asked(&["GET https://h/a", "GET {url}"], "one");
        assert!(refused(root, &first).unwrap().contains("has no entry"));
        accept(root, "b", first.clone());
        accept(root, "a", asked(&[], "another"));
        assert_eq!(refused(root, &first), None);

        // A change of the digest, and one of what it asks for.
        let said = refused(root, &asked(&["GET https://h/a", "GET {url}"], "two")).unwrap();
        assert!(said.contains("\n~ digest sha256:"), "{said}");
        let said = refused(root, &asked(&["* https://h/a", "GET {url}"], "one")).unwrap();
        assert!(said.contains("\n+ request * https://h/a"), "{said}");
        assert!(!said.contains("digest"), "{said}");
        let revealing = Asked {
            reveal: true,
            ..first.clone()
        };
        let said = refused(root, &revealing).unwrap();
        assert!(said.contains("\n+ the plain text of secrets"), "{said}");
    }

    #[test]
    fn what_others_accept_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let acceptances: Vec<_> = ["a", "b", "c"]
            .map(|plugin| {
                let lock = Lock::read(dir.path()).unwrap();
                lock.acceptance(name(plugin), plugin.to_owned(), asked(&[], plugin), &|_| {
                    true
                })
            })
            .into();
        for acceptance in acceptances {
            acceptance.accept().unwrap();
        }
        let lock = Lock::read(dir.path()).unwrap();
        let names: Vec<_> = lock.entries.keys().map(PluginName::as_str).collect();
        assert_eq!(names, ["a", "b", "c"]);
        // And nobody writes while another one reads and writes.
        let held = turn(&dir.path().join(LOCK_FILE)).unwrap();
        let waiting = dir.path().to_owned();
        let (sender, done) = std::sync::mpsc::channel();
        let other = std::thread::spawn(move || {
            accept(&waiting, "d", asked(&[], "d"));
            sender.send(()).unwrap();
        });
        let pause = std::time::Duration::from_millis(100);
        assert!(done.recv_timeout(pause).is_err());
        drop(held);
        done.recv().unwrap();
        other.join().unwrap();
    }

    #[test]
    fn the_file_is_sorted_and_drops_what_is_no_more() {
        let dir = tempfile::tempdir().unwrap();
        for plugin in ["b", "gone", "a"] {
            accept(dir.path(), plugin, asked(&["GET {url}"], plugin));
        }
        let text = fs::read_to_string(dir.path().join(LOCK_FILE)).unwrap();
        let place = |what: &str| text.find(what);
        assert!(
            place("\n  a:").unwrap() < place("\n  b:").unwrap(),
            "{text}"
        );
        assert_eq!(place("gone"), None, "{text}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_damaged_accepts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        accept(dir.path(), "b", asked(&["GET {url}"], "one"));
        let path = dir.path().join(LOCK_FILE);
        let whole = fs::read_to_string(&path).unwrap();
        for (from, to) in [
            ("version: 1\n", "version: 2\n"),
            ("sha256:", "md5:"),
            ("GET {url}", "FETCH {url}"),
            ("reveal: false", "reveal: false\n    trust: true"),
            ("    reveal: false\n", ""),
            ("  b:", "  B:"),
            ("plugins:", "- plugins:"),
            ("  b:\n", "  b: []\n  c:\n"),
            ("      api:\n", "      mail: x\n      api:\n"),
        ] {
            assert!(whole.contains(from), "{from} in {whole}");
            fs::write(&path, whole.replacen(from, to, 1)).unwrap();
            let refused = Lock::read(dir.path()).unwrap_err();
            let cause = refused.source().map(ToString::to_string);
            let said = format!("{refused} {}", cause.unwrap_or_default());
            assert!(!said.contains("struct"), "{said}");
        }
        // Of two entries neither is the right one.
        let (_, entry) = whole.split_once("  b:").unwrap();
        fs::write(&path, format!("{whole}  b:{entry}")).unwrap();
        let Refused::Invalid(reports) = Lock::read(dir.path()).unwrap_err() else {
            panic!("it has no place");
        };
        let fault = &reports[0].located()[0];
        assert_eq!(fault.message, "duplicate key `b`");
        assert!(fault.line > 10, "{}", fault.line);
        fs::write(&path, vec![b'#'; LARGEST + 1]).unwrap();
        assert!(Lock::read(dir.path()).is_err());
    }
}
