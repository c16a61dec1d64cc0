//! Where things lie: the programs that are measured, and the folders they work in.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Outcome;

/// The programs that are measured, and a folder that is gone at the end.
pub(crate) struct Workshop {
    /// Where everything is built.
    target: PathBuf,
    /// Beside the build and not in the system's temporary folder, which may not be on a disk.
    folder: TempDir,
    sandbook: PathBuf,
    floor: PathBuf,
    noop: PathBuf,
    http_request: PathBuf,
}

/// A project with its state, and what a floor needs to do the same.
pub(crate) struct Project<'a> {
    workshop: &'a Workshop,
    folder: PathBuf,
}

/// A plugin that does nothing.
pub(crate) struct Idle {
    pub(crate) component: PathBuf,
    /// How many seconds its `build.sh` took when it was last built.
    pub(crate) built: Option<f64>,
}

/// Which component a floor calls.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Plugin {
    Noop,
    HttpRequest,
}

impl Workshop {
    /// Finds the programs beside this one, and the packed plugins where `cargo xtask plugins` puts them.
    pub(crate) fn open() -> Outcome<Workshop> {
        let here = std::env::current_exe()?;
        let profile = here.parent().ok_or("this program lies in no folder")?;
        let target = profile
            .parent()
            .ok_or("this program lies in no target folder")?;
        let found = |path: PathBuf| match path.is_file() {
            true => Ok(path),
            false => Err(format!(
                "`{}` is missing: `cargo xtask bench` builds it",
                path.display()
            )),
        };
        Ok(Workshop {
            target: target.to_owned(),
            folder: tempfile::Builder::new()
                .prefix("bench-")
                .tempdir_in(target)?,
            sandbook: found(profile.join("sandbook"))?,
            floor: found(profile.join("floor"))?,
            noop: found(target.join("test-plugins/noop.wasm"))?,
            http_request: found(target.join("plugins/http-request.wasm"))?,
        })
    }

    /// How large the machine is.
    pub(crate) fn machine(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let memory = fs::read_to_string("/proc/meminfo")
            .ok()
            .and_then(|text| gibibytes(&text));
        let memory = memory.map_or_else(String::new, |gibibytes| {
            format!(", {gibibytes:.0} GiB of memory")
        });
        format!("{cores} cores{memory}; medians of pairs that were taken in turns")
    }

    /// A folder of its own for something that has a state.
    pub(crate) fn folder(&self, name: &str) -> Outcome<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// A new project with the plugins that do nothing and that ask.
    pub(crate) fn project(&self, name: &str) -> Outcome<Project<'_>> {
        let plugins = [
            ("noop", self.noop.as_path()),
            ("http-request", &self.http_request),
        ];
        self.project_with(name, &plugins)
    }

    /// A new project with these plugins.
    pub(crate) fn project_with(
        &self,
        name: &str,
        plugins: &[(&str, &Path)],
    ) -> Outcome<Project<'_>> {
        let folder = self.folder(name)?;
        let mut settings = "state: state\nplugins:\n".to_owned();
        for (name, component) in plugins {
            fs::copy(component, folder.join(format!("{name}.wasm")))?;
            settings += &format!("  {name}: {name}.wasm\n");
        }
        fs::write(folder.join("sandbook.yaml"), settings)?;
        Ok(Project {
            workshop: self,
            folder,
        })
    }

    pub(crate) fn sandbook(&self) -> Command {
        let mut command = Command::new(&self.sandbook);
        command
            .env_remove("SANDBOOK_HOME")
            .env_remove("SANDBOOK_PROJECT");
        command
    }

    /// The plugin that does nothing, in a language; none where it was left out.
    pub(crate) fn idle(&self, language: &str) -> Option<Idle> {
        let name = format!("idle-{language}");
        let examples = self.target.join("examples");
        let component = examples.join(format!("{name}.wasm"));
        component.is_file().then(|| Idle {
            component,
            built: fs::read_to_string(examples.join(name).join("took"))
                .ok()
                .and_then(|seconds| seconds.trim().parse().ok()),
        })
    }

    /// The packed component.
    pub(crate) fn component(&self, plugin: Plugin) -> &Path {
        match plugin {
            Plugin::Noop => &self.noop,
            Plugin::HttpRequest => &self.http_request,
        }
    }

    /// Where a failing process's words are kept.
    pub(crate) fn errors(&self) -> PathBuf {
        self.folder.path().join("errors")
    }
}

impl Project<'_> {
    /// Writes a runbook.
    pub(crate) fn write(&self, name: &str, text: &str) -> Outcome {
        Ok(fs::write(self.folder.join(format!("{name}.yaml")), text)?)
    }

    /// What runs a runbook.
    pub(crate) fn run(&self, name: &str) -> Command {
        self.sandbook(&["run", name, "--yes"])
    }

    /// Makes the environment `loopback`, which reaches this server.
    pub(crate) fn reach(&self, server: SocketAddr) -> Outcome {
        let folder = self.folder.join("environments");
        fs::create_dir(&folder)?;
        let text = format!(
            "name: loopback\nceiling: [\"GET http://{server}/**\"]\nnetwork: {{ private: [127.0.0.0/8] }}\n"
        );
        Ok(fs::write(folder.join("loopback.yaml"), text)?)
    }

    /// What runs a runbook whose steps ask on loopback.
    pub(crate) fn run_asking(&self, name: &str) -> Command {
        self.sandbook(&["run", name, "--yes", "--env", "loopback"])
    }

    /// `sandbook` in this project.
    pub(crate) fn sandbook(&self, arguments: &[&str]) -> Command {
        let mut command = self.workshop.sandbook();
        command.current_dir(&self.folder).args(arguments);
        command
    }

    /// The floor that calls a plugin so many times, with the events of such a step.
    pub(crate) fn floor(&self, plugin: Plugin, steps: usize, input: &str) -> Command {
        let mut command = Command::new(&self.workshop.floor);
        command.arg(self.workshop.component(plugin));
        command
            .arg(self.folder.join(format!("{plugin:?}.compiled")))
            .arg(self.folder.join("floor.db"));
        let events = match plugin {
            Plugin::Noop => "2",
            // The request is an event too.
            Plugin::HttpRequest => "3",
        };
        command.arg(steps.to_string()).arg(events).arg(input);
        command
    }

    /// The record of its runs.
    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.join("state/journal.db")
    }

    /// The folder of compiled code.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.join("state/cache")
    }
}

/// The memory of the machine, from `/proc/meminfo`.
fn gibibytes(text: &str) -> Option<f64> {
    let kibibytes = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: f64 = kibibytes.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / f64::from(1 << 20))
}
