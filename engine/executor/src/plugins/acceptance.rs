//! What a person may accept of a plugin, and writing that down.

use std::collections::BTreeSet;
use std::path::PathBuf;

use sandbook_runbook::{KeyName, PluginName};

use super::change::{Edit, Held};
use super::fetched;
use crate::asked::{Asked, Change};
use crate::lock::{Entry, Lock};
use crate::project::Project;
use crate::refused::Refused;

/// A plugin that a person may accept, with what was accepted before. Nothing of it is in place yet.
#[derive(Debug)]
pub struct Acceptance {
    /// What it asks for.
    pub asked: Asked,
    /// What was accepted before; none where nothing was.
    pub before: Option<Asked>,
    /// Where it comes from, as the project says it.
    pub source: String,
    /// What it calls itself.
    pub calls_itself: PluginName,
    /// The keys that have signed it, of those that must have.
    pub signed_by: Vec<KeyName>,
    pub(super) name: PluginName,
    pub(super) root: PathBuf,
    pub(super) parts: Parts,
}

/// What accepting it puts in place.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The component, of one that was fetched.
    pub(super) component: Option<Vec<u8>>,
    /// What the lock says of it; nothing of one that lies in the project.
    pub(super) entry: Option<Entry>,
    /// Whether the lock says just that already.
    pub(super) is_there: bool,
    /// How `sandbook.yaml` changes.
    pub(super) edit: Option<Edit>,
}

impl Acceptance {
    /// In what it differs from what was accepted before.
    pub fn changes(&self) -> Vec<Change> {
        self.asked.changes_since(self.before.as_ref())
    }

    /// Whether it is what was accepted before, from the same place and signed by the same.
    pub fn is_accepted(&self) -> bool {
        let before = self.before.as_ref();
        self.parts.is_there
            && self.parts.edit.is_none()
            && before.is_some_and(|before| before.digest == self.asked.digest)
            && self.changes().is_empty()
    }

    /// Puts it in place: the component, the lock, `sandbook.yaml`, each in one step and in this order. Whatever comes
    /// in between, nothing is used that wasn't accepted, and `check` says what is missing.
    ///
    /// # Errors
    ///
    /// A file can't be written, or `sandbook.yaml` is another one than when this was shown.
    pub fn accept(self) -> Result<(), Refused> {
        let is_accepted = self.is_accepted();
        let Acceptance {
            name,
            root,
            parts,
            asked,
            ..
        } = self;
        let _held = Held::of(&root)?;
        if let Some(edit) = &parts.edit {
            edit.is_still_right(&root)?;
        }
        if let Some(component) = &parts.component
            && !fetched::has(&root, &asked.digest)
        {
            fetched::keep(&root, &asked.digest, component)?;
        }
        if let Some(entry) = parts.entry
            && !is_accepted
        {
            let mut lock = Lock::read(&root)?;
            // As the project is now: another process may have added a plugin since this one was shown.
            let mut kept = Project::open(&root)?.all_outside();
            kept.insert(name.clone());
            lock.keep_only(&kept);
            lock.put(name, entry);
            lock.write()?;
        }
        match &parts.edit {
            Some(edit) => edit.write(&root),
            None => Ok(()),
        }
    }
}

impl Project {
    /// The plugins whose entries belong in the lock.
    pub(super) fn all_outside(&self) -> BTreeSet<PluginName> {
        let plugins = self.settings().plugins.iter();
        plugins
            .filter(|(_, plugin)| self.is_outside(plugin))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::mpsc;
    use std::time::Duration;

    use sandbook_sandbox::Digest;

    use super::*;
    use crate::plugins::Proofs;

    /// A plugin from outside, to be accepted.
    fn acceptance(root: &Path, name: &str) -> Acceptance {
        let asked = Asked {
            version: "1.0.0".to_owned(),
            digest: Digest::of(name.as_bytes()),
            allow: Vec::new(),
            slots: BTreeMap::new(),
            reveal: false,
            inside: None,
        };
        let source = format!("/opt/{name}.wasm");
        let entry = Entry {
            source: source.clone(),
            asked: asked.clone(),
            image: None,
            proofs: Proofs::new(),
        };
        Acceptance {
            asked,
            before: None,
            source,
            calls_itself: PluginName::new(name).unwrap(),
            signed_by: Vec::new(),
            name: PluginName::new(name).unwrap(),
            root: root.to_owned(),
            parts: Parts {
                entry: Some(entry),
                ..Parts::default()
            },
        }
    }

    #[test]
    fn what_was_fetched_and_keys_are_files_of_the_project() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let project =
            "plugins: { x: \"https://example.com/x.wasm\" }\nkeys: { ops: { cosign: ops.pub } }\n";
        std::fs::write(root.join("sandbook.yaml"), project).unwrap();
        std::fs::write(root.join("ops.pub"), "").unwrap();
        let mut fetched = acceptance(root, "x");
        let place = fetched::place(root, &fetched.asked.digest);
        fetched.parts.component = Some(b"x".to_vec());
        let files = || Project::open(root).unwrap().files().unwrap();
        assert!(files().contains(&root.join("ops.pub")) && !files().contains(&place));
        fetched.accept().unwrap();
        assert!(files().contains(&place), "{:?}", files());
    }

    #[test]
    fn what_others_accept_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let names = ["a", "b", "c", "d"];
        let plugins = names.map(|name| format!("{name}: /opt/{name}.wasm"));
        let project = format!("plugins: {{ {} }}\n", plugins.join(", "));
        std::fs::write(root.join("sandbook.yaml"), project).unwrap();
        // All are shown before any is accepted.
        let shown = ["a", "b", "c"].map(|name| acceptance(root, name));
        for acceptance in shown {
            acceptance.accept().unwrap();
        }
        let is_accepted = |name: &str| {
            let lock = Lock::read(root).unwrap();
            lock.entry(&PluginName::new(name).unwrap()).is_some()
        };
        assert_eq!(names.map(is_accepted), [true, true, true, false]);
        // And nobody writes while another one reads and writes.
        let held = Held::of(root).unwrap();
        let waiting = acceptance(root, "d");
        let (sender, done) = mpsc::channel();
        let other = std::thread::spawn(move || {
            waiting.accept().unwrap();
            sender.send(()).unwrap();
        });
        assert!(done.recv_timeout(Duration::from_millis(100)).is_err());
        assert!(!is_accepted("d"));
        drop(held);
        done.recv().unwrap();
        other.join().unwrap();
        assert_eq!(names.map(is_accepted), [true; 4]);
    }
}
