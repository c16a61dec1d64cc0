//! A request that has passed normalisation, as the record sees it.

use bytes::Bytes;

/// A normalised request, with secrets and sensitive values replaced.
///
/// It is what the journal keeps and what a later attempt's request is compared with, so it is
/// redacted at once: two requests that are equal are equal here too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Counts the requests of one attempt, from 1. Refused ones count too.
    pub number: u32,
    /// The method, in capitals.
    pub method: String,
    /// The normalised URL, without fragment.
    pub url: String,
    /// The slot whose credential the guest asked to be applied.
    pub slot: Option<String>,
    /// The name of the credential that the slot is bound to.
    pub credential: Option<String>,
    /// The body; absent is not the same as empty.
    pub body: Option<Bytes>,
    /// Whether sending it twice is as harmless as sending it once.
    pub repeatable: bool,
    /// Whether it may change something: anything but GET, HEAD and OPTIONS.
    pub changing: bool,
}
