//! Mounts that one test sees, and that go with it.

use std::process::{Child, Command, Stdio};

use crate::support::Lab;

/// A shell script in a mount namespace of its own, in which it may mount things.
pub(super) struct Namespace;

impl Namespace {
    /// Nothing where this machine doesn't let one mount anything; that is said.
    pub(super) fn new(test: &str) -> Option<Namespace> {
        let mount = "mount -t tmpfs tmpfs /tmp";
        let tried = command().args(["sh", "-c", mount]).output();
        if tried.is_ok_and(|tried| tried.status.success()) {
            return Some(Namespace);
        }
        eprintln!(
            "LEFT OUT: `{test}`, since nothing can be mounted here (as root, or with user namespaces, it can)"
        );
        None
    }

    /// Starts a script in the lab's folder. `$SANDBOOK` is the binary, `$STATE` the state directory.
    pub(super) fn start(&self, lab: &Lab, script: &str) -> Child {
        let sandbook = lab.command(&[]);
        command()
            .args(["sh", "-euc", script])
            .current_dir(lab.path(""))
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", lab.path(""))
            .env("SANDBOOK", sandbook.get_program())
            .env("STATE", lab.path(".sandbook"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

fn command() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
}
