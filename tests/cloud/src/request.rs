use bytes::Bytes;
use hyper::header::{AUTHORIZATION, HOST, HeaderMap};
use serde_json::Value;
use url::form_urlencoded;

/// A request that has arrived whole.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// In lower case, without a port of the listener's own making: as the `Host` header has it.
    pub(crate) host: String,
    /// As sent, still percent-encoded.
    pub(crate) path: String,
    /// As sent, without its question mark.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn new(head: &hyper::http::request::Parts, body: Bytes) -> Request {
        let host = head
            .headers
            .get(HOST)
            .and_then(|value| value.to_str().ok())
            .or_else(|| head.uri.host())
            .unwrap_or_default();
        Request {
            method: head.method.as_str().to_owned(),
            host: host.to_ascii_lowercase(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers.clone(),
            body,
        }
    }

    /// Path and query.
    pub(crate) fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// The parts of the path between its slashes.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What follows `scheme` in the `Authorization` header.
    pub(crate) fn authorization(&self, scheme: &str) -> Option<&str> {
        let value = self.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (said, rest) = value.split_once(' ')?;
        said.eq_ignore_ascii_case(scheme).then(|| rest.trim())
    }

    /// The query's pairs.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        pairs(self.query.as_bytes())
    }

    /// The query's parameter of that name.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        find(self.pairs(), name)
    }

    /// The form field of that name; none if the body isn't a form.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let form = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        form.then(|| find(pairs(&self.body), name)).flatten()
    }

    /// The body as JSON; none if it isn't, or if it isn't called so.
    pub(crate) fn json(&self) -> Option<Value> {
        let called_json = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"));
        called_json
            .then(|| serde_json::from_slice(&self.body).ok())
            .flatten()
    }
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

fn find(pairs: Vec<(String, String)>, name: &str) -> Option<String> {
    pairs
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}
