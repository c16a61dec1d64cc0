//! Grants that are wider than what a plugin's manifest asks for.

use super::allow::AllowLine;
use super::ask::{Ask, Place};
use super::host::HostPattern;
use super::method::Methods;
use super::route::{Route, Segment};
use super::shape::{Piece, Shape, has_hole, literal};

/// What a step's line grants beyond what its plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wider {
    /// What is more, in words; nothing where the plugin asks for no part of it.
    pub(crate) more: Vec<String>,
    /// What of it the plugin asks for.
    pub(crate) asked: Vec<Ask>,
}

impl AllowLine {
    /// What it grants beyond these; none where it keeps within them.
    ///
    /// A hole of either line is as wide as the other wants it: what fills it is known only later. But a URL as a whole
    /// is one URL, and all of a host is wider than that.
    pub(crate) fn wider_than(&self, asks: &[Ask]) -> Option<Wider> {
        let shape = self.shape();
        let beyond = asks
            .iter()
            .filter(|ask| ask.place().is_none_or(|place| covers(place, shape)))
            .fold(shape.methods, |left, ask| left.without(ask.methods()));
        let asked: Vec<Ask> = asks
            .iter()
            .filter(|ask| ask.place().is_none_or(|place| meets(place, shape)))
            .filter_map(|ask| ask.with_methods_of(shape.methods))
            .collect();
        if beyond.is_empty() {
            let one_url = asked.iter().all(|ask| ask.place().is_none());
            let more = sweeping(shape);
            return (one_url && !more.is_empty()).then_some(Wider { more, asked });
        }
        let unasked = asked
            .iter()
            .fold(shape.methods, |left, ask| left.without(ask.methods()));
        let mut more = Vec::new();
        if !asked.is_empty() {
            more.extend(methods(unasked, shape));
            if !beyond.without(unasked).is_empty() {
                more.extend(wildcards(shape, &asked));
            }
        }
        Some(Wider { more, asked })
    }
}

/// What is more than any URL: all of a host.
fn sweeping(shape: &Shape) -> Vec<String> {
    if !(shape.rest && shape.segments.is_empty()) {
        return Vec::new();
    }
    let mut words = vec![WHOLE_HOST.to_owned()];
    if shape.below {
        words.push(below(shape));
    }
    words
}

/// What `*.` in front of a host is.
fn below(shape: &Shape) -> String {
    format!("`*.` is every host below `{}`", shown(&shape.host))
}

/// What `/**` right behind an origin is.
const WHOLE_HOST: &str = "`/**` is the whole host";

/// The methods that nothing asks for.
fn methods(unasked: Methods, shape: &Shape) -> Option<String> {
    if unasked.is_empty() {
        None
    } else if shape.methods == Methods::all() {
        Some("`*` is every method".to_owned())
    } else {
        Some(format!("`{unasked}` is not asked for"))
    }
}

/// The wildcards that make a place wider than those that are asked for.
fn wildcards(shape: &Shape, asked: &[Ask]) -> Vec<String> {
    let mut words = Vec::new();
    let places = || asked.iter().filter_map(Ask::place);
    if shape.below && !places().any(|place| covers_host(place.host.as_ref(), shape)) {
        words.push(below(shape));
    }
    let is_rest_asked = places().any(|place| place.route.rest);
    match (shape.rest, shape.segments.is_empty()) {
        (true, true) => words.push(WHOLE_HOST.to_owned()),
        (true, false) if !is_rest_asked => words.push("`**` is every path below".to_owned()),
        (true, false) => words.push("`**` begins too early".to_owned()),
        (false, _) if shape.segments.contains(&Piece::One) => {
            words.push("`*` is any name in its place".to_owned());
        }
        (false, _) => {}
    }
    words
}

/// A host's text without what stands for holes.
fn shown(host: &str) -> String {
    let shown = |character: char| match has_hole(character.encode_utf8(&mut [0; 4])) {
        true => '…',
        false => character,
    };
    host.chars().map(shown).collect()
}

/// Whether all that a line may come to is asked for by this place.
fn covers(place: &Place, shape: &Shape) -> bool {
    place.scheme == shape.scheme
        && covers_host(place.host.as_ref(), shape)
        && meets_port(place, shape)
        && place.route.covers(&fitted(shape, &place.route))
}

/// Whether something that a line may come to is asked for by this place.
fn meets(place: &Place, shape: &Shape) -> bool {
    let meets_host = match (&place.host, host(shape)) {
        (Some(asked), Some(granted)) => asked.overlaps(&granted),
        _ => true,
    };
    place.scheme == shape.scheme
        && meets_host
        && meets_port(place, shape)
        && place.route.overlaps(&fitted(shape, &place.route))
}

fn covers_host(asked: Option<&HostPattern>, shape: &Shape) -> bool {
    match (asked, host(shape)) {
        (None, _) => true,
        (Some(asked), Some(granted)) => asked.covers(&granted),
        (Some(HostPattern::Below(_)), None) => true,
        (Some(HostPattern::Exactly(_)), None) => !shape.below,
    }
}

fn meets_port(place: &Place, shape: &Shape) -> bool {
    let granted = match &shape.port {
        None => Some(shape.scheme.port()),
        Some(port) => port.parse().ok(),
    };
    match (place.port, granted) {
        (Some(asked), Some(granted)) => asked == granted,
        _ => true,
    }
}

/// The line's host; none when a hole is in it.
fn host(shape: &Shape) -> Option<HostPattern> {
    if has_hole(&shape.host) {
        return None;
    }
    shape.host_pattern(&shape.host).ok()
}

/// The line's path, with what the other one has in place of its holes.
fn fitted(shape: &Shape, other: &Route) -> Route {
    let pieces = shape.segments.iter().enumerate();
    let segments = pieces.map(|(index, piece)| match (piece, other.segments.get(index)) {
        (Piece::One, _) => Segment::One,
        (Piece::Text(text), other) if has_hole(text) => match other {
            Some(Segment::Literal(asked)) => Segment::Literal(asked.clone()),
            Some(Segment::One) | None => Segment::Literal("x".to_owned()),
        },
        // A text that is no segment was refused when the line was read.
        (Piece::Text(text), _) => Segment::Literal(literal(text).unwrap_or_default()),
    });
    Route {
        segments: segments.collect(),
        rest: shape.rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: [&str; 3] = [
        "GET https://api.statuspage.io/v1/pages/{page}/incidents/*",
        "POST https://api.statuspage.io/v1/pages/{page}/incidents",
        "GET https://api.statuspage.io/v1/locations/**",
    ];

    fn wider(line: &str, asks: &[&str]) -> Option<Wider> {
        let asks: Vec<Ask> = asks.iter().map(|ask| Ask::parse(ask).unwrap()).collect();
        AllowLine::parse(line).unwrap().wider_than(&asks)
    }

    #[test]
    fn what_keeps_within_what_is_asked_is_not_wider() {
        for line in [
            "GET https://api.statuspage.io/v1/pages/*/incidents/unresolved",
            "GET https://api.statuspage.io/v1/pages/kctbh/incidents/*",
            "POST https://api.statuspage.io/v1/pages/${{ vars.page }}/incidents",
            "POST https://${{ vars.api }}/v1/pages/kctbh/incidents",
            "GET https://api.statuspage.io/v1/${{ vars.what }}/kctbh/incidents/x-${{ inputs.id }}",
            "GET https://api.statuspage.io/v1/locations/a/**",
        ] {
            assert_eq!(wider(line, &STATUS), None, "{line}");
        }
        for (line, ask) in [
            ("GET https://*.example.com/api/*", "GET,HEAD {url}"),
            (
                "POST https://db1:8008/switchover",
                "POST https://{host}:{port}/switchover",
            ),
            (
                "GET https://shop.blob.example.com/a/b",
                "GET https://{account}.blob.example.com/{container}/**",
            ),
        ] {
            assert_eq!(wider(line, &[ask]), None, "{line}");
        }
    }

    #[test]
    fn a_host_is_more_than_any_url() {
        let found = wider("* https://*.example.com/**", &["* {url}"]).unwrap();
        let more = [
            "`/**` is the whole host",
            "`*.` is every host below `example.com`",
        ];
        assert_eq!(found.more, more);
        let asked: Vec<String> = found.asked.iter().map(ToString::to_string).collect();
        assert_eq!(asked, ["* {url}"]);
    }

    #[test]
    fn anything_is_more_than_nothing() {
        let found = wider("GET https://example.com/a", &[]).unwrap();
        assert_eq!(
            found,
            Wider {
                more: Vec::new(),
                asked: Vec::new()
            }
        );
    }

    #[test]
    fn what_is_wider_is_named_with_what_is_asked_instead() {
        let [incidents, create, _] = STATUS;
        for (line, more, asked) in [
            (
                "* https://api.statuspage.io/v1/pages/kctbh/incidents",
                &["`*` is every method"][..],
                &[create][..],
            ),
            (
                "POST,PUT https://api.statuspage.io/v1/pages/kctbh/incidents",
                &["`PUT` is not asked for"],
                &[create],
            ),
            (
                "POST https://api.statuspage.io/**",
                &["`/**` is the whole host"],
                &[create],
            ),
            (
                "GET,POST https://api.statuspage.io/v1/pages/kctbh/**",
                &["`**` is every path below"],
                &[incidents, create],
            ),
            (
                "GET https://api.statuspage.io/v1/**",
                &["`**` begins too early"],
                &[incidents, STATUS[2]],
            ),
            (
                "POST https://*.statuspage.io/v1/pages/kctbh/*",
                &[
                    "`*.` is every host below `statuspage.io`",
                    "`*` is any name in its place",
                ],
                &[create],
            ),
            ("DELETE https://api.statuspage.io/**", &[], &[]),
            ("GET https://status.example.com/v1", &[], &[]),
            ("GET http://api.statuspage.io/v1/locations/a", &[], &[]),
        ] {
            let found = wider(line, &STATUS).unwrap_or_else(|| panic!("{line}"));
            let shown: Vec<String> = found.asked.iter().map(ToString::to_string).collect();
            assert_eq!(found.more, more, "{line}");
            assert_eq!(shown, asked, "{line}");
        }
    }
}
