//! Taking a plugin out of a project.

use std::path::PathBuf;

use sandbook_runbook::PluginName;

use super::change::{Edit, Held};
use crate::lock::Lock;
use crate::project::Project;
use crate::refused::Refused;

/// A plugin that may be taken out. Nothing is changed yet.
#[derive(Debug)]
pub struct Removal {
    /// The runbooks that use it.
    pub used_by: Vec<String>,
    /// The runbooks of which that can't be told, since they have faults.
    pub unclear: Vec<String>,
    name: PluginName,
    root: PathBuf,
    edit: Edit,
}

impl Project {
    /// What taking a plugin out would mean.
    ///
    /// # Errors
    ///
    /// There is none of that name, or `sandbook.yaml` can't be changed.
    pub fn removal(&self, name: &str) -> Result<Removal, Refused> {
        let (name, _) = self.named(name)?;
        let (mut used_by, mut unclear) = (Vec::new(), Vec::new());
        for listed in self.runbooks()? {
            match self.runbook(&listed) {
                Ok(runbook) if runbook.uses().any(|using| using.plugin == *name) => {
                    used_by.push(listed.name);
                }
                Ok(_) => {}
                Err(_) => unclear.push(listed.name),
            }
        }
        Ok(Removal {
            used_by,
            unclear,
            name: name.clone(),
            root: self.root().to_owned(),
            edit: Edit::removing(self, name)?,
        })
    }
}

impl Removal {
    /// Takes it out: of `sandbook.yaml`, then of the lock. What lies between is an entry that nobody asks for.
    ///
    /// # Errors
    ///
    /// A file can't be written, or `sandbook.yaml` is another one than when this was looked at.
    pub fn remove(self) -> Result<(), Refused> {
        let _held = Held::of(&self.root)?;
        self.edit.is_still_right(&self.root)?;
        let mut lock = Lock::read(&self.root)?;
        self.edit.write(&self.root)?;
        if lock.take(&self.name) {
            lock.write()?;
        }
        Ok(())
    }
}
