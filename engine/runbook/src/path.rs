//! Where something lies in a document.

use std::fmt;

/// A place in a document, from its root. Shown as `steps[2].with.url`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Segment>);

/// One step down into a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Into a mapping, by key.
    Key(String),
    /// Into a list, by position from 0.
    Index(usize),
}

impl Path {
    /// The document itself.
    pub fn root() -> Path {
        Path::default()
    }

    /// The value of a key below this place.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Path {
        self.join(Segment::Key(key.into()))
    }

    /// An item below this place, counted from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> Path {
        self.join(Segment::Index(index))
    }

    /// This place, and from here on another path.
    #[must_use]
    pub fn extend(&self, segments: impl IntoIterator<Item = Segment>) -> Path {
        Path(self.0.iter().cloned().chain(segments).collect())
    }

    /// The segments, outermost first.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether this place is `other` or lies in it.
    pub fn lies_in(&self, other: &Path) -> bool {
        self.0.starts_with(&other.0)
    }

    fn join(&self, segment: Segment) -> Path {
        self.extend([segment])
    }
}

impl FromIterator<Segment> for Path {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Path {
        Path(segments.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if position == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_people_write_it() {
        let path = Path::root().key("steps").index(2).key("with").key("url");
        assert_eq!(path.to_string(), "steps[2].with.url");
        assert!(path.lies_in(&Path::root().key("steps")));
        assert!(!Path::root().key("steps").lies_in(&path));
    }
}
