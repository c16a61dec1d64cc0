//! What the tests stand on: a project in a folder of its own, and the binary run in it.

pub(crate) mod markdown;
pub(crate) mod plain;
pub(crate) mod terminal;
pub(crate) mod trial;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A project in a temporary folder, with its state beside it. All of it goes when the test ends.
pub(crate) struct Lab {
    folder: TempDir,
}

/// What the binary said, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// The exit status; none when a signal ended it.
    pub(crate) status: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Lab {
    /// A project with the test guests and the plugins, and no runbook.
    pub(crate) fn new() -> Lab {
        let lab = Lab {
            folder: tempfile::tempdir().unwrap(),
        };
        let mut project = String::from("state: .sandbook\nplugins:\n");
        for (name, from) in [
            ("noop", "test-plugins"),
            ("puppet", "test-plugins"),
            ("failover-sql", "plugins"),
            ("http-check", "plugins"),
            ("http-request", "plugins"),
            ("post-status", "plugins"),
            ("update-ip", "plugins"),
        ] {
            let plugin = target().join(from).join(format!("{name}.wasm"));
            assert!(
                plugin.is_file(),
                "`{}` is missing: run `cargo xtask plugins`",
                plugin.display()
            );
            let place = format!("built/{name}.wasm");
            std::fs::create_dir_all(lab.path("built")).unwrap();
            // What lies outside would have to be accepted first, and a link leads there.
            let place_of_it = lab.path(&place);
            if std::fs::hard_link(&plugin, &place_of_it).is_err() {
                std::fs::copy(&plugin, &place_of_it).unwrap();
            }
            project.push_str(&format!("  {name}: {place}\n"));
        }
        lab.write("sandbook.yaml", &project);
        lab
    }

    /// The repository's own project, its demo environment pointed at this address.
    pub(crate) fn flagship(address: &str) -> Lab {
        let lab = Lab {
            folder: tempfile::tempdir().unwrap(),
        };
        let from = repository().join("runbooks");
        for folder in ["", "environments", "plugins"] {
            for entry in std::fs::read_dir(from.join(folder))
                .unwrap()
                .flatten()
                .filter(|entry| entry.path().is_file())
            {
                let to = lab.path(folder).join(entry.file_name());
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
        let demo = std::fs::read_to_string(lab.path("environments/demo.yaml")).unwrap();
        lab.write(
            "environments/demo.yaml",
            &demo.replace("127.0.0.1:7070", address),
        );
        lab
    }

    /// A place in the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The binary with these arguments, in the project, with nothing of the tester's own around it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(target().join("debug/sandbook"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn sandbook(&self, arguments: &[&str]) -> Said {
        Said::from(self.command(arguments).output().unwrap())
    }

    /// Starts the binary and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The events of the last run, as journaled.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.sandbook(&["log", "@last", "--output", "json"])
            .ok()
            .json_lines()
    }

    /// The events of the last run of this kind.
    pub(crate) fn events_of(&self, kind: &str) -> Vec<Value> {
        self.events()
            .into_iter()
            .filter(|event| event["kind"] == kind)
            .collect()
    }
}

impl Said {
    /// Asserts that it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Said {
        self.exits(0)
    }

    /// Asserts its exit status.
    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Said {
        assert_eq!(
            self.status,
            Some(status),
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.out,
            self.err
        );
        self
    }

    /// Asserts that this is in what it said, wherever.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Said {
        let said = self.out.contains(text) || self.err.contains(text);
        assert!(
            said,
            "`{text}` is not in\n--- stdout\n{}\n--- stderr\n{}",
            self.out, self.err
        );
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}:\n{}", self.out))
    }

    /// Standard output as JSON lines.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}:\n{line}"))
            })
            .collect()
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The repository's root.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .parent()
        .unwrap()
}

/// Where cargo builds: the tests' own binary lies in `debug/deps` there.
pub(crate) fn target() -> PathBuf {
    std::env::current_exe()
        .unwrap()
        .ancestors()
        .nth(3)
        .unwrap()
        .to_owned()
}
