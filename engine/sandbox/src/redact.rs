//! What keeps secrets out of everything that a guest, a person or the record is shown.
//!
//! It is a net: it finds the usual ways in which a service gives back what it was sent. The wall is
//! that a credential goes only to its own origins.

mod appearances;
mod layer;
mod matcher;
mod room;

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;

use crate::secret::{SHORTEST, Secret};
use layer::Layer;
use matcher::{Matcher, replace};

pub use room::{LONGEST_SENSITIVE, MOST_SENSITIVE, NoRoom, SENSITIVE_BYTES};

/// The shortest line of a secret of several lines that is hidden by itself, in bytes: a shorter one is often ordinary.
const SHORTEST_LINE: usize = 8;

/// How many tokens of one credential are hidden: the last that it got. A former one is good for nothing any more.
const TOKENS: usize = 16;

/// Replaces secrets by `[secret NAME]` and sensitive values by `[sensitive]`, wherever they appear as they
/// are, in base64, percent-escaped or JSON-escaped.
///
/// Sensitive values may come from plugins, so nothing that is known of them changes what is found of secrets: the two
/// are looked for apart. What overlaps is hidden together, under the secret's name.
///
/// One serves a whole run; what is found out later, such as a token, is added when it is known.
#[derive(Default)]
pub struct Redactor {
    armed: AtomicBool,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    secrets: Layer,
    sensitive: Layer,
    /// What is hidden of tokens, by their credential's name, the oldest first.
    tokens: HashMap<String, VecDeque<Secret>>,
    used: room::Used,
}

/// The searches for both sorts; nothing is looked for where there is nothing of a sort.
type Searches = [Option<Arc<Matcher>>; 2];

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
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| text.contains('\n') && line.len() >= SHORTEST_LINE);
        let mut state = self.write();
        for part in [text].into_iter().chain(lines) {
            if part.len() >= SHORTEST {
                state.secrets.add(part, &label);
            }
        }
    }

    /// Hides a token of this credential from now on, and no longer those that it had long before.
    pub(crate) fn hide_token(&self, name: &str, token: &Secret) {
        let mut state = self.write();
        let State {
            secrets, tokens, ..
        } = &mut *state;
        let tokens = tokens.entry(name.to_owned()).or_default();
        let text = token.expose();
        if text.len() < SHORTEST {
            return;
        }
        match tokens.iter().position(|known| known.expose() == text) {
            Some(known) => drop(tokens.remove(known)),
            None => secrets.add(text, &format!("[secret {name}]")),
        }
        tokens.push_back(token.clone());
        if tokens.len() > TOKENS
            && let Some(former) = tokens.pop_front()
        {
            secrets.remove(former.expose());
        }
    }

    /// Hides a sensitive value from now on, unless it has fewer than four bytes: it could not be told from
    /// ordinary text. Each costs memory and, when there is another one, time: whoever takes them from others asks
    /// for [room](Redactor::room_for) first.
    pub fn hide_sensitive(&self, value: &str) {
        let mut state = self.write();
        if value.len() >= SHORTEST && !state.sensitive.has(value) {
            state.used.add(value);
            state.sensitive.add(value, "[sensitive]");
        }
    }

    /// Whether these sensitive values can be hidden too. Those that are hidden already take no room.
    ///
    /// # Errors
    ///
    /// One is too large, or all of them together are too many or too large; says how many.
    pub fn room_for<'a>(&self, values: impl IntoIterator<Item = &'a str>) -> Result<(), NoRoom> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let new = values
            .into_iter()
            .filter(|value| value.len() >= SHORTEST && !state.sensitive.has(value));
        state.used.room_for(new)
    }

    /// The bytes without what is hidden; the very same ones when nothing is in them.
    pub fn redact<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        self.redact_beginning(bytes, bytes.len())
    }

    /// The first `most` bytes without what is hidden. What begins in them and ends behind them is hidden whole.
    pub fn redact_beginning<'a>(&self, bytes: &'a [u8], most: usize) -> Cow<'a, [u8]> {
        let most = most.min(bytes.len());
        self.search(bytes, most)
            .map_or(Cow::Borrowed(&bytes[..most]), Cow::Owned)
    }

    /// [`Redactor::redact`] for a body.
    pub fn redact_bytes(&self, bytes: Bytes) -> Bytes {
        match self.search(&bytes, bytes.len()) {
            Some(redacted) => redacted.into(),
            None => bytes,
        }
    }

    /// [`Redactor::redact`] for text.
    pub fn redact_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.search(text.as_bytes(), text.len()) {
            // Needles are whole characters, so what is left is text.
            Some(redacted) => Cow::Owned(String::from_utf8_lossy(&redacted).into_owned()),
            None => Cow::Borrowed(text),
        }
    }

    /// What comes of the first `most` bytes; nothing when nothing is in them.
    fn search(&self, bytes: &[u8], most: usize) -> Option<Vec<u8>> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
        let [secrets, sensitive] = self.searches();
        let spans = |matcher: &Option<Arc<Matcher>>| {
            let spans = matcher.as_ref().map(|matcher| matcher.find(bytes, most));
            spans.unwrap_or_default()
        };
        replace(bytes, most, spans(&secrets), spans(&sensitive))
    }

    fn searches(&self) -> Searches {
        let built = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            [state.secrets.built(), state.sensitive.built()]
        };
        if let [Some(secrets), Some(sensitive)] = built {
            return [secrets, sensitive];
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        [state.secrets.build(), state.sensitive.build()]
    }

    /// For adding what is hidden.
    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.armed.store(true, Ordering::Release);
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(..)")
    }
}

#[cfg(test)]
#[path = "redact/tests.rs"]
mod tests;
