//! The account that owns the project, the secrets and the record.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sandbook_executor::{PROJECT_FILE, Project};

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
        // What it says is believed only once nobody else could have written it.
        self.refuse_unless_its_own(&folder.join(PROJECT_FILE))?;
        let project = Project::open(&folder)?;
        for file in project.files()? {
            self.refuse_unless_its_own(&file)?;
        }
        Ok(project)
    }

    /// Where the account's runs are recorded, unless its project says so.
    pub(crate) fn usual_state(&self) -> PathBuf {
        self.home.join(".local/state/sandbook")
    }

    /// What others can change may not decide what is run with the account's secrets: neither what lies at this path,
    /// wherever links lead to, nor a folder on the way to it.
    fn refuse_unless_its_own(&self, path: &Path) -> Result<(), Problem> {
        let look = |error| Problem::file("look at", path, &error);
        self.refuse_if_others_change(&fs::canonicalize(path).map_err(look)?, Way::To)?;
        // Each link on the way leads elsewhere once it is another one.
        for way in ways(path).map_err(look)? {
            // What a link leads to is on the next way.
            for folder in way.ancestors().skip(1).filter(|path| !path.is_symlink()) {
                self.refuse_if_others_change(folder, Way::Above)?;
            }
        }
        Ok(())
    }

    fn refuse_if_others_change(&self, path: &Path, way: Way) -> Result<(), Problem> {
        let metadata =
            fs::metadata(path).map_err(|error| Problem::file("look at", path, &error))?;
        let shown = path.display();
        let owner = metadata.uid();
        if owner != self.uid && owner != 0 {
            return Err(Problem::wrong(format!(
                "`{shown}` belongs to user {owner}, and neither to the account `{}` nor to root",
                self.name
            ))
            .help(format!(
                "whoever looks after the host mends it: `chown {} {shown}`",
                self.name
            )));
        }
        match metadata.mode() & way.closed_to_others(&metadata) {
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

/// An absolute path as it is written, and as it is after each of the links that it leads through.
fn ways(path: &Path) -> io::Result<Vec<PathBuf>> {
    /// As many as the system follows.
    const MOST: usize = 40;
    let mut ways = vec![std::path::absolute(path)?];
    for _ in 0..MOST {
        let way = &ways[ways.len() - 1];
        let parts: Vec<&Path> = way.ancestors().collect();
        let link = parts.into_iter().rev().find_map(|part| {
            let to = fs::read_link(part).ok()?;
            let rest = way.strip_prefix(part).ok()?;
            Some(part.parent()?.join(to).join(rest).components().collect())
        });
        match link {
            Some(next) => ways.push(next),
            None => return Ok(ways),
        }
    }
    Err(io::Error::other("it leads through too many links"))
}

/// What a path is to the file that is meant.
#[derive(Clone, Copy)]
enum Way {
    /// It is the file, or the folder.
    To,
    /// It is a folder above it.
    Above,
}

impl Way {
    /// The bits of the mode that nobody else may have.
    fn closed_to_others(self, metadata: &fs::Metadata) -> u32 {
        const STICKY: u32 = 0o1000;
        match self {
            Way::To => 0o022,
            // Nobody takes away there what isn't theirs, as in `/tmp`.
            Way::Above if metadata.mode() & STICKY != 0 => 0,
            // Systems have folders such as `/usr/local` looked after by a group of root's choice.
            Way::Above if metadata.uid() == 0 => 0o002,
            Way::Above => 0o022,
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
    use std::os::unix::fs::{PermissionsExt as _, symlink};

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
        let elsewhere = tempfile::tempdir().unwrap();
        let outside = elsewhere.path().join("plugins/other.wasm");
        let link = elsewhere.path().join("link");
        // By a link to a link, in a folder of its own.
        let between = tempfile::tempdir().unwrap();
        symlink(between.path().join("link"), &link).unwrap();
        symlink(
            elsewhere.path().join("plugins"),
            between.path().join("link"),
        )
        .unwrap();
        let project = format!(
            "plugins: {{ own: plugins/own.wasm, other: {}/other.wasm, gone: plugins/gone.wasm }}\nkeys: {{ ops: {{ cosign: keys/ops.pub }} }}\nrunbooks: books\n",
            link.display()
        );
        let files = [
            "sandbook.yaml",
            "sandbook.lock",
            "secrets.age",
            "books/a.yaml",
            "environments/b.yaml",
            "environments/c.example.yaml",
            "plugins/own.wasm",
            "keys/ops.pub",
        ];
        let files = files.map(|file| home.path().join(file));
        for file in files.iter().chain([&outside]) {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, &project).unwrap();
        }
        let folders = ["books", "environments", "plugins", "keys"];
        let folders = folders.map(|folder| home.path().join(folder));
        let others = [
            home.path(),
            elsewhere.path(),
            between.path(),
            outside.parent().unwrap(),
        ];
        let others = others.map(Path::to_owned);
        for path in folders.iter().chain(&others) {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for path in files.iter().chain([&outside]) {
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        account.project().unwrap();
        let folders = folders.iter().chain(&others);
        let folders = folders.map(|path| (path, 0o777, 0o755));
        let files = files.iter().chain([&outside]);
        for (path, mode, usual) in folders.chain(files.map(|path| (path, 0o606, 0o644))) {
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
