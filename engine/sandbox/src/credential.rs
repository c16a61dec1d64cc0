//! Credentials: the host applies them, and only to their own origins.

mod oauth2;
mod outgoing;
mod parameter;
mod sigv4;

use std::{fmt, sync::Arc, time::Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    gate::{folded, is_forbidden},
    network::{Network, Origin, Route},
    redact::Redactor,
    secret::Secret,
};
use oauth2::ClientCredentials;
use parameter::{has_parameter, is_plain};
use sigv4::{Message, Signer};

pub use oauth2::TokenError;
pub(crate) use outgoing::Outgoing;

/// How a credential authenticates a request.
#[derive(Debug, Clone)]
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
    /// A parameter of the URL's query that holds the secret. It is added to what is sent, and to nothing that is kept.
    Query {
        /// The parameter's name.
        parameter: String,
    },
    /// AWS Signature Version 4: the host signs what is sent, and the secret stays here.
    AwsSigV4 {
        /// Whose key it is.
        access_key_id: String,
        /// The region, such as `eu-west-1`.
        region: String,
        /// The service, such as `s3`.
        service: String,
        /// The token of a key that is good for a while only.
        session_token: Option<Secret>,
    },
}

/// A named way to authenticate, with its secret. It lives as long as a run, and with it its token.
pub struct Credential {
    name: String,
    secret: Secret,
    origins: Vec<Origin>,
    kind: Kind,
}

enum Kind {
    Fixed(HeaderName, HeaderValue),
    Token(Box<ClientCredentials>),
    Query(String),
    Signed(Box<Signer>),
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
    /// Its query parameter is none that can be told apart from others.
    #[error("the credential `{credential}` can't stand in the query parameter `{parameter}`")]
    Parameter {
        /// The credential.
        credential: String,
        /// The parameter.
        parameter: String,
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
            let mut value = HeaderValue::from_str(&text).map_err(|_| character(name))?;
            value.set_sensitive(true);
            Ok(value)
        };
        let kind = match scheme {
            Scheme::Header {
                name: field,
                prefix,
            } => Kind::Fixed(own_field(name, field)?, value(prefix, secret.expose())?),
            Scheme::Bearer => {
                Kind::Fixed(header::AUTHORIZATION, value("Bearer ", secret.expose())?)
            }
            Scheme::Basic { username } => {
                if username.contains(':') {
                    return Err(CredentialError::Colon {
                        credential: name.to_owned(),
                    });
                }
                let pair = Secret::of(&Zeroizing::new(format!("{username}:{}", secret.expose())));
                redactor.hide(name, &pair);
                let encoded = Zeroizing::new(STANDARD.encode(pair.expose()));
                Kind::Fixed(header::AUTHORIZATION, value("Basic ", &encoded)?)
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
                Kind::Token(Box::new(client))
            }
            Scheme::Query { parameter } if !is_plain(parameter) => {
                return Err(CredentialError::Parameter {
                    credential: name.to_owned(),
                    parameter: parameter.clone(),
                });
            }
            Scheme::Query { parameter } => Kind::Query(parameter.clone()),
            Scheme::AwsSigV4 {
                access_key_id,
                region,
                service,
                session_token,
            } => {
                let token = session_token.as_ref().map(|token| {
                    redactor.hide(name, token);
                    value("", token.expose())
                });
                for text in [access_key_id, region, service] {
                    value("", text)?;
                }
                Kind::Signed(Box::new(Signer {
                    access_key_id: access_key_id.clone(),
                    secret: secret.clone(),
                    region: region.clone(),
                    service: service.clone(),
                    session_token: token.transpose()?,
                }))
            }
        };
        Ok(Credential {
            name: name.to_owned(),
            secret,
            origins,
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
        match &self.kind {
            Kind::Token(client) => self.token(client, network).await.map(drop),
            Kind::Fixed(..) | Kind::Query(_) | Kind::Signed(_) => Ok(()),
        }
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
        let refused = [
            &header::AUTHORIZATION,
            &header::RANGE,
            &header::IF_RANGE,
            &header::ACCEPT_ENCODING,
        ];
        let own: &[HeaderName] = match &self.kind {
            Kind::Fixed(field, _) => std::slice::from_ref(field),
            Kind::Signed(_) => &[sigv4::DATE, sigv4::TOKEN, sigv4::CONTENT],
            Kind::Token(_) | Kind::Query(_) => &[],
        };
        let refused: Vec<String> = refused
            .into_iter()
            .chain(own)
            .map(|field| folded(field.as_str()))
            .collect();
        if let Some(field) = headers
            .keys()
            .find(|field| refused.contains(&folded(field.as_str())))
        {
            return Err(format!(
                "the header field `{field}` can't be set in a request with a credential"
            ));
        }
        let parameters: &[&str] = match &self.kind {
            Kind::Query(parameter) => &[parameter],
            Kind::Signed(_) => &sigv4::QUERY,
            Kind::Fixed(..) | Kind::Token(_) => &[],
        };
        match parameters.iter().find(|name| has_parameter(url, name)) {
            Some(parameter) => Err(format!(
                "the query parameter `{parameter}` is the credential's to set"
            )),
            None => Ok(()),
        }
    }

    /// Adds it to what is about to be sent.
    pub(crate) async fn apply(
        &self,
        outgoing: &mut Outgoing<'_>,
        network: &Network,
    ) -> Result<(), CredentialError> {
        outgoing.headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        match &self.kind {
            Kind::Fixed(field, value) => {
                outgoing.headers.insert(field.clone(), value.clone());
            }
            Kind::Token(client) => {
                let value = self.token(client, network).await?;
                outgoing.headers.insert(header::AUTHORIZATION, value);
            }
            Kind::Query(parameter) => {
                let secret = self.secret.expose();
                // Room for all of it at once: a text that grows leaves copies behind.
                let room = parameter.len() + 1 + "%00".len() * secret.len();
                let mut pair = Zeroizing::new(String::with_capacity(room));
                pair.push_str(parameter);
                pair.push('=');
                pair.extend(utf8_percent_encode(secret, NON_ALPHANUMERIC));
                outgoing
                    .add_to_query(&pair)
                    .map_err(|_| self.parameter(parameter))?;
            }
            Kind::Signed(signer) => self.sign(signer, outgoing)?,
        }
        Ok(())
    }

    fn sign(&self, signer: &Signer, outgoing: &mut Outgoing<'_>) -> Result<(), CredentialError> {
        let mut headers = std::mem::take(&mut outgoing.headers);
        let message = Message {
            method: outgoing.method,
            host: outgoing.host(),
            path: outgoing.route.target.path(),
            query: outgoing.route.target.query(),
            body: outgoing.body.map_or(&[], |body| body),
        };
        let signed = signer.sign(&message, &mut headers, jiff::Timestamp::now());
        outgoing.headers = headers;
        signed.map_err(|_| character(&self.name))
    }

    /// Hears what a request with it was answered: a token that was refused isn't used again, unless it was got just
    /// before.
    pub(crate) async fn answered(&self, status: u16) {
        if let (Kind::Token(client), 401) = (&self.kind, status) {
            client.refused(Instant::now()).await;
        }
    }

    async fn token(
        &self,
        client: &ClientCredentials,
        network: &Network,
    ) -> Result<HeaderValue, CredentialError> {
        client
            .bearer(network)
            .await
            .map_err(|fault| CredentialError::Token {
                credential: self.name.clone(),
                token_url: client.token_url().to_string(),
                fault,
            })
    }

    fn parameter(&self, parameter: &str) -> CredentialError {
        CredentialError::Parameter {
            credential: self.name.clone(),
            parameter: parameter.to_owned(),
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
        .filter(|name| !is_forbidden(name.as_str()) && *name != header::ACCEPT_ENCODING)
        .ok_or_else(|| CredentialError::Field {
            credential: credential.to_owned(),
            field: field.to_owned(),
        })
}

fn character(credential: &str) -> CredentialError {
    CredentialError::Character {
        credential: credential.to_owned(),
    }
}

#[cfg(test)]
mod tests;
