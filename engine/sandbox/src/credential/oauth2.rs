//! Tokens by the client credentials grant (RFC 6749, section 4.4).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

use crate::{
    line::words,
    network::{Dispatch, Exchanged, Failure, Lane, Network, location},
    redact::Redactor,
    secret::Secret,
};

/// How long a token request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest answer of a token service, in bytes.
const LONGEST: usize = 256 << 10;

/// How long a token is kept whose service doesn't say.
const UNSAID: Duration = Duration::from_secs(300);

/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(60);

/// How old a token is at least that is dropped when it is refused. A service that refuses a new one will refuse the next
/// one too, and a plugin could have one after the other fetched.
const FRESH: Duration = Duration::from_secs(10);

/// The longest text of a token service that is shown, in bytes.
const SHOWN: usize = 500;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token URL is none that the gate would take, or may not be reached.
    #[error("{0}")]
    Location(String),
    /// No answer came.
    #[error("{0}")]
    NoAnswer(String),
    /// The service refused.
    #[error("it answered {status}{}", said(.error.as_deref(), .description.as_deref()))]
    Refused {
        /// The status code.
        status: u16,
        /// The service's `error`, redacted.
        error: Option<String>,
        /// The service's `error_description`, redacted.
        description: Option<String>,
    },
    /// The answer is no token.
    #[error("it answered {status} with {what}")]
    Answer {
        /// The status code.
        status: u16,
        /// What is wrong with the answer.
        what: &'static str,
    },
}

fn said(error: Option<&str>, description: Option<&str>) -> String {
    match (error, description) {
        (None, None) => String::new(),
        (Some(text), None) | (None, Some(text)) => format!(": {text}"),
        (Some(error), Some(description)) => format!(": {error}: {description}"),
    }
}

/// A client that gets tokens for its secret, one at a time, and keeps the last.
pub(super) struct ClientCredentials {
    name: String,
    token_url: Url,
    client_id: String,
    scope: Option<String>,
    secret: Secret,
    redactor: Arc<Redactor>,
    /// Locked while a token is fetched, so that those who wait get that one.
    token: Mutex<Option<Token>>,
}

struct Token {
    bearer: HeaderValue,
    asked: Instant,
    stale: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Seconds>,
}

/// A number, or, as some services have it, a number in quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

#[derive(Default, Deserialize)]
struct Declined {
    error: Option<String>,
    error_description: Option<String>,
}

impl ClientCredentials {
    pub(super) fn new(
        name: &str,
        token_url: &str,
        client_id: &str,
        scope: Option<&str>,
        secret: &Secret,
        redactor: &Arc<Redactor>,
    ) -> Result<ClientCredentials, TokenError> {
        let token_url =
            location(token_url).map_err(|fault| TokenError::Location(fault.to_string()))?;
        Ok(ClientCredentials {
            name: name.to_owned(),
            token_url,
            client_id: client_id.to_owned(),
            scope: scope.map(str::to_owned),
            secret: secret.clone(),
            redactor: Arc::clone(redactor),
            token: Mutex::default(),
        })
    }

    pub(super) fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// The header value of a token that is good for now.
    pub(super) async fn bearer(&self, network: &Network) -> Result<HeaderValue, TokenError> {
        let mut kept = self.token.lock().await;
        if let Some(token) = &*kept
            && Instant::now() < token.stale
        {
            return Ok(token.bearer.clone());
        }
        let token = self.fetch(network).await?;
        Ok(kept.insert(token).bearer.clone())
    }

    /// Drops the token that is kept, unless it is fresh.
    pub(super) async fn refused(&self, now: Instant) {
        let old = |token: &mut Token| now.saturating_duration_since(token.asked) >= FRESH;
        drop(self.token.lock().await.take_if(old));
    }

    async fn fetch(&self, network: &Network) -> Result<Token, TokenError> {
        let route = network
            .route(&self.token_url)
            .map_err(TokenError::Location)?;
        if self.token_url.scheme() != "https" && !route.is_rerouted() {
            return Err(TokenError::Location(
                "a secret is only sent by https".to_owned(),
            ));
        }
        let mut headers = HeaderMap::new();
        let fields = [
            (header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
            (header::ACCEPT, "application/json"),
            (header::ACCEPT_ENCODING, "identity"),
        ];
        headers.extend(fields.map(|(name, value)| (name, HeaderValue::from_static(value))));
        let asked = Instant::now();
        let exchanged = network
            .exchange(Dispatch {
                lane: Lane::Fresh,
                route: &route,
                method: Method::POST,
                headers,
                body: Some(self.form()),
                timeout: TIMEOUT,
                patience: None,
                response_bytes: LONGEST,
            })
            .await;
        match exchanged {
            Exchanged::NotSent(failure) | Exchanged::Unknown(failure) => {
                Err(self.no_answer(failure))
            }
            Exchanged::Answered { status, body, .. } => {
                let body = body.map_err(|failure| self.no_answer(failure))?;
                if (200..300).contains(&status) {
                    self.granted(status, &body, asked)
                } else {
                    Err(self.declined(status, &body))
                }
            }
        }
    }

    fn form(&self) -> Bytes {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.secret.expose());
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        // Overwritten when the client lets go of it.
        Bytes::from_owner(Zeroizing::new(form.finish().into_bytes()))
    }

    fn granted(&self, status: u16, body: &[u8], asked: Instant) -> Result<Token, TokenError> {
        let fault = |what| TokenError::Answer { status, what };
        let granted: Granted = serde_json::from_slice(body)
            .map_err(|_| fault("no `access_token` in a JSON object"))?;
        let token = Zeroizing::new(granted.access_token);
        if granted
            .token_type
            .is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer"))
        {
            return Err(fault("a token that is not of the type `Bearer`"));
        }
        if token.is_empty() {
            return Err(fault("an empty token"));
        }
        let text = Zeroizing::new(format!("Bearer {}", *token));
        let mut bearer = HeaderValue::from_str(&text)
            .map_err(|_| fault("a token that a header field can't carry"))?;
        bearer.set_sensitive(true);
        self.redactor.hide_token(&self.name, &Secret::of(&token));
        Ok(Token {
            bearer,
            asked,
            stale: asked + kept_for(granted.expires_in),
        })
    }

    fn declined(&self, status: u16, body: &[u8]) -> TokenError {
        let Declined {
            error,
            error_description,
        } = serde_json::from_slice(body).unwrap_or_default();
        TokenError::Refused {
            status,
            error: error.map(|text| self.shown(&text)),
            description: error_description.map(|text| self.shown(&text)),
        }
    }

    fn no_answer(&self, failure: Failure) -> TokenError {
        TokenError::NoAnswer(self.shown(&failure.into_text()))
    }

    /// A service's text as it can be shown.
    fn shown(&self, text: &str) -> String {
        words(&self.redactor, text.as_bytes(), SHOWN)
    }
}

/// How long a token is used: its life less a margin, or half of a life that is shorter than two margins.
fn kept_for(expires_in: Option<Seconds>) -> Duration {
    let seconds = match expires_in {
        Some(Seconds::Number(seconds)) => Some(seconds),
        Some(Seconds::Text(text)) => text.parse().ok(),
        None => None,
    };
    let life = seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .unwrap_or(UNSAID);
    let life = life.min(Duration::from_secs(24 * 3600));
    if life >= MARGIN * 2 {
        life - MARGIN
    } else {
        life / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_token_is_dropped_once_it_is_not_fresh_any_more() {
        let redactor = Arc::new(Redactor::default());
        let secret = Secret::of("hunter22");
        let url = "https://login.example/token";
        let client = ClientCredentials::new("api", url, "id", None, &secret, &redactor).unwrap();
        let body = br#"{"access_token":"token-4711","expires_in":3600}"#;
        let asked = Instant::now();
        *client.token.lock().await = Some(client.granted(200, body, asked).unwrap());
        for (after, is_kept) in [(0, true), (9, true), (10, false)] {
            client.refused(asked + Duration::from_secs(after)).await;
            assert_eq!(client.token.lock().await.is_some(), is_kept, "{after} s");
        }
    }

    #[test]
    fn a_token_is_dropped_before_its_end() {
        let number = |seconds| Some(Seconds::Number(seconds));
        assert_eq!(kept_for(number(3600.0)), Duration::from_secs(3540));
        assert_eq!(
            kept_for(Some(Seconds::Text("3599".to_owned()))),
            Duration::from_secs(3539)
        );
        assert_eq!(kept_for(number(60.0)), Duration::from_secs(30));
        assert_eq!(kept_for(number(-1.0)), UNSAID - MARGIN);
        assert_eq!(kept_for(number(1e300)), UNSAID - MARGIN);
        assert_eq!(kept_for(None), UNSAID - MARGIN);
        assert_eq!(kept_for(number(0.0)), Duration::ZERO);
    }
}
