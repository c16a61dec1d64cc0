//! Which paths a grant means.

use std::fmt;

use super::segment::{canonical, is_plain};

/// A path, segment by segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Route {
    /// The segments that every path has; none for `/`.
    pub(super) segments: Vec<Segment>,
    /// Whether `**` follows: any further segments, or none.
    ///
    /// The path may then also end in a slash.
    pub(super) rest: bool,
}

/// What stands for one segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Segment {
    /// This one, in the form of [`canonical`].
    Literal(String),
    /// `*`: any one that is plain.
    One,
}

impl Route {
    /// Whether a URL's path is meant.
    pub(super) fn permits(&self, path: &str) -> bool {
        let segments = segments(path);
        let Some((first, further)) = segments.split_at_checked(self.segments.len()) else {
            return false;
        };
        let first = first
            .iter()
            .zip(&self.segments)
            .all(|(asked, own)| own.permits(asked));
        first && (further.is_empty() || (self.rest && is_rest(further.iter().copied())))
    }

    /// Whether every path that the other means is meant here.
    pub(super) fn covers(&self, other: &Route) -> bool {
        let Some((first, further)) = other.segments.split_at_checked(self.segments.len()) else {
            return false;
        };
        let first = self
            .segments
            .iter()
            .zip(first)
            .all(|(own, others)| own.covers(others));
        let further = match (self.rest, other.rest) {
            (false, rest) => further.is_empty() && !rest,
            (true, false) => is_rest(further.iter().map(Segment::sample)),
            (true, true) => further.iter().all(|segment| is_plain(segment.sample())),
        };
        first && further
    }

    /// Whether there is a path that both mean.
    pub(super) fn overlaps(&self, other: &Route) -> bool {
        let (short, long) = if self.segments.len() <= other.segments.len() {
            (self, other)
        } else {
            (other, self)
        };
        let (first, further) = long.segments.split_at(short.segments.len());
        let first = short
            .segments
            .iter()
            .zip(first)
            .all(|(one, two)| one.covers(two) || two.covers(one));
        first
            && (further.is_empty() || (short.rest && is_rest(further.iter().map(Segment::sample))))
    }
}

impl Segment {
    fn permits(&self, asked: &str) -> bool {
        match self {
            Segment::Literal(own) => *own == canonical(asked),
            Segment::One => is_plain(asked),
        }
    }

    fn covers(&self, other: &Segment) -> bool {
        match (self, other) {
            (_, Segment::Literal(text)) => self.permits(text),
            (own, Segment::One) => *own == Segment::One,
        }
    }

    /// A segment that is meant; for `*` just a plain one.
    fn sample(&self) -> &str {
        match self {
            Segment::Literal(text) => text,
            Segment::One => "x",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::One => write!(f, "/*")?,
            }
        }
        match (self.rest, self.segments.is_empty()) {
            (true, _) => write!(f, "/**"),
            (false, true) => write!(f, "/"),
            (false, false) => Ok(()),
        }
    }
}

/// The segments of a URL's path; none for `/`, and an empty last one where it ends in a slash.
pub(super) fn segments(path: &str) -> Vec<&str> {
    split(path.strip_prefix('/').unwrap_or(path))
}

/// The segments of a path without its first slash.
pub(super) fn split(path: &str) -> Vec<&str> {
    if path.is_empty() {
        Vec::new()
    } else {
        path.split('/').collect()
    }
}

/// Whether `**` may stand for these: plain ones, the last of which may be empty.
fn is_rest<'a>(segments: impl DoubleEndedIterator<Item = &'a str>) -> bool {
    let mut backwards = segments.rev();
    backwards
        .next()
        .is_none_or(|last| last.is_empty() || is_plain(last))
        && backwards.all(is_plain)
}
