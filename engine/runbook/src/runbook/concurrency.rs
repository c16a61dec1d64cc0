//! Which runs there is to be only one of at a time.

use serde::Deserialize;
use serde_json::Value;

use crate::fault::Fault;
use crate::leaf::Reader;
use crate::path::Path;
use crate::scope::Scope;
use crate::template::{RenderFault, Template};

/// How many characters a group's name may have.
const LONGEST_GROUP: usize = 200;

/// A group of runs, of which there is one at a time, whatever runbooks they are of.
#[derive(Debug, Clone)]
pub struct Concurrency {
    /// The group's name; its expressions touch `inputs` and `vars` only.
    pub group: Template,
    /// What a run does while another one holds the group.
    pub behavior: Behavior,
}

/// What a run does while another one holds its group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behavior {
    /// It doesn't start.
    #[default]
    Reject,
    /// It waits for its turn.
    Queue,
}

impl Behavior {
    /// The word for it in a runbook.
    pub fn as_str(self) -> &'static str {
        match self {
            Behavior::Reject => "reject",
            Behavior::Queue => "queue",
        }
    }
}

/// What a group's template comes to is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GroupFault {
    /// An expression in it has no value.
    #[error(transparent)]
    Render(#[from] RenderFault),
    /// It is a number, a list or something else.
    #[error("the group's name comes to `{found}`, which is not text")]
    NotText {
        /// What it is, as JSON.
        found: String,
    },
    /// There is nothing in it, or only blanks.
    #[error("the group's name comes to nothing")]
    Empty,
    /// It is too long.
    #[error("the group's name comes to {length} characters, and may have {LONGEST_GROUP}")]
    TooLong {
        /// How many characters it has.
        length: usize,
    },
    /// It has a line break or the like in it.
    #[error("the group's name comes to a text with the control character {found:?} in it")]
    Control {
        /// The first one.
        found: char,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireConcurrency {
    group: Option<String>,
    behavior: Behavior,
}

impl WireConcurrency {
    pub(super) fn convert(self, place: &Path, reader: &mut Reader) -> Option<Concurrency> {
        let place = place.key("group");
        let group = reader.template(&Value::String(self.group?), &place)?;
        // What holds no expression is known by now.
        if let Some(Value::String(name)) = group.literal()
            && let Err(fault) = refuse_unfit(name)
        {
            reader.fault(Fault::error(place, fault.to_string()));
        }
        Some(Concurrency {
            group,
            behavior: self.behavior,
        })
    }
}

impl Concurrency {
    /// The group's name, given the inputs and the variables.
    pub(crate) fn name(&self, scope: &Scope) -> Result<String, GroupFault> {
        match self.group.render(scope)? {
            Value::String(name) => refuse_unfit(&name).map(|()| name),
            other => Err(GroupFault::NotText {
                found: other.to_string(),
            }),
        }
    }
}

fn refuse_unfit(name: &str) -> Result<(), GroupFault> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        Err(GroupFault::Empty)
    } else if length > LONGEST_GROUP {
        Err(GroupFault::TooLong { length })
    } else {
        match name.chars().find(|character| character.is_control()) {
            Some(found) => Err(GroupFault::Control { found }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn name(group: &str, inputs: &Value) -> Result<String, String> {
        let mut reader = Reader::default();
        let wire = WireConcurrency {
            group: Some(group.to_owned()),
            behavior: Behavior::Queue,
        };
        let concurrency = wire.convert(&Path::root(), &mut reader).unwrap();
        if let Some(fault) = reader.faults.first() {
            return Err(format!("at once: {}", fault.message));
        }
        let inputs: &Map<String, Value> = inputs.as_object().unwrap();
        let scope = Scope::new(inputs, &json!({ "place": "east" }));
        concurrency.name(&scope).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_name_is_filled_in() {
        let inputs = json!({ "site": "www", "number": 3 });
        assert_eq!(name("site", &inputs).unwrap(), "site");
        let filled = name(
            "${{ vars.place }}/${{ inputs.site }} ${{ inputs.number }}",
            &inputs,
        );
        assert_eq!(filled.unwrap(), "east/www 3");
    }

    #[test]
    fn what_is_no_name_is_told_as_soon_as_it_is_known() {
        let told = |group: &str, text: Value| name(group, &json!({ "text": text })).unwrap_err();
        assert_eq!(
            told(" ", json!("")),
            "at once: the group's name comes to nothing"
        );
        assert!(told(&"x".repeat(201), json!("")).starts_with("at once: "));
        let group = "${{ inputs.text }}";
        assert_eq!(told(group, json!("")), "the group's name comes to nothing");
        assert_eq!(
            told(group, json!("a\nb")),
            "the group's name comes to a text with the control character '\\n' in it"
        );
        assert_eq!(
            told(group, json!("ü".repeat(201))),
            "the group's name comes to 201 characters, and may have 200"
        );
        assert_eq!(
            name(group, &json!({ "text": "ü".repeat(200) }))
                .unwrap()
                .chars()
                .count(),
            200
        );
        assert_eq!(
            told(group, json!(3)),
            "the group's name comes to `3`, which is not text"
        );
        assert!(told("${{ inputs.nope }}", json!("")).contains("undefined"));
    }
}
