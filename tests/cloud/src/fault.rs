use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::request::Request;

/// Something that goes wrong with certain requests.
///
/// ```
/// use simcloud::{Effect, Fault};
///
/// // The second incident is created, but nobody hears of it.
/// let fault = Fault::new(Effect::DropAfter).method("POST").path("/v1/pages/*/incidents").nth(2);
/// assert_eq!(serde_json::to_value(&fault).unwrap()["effect"], "drop_after");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method it meets; any if absent.
    #[serde(default)]
    pub method: Option<String>,
    /// The host it meets, `*` standing for anything; any if absent.
    #[serde(default)]
    pub host: Option<String>,
    /// The path (without query) it meets, `*` standing for anything; any if absent.
    #[serde(default)]
    pub path: Option<String>,
    /// Which of the matching requests is the first to meet it, from 1; 1 if absent.
    #[serde(default = "one")]
    pub nth: u32,
    /// How many meet it; 1 if absent.
    #[serde(default = "one")]
    pub times: u32,
    /// What happens.
    pub effect: Effect,
    #[serde(skip)]
    seen: u32,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Another answer than the service's own.
    Answer {
        /// Its status, 200 to 999.
        status: u16,
        /// Its JSON body; an object that says so if absent.
        #[serde(default)]
        body: Option<Value>,
        /// Its `Retry-After`, in seconds.
        #[serde(default)]
        retry_after: Option<u32>,
        /// Whether the service does its work all the same.
        #[serde(default)]
        processed: bool,
    },
    /// The service works at once, and its answer comes late.
    Delay {
        /// By how much.
        milliseconds: u64,
    },
    /// The connection is closed before the service sees the request.
    DropBefore,
    /// The service does its work, and the connection is closed without an answer.
    DropAfter,
    /// The service does its work; the connection is closed in the middle of the answer's body.
    CutBody,
}

impl Effect {
    /// The status, at once and with nothing done.
    #[must_use]
    pub fn status(status: u16) -> Effect {
        Effect::Answer {
            status,
            body: None,
            retry_after: None,
            processed: false,
        }
    }

    /// The status with `Retry-After`, at once and with nothing done.
    #[must_use]
    pub fn later(status: u16, seconds: u32) -> Effect {
        Effect::Answer {
            status,
            body: None,
            retry_after: Some(seconds),
            processed: false,
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Effect::Answer {
                status,
                processed: false,
                ..
            } => format!("answer {status}"),
            Effect::Answer { status, .. } => format!("answer {status} after the work"),
            Effect::Delay { milliseconds } => format!("delay {milliseconds} ms"),
            Effect::DropBefore => "drop before".to_owned(),
            Effect::DropAfter => "drop after".to_owned(),
            Effect::CutBody => "cut body".to_owned(),
        }
    }
}

impl Fault {
    /// Meets the next request, whatever it is.
    #[must_use]
    pub fn new(effect: Effect) -> Fault {
        Fault {
            method: None,
            host: None,
            path: None,
            nth: 1,
            times: 1,
            effect,
            seen: 0,
        }
    }

    /// Only requests of this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Fault {
        self.method = Some(method.to_owned());
        self
    }

    /// Only requests to this host.
    #[must_use]
    pub fn host(mut self, host: &str) -> Fault {
        self.host = Some(host.to_owned());
        self
    }

    /// Only requests to this path.
    #[must_use]
    pub fn path(mut self, path: &str) -> Fault {
        self.path = Some(path.to_owned());
        self
    }

    /// Begins with the nth matching request, from 1.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Fault {
        self.nth = nth;
        self
    }

    /// Meets so many matching requests, one after another.
    #[must_use]
    pub fn times(mut self, times: u32) -> Fault {
        self.times = times;
        self
    }

    /// Why it makes no sense, if it doesn't.
    pub(crate) fn nonsense(&self) -> Option<String> {
        match self.effect {
            Effect::Answer { status, .. } if !(200..=999).contains(&status) => {
                Some(format!("`{status}` is no status of an answer"))
            }
            _ if self.nth == 0 => Some("`nth` counts from 1".to_owned()),
            _ => None,
        }
    }

    /// Whether it is over.
    pub(crate) fn is_spent(&self) -> bool {
        self.seen.saturating_add(1) >= self.end()
    }

    /// The first matching request that doesn't meet it any more.
    fn end(&self) -> u32 {
        self.nth.saturating_add(self.times)
    }

    fn matches(&self, request: &Request) -> bool {
        let fits = |pattern: &Option<String>, text: &str| {
            pattern
                .as_deref()
                .is_none_or(|pattern| wildcard(pattern.as_bytes(), text.as_bytes()))
        };
        self.method
            .as_deref()
            .is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && fits(&self.host, &request.host)
            && fits(&self.path, &request.path)
    }
}

/// The faults that are switched on.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn all(&self) -> &[Fault] {
        &self.0
    }

    /// Counts the request for every fault that it matches; the first whose turn it is happens.
    pub(crate) fn meet(&mut self, request: &Request) -> Option<Effect> {
        let mut happens = None;
        for fault in self.0.iter_mut().filter(|fault| fault.matches(request)) {
            fault.seen += 1;
            if happens.is_none() && (fault.nth..fault.end()).contains(&fault.seen) {
                happens = Some(fault.effect.clone());
            }
        }
        happens
    }
}

fn one() -> u32 {
    1
}

/// Whether `text` is `pattern`, whose every `*` stands for anything.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skipped| wildcard(rest, &text[skipped..])),
        Some((byte, rest)) => text
            .split_first()
            .is_some_and(|(first, text)| first == byte && wildcard(rest, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, fits) in [
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/a/*/c", "/a/b/x/c", true),
            ("/a/*/c", "/a/b", false),
            ("*", "", true),
            ("*.net", "shop.net", true),
        ] {
            assert_eq!(
                wildcard(pattern.as_bytes(), text.as_bytes()),
                fits,
                "{pattern} {text}"
            );
        }
    }
}
