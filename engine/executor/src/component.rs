//! A plugin that a plan runs: its packed component, and what its manifest promises.

use std::fmt;
use std::sync::Arc;

use sandbook_runbook::{DataSchema, Manifest, SchemaFault};
use sandbook_sandbox::Packed;
use serde_json::Value;

use crate::refused::Refused;

/// A packed component with its manifest's schemas, ready to be held against what is given and what
/// comes back.
pub(crate) struct Component {
    pub(crate) packed: Packed,
    pub(crate) schemas: Schemas,
}

/// What a plugin takes and what it puts out.
#[derive(Debug)]
pub(crate) struct Schemas {
    inputs: Arc<DataSchema>,
    outputs: Arc<DataSchema>,
}

impl Component {
    pub(crate) fn new(packed: Packed, manifest: &Manifest) -> Result<Component, Refused> {
        let compiled = |schema: Result<Arc<DataSchema>, SchemaFault>, what: &str| {
            schema.map_err(|error| {
                Refused::because(format!(
                    "the manifest of plugin `{}`: `{what}`",
                    manifest.name
                ))
                .caused_by(error)
            })
        };
        let schemas = Schemas {
            inputs: compiled(manifest.input_schema(), "inputs")?,
            outputs: compiled(manifest.output_schema(), "outputs")?,
        };
        Ok(Component { packed, schemas })
    }
}

impl Schemas {
    /// Whether a plugin can be given this.
    pub(crate) fn check_input(&self, input: &Value) -> Result<(), String> {
        fits(&self.inputs, input)
            .map_err(|misfits| format!("its `with` is not what the plugin takes: {misfits}"))
    }

    /// Whether a plugin keeps what its manifest says.
    pub(crate) fn check_output(&self, output: &Value) -> Result<(), String> {
        fits(&self.outputs, output).map_err(|misfits| {
            format!("the plugin's outputs are not what its manifest says: {misfits}")
        })
    }
}

fn fits(schema: &DataSchema, value: &Value) -> Result<(), String> {
    let misfits = schema.misfits(value);
    if misfits.is_empty() {
        return Ok(());
    }
    let mut told = misfits.join("; ");
    if let Some((end, _)) = told.char_indices().nth(LONGEST) {
        told.truncate(end);
        told.push('…');
    }
    Err(told)
}

/// How much is told of what doesn't fit, in characters: it becomes a part of the record.
const LONGEST: usize = 2_000;

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("digest", &self.packed.digest())
            .finish_non_exhaustive()
    }
}
