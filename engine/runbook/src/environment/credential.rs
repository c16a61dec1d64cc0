//! Credentials: named ways to authenticate.

use serde::Deserialize;
use url::Url;

use super::fill::Fill;
use super::network::NetworkRules;
use super::secret::{SecretSource, WireSecret};
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
    /// A parameter of the URL's query holds it.
    Query {
        /// The parameter's name.
        parameter: String,
    },
    /// The engine signs each request, as AWS has it (Signature Version 4).
    AwsSigV4 {
        /// The id of the access key whose secret it is.
        access_key_id: String,
        /// The region.
        region: String,
        /// The service.
        service: String,
        /// Where the token comes from that goes with a key for a while.
        session_token: Option<SecretSource>,
    },
}

impl Credential {
    /// Where all that is secret of it comes from.
    pub(super) fn sources(&self) -> impl Iterator<Item = &SecretSource> {
        let token = match &self.scheme {
            Scheme::AwsSigV4 { session_token, .. } => session_token.as_ref(),
            _ => None,
        };
        std::iter::once(&self.secret).chain(token)
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
    parameter: Option<String>,
    access_key_id: Option<String>,
    region: Option<String>,
    service: Option<String>,
    session_token: Option<WireSecret>,
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
    Query,
    #[serde(rename = "aws_sigv4")]
    AwsSigV4,
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
                ("parameter", self.parameter),
                ("access_key_id", self.access_key_id),
                ("region", self.region),
                ("service", self.service),
            ],
            session_token: self.session_token,
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
    given: [(&'static str, Option<String>); 10],
    session_token: Option<WireSecret>,
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
            Kind::Query => {
                let parameter = self.required("parameter", fill)?;
                self.check_plain("parameter", &parameter, b"-._~", fill);
                Some(Scheme::Query { parameter })
            }
            Kind::AwsSigV4 => {
                let [access_key_id, region, service] =
                    ["access_key_id", "region", "service"].map(|key| {
                        let text = self.required(key, fill)?;
                        self.check_plain(key, &text, b"-_", fill);
                        Some(text)
                    });
                let place = self.place.key("session_token");
                let session_token = match self.session_token {
                    Some(token) => Some(token.convert(&place, network, fill)?),
                    None => None,
                };
                Some(Scheme::AwsSigV4 {
                    access_key_id: access_key_id?,
                    region: region?,
                    service: service?,
                    session_token,
                })
            }
        }
    }

    /// What a kind doesn't read would only look as if it did something.
    fn refuse_foreign(&self, fill: &mut Fill<'_>) {
        let token = ("session_token", self.session_token.is_some());
        let texts = self.given.iter().map(|(key, text)| (*key, text.is_some()));
        for (key, is_given) in texts.chain([token]) {
            let kind = match key {
                "header" | "prefix" => Kind::Header,
                "username" => Kind::Basic,
                "parameter" => Kind::Query,
                "token_url" | "client_id" | "scope" => Kind::OAuth2ClientCredentials,
                _ => Kind::AwsSigV4,
            };
            if is_given && kind != self.kind {
                let fault = Fault::error(
                    self.place.key(key),
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

    /// Letters, digits and these.
    fn check_plain(&self, key: &str, text: &str, also: &[u8], fill: &mut Fill<'_>) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || also.contains(&byte);
        if text.is_empty() || !text.bytes().all(plain) {
            let also: Vec<String> = also
                .iter()
                .map(|byte| format!("`{}`", char::from(*byte)))
                .collect();
            let message = format!("`{text}` can't be the `{key}` of a credential");
            let fault = Fault::error(self.place.key(key), message);
            fill.fault(fault.help(format!(
                "it may hold only letters, digits and {}",
                also.join(" ")
            )));
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
            Kind::Query => "query",
            Kind::AwsSigV4 => "aws_sigv4",
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
