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

    fn is_all_head(&self) -> bool {
        self.0.len() <= HEAD
    }
}

/// Finds needles.
pub(super) struct Matcher {
    automaton: AhoCorasick,
    /// For each pattern of the automaton, the needles that begin so, in their order.
    patterns: Vec<Vec<(Needle, Arc<str>)>>,
}

/// Bytes that are hidden together.
pub(super) struct Span {
    start: usize,
    end: usize,
    /// The label of the longest needle in it, and how much of that was found.
    label: Arc<str>,
    length: usize,
}

impl Matcher {
    pub(super) fn new<'a>(needles: impl Iterator<Item = (&'a Needle, &'a Arc<str>)>) -> Matcher {
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
            .match_kind(MatchKind::Standard)
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

    /// The needles that begin in the first `most` bytes, in the order of the bytes; those that overlap are one span.
    pub(super) fn find(&self, bytes: &[u8], most: usize) -> Vec<Span> {
        let heads = &bytes[..bytes.len().min(most.saturating_add(HEAD - 1))];
        let mut spans: Vec<Span> = Vec::new();
        // A needle that goes on where its head was found is compared with what follows. Of those whose head lies in
        // what is hidden already few reach beyond; texts that repeat themselves could make them as many as there are
        // bytes. So there is a bound on how much is compared for these.
        let mut patience = heads.len();
        for found in self.automaton.find_overlapping_iter(heads) {
            let start = found.start();
            if start >= most {
                continue;
            }
            let is_inside = spans
                .last()
                .is_some_and(|last| last.start <= start && found.end() <= last.end);
            let pattern = &self.patterns[found.pattern().as_usize()];
            let (length, label) = match &pattern[..] {
                [(needle, label)] if needle.is_all_head() => (needle.0.len(), label),
                _ if is_inside && patience == 0 => continue,
                _ => longest(pattern, &bytes[start..]),
            };
            if is_inside {
                patience = patience.saturating_sub(length);
            }
            join(
                &mut spans,
                Span {
                    start,
                    end: start + length,
                    label: Arc::clone(label),
                    length,
                },
            );
        }
        spans
    }
}

/// The first `most` bytes with labels in the place of spans; nothing when there are none. A span of sensitive bytes
/// becomes one with the secrets' spans that it overlaps.
pub(super) fn replace(
    bytes: &[u8],
    most: usize,
    secrets: Vec<Span>,
    sensitive: Vec<Span>,
) -> Option<Vec<u8>> {
    let mut redacted = Vec::new();
    let mut from = 0;
    for span in merge(secrets, sensitive) {
        redacted.extend_from_slice(&bytes[from..span.start]);
        redacted.extend_from_slice(span.label.as_bytes());
        from = span.end;
    }
    if from == 0 {
        return None;
    }
    redacted.extend_from_slice(bytes.get(from..most).unwrap_or_default());
    Some(redacted)
}

/// All spans in their order; of those that overlap a secret's label is the whole's.
fn merge(secrets: Vec<Span>, mut sensitive: Vec<Span>) -> Vec<Span> {
    for span in &mut sensitive {
        span.length = 0;
    }
    if secrets.is_empty() {
        return sensitive;
    }
    let mut spans = secrets;
    spans.append(&mut sensitive);
    spans.sort_by_key(|span| span.start);
    let mut merged = Vec::with_capacity(spans.len());
    for span in spans {
        join(&mut merged, span);
    }
    merged
}

/// Puts a span behind the others. Those that it overlaps become one with it.
fn join(spans: &mut Vec<Span>, mut span: Span) {
    while let Some(last) = spans.pop_if(|last| last.end > span.start) {
        let (start, end) = (last.start.min(span.start), last.end.max(span.end));
        if last.length >= span.length {
            span = last;
        }
        (span.start, span.end) = (start, end);
    }
    spans.push(span);
}

/// How many of these bytes are a needle, or the beginning of one that is longer than its head. The needles are in their
/// order, so that the one that has most in common with the bytes is next to where these would stand.
fn longest<'a>(pattern: &'a [(Needle, Arc<str>)], bytes: &[u8]) -> (usize, &'a Arc<str>) {
    let place = pattern.partition_point(|(needle, _)| needle.0.as_slice() <= bytes);
    let near = &pattern[place.saturating_sub(1)..pattern.len().min(place + 1)];
    near.iter()
        .map(|(needle, label)| {
            let pairs = needle.0.iter().zip(bytes);
            let same = pairs.take_while(|(one, other)| one == other).count();
            (same, needle.0.len() == same, label)
        })
        .max_by_key(|(same, is_whole, _)| (*same, *is_whole))
        .map(|(same, _, label)| (same, label))
        .expect("invariant: a pattern has a needle")
}
