//! Whether an input's rules fit each other.

use super::{Input, InputFault, InputKind, matcher};

/// A rule of an input that nothing can follow, or that says nothing.
#[derive(Debug, thiserror::Error)]
pub enum InputRuleFault {
    /// A pattern for what is no text.
    #[error("a pattern is for text, and `{input}` is {kind}")]
    PatternOfNoText {
        /// The input.
        input: String,
        /// Its kind.
        kind: InputKind,
    },
    /// The pattern is none.
    #[error("`{0}` is not a regular expression")]
    BadPattern(String),
    /// A bound for what has no size.
    #[error("{kind} has no `{key}`")]
    BoundOfNoSize {
        /// `min` or `max`.
        key: &'static str,
        /// The input's kind.
        kind: InputKind,
    },
    /// The least is more than the most.
    #[error("`min` is more than `max`: no value is left")]
    NothingBetween,
    /// A choice that the input's other rules refuse.
    #[error("choice {} can't be given: {fault}", .position + 1)]
    Choice {
        /// Which, from 0.
        position: usize,
        /// Why not.
        fault: InputFault,
    },
    /// The default is no value that could be given.
    #[error("the default does not fit: {0}")]
    Default(InputFault),
}

impl InputRuleFault {
    /// The key of the declaration that is meant.
    pub fn key(&self) -> &'static str {
        match self {
            InputRuleFault::PatternOfNoText { .. } | InputRuleFault::BadPattern(_) => "pattern",
            InputRuleFault::BoundOfNoSize { key, .. } => key,
            InputRuleFault::NothingBetween => "min",
            InputRuleFault::Choice { .. } => "enum",
            InputRuleFault::Default(_) => "default",
        }
    }
}

impl Input {
    /// What is wrong with the rules themselves, all at once.
    pub fn rule_faults(&self) -> Vec<InputRuleFault> {
        let mut faults = Vec::new();
        let kind = self.kind;
        match &self.pattern {
            Some(_) if kind != InputKind::String => {
                faults.push(InputRuleFault::PatternOfNoText {
                    input: self.name.to_string(),
                    kind,
                });
            }
            Some(pattern) if matcher(pattern).is_none() => {
                faults.push(InputRuleFault::BadPattern(pattern.clone()));
            }
            _ => {}
        }
        if matches!(kind, InputKind::Boolean | InputKind::Object) {
            let bounds = [("min", self.min), ("max", self.max)]
                .into_iter()
                .filter(|(_, bound)| bound.is_some());
            faults.extend(bounds.map(|(key, _)| InputRuleFault::BoundOfNoSize { key, kind }));
        }
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min > max
        {
            faults.push(InputRuleFault::NothingBetween);
        }
        if !faults.is_empty() {
            return faults;
        }
        for (position, choice) in self.one_of.iter().enumerate() {
            if let Err(fault) = self.validate(choice) {
                faults.push(InputRuleFault::Choice { position, fault });
            }
        }
        if let Some(Err(fault)) = self.default.as_ref().map(|default| self.validate(default)) {
            faults.push(InputRuleFault::Default(fault));
        }
        faults
    }
}
