//! A step that a person does.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::input::{Input, WireInput};
use crate::leaf::Reader;
use crate::misfit::not_one_of;
use crate::path::Path;
use crate::template::Template;

/// What a `manual` step has a person do.
#[derive(Debug, Clone, PartialEq)]
pub struct Manual {
    /// What is to be done: text.
    pub instructions: Template,
    /// What the person is asked for when it is done; expressions call them `steps.ID.outputs.NAME`. None has a
    /// default, and one that isn't required may be left out, and is `none` then.
    pub outputs: Vec<Input>,
}

impl Manual {
    /// The names of the outputs that are kept outside the record.
    pub fn sensitive_outputs(&self) -> impl Iterator<Item = &str> {
        let sensitive = self.outputs.iter().filter(|output| output.sensitive);
        sensitive.map(|output| output.name.as_str())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireManual {
    instructions: Option<String>,
    outputs: Map<String, Value>,
}

impl WireManual {
    pub(super) fn convert(self, place: &Path, reader: &mut Reader) -> Option<Manual> {
        let instructions = self
            .instructions
            .and_then(|text| reader.template(&Value::String(text), &place.key("instructions")));
        let place = place.key("outputs");
        let outputs: Vec<Option<Input>> = self
            .outputs
            .into_iter()
            .map(|(name, value)| output(&name, value, &place.key(&name), reader))
            .collect();
        Some(Manual {
            instructions: instructions?,
            outputs: outputs.into_iter().collect::<Option<_>>()?,
        })
    }
}

/// An output: a type's name, or what an input is declared as, but for a default.
fn output(name: &str, value: Value, place: &Path, reader: &mut Reader) -> Option<Input> {
    let wire =
        match value {
            Value::String(word) => reader.or_told(
                |reader| {
                    let wire = WireInput::of_type(&word);
                    if wire.is_none() {
                        let types = WireInput::TYPES.map(str::to_owned);
                        reader.fault(not_one_of(
                            place.clone(),
                            &word,
                            &format!("`{word}`"),
                            &types,
                        ));
                    }
                    wire
                },
                // An output that is there, so that expressions that name it aren't at fault as well.
                || WireInput::of_type("string").unwrap_or_default(),
            )?,
            value => {
                if value.get("default").is_some() {
                    let fault = Fault::error(place.key("default"), "an output has no `default`");
                    reader.fault(fault.on_key().help(
                        "remove it; `required: false` lets whoever does the step leave it out",
                    ));
                }
                serde_json::from_value(value).ok()?
            }
        };
    let output = wire.convert(name, place, reader)?;
    Some(Input {
        default: None,
        ..output
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::input::InputKind;

    fn convert(manual: Value) -> (Option<Manual>, Vec<String>) {
        let mut reader = Reader::default();
        let wire: WireManual = serde_json::from_value(manual).unwrap();
        let manual = wire.convert(&Path::root(), &mut reader);
        let said = |fault: Fault| format!("{}: {}", fault.path, fault.message);
        (manual, reader.faults.into_iter().map(said).collect())
    }

    #[test]
    fn an_output_is_a_type_or_declared_in_full() {
        let (manual, faults) = convert(json!({
            "instructions": "Ring the vendor",
            "outputs": { "ticket": "string", "pin": { "type": "integer", "min": 0, "sensitive": true, "required": false } },
        }));
        assert!(faults.is_empty(), "{faults:?}");
        let manual = manual.unwrap();
        let [ticket, pin] = &manual.outputs[..] else {
            panic!("{manual:?}")
        };
        assert_eq!(
            (ticket.name.as_str(), ticket.kind),
            ("ticket", InputKind::String)
        );
        assert!(ticket.required && !ticket.sensitive);
        assert_eq!((pin.name.as_str(), pin.kind), ("pin", InputKind::Integer));
        assert!(pin.sensitive && !pin.required);
        assert!(manual.sensitive_outputs().eq(["pin"]));
    }

    #[test]
    fn an_output_of_no_type_is_told_and_still_there() {
        let (manual, faults) =
            convert(json!({ "instructions": "Ring", "outputs": { "ticket": "strin" } }));
        assert_eq!(
            faults,
            [
                "outputs.ticket: `strin` is not one of `string`, `integer`, `number`, `boolean`, `list`, `object`"
            ]
        );
        assert_eq!(manual.unwrap().outputs.len(), 1);
    }

    #[test]
    fn an_output_has_no_default_not_even_none() {
        for default in [json!("x"), json!(null)] {
            let (_, faults) = convert(
                json!({ "instructions": "Ring", "outputs": { "ticket": { "type": "string", "default": default } } }),
            );
            assert_eq!(
                faults,
                ["outputs.ticket.default: an output has no `default`"]
            );
        }
    }
}
