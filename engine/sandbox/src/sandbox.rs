//! Where plugins are loaded.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Semaphore;
use wasmtime::{
    Engine,
    component::{Component, Linker},
};

use crate::{
    bindings::RevealingStepPre,
    cache::{self, Cache, Fingerprint},
    compiler::{CompileError, Compiler},
    engine,
    host::{self, Host},
    packed::Packed,
    plugin::Plugin,
};

/// How a sandbox is set up.
#[derive(Debug, Default)]
pub struct Settings {
    /// For how many attempts at once memory is reserved. More of them wait for each other. Absent,
    /// memory is had on demand: a sandbox is made faster that way, and an attempt takes longer.
    pub slots: Option<u32>,
    /// Where compiled code is kept. Absent, it isn't.
    pub cache: Option<Cache>,
    /// Who compiles what is not in the cache.
    pub compiler: Compiler,
}

/// Loads plugins. All of them share one engine.
pub struct Sandbox {
    engine: Engine,
    linker: Linker<Host>,
    /// The same with `wasi:http`, from when it is first wanted.
    with_wasi_http: OnceLock<Linker<Host>>,
    slots: Option<Arc<Semaphore>>,
    cache: Option<(Cache, Fingerprint)>,
    compiler: Compiler,
    compiled: AtomicUsize,
}

/// A sandbox could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine refused: more slots than there are addresses, or a processor it doesn't know.
    #[error("the WebAssembly engine could not be set up")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The thread that interrupts guests could not be started.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
}

/// A plugin could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It doesn't compile.
    #[error("the component could not be compiled")]
    Compile(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What it imports is not what there is.
    #[error("the component does not fit the contract")]
    Link(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Sandbox {
    /// Makes a sandbox. It owns a thread, which ends soon after the sandbox and its plugins are gone.
    ///
    /// # Errors
    ///
    /// The engine or its thread could not be set up.
    pub fn new(settings: &Settings) -> Result<Sandbox, SandboxError> {
        let engine =
            engine::engine(settings.slots).map_err(|error| SandboxError::Engine(error.into()))?;
        engine::start_ticking(&engine).map_err(SandboxError::Thread)?;
        let linker = host::linker(&engine).map_err(|error| SandboxError::Engine(error.into()))?;
        Ok(Sandbox {
            linker,
            with_wasi_http: OnceLock::new(),
            slots: settings
                .slots
                .map(|slots| Arc::new(Semaphore::new(slots as usize))),
            cache: settings
                .cache
                .clone()
                .map(|cache| (cache, Fingerprint::of(&engine))),
            compiler: settings.compiler.clone(),
            compiled: AtomicUsize::new(0),
            engine,
        })
    }

    /// Makes a plugin ready to be called: takes its code from the cache, or compiles it, which takes
    /// a tenth of a second for a small one and ten seconds for one with an interpreter inside. It
    /// blocks; load each plugin once.
    ///
    /// # Errors
    ///
    /// It doesn't compile, or takes more than that may take; or it imports functions that this version doesn't
    /// have.
    pub fn load(&self, packed: &Packed) -> Result<Plugin, LoadError> {
        match self.load_compiled(packed)? {
            Some(plugin) => Ok(plugin),
            None => self.link(packed, &self.compile(packed)?),
        }
    }

    /// The same for one whose compiled code is in the cache; none where it isn't, and nothing is compiled.
    ///
    /// # Errors
    ///
    /// It imports functions that this version doesn't have.
    pub fn load_compiled(&self, packed: &Packed) -> Result<Option<Plugin>, LoadError> {
        let kept = self
            .cache
            .as_ref()
            .and_then(|(cache, print)| cache.get(&self.engine, print, packed.digest()));
        kept.map(|component| self.link(packed, &component))
            .transpose()
    }

    /// How many components were compiled so far, rather than taken from the cache.
    pub fn compiled(&self) -> usize {
        self.compiled.load(Ordering::Relaxed)
    }

    fn link(&self, packed: &Packed, component: &Component) -> Result<Plugin, LoadError> {
        let has_wasi_http = packed.has_wasi_http();
        let link = || {
            let linker = if has_wasi_http {
                self.with_wasi_http()?
            } else {
                &self.linker
            };
            RevealingStepPre::new(linker.instantiate_pre(component)?)
        };
        let pre = link().map_err(|error| LoadError::Link(error.into()))?;
        Ok(Plugin::new(pre, has_wasi_http, self.slots.clone()))
    }

    fn with_wasi_http(&self) -> wasmtime::Result<&Linker<Host>> {
        if let Some(linker) = self.with_wasi_http.get() {
            return Ok(linker);
        }
        let linker = host::with_wasi_http(&self.linker)?;
        Ok(self.with_wasi_http.get_or_init(|| linker))
    }

    fn compile(&self, packed: &Packed) -> Result<Component, LoadError> {
        let keep = |code: &[u8]| {
            if let Some((cache, print)) = &self.cache {
                cache.put(print, packed.digest(), code);
            }
        };
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| LoadError::Compile(error);
        let component = match &self.compiler {
            Compiler::InProcess => {
                let component = Component::from_binary(&self.engine, packed.bytes());
                let component = component.map_err(|error| failed(error.into()))?;
                // That it can't be kept costs only time.
                if let (Some(_), Ok(code)) = (&self.cache, component.serialize()) {
                    keep(&code);
                }
                component
            }
            Compiler::Child(child) => {
                let code = child.compile(packed.bytes());
                let code = code.map_err(|error| failed(error.into()))?;
                let component = cache::deserialize(&self.engine, &code);
                let component = component.ok_or_else(|| failed(CompileError::Foreign.into()))?;
                keep(&code);
                component
            }
        };
        self.compiled.fetch_add(1, Ordering::Relaxed);
        Ok(component)
    }
}
