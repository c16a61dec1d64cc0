//! Grants: which requests a step may make.

use std::fmt;

use url::Url;

use host::HostPattern;
use method::Methods;
use route::Route;
use shape::{FillFault, Shape};

mod allow;
mod ask;
mod fault;
mod host;
mod method;
mod permission;
mod route;
mod segment;
mod shape;
#[cfg(test)]
mod tests;
mod wider;

pub use allow::{AllowFault, AllowLine, ResolveFault};
pub use ask::{Ask, AskFault};
pub use fault::GrantFault;
pub use permission::{Denial, Permission};
pub(crate) use wider::Wider;

/// One grant, with nothing left to fill in.
///
/// A grant is a line `METHODS ORIGIN/PATH`, such as `GET,POST https://api.example.com/v1/pages/*`:
///
/// - Methods: `GET HEAD OPTIONS POST PUT PATCH DELETE`, one, a list with commas, or `*` for all of these.
/// - Origin: `http` or `https`, host and, where it isn't the scheme's own, port. `*.` in front of the host stands for
///   one label or more. Hosts are compared in the `url` crate's canonical form; a host that ends in a dot is never
///   permitted, and a URL with a user name neither.
/// - Path: `*` is one segment; `**`, only at the end, is any further segments or none, and a slash at the end.
///   Segments are compared after the `url` crate's normalisation, with equivalent encodings as one (`%7e` and `~`).
///   No wildcard stands for a segment that a server could read as more than a name: an empty one, or one in
///   which `/`, `\`, a control character, `.` or `..` is hidden by encoding. Written out in the grant, such a segment is matched.
/// - Query strings and fragments are not looked at.
///
/// ```
/// # use sandbook_runbook::Grant;
/// let grant = Grant::parse("GET https://api.example.com/v1/*").unwrap();
/// assert!(grant.permits("GET", &"https://api.example.com/v1/pages?all=1".parse().unwrap()));
/// assert!(!grant.permits("GET", &"https://api.example.com/v1/pages/7".parse().unwrap()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    methods: Methods,
    scheme: Scheme,
    host: HostPattern,
    port: u16,
    route: Route,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Scheme {
    Http,
    Https,
}

impl Grant {
    /// Reads a line without holes, such as an environment's ceiling has.
    ///
    /// # Errors
    ///
    /// The line is not of that form.
    pub fn parse(line: &str) -> Result<Grant, GrantFault> {
        if shape::has_hole(line) {
            return Err(GrantFault::Form);
        }
        Shape::parse(line)?.fill(&[]).map_err(|fault| match fault {
            FillFault::Together(fault) => fault,
            FillFault::Value { .. } => GrantFault::Form,
        })
    }

    /// Whether a request is permitted.
    pub fn permits(&self, method: &str, url: &Url) -> bool {
        let Some(host) = url.host() else { return false };
        !self.methods.and(Methods::one(method)).is_empty()
            && url.scheme() == self.scheme.as_str()
            && url.username().is_empty()
            && url.password().is_none()
            && url.port_or_known_default() == Some(self.port)
            && self.host.permits(&host)
            && self.route.permits(url.path())
    }

    /// Whether it permits a request that may change something: any but GET, HEAD and OPTIONS.
    pub fn may_change(&self) -> bool {
        self.methods.may_change()
    }

    /// Whether everything that this permits is permitted under a ceiling.
    ///
    /// Each method must be permitted by one of the ceiling's grants for the whole place: a place that
    /// only several of them together cover doesn't count.
    pub fn within(&self, ceiling: &[Grant]) -> bool {
        let covered = |grant: &&Grant| {
            self.same_door(grant)
                && grant.host.covers(&self.host)
                && grant.route.covers(&self.route)
        };
        ceiling
            .iter()
            .filter(covered)
            .fold(self.methods, |left, grant| left.without(grant.methods))
            .is_empty()
    }

    /// Whether there is a request that both permit.
    pub fn overlaps(&self, other: &Grant) -> bool {
        !self.methods.and(other.methods).is_empty()
            && self.same_door(other)
            && self.host.overlaps(&other.host)
            && self.route.overlaps(&other.route)
    }

    fn same_door(&self, other: &Grant) -> bool {
        self.scheme == other.scheme && self.port == other.port
    }
}

/// The canonical line: the same requests are permitted by it.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}://{}",
            self.methods,
            self.scheme.as_str(),
            self.host
        )?;
        if self.port != self.scheme.port() {
            write!(f, ":{}", self.port)?;
        }
        self.route.fmt(f)
    }
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// The port where none is written.
    fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}
