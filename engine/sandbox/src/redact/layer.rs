//! What is hidden of one sort, and the search for it.

use std::{collections::HashMap, sync::Arc};

use zeroize::Zeroizing;

use super::{
    appearances::appearances,
    matcher::{Matcher, Needle},
};

/// Texts that are hidden, in all their appearances.
#[derive(Default)]
pub(super) struct Layer {
    needles: HashMap<Needle, Hidden>,
    /// Built when it is first needed after a needle came or went.
    matcher: Option<Arc<Matcher>>,
}

/// A needle's label, and how many texts have it.
struct Hidden {
    label: Arc<str>,
    texts: usize,
}

impl Layer {
    /// Hides a text. An appearance that another one has too keeps that one's label.
    pub(super) fn add(&mut self, text: &str, label: &str) {
        let label: Arc<str> = label.into();
        for needle in appearances(text) {
            let hidden = self.needles.entry(Needle(Arc::new(needle)));
            let hidden = hidden.or_insert_with(|| {
                self.matcher = None;
                Hidden {
                    label: Arc::clone(&label),
                    texts: 0,
                }
            });
            hidden.texts += 1;
        }
    }

    /// Hides a text no longer that was added before; what others have in common with it stays hidden.
    pub(super) fn remove(&mut self, text: &str) {
        for needle in appearances(text) {
            let needle = Needle(Arc::new(needle));
            let Some(hidden) = self.needles.get_mut(&needle) else {
                continue;
            };
            hidden.texts -= 1;
            if hidden.texts == 0 {
                self.needles.remove(&needle);
                self.matcher = None;
            }
        }
    }

    /// Whether this very text is hidden.
    pub(super) fn has(&self, text: &str) -> bool {
        let needle = Needle(Arc::new(Zeroizing::new(text.as_bytes().to_vec())));
        self.needles.contains_key(&needle)
    }

    /// The search as it stands, where it is up to date: none where there is nothing to be looked for.
    pub(super) fn built(&self) -> Option<Option<Arc<Matcher>>> {
        match &self.matcher {
            Some(matcher) => Some(Some(Arc::clone(matcher))),
            None => self.needles.is_empty().then_some(None),
        }
    }

    /// [`Layer::built`], after it was brought up to date.
    pub(super) fn build(&mut self) -> Option<Arc<Matcher>> {
        if let Some(built) = self.built() {
            return built;
        }
        let needles = self.needles.iter();
        let matcher = Matcher::new(needles.map(|(needle, hidden)| (needle, &hidden.label)));
        Some(Arc::clone(self.matcher.insert(Arc::new(matcher))))
    }

    /// How many needles there are, and how many bytes they have.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        let bytes = self.needles.keys().map(|needle| needle.0.len()).sum();
        (self.needles.len(), bytes)
    }
}
