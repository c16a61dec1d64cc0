//! Credentials: the host applies them, and only to their own origins.

mod oauth2;

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    network::{Network, Origin, Route},
    redact::Redactor,
    secret::Secret,
};
use oauth2::ClientCredentials;

pub use oauth2::TokenError;

/// How a credential authenticates a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// A header field that holds the secret after a prefix, which may be empty.
    Header {
        /// The field's name.
        name: String,
        /// What stands before the secret, with its space.
        prefix: String,
    },
    /// `Authorization: Bearer SECRET`.
    Bearer,
    /// `Authorization: Basic …` of the name and the secret.
    Basic {
        /// The user's name.
        username: String,
    },
    /// `Authorization: Bearer TOKEN`, with a token that the host gets for the secret (RFC 6749, section 4.4).
    OAuth2ClientCredentials {
        /// Where tokens are given out.
        token_url: String,
        /// The client's id.
        client_id: String,
        /// What the token is for.
        scope: Option<String>,
    },
}

/// A named way to authenticate, with its secret. It lives as long as a run, and with it its token.
pub struct Credential {
    name: String,
    secret: Secret,
    origins: Vec<Origin>,
    field: HeaderName,
    kind: Kind,
}

enum Kind {
    Fixed(HeaderValue),
    Token(Box<ClientCredentials>),
}

/// Why a credential can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Its header field is one that no credential can stand in.
    #[error("the credential `{credential}` can't stand in the header field `{field}`")]
    Field {
        /// The credential.
        credential: String,
        /// The field.
        field: String,
    },
    /// Its secret, prefix or user name holds what a header field can't carry.
    #[error(
        "the credential `{credential}` holds a character that a header field can't carry, such as a line break"
    )]
    Character {
        /// The credential.
        credential: String,
    },
    /// A user name of basic authentication has a colon in it.
    #[error("the user name of the credential `{credential}` holds a colon")]
    Colon {
        /// The credential.
        credential: String,
    },
    /// It could not get a token.
    #[error("the credential `{credential}` got no token from `{token_url}`: {fault}")]
    Token {
        /// The credential.
        credential: String,
        /// Where it asked.
        token_url: String,
        /// What happened.
        fault: TokenError,
    },
}

impl Credential {
    /// A credential. Its secret, and every token that it gets, is hidden by `redactor` from now on.
    ///
    /// # Errors
    ///
    /// The scheme and the secret don't go together, or the token URL is none that the gate would take.
    pub fn new(
        name: &str,
        scheme: &Scheme,
        secret: Secret,
        origins: Vec<Origin>,
        redactor: &Arc<Redactor>,
    ) -> Result<Credential, CredentialError> {
        redactor.hide(name, &secret);
        let value = |prefix: &str, text: &str| {
            let text = Zeroizing::new(format!("{prefix}{text}"));
            let mut value =
                HeaderValue::from_str(&text).map_err(|_| CredentialError::Character {
                    credential: name.to_owned(),
                })?;
            value.set_sensitive(true);
            Ok(Kind::Fixed(value))
        };
        let (field, kind) = match scheme {
            Scheme::Header {
                name: field,
                prefix,
            } => (own_field(name, field)?, value(prefix, secret.expose())?),
            Scheme::Bearer => (header::AUTHORIZATION, value("Bearer ", secret.expose())?),
            Scheme::Basic { username } => {
                if username.contains(':') {
                    return Err(CredentialError::Colon {
                        credential: name.to_owned(),
                    });
                }
                let pair = Secret::of(&Zeroizing::new(format!("{username}:{}", secret.expose())));
                redactor.hide(name, &pair);
                (
                    header::AUTHORIZATION,
                    value("Basic ", &Zeroizing::new(STANDARD.encode(pair.expose())))?,
                )
            }
            Scheme::OAuth2ClientCredentials {
                token_url,
                client_id,
                scope,
            } => {
                let client = ClientCredentials::new(
                    name,
                    token_url,
                    client_id,
                    scope.as_deref(),
                    &secret,
                    redactor,
                )
                .map_err(|fault| CredentialError::Token {
                    credential: name.to_owned(),
                    token_url: token_url.clone(),
                    fault,
                })?;
                (header::AUTHORIZATION, Kind::Token(Box::new(client)))
            }
        };
        Ok(Credential {
            name: name.to_owned(),
            secret,
            origins,
            field,
            kind,
        })
    }

    /// Its name in the environment.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it may be sent.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Makes sure that it can be used: fetches a token, where it needs one. Done for every credential
    /// of a plan before the first effect.
    ///
    /// # Errors
    ///
    /// No token could be had.
    pub async fn obtain(&self, network: &Network) -> Result<(), CredentialError> {
        self.value(network).await.map(|_| ())
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Whether it may be applied to this request.
    pub(crate) fn admits(
        &self,
        url: &Url,
        route: &Route,
        headers: &HeaderMap,
    ) -> Result<(), String> {
        let name = &self.name;
        if !Origin::of(url).is_ok_and(|origin| self.origins.contains(&origin)) {
            let own: Vec<String> = self
                .origins
                .iter()
                .map(|origin| format!("`{origin}`"))
                .collect();
            return Err(format!(
                "the credential `{name}` is only for {}",
                own.join(", ")
            ));
        }
        if url.scheme() != "https" && !route.is_rerouted() {
            return Err(format!("the credential `{name}` is only sent by https"));
        }
        // A second authorization would leave it to the service whose request this is; a range or an
        // encoding would hide an echo of the secret from redaction.
        let own = [
            &header::AUTHORIZATION,
            &self.field,
            &header::RANGE,
            &header::IF_RANGE,
            &header::ACCEPT_ENCODING,
        ];
        match own.into_iter().find(|field| headers.contains_key(*field)) {
            Some(field) => Err(format!(
                "the header field `{field}` can't be set in a request with a credential"
            )),
            None => Ok(()),
        }
    }

    /// Puts it into the request's header fields.
    pub(crate) async fn apply(
        &self,
        headers: &mut HeaderMap,
        network: &Network,
    ) -> Result<(), CredentialError> {
        headers.insert(self.field.clone(), self.value(network).await?);
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        Ok(())
    }

    /// Hears what a request with it was answered: a token that was refused isn't used again.
    pub(crate) async fn answered(&self, status: u16) {
        if let (Kind::Token(client), 401) = (&self.kind, status) {
            client.forget().await;
        }
    }

    async fn value(&self, network: &Network) -> Result<HeaderValue, CredentialError> {
        match &self.kind {
            Kind::Fixed(value) => Ok(value.clone()),
            Kind::Token(client) => {
                client
                    .bearer(network)
                    .await
                    .map_err(|fault| CredentialError::Token {
                        credential: self.name.clone(),
                        token_url: client.token_url().to_string(),
                        fault,
                    })
            }
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("name", &self.name)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}

/// The field of a header credential: any but those that frame a message.
fn own_field(credential: &str, field: &str) -> Result<HeaderName, CredentialError> {
    HeaderName::from_bytes(field.as_bytes())
        .ok()
        .filter(|name| {
            !crate::gate::is_forbidden(name.as_str()) && *name != header::ACCEPT_ENCODING
        })
        .ok_or_else(|| CredentialError::Field {
            credential: credential.to_owned(),
            field: field.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn applied(scheme: Scheme) -> Result<String, CredentialError> {
        let redactor = Arc::new(Redactor::default());
        let credential = Credential::new(
            "api",
            &scheme,
            Secret::of("hunter22"),
            Vec::new(),
            &redactor,
        )?;
        let mut headers = HeaderMap::new();
        credential
            .apply(&mut headers, &Network::new(Default::default()))
            .await?;
        assert_eq!(headers["accept-encoding"], "identity");
        assert!(headers[&credential.field].is_sensitive());
        let shown = format!(
            "{}: {}",
            credential.field,
            headers[&credential.field].to_str().unwrap()
        );
        assert!(!redactor.redact_text(&shown).contains("hunter22"));
        assert!(!redactor.redact_text(&shown).contains("dXNlcjpodW50ZXIyM"));
        assert!(!format!("{credential:?} {headers:?}").contains("hunter22"));
        Ok(shown)
    }

    #[tokio::test]
    async fn each_kind_has_its_header_field() {
        let header = Scheme::Header {
            name: "X-Api-Key".to_owned(),
            prefix: "OAuth ".to_owned(),
        };
        assert_eq!(applied(header).await.unwrap(), "x-api-key: OAuth hunter22");
        assert_eq!(
            applied(Scheme::Bearer).await.unwrap(),
            "authorization: Bearer hunter22"
        );
        let basic = Scheme::Basic {
            username: "user".to_owned(),
        };
        assert_eq!(
            applied(basic).await.unwrap(),
            "authorization: Basic dXNlcjpodW50ZXIyMg=="
        );
    }

    #[tokio::test]
    async fn what_does_not_go_together_is_refused() {
        for field in [
            "host",
            "Content-Length",
            "proxy-authorization",
            "a b",
            "",
            "accept-encoding",
        ] {
            let header = Scheme::Header {
                name: field.to_owned(),
                prefix: String::new(),
            };
            assert!(
                matches!(applied(header).await, Err(CredentialError::Field { .. })),
                "{field}"
            );
        }
        let header = Scheme::Header {
            name: "x-key".to_owned(),
            prefix: "a\n".to_owned(),
        };
        assert!(matches!(
            applied(header).await,
            Err(CredentialError::Character { .. })
        ));
        let basic = Scheme::Basic {
            username: "a:b".to_owned(),
        };
        assert!(matches!(
            applied(basic).await,
            Err(CredentialError::Colon { .. })
        ));
    }
}
