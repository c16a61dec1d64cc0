//! Credentials: named ways to authenticate.

use std::fmt;

use serde::Deserialize;
use url::Url;

use super::fill::Fill;
use super::network::NetworkRules;
use crate::fault::Fault;
use crate::origin::Origin;
use crate::path::Path;

/// A way to authenticate, and where it may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// How the secret is used.
    pub scheme: Scheme,
    /// Where the secret comes from.
    pub secret: SecretSource,
    /// Where it may be sent: https, or rerouted.
    pub origins: Vec<Origin>,
}

/// How a secret is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// A header field holds it.
    Header {
        /// The field's name.
        header: String,
        /// What stands before the secret, with its blank; empty by default.
        prefix: String,
    },
    /// `Authorization: Bearer SECRET`.
    Bearer,
    /// `Authorization: Basic …` of the name and the secret.
    Basic {
        /// The user's name.
        username: String,
    },
    /// `Authorization: Bearer TOKEN`, with a token that is fetched for the secret.
    OAuth2ClientCredentials {
        /// Where tokens are fetched: https, or rerouted.
        token_url: String,
        /// The client's id.
        client_id: String,
        /// The scope that is asked for.
        scope: Option<String>,
    },
}

/// Where a secret comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the engine's process.
    Env(String),
    /// A file; a relative path begins at the project's folder.
    File(String),
    /// The secret itself; only in an environment that reroutes.
    Literal(String),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env(name) => f.debug_tuple("Env").field(name).finish(),
            SecretSource::File(path) => f.debug_tuple("File").field(path).finish(),
            SecretSource::Literal(_) => f.write_str("Literal([secret])"),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireCredential {
    kind: Option<Kind>,
    header: Option<String>,
    prefix: Option<String>,
    username: Option<String>,
    token_url: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
    secret: Option<WireSecret>,
    origins: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Header,
    Bearer,
    Basic,
    #[serde(rename = "oauth2_client_credentials")]
    OAuth2ClientCredentials,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSecret {
    env: Option<String>,
    file: Option<String>,
    literal: Option<String>,
}

impl fmt::Debug for WireSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireSecret(..)")
    }
}

impl WireCredential {
    pub(super) fn convert(
        self,
        place: &Path,
        network: &NetworkRules,
        fill: &mut Fill<'_>,
    ) -> Option<Credential> {
        let secret = self
            .secret
            .and_then(|secret| secret.convert(&place.key("secret"), network, fill));
        let origins = self.origins.unwrap_or_default().into_iter().enumerate();
        let origins: Vec<Origin> = origins
            .filter_map(|(index, text)| {
                let place = place.key("origins").index(index);
                let origin: Origin = fill.parsed(text, &place)?;
                check_encrypted(&origin, "a credential", network, &place, fill);
                Some(origin)
            })
            .collect();
        let fields = Fields {
            place,
            kind: self.kind?,
            given: [
                ("header", self.header),
                ("prefix", self.prefix),
                ("username", self.username),
                ("token_url", self.token_url),
                ("client_id", self.client_id),
                ("scope", self.scope),
            ],
        };
        let scheme = fields.convert(network, fill);
        let secret = secret?;
        let scheme = scheme?;
        (!origins.is_empty()).then_some(Credential {
            scheme,
            secret,
            origins,
        })
    }
}

/// The keys of which each kind has its own.
struct Fields<'a> {
    place: &'a Path,
    kind: Kind,
    given: [(&'static str, Option<String>); 6],
}

impl Fields<'_> {
    fn convert(mut self, network: &NetworkRules, fill: &mut Fill<'_>) -> Option<Scheme> {
        self.refuse_foreign(fill);
        match self.kind {
            Kind::Bearer => Some(Scheme::Bearer),
            Kind::Basic => Some(Scheme::Basic {
                username: self.required("username", fill)?,
            }),
            Kind::Header => {
                let header = self.required("header", fill)?;
                let prefix = self.optional("prefix", fill).unwrap_or_default();
                self.check_header(&header, &prefix, fill);
                Some(Scheme::Header { header, prefix })
            }
            Kind::OAuth2ClientCredentials => {
                let token_url = self.required("token_url", fill);
                let client_id = self.required("client_id", fill);
                let scope = self.optional("scope", fill);
                let token_url = token_url?;
                self.check_token_url(&token_url, network, fill);
                Some(Scheme::OAuth2ClientCredentials {
                    token_url,
                    client_id: client_id?,
                    scope,
                })
            }
        }
    }

    /// What a kind doesn't read would only look as if it did something.
    fn refuse_foreign(&self, fill: &mut Fill<'_>) {
        for (key, given) in &self.given {
            let kind = match *key {
                "header" | "prefix" => Kind::Header,
                "username" => Kind::Basic,
                _ => Kind::OAuth2ClientCredentials,
            };
            if given.is_some() && kind != self.kind {
                let fault = Fault::error(
                    self.place.key(*key),
                    format!("`{key}` doesn't go with kind `{}`", self.kind.as_str()),
                );
                fill.fault(
                    fault
                        .on_key()
                        .help(format!("it goes with `kind: {}`; remove it", kind.as_str())),
                );
            }
        }
    }

    fn optional(&mut self, key: &str, fill: &mut Fill<'_>) -> Option<String> {
        let given = self.given.iter_mut().find(|(known, _)| *known == key);
        let text = given.and_then(|(_, text)| text.take())?;
        fill.text(text, &self.place.key(key))
    }

    fn required(&mut self, key: &str, fill: &mut Fill<'_>) -> Option<String> {
        if self
            .given
            .iter()
            .any(|(known, text)| *known == key && text.is_none())
        {
            let fault = Fault::error(
                self.place.clone(),
                format!("kind `{}` needs `{key}`", self.kind.as_str()),
            );
            fill.fault(fault.on_key());
            return None;
        }
        self.optional(key, fill)
    }

    fn check_header(&self, header: &str, prefix: &str, fill: &mut Fill<'_>) {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let lower = header.to_ascii_lowercase();
        if header.is_empty() || !header.bytes().all(token) {
            fill.fault(Fault::error(
                self.place.key("header"),
                format!("`{header}` is not the name of a header"),
            ));
        } else if matches!(
            lower.as_str(),
            "host" | "connection" | "content-length" | "transfer-encoding" | "te" | "upgrade"
        ) {
            fill.fault(Fault::error(
                self.place.key("header"),
                format!("header `{header}` belongs to the connection"),
            ));
        }
        if !prefix.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            let fault = Fault::error(
                self.place.key("prefix"),
                "the prefix holds characters that no header can have",
            );
            fill.fault(fault);
        }
    }

    fn check_token_url(&self, text: &str, network: &NetworkRules, fill: &mut Fill<'_>) {
        let place = self.place.key("token_url");
        match Url::parse(text).ok().as_ref().and_then(Origin::of) {
            None => fill.fault(Fault::error(
                place,
                format!("`{text}` is not an `https://` URL"),
            )),
            Some(origin) => {
                check_encrypted(&origin, "a client's secret", network, &place, fill);
                if !network.reroute.is_empty() && !network.reroute.contains_key(&origin) {
                    let fault = Fault::error(
                        place,
                        format!("`{origin}` is not rerouted, so that no token can be fetched"),
                    );
                    fill.fault(fault.help(format!("add `{origin}: …` to `network.reroute`")));
                }
            }
        }
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Header => "header",
            Kind::Bearer => "bearer",
            Kind::Basic => "basic",
            Kind::OAuth2ClientCredentials => "oauth2_client_credentials",
        }
    }
}

/// A secret goes over https, or to where the environment reroutes it.
fn check_encrypted(
    origin: &Origin,
    what: &str,
    network: &NetworkRules,
    place: &Path,
    fill: &mut Fill<'_>,
) {
    if !origin.is_https() && !network.reroute.contains_key(origin) {
        fill.fault(
            Fault::error(
                place.clone(),
                format!("{what} is never sent in clear, as `{origin}` would have it"),
            )
            .help("use `https://`"),
        );
    }
}

impl WireSecret {
    fn convert(
        self,
        place: &Path,
        network: &NetworkRules,
        fill: &mut Fill<'_>,
    ) -> Option<SecretSource> {
        let rehearsal = !network.reroute.is_empty();
        let given = [
            ("env", self.env),
            ("file", self.file),
            ("literal", self.literal),
        ];
        let mut given = given
            .into_iter()
            .filter_map(|(key, text)| Some((key, text?)));
        let (Some((key, text)), None) = (given.next(), given.next()) else {
            let fault = Fault::error(
                place.clone(),
                "a secret comes from exactly one of `env`, `file` and `literal`",
            );
            fill.fault(fault.on_key().help("such as `secret: { env: API_TOKEN }`"));
            return None;
        };
        if text.is_empty() {
            return None;
        }
        let place = place.key(key);
        match (key, rehearsal) {
            ("literal", false) => fill.fault(
                Fault::error(
                    place.clone(),
                    "a secret can't be written into an environment that reaches real services",
                )
                .on_key()
                .help("use `env` or `file`; `literal` is for environments that reroute"),
            ),
            ("env" | "file", true) => fill.fault(
                Fault::error(
                    place.clone(),
                    "an environment that reroutes uses no real secret",
                )
                .on_key()
                .help("use `literal` with any text; what is sent may be sent in clear"),
            ),
            _ => {}
        }
        Some(match key {
            // What is written there is the secret: nothing is filled in.
            "literal" => SecretSource::Literal(text),
            "env" => SecretSource::Env(fill.text(text, &place)?),
            _ => SecretSource::File(fill.text(text, &place)?),
        })
    }
}
