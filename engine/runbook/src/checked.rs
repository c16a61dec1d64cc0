//! A runbook that was checked, with what it was checked against.

use std::collections::BTreeMap;
use std::ops::Deref;

use crate::check::check_knowing;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::manifest::Manifest;
use crate::names::PluginName;
use crate::runbook::Runbook;

/// A runbook in which [`check`](crate::check()) finds no error, with the manifests and the environment
/// that it was checked against.
///
/// Only such a runbook can be planned, and only with these. It reads as the runbook.
#[derive(Debug)]
pub struct CheckedRunbook {
    runbook: Runbook,
    manifests: BTreeMap<PluginName, Manifest>,
    environment: Option<Environment>,
}

impl CheckedRunbook {
    /// Checks a runbook, and says what is odd about it.
    ///
    /// `manifests` are those of the plugins that it uses; `plugins` are the names of all that the project
    /// has, to be suggested in place of one that isn't there.
    ///
    /// # Errors
    ///
    /// All errors that [`check`](crate::check()) finds.
    pub fn new<'a>(
        runbook: Runbook,
        manifests: BTreeMap<PluginName, Manifest>,
        plugins: impl IntoIterator<Item = &'a PluginName>,
        environment: Option<Environment>,
    ) -> Result<(CheckedRunbook, Vec<Fault>), Vec<Fault>> {
        let plugins: Vec<&str> = plugins.into_iter().map(PluginName::as_str).collect();
        let faults = check_knowing(&plugins, &runbook, &manifests, environment.as_ref());
        let (errors, warnings): (Vec<_>, Vec<_>) = faults.into_iter().partition(Fault::is_error);
        if !errors.is_empty() {
            return Err(errors);
        }
        let checked = CheckedRunbook {
            runbook,
            manifests,
            environment,
        };
        Ok((checked, warnings))
    }

    /// The environment that it was checked against.
    pub fn environment(&self) -> Option<&Environment> {
        self.environment.as_ref()
    }

    pub(crate) fn into_parts(
        self,
    ) -> (Runbook, BTreeMap<PluginName, Manifest>, Option<Environment>) {
        (self.runbook, self.manifests, self.environment)
    }
}

impl Deref for CheckedRunbook {
    type Target = Runbook;

    fn deref(&self) -> &Runbook {
        &self.runbook
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn a_plugin_that_the_project_has_is_suggested_though_nothing_uses_it() {
        let source = Source {
            name: "test.yaml".to_owned(),
            text: "name: x\nsteps: [{ id: a, uses: htpt-check }]".to_owned(),
        };
        let (runbook, _) = Runbook::parse(&source).unwrap();
        let plugins = ["http-check", "update-ip"].map(|name| PluginName::new(name).unwrap());
        let faults = CheckedRunbook::new(runbook, BTreeMap::new(), &plugins, None).unwrap_err();
        assert_eq!(faults[0].message, "the project has no plugin `htpt-check`");
        assert_eq!(
            faults[0].label.as_deref(),
            Some("did you mean `http-check`?")
        );
    }
}
