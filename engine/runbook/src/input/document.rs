//! The inputs of a run, from a document.

use serde_json::{Map, Value};

use crate::fault::{Fault, Report};
use crate::path::Path;
use crate::source::Source;
use crate::yaml;

/// Reads the inputs of a run from a document of YAML or JSON: a mapping of names to values, within the bounds of
/// all documents.
///
/// # Errors
///
/// Everything that is wrong with it as YAML, or it is no mapping.
pub fn read_inputs(source: &Source) -> Result<Map<String, Value>, Report> {
    let report = |faults| Report {
        source: source.clone(),
        faults,
    };
    match yaml::parse(source).map_err(report)? {
        Value::Object(inputs) => Ok(inputs),
        _ => {
            let fault = Fault::error(Path::root(), "this holds no inputs");
            let help = "write a mapping, with a line `KEY: VALUE` for each input";
            Err(report(vec![fault.help(help)]))
        }
    }
}
