use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the two regions in which the example shop runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// Serves the site and holds the database's writer when the world begins.
    East,
    /// The spare one.
    West,
}

impl Region {
    /// Both, in the order in which they are shown.
    pub const ALL: [Region; 2] = [Region::East, Region::West];

    /// `east` or `west`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Region::East => "east",
            Region::West => "west",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Region {
        match self {
            Region::East => Region::West,
            Region::West => Region::East,
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no region.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no region: say `east` or `west`")]
pub struct NoSuchRegion(String);

impl FromStr for Region {
    type Err = NoSuchRegion;

    fn from_str(text: &str) -> Result<Region, NoSuchRegion> {
        Region::ALL
            .into_iter()
            .find(|region| region.name() == text)
            .ok_or_else(|| NoSuchRegion(text.to_owned()))
    }
}

/// One thing for each region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Both<T> {
    pub(crate) east: T,
    pub(crate) west: T,
}

impl<T> Both<T> {
    pub(crate) fn new(make: impl Fn(Region) -> T) -> Both<T> {
        Both {
            east: make(Region::East),
            west: make(Region::West),
        }
    }

    pub(crate) fn get(&self, region: Region) -> &T {
        match region {
            Region::East => &self.east,
            Region::West => &self.west,
        }
    }

    pub(crate) fn get_mut(&mut self, region: Region) -> &mut T {
        match region {
            Region::East => &mut self.east,
            Region::West => &mut self.west,
        }
    }
}
