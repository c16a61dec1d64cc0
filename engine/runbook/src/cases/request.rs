//! A request that is expected, and how much of it.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use url::Url;

use crate::fault::Fault;
use crate::leaf::Reader;
use crate::names::Slot;
use crate::origin::Origin;
use crate::path::Path;
use crate::suggest::closest;

/// The methods that a plugin can use.
const METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

/// A method and a URL, written `METHOD URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRequest {
    /// The method, in capitals.
    pub method: String,
    /// The URL as it is sent: normalised, without fragment.
    pub url: String,
}

/// A request and what is held against it; what isn't said is not looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// Method and URL.
    pub request: CaseRequest,
    /// The slot whose credential goes along; none where no credential does.
    pub credential: Option<Slot>,
    /// Header fields that are there, among others.
    pub headers: Vec<(String, String)>,
    /// What the body is: a text as it is, anything else as JSON.
    pub body: Option<Value>,
    /// What the body has in it: a text, or a part of its JSON.
    pub body_includes: Option<Value>,
}

/// Why a text is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// It has no two parts.
    #[error(
        "`{0}` is not a request: write `METHOD URL`, such as `GET https://api.example.com/v1/pools`"
    )]
    Form(String),
    /// The method is none that a plugin can use.
    #[error("`{0}` is not a method: there are GET, HEAD, OPTIONS, POST, PUT, PATCH and DELETE")]
    Method(String),
    /// The URL is none, or not one of http.
    #[error("`{0}` is not a URL that a plugin can ask for")]
    Url(String),
}

impl CaseRequest {
    /// Whether it only reads, so that a dry run sends it.
    pub fn is_reading(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// Where it goes.
    pub fn origin(&self) -> Origin {
        Url::parse(&self.url)
            .ok()
            .and_then(|url| Origin::of(&url))
            .expect("invariant: it was read as a URL of http")
    }
}

impl FromStr for CaseRequest {
    type Err = RequestFault;

    fn from_str(text: &str) -> Result<CaseRequest, RequestFault> {
        let form = || RequestFault::Form(text.to_owned());
        let (method, url) = text
            .trim()
            .split_once(char::is_whitespace)
            .ok_or_else(form)?;
        if !METHODS.contains(&method) {
            return Err(RequestFault::Method(method.to_owned()));
        }
        let url = url.trim();
        let read = Url::parse(url).ok().filter(|read| {
            Origin::of(read).is_some()
                && read.fragment().is_none()
                && read.username().is_empty()
                && read.password().is_none()
        });
        Ok(CaseRequest {
            method: method.to_owned(),
            url: read
                .ok_or_else(|| RequestFault::Url(url.to_owned()))?
                .into(),
        })
    }
}

impl fmt::Display for CaseRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// Reads a request.
pub(super) fn read(text: &str, place: &Path, reader: &mut Reader) -> Option<CaseRequest> {
    text.parse()
        .map_err(|fault| {
            let told = Fault::error(place.clone(), format!("{fault}"));
            reader.fault(match &fault {
                RequestFault::Form(_) => told,
                RequestFault::Method(method) => {
                    let meant = closest(&method.to_ascii_uppercase(), METHODS);
                    let told = told.on_part(method);
                    match meant {
                        Some(meant) => told.label(format!("did you mean `{meant}`?")),
                        None => told,
                    }
                }
                RequestFault::Url(url) => told.on_part(url).help(
                    "write it whole, from `https://` on, without user name, password and fragment",
                ),
            });
        })
        .ok()
}
