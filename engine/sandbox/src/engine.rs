//! The wasmtime engine: what a guest may be made of, and the clock that interrupts it.

use std::{io, thread, time::Duration};

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::Limits;

/// How often running guests are interrupted: they yield to others then, and their processor time is
/// looked at.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// A guest's own stack.
pub(crate) const WASM_STACK_BYTES: usize = 1 << 20;

/// The stack on which a guest and the host functions it calls run.
const ASYNC_STACK_BYTES: usize = 2 << 20;

// What the components of the known guest toolchains need at most: 7,691 table elements, 3 memories,
// 3 tables. A Python component links some 20 core modules. Of elements and instances a step may be given more:
// what is reserved for them is addresses, and a counter.
const TABLE_ELEMENTS: usize = Limits::MOST.table_elements;
const MEMORIES: u32 = 3;
const TABLES: u32 = 6;
const CORE_INSTANCES: u32 = Limits::MOST.instances as u32;

/// What stays resident of a memory or stack that goes back to the pool: enough that a small guest's
/// next attempt finds all its pages mapped.
const MEMORY_KEPT_BYTES: usize = 2 << 20;
const STACK_KEPT_BYTES: usize = 32 << 10;
const TABLE_KEPT_BYTES: usize = 16 << 10;

/// Builds the engine. With `slots` the memory for so many attempts is reserved at once; without,
/// it is had on demand, which starts faster and runs slower.
pub(crate) fn engine(slots: Option<u32>) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(ASYNC_STACK_BYTES)
        // Not part of WASI 0.2: the less a guest can be made of, the less can be wrong with it. Threads
        // aren't even compiled in.
        .concurrency_support(false)
        .wasm_gc(false)
        .wasm_memory64(false);
    if let Some(slots) = slots {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(slots)));
    }
    Engine::new(&config)
}

fn pool(slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES))
        .total_memories(slots.saturating_mul(MEMORIES))
        .total_tables(slots.saturating_mul(TABLES))
        .total_stacks(slots)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memories_per_module(MEMORIES)
        .max_tables_per_module(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(MEMORY_KEPT_BYTES)
        .async_stack_keep_resident(STACK_KEPT_BYTES)
        .table_keep_resident(TABLE_KEPT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Starts the thread that advances the engine's epoch. It ends soon after the engine does.
pub(crate) fn start_ticking(engine: &Engine) -> io::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        loop {
            thread::sleep(TICK);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    };
    thread::Builder::new()
        .name("sandbook-ticks".to_owned())
        .spawn(tick)
        .map(drop)
}
