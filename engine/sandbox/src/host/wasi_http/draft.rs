//! A request as a guest has put it together, made into the one that the gate is asked for.

use std::time::Duration;

use bytes::Bytes;

use super::fields::Fields;
use crate::{
    bindings::wasi_http::types::{Method, Scheme},
    gate::{HttpError, Request},
    limits::Hold,
};

/// The field that names the slot whose credential the engine applies.
const CREDENTIAL: &str = "sandbook-credential";

/// The field that says whether sending the request twice is as harmless as sending it once.
const REPEATABLE: &str = "sandbook-repeatable";

/// A request less its body.
pub(super) struct Draft {
    method: String,
    scheme: String,
    authority: String,
    path: String,
    fields: Vec<(String, Vec<u8>)>,
    timeout: Option<Duration>,
    /// What is held for it, as long as it is there.
    holds: Vec<Hold>,
}

/// What the gate is asked for.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) request: Request,
    pub(super) slot: Option<String>,
}

impl Draft {
    pub(super) fn new(
        method: Method,
        scheme: Option<Scheme>,
        authority: Option<String>,
        path: Option<String>,
        fields: Fields,
    ) -> Draft {
        let (fields, hold) = fields.into_parts();
        Draft {
            method: method_name(method),
            scheme: scheme_name(scheme),
            authority: authority.unwrap_or_default(),
            path: path.unwrap_or_default(),
            fields,
            timeout: None,
            holds: vec![hold],
        }
    }

    /// What is held for its other parts goes with it.
    pub(super) fn holding(mut self, holds: impl Iterator<Item = Hold>) -> Draft {
        self.holds.extend(holds);
        self
    }

    /// The guest waits no longer than this.
    pub(super) fn within(self, timeout: Option<Duration>) -> Draft {
        Draft { timeout, ..self }
    }

    /// Method and URL, as they are to be shown where nothing comes of the request.
    pub(super) fn line(&self) -> (String, String) {
        let Draft {
            method,
            scheme,
            authority,
            path,
            ..
        } = self;
        (method.clone(), format!("{scheme}://{authority}{path}"))
    }

    /// The request with this body. An empty body is none: most clients give every request one.
    ///
    /// # Errors
    ///
    /// It isn't one that the gate could be asked for.
    pub(super) fn asking(self, body: Bytes) -> Result<Asking, HttpError> {
        let (method, url) = self.line();
        self.parts()?;
        let mut headers = Vec::with_capacity(self.fields.len());
        let (mut slot, mut repeatable, mut length) = (None, None, None);
        for (name, value) in self.fields {
            let own = match name.to_ascii_lowercase().as_str() {
                CREDENTIAL => &mut slot,
                REPEATABLE => &mut repeatable,
                "content-length" => &mut length,
                _ => {
                    headers.push((name, text(value)?));
                    continue;
                }
            };
            if own.replace(text(value)?).is_some() {
                let name = name.to_ascii_lowercase();
                return Err(HttpError::Denied(format!(
                    "the header field `{name}` is there more than once"
                )));
            }
        }
        if length.is_some_and(|length| length != body.len().to_string()) {
            return Err(HttpError::Malformed(format!(
                "the header field `content-length` isn't the length of the body, which is {}",
                body.len()
            )));
        }
        let repeatable = match repeatable.as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => {
                return Err(HttpError::Malformed(format!(
                    "the header field `{REPEATABLE}` is neither `true` nor `false`"
                )));
            }
        };
        let request = Request {
            method,
            url,
            headers,
            body: (!body.is_empty()).then_some(body),
            repeatable,
            timeout: self.timeout,
        };
        Ok(Asking { request, slot })
    }

    /// The parts of the URL must be what they are called: together they could be read as others.
    fn parts(&self) -> Result<(), HttpError> {
        let wrong = |what: &str| Err(HttpError::Malformed(what.to_owned()));
        if self.scheme.contains([':', '/', '?', '#']) {
            return wrong("the scheme holds a character that ends it");
        }
        if self.authority.is_empty() {
            return wrong("the request names no host");
        }
        if self.authority.contains(['/', '?', '#']) {
            return wrong("the authority holds a character that ends it");
        }
        if !(self.path.is_empty() || self.path.starts_with(['/', '?'])) {
            return wrong("the path doesn't begin with a slash");
        }
        Ok(())
    }
}

fn text(value: Vec<u8>) -> Result<String, HttpError> {
    String::from_utf8(value)
        .map_err(|_| HttpError::Malformed("a header field's value is not UTF-8 text".to_owned()))
}

fn method_name(method: Method) -> String {
    let name = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => return name,
    };
    name.to_owned()
}

/// Unsaid it is https, as the specification leaves it to the host.
fn scheme_name(scheme: Option<Scheme>) -> String {
    match scheme {
        Some(Scheme::Http) => "http".to_owned(),
        Some(Scheme::Https) | None => "https".to_owned(),
        Some(Scheme::Other(name)) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Limits, Memory};

    fn draft(authority: &str, path: &str, fields: &[(&str, &str)]) -> Draft {
        let memory = Memory::new(Limits::default());
        let entries = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        let fields = Fields::received(entries.collect(), &memory).unwrap();
        let (authority, path) = (authority.to_owned(), path.to_owned());
        Draft::new(Method::Post, None, Some(authority), Some(path), fields)
    }

    fn with(fields: &[(&str, &str)], body: &'static str) -> Result<Asking, HttpError> {
        draft("h", "/x?y", fields).asking(Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn words_for_the_engine_are_taken_out() {
        let fields = [
            ("A", "1"),
            ("Sandbook-Credential", "api"),
            ("SANDBOOK-REPEATABLE", "true"),
            ("Content-Length", "4"),
        ];
        let Asking { request, slot } = with(&fields, "body").unwrap();
        assert_eq!(slot.as_deref(), Some("api"));
        assert_eq!(request.repeatable, Some(true));
        assert_eq!(request.headers, [("A".to_owned(), "1".to_owned())]);
        assert_eq!(
            (request.method.as_str(), request.url.as_str()),
            ("POST", "https://h/x?y")
        );
        assert_eq!(request.body.as_deref(), Some(&b"body"[..]));
    }

    #[test]
    fn an_empty_body_is_none() {
        let asking = with(&[("content-length", "0")], "").unwrap();
        assert_eq!(asking.request.body, None);
    }

    #[test]
    fn what_says_two_things_is_refused() {
        for (fields, body, why) in [
            (
                &[("sandbook-credential", "a"), ("Sandbook-Credential", "a")][..],
                "",
                "`sandbook-credential` is there more than once",
            ),
            (
                &[("sandbook-repeatable", "yes")],
                "",
                "neither `true` nor `false`",
            ),
            (&[("content-length", "3")], "body", "which is 4"),
            (&[("content-length", "04")], "body", "which is 4"),
            (&[("content-length", "1")], "", "which is 0"),
            (
                &[("content-length", "4"), ("content-length", "4")],
                "body",
                "more than once",
            ),
        ] {
            let said = with(fields, body).unwrap_err().to_string();
            assert!(said.contains(why), "{fields:?}: {said}");
        }
    }

    #[test]
    fn a_part_of_a_url_is_not_more_than_that() {
        for (authority, path, why) in [
            ("", "/x", "names no host"),
            ("h/open", "/x", "the authority"),
            ("h?", "/x", "the authority"),
            ("h", ".evil.example/", "begin with a slash"),
            ("h", "@evil.example/", "begin with a slash"),
            ("h", "https://evil.example/", "begin with a slash"),
        ] {
            let said = draft(authority, path, &[])
                .asking(Bytes::new())
                .unwrap_err();
            assert!(said.to_string().contains(why), "{authority}{path}: {said}");
        }
        let draft = Draft {
            scheme: "https://evil.example/?".to_owned(),
            ..draft("h", "/", &[])
        };
        let said = draft.asking(Bytes::new()).unwrap_err().to_string();
        assert!(said.contains("the scheme"), "{said}");
    }
}
