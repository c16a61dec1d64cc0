//! The HTTP methods that can be granted.

use std::fmt;

/// A set of HTTP methods.
///
/// There are seven that can be granted; any other (`CONNECT`, `TRACE`, `PROPFIND`, a method in lower
/// case) is in no set, not even in `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Methods(u8);

/// Each method's place is its bit, and its place when shown.
const NAMES: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
const ALL: u8 = (1 << NAMES.len()) - 1;
const READING: u8 = 0b111;

/// Why a text is no list of methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MethodsFault {
    /// A method that can't be granted.
    Unknown(String),
    /// A method is there twice, or `*` beside others.
    Superfluous(String),
}

impl Methods {
    /// Reads one method, a comma list, or `*`.
    pub(super) fn parse(text: &str) -> Result<Methods, MethodsFault> {
        if text == "*" {
            return Ok(Methods(ALL));
        }
        let mut methods = Methods(0);
        for name in text.split(',') {
            let method = Methods::one(name);
            if method.is_empty() && name != "*" {
                return Err(MethodsFault::Unknown(name.to_owned()));
            }
            if method.is_empty() || !methods.and(method).is_empty() {
                return Err(MethodsFault::Superfluous(name.to_owned()));
            }
            methods = Methods(methods.0 | method.0);
        }
        Ok(methods)
    }

    /// All methods that can be granted.
    pub(super) fn all() -> Methods {
        Methods(ALL)
    }

    /// The set of one method; empty when it can't be granted.
    pub(super) fn one(name: &str) -> Methods {
        NAMES
            .iter()
            .position(|known| *known == name)
            .map_or(Methods(0), |place| Methods(1 << place))
    }

    /// What is in both.
    pub(super) fn and(self, other: Methods) -> Methods {
        Methods(self.0 & other.0)
    }

    /// What is in this and not in the other.
    pub(super) fn without(self, other: Methods) -> Methods {
        Methods(self.0 & !other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether there are others in it than `GET`, `HEAD` and `OPTIONS`.
    pub(super) fn may_change(self) -> bool {
        self.0 & !READING != 0
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .enumerate()
            .filter(move |(place, _)| self.0 & (1 << place) != 0)
            .map(|(_, name)| *name)
    }

    /// The names of all methods that can be granted.
    pub(super) fn known() -> &'static [&'static str] {
        &NAMES
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == ALL {
            return f.write_str("*");
        }
        for (place, name) in self.names().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_shown_in_one_order() {
        for (text, shown) in [
            ("GET", "GET"),
            ("POST,GET", "GET,POST"),
            ("*", "*"),
            ("DELETE,PATCH,PUT,POST,OPTIONS,HEAD,GET", "*"),
        ] {
            assert_eq!(Methods::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn all_but_three_may_change_something() {
        for (text, may_change) in [
            ("GET,HEAD,OPTIONS", false),
            ("POST", true),
            ("GET,DELETE", true),
            ("*", true),
        ] {
            let methods = Methods::parse(text).unwrap();
            assert_eq!(methods.may_change(), may_change, "{text}");
        }
    }

    #[test]
    fn what_is_no_method_is_refused() {
        for text in ["", "get", "CONNECT", "GET,", "G", "GET ,POST"] {
            assert!(
                matches!(Methods::parse(text), Err(MethodsFault::Unknown(_))),
                "{text}"
            );
        }
        for text in ["GET,GET", "GET,*", "*,GET", "*,*"] {
            assert!(
                matches!(Methods::parse(text), Err(MethodsFault::Superfluous(_))),
                "{text}"
            );
        }
    }
}
