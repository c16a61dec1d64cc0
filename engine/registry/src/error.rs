//! Why something can't be fetched or published.

use crate::digest::Digest;
use crate::image::ManifestFault;

/// Why something can't be fetched or published. URLs are shown without their queries, which may hold keys, and nothing
/// of an answer's body is shown but the error codes that registries have.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is no client.
    #[error("the HTTP client can't be made")]
    Client(#[source] reqwest::Error),
    /// No answer came.
    #[error("`{url}` can't be reached")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// An answer began, and didn't end as it should.
    #[error("the answer of `{url}` broke off")]
    Broken {
        /// What was asked for.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The time is over.
    #[error("`{of}` was not there after {seconds} s")]
    Slow {
        /// What was fetched or published.
        of: String,
        /// The limit.
        seconds: u64,
    },
    /// The answer says no.
    #[error("`{url}` answers {status}{}", listed(.codes))]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// The registry's error codes, such as `MANIFEST_UNKNOWN`.
        codes: Vec<String>,
    },
    /// It isn't for everybody, or not for this one.
    #[error("`{url}` {}", if *.known { "does not let these credentials in" } else { "wants credentials" })]
    Unauthorized {
        /// What was asked for.
        url: String,
        /// The registry's host.
        host: String,
        /// Whether credentials for it were known.
        known: bool,
    },
    /// It asks for credentials in a way that isn't known, or where they may not be sent.
    #[error("`{url}` asks for credentials in a way that is not answered: {why}")]
    Challenge {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is too large.
    #[error("`{url}` is larger than the {limit} bytes that are read")]
    Large {
        /// What was asked for.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// It leads on to a place that isn't asked.
    #[error("`{url}` leads on to `{to}`, and {fault}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// Where it leads.
        to: String,
        /// Why that isn't asked.
        fault: RedirectFault,
    },
    /// It leads on and on.
    #[error("`{url}` leads on to other places more than {limit} times")]
    Redirects {
        /// What was asked for at first.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// It comes in an encoding that wasn't asked for.
    #[error("the answer of `{0}` is compressed, which was not asked for")]
    Encoded(String),
    /// It is a page for people.
    #[error("`{url}` is a page for people (`{kind}`), not a file")]
    Page {
        /// What was asked for.
        url: String,
        /// Its type.
        kind: &'static str,
    },
    /// It is something else.
    #[error(
        "`{url}` is something else than what is wanted: it has the digest {found}, not {wanted}"
    )]
    Other {
        /// What was asked for.
        url: String,
        /// The digest of what came.
        found: Digest,
        /// The digest of what is wanted.
        wanted: Digest,
    },
    /// The image is none that holds a component.
    #[error("the image `{image}` holds no component as it should")]
    Image {
        /// The image.
        image: String,
        /// What is wrong with its manifest.
        source: ManifestFault,
    },
    /// An answer isn't what the protocol says.
    #[error("`{url}` answers what no registry should: {what}")]
    Protocol {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The tag is another image's.
    #[error("`{image}` is there already, and is another one")]
    Taken {
        /// The image.
        image: String,
    },
}

/// Why a place that an answer leads on to isn't asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectFault {
    /// It is no URL.
    #[error("that is no URL")]
    NotAUrl,
    /// It is in clear.
    #[error("what is asked over https is not asked in clear")]
    Clear,
    /// It is an address, or this machine.
    #[error("only what has a name is asked, and not this machine")]
    Address,
    /// It holds a user or a password.
    #[error("no user and password are taken from there")]
    User,
}

impl FetchError {
    /// Whether the answer was that there is no such thing; some services say so by 403.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(
            self,
            FetchError::Status {
                status: 403 | 404 | 410,
                ..
            }
        )
    }
}

fn listed(codes: &[String]) -> String {
    if codes.is_empty() {
        String::new()
    } else {
        format!(" ({})", codes.join(", "))
    }
}
