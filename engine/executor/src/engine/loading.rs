//! Making ready what a plan runs.

mod compiling;

use std::collections::BTreeMap;
use std::error::Error;

use sandbook_journal::StateDir;
use sandbook_runbook::PluginName;
use sandbook_sandbox::{Cache, Sandbox, Settings};

pub use self::compiling::Compiling;

use self::compiling::NotLoaded;
use super::{Engine, Options, Waits};
use crate::attempt::Ready;
use crate::component::Component;
use crate::draft::Prepared;
use crate::failed::Failed;
use crate::refused::Refused;
use crate::stage::Stage;
use crate::start_error::StartError;

impl Engine {
    /// Makes ready what the plan runs. What was compiled before is not compiled again.
    pub(crate) fn load(
        &self,
        prepared: &mut Prepared,
        options: &Options,
    ) -> Result<BTreeMap<PluginName, Ready>, StartError> {
        let components = std::mem::take(&mut prepared.components);
        let most = prepared.steps_with_plugins();
        if let Some(stage) = &self.stage {
            return self.load_staged(stage, components);
        }
        if components.is_empty() {
            return Ok(BTreeMap::new());
        }
        let failed = |error: Box<dyn Error + Send + Sync>| Failed::Sandbox(error);
        let cache = cache(&self.state)?;
        let slots = self.jobs.min(u32::try_from(most).unwrap_or(u32::MAX));
        // A pool costs more to build than one instance to allocate.
        let settings = Settings {
            slots: (slots > 1).then_some(slots),
            cache: Some(cache),
            compiler: self.compiler.clone(),
        };
        let sandbox = Sandbox::new(&settings).map_err(|error| failed(error.into()))?;
        let packed = components
            .iter()
            .map(|(name, component)| (name, &component.packed));
        // Nobody listens: it takes no longer for that.
        let tell = |compiling| drop(options.waits.send(Waits::Compiling(compiling)));
        let mut loaded =
            compiling::load(&sandbox, packed, &tell).map_err(|NotLoaded { plugin, error }| {
                Refused::because(format!("plugin `{plugin}` can't be run")).caused_by(error)
            })?;
        let mut plugins = BTreeMap::new();
        for (name, component) in components {
            self.state
                .put_blob(component.packed.bytes())
                .map_err(|error| Failed::State(error.into()))?;
            let plugin = loaded
                .remove(&name)
                .expect("invariant: what was loaded are these");
            let schemas = component.schemas;
            plugins.insert(name, Ready { plugin, schemas });
        }
        Ok(plugins)
    }

    /// The plugin that is ready already, for each of these.
    fn load_staged(
        &self,
        stage: &Stage,
        components: BTreeMap<PluginName, Component>,
    ) -> Result<BTreeMap<PluginName, Ready>, StartError> {
        let ready = |(name, component): (PluginName, Component)| {
            if stage.is_resumed {
                let kept = self.state.put_blob(component.packed.bytes());
                kept.map_err(|error| Failed::State(error.into()))?;
            }
            let ready = Ready {
                plugin: stage.plugin.clone(),
                schemas: component.schemas,
            };
            Ok((name, ready))
        };
        components.into_iter().map(ready).collect()
    }
}

/// Where a state directory keeps compiled code.
pub(crate) fn cache(state: &StateDir) -> Result<Cache, Failed> {
    let key = state.key().derive("aot-cache");
    Cache::open(state.path().join("cache"), key).map_err(|error| Failed::Sandbox(error.into()))
}
