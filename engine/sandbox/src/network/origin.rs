//! Scheme, host and port.

use std::fmt;

use url::{Position, Url};

use super::location::{LocationFault, location};

/// An origin: scheme, host and, where it isn't the scheme's own, port.
/// `HTTPS://API.example.com:443` and `https://api.example.com` are the same one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Url);

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It isn't a URL that the gate would take.
    #[error("`{text}` is not an origin: {why}")]
    Location {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// It says more than scheme, host and port.
    #[error("`{0}` is not an origin: it has a path or a query")]
    More(String),
}

impl Origin {
    /// Reads `scheme://host[:port]`, with or without a slash at the end.
    ///
    /// # Errors
    ///
    /// The text isn't that, or not http or https.
    pub fn parse(text: &str) -> Result<Origin, OriginError> {
        let fault = |fault: LocationFault| OriginError::Location {
            text: text.to_owned(),
            why: fault.to_string(),
        };
        let url = location(text).map_err(fault)?;
        if url.path() != "/" || url.query().is_some() {
            return Err(OriginError::More(text.to_owned()));
        }
        Ok(Origin(url))
    }

    /// The origin of a URL.
    ///
    /// # Errors
    ///
    /// The URL is not http or https, or has user information in it.
    pub fn of(url: &Url) -> Result<Origin, OriginError> {
        if !matches!(url.scheme(), "http" | "https")
            || &url[Position::AfterScheme..Position::BeforeHost] != "://"
        {
            return Origin::parse(&url[..Position::BeforePath]);
        }
        // It was read once: nothing in front of the path can be wrong.
        let mut origin = url.clone();
        origin.set_fragment(None);
        origin.set_query(None);
        origin.set_path("/");
        Ok(Origin(origin))
    }

    /// Host and, where it isn't the scheme's own, port.
    pub(crate) fn authority(&self) -> &str {
        &self.0[Position::BeforeHost..Position::AfterPort]
    }

    /// The same path and query at this origin.
    pub(super) fn place(&self, url: &Url) -> Url {
        let mut placed = self.0.clone();
        placed.set_path(url.path());
        placed.set_query(url.query());
        placed
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0[..Position::BeforePath])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_shown_without_what_its_scheme_implies() {
        for (text, shown) in [
            ("https://api.example.com", "https://api.example.com"),
            ("HTTPS://API.example.com:443/", "https://api.example.com"),
            ("http://127.0.0.1:7070", "http://127.0.0.1:7070"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_says_more_is_no_origin() {
        for text in [
            "https://h/p",
            "https://h/?q",
            "ftp://h",
            "h",
            "https://u@h",
            "https://h/p#f",
        ] {
            Origin::parse(text).unwrap_err();
        }
    }

    #[test]
    fn placing_keeps_path_and_query() {
        let url = Url::parse("https://h/a%20b/c?x=%2F&y").unwrap();
        let placed = Origin::parse("http://127.0.0.1:7070").unwrap().place(&url);
        assert_eq!(placed.as_str(), "http://127.0.0.1:7070/a%20b/c?x=%2F&y");
    }
}
