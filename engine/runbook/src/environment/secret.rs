//! Where secrets come from.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use url::{Host, Url};

use super::fill::Fill;
use super::network::NetworkRules;
use crate::duration::parse_duration;
use crate::fault::Fault;
use crate::names::CredentialName;
use crate::origin::Origin;
use crate::path::Path;

/// The sources, as a person is told them.
const SOURCES: &str = "`env`, `file`, `age`, `vault`, `exec` and `literal`";

/// How long a helper may take where nothing is said.
const HELPER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a helper may take at most.
const LONGEST_HELPER_TIMEOUT: Duration = Duration::from_secs(60);

/// Where a secret comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the engine's process.
    Env(String),
    /// A file; a relative path begins at the project's folder.
    File(String),
    /// An entry of the project's encrypted file.
    Age(String),
    /// A field of a secret in a key/value store of Vault or OpenBao, version 2.
    Vault(Box<VaultSource>),
    /// What a helper program prints.
    Exec(HelperSource),
    /// The secret itself; only in an environment that reroutes.
    Literal(String),
}

/// A field of a secret in a key/value store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultSource {
    /// The server: https, or http to a loopback address.
    pub address: Origin,
    /// Where the store is mounted; `secret` by default.
    pub mount: String,
    /// The secret's path below it.
    pub path: String,
    /// The field.
    pub field: String,
    /// How the engine says who it is.
    pub login: VaultLogin,
}

/// How the engine says who it is to a key/value store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultLogin {
    /// By a token.
    Token(SecretSource),
    /// By AppRole.
    AppRole {
        /// Where that is mounted; `approle` by default.
        mount: String,
        /// The role's id.
        role_id: String,
        /// The secret that goes with it.
        secret_id: SecretSource,
    },
}

/// A program that prints a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperSource {
    /// Its absolute path.
    pub program: String,
    /// Its arguments, as they are: there is no shell.
    pub arguments: Vec<String>,
    /// The variables of the engine's process that it is given; no others are.
    pub variables: Vec<String>,
    /// How long it may take; 10 s by default, 60 s at most.
    pub timeout: Duration,
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env(name) => f.debug_tuple("Env").field(name).finish(),
            SecretSource::File(path) => f.debug_tuple("File").field(path).finish(),
            SecretSource::Age(name) => f.debug_tuple("Age").field(name).finish(),
            SecretSource::Vault(vault) => f.debug_tuple("Vault").field(vault).finish(),
            SecretSource::Exec(helper) => f.debug_tuple("Exec").field(helper).finish(),
            SecretSource::Literal(_) => f.write_str("Literal([secret])"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSecret {
    env: Option<String>,
    file: Option<String>,
    age: Option<String>,
    vault: Option<Box<WireVault>>,
    exec: Option<WireHelper>,
    literal: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireVault {
    address: Option<String>,
    mount: Option<String>,
    path: Option<String>,
    field: Option<String>,
    token: Option<WireSecret>,
    approle: Option<WireAppRole>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireAppRole {
    mount: Option<String>,
    role_id: Option<String>,
    secret_id: Option<WireSecret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHelper {
    command: Option<Vec<String>>,
    #[serde(default)]
    variables: Vec<String>,
    timeout: Option<String>,
}

impl fmt::Debug for WireSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireSecret(..)")
    }
}

impl WireSecret {
    pub(super) fn convert(
        self,
        place: &Path,
        network: &NetworkRules,
        fill: &mut Fill<'_>,
    ) -> Option<SecretSource> {
        let given: Vec<&'static str> = [
            ("env", self.env.is_some()),
            ("file", self.file.is_some()),
            ("age", self.age.is_some()),
            ("vault", self.vault.is_some()),
            ("exec", self.exec.is_some()),
            ("literal", self.literal.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, is_given)| is_given.then_some(key))
        .collect();
        let [key] = given[..] else {
            let fault = Fault::error(
                place.clone(),
                format!("a secret comes from exactly one of {SOURCES}"),
            );
            fill.fault(fault.on_key().help("such as `secret: { env: API_TOKEN }`"));
            return None;
        };
        let place = place.key(key);
        check_reality(key, &place, network, fill);
        // What is written there is the secret: nothing is filled in.
        if let Some(text) = self.literal {
            return some(text).map(SecretSource::Literal);
        }
        if let Some(vault) = self.vault {
            return vault
                .convert(&place, network, fill)
                .map(|vault| SecretSource::Vault(Box::new(vault)));
        }
        if let Some(helper) = self.exec {
            return helper.convert(&place, fill).map(SecretSource::Exec);
        }
        let named = |text: Option<String>, fill: &mut Fill<'_>| fill.text(some(text?)?, &place);
        match key {
            "env" => {
                let variable = named(self.env, fill)?;
                check_variable(&variable, &place, fill);
                Some(SecretSource::Env(variable))
            }
            "file" => {
                let path = named(self.file, fill)?;
                fill.path(&path, &place);
                Some(SecretSource::File(path))
            }
            _ => {
                let entry: CredentialName = fill.parsed(some(self.age?)?, &place)?;
                Some(SecretSource::Age(entry.to_string()))
            }
        }
    }
}

/// An environment has either real secrets or made-up ones.
fn check_reality(key: &str, place: &Path, network: &NetworkRules, fill: &mut Fill<'_>) {
    let fault = |message: &str| Fault::error(place.clone(), message.to_owned()).on_key();
    match (key, network.reroute.is_empty()) {
        ("literal", true) => fill.fault(
            fault("a secret can't be written into an environment that reaches real services").help(
                "use `env`, `file`, `age`, `vault` or `exec`; `literal` is for environments that reroute",
            ),
        ),
        ("literal", false) | (_, true) => {}
        (_, false) => fill.fault(
            fault("an environment that reroutes uses no real secret")
                .help("use `literal` with any text; what is sent may be sent in clear"),
        ),
    }
}

impl WireVault {
    fn convert(
        self,
        place: &Path,
        network: &NetworkRules,
        fill: &mut Fill<'_>,
    ) -> Option<VaultSource> {
        let text = |key: &str, given: Option<String>, fill: &mut Fill<'_>| {
            fill.text(given?, &place.key(key))
        };
        let address = self.address.and_then(|address| {
            let place = place.key("address");
            let address: Origin = fill.parsed(address, &place)?;
            if !address.is_https() && !is_loopback(&address) {
                let message = format!("a secret is never sent in clear, as `{address}` would have it");
                fill.fault(
                    Fault::error(place, message)
                        .help("use `https://`; `http://` is for a loopback address, as `http://127.0.0.1:8200`"),
                );
            }
            Some(address)
        });
        let mount = self.mount.unwrap_or_else(|| "secret".to_owned());
        let mount = text("mount", Some(mount), fill);
        let path = text("path", self.path, fill);
        for (key, given) in [("mount", &mount), ("path", &path)] {
            check_segments(given.as_deref(), &place.key(key), fill);
        }
        let field = text("field", self.field, fill);
        let login = match (self.token, self.approle) {
            (Some(token), None) => {
                inner(token, &place.key("token"), network, fill).map(VaultLogin::Token)
            }
            (None, Some(role)) => role.convert(&place.key("approle"), network, fill),
            _ => {
                let fault = Fault::error(
                    place.clone(),
                    "it is logged in by exactly one of `token` and `approle`",
                );
                fill.fault(fault.on_key().help("such as `token: { env: VAULT_TOKEN }`"));
                None
            }
        };
        Some(VaultSource {
            address: address?,
            mount: mount?,
            path: path?,
            field: some(field?)?,
            login: login?,
        })
    }
}

impl WireAppRole {
    fn convert(
        self,
        place: &Path,
        network: &NetworkRules,
        fill: &mut Fill<'_>,
    ) -> Option<VaultLogin> {
        let mount = self.mount.unwrap_or_else(|| "approle".to_owned());
        let mount = fill.text(mount, &place.key("mount"));
        check_segments(mount.as_deref(), &place.key("mount"), fill);
        let role_id = fill.text(self.role_id?, &place.key("role_id"));
        let secret_id = inner(self.secret_id?, &place.key("secret_id"), network, fill);
        Some(VaultLogin::AppRole {
            mount: mount?,
            role_id: role_id?,
            secret_id: secret_id?,
        })
    }
}

/// What opens a store can't lie in one.
fn inner(
    secret: WireSecret,
    place: &Path,
    network: &NetworkRules,
    fill: &mut Fill<'_>,
) -> Option<SecretSource> {
    if secret.vault.is_some() {
        let fault = Fault::error(place.key("vault"), "what opens a vault can't come from one");
        fill.fault(fault.on_key().help("use `env`, `file`, `age` or `exec`"));
        return None;
    }
    secret.convert(place, network, fill)
}

impl WireHelper {
    fn convert(self, place: &Path, fill: &mut Fill<'_>) -> Option<HelperSource> {
        let mut filled = |key: &str, texts: Vec<String>| -> Option<Vec<String>> {
            let place = place.key(key);
            let texts = texts.into_iter().enumerate();
            texts
                .map(|(index, text)| fill.text(text, &place.index(index)))
                .collect()
        };
        let command = filled("command", self.command?);
        let variables = filled("variables", self.variables);
        for (index, variable) in variables.iter().flatten().enumerate() {
            check_variable(variable, &place.key("variables").index(index), fill);
        }
        let timeout = match self.timeout {
            None => Some(HELPER_TIMEOUT),
            Some(text) => timeout(&text, &place.key("timeout"), fill),
        };
        let mut command = command?.into_iter();
        let program = command.next()?;
        if !program.starts_with('/') {
            let place = place.key("command").index(0);
            let fault = Fault::error(place, format!("`{program}` is not an absolute path"));
            fill.fault(fault.help(
                "name the program by its whole path; no `PATH` is searched and no shell is started",
            ));
        }
        Some(HelperSource {
            program,
            arguments: command.collect(),
            variables: variables?,
            timeout: timeout?,
        })
    }
}

fn timeout(text: &str, place: &Path, fill: &mut Fill<'_>) -> Option<Duration> {
    match parse_duration(text) {
        Ok(timeout) if timeout > LONGEST_HELPER_TIMEOUT => {
            let message = format!("`{text}` is longer than 60s, the most that a helper may take");
            fill.fault(Fault::error(place.clone(), message));
            None
        }
        Ok(timeout) => Some(timeout),
        Err(fault) => {
            fill.fault(Fault::error(place.clone(), fault.to_string()));
            None
        }
    }
}

/// A variable's name, by the rule that every system follows.
fn check_variable(name: &str, place: &Path, fill: &mut Fill<'_>) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_word) {
        let fault = Fault::error(place.clone(), format!("`{name}` is not a variable's name"));
        fill.fault(fault.help("it has letters, digits and `_`, as `API_TOKEN`"));
    }
}

/// A path in a store: names with slashes between.
fn check_segments(path: Option<&str>, place: &Path, fill: &mut Fill<'_>) {
    let wrong = |segment: &str| {
        matches!(segment, "" | "." | "..") || segment.contains(['?', '#', '%', '\\'])
    };
    if let Some(path) = path
        && path.split('/').any(wrong)
    {
        let fault = Fault::error(place.clone(), format!("`{path}` is not a path in a vault"));
        fill.fault(fault.help("write it without a slash at its ends, as `team/service`"));
    }
}

/// Whether it is an address, no name, of this machine itself.
fn is_loopback(origin: &Origin) -> bool {
    let url = Url::parse(&origin.to_string()).ok();
    let address = match url.as_ref().and_then(Url::host) {
        Some(Host::Ipv4(address)) => IpAddr::from(address),
        Some(Host::Ipv6(address)) => IpAddr::from(address),
        Some(Host::Domain(_)) | None => return false,
    };
    address.is_loopback()
}

/// A text that says something.
fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
