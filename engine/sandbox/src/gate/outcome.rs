//! How a request that was begun ended.

use bytes::Bytes;

use super::request::Headers;

/// What is known of a request that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It failed before its first byte left: name, address, connection, TLS, or the credential.
    NotSent {
        /// What failed.
        why: String,
    },
    /// A status line arrived.
    Answered {
        /// The status code.
        status: u16,
        /// The header fields, redacted.
        headers: Headers,
        /// The body, redacted; absent when it was lost, too large or refused.
        body: Option<Bytes>,
    },
    /// It left, at least in part, and no status line arrived.
    Unknown {
        /// What happened instead.
        why: String,
    },
}

impl Outcome {
    /// Whether the service may or may not have acted, so that for a request that isn't repeatable
    /// a person has to say which, once the attempt has failed.
    pub fn ambiguous(&self) -> bool {
        match self {
            Outcome::NotSent { .. } => false,
            Outcome::Answered {
                status, headers, ..
            } => {
                let retry_after = headers
                    .iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
                ambiguous(*status, retry_after)
            }
            Outcome::Unknown { .. } => true,
        }
    }

    /// Whether the service answered that it did what was asked (2xx).
    pub fn succeeded(&self) -> bool {
        matches!(
            self,
            Outcome::Answered {
                status: 200..=299,
                ..
            }
        )
    }
}

/// Whether an answer with this status leaves open what the service did: 408, 500, 502, 504, 52x, and
/// 503 without `Retry-After`.
pub fn ambiguous(status: u16, has_retry_after: bool) -> bool {
    match status {
        408 | 500 | 502 | 504 | 520..=529 => true,
        503 => !has_retry_after,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_comes_from_a_proxy_leaves_open_what_the_service_did() {
        for status in [408, 500, 502, 504, 520, 522, 529] {
            assert!(
                ambiguous(status, false) && ambiguous(status, true),
                "{status}"
            );
        }
        assert!(ambiguous(503, false));
        for status in [200, 202, 301, 400, 409, 429, 501, 505, 519, 530] {
            assert!(!ambiguous(status, false), "{status}");
        }
        assert!(!ambiguous(503, true));
    }

    #[test]
    fn an_outcome_reads_retry_after_from_its_headers() {
        let answered = |headers: &[(&str, &str)]| Outcome::Answered {
            status: 503,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: None,
        };
        assert!(answered(&[]).ambiguous());
        assert!(!answered(&[("Retry-After", "3")]).ambiguous());
    }
}
