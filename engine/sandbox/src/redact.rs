//! What keeps secrets out of everything that a guest, a person or the record is shown.
//!
//! It is a net: it finds the usual ways in which a service gives back what it was sent. The wall is
//! that a credential goes only to its own origins.

mod appearances;

use std::{
    borrow::Cow,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use aho_corasick::{AhoCorasick, MatchKind};
use bytes::Bytes;
use zeroize::Zeroizing;

use crate::secret::{SHORTEST, Secret};
use appearances::appearances;

/// Replaces secrets by `[secret NAME]` and sensitive values by `[sensitive]`, wherever they appear as they
/// are, in base64, percent-escaped or JSON-escaped.
///
/// One serves a whole run; what is found out later, such as a token, is added when it is known.
#[derive(Default)]
pub struct Redactor {
    armed: AtomicBool,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    needles: Vec<(Zeroizing<Vec<u8>>, Arc<str>)>,
    /// Built when it is first needed after a needle came.
    matcher: Option<Arc<Matcher>>,
}

struct Matcher {
    automaton: AhoCorasick,
    replacements: Vec<Arc<str>>,
}

impl Redactor {
    /// One that hides these secrets, by name.
    pub fn new(secrets: impl IntoIterator<Item = (String, Secret)>) -> Redactor {
        let redactor = Redactor::default();
        for (name, secret) in secrets {
            redactor.hide(&name, &secret);
        }
        redactor
    }

    /// Hides a secret from now on. What several secrets have in common is called by the first's name.
    pub fn hide(&self, name: &str, secret: &Secret) {
        self.add(secret.expose(), &format!("[secret {name}]"));
    }

    /// Hides a sensitive value from now on, unless it has fewer than four bytes: it could not be told from
    /// ordinary text.
    pub fn hide_sensitive(&self, value: &str) {
        self.add(value, "[sensitive]");
    }

    /// The bytes without what is hidden; the very same ones when nothing is in them.
    pub fn redact<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        match self.matcher() {
            Some(matcher) => matcher
                .redact(bytes)
                .map_or(Cow::Borrowed(bytes), Cow::Owned),
            None => Cow::Borrowed(bytes),
        }
    }

    /// [`Redactor::redact`] for a body.
    pub fn redact_bytes(&self, bytes: Bytes) -> Bytes {
        match self.matcher().and_then(|matcher| matcher.redact(&bytes)) {
            Some(redacted) => redacted.into(),
            None => bytes,
        }
    }

    /// [`Redactor::redact`] for text.
    pub fn redact_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self
            .matcher()
            .and_then(|matcher| matcher.redact(text.as_bytes()))
        {
            // Needles are whole characters, so what is left is text.
            Some(redacted) => Cow::Owned(String::from_utf8_lossy(&redacted).into_owned()),
            None => Cow::Borrowed(text),
        }
    }

    fn add(&self, text: &str, label: &str) {
        if text.len() < SHORTEST {
            return;
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let label: Arc<str> = label.into();
        for needle in appearances(text) {
            if !state.needles.iter().any(|(known, _)| *known == needle) {
                state.needles.push((needle, Arc::clone(&label)));
            }
        }
        state.matcher = None;
        self.armed.store(true, Ordering::Release);
    }

    fn matcher(&self) -> Option<Arc<Matcher>> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
        let built = self
            .state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .matcher
            .clone();
        built.or_else(|| {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            let matcher = Arc::new(Matcher::new(&state.needles));
            Some(Arc::clone(state.matcher.insert(matcher)))
        })
    }
}

impl Matcher {
    fn new(needles: &[(Zeroizing<Vec<u8>>, Arc<str>)]) -> Matcher {
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(needles.iter().map(|(needle, _)| needle.as_slice()))
            .expect("invariant: the needles of a run's secrets are far from 2^31 bytes");
        Matcher {
            automaton,
            replacements: needles.iter().map(|(_, label)| Arc::clone(label)).collect(),
        }
    }

    fn redact(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut redacted = Vec::new();
        let mut from = 0;
        for found in self.automaton.find_iter(bytes) {
            redacted.extend_from_slice(&bytes[from..found.start()]);
            redacted.extend_from_slice(self.replacements[found.pattern().as_usize()].as_bytes());
            from = found.end();
        }
        if from == 0 {
            return None;
        }
        redacted.extend_from_slice(&bytes[from..]);
        Some(redacted)
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose};

    use super::*;

    const PLAIN: &str = "s3cr\"et/with+odd &chars=~ü";

    fn redactor() -> Redactor {
        Redactor::new([("api".to_owned(), Secret::of(PLAIN))])
    }

    #[test]
    fn a_secret_is_found_in_every_usual_appearance() {
        let redactor = redactor();
        let hex = |upper: bool| -> String {
            PLAIN
                .bytes()
                .map(|byte| {
                    if upper {
                        format!("%{byte:02X}")
                    } else {
                        format!("%{byte:02x}")
                    }
                })
                .collect()
        };
        for appearance in [
            PLAIN.to_owned(),
            "s3cr%22et%2Fwith%2Bodd%20%26chars%3D~%C3%BC".to_owned(),
            "s3cr%22et%2fwith%2bodd%20%26chars%3d~%c3%bc".to_owned(),
            "s3cr%22et%2Fwith%2Bodd+%26chars%3D%7E%C3%BC".to_owned(),
            "s3cr%22et/with+odd%20&chars=~%C3%BC".to_owned(),
            "s3cr\\\"et/with+odd &chars=~ü".to_owned(),
            "s3cr\\\"et\\/with+odd &chars=~\\u00fc".to_owned(),
            "s3cr\\\"et/with+odd \\u0026chars=~ü".to_owned(),
            hex(true),
            hex(false),
        ] {
            let text = format!("<{appearance}>");
            assert_eq!(
                redactor.redact_text(&text),
                "<[secret api]>",
                "{appearance}"
            );
        }
    }

    #[test]
    fn a_secret_is_found_in_base64_wherever_it_begins() {
        let redactor = redactor();
        for before in 0..6 {
            for after in 0..6 {
                let text = format!("{}{PLAIN}{}", "x".repeat(before), "y".repeat(after));
                for engine in [
                    general_purpose::STANDARD,
                    general_purpose::URL_SAFE,
                    general_purpose::STANDARD_NO_PAD,
                    general_purpose::URL_SAFE_NO_PAD,
                ] {
                    let redacted = redactor.redact_text(&engine.encode(&text)).into_owned();
                    assert!(
                        redacted.contains("[secret api]"),
                        "{before} {after} {redacted}"
                    );
                    // What is left at the edges holds at most a part of one byte of it.
                    assert!(
                        redacted.len()
                            <= "[secret api]".len() + (before + after).div_ceil(3) * 4 + 8,
                        "{redacted}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_holds_nothing_is_not_copied() {
        let redactor = redactor();
        assert!(matches!(redactor.redact(b"s3cr"), Cow::Borrowed(_)));
        let body = Bytes::from_static(b"nothing");
        assert_eq!(redactor.redact_bytes(body.clone()).as_ptr(), body.as_ptr());
        assert!(matches!(
            Redactor::default().redact_text(PLAIN),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn what_is_added_later_is_hidden_from_then_on() {
        let redactor = redactor();
        assert_eq!(redactor.redact_text("token-1"), "token-1");
        redactor.hide("token", &Secret::of("token-1"));
        redactor.hide_sensitive("4711-0815");
        redactor.hide_sensitive("abc");
        assert_eq!(
            redactor.redact_text("token-1, 4711-0815, abc"),
            "[secret token], [sensitive], abc"
        );
    }

    #[test]
    fn the_longest_of_several_is_taken() {
        let redactor = Redactor::new([
            ("short".to_owned(), Secret::of("abcd")),
            ("long".to_owned(), Secret::of("abcdefgh")),
        ]);
        assert_eq!(
            redactor.redact_text("abcdefgh abcdxx"),
            "[secret long] [secret short]xx"
        );
    }
}
