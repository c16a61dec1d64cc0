//! `sandbook.yaml`: what makes a folder a project.

mod anchor;
mod edit;
mod key;
mod plugin;

use std::collections::BTreeMap;

use serde::Deserialize;

use self::anchor::WireAnchor;
pub use self::anchor::{Anchor, Destination};
pub use self::edit::{EditFault, with_plugin, without_plugin};
pub use self::key::PublicKey;
use self::key::WireKey;
pub use self::plugin::ProjectPlugin;
use self::plugin::WirePlugin;
use crate::fault::{Fault, Report};
use crate::leaf::Reader;
use crate::names::{EnvironmentName, KeyName, PluginName};
use crate::path::Path;
use crate::place::check_path;
use crate::schema::Kind;
use crate::source::Source;
use crate::{shape, yaml};

/// A project's settings. Relative paths begin at the project's folder and stay in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The plugins: the names that runbooks use, and where the packed components come from.
    pub plugins: BTreeMap<PluginName, ProjectPlugin>,
    /// The keys that plugins are signed with.
    pub keys: BTreeMap<KeyName, PublicKey>,
    /// The keys that must have signed whatever comes from outside, where a plugin itself says nothing.
    pub signed_by: Vec<KeyName>,
    /// The folder of the runbooks; `.` by default.
    pub runbooks: String,
    /// The folder of the environments; `environments` by default.
    pub environments: String,
    /// The folder of the journal, where the project says one.
    pub state: Option<String>,
    /// The environment that is taken where none is named. Whether it reroutes, which it must, only the
    /// environment itself can tell.
    pub default_environment: Option<EnvironmentName>,
    /// Where the signed head of the ledger of runs is sent at each run's end.
    pub anchors: Vec<Anchor>,
    /// Where the secrets lie that are in the project.
    pub secrets: SecretsPlaces,
}

/// Where a project's encrypted secrets lie, as far as it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsPlaces {
    /// The encrypted file.
    pub file: Option<String>,
    /// The age identity that opens it.
    pub identity: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wire {
    plugins: BTreeMap<String, WirePlugin>,
    keys: BTreeMap<String, WireKey>,
    signed_by: Vec<String>,
    runbooks: Option<String>,
    environments: Option<String>,
    state: Option<String>,
    default_environment: Option<String>,
    anchors: Vec<WireAnchor>,
    secrets: SecretsPlaces,
}

impl Project {
    /// Reads a project's settings.
    ///
    /// # Errors
    ///
    /// All faults of the document.
    pub fn parse(source: &Source) -> Result<Project, Report> {
        let report = |faults| Report {
            source: source.clone(),
            faults,
        };
        let value = yaml::parse(source).map_err(report)?;
        let convert = |wire, reader: &mut Reader| Some(convert(wire, &mut reader.faults));
        shape::document(Kind::Project, value, convert, |_| Vec::new()).map_err(report)
    }
}

fn convert(wire: Wire, faults: &mut Vec<Fault>) -> Project {
    let root = Path::root();
    let keys = key::convert(wire.keys, faults);
    let plugins = plugin::convert(wire.plugins, &keys, faults);
    let signed_by = key::signers(wire.signed_by, &root.key("signed_by"), &keys, faults);
    let mut folder = |key: &str, given: Option<String>| {
        if let Some(path) = &given {
            check_path(path, &root.key(key), faults);
        }
        given
    };
    let runbooks = folder("runbooks", wire.runbooks).unwrap_or_else(|| ".".to_owned());
    let environments =
        folder("environments", wire.environments).unwrap_or_else(|| "environments".to_owned());
    let state = folder("state", wire.state);
    for (key, path) in [
        ("file", &wire.secrets.file),
        ("identity", &wire.secrets.identity),
    ] {
        if let Some(path) = path {
            check_path(path, &root.key("secrets").key(key), faults);
        }
    }
    let default_environment = wire.default_environment.and_then(|name| {
        let named = EnvironmentName::new(name);
        named
            .map_err(|fault| {
                let place = root.key("default_environment");
                faults.push(Fault::error(place, fault.to_string()));
            })
            .ok()
    });
    Project {
        plugins,
        keys,
        signed_by,
        runbooks,
        environments,
        state,
        default_environment,
        anchors: anchor::convert(wire.anchors, faults),
        secrets: wire.secrets,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_defaults() {
        let source = Source {
            name: "sandbook.yaml".to_owned(),
            text: "plugins: { http-check: plugins/http-check.wasm }".to_owned(),
        };
        let project = Project::parse(&source).unwrap();
        assert_eq!(
            (project.runbooks.as_str(), project.environments.as_str()),
            (".", "environments")
        );
        let plugin = &project.plugins["http-check"];
        assert_eq!(plugin.source.to_string(), "plugins/http-check.wasm");
        assert_eq!((&plugin.signed_by, project.signed_by), (&None, vec![]));
        assert_eq!((project.state, project.default_environment), (None, None));
        assert_eq!(project.anchors, []);
    }
}
