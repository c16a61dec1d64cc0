//! Variations of a seed: what a fuzzer does first, the same each time.

/// An endless row of variations of some seeds. The same number makes the same row.
pub struct Variations<'a> {
    seeds: &'a [Vec<u8>],
    state: u64,
}

/// What readers of text trip over.
const TOKENS: [&str; 24] = [
    "${{",
    "}}",
    "..",
    "%2f",
    "%25",
    "%",
    "*",
    "**",
    "@",
    ":",
    "/",
    "\\",
    "\"",
    "\n",
    "- ",
    "&a ",
    "*a",
    "[",
    "{",
    "\u{0}",
    "ü",
    "\u{feff}",
    "18446744073709551616",
    "-1",
];

impl<'a> Variations<'a> {
    /// Variations of these seeds; none of no seeds.
    pub fn of(seeds: &'a [Vec<u8>], number: u64) -> Variations<'a> {
        Variations {
            seeds,
            state: number,
        }
    }

    /// A number below another one, by SplitMix64.
    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    /// A part of some bytes.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let longest = (length - start).min(64);
        start..start + self.below(longest + 1)
    }

    fn vary(&mut self, bytes: &mut Vec<u8>) {
        let part = self.part(bytes.len());
        match self.below(6) {
            0 => drop(bytes.drain(part)),
            1 => {
                let copied = bytes[part.clone()].to_vec();
                drop(bytes.splice(part.start..part.start, copied));
            }
            2 => {
                let token = TOKENS[self.below(TOKENS.len())];
                drop(bytes.splice(part.start..part.start, token.bytes()));
            }
            3 => {
                let token = TOKENS[self.below(TOKENS.len())];
                drop(bytes.splice(part, token.bytes()));
            }
            4 if !bytes.is_empty() => {
                let at = self.below(bytes.len());
                bytes[at] ^= 1 << self.below(8);
            }
            _ => {
                let other = self.below(self.seeds.len());
                let taken = self.part(self.seeds[other].len());
                let taken = self.seeds[other][taken].to_vec();
                drop(bytes.splice(part, taken));
            }
        }
    }
}

impl Iterator for Variations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let seed = self.below(self.seeds.len());
        let mut bytes = self.seeds.get(seed)?.clone();
        for _ in 0..=self.below(4) {
            self.vary(&mut bytes);
        }
        Some(bytes)
    }
}
