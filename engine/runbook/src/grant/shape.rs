//! An allow line's parts, with holes in them that are filled later.

use super::fault::GrantFault;
use super::host::{HostFault, HostPattern};
use super::method::{Methods, MethodsFault};
use super::route::{Route, Segment, split};
use super::segment::{canonical, encode};
use super::{Grant, Scheme};
use url::Url;

/// A line that was taken apart while its holes were still empty, so that nothing that is filled in can move a border.
///
/// In the texts a hole is one character, [`hole`], that no document may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) methods: Methods,
    pub(super) scheme: Scheme,
    /// Whether `*.` stands in front of the host.
    pub(super) below: bool,
    pub(super) host: String,
    pub(super) port: Option<String>,
    pub(super) segments: Vec<Piece>,
    /// Whether `**` follows.
    pub(super) rest: bool,
}

/// What stands between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    One,
    Text(String),
}

/// Why a value can't be filled in; the caller knows what the hole is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FillFault {
    /// This hole's value would not stay in its place.
    Value {
        /// Which hole.
        hole: usize,
        /// What is wrong with its value.
        why: &'static str,
    },
    /// Together with the text around the holes it is no part of a grant.
    Together(GrantFault),
}

const FIRST_HOLE: u32 = 0xF_0000;
const HOLES: u32 = 64;

/// The character that stands for a hole; none when a line has too many of them.
pub(super) fn hole(index: usize) -> Option<char> {
    let index = u32::try_from(index).ok().filter(|index| *index < HOLES)?;
    char::from_u32(FIRST_HOLE + index)
}

/// Which hole a character stands for.
fn hole_of(character: char) -> Option<usize> {
    let index = u32::from(character)
        .checked_sub(FIRST_HOLE)
        .filter(|index| *index < HOLES)?;
    usize::try_from(index).ok()
}

/// Whether a text has a hole in it.
pub(super) fn has_hole(text: &str) -> bool {
    text.chars().any(|character| hole_of(character).is_some())
}

impl Shape {
    /// Takes `METHODS ORIGIN/PATH` apart.
    pub(super) fn parse(line: &str) -> Result<Shape, GrantFault> {
        let (methods, location) = methods_and_location(line)?;
        let (scheme, rest) = match (
            location.strip_prefix("https://"),
            location.strip_prefix("http://"),
        ) {
            (Some(rest), _) => (Scheme::Https, rest),
            (_, Some(rest)) => (Scheme::Http, rest),
            _ => return Err(GrantFault::Scheme),
        };
        forbid(rest)?;
        let (authority, path) = rest.split_once('/').ok_or(GrantFault::NoPath)?;
        let (host, port) = host_and_port(authority)?;
        let (below, host) = host
            .strip_prefix("*.")
            .map_or((false, host), |domain| (true, domain));
        if host.contains('*') {
            return Err(GrantFault::HostWildcard);
        }
        let (segments, rest) = pieces(path)?;
        let shape = Shape {
            methods,
            scheme,
            below,
            host: host.to_owned(),
            port,
            segments,
            rest,
        };
        shape.check_what_is_known()?;
        Ok(shape)
    }

    /// The grant that the line becomes with these values in its holes, in their order.
    pub(super) fn fill(&self, values: &[String]) -> Result<Grant, FillFault> {
        let host = filled(&self.host, values, |value, alone| match (value, alone) {
            ("", _) => Err("it is empty"),
            (value, true) => is_host_text(value)
                .then(|| value.to_owned())
                .ok_or("it is not a host"),
            (value, false) => is_label_text(value)
                .then(|| value.to_owned())
                .ok_or("a part of a host may hold only letters, digits and `-`"),
        })?;
        let port = match &self.port {
            Some(port) => Some(filled(port, values, |value, _| {
                port_number(value)
                    .map(|port| port.to_string())
                    .ok_or("it is not a port from 1 to 65535")
            })?),
            None => None,
        };
        let mut segments = Vec::with_capacity(self.segments.len());
        for piece in &self.segments {
            segments.push(match piece {
                Piece::One => Segment::One,
                Piece::Text(text) => {
                    let text = filled(text, values, |value, _| segment_value(value))?;
                    Segment::Literal(literal(&text).map_err(FillFault::Together)?)
                }
            });
        }
        let host = self.host_pattern(&host).map_err(FillFault::Together)?;
        if self.host.contains('.') && has_hole(&self.host) && !host.is_domain() {
            return Err(FillFault::Together(GrantFault::Host(host.to_string())));
        }
        let port = port
            .as_deref()
            .and_then(port_number)
            .unwrap_or(self.scheme.port());
        let route = Route {
            segments,
            rest: self.rest,
        };
        Ok(Grant {
            methods: self.methods,
            scheme: self.scheme,
            host,
            port,
            route,
        })
    }

    /// The shape with wildcards instead of these holes; none where a wildcard can't stand for one.
    pub(super) fn without(&self, these: impl Fn(usize) -> bool) -> Option<Shape> {
        let has_one = |text: &str| text.chars().filter_map(hole_of).any(&these);
        if self.port.as_deref().is_some_and(has_one) {
            return None;
        }
        let mut shape = self.clone();
        let labels: Vec<&str> = self.host.split('.').collect();
        if let Some(last) = labels.iter().rposition(|label| has_one(label)) {
            shape.host = labels[last + 1..].join(".");
            shape.below = true;
            if shape.host.is_empty() {
                return None;
            }
        }
        for piece in &mut shape.segments {
            if matches!(piece, Piece::Text(text) if has_one(text)) {
                *piece = Piece::One;
            }
        }
        Some(shape)
    }

    /// The line again, with the holes as they are written.
    pub(super) fn written(&self, hole: impl Fn(usize) -> String) -> String {
        let mut line = format!("{} {}://", self.methods, self.scheme.as_str());
        if self.below {
            line.push_str("*.");
        }
        line.push_str(&self.host);
        if let Some(port) = &self.port {
            line.push(':');
            line.push_str(port);
        }
        for piece in &self.segments {
            line.push('/');
            line.push_str(match piece {
                Piece::One => "*",
                Piece::Text(text) => text,
            });
        }
        line.push_str(match (self.rest, self.segments.is_empty()) {
            (true, _) => "/**",
            (false, true) => "/",
            (false, false) => "",
        });
        let filled = line.chars().map(|character| match hole_of(character) {
            Some(number) => hole(number),
            None => character.to_string(),
        });
        filled.collect()
    }

    /// The pattern of a host that has no hole, or none any more.
    pub(super) fn host_pattern(&self, host: &str) -> Result<HostPattern, GrantFault> {
        let pattern = if self.below {
            HostPattern::below(host)
        } else {
            HostPattern::exactly(host)
        };
        pattern.map_err(|fault| match fault {
            HostFault::Malformed => GrantFault::Host(host.to_owned()),
            HostFault::TrailingDot => GrantFault::TrailingDot(host.to_owned()),
            HostFault::WildcardAddress => GrantFault::WildcardAddress(host.to_owned()),
        })
    }

    /// What can be wrong before the holes are filled.
    fn check_what_is_known(&self) -> Result<(), GrantFault> {
        if has_hole(&self.host) {
            // Each hole is at most a label here; a label of letters shows whether the rest is right.
            let sample: String = self
                .host
                .chars()
                .map(|c| if hole_of(c).is_some() { 'x' } else { c })
                .collect();
            self.host_pattern(&sample)?;
        } else {
            self.host_pattern(&self.host)?;
        }
        match &self.port {
            Some(port) if !has_hole(port) => {
                port_number(port).ok_or_else(|| GrantFault::Port(port.clone()))?;
            }
            Some(port) if port.chars().count() > 1 => return Err(GrantFault::PortHole),
            _ => {}
        }
        for piece in &self.segments {
            if let Piece::Text(text) = piece {
                text.split(|c| hole_of(c).is_some())
                    .try_for_each(well_encoded)?;
                if !has_hole(text) {
                    literal(text)?;
                }
            }
        }
        Ok(())
    }
}

/// The form of a URL's segment in which it is compared.
pub(super) fn literal(text: &str) -> Result<String, GrantFault> {
    let fault = || GrantFault::Segment(text.to_owned());
    // By way of a URL, so that the rules are those that requests follow.
    let url = Url::parse(&format!("http://h/{text}/")).map_err(|_| fault())?;
    match url
        .path()
        .strip_prefix('/')
        .and_then(|path| path.strip_suffix('/'))
    {
        Some(segment) if !segment.contains('/') => Ok(canonical(segment).into_owned()),
        // A dot segment is gone.
        _ => Err(fault()),
    }
}

fn methods_and_location(line: &str) -> Result<(Methods, &str), GrantFault> {
    let line = line.trim();
    let (methods, location) = line
        .split_once(char::is_whitespace)
        .ok_or(GrantFault::Form)?;
    let location = location.trim_start();
    if methods.ends_with(',') || location.starts_with(',') {
        return Err(GrantFault::BlankInMethods);
    }
    if location.contains(char::is_whitespace) {
        return Err(GrantFault::Blank);
    }
    if has_hole(methods) {
        return Err(GrantFault::MethodHole);
    }
    let methods = Methods::parse(methods).map_err(|fault| match fault {
        MethodsFault::Unknown(name) => GrantFault::Method(name),
        MethodsFault::Superfluous(name) => GrantFault::MethodTwice(name),
    })?;
    Ok((methods, location))
}

/// Characters that no place in a line has.
fn forbid(location: &str) -> Result<(), GrantFault> {
    match location
        .chars()
        .find(|c| matches!(c, '?' | '#' | '\\' | '{' | '}') || c.is_control())
    {
        None => Ok(()),
        Some('?') => Err(GrantFault::Query),
        Some('#') => Err(GrantFault::Fragment),
        Some('{' | '}') => Err(GrantFault::Brace),
        Some(character) => Err(GrantFault::Character(character)),
    }
}

fn host_and_port(authority: &str) -> Result<(&str, Option<String>), GrantFault> {
    if authority.contains('@') {
        return Err(GrantFault::Userinfo);
    }
    let (host, port) = match authority.rfind(']') {
        Some(end) => authority.split_at(end + 1),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if host.is_empty() {
        return Err(GrantFault::Host(authority.to_owned()));
    }
    match port.strip_prefix(':') {
        Some(port) => Ok((host, Some(port.to_owned()))),
        None if port.is_empty() => Ok((host, None)),
        None => Err(GrantFault::Host(authority.to_owned())),
    }
}

fn pieces(path: &str) -> Result<(Vec<Piece>, bool), GrantFault> {
    let mut pieces = Vec::new();
    let mut texts = split(path).into_iter().peekable();
    while let Some(text) = texts.next() {
        match text {
            "**" if texts.peek().is_none() => return Ok((pieces, true)),
            "**" => return Err(GrantFault::RestNotLast),
            "*" => pieces.push(Piece::One),
            text if text.contains('*') => return Err(GrantFault::PartWildcard(text.to_owned())),
            text => pieces.push(Piece::Text(text.to_owned())),
        }
    }
    Ok((pieces, false))
}

/// Puts values into a text's holes; `place` checks and writes one, told whether the hole is the whole text.
fn filled(
    text: &str,
    values: &[String],
    place: impl Fn(&str, bool) -> Result<String, &'static str>,
) -> Result<String, FillFault> {
    let mut full = String::with_capacity(text.len());
    let alone = text.chars().count() == 1;
    for character in text.chars() {
        match hole_of(character) {
            None => full.push(character),
            Some(hole) => {
                let value = values.get(hole).map(String::as_str).unwrap_or_default();
                full.push_str(&place(value, alone).map_err(|why| FillFault::Value { hole, why })?);
            }
        }
    }
    Ok(full)
}

fn segment_value(value: &str) -> Result<String, &'static str> {
    match value
        .chars()
        .find(|c| matches!(c, '/' | '\\' | '?' | '#' | '*') || c.is_control())
    {
        None if value.is_empty() => Err("it is empty"),
        None if matches!(value, "." | "..") => Err("it would change the path"),
        None => Ok(encode(value)),
        Some('/' | '\\') => Err("it would add a segment"),
        Some('*') => Err("it would add a wildcard"),
        Some('?' | '#') => Err("it would end the path"),
        Some(_) => Err("it holds a control character"),
    }
}

fn is_host_text(value: &str) -> bool {
    let labels = value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let address = value.starts_with('[')
        && value.ends_with(']')
        && value
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'[' | b']' | b':' | b'.'));
    labels || address
}

fn is_label_text(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn port_number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

/// Every `%` begins an encoding, so that none is made of a `%` and what is filled in behind it.
fn well_encoded(text: &str) -> Result<(), GrantFault> {
    let whole = text.split('%').skip(1).all(|after| {
        after
            .as_bytes()
            .get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if whole {
        Ok(())
    } else {
        Err(GrantFault::Encoding(text.to_owned()))
    }
}
