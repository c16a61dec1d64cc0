//! How much may be fetched.

use std::time::Duration;

/// Bounds of one fetching or publishing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The largest component, in bytes; 64 MiB by default, which is the most that is ever loaded.
    pub component: usize,
    /// The largest document of a registry, such as a manifest or a token, in bytes; 64 KiB by default.
    pub document: usize,
    /// The largest signature, or what was signed, in bytes; 16 KiB by default.
    pub signature: usize,
    /// How many signatures of one image are looked at; 16 by default.
    pub signatures: usize,
    /// How long name, connection and TLS may take together; 10 s by default.
    pub connect: Duration,
    /// How long nothing may come; 30 s by default.
    pub idle: Duration,
    /// How long the whole may take; 5 min by default.
    pub whole: Duration,
    /// How often an answer may lead on to another place; 5 by default.
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            component: 64 << 20,
            document: 64 << 10,
            signature: 16 << 10,
            signatures: 16,
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            whole: Duration::from_secs(300),
            redirects: 5,
        }
    }
}
