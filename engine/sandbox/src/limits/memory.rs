//! The memory of one attempt: the guest's own, and what the host keeps for it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{Breach, Limit, Limits};

/// Counts bytes against [`Limits::memory_bytes`]. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Memory(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    limits: Limits,
    taken: AtomicUsize,
}

/// Bytes that the host keeps for a guest: bodies and header fields. They are given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    memory: Memory,
    bytes: usize,
}

impl Memory {
    pub(crate) fn new(limits: Limits) -> Memory {
        Memory(Arc::new(Counted {
            limits,
            taken: AtomicUsize::new(0),
        }))
    }

    /// Takes so many bytes for good.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), Breach> {
        let Counted { limits, taken } = &*self.0;
        let more = |taken: usize| {
            let total = taken.checked_add(bytes)?;
            (total <= limits.memory_bytes).then_some(total)
        };
        taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .map(drop)
            .map_err(|_| limits.breach(Limit::Memory))
    }

    /// Whether so many bytes could be taken.
    pub(crate) fn has(&self, bytes: usize) -> bool {
        let Counted { limits, taken } = &*self.0;
        let total = taken.load(Ordering::Acquire).saturating_add(bytes);
        total <= limits.memory_bytes
    }

    /// Holds so many bytes for a while.
    pub(crate) fn hold(&self, bytes: usize) -> Result<Hold, Breach> {
        self.take(bytes)?;
        Ok(Hold {
            memory: self.clone(),
            bytes,
        })
    }
}

impl Hold {
    /// Holds more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Breach> {
        self.memory.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Hands over all that is held.
    pub(crate) fn hand_over(&mut self) -> Hold {
        Hold {
            memory: self.memory.clone(),
            bytes: std::mem::take(&mut self.bytes),
        }
    }

    /// Holds as much once more, for a copy.
    pub(crate) fn again(&self) -> Result<Hold, Breach> {
        self.memory.hold(self.bytes)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.memory.0.taken.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_counts_until_it_is_dropped() {
        let memory = Memory::new(Limits {
            memory_bytes: 10,
            ..Limits::default()
        });
        memory.take(4).unwrap();
        let mut hold = memory.hold(3).unwrap();
        hold.grow(2).unwrap();
        let breach = hold.grow(2).unwrap_err();
        assert_eq!(
            breach.to_string(),
            "the limit of 10 bytes for memory was reached"
        );
        assert!(memory.has(1) && !memory.has(2));
        assert!(hold.again().is_err());
        drop(hold);
        assert!(memory.has(6) && !memory.has(7));
    }
}
