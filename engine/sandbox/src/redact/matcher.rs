//! Finding what is hidden, in one pass over the text.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use aho_corasick::{AhoCorasick, MatchKind};
use zeroize::Zeroizing;

/// How much of a needle is searched for; what follows is compared where that much was found. It bounds the search
/// tables, and more than that much of a secret is hidden however little of it comes.
const HEAD: usize = 64;

/// One appearance of something hidden.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Needle(pub(super) Arc<Zeroizing<Vec<u8>>>);

impl Hash for Needle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_slice().hash(state);
    }
}

impl Needle {
    fn head(&self) -> &[u8] {
        &self.0[..self.0.len().min(HEAD)]
    }
}

/// Replaces needles by labels.
pub(super) struct Matcher {
    automaton: AhoCorasick,
    /// For each pattern of the automaton, the needles that begin so, in their order.
    patterns: Vec<Vec<(Needle, Arc<str>)>>,
}

impl Matcher {
    pub(super) fn new(needles: &HashMap<Needle, Arc<str>>) -> Matcher {
        let mut places: HashMap<&[u8], usize> = HashMap::new();
        let mut patterns: Vec<Vec<(Needle, Arc<str>)>> = Vec::new();
        for (needle, label) in needles {
            let place = *places.entry(needle.head()).or_insert(patterns.len());
            if place == patterns.len() {
                patterns.push(Vec::new());
            }
            patterns[place].push((needle.clone(), Arc::clone(label)));
        }
        for pattern in &mut patterns {
            pattern.sort_unstable_by(|(one, _), (other, _)| one.0.as_slice().cmp(&other.0));
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(patterns.iter().map(|pattern| pattern[0].0.head()))
            .expect("invariant: the heads of a run's secrets are far from 2^31 bytes");
        Matcher {
            automaton,
            patterns,
        }
    }

    /// How much memory the search tables take, in bytes.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.automaton.memory_usage()
    }

    /// The bytes without needles; nothing when none is in them.
    pub(super) fn redact(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut redacted = Vec::new();
        let mut from = 0;
        // Each search begins where the last find ended, so that every byte is looked at a bounded number of times.
        while let Some(found) = self.automaton.find(&bytes[from..]) {
            let start = from + found.start();
            let (length, label) =
                longest(&self.patterns[found.pattern().as_usize()], &bytes[start..]);
            redacted.extend_from_slice(&bytes[from..start]);
            redacted.extend_from_slice(label.as_bytes());
            from = start + length;
        }
        if from == 0 {
            return None;
        }
        redacted.extend_from_slice(&bytes[from..]);
        Some(redacted)
    }
}

/// How many of these bytes are a needle, or the beginning of one that is longer than its head. The needles are in their
/// order, so that the one that has most in common with the bytes is next to where these would stand.
fn longest<'a>(pattern: &'a [(Needle, Arc<str>)], bytes: &[u8]) -> (usize, &'a str) {
    let place = pattern.partition_point(|(needle, _)| needle.0.as_slice() <= bytes);
    let near = &pattern[place.saturating_sub(1)..pattern.len().min(place + 1)];
    near.iter()
        .map(|(needle, label)| {
            let pairs = needle.0.iter().zip(bytes);
            let same = pairs.take_while(|(one, other)| one == other).count();
            (same, needle.0.len() == same, &**label)
        })
        .max_by_key(|(same, is_whole, _)| (*same, *is_whole))
        .map(|(same, _, label)| (same, label))
        .expect("invariant: a pattern has a needle")
}
