//! Making a plan's plugins ready. What was compiled before is taken from the cache; the rest is compiled at the same
//! time, as far as there are processors, and no more than a few.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use sandbook_runbook::PluginName;
use sandbook_sandbox::{Digest, LoadError, Packed, Plugin, Sandbox};

/// How many are compiled at once at most: each compiler may take as much memory as its limits allow.
const AT_ONCE: usize = 4;

/// What is compiled before a run can begin, since it was never run before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiling {
    /// The plugins whose turn it is to be compiled, or comes.
    pub left: Vec<PluginName>,
    /// How many were to be compiled to begin with.
    pub of: usize,
}

/// A plugin that can't be loaded.
pub(crate) struct NotLoaded {
    pub(crate) plugin: PluginName,
    pub(crate) error: LoadError,
}

/// Loads all of them, and tells what is left to compile whenever that changes.
pub(crate) fn load<'a>(
    sandbox: &Sandbox,
    components: impl Iterator<Item = (&'a PluginName, &'a Packed)>,
    tell: &(dyn Fn(Compiling) + Sync),
) -> Result<BTreeMap<PluginName, Plugin>, NotLoaded> {
    let mut plugins = BTreeMap::new();
    // The same component under several names is compiled once.
    let mut new: BTreeMap<Digest, (&Packed, Vec<&PluginName>)> = BTreeMap::new();
    for (name, packed) in components {
        let loaded = sandbox.load_compiled(packed);
        match loaded.map_err(|error| not_loaded(name, error))? {
            Some(plugin) => {
                plugins.insert(name.clone(), plugin);
            }
            None => {
                let same = new.entry(packed.digest()).or_insert((packed, Vec::new()));
                same.1.push(name);
            }
        }
    }
    for (names, loaded) in compile(sandbox, new.into_values().collect(), tell) {
        let plugin = loaded.map_err(|error| not_loaded(names[0], error))?;
        plugins.extend(names.into_iter().map(|name| (name.clone(), plugin.clone())));
    }
    Ok(plugins)
}

fn not_loaded(plugin: &PluginName, error: LoadError) -> NotLoaded {
    let plugin = plugin.clone();
    NotLoaded { plugin, error }
}

type Named<'a> = (&'a Packed, Vec<&'a PluginName>);
type Loaded<'a> = (Vec<&'a PluginName>, Result<Plugin, LoadError>);

/// Compiles these, several at once. After the first that can't be compiled no other one is begun.
fn compile<'a>(
    sandbox: &Sandbox,
    new: VecDeque<Named<'a>>,
    tell: &(dyn Fn(Compiling) + Sync),
) -> Vec<Loaded<'a>> {
    let of = new.len();
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(AT_ONCE)
        .min(of);
    let left: BTreeMap<Digest, PluginName> = new
        .iter()
        .map(|(packed, names)| (packed.digest(), names[0].clone()))
        .collect();
    if of > 0 {
        tell(Compiling {
            left: left.values().cloned().collect(),
            of,
        });
    }
    let (queue, left, loaded) = (Mutex::new(new), Mutex::new(left), Mutex::new(Vec::new()));
    let has_failed = AtomicBool::new(false);
    let next = || {
        let next = held(&queue).pop_front();
        next.filter(|_| !has_failed.load(Ordering::Relaxed))
    };
    let work = || {
        while let Some((packed, names)) = next() {
            let plugin = sandbox.load(packed);
            if plugin.is_err() {
                has_failed.store(true, Ordering::Relaxed);
            }
            let mut left = held(&left);
            left.remove(&packed.digest());
            tell(Compiling {
                left: left.values().cloned().collect(),
                of,
            });
            held(&loaded).push((names, plugin));
        }
    };
    thread::scope(|scope| {
        // This thread works too, so that all is compiled where no other one can be made.
        for _ in 1..threads {
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    let mut loaded = loaded.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Of several that couldn't be compiled at the same time it is the first by name that is told.
    loaded.sort_by(|(one, _): &Loaded<'_>, (other, _)| one.cmp(other));
    loaded
}

fn held<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
