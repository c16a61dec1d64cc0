//! `sandbook.lock`: what was accepted of plugins that don't lie in the project.

mod proof;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::str::Utf8Error;

use sandbook_runbook::{Ask, KeyName, PluginName, Report, Slot, Source, read_document};
use serde::{Deserialize, Serialize};

use self::proof::WireProof;
use crate::asked::{Asked, SlotAsked};
use crate::bounded::read_file;
use crate::plugins::Proofs;
use crate::refused::Refused;
use crate::replace::replace;

/// The file beside `sandbook.yaml`.
pub const LOCK_FILE: &str = "sandbook.lock";

/// The largest file that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// The format that is written.
const VERSION: u32 = 1;

const HEADING: &str = "\
# What was accepted of the plugins that don't lie in the project. Written by `sandbook plugin add`, `update` and
# `accept`; check it in, and review how it changes.
";

/// What was accepted, by the names that the project gives its plugins.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    entries: BTreeMap<PluginName, Entry>,
}

/// An accepted plugin.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Where it came from.
    pub(crate) source: String,
    pub(crate) asked: Asked,
    /// Of an image, the digest of its manifest.
    pub(crate) image: Option<sandbook_registry::Digest>,
    /// Who had to have signed it, and the signatures that show that they have. They are no secret, and nothing is
    /// believed of them that isn't verified.
    pub(crate) proofs: Proofs,
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

    /// What was accepted of a plugin.
    pub(crate) fn entry(&self, name: &PluginName) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Refuses a plugin that isn't what was accepted; says by which command it would be.
    pub(crate) fn verify(
        &self,
        name: &PluginName,
        source: &str,
        asked: &Asked,
        command: &str,
    ) -> Result<(), Refused> {
        let accept = format!(
            "see what it asks for, and accept it if that is right: `sandbook plugin {command} {name}`"
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

    /// Drops the entries of all other plugins.
    pub(crate) fn keep_only(&mut self, kept: &BTreeSet<PluginName>) {
        self.entries.retain(|name, _| kept.contains(name));
    }

    /// Puts an entry in the place of whatever is there.
    pub(crate) fn put(&mut self, name: PluginName, entry: Entry) {
        self.entries.insert(name, entry);
    }

    /// Takes an entry out; says whether there was one.
    pub(crate) fn take(&mut self, name: &PluginName) -> bool {
        self.entries.remove(name).is_some()
    }

    /// Writes the file, in one step. Whoever changes it has read it in their own [`turn`](crate::replace::turn), so that
    /// what others have accepted meanwhile stays.
    ///
    /// # Errors
    ///
    /// It can't be written, or would be more than is read. What was there before still is.
    pub(crate) fn write(&self) -> Result<(), Refused> {
        let path = &self.path;
        let failed =
            || Refused::because(format!("lock file `{}` can't be written", path.display()));
        let text = text(&self.entries).map_err(|error| failed().caused_by(error))?;
        // What strangers wrote is in it, and must not keep it from being read.
        entries(text.clone().into_bytes(), path).map_err(|fault| match fault {
            LockFault::Document(report) => failed().caused_by(report.faults.first().map_or_else(
                || "it could not be read again".to_owned(),
                |fault| format!("it could not be read again: {}", fault.message),
            )),
            fault => failed().caused_by(fault),
        })?;
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
    /// A path, a URL or a reference to an image.
    source: String,
    version: String,
    digest: String,
    /// Of an image, the digest of its manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    allow: Vec<String>,
    slots: BTreeMap<String, WireSlot>,
    reveal: bool,
    /// By the names of the keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    signed_by: BTreeMap<String, WireProof>,
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
        let image = self.image.map(|digest| digest.parse()).transpose();
        let proofs = self.signed_by.into_iter().map(|(key, proof)| {
            let key = KeyName::new(key).map_err(|fault| fault.to_string())?;
            Ok((key, proof.read()?))
        });
        Ok(Entry {
            source: self.source,
            asked,
            image: image.map_err(|fault: sandbook_registry::DigestError| fault.to_string())?,
            proofs: proofs.collect::<Result<_, String>>()?,
        })
    }
}

fn text(entries: &BTreeMap<PluginName, Entry>) -> Result<String, serde_yaml::Error> {
    let plugins = entries.iter().map(|(name, entry)| {
        let Entry {
            source,
            asked,
            image,
            proofs,
        } = entry;
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
            image: image.map(|digest| digest.to_string()),
            signed_by: proofs
                .iter()
                .map(|(key, proof)| (key.to_string(), WireProof::of(proof)))
                .collect(),
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

    use sandbook_registry::Signature;
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

    fn entry(plugin: &str, asked: Asked) -> Entry {
        Entry {
            source: format!("/opt/{plugin}.wasm"),
            asked,
            image: None,
            proofs: Proofs::new(),
        }
    }

    fn accept(root: &Path, plugin: &str, asked: Asked) {
        let mut lock = Lock::read(root).unwrap();
        lock.keep_only(&["a", "b"].map(name).into());
        lock.put(name(plugin), entry(plugin, asked));
        lock.write().unwrap();
    }

    fn refused(root: &Path, asked: &Asked) -> Option<String> {
        let lock = Lock::read(root).unwrap();
        let verified = lock.verify(&name("b"), "/opt/b.wasm", asked, "accept");
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
    fn signatures_are_kept_to_the_byte() {
        let dir = tempfile::tempdir().unwrap();
        let mut lock = Lock::read(dir.path()).unwrap();
        let key = |name: &str| KeyName::new(name).unwrap();
        let proofs = Proofs::from([
            (
                key("a"),
                Signature::Minisign(
                    "untrusted comment: x\n  RU: #\n\ntrusted comment: \t \nq==\n".to_owned(),
                ),
            ),
            (key("b"), Signature::Blob("MEU=".to_owned())),
            (
                key("c"),
                Signature::Image {
                    manifest: "{ \"a\":  'b' }\n ".to_owned(),
                    payload: "{\"critical\":{}}".to_owned(),
                    signature: "MEQ=".to_owned(),
                },
            ),
        ]);
        let image = sandbook_registry::Digest::of(b"manifest");
        let of_image = Entry {
            image: Some(image),
            proofs: proofs.clone(),
            ..entry("b", asked(&[], "one"))
        };
        lock.put(name("b"), of_image);
        lock.write().unwrap();
        let read = Lock::read(dir.path()).unwrap();
        let entry = read.entry(&name("b")).unwrap();
        assert_eq!((&entry.proofs, entry.image), (&proofs, Some(image)));
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        accept(dir.path(), "a", asked(&[], "one"));
        let mut lock = Lock::read(dir.path()).unwrap();
        for manifest in ["{".repeat(2000), "x".repeat(LARGEST)] {
            let proof = Signature::Image {
                manifest,
                payload: String::new(),
                signature: String::new(),
            };
            let proofs = Proofs::from([(KeyName::new("ops").unwrap(), proof)]);
            let strange = Entry {
                proofs,
                ..entry("b", asked(&[], "one"))
            };
            lock.put(name("b"), strange);
            let refused = lock.write().unwrap_err();
            assert!(refused.source().is_some(), "{refused}");
            let still = Lock::read(dir.path()).unwrap();
            assert!(still.entry(&name("a")).is_some() && still.entry(&name("b")).is_none());
        }
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
