//! Where the project and the state are: what was said, then the environment, then what is usual.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sandbook_executor::{Engine, PROJECT_FILE, Project, is_path};
use sandbook_journal::{ReadError, Reader, StateDir};

use crate::arguments;
use crate::compiling::compiler;
use crate::delegated::Account;
use crate::problem::Problem;

/// What was said about places, by options and by the environment.
#[derive(Debug)]
pub(crate) struct Places {
    project: Option<PathBuf>,
    state: Option<PathBuf>,
    /// In the delegated mode, whose they are; then nothing was said about them.
    account: Option<Account>,
}

impl Places {
    pub(crate) fn new(given: arguments::Places) -> Places {
        Places {
            project: given.project.or_else(|| path_variable("SANDBOOK_PROJECT")),
            state: given.state.or_else(|| path_variable("SANDBOOK_HOME")),
            account: None,
        }
    }

    /// An account's own places, whatever the caller says.
    pub(crate) fn of_account(account: Account) -> Places {
        Places {
            project: None,
            state: None,
            account: Some(account),
        }
    }

    /// Whose places they are when that isn't who asks.
    pub(crate) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// The project: the one that was named, else the nearest upwards.
    pub(crate) fn project(&self) -> Result<Project, Problem> {
        self.project_from(Path::new("."))
    }

    /// The project that a runbook belongs to; one that is named by its path belongs to the nearest above it.
    pub(crate) fn project_of(&self, runbook: &str) -> Result<Project, Problem> {
        match (Path::new(runbook).parent(), is_path(runbook)) {
            (Some(folder), true) if !folder.as_os_str().is_empty() => self.project_from(folder),
            _ => self.project(),
        }
    }

    fn project_from(&self, folder: &Path) -> Result<Project, Problem> {
        match (&self.account, &self.project) {
            (Some(account), _) => account.project(),
            (None, Some(root)) => Ok(Project::open(root)?),
            (None, None) => Ok(Project::find(folder)?),
        }
    }

    /// The project, unless nothing points to one.
    pub(crate) fn project_if_any(&self) -> Result<Option<Project>, Problem> {
        let is_there = match &self.account {
            Some(account) => account.project_folder().is_some(),
            None => self.project.is_some() || is_in_a_project(),
        };
        is_there.then(|| self.project()).transpose()
    }

    /// The state directory's path, for runs of this project.
    pub(crate) fn state_of(&self, project: Option<&Project>) -> Result<PathBuf, Problem> {
        let said = self
            .state
            .clone()
            .or_else(|| project.and_then(Project::state));
        let usual = || match &self.account {
            Some(account) => Some(account.usual_state()),
            None => usual_state(path_variable("XDG_STATE_HOME"), path_variable("HOME")),
        };
        said.or_else(usual).ok_or_else(|| {
            Problem::wrong(
                "there is no place for the state: neither XDG_STATE_HOME nor HOME is set",
            )
            .help("name a folder with `--state` or $SANDBOOK_HOME")
        })
    }

    /// The state directory, which is made where it is missing.
    pub(crate) fn state(&self) -> Result<StateDir, Problem> {
        Ok(StateDir::open(&self.state_path()?)?)
    }

    fn state_path(&self) -> Result<PathBuf, Problem> {
        match &self.state {
            Some(path) => Ok(path.clone()),
            None => self.state_of(self.project_if_any()?.as_ref()),
        }
    }

    /// The engine over the state directory of this project. `jobs` bounds the attempts that run at once.
    pub(crate) fn engine(&self, project: &Project, jobs: u32) -> Result<Engine, Problem> {
        let engine = Engine::open(&self.state_of(Some(project))?, jobs)?;
        Ok(engine.compiled_by(compiler()))
    }

    /// The record, to be read. Looking at it makes no state directory.
    pub(crate) fn record(&self) -> Result<Reader, Problem> {
        record_in(&self.state_path()?)?.ok_or_else(|| ReadError::NoRuns.into())
    }

    /// The record, unless nothing was ever recorded there.
    pub(crate) fn record_if_any(&self) -> Result<Option<Reader>, Problem> {
        record_in(&self.state_path()?)
    }

    /// The record of a project, unless nothing was ever recorded there.
    pub(crate) fn record_of_project(&self, project: &Project) -> Result<Option<Reader>, Problem> {
        record_in(&self.state_of(Some(project))?)
    }
}

fn is_in_a_project() -> bool {
    let here = env::current_dir().unwrap_or_default();
    here.ancestors()
        .any(|folder| folder.join(PROJECT_FILE).is_file())
}

fn record_in(state: &Path) -> Result<Option<Reader>, Problem> {
    if !state.join("journal.db").exists() {
        return Ok(None);
    }
    Ok(Some(Reader::open(&StateDir::open(state)?)?))
}

fn usual_state(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    // The XDG specification has relative paths ignored.
    let xdg = xdg.filter(|path| path.is_absolute());
    Some(
        xdg.or_else(|| Some(home?.join(".local/state")))?
            .join("sandbook"),
    )
}

/// A variable that is set to something.
fn path_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| *value != OsString::new())
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_lies_where_xdg_has_it() {
        let some = |text: &str| Some(PathBuf::from(text));
        assert_eq!(
            usual_state(some("/x"), some("/home/a")),
            some("/x/sandbook")
        );
        assert_eq!(
            usual_state(some("x"), some("/home/a")),
            some("/home/a/.local/state/sandbook")
        );
        assert_eq!(usual_state(None, None), None);
    }
}
