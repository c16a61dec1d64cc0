//! `wasi:random`: numbers that all attempts of a step draw alike, so that what an attempt asks for can
//! be compared with what an earlier one was answered.

use sha2::{Digest as _, Sha256};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

/// The most bytes that a guest gets at once.
const MOST_BYTES: u64 = 1 << 20;

/// SHA-256 of the seed and a counter. Whoever doesn't know the seed can't foresee it.
pub(crate) struct Dice {
    seed: [u8; 32],
    drawn: u64,
}

impl Dice {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Dice { seed, drawn: 0 }
    }

    fn block(&mut self) -> [u8; 32] {
        let block = Sha256::new()
            .chain_update(self.seed)
            .chain_update(self.drawn.to_le_bytes())
            .finalize();
        self.drawn += 1;
        block.into()
    }

    fn bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        if len > MOST_BYTES {
            wasmtime::bail!("{len} random bytes were asked for at once, of at most {MOST_BYTES}");
        }
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < len {
            bytes.extend_from_slice(&self.block());
        }
        bytes.truncate(usize::try_from(len)?);
        Ok(bytes)
    }

    fn number(&mut self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.block();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl random::Host for Dice {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.number())
    }
}

impl insecure::Host for Dice {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.number())
    }
}

impl insecure_seed::Host for Dice {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.number(), self.number()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_numbers_and_none_twice() {
        let draw = |seed| {
            let mut dice = Dice::new([seed; 32]);
            (dice.bytes(40).unwrap(), dice.number(), dice.number())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(1).0.len(), 40);
        assert_ne!(draw(1).1, draw(1).2);
    }

    #[test]
    fn nobody_gets_a_gigabyte() {
        assert!(Dice::new([0; 32]).bytes(1 << 30).is_err());
    }
}
