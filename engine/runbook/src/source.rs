//! A document's text, and what it is called.

/// The text of a document, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The document's name as people see it: a path, mostly.
    pub name: String,
    /// Its text.
    pub text: String,
}
