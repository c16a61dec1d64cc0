//! The name of a run: 12 characters, random.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Crockford's base 32 in lower case: no `i`, `l`, `o` or `u`, so that an id can be read out loud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A run's name: 12 characters of Crockford's base 32 in lower case, 60 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId([u8; RunId::LENGTH]);

impl RunId {
    /// How many characters an id has.
    pub const LENGTH: usize = 12;

    /// A new id, drawn from the system's random numbers.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers to give.
    pub fn random() -> Result<RunId, NoRandomness> {
        let mut bytes = [0; RunId::LENGTH];
        getrandom::fill(&mut bytes).map_err(NoRandomness)?;
        Ok(RunId(bytes.map(|byte| ALPHABET[usize::from(byte & 31)])))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("invariant: the alphabet is ASCII")
    }
}

/// The system gave no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no random numbers")]
pub struct NoRandomness(#[source] pub(crate) getrandom::Error);

/// A text that is no run id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a run id: it has 12 characters from `{alphabet}`",
    alphabet = "0-9a-z without i, l, o, u"
)]
pub struct NotARunId(String);

impl FromStr for RunId {
    type Err = NotARunId;

    fn from_str(text: &str) -> Result<RunId, NotARunId> {
        match <[u8; RunId::LENGTH]>::try_from(text.as_bytes()) {
            Ok(bytes) if bytes.iter().all(|byte| ALPHABET.contains(byte)) => Ok(RunId(bytes)),
            _ => Err(NotARunId(text.to_owned())),
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RunId, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_id_reads_back() {
        let id = RunId::random().unwrap();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_ne!(id, RunId::random().unwrap());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "ledger",
            "0123456789AB",
            "0123456789il",
            "0123456789abc",
        ] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }
}
