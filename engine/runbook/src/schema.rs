//! Our own JSON Schemas: what editors check while people type, and what [`shape`](crate::shape)
//! checks first.

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A runbook.
    Runbook,
    /// An environment.
    Environment,
    /// A plugin's manifest.
    Manifest,
    /// `sandbook.yaml`.
    Project,
    /// A plugin's cases.
    Cases,
}

/// The JSON Schema (2020-12) of a kind of document, as text.
///
/// It says what a document looks like. What a JSON Schema can't say, such as which names exist, is said
/// by [`check`](crate::check()) alone.
pub fn schema(kind: Kind) -> &'static str {
    match kind {
        Kind::Runbook => include_str!("schema/runbook.json"),
        Kind::Environment => include_str!("schema/environment.json"),
        Kind::Manifest => include_str!("schema/manifest.json"),
        Kind::Project => include_str!("schema/project.json"),
        Kind::Cases => include_str!("schema/cases.json"),
    }
}
