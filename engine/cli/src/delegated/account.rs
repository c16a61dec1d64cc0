//! The account that owns the project, the secrets and the record.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sandbook_executor::{LOCK_FILE, PROJECT_FILE, Project};

use crate::operator;
use crate::problem::Problem;

/// The account that the engine runs as, for somebody else.
#[derive(Debug)]
pub(crate) struct Account {
    uid: u32,
    pub(crate) name: String,
    home: PathBuf,
}

impl Account {
    /// The account of this process, with the home that the database of users knows.
    ///
    /// # Errors
    ///
    /// The database doesn't know it, or others could change what lies in its home.
    pub(super) fn of_this_process() -> Result<Account, Problem> {
        let account = operator::account();
        let home = operator::home().filter(|home| home.is_absolute()).ok_or_else(|| {
            Problem::wrong(format!("the account `{}` has no home", account.name))
                .help("the engine finds its project there; docs/team.md says how an account is set up")
        })?;
        let account = Account {
            uid: account.uid,
            name: account.name,
            home,
        };
        account.refuse_unless_its_own(&account.home)?;
        Ok(account)
    }

    /// The account's home.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// The folder of the account's project, where there is one: its home, or `project` in it.
    pub(crate) fn project_folder(&self) -> Option<PathBuf> {
        [self.home.clone(), self.home.join("project")]
            .into_iter()
            .find(|folder| folder.join(PROJECT_FILE).is_file())
    }

    /// The account's project.
    ///
    /// # Errors
    ///
    /// There is none, it has faults, or others could change it.
    pub(crate) fn project(&self) -> Result<Project, Problem> {
        let folder = self.project_folder().ok_or_else(|| {
            let home = self.home.display();
            Problem::wrong(format!(
                "the account `{}` has no project: there is no `{PROJECT_FILE}` in `{home}` or `{home}/project`",
                self.name
            ))
            .help("whoever looks after the host puts it there; docs/team.md says how")
        })?;
        self.refuse_unless_its_own(&folder)?;
        self.refuse_unless_its_own(&folder.join(PROJECT_FILE))?;
        let lock = folder.join(LOCK_FILE);
        if lock.exists() {
            self.refuse_unless_its_own(&lock)?;
        }
        Ok(Project::open(&folder)?)
    }

    /// Where the account's runs are recorded, unless its project says so.
    pub(crate) fn usual_state(&self) -> PathBuf {
        self.home.join(".local/state/sandbook")
    }

    /// What others can change may not decide what is run with the account's secrets.
    fn refuse_unless_its_own(&self, path: &Path) -> Result<(), Problem> {
        let metadata =
            fs::metadata(path).map_err(|error| Problem::file("look at", path, &error))?;
        let shown = path.display();
        if metadata.uid() != self.uid && metadata.uid() != 0 {
            let owner = metadata.uid();
            return Err(Problem::wrong(format!(
                "`{shown}` belongs to user {owner}, and neither to the account `{}` nor to root",
                self.name
            ))
            .help(format!(
                "whoever looks after the host mends it: `chown {} {shown}`",
                self.name
            )));
        }
        match metadata.mode() & 0o022 {
            0 => Ok(()),
            _ => Err(Problem::wrong(format!(
                "others than the account `{}` can change `{shown}` (mode {:o})",
                self.name,
                metadata.mode() & 0o7777
            ))
            .help(format!(
                "whoever looks after the host mends it: `chmod go-w {shown}`"
            ))),
        }
    }
}

#[cfg(test)]
impl Account {
    /// An account with this home, which belongs to whoever runs the test.
    pub(super) fn with_home(home: &Path) -> Account {
        Account {
            uid: rustix::process::getuid().as_raw(),
            name: "sandbook".to_owned(),
            home: home.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::screen::Paper;

    fn home() -> (tempfile::TempDir, Account) {
        let home = tempfile::tempdir().unwrap();
        let account = Account::with_home(home.path());
        (home, account)
    }

    fn refusal(account: &Account) -> String {
        account.project().unwrap_err().render(Paper::BARE)
    }

    #[test]
    fn the_project_is_the_home_or_lies_in_it() {
        let (home, account) = home();
        assert!(refusal(&account).contains("has no project"));
        fs::create_dir(home.path().join("project")).unwrap();
        fs::write(home.path().join("project/sandbook.yaml"), "plugins: {}\n").unwrap();
        assert_eq!(
            account.project().unwrap().root(),
            home.path().join("project")
        );
        fs::write(home.path().join("sandbook.yaml"), "plugins: {}\n").unwrap();
        assert_eq!(account.project().unwrap().root(), home.path());
    }

    #[test]
    fn a_project_that_others_can_change_is_refused() {
        let (home, account) = home();
        let file = home.path().join("sandbook.yaml");
        fs::write(&file, "plugins: {}\n").unwrap();
        let lock = home.path().join("sandbook.lock");
        fs::write(&lock, "").unwrap();
        for (path, mode, usual) in [
            (home.path(), 0o770, 0o700),
            (&file, 0o606, 0o644),
            (&lock, 0o664, 0o644),
        ] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            let said = refusal(&account);
            let chmod = format!("`chmod go-w {}`", path.display());
            assert!(
                said.contains(&format!("{mode:o}")) && said.contains(&chmod),
                "{said}"
            );
            fs::set_permissions(path, fs::Permissions::from_mode(usual)).unwrap();
            account.project().unwrap();
        }
        let another = Account {
            uid: account.uid + 1,
            ..account
        };
        let owner = rustix::process::getuid().as_raw();
        // What root owns, root could change anyway.
        assert_eq!(another.project().is_ok(), owner == 0);
    }
}
