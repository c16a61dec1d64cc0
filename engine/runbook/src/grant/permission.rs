//! What a step may do: its grants, under an environment's ceiling.

use std::fmt;
use std::sync::Arc;

use url::{Position, Url};

use super::Grant;
use super::route::segments;
use super::segment::{canonical, is_plain};

/// What one step may do. Grants only narrow: a request must be granted to the step, and lie within the ceiling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// What the step is granted; empty means no request at all.
    pub step: Vec<Grant>,
    /// What the environment allows at most; absent without an environment.
    pub ceiling: Option<Arc<[Grant]>>,
}

/// Why a request is not permitted. Its text names the method and the URL, without its query, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The line that would permit just this request.
    line: String,
    outside_ceiling: bool,
    /// A segment that no wildcard stands for.
    odd_segment: Option<String>,
}

impl Permission {
    /// Whether a request is permitted.
    ///
    /// # Errors
    ///
    /// The denial says which grant is missing.
    pub fn permits(&self, method: &str, url: &Url) -> Result<(), Denial> {
        let permitted = |grants: &[Grant]| grants.iter().any(|grant| grant.permits(method, url));
        if !permitted(&self.step) {
            return Err(Denial::new(method, url, false));
        }
        match &self.ceiling {
            Some(ceiling) if !permitted(ceiling) => Err(Denial::new(method, url, true)),
            _ => Ok(()),
        }
    }
}

impl Denial {
    /// Whether the step was granted it, and the environment's ceiling was in the way.
    pub fn is_outside_ceiling(&self) -> bool {
        self.outside_ceiling
    }

    fn new(method: &str, url: &Url, outside_ceiling: bool) -> Denial {
        let scheme = url.scheme();
        let place = &url[Position::BeforeHost..Position::AfterPort];
        let segments = segments(url.path());
        let path: Vec<_> = segments.iter().map(|segment| canonical(segment)).collect();
        let odd = segments.iter().enumerate().find(|(index, segment)| {
            let slash_at_end = segment.is_empty() && index + 1 == segments.len();
            !slash_at_end && !is_plain(segment)
        });
        Denial {
            line: format!("{method} {scheme}://{place}/{}", path.join("/")),
            outside_ceiling,
            odd_segment: odd.map(|(_, segment)| (*segment).to_owned()),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = &self.line;
        if self.outside_ceiling {
            write!(
                f,
                "`{line}` is outside the environment's ceiling: no line of its `ceiling` permits it"
            )?;
        } else {
            write!(
                f,
                "`{line}` is not granted: add `{line}` to the step's `allow`"
            )?;
        }
        match self.odd_segment.as_deref() {
            None => Ok(()),
            Some("") => write!(f, "; no wildcard stands for an empty segment"),
            Some(segment) => write!(f, "; no wildcard stands for `{segment}`"),
        }
    }
}

impl std::error::Error for Denial {}
