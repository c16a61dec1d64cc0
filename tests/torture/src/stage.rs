//! A project in a folder of its own with its simulated cloud, and the programs that are tortured.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sandbook_journal::{PublicKey, Reader, StateDir};
use simcloud::{Cloud, Options};
use tempfile::TempDir;

use crate::course::Course;

/// The key of a state directory and the compiled code that it authenticates: compiling is most of what a short
/// run takes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compiled(Vec<(PathBuf, Vec<u8>)>);

pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) cloud: Cloud,
    pub(crate) course: Course,
}

impl Stage {
    pub(crate) fn new(course: Course, compiled: &Compiled) -> Stage {
        let options = Options {
            retry_after: 0,
            ..Options::default()
        };
        let stage = Stage {
            folder: tempfile::tempdir().unwrap(),
            cloud: Cloud::start_thread(options).unwrap(),
            course,
        };
        match course {
            Course::Flagship => stage.copy_flagship(),
            _ => stage.write_job(),
        }
        stage.put(compiled);
        stage
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `sandbook` with these arguments, what it says going to the file `said`.
    pub(crate) fn command(&self, arguments: &[String]) -> Command {
        let said = File::create(self.path("said")).unwrap();
        let mut command = Command::new(target().join("debug/sandbook"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(said.try_clone().unwrap())
            .stderr(said);
        command
    }

    /// What the last process said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.path("said")).unwrap_or_default()
    }

    /// Reads what is on record.
    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&StateDir::open(&self.path(".sandbook")).unwrap()).unwrap()
    }

    /// The key that the record is signed with.
    pub(crate) fn signing_key(&self) -> PublicKey {
        let state = StateDir::open(&self.path(".sandbook")).unwrap();
        state.signing_key().unwrap().public()
    }

    /// What the runs so far have compiled.
    pub(crate) fn compiled(&self) -> Compiled {
        let state = self.path(".sandbook");
        let mut names = vec![PathBuf::from("key")];
        let cache = fs::read_dir(state.join("cache")).unwrap().flatten();
        names.extend(cache.map(|entry| Path::new("cache").join(entry.file_name())));
        let read = |name: PathBuf| {
            let bytes = fs::read(state.join(&name)).unwrap();
            (name, bytes)
        };
        Compiled(names.into_iter().map(read).collect())
    }

    fn put(&self, compiled: &Compiled) {
        if compiled.0.is_empty() {
            return;
        }
        let state = self.path(".sandbook");
        for folder in [state.clone(), state.join("cache")] {
            DirBuilder::new().mode(0o700).create(folder).unwrap();
        }
        for (name, bytes) in &compiled.0 {
            let mut options = OpenOptions::new();
            let options = options.write(true).create_new(true).mode(0o600);
            let mut file = options.open(state.join(name)).unwrap();
            file.write_all(bytes).unwrap();
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn write_job(&self) {
        let puppet = target().join("test-plugins/puppet.wasm");
        assert!(
            puppet.is_file(),
            "`{}` is missing: run `cargo xtask plugins`",
            puppet.display()
        );
        fs::copy(puppet, self.path("puppet.wasm")).unwrap();
        self.write(
            "sandbook.yaml",
            "state: .sandbook\nplugins: { puppet: puppet.wasm }\n",
        );
        self.write("job.yaml", &self.course.job());
        let environment = format!(
            "name: test
ceiling: [\"* https://echo.simcloud.test/**\"]
network: {{ reroute: {{ \"https://echo.simcloud.test\": \"{}\" }} }}
",
            self.cloud.origin()
        );
        self.write("environments/test.yaml", &environment);
    }

    fn copy_flagship(&self) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runbooks");
        let folders = [
            (from.clone(), ""),
            (from.join("environments"), "environments"),
            (target().join("plugins"), "plugins"),
        ];
        for (from, to) in folders {
            let entries = fs::read_dir(from).unwrap().flatten();
            for entry in entries.filter(|entry| entry.path().is_file()) {
                let to = self.path(to).join(entry.file_name());
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(entry.path(), to).unwrap();
            }
        }
        let demo = fs::read_to_string(self.path("environments/demo.yaml")).unwrap();
        let address = self.cloud.address().to_string();
        self.write(
            "environments/demo.yaml",
            &demo.replace("127.0.0.1:7070", &address),
        );
        let runbook = fs::read_to_string(self.path("restore-site.yaml")).unwrap();
        let short = ["delay: 2s", "delay: 5s"].into_iter();
        let runbook = short.fold(runbook, |text, long| text.replace(long, "delay: 10ms"));
        self.write("restore-site.yaml", &runbook);
    }
}

/// Where cargo builds: this program lies somewhere in `debug` there.
fn target() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let target = here
        .ancestors()
        .find(|folder| folder.join("debug/sandbook").is_file());
    let target = target.expect("`cargo xtask test` builds `sandbook` beside this program");
    target.to_owned()
}
