//! What a plugin's manifest asks for.

use std::fmt;

use super::fault::GrantFault;
use super::host::HostPattern;
use super::method::Methods;
use super::route::{Route, Segment};
use super::shape::{self, Piece, Shape, has_hole, literal};
use super::{Grant, Scheme};
use crate::names::{Name, NameFault};

/// A manifest's allow line: what the plugin will ask for, with `{input}` where one of its inputs comes in.
///
/// A hole stands for a host or a part of it, a port, or a segment or a part of it; `GET {url}` for a URL as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    methods: Methods,
    /// The line without its methods, as written.
    location: String,
    /// Where; none when the whole URL is a hole.
    place: Option<Place>,
    holes: Vec<Name>,
}

/// Where a request goes, as far as the manifest says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) scheme: Scheme,
    /// None when an input says it; where one says its first labels, all hosts below the others.
    pub(super) host: Option<HostPattern>,
    /// None when an input says it.
    pub(super) port: Option<u16>,
    pub(super) route: Route,
    /// Whether an input is a part of a name or a host only, so that this is more than what is asked.
    is_rough: bool,
}

/// Why a manifest's line can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskFault {
    /// A hole names no input.
    #[error("a hole holds the name of an input")]
    Hole(#[source] NameFault),
    /// A `{` has no `}`.
    #[error("a `{{` is not closed")]
    Open,
    /// The line isn't one.
    #[error(transparent)]
    Line(#[from] GrantFault),
}

impl Ask {
    /// Reads `METHODS ORIGIN/PATH` with `{input}` holes.
    ///
    /// # Errors
    ///
    /// The line is not of that form, or a hole doesn't hold a name.
    pub fn parse(line: &str) -> Result<Ask, AskFault> {
        let line = line.trim();
        let (text, holes) = cut(line)?;
        let (methods, location) = line
            .split_once(char::is_whitespace)
            .ok_or(GrantFault::Form)?;
        let location = location.trim_start().to_owned();
        // A whole URL in a hole: the methods are checked on a line of any place.
        let whole = text
            .split_once(char::is_whitespace)
            .is_some_and(|(_, rest)| {
                let rest = rest.trim();
                has_hole(rest) && rest.chars().count() == 1
            });
        if whole {
            let shape = Shape::parse(&format!("{methods} https://host/"))?;
            return Ok(Ask {
                methods: shape.methods,
                location,
                place: None,
                holes,
            });
        }
        let shape = Shape::parse(&text)?;
        Ok(Ask {
            methods: shape.methods,
            location,
            place: Some(Place::of(&shape)?),
            holes,
        })
    }

    /// The inputs that the line names, in their order.
    pub fn holes(&self) -> &[Name] {
        &self.holes
    }

    /// Whether everything that this asks for is asked for by these as well, whatever the inputs are.
    ///
    /// As with [`Grant::within`], each method must be asked for by one of them for the whole place.
    pub fn within(&self, asks: &[Ask]) -> bool {
        asks.iter()
            .filter(|ask| ask.covers(self))
            .fold(self.methods, |left, ask| left.without(ask.methods))
            .is_empty()
    }

    fn covers(&self, other: &Ask) -> bool {
        match (&self.place, &other.place) {
            _ if self.location == other.location => true,
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => own.covers(other),
        }
    }

    /// The part of it that these methods are about; none where there is no such part.
    pub(super) fn with_methods_of(&self, methods: Methods) -> Option<Ask> {
        let methods = self.methods.and(methods);
        (!methods.is_empty()).then(|| Ask {
            methods,
            ..self.clone()
        })
    }

    pub(super) fn methods(&self) -> Methods {
        self.methods
    }

    /// Where its requests go; none when an input says that as a whole.
    pub(super) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// What of this a step isn't granted: the line with the methods that no grant has for any part of the place.
    ///
    /// A grant that has only a part of what is asked counts: a step may well need no more. So does any method where
    /// every one is asked for: such a plugin uses the one that it is told.
    pub fn not_granted(&self, grants: &[Grant]) -> Option<Ask> {
        let left = grants
            .iter()
            .filter(|grant| self.place.as_ref().is_none_or(|place| place.meets(grant)))
            .fold(self.methods, |left, grant| left.without(grant.methods));
        let uses_any = self.methods == Methods::all() && left != self.methods;
        (!left.is_empty() && !uses_any).then(|| Ask {
            methods: left,
            ..self.clone()
        })
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.methods, self.location)
    }
}

impl Place {
    fn of(shape: &Shape) -> Result<Place, GrantFault> {
        let host = if has_hole(&shape.host) {
            below_holes(&shape.host)
        } else {
            Some(shape.host_pattern(&shape.host)?)
        };
        let is_part = |text: &str| has_hole(text) && text.chars().count() > 1;
        let is_rough = is_part(&shape.host)
            || shape.below && has_hole(&shape.host)
            || shape
                .segments
                .iter()
                .any(|piece| matches!(piece, Piece::Text(text) if is_part(text)));
        let port = match &shape.port {
            None => Some(shape.scheme.port()),
            Some(text) => text.parse().ok(),
        };
        let segments = shape.segments.iter().map(|piece| match piece {
            Piece::Text(text) if !has_hole(text) => literal(text).map(Segment::Literal),
            Piece::Text(_) | Piece::One => Ok(Segment::One),
        });
        let route = Route {
            segments: segments.collect::<Result<_, _>>()?,
            rest: shape.rest,
        };
        Ok(Place {
            scheme: shape.scheme,
            host,
            port,
            route,
            is_rough,
        })
    }

    /// Whether all of another place is in this one, for certain.
    fn covers(&self, other: &Place) -> bool {
        let covers_host = match (&self.host, &other.host) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => own.covers(other),
        };
        !self.is_rough
            && self.scheme == other.scheme
            && covers_host
            && (self.port.is_none() || self.port == other.port)
            && self.route.covers(&other.route)
    }

    /// Whether a grant has at least a part of this place.
    fn meets(&self, grant: &Grant) -> bool {
        self.scheme == grant.scheme
            && self
                .host
                .as_ref()
                .is_none_or(|host| host.overlaps(&grant.host))
            && self.port.is_none_or(|port| port == grant.port)
            && self.route.overlaps(&grant.route)
    }
}

/// All hosts below the labels behind the last one with a hole; none when no label is.
fn below_holes(host: &str) -> Option<HostPattern> {
    let labels: Vec<&str> = host.split('.').collect();
    let last = labels.iter().rposition(|label| has_hole(label))?;
    HostPattern::below(&labels[last + 1..].join(".")).ok()
}

/// The line with a character in place of each hole, and what the holes hold.
fn cut(line: &str) -> Result<(String, Vec<Name>), AskFault> {
    let mut text = String::with_capacity(line.len());
    let mut holes = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(AskFault::Open)?;
        text.push_str(before);
        text.push(shape::hole(holes.len()).ok_or(GrantFault::Holes)?);
        holes.push(Name::new(name).map_err(AskFault::Hole)?);
        rest = after;
    }
    if has_hole(line) {
        return Err(GrantFault::Form.into());
    }
    text.push_str(rest);
    Ok((text, holes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_granted(ask: &str, grants: &[&str]) -> Option<String> {
        let grants: Vec<Grant> = grants
            .iter()
            .map(|line| Grant::parse(line).unwrap())
            .collect();
        Ask::parse(ask)
            .unwrap()
            .not_granted(&grants)
            .map(|ask| ask.to_string())
    }

    #[test]
    fn a_hole_is_met_by_a_literal_and_by_a_wildcard() {
        let ask = "POST https://api.statuspage.io/v1/pages/{page}/incidents";
        assert_eq!(
            not_granted(
                ask,
                &["POST https://api.statuspage.io/v1/pages/*/incidents"]
            ),
            None
        );
        assert_eq!(
            not_granted(
                ask,
                &["POST https://api.statuspage.io/v1/pages/kctbh/incidents"]
            ),
            None
        );
        assert_eq!(not_granted(ask, &["* https://api.statuspage.io/**"]), None);
        assert_eq!(
            not_granted(ask, &["GET https://api.statuspage.io/**"]).unwrap(),
            ask
        );
        assert_eq!(not_granted(ask, &[]).unwrap(), ask);
    }

    #[test]
    fn only_the_methods_that_are_missing_are_shown() {
        let ask = "GET,PATCH,PUT https://{host}/sites/{name}-config/**";
        let grants = [
            "GET https://a.example/sites/x-config/web",
            "PUT https://b.example:8080/**",
        ];
        assert_eq!(
            not_granted(ask, &grants).unwrap(),
            "PUT,PATCH https://{host}/sites/{name}-config/**"
        );
    }

    #[test]
    fn a_whole_url_can_be_an_input() {
        let ask = Ask::parse("GET,HEAD {url}").unwrap();
        assert_eq!(ask.holes(), [Name::new("url").unwrap()]);
        assert_eq!(
            not_granted("GET,HEAD {url}", &["GET http://h:1/x"]).unwrap(),
            "HEAD {url}"
        );
        assert_eq!(not_granted("* {url}", &["GET http://h:1/x"]), None);
        assert_eq!(not_granted("* {url}", &[]).unwrap(), "* {url}");
    }

    #[test]
    fn a_host_below_a_domain_is_met_there_only() {
        let ask = "GET https://{account}.blob.example.com/x";
        assert_eq!(
            not_granted(ask, &["GET https://shop.blob.example.com/x"]),
            None
        );
        assert!(not_granted(ask, &["GET https://example.org/x"]).is_some());
    }

    #[test]
    fn what_more_is_asked_for_is_told_from_what_is_only_written_differently() {
        let within = |new: &str, old: &[&str]| {
            let old: Vec<Ask> = old.iter().map(|line| Ask::parse(line).unwrap()).collect();
            Ask::parse(new).unwrap().within(&old)
        };
        for (new, old) in [
            ("GET https://h/a/{x}", &["GET https://h/a/{y}"][..]),
            ("GET https://h/a/b", &["GET https://h/a/*"]),
            (
                "GET,POST https://h/a",
                &["GET https://h/**", "POST https://h/a"],
            ),
            ("GET https://x/", &["GET,HEAD {url}"]),
            ("GET {link}", &["GET {url}"]),
            ("GET https://{a}.h.io/", &["GET https://*.h.io/"]),
            ("GET https://{a}.h.io/v{n}", &["GET https://{a}.h.io/v{n}"]),
        ] {
            assert!(within(new, old), "{new}");
        }
        for (new, old) in [
            ("POST https://h/a", &["GET https://h/a"][..]),
            ("GET https://h/**", &["GET https://h/*"]),
            ("GET https://h/a/{x}", &["GET https://h/a/b"]),
            ("GET https://{host}/a", &["GET https://h/a"]),
            ("GET {url}", &["GET https://{host}/**"]),
            ("GET https://evil.example/", &["GET https://{a}.h.io/"]),
            ("GET https://evil.h.io/", &["GET https://a-{a}.h.io/"]),
            ("GET https://h/other", &["GET https://h/v{n}"]),
            ("GET https://h:8443/", &["GET https://h/"]),
            ("GET https://h/", &[]),
        ] {
            assert!(!within(new, old), "{new}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for line in [
            "GET https://h/{}",
            "GET https://h/{A}",
            "GET https://h/{a",
            "GET https://h/a}",
            "{m} https://h/",
            "GET {a}{b}",
            "GET",
        ] {
            Ask::parse(line).unwrap_err();
        }
    }
}
