//! A team's host as docs/team.md has it: a service account with a project, two people who may enter it by sudo, and
//! one who may not. Real accounts of the machine; they go when the test ends, however it ends.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, id};
use std::sync::atomic::{AtomicU32, Ordering};

use simcloud::{Cloud, Options};
use tempfile::TempDir;

use crate::support::{Said, repository, target};

/// The account's secrets: one in an environment that reroutes, one in a file.
pub(super) const LITERAL: &str = "the-literal-of-the-account";
pub(super) const IN_FILE: &str = "the-secret-in-the-file";

/// Variables that sudo passes on here. The docs don't have that: here it is the engine that is tested, not sudo.
const KEPT: &str =
    "SANDBOOK_PROJECT SANDBOOK_HOME XDG_STATE_HOME HOME PATH TEAM_SECRET SSL_CERT_FILE";

const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(super) struct Host {
    /// May enter.
    pub(super) ana: Person,
    /// May enter.
    pub(super) ben: Person,
    /// May not.
    pub(super) cat: Person,
    /// The service account.
    pub(super) account: Person,
    pub(super) cloud: Cloud,
    pub(super) binary: PathBuf,
    made: Made,
}

/// An account of the machine.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) uid: u32,
    gid: u32,
    pub(super) home: PathBuf,
}

/// What is to be removed: the accounts, the rules, and the folder with everything else.
struct Made {
    folder: TempDir,
    number: u32,
    people: Vec<Person>,
}

impl Host {
    /// The host; none where there can't be one, which is then said. `SUITE_TEAM=required` makes that a failure.
    pub(super) fn set_up() -> Option<Host> {
        if let Some(why) = why_there_is_none() {
            let left_out =
                format!("LEFT OUT: promises::team needs real users and sudo, and {why}\n");
            assert!(std::env::var_os("SUITE_TEAM").is_none(), "{left_out}");
            // Not by `eprintln`, which the test harness keeps to itself when a test passes.
            std::io::stderr().write_all(left_out.as_bytes()).unwrap();
            return None;
        }
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let mut made = Made {
            folder: tempfile::tempdir().unwrap(),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            people: Vec::new(),
        };
        let folder = made.folder.path().to_owned();
        mode(&folder, 0o755);
        let [ana, ben, cat, account] = ["ana", "ben", "cat", "svc"].map(|name| made.person(name));
        // What others can read must be refused because of the rule, and not because it can't be read.
        mode(&ana.home, 0o755);
        let host = Host {
            binary: folder.join("sandbook"),
            cloud: Cloud::start_thread(Options::healthy()).unwrap(),
            ana,
            ben,
            cat,
            account,
            made,
        };
        let built = target().join("debug/sandbook");
        if fs::hard_link(&built, &host.binary).is_err() {
            fs::copy(&built, &host.binary).unwrap();
        }
        host.write_project();
        host.made.write_sudoers(&host.sudoers());
        Some(host)
    }

    /// What a person gets who runs the engine as the account.
    pub(super) fn as_user(&self, person: &Person, arguments: &[&str]) -> Said {
        Said::from(self.command(person, arguments).output().unwrap())
    }

    /// `sudo -u ACCOUNT sandbook …`, as this person.
    pub(super) fn command(&self, person: &Person, arguments: &[&str]) -> Command {
        let mut command = person.command("sudo");
        command
            .args(["-n", "-u", &self.account.name, "--"])
            .arg(&self.binary)
            .args(arguments);
        command
    }

    /// A place in the account's project.
    pub(super) fn project(&self, name: &str) -> PathBuf {
        self.account.home.join("project").join(name)
    }

    /// Writes a file of the account's own.
    pub(super) fn write(&self, path: &Path, text: &str, permissions: u32) {
        fs::write(path, text).unwrap();
        mode(path, permissions);
        chown(path, Some(self.account.uid), Some(self.account.gid)).unwrap();
    }

    /// Writes an environment, `helped`, whose credential a helper fetches.
    pub(super) fn write_helped(&self, helper: &Path, variables: &str) {
        let exec = format!(
            "{{ exec: {{ command: [\"{}\"], variables: [{variables}] }} }}",
            helper.display()
        );
        let text = format!(
            "name: helped\ncredentials:\n  api: {{ kind: bearer, secret: {exec}, origins: [\"https://api.example.com\"] }}\nceiling: [\"GET https://api.example.com/**\"]\n"
        );
        self.write(&self.project("environments/helped.yaml"), &text, 0o600);
    }

    fn write_project(&self) {
        let cloud = self.cloud.origin();
        let secrets = self.account.home.join("secrets/api");
        let credential = |secret: &str, origin: &str| {
            format!(
                "credentials:\n  api: {{ kind: bearer, secret: {secret}, origins: [\"{origin}\"] }}\n"
            )
        };
        let real = "https://api.example.com";
        let ceiling = format!("ceiling: [\"GET {real}/**\"]\n");
        let echo = "https://echo.simcloud.test";
        let environments = [
            (
                "practice",
                credential(&format!("{{ literal: {LITERAL} }}"), echo)
                    + &format!(
                        "ceiling: [\"* {echo}/**\"]\nnetwork: {{ reroute: {{ \"{echo}\": \"{cloud}\" }} }}\n"
                    ),
            ),
            (
                "real",
                credential(&format!("{{ file: {} }}", secrets.display()), real) + &ceiling,
            ),
            (
                "callers",
                credential("{ env: TEAM_SECRET }", real) + &ceiling,
            ),
        ];
        fs::create_dir_all(self.project("environments")).unwrap();
        fs::create_dir_all(self.project("plugins")).unwrap();
        fs::create_dir_all(secrets.parent().unwrap()).unwrap();
        let puppet = target().join("test-plugins/puppet.wasm");
        fs::copy(puppet, self.project("plugins/puppet.wasm")).unwrap();
        let project = "plugins: { puppet: plugins/puppet.wasm }\n";
        fs::write(self.project("sandbook.yaml"), project).unwrap();
        for (name, text) in environments {
            let path = self.project(&format!("environments/{name}.yaml"));
            fs::write(&path, format!("name: {name}\n{text}")).unwrap();
        }
        let job = r#"name: job
inputs: { text: { type: string, default: nothing } }
steps:
  - id: post
    uses: puppet
    credentials: { api: api }
    allow: ["POST https://echo.simcloud.test/job"]
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/job", slot: api, body: "${{ inputs.text }}" }
"#;
        fs::write(self.project("job.yaml"), job).unwrap();
        // It sends nothing. Its credential is obtained all the same before it begins.
        let idle = r#"name: idle
steps:
  - id: idle
    uses: puppet
    credentials: { api: api }
    allow: ["GET https://api.example.com/x"]
    with: { actions: [] }
"#;
        fs::write(self.project("idle.yaml"), idle).unwrap();
        fs::write(&secrets, IN_FILE).unwrap();
        each_below(&self.account.home, &mut |path| {
            mode(path, if path.is_dir() { 0o700 } else { 0o600 });
            chown(path, Some(self.account.uid), Some(self.account.gid)).unwrap();
        });
    }

    /// The rules of docs/team.md, for the people, the account and the binary of this test. The mode of new files is the
    /// caller's: here it is the engine that is tested, not sudo.
    fn sudoers(&self) -> String {
        let docs = fs::read_to_string(repository().join("docs/team.md")).unwrap();
        let (_, rules) = docs.split_once("```sudoers\n").unwrap();
        let (rules, _) = rules.split_once("```").unwrap();
        let binary = self.binary.display().to_string();
        let people = format!("{}, {}", self.ana.name, self.ben.name);
        let rules = rules
            .replace("/usr/local/bin/sandbook", &binary)
            .replace("(sandbook)", &format!("({})", self.account.name))
            .replace("%oncall", &people)
            .replace("umask = 0077, umask_override", "umask = 0777");
        assert!(rules.contains("umask = 0777"), "{rules}");
        format!("{rules}Defaults!{binary} env_keep += \"{KEPT}\"\n")
    }
}

impl Person {
    /// A program run as this person, at home, with little around it.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .uid(self.uid)
            .gid(self.gid)
            .current_dir(&self.home)
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", SYSTEM_PATH)
            .stdin(Stdio::null());
        command
    }
}

impl Made {
    /// Makes an account whose home lies in the folder.
    fn person(&mut self, short: &str) -> Person {
        let name = format!("sb-{short}-{}-{}", id(), self.number);
        let home = self.folder.path().join(short);
        let mut useradd = Command::new("useradd");
        useradd
            .args(["--create-home", "--shell", "/bin/sh", "--home-dir"])
            .args([home.as_os_str(), name.as_ref()]);
        one_at_a_time(&mut useradd);
        let number = |option: &str| {
            let output = Command::new("id")
                .args([option, name.as_str()])
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            text.trim().parse().unwrap()
        };
        let mut person = Person {
            uid: u32::MAX,
            gid: u32::MAX,
            home,
            name: name.clone(),
        };
        self.people.push(person.clone());
        (person.uid, person.gid) = (number("-u"), number("-g"));
        mode(&person.home, 0o700);
        person
    }

    fn sudoers_path(&self) -> PathBuf {
        PathBuf::from(format!(
            "/etc/sudoers.d/sandbook-suite-{}-{}",
            id(),
            self.number
        ))
    }

    /// Under a name that sudo passes over, then under its own: half a file of rules would break sudo for everybody.
    fn write_sudoers(&self, rules: &str) {
        let unfinished = self.sudoers_path().with_extension("tmp");
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o440)
            .open(&unfinished)
            .unwrap();
        file.write_all(rules.as_bytes()).unwrap();
        let checked = Command::new("visudo")
            .args(["--check", "--file"])
            .arg(&unfinished)
            .output()
            .unwrap();
        assert!(checked.status.success(), "{rules}\n{checked:?}");
        fs::rename(unfinished, self.sudoers_path()).unwrap();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // What was not made yet can't be removed, and the rest is to go whatever that comes to.
        let _ = fs::remove_file(self.sudoers_path());
        let _ = fs::remove_file(self.sudoers_path().with_extension("tmp"));
        for person in &self.people {
            one_at_a_time(Command::new("userdel").args(["--force", &person.name]));
        }
    }
}

/// The file of accounts has one lock, for which nobody waits; so those who test wait for each other.
fn one_at_a_time(command: &mut Command) {
    let turn = File::open(std::env::temp_dir()).unwrap();
    turn.lock().unwrap();
    let output = command.output().unwrap();
    let done = output.status.success() || std::thread::panicking();
    assert!(done, "{command:?}: {output:?}");
}

/// What keeps this machine from having such a host.
fn why_there_is_none() -> Option<String> {
    if !rustix::process::getuid().is_root() {
        return Some("the tests don't run as root".to_owned());
    }
    let there = |program: &&str| {
        SYSTEM_PATH
            .split(':')
            .any(|folder| Path::new(folder).join(program).is_file())
    };
    let programs = ["sudo", "visudo", "useradd", "userdel", "id"];
    if let Some(program) = programs.iter().find(|program| !there(program)) {
        return Some(format!("there is no `{program}`"));
    }
    if !Path::new("/etc/sudoers.d").is_dir() {
        return Some("there is no /etc/sudoers.d".to_owned());
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bound = status.lines().any(|line| line == "NoNewPrivs:\t1");
    bound.then(|| "the tests run under no_new_privs, where sudo can't work".to_owned())
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Everything in a folder, and the folder.
pub(super) fn each_below(path: &Path, look: &mut impl FnMut(&Path)) {
    look(path);
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            each_below(&entry.unwrap().path(), look);
        }
    }
}
