//! A request on its way out, to which a credential is added.

use bytes::Bytes;
use http::{HeaderMap, Method};
use url::{Position, Url};
use zeroize::Zeroizing;

use crate::network::Route;

/// What is about to be sent. It is apart from what is on record, which never holds what a credential adds.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a Method,
    pub(crate) route: Route,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<&'a Bytes>,
    /// Whether the URL holds a secret, and is to be overwritten.
    is_secret: bool,
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(
        method: &'a Method,
        route: Route,
        headers: HeaderMap,
        body: Option<&'a Bytes>,
    ) -> Outgoing<'a> {
        Outgoing {
            method,
            route,
            headers,
            body,
            is_secret: false,
        }
    }

    /// What the `Host` field will hold.
    pub(super) fn host(&self) -> &[u8] {
        match &self.route.host {
            Some(host) => host.as_bytes(),
            None => self.route.target[Position::BeforeHost..Position::AfterPort].as_bytes(),
        }
    }

    /// Adds a parameter to the URL's query. `pair` is `NAME=VALUE`, encoded.
    pub(super) fn add_to_query(&mut self, pair: &str) -> Result<(), url::ParseError> {
        let url = &self.route.target;
        let between = match url.query() {
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        let before = &url[..Position::AfterQuery];
        // Room for all of it at once: a text that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(
            before.len() + between.len() + pair.len(),
        ));
        for part in [before, between, pair] {
            text.push_str(part);
        }
        self.route.target = Url::parse(&text)?;
        self.is_secret = true;
        Ok(())
    }
}

impl Drop for Outgoing<'_> {
    fn drop(&mut self) {
        if self.is_secret {
            let length = self.route.target.query().map_or(0, str::len);
            // It takes the place of what was there, in the same memory.
            self.route.target.set_query(Some(&"0".repeat(length)));
        }
    }
}
