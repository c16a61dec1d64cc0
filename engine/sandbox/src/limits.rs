//! What one attempt may use of the host.

mod memory;

use std::{fmt, time::Duration};

pub(crate) use memory::{Hold, Memory};

/// How much one attempt may use. An attempt that asks for more is ended, naming the limit.
///
/// The default suits a plugin that carries a Python interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, all memories of the component together, and what the host keeps for the guest of
    /// `wasi:http`, in bytes. Default: 512 MiB.
    pub memory_bytes: usize,
    /// Table elements, all tables together. Default: 36,000.
    pub table_elements: usize,
    /// Core instances. Default: 100.
    pub instances: usize,
    /// Time on a processor, of the guest and of what the host does for it meanwhile; looked at each 10 ms. Default: 60 s.
    pub cpu: Duration,
    /// Time from start to end, waiting included. Default: 5 min.
    pub wall: Duration,
    /// The JSON text of the step's outputs, in bytes. Default: 1 MiB.
    pub output_bytes: usize,
    /// Log lines; what goes beyond is dropped, and one line says so. Default: 10,000.
    pub log_lines: u32,
    /// Bytes of all log lines; what goes beyond is dropped as well. Default: 1 MiB.
    pub log_bytes: u32,
    /// What a single call between plugin and host may carry, in bytes. Default: 64 MiB.
    pub hostcall_bytes: usize,
    /// Resources (credentials, streams, pollables) held at once; and requests handed over by `wasi:http`
    /// that aren't answered yet, at once. Default: 1,000.
    pub handles: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 512 << 20,
            table_elements: 36_000,
            instances: 100,
            cpu: Duration::from_secs(60),
            wall: Duration::from_secs(300),
            output_bytes: 1 << 20,
            log_lines: 10_000,
            log_bytes: 1 << 20,
            hostcall_bytes: 64 << 20,
            handles: 1_000,
        }
    }
}

impl Limits {
    /// The most that an engine is made for. What goes beyond may be refused by its pool, in words of its own.
    pub const MOST: Limits = Limits {
        memory_bytes: 4 << 30,
        table_elements: 100_000,
        instances: 1_000,
        cpu: Duration::MAX,
        wall: Duration::MAX,
        output_bytes: usize::MAX,
        log_lines: u32::MAX,
        log_bytes: u32::MAX,
        hostcall_bytes: usize::MAX,
        handles: 1_000_000,
    };
}

/// The limits whose breach ends an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// [`Limits::memory_bytes`].
    Memory,
    /// [`Limits::table_elements`].
    TableElements,
    /// [`Limits::instances`].
    Instances,
    /// [`Limits::cpu`].
    Cpu,
    /// [`Limits::wall`].
    Wall,
    /// [`Limits::output_bytes`].
    Output,
    /// [`Limits::hostcall_bytes`].
    HostCall,
    /// [`Limits::handles`].
    Handles,
    /// The stack: 1 MiB, for all plugins.
    Stack,
}

/// The limits whose breach doesn't end an attempt: what goes beyond is refused, or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quota {
    /// [`HttpLimits::requests`](crate::gate::HttpLimits::requests).
    Requests,
    /// [`HttpLimits::request_bytes`](crate::gate::HttpLimits::request_bytes).
    RequestBytes,
    /// [`HttpLimits::response_bytes`](crate::gate::HttpLimits::response_bytes).
    ResponseBytes,
    /// [`HttpLimits::traffic_bytes`](crate::gate::HttpLimits::traffic_bytes).
    Traffic,
    /// [`Limits::log_lines`].
    LogLines,
    /// [`Limits::log_bytes`].
    LogBytes,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Memory => "memory",
            Limit::TableElements => "table elements",
            Limit::Instances => "core instances",
            Limit::Cpu => "processor time",
            Limit::Wall => "time",
            Limit::Output => "output size",
            Limit::HostCall => "data of one host call",
            Limit::Handles => "open handles",
            Limit::Stack => "stack",
        })
    }
}

impl Limits {
    /// The breach of one of these limits, with the limit's value as people read it.
    pub(crate) fn breach(&self, limit: Limit) -> Breach {
        let value = match limit {
            Limit::Memory => bytes(self.memory_bytes as u64),
            Limit::TableElements => self.table_elements.to_string(),
            Limit::Instances => self.instances.to_string(),
            Limit::Cpu => format!("{:?}", self.cpu),
            Limit::Wall => format!("{:?}", self.wall),
            Limit::Output => bytes(self.output_bytes as u64),
            Limit::HostCall => bytes(self.hostcall_bytes as u64),
            Limit::Handles => self.handles.to_string(),
            Limit::Stack => bytes(crate::engine::WASM_STACK_BYTES as u64),
        };
        Breach { limit, value }
    }
}

/// A limit was reached. It travels as the cause of a trap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the limit of {value} for {limit} was reached")]
pub(crate) struct Breach {
    pub(crate) limit: Limit,
    pub(crate) value: String,
}

/// Counts what the instances of one store have taken.
#[derive(Debug)]
pub(crate) struct Usage {
    limits: Limits,
    memory: Memory,
    elements: usize,
}

impl Usage {
    pub(crate) fn new(limits: Limits) -> Self {
        Usage {
            limits,
            memory: Memory::new(limits),
            elements: 0,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }
}

/// A breach traps rather than letting `memory.grow` answer -1: most guests make nothing of that but
/// an abort that doesn't say why.
impl wasmtime::ResourceLimiter for Usage {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if maximum.is_some_and(|maximum| desired > maximum) && self.memory.has(more) {
            return Ok(false);
        }
        self.memory.take(more)?;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self
            .elements
            .saturating_add(desired.saturating_sub(current));
        if total > self.limits.table_elements {
            return Err(self.limits.breach(Limit::TableElements).into());
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }
}

/// A size as people read it: in the largest unit that divides it.
pub(crate) fn bytes(size: u64) -> String {
    match size {
        0 => "0 bytes".to_owned(),
        size if size.is_multiple_of(1 << 30) => format!("{} GiB", size >> 30),
        size if size.is_multiple_of(1 << 20) => format!("{} MiB", size >> 20),
        size if size.is_multiple_of(1 << 10) => format!("{} KiB", size >> 10),
        size => format!("{size} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::ResourceLimiter as _;

    use super::*;

    #[test]
    fn memory_is_counted_over_all_memories() {
        let mut usage = Usage::new(Limits {
            memory_bytes: 3 << 16,
            ..Limits::default()
        });
        assert!(usage.memory_growing(0, 2 << 16, None).unwrap());
        assert!(usage.memory_growing(0, 1 << 16, None).unwrap());
        let error = usage.memory_growing(1 << 16, 2 << 16, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the limit of 192 KiB for memory was reached"
        );
    }

    #[test]
    fn a_growth_beyond_the_memorys_own_maximum_is_refused_and_not_counted() {
        let mut usage = Usage::new(Limits {
            memory_bytes: 4 << 16,
            ..Limits::default()
        });
        assert!(!usage.memory_growing(0, 3 << 16, Some(2 << 16)).unwrap());
        assert!(usage.memory_growing(0, 4 << 16, None).unwrap());
    }

    #[test]
    fn a_breach_names_limit_and_value() {
        let limits = Limits {
            cpu: Duration::from_millis(1500),
            output_bytes: 1000,
            ..Limits::default()
        };
        assert_eq!(
            limits.breach(Limit::Cpu).to_string(),
            "the limit of 1.5s for processor time was reached"
        );
        assert_eq!(
            limits.breach(Limit::Output).to_string(),
            "the limit of 1000 bytes for output size was reached"
        );
    }
}
