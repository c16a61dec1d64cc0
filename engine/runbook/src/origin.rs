//! An origin: scheme, host and port.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// A scheme, a host and a port, canonical: lower case, IDNA in ASCII, the scheme's own port left out.
/// Shown as `https://api.example.com` or `http://127.0.0.1:7070`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: &'static str,
    host: Host<String>,
    port: u16,
}

/// Why a text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginFault {
    /// It isn't a URL.
    #[error("`{text}` is not an origin: {reason}")]
    NotAUrl {
        /// The text.
        text: String,
        /// What the URL parser says.
        reason: url::ParseError,
    },
    /// Its scheme is neither http nor https.
    #[error("`{0}` is not an origin: it begins with neither `https://` nor `http://`")]
    Scheme(String),
    /// There is more than scheme, host and port.
    #[error("`{0}` is more than an origin: keep only scheme, host and port")]
    More(String),
}

impl Origin {
    /// `https` or `http`.
    pub fn scheme(&self) -> &str {
        self.scheme
    }

    /// Whether what is sent there is encrypted.
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// The host.
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// The port, also where it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The origin of a URL; none where it is neither http nor https.
    pub fn of(url: &Url) -> Option<Origin> {
        let scheme = match url.scheme() {
            "https" => "https",
            "http" => "http",
            _ => return None,
        };
        Some(Origin {
            scheme,
            host: url.host()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }
}

impl FromStr for Origin {
    type Err = OriginFault;

    fn from_str(text: &str) -> Result<Origin, OriginFault> {
        let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        if !lower.starts_with("https://") && !lower.starts_with("http://") {
            return Err(OriginFault::Scheme(text.to_owned()));
        }
        let url = Url::parse(text).map_err(|reason| OriginFault::NotAUrl {
            text: text.to_owned(),
            reason,
        })?;
        let more = || OriginFault::More(text.to_owned());
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare
            || !url.username().is_empty()
            || url.password().is_some()
            || text.contains(['@', '\\', '*'])
        {
            return Err(more());
        }
        Origin::of(&url).ok_or_else(more)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        let own = if self.is_https() { 443 } else { 80 };
        if self.port == own {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_canonical() {
        for (text, shown) in [
            ("https://API.example.com", "https://api.example.com"),
            ("https://api.example.com:443/", "https://api.example.com"),
            ("http://127.0.0.1:7070", "http://127.0.0.1:7070"),
            ("http://[::1]:80", "http://[::1]"),
            ("HTTPS://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for text in [
            "api.example.com",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://u@a",
            "https://a?b",
            "https://*.a",
            "",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
