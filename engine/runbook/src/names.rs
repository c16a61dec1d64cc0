//! The names that a document gives to things, each a type of its own. The copies of one share its text.
//!
//! Names that expressions use (`steps.verify.outputs.url`) hold no `-`, so that none reads as a
//! subtraction; names that only documents use may hold one.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The longest name, in bytes.
pub const LONGEST_NAME: usize = 64;

/// Which characters a name may hold after its first, a lower-case letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// `[a-z][a-z0-9_]*`: it can stand in an expression.
    Identifier,
    /// `[a-z][a-z0-9_-]*`.
    Dashed,
}

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {} {what}: {rule}", if .what.starts_with('e') { "an" } else { "a" })]
pub struct NameFault {
    /// The text.
    pub text: String,
    /// What it was meant to name, such as `step id`.
    pub what: &'static str,
    /// The rule that it breaks.
    pub rule: NameRule,
}

/// A rule that names follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// It has at least one character.
    NotEmpty,
    /// It has at most [`LONGEST_NAME`] bytes.
    NotLong,
    /// It begins with a lower-case letter.
    Begin,
    /// It holds nothing but the characters of its alphabet.
    Hold(Alphabet),
}

impl fmt::Display for NameRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameRule::NotEmpty => write!(f, "it is empty"),
            NameRule::NotLong => write!(f, "it is longer than {LONGEST_NAME} characters"),
            NameRule::Begin => write!(f, "it must begin with a lower-case letter"),
            NameRule::Hold(Alphabet::Identifier) => {
                write!(f, "it may hold only lower-case letters, digits and `_`")
            }
            NameRule::Hold(Alphabet::Dashed) => {
                write!(
                    f,
                    "it may hold only lower-case letters, digits, `_` and `-`"
                )
            }
        }
    }
}

impl Alphabet {
    /// Checks a text against the rules of names.
    fn check(self, text: &str) -> Result<(), NameRule> {
        let first = text.chars().next().ok_or(NameRule::NotEmpty)?;
        if !first.is_ascii_lowercase() {
            return Err(NameRule::Begin);
        }
        if !text.chars().all(|character| self.holds(character)) {
            return Err(NameRule::Hold(self));
        }
        if text.len() > LONGEST_NAME {
            return Err(NameRule::NotLong);
        }
        Ok(())
    }

    fn holds(self, character: char) -> bool {
        matches!(character, 'a'..='z' | '0'..='9' | '_')
            || (self == Alphabet::Dashed && character == '-')
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $alphabet:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text that follows the rules.
            ///
            /// # Errors
            ///
            /// The fault says which rule it breaks.
            pub fn new(text: impl Into<String>) -> Result<$name, NameFault> {
                let text = text.into();
                match Alphabet::$alphabet.check(&text) {
                    Ok(()) => Ok($name(text.into())),
                    Err(rule) => Err(NameFault { text, what: $what, rule }),
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameFault;

            fn from_str(text: &str) -> Result<$name, NameFault> {
                $name::new(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// What a step is called within its runbook: `[a-z][a-z0-9_]*`.
    StepId, "step id", Identifier
);
name!(
    /// What an input, a variable or an output is called: `[a-z][a-z0-9_]*`.
    Name, "name", Identifier
);
name!(
    /// Under which a plugin asks for a credential: `[a-z][a-z0-9_-]*`.
    Slot, "slot", Dashed
);
name!(
    /// What an environment calls a credential: `[a-z][a-z0-9_-]*`.
    CredentialName, "credential name", Dashed
);
name!(
    /// What a project calls a plugin, and a plugin itself: `[a-z][a-z0-9_-]*`.
    PluginName, "plugin name", Dashed
);
name!(
    /// What a runbook is called: `[a-z][a-z0-9_-]*`.
    RunbookName, "runbook name", Dashed
);
name!(
    /// What an environment is called: `[a-z][a-z0-9_-]*`.
    EnvironmentName, "environment name", Dashed
);

name!(
    /// What a project calls a key that plugins are signed with: `[a-z][a-z0-9_-]*`.
    KeyName, "key name", Dashed
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_a_letter_and_has_no_capitals() {
        for text in ["a", "open_sites", "step2", "x_"] {
            assert_eq!(StepId::new(text).unwrap().as_str(), text);
        }
        for (text, rule) in [
            ("", NameRule::NotEmpty),
            ("2nd", NameRule::Begin),
            ("_a", NameRule::Begin),
            ("Open", NameRule::Begin),
            ("oPen", NameRule::Hold(Alphabet::Identifier)),
            ("open-sites", NameRule::Hold(Alphabet::Identifier)),
            ("öffnen", NameRule::Begin),
            ("a b", NameRule::Hold(Alphabet::Identifier)),
        ] {
            assert_eq!(StepId::new(text).unwrap_err().rule, rule, "{text}");
        }
    }

    #[test]
    fn only_names_that_no_expression_uses_hold_a_dash() {
        assert_eq!(
            PluginName::new("update-ip").unwrap().to_string(),
            "update-ip"
        );
        assert_eq!(
            Name::new("update-ip").unwrap_err().to_string(),
            "`update-ip` is not a name: it may hold only lower-case letters, digits and `_`"
        );
    }

    #[test]
    fn a_name_is_bounded() {
        Slot::new("a".repeat(LONGEST_NAME)).unwrap();
        assert_eq!(
            Slot::new("a".repeat(LONGEST_NAME + 1)).unwrap_err().rule,
            NameRule::NotLong
        );
    }
}
