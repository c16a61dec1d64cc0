//! An answer, read no further than it may.

use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use reqwest::Response;
use serde::Deserialize;
use url::Url;

use crate::error::FetchError;
use crate::web::shown;

/// The most of a refusal that is read for its error codes, in bytes.
const REFUSAL: usize = 8 << 10;

/// An answer whose body isn't read yet.
pub(crate) struct Answer {
    url: Url,
    response: Response,
}

impl Answer {
    pub(crate) fn new(url: Url, response: Response) -> Answer {
        Answer { url, response }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Where it came from at last.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The same answer, if it is one of success; an error that says what the registry says else.
    pub(crate) async fn success(self) -> Result<Answer, FetchError> {
        if self.status().is_success() {
            Ok(self)
        } else {
            Err(self.refusal().await)
        }
    }

    /// The body, of at most so many bytes.
    pub(crate) async fn bytes(mut self, limit: usize) -> Result<Vec<u8>, FetchError> {
        let url = shown(&self.url);
        if let Some(encoding) = self.headers().get(CONTENT_ENCODING)
            && encoding.as_bytes() != b"identity"
        {
            return Err(FetchError::Encoded(url));
        }
        let said = self.response.content_length();
        if said.is_some_and(|length| length > limit as u64) {
            return Err(FetchError::Large { url, limit });
        }
        let mut bytes = Vec::new();
        loop {
            match self.response.chunk().await {
                Ok(None) => return Ok(bytes),
                Ok(Some(chunk)) if bytes.len() + chunk.len() > limit => {
                    return Err(FetchError::Large { url, limit });
                }
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Err(source) => {
                    let source = source.without_url();
                    return Err(FetchError::Broken { url, source });
                }
            }
        }
    }

    /// What kind of page for people this is, when it is one.
    pub(crate) fn page(&self) -> Option<&'static str> {
        let kind = self.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        ["text/html", "application/xhtml+xml"]
            .into_iter()
            .find(|page| kind.trim().to_ascii_lowercase().starts_with(page))
    }

    /// What an answer that isn't one of success says.
    pub(crate) async fn refusal(self) -> FetchError {
        let (url, status) = (shown(&self.url), self.status().as_u16());
        let codes = self.bytes(REFUSAL).await.map(|body| codes(&body));
        FetchError::Status {
            url,
            status,
            codes: codes.unwrap_or_default(),
        }
    }
}

/// The error codes of a registry. Its messages aren't shown: a stranger wrote them, and may repeat what was sent.
fn codes(body: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Body {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        code: String,
    }
    let is_code = |code: &String| {
        code.len() <= 40
            && code
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    let errors = serde_json::from_slice(body).map_or_else(|_| Vec::new(), |body: Body| body.errors);
    let codes = errors.into_iter().map(|one| one.code);
    codes.filter(is_code).take(4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_refusal_only_the_codes_are_taken() {
        let body = br#"{"errors":[{"code":"DENIED","message":"\u001b[2J"},{"code":"a b"}]}"#;
        assert_eq!(codes(body), ["DENIED"]);
        assert!(codes(b"<html>").is_empty());
        assert!(codes(br#"{"errors":[{"message":"x"}]}"#).is_empty());
    }
}
