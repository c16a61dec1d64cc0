//! Where plugins come from beside the disk: files behind https URLs and images of OCI registries, and the signatures
//! of both.
//!
//! What comes in is bounded in size and time, goes over https only (or http to this machine itself), and is told from
//! what was asked for by its digest. Nothing here knows what a plugin is, runs anything, or keeps a file: who calls
//! decides what is believed, and where it lies.

mod answer;
mod challenge;
mod cosign;
mod credentials;
mod digest;
mod error;
mod fetch;
mod image;
mod key;
mod limits;
mod publish;
mod repository;
mod session;
mod signature;
mod web;

pub use credentials::{Credentials, CredentialsError, docker_config};
pub use digest::{Digest, DigestError};
pub use error::{FetchError, RedirectFault};
pub use fetch::{Fetched, Fetcher, Kinds, Source, Version};
pub use image::{MINISIG_ANNOTATION, ManifestFault, NewImage};
pub use key::{Key, KeyError};
pub use limits::Limits;
pub use publish::Published;
pub use repository::Repository;
pub use signature::{Signature, SignatureError, Signed};
