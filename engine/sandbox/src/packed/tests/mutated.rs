//! Components that were cut, or changed at a few places: an error each time, or a component; never a crash.

use super::*;
use crate::{
    limits::Limits,
    plugin::tests::Bench,
    sandbox::{Sandbox, Settings},
};

/// Numbers that are the same each time (xorshift).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }

    /// The bytes with a few of them changed, cut out, doubled or cut off.
    fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            if bytes.is_empty() {
                break;
            }
            let at = self.below(bytes.len());
            let until = (at + 1 + self.below(16)).min(bytes.len());
            match self.below(6) {
                0 | 1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                3 => drop(bytes.drain(at..until)),
                4 => {
                    let piece = bytes[at..until].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => bytes.truncate(at.max(1)),
            }
        }
        bytes
    }
}

fn whole() -> Vec<u8> {
    pack(&sample::component("(call $sleep (i64.const 0))"), b"{}").unwrap()
}

#[test]
fn thousands_of_changed_components_are_read_or_refused() {
    let whole = whole();
    let mut seeded = Seeded(0x5eed);
    let mut read = 0;
    for _ in 0..5_000 {
        read += usize::from(Packed::read(seeded.mutate(&whole)).is_ok());
    }
    assert!((1..5_000).contains(&read), "{read} were read");
}

#[test]
fn a_component_that_is_cut_anywhere_is_refused() {
    let whole = whole();
    for length in 0..whole.len() {
        // Without its last section, which is the manifest, it lacks that.
        assert!(Packed::read(whole[..length].to_vec()).is_err(), "{length}");
    }
}

#[test]
fn changed_components_are_compiled_and_linked_or_refused() {
    let whole = whole();
    let sandbox = Sandbox::new(&Settings::default()).unwrap();
    let mut seeded = Seeded(0xb17);
    let (mut tried, mut refused) = (0, 0);
    while tried < 40 {
        let Ok(packed) = Packed::read(seeded.mutate(&whole)) else {
            continue;
        };
        tried += 1;
        refused += usize::from(sandbox.load(&packed).is_err());
    }
    assert!((1..40).contains(&refused), "{refused} were refused");
    let packed = Packed::read(whole).unwrap();
    sandbox.load(&packed).unwrap();
}

/// Code that isn't what its author wrote does what it may, within its limits.
#[test]
fn changed_components_that_still_load_run_within_their_limits() {
    let code = "(local.set $a (i32.const 9))
        (loop
            (call $log (i32.const 1) (i32.const 4096) (i32.const 22))
            (i64.store (i32.const 8192) (call $random))
            (call $delete)
            (drop (memory.grow (i32.const 1)))
            (br_if 0 (local.tee $a (i32.sub (local.get $a) (i32.const 1)))))";
    let whole = pack(&sample::component(code), b"{}").unwrap();
    let sandbox = Sandbox::new(&Settings::default()).unwrap();
    let limits = Limits {
        memory_bytes: 4 << 20,
        cpu: std::time::Duration::from_millis(50),
        wall: std::time::Duration::from_secs(5),
        ..Limits::default()
    };
    let mut seeded = Seeded(0xdead);
    let (mut loaded, mut differed) = (0, 0);
    while loaded < 300 {
        let Ok(packed) = Packed::read(seeded.mutate(&whole)) else {
            continue;
        };
        let Ok(plugin) = sandbox.load(&packed) else {
            continue;
        };
        loaded += 1;
        differed += usize::from(!Bench::new(plugin).limits(limits).is_well());
    }
    assert!((1..300).contains(&differed), "{differed} of 300 differed");
    let packed = Packed::read(whole).unwrap();
    let innocent = Bench::new(sandbox.load(&packed).unwrap());
    assert_eq!(innocent.succeeds().summary, "all well");
}
