//! A real registry, Debian's `docker-registry`, on a port of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A registry that goes when it is dropped.
pub(super) struct Registry {
    child: Child,
    port: u16,
    folder: TempDir,
    kind: Kind,
}

/// What kind of registry it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In clear, for everybody.
    Open,
    /// By https, with a certificate of its own.
    Secure,
    /// In clear, for [`Registry::USER`].
    Private,
}

impl Registry {
    pub(super) const USER: &str = "ana";
    pub(super) const PASSWORD: &str = "hunter22-4711";
    /// The password as the registry has it.
    const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuzBlmMk582fVlzKPO9RJLtDv0PUJGbJa";

    /// Nothing where there is none, which is said; an error where `SUITE_REGISTRY` is set.
    pub(super) fn start(kind: Kind) -> Option<Registry> {
        let is_there = |program: &str| {
            let shown = Command::new(program)
                .arg(if program == "openssl" {
                    "version"
                } else {
                    "--version"
                })
                .output();
            shown.is_ok_and(|output| output.status.success())
        };
        if !is_there("docker-registry") || !is_there("openssl") {
            let left_out = "LEFT OUT: a real registry is asked, since there is no `docker-registry`, or no `openssl` (`apt-get install docker-registry openssl`)";
            assert!(std::env::var_os("SUITE_REGISTRY").is_none(), "{left_out}");
            eprintln!("{left_out}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let config = folder.path().join("config.yml");
        let mut text = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp:\n  addr: 127.0.0.1:{port}\n",
            folder.path().join("kept").display()
        );
        match kind {
            Kind::Open => {}
            Kind::Secure => {
                let [certificate, key] = certificate(&folder);
                text.push_str(&format!(
                    "  tls: {{ certificate: {}, key: {} }}\n",
                    certificate.display(),
                    key.display()
                ));
            }
            Kind::Private => {
                let passwords = folder.path().join("passwords");
                fs::write(
                    &passwords,
                    format!("{}:{}\n", Registry::USER, Registry::HASH),
                )
                .unwrap();
                text.push_str(&format!(
                    "auth: {{ htpasswd: {{ realm: x, path: {} }} }}\n",
                    passwords.display()
                ));
            }
        }
        fs::write(&config, text).unwrap();
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Registry {
            child,
            port,
            folder,
            kind,
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "it never came up"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(registry)
    }

    /// Its host and port.
    pub(super) fn host(&self) -> String {
        let host = if self.kind == Kind::Secure {
            "localhost"
        } else {
            "127.0.0.1"
        };
        format!("{host}:{}", self.port)
    }

    /// A reference to an image of it.
    pub(super) fn image(&self, rest: &str) -> String {
        let scheme = if self.kind == Kind::Secure {
            "oci"
        } else {
            "oci+http"
        };
        format!("{scheme}://{}/{rest}", self.host())
    }

    /// The certificate that it shows.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// The file in which it keeps some bytes.
    pub(super) fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let place = format!(
            "kept/docker/registry/v2/blobs/sha256/{}/{hex}/data",
            &hex[..2]
        );
        self.folder.path().join(place)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certificate for this machine that vouches for itself, and its key.
fn certificate(folder: &TempDir) -> [PathBuf; 2] {
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    [certificate, key]
}
