//! Components that were cut, or changed at a few places: an error each time, or a component; never a crash.

use super::*;
use crate::sandbox::{Sandbox, Settings};

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
