//! What keeps secrets out of everything that a guest, a person or the record is shown.
//!
//! It is a net: it finds the usual ways in which a service gives back what it was sent. The wall is
//! that a credential goes only to its own origins.

mod appearances;
mod matcher;

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;

use crate::secret::{SHORTEST, Secret};
use appearances::appearances;
use matcher::{Matcher, Needle};

/// The shortest line of a secret of several lines that is hidden by itself, in bytes: a shorter one is often ordinary.
const SHORTEST_LINE: usize = 8;

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
    needles: HashMap<Needle, Arc<str>>,
    /// How many sensitive values are hidden.
    sensitive: usize,
    /// Built when it is first needed after a needle came.
    matcher: Option<Arc<Matcher>>,
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

    /// Hides a secret from now on. What several secrets have in common is called by the first's name. Of a secret of
    /// several lines each is hidden by itself too, since what is printed is taken line by line.
    pub fn hide(&self, name: &str, secret: &Secret) {
        let label = format!("[secret {name}]");
        let text = secret.expose();
        self.add(text, &label);
        if text.contains('\n') {
            for line in text.lines().map(str::trim) {
                if line.len() >= SHORTEST_LINE {
                    self.add(line, &label);
                }
            }
        }
    }

    /// Hides a sensitive value from now on, unless it has fewer than four bytes: it could not be told from
    /// ordinary text.
    pub fn hide_sensitive(&self, value: &str) {
        self.add(value, "[sensitive]");
        self.write().sensitive += 1;
    }

    /// How many sensitive values are hidden. Each costs memory and, when there is another one, time: whoever takes
    /// them from others bounds their number.
    pub fn sensitive(&self) -> usize {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.sensitive
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
        let mut state = self.write();
        let label: Arc<str> = label.into();
        for needle in appearances(text) {
            state
                .needles
                .entry(Needle(Arc::new(needle)))
                .or_insert_with(|| Arc::clone(&label));
        }
        state.matcher = None;
        self.armed.store(true, Ordering::Release);
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
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
            let mut state = self.write();
            if let Some(built) = &state.matcher {
                return Some(Arc::clone(built));
            }
            let matcher = Arc::new(Matcher::new(&state.needles));
            Some(Arc::clone(state.matcher.insert(matcher)))
        })
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(..)")
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
            "s3cr%2522et%252Fwith%252Bodd%2520%2526chars%253D~%25C3%25BC".to_owned(),
            "s3cr%2522et%252fwith%252bodd%2520%2526chars%253d~%25c3%25bc".to_owned(),
            general_purpose::STANDARD
                .encode(PLAIN)
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D"),
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
    #[test]
    fn each_line_of_a_secret_is_found_by_itself() {
        let key = "-----BEGIN KEY-----\r\nMIIEvQIBADANBgkqh\n  kiG9w0BAQEFAASC\nend\n";
        let redactor = Redactor::new([("key".to_owned(), Secret::of(key))]);
        assert_eq!(redactor.redact_text(key), "[secret key]");
        assert_eq!(
            redactor.redact_text("a MIIEvQIBADANBgkqh b\nkiG9w0BAQEFAASC, end"),
            "a [secret key] b\n[secret key], end"
        );
    }

    #[test]
    fn a_long_secret_is_found_whole_and_also_when_it_is_cut() {
        let secret: String = (0..4_000).map(|number| format!("{number:x}/")).collect();
        let near = format!("{}other", &secret[..70]);
        let redactor = Redactor::new([
            ("long".to_owned(), Secret::of(&secret)),
            ("near".to_owned(), Secret::of(&near)),
        ]);
        let escaped = secret.replace('/', "%2F");
        for (text, redacted) in [
            (secret.as_str(), "[secret long]"),
            (&near, "[secret near]"),
            (&escaped, "[secret long]"),
            (&secret[..80], "[secret long]"),
            (&secret[..40], &secret[..40]),
        ] {
            let text = format!("<{text}> <{text}>");
            assert_eq!(
                redactor.redact_text(&text),
                format!("<{redacted}> <{redacted}>")
            );
        }
    }

    /// The largest secrets there can be, many of them, and bodies that nearly hold them again and again.
    #[test]
    fn its_cost_is_bounded() {
        let redactor = Redactor::default();
        let many = "ab/=".repeat((64 << 10) / 4 - 1);
        for number in 0..16 {
            redactor.hide("large", &Secret::of(&format!("{number:02}{many}")));
        }
        for number in 0..2_000 {
            redactor.hide_sensitive(&format!("value-{number}-of-many"));
        }
        assert_eq!(redactor.sensitive(), 2_000);
        let size = redactor.matcher().unwrap().size();
        assert!(size < 64 << 20, "{size} bytes");
        let body = "00ab/=ab/=".repeat(8 << 16);
        assert_eq!(redactor.redact_text(&body), body.as_str());
        let hit = format!("00{}", "ab/=".repeat(1 << 20));
        assert!(redactor.redact_text(&hit).starts_with("[secret large]"));
    }
}
