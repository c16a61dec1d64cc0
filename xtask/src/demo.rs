//! The main job, shown: a site is down, a runbook runs, the site is up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::guests::build_and_pack;
use crate::process::{Outcome, built, program, root, run, say, target};

/// The name under which the public reaches the simulated site.
const SITE: &str = "www.example-shop.com";

/// The port that `environments/demo.yaml` names; the demo's cloud listens on one that was free.
const WRITTEN_ADDRESS: &str = "127.0.0.1:7070";

/// Runs the demo; with `--keep` the cloud stays for as long as the person likes.
pub(crate) fn demo(arguments: &[String]) -> Outcome {
    let keep = match arguments {
        [] => false,
        [flag] if flag == "--keep" => true,
        _ => return Err("`demo` takes one option, `--keep`".to_owned()),
    };
    build_and_pack()?;
    run(&mut program("simcloud"))?;

    let cloud = Cloud::start()?;
    let project = Project::copied(&cloud.address)?;

    title("Before: the region that serves the shop is down");
    cloud.show(SITE, "/health")?;
    cloud.sum_up()?;

    title("The runbook");
    let arguments = [
        "run",
        "restore-site",
        "--env",
        "demo",
        "-i",
        "failed_region=east",
        "--yes",
    ];
    println!("$ sandbook {}\n", arguments.join(" "));
    run(&mut project.sandbook(&arguments))?;

    title("After: served from the other region");
    cloud.show(SITE, "/health")?;
    cloud.sum_up()?;

    title("What was done, on record");
    println!("$ sandbook show @last\n");
    run(&mut project.sandbook(&["show", "@last"]))?;

    if keep { cloud.stay(&project) } else { Ok(()) }
}

fn title(text: &str) {
    println!(
        "\n── {text} {}\n",
        "─".repeat(74_usize.saturating_sub(text.chars().count()))
    );
}

fn print_indented(text: &str) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        println!("    {line}");
    }
}

/// The simulated cloud, a process of its own that ends with the demo.
struct Cloud {
    process: Child,
    address: String,
}

impl Cloud {
    fn start() -> Outcome<Cloud> {
        let mut process = Command::new(built("simcloud"))
            .args(["--port", "0", "--down", "east"])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the simulated cloud could not be started: {error}"))?;
        let mut first = String::new();
        let output = process
            .stdout
            .take()
            .expect("standard output was asked for");
        let read = BufReader::new(output).read_line(&mut first);
        let mut cloud = Cloud {
            process,
            address: String::new(),
        };
        read.map_err(|error| format!("the simulated cloud said nothing: {error}"))?;
        cloud.address = first
            .trim()
            .rsplit_once("http://")
            .ok_or_else(|| {
                format!(
                    "the simulated cloud did not say its address but `{}`",
                    first.trim()
                )
            })?
            .1
            .to_owned();
        Ok(cloud)
    }

    /// Asks for a page as a browser would, and prints its status and, unless it is a page for a
    /// browser, its text.
    fn show(&self, host: &str, path: &str) -> Outcome {
        let answer = self
            .get(host, path)
            .map_err(|error| format!("http://{host}{path}: {error}"))?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).unwrap_or_default();
        println!("GET https://{host}{path} -> {status}");
        if !body.trim_start().starts_with('<') {
            print_indented(body);
        }
        Ok(())
    }

    /// Prints how the simulated world stands.
    fn sum_up(&self) -> Outcome {
        let answer = self
            .get("sim", "/_sim/summary")
            .map_err(|error| format!("the simulated cloud: {error}"))?;
        print_indented(answer.split_once("\r\n\r\n").map_or("", |(_, body)| body));
        Ok(())
    }

    fn get(&self, host: &str, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Leaves the cloud running until the person ends the demo.
    fn stay(mut self, project: &Project) -> Outcome {
        title("To try next");
        println!(
            "the cloud stays until Ctrl-C; its state for a browser: http://{}/_sim/\n\n  \
             export SANDBOOK_PROJECT={}\n  export PATH={}:$PATH\n\n  \
             sandbook list\n  \
             sandbook plan restore-site --env demo -i failed_region=west\n  \
             sandbook run restore-site --env demo -i failed_region=west --dry-run\n  \
             sandbook log @last\n",
            self.address,
            project.folder.display(),
            target().join("debug").display(),
        );
        let ended = self
            .process
            .wait()
            .map_err(|error| format!("the simulated cloud can't be waited for: {error}"))?;
        say(&format!("the simulated cloud ended with {ended}"));
        Ok(())
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone after this.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The project `runbooks/`, copied so that its demo environment can name the cloud's address.
struct Project {
    folder: PathBuf,
}

impl Project {
    fn copied(address: &str) -> Outcome<Project> {
        let folder = target().join("demo");
        let fault = |error: std::io::Error| {
            format!(
                "the project could not be copied to `{}`: {error}",
                folder.display()
            )
        };
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(fault)?;
        }
        copy(&root().join("runbooks"), &folder).map_err(fault)?;
        let environment = folder.join("environments/demo.yaml");
        let text = std::fs::read_to_string(&environment).map_err(fault)?;
        std::fs::write(&environment, text.replace(WRITTEN_ADDRESS, address)).map_err(fault)?;
        Ok(Project { folder })
    }

    fn sandbook(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(built("sandbook"));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_remove("SANDBOOK_HOME")
            .env_remove("SANDBOOK_PROJECT");
        command
    }
}

/// Copies a folder, without the state that runs in place have left there.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() == ".sandbook" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
