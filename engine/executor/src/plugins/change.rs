//! Changing a project's files, one process at a time.

use std::fs::File;
use std::path::Path;

use sandbook_runbook::{EditFault, PluginName, ProjectPlugin, Source, with_plugin, without_plugin};

use crate::lock::LOCK_FILE;
use crate::project::{PROJECT_FILE, Project, read};
use crate::refused::Refused;
use crate::replace::{replace, turn};

/// The right to change a project's files. Others wait for it, and what is changed has to be read while it is held.
#[derive(Debug)]
pub(super) struct Held {
    _turn: File,
}

/// A change of `sandbook.yaml`.
#[derive(Debug)]
pub(super) struct Edit {
    before: String,
    after: String,
}

impl Held {
    pub(super) fn of(root: &Path) -> Result<Held, Refused> {
        let turn = turn(&root.join(LOCK_FILE));
        let turn = turn.map_err(|error| Refused::unreadable("folder", root, error))?;
        Ok(Held { _turn: turn })
    }
}

impl Edit {
    /// The change that names one plugin more.
    pub(super) fn adding(
        project: &Project,
        name: &PluginName,
        plugin: &ProjectPlugin,
    ) -> Result<Edit, Refused> {
        Edit::by(project, |source| with_plugin(source, name, plugin))
    }

    /// The change that names one less.
    pub(super) fn removing(project: &Project, name: &PluginName) -> Result<Edit, Refused> {
        Edit::by(project, |source| without_plugin(source, name))
    }

    fn by(
        project: &Project,
        edit: impl FnOnce(&Source) -> Result<String, EditFault>,
    ) -> Result<Edit, Refused> {
        let before = text(project.root())?;
        let source = Source {
            name: PROJECT_FILE.to_owned(),
            text: before,
        };
        match edit(&source) {
            Ok(after) => Ok(Edit {
                before: source.text,
                after,
            }),
            Err(EditFault::Faulty(report)) => Err(Refused::Invalid(vec![report])),
            Err(EditFault::ByHand { lines }) => {
                let message =
                    format!("`{PROJECT_FILE}` is written in a way that can't be changed for you");
                Err(Refused::because(message).help(match lines {
                    Some(lines) => {
                        format!("write this into it, then `sandbook plugin update`:\n{lines}")
                    }
                    None => "take the plugin out by hand".to_owned(),
                }))
            }
        }
    }

    /// Whether the file is what this changes.
    pub(super) fn is_still_right(&self, root: &Path) -> Result<(), Refused> {
        if text(root)? == self.before {
            return Ok(());
        }
        let message = format!("`{PROJECT_FILE}` was changed meanwhile, so nothing was written");
        Err(Refused::because(message).help("do it again"))
    }

    pub(super) fn write(&self, root: &Path) -> Result<(), Refused> {
        let path = root.join(PROJECT_FILE);
        replace(&path, self.after.as_bytes(), 0o644).map_err(|error| {
            Refused::because(format!("`{}` can't be written", path.display()))
                .caused_by(error)
                .help("see to it that it can be, and do it again")
        })
    }
}

fn text(root: &Path) -> Result<String, Refused> {
    Ok(read(root, &root.join(PROJECT_FILE), "project file")?.text)
}
