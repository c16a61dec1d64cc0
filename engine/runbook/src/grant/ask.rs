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
struct Place {
    scheme: Scheme,
    /// None when an input says it.
    host: Option<HostPattern>,
    port: Option<u16>,
    route: Route,
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

    /// What of this a step isn't granted: the line with the methods that no grant has for any part of the place.
    ///
    /// A grant that has only a part of what is asked counts: a step may well need no more.
    pub fn not_granted(&self, grants: &[Grant]) -> Option<Ask> {
        let left = grants
            .iter()
            .filter(|grant| self.place.as_ref().is_none_or(|place| place.meets(grant)))
            .fold(self.methods, |left, grant| left.without(grant.methods));
        (!left.is_empty()).then(|| Ask {
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
            None
        } else {
            Some(shape.host_pattern(&shape.host)?)
        };
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
        })
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
