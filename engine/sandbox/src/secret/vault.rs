//! Secrets in a key/value store, version 2, of Vault or OpenBao.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::{Host, Url};
use zeroize::{Zeroize as _, Zeroizing};

use super::{Secret, SecretError};
use crate::{
    line::words,
    network::{Dispatch, Exchanged, Failure, Lane, Network, Origin, location},
    percent::RESERVED,
    redact::Redactor,
};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 1 << 20;

/// How much of what a server says is shown, in bytes.
const SHOWN: usize = 300;

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");

/// A field of a secret.
#[derive(Debug, Clone)]
pub struct Vault {
    /// The server: https, or http to a loopback address.
    pub address: Origin,
    /// Where the store is mounted.
    pub mount: String,
    /// The secret's path below it.
    pub path: String,
    /// The field.
    pub field: String,
    /// How the engine logs in.
    pub login: Login,
}

/// How the engine logs in.
#[derive(Debug, Clone)]
pub enum Login {
    /// With a token.
    Token(Secret),
    /// By AppRole.
    AppRole {
        /// Where that is mounted.
        mount: String,
        /// The role's id.
        role_id: String,
        /// The secret that goes with it.
        secret_id: Secret,
    },
}

/// Why there is no secret. What a server says is redacted and cut.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The server may not be reached, or not in clear.
    #[error("the vault `{address}` may not be asked: {why}")]
    Refused {
        /// The server.
        address: Origin,
        /// Why.
        why: String,
    },
    /// No answer came.
    #[error("the vault `{address}` gave no answer to {doing}: {why}")]
    NoAnswer {
        /// The server.
        address: Origin,
        /// What was asked.
        doing: String,
        /// What happened.
        why: String,
    },
    /// The server says no.
    #[error("the vault `{address}` answered {doing} with {status}{said}")]
    Declined {
        /// The server.
        address: Origin,
        /// What was asked.
        doing: String,
        /// The status code.
        status: u16,
        /// What it said.
        said: String,
    },
    /// The answer is none that such a store gives.
    #[error("the vault `{address}` answered {doing} with {what}")]
    Answer {
        /// The server.
        address: Origin,
        /// What was asked.
        doing: String,
        /// What is wrong with the answer.
        what: String,
    },
    /// What is in the field, or in the token that was given, can't be a secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: Zeroizing<String>,
}

#[derive(Deserialize)]
struct Found {
    data: Version,
}

#[derive(Deserialize)]
struct Version {
    data: Option<BTreeMap<String, Field>>,
}

/// A field's value: text, or something else.
enum Field {
    Text(Zeroizing<String>),
    Other,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Complaint {
    errors: Vec<String>,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Field, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(text) => Field::Text(Zeroizing::new(text)),
            _ => Field::Other,
        })
    }
}

impl Vault {
    /// Logs in where that is needed, and reads the field, by the network's rules.
    ///
    /// # Errors
    ///
    /// The server can't be reached or says no, or the field holds what can't be a secret.
    pub async fn secret(&self, network: &Network) -> Result<Secret, VaultError> {
        let token = match &self.login {
            Login::Token(token) => token.clone(),
            Login::AppRole {
                mount,
                role_id,
                secret_id,
            } => self.log_in(network, mount, role_id, secret_id).await?,
        };
        let doing = format!("reading `{}`", self.path);
        let mut headers = HeaderMap::new();
        let mut value = HeaderValue::from_str(token.expose())
            .map_err(|_| self.wrong(&doing, "nothing, since the token holds a line break"))?;
        value.set_sensitive(true);
        headers.insert(TOKEN, value);
        let ask = Ask {
            doing: &doing,
            path: format!("{}/data/{}", encoded(&self.mount), encoded(&self.path)),
            method: Method::GET,
            headers,
            body: None,
            hidden: &token,
        };
        let body = self.ask(network, ask).await?;
        let found: Result<Found, _> = serde_json::from_slice(&body);
        wipe(body);
        let Ok(Found { data: version }) = found else {
            return Err(self.wrong(&doing, "what is no secret of a key/value store, version 2"));
        };
        match version.data.unwrap_or_default().remove(&self.field) {
            Some(Field::Text(text)) => {
                let from = format!("the vault's field `{}` of `{}`", self.field, self.path);
                Ok(Secret::from_bytes(text.as_bytes().to_vec(), &from)?)
            }
            Some(Field::Other) => {
                let what = format!("a field `{}` that is not text", self.field);
                Err(self.wrong(&doing, &what))
            }
            None => {
                let what = format!("a secret that has no field `{}`", self.field);
                Err(self.wrong(&doing, &what))
            }
        }
    }

    async fn log_in(
        &self,
        network: &Network,
        mount: &str,
        role_id: &str,
        secret_id: &Secret,
    ) -> Result<Secret, VaultError> {
        let doing = "the login by AppRole";
        let ask = Ask {
            doing,
            path: format!("auth/{}/login", encoded(mount)),
            method: Method::POST,
            headers: HeaderMap::new(),
            // Overwritten when the client lets go of it.
            body: Some(Bytes::from_owner(login_form(role_id, secret_id))),
            hidden: secret_id,
        };
        let body = self.ask(network, ask).await?;
        let logged_in: Result<LoggedIn, _> = serde_json::from_slice(&body);
        wipe(body);
        let token = logged_in
            .map_err(|_| self.wrong(doing, "no token"))?
            .auth
            .client_token;
        let from = "the vault's login by AppRole";
        Ok(Secret::from_bytes(token.as_bytes().to_vec(), from)?)
    }

    async fn ask(&self, network: &Network, ask: Ask<'_>) -> Result<Bytes, VaultError> {
        let refused = |why: String| VaultError::Refused {
            address: self.address.clone(),
            why,
        };
        let no_answer = |failure: Failure| VaultError::NoAnswer {
            address: self.address.clone(),
            doing: ask.doing.to_owned(),
            why: shown(&failure.into_text(), ask.hidden),
        };
        let url = location(&format!("{}/v1/{}", self.address, ask.path))
            .map_err(|fault| refused(fault.to_string()))?;
        let route = network.route(&url).map_err(refused)?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(refused("a secret is only sent by https".to_owned()));
        }
        let mut headers = ask.headers;
        let fields = [
            (header::CONTENT_TYPE, "application/json"),
            (header::ACCEPT_ENCODING, "identity"),
            (HeaderName::from_static("x-vault-request"), "true"),
        ];
        headers.extend(fields.map(|(name, value)| (name, HeaderValue::from_static(value))));
        let exchanged = network
            .exchange(Dispatch {
                lane: Lane::Fresh,
                route: &route,
                method: ask.method,
                headers,
                body: ask.body,
                timeout: TIMEOUT,
                patience: None,
                response_bytes: LONGEST_ANSWER,
            })
            .await;
        match exchanged {
            Exchanged::NotSent(failure) | Exchanged::Unknown(failure) => Err(no_answer(failure)),
            Exchanged::Answered { status, body, .. } => {
                let body = body.map_err(no_answer)?;
                if status == 200 {
                    return Ok(body);
                }
                let complaint: Complaint = serde_json::from_slice(&body).unwrap_or_default();
                let said = match complaint.errors.join(", ") {
                    said if said.is_empty() && status == 404 => ": there is nothing".to_owned(),
                    said if said.is_empty() => said,
                    said => format!(": {}", shown(&said, ask.hidden)),
                };
                Err(VaultError::Declined {
                    address: self.address.clone(),
                    doing: ask.doing.to_owned(),
                    status,
                    said,
                })
            }
        }
    }

    fn wrong(&self, doing: &str, what: &str) -> VaultError {
        VaultError::Answer {
            address: self.address.clone(),
            doing: doing.to_owned(),
            what: what.to_owned(),
        }
    }
}

/// One request.
struct Ask<'a> {
    doing: &'a str,
    path: String,
    method: Method,
    headers: HeaderMap,
    body: Option<Bytes>,
    /// The secret in it.
    hidden: &'a Secret,
}

/// What is posted to log in. There is room for all of it at once: a text that grows leaves copies behind.
fn login_form(role_id: &str, secret_id: &Secret) -> Zeroizing<Vec<u8>> {
    const LONGEST_ESCAPE: usize = "\\u0000".len();
    let fields = [
        ("{\"role_id\":", role_id),
        (",\"secret_id\":", secret_id.expose()),
    ];
    let room = fields
        .iter()
        .map(|(before, text)| before.len() + 2 + text.len() * LONGEST_ESCAPE)
        .sum::<usize>();
    let mut form = Zeroizing::new(Vec::with_capacity(room + 1));
    for (before, text) in fields {
        form.extend_from_slice(before.as_bytes());
        serde_json::to_writer(&mut *form, text).expect("invariant: text is written into memory");
    }
    form.push(b'}');
    form
}

/// A path with slashes, each segment encoded.
fn encoded(path: &str) -> String {
    let segments: Vec<String> = path
        .split('/')
        .map(|segment| utf8_percent_encode(segment, RESERVED).to_string())
        .collect();
    segments.join("/")
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

/// Overwrites an answer, where nobody else holds a piece of the memory that it lies in.
fn wipe(body: Bytes) {
    if let Ok(mut body) = body.try_into_mut() {
        body.as_mut().zeroize();
    }
}

/// A server's text as it can be shown.
fn shown(text: &str, hidden: &Secret) -> String {
    let redactor = Redactor::default();
    redactor.hide("vault", hidden);
    words(&redactor, text.as_bytes(), SHOWN)
}

#[cfg(test)]
#[path = "vault/tests.rs"]
mod tests;
