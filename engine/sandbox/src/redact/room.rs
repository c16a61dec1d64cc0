//! How much of what is sensitive a run can hide.

/// The most sensitive texts of a run.
pub const MOST_SENSITIVE: usize = 2_000;

/// The longest of them, in bytes; as long as the longest secret.
pub const LONGEST_SENSITIVE: usize = crate::secret::LONGEST;

/// All of them together, in bytes. What is looked for takes some sixty times that much memory at most.
pub const SENSITIVE_BYTES: usize = 1 << 20;

/// Why sensitive values can't be hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// Some are too long.
    #[error("a run can hide sensitive texts of up to 64 KiB, and {0} of these are longer")]
    Long(usize),
    /// There are too many.
    #[error(
        "a run can hide no more than {MOST_SENSITIVE} sensitive texts, and with these there are {0} too many"
    )]
    Many(usize),
    /// Together they are too large.
    #[error("a run can hide 1 MiB of sensitive texts, and {0} of these have no room any more")]
    Large(usize),
}

/// What is taken of it.
#[derive(Clone, Copy, Default)]
pub(super) struct Used {
    number: usize,
    bytes: usize,
}

impl Used {
    pub(super) fn add(&mut self, text: &str) {
        self.number += 1;
        self.bytes += text.len();
    }

    /// Whether there is room for these texts too.
    pub(super) fn room_for<'a>(
        mut self,
        texts: impl Iterator<Item = &'a str>,
    ) -> Result<(), NoRoom> {
        let (mut number, mut long, mut large) = (0, 0, 0);
        for text in texts {
            self.add(text);
            number += 1;
            long += usize::from(text.len() > LONGEST_SENSITIVE);
            large += usize::from(self.bytes > SENSITIVE_BYTES);
        }
        let many = self.number.saturating_sub(MOST_SENSITIVE).min(number);
        match (long, many, large) {
            (0, 0, 0) => Ok(()),
            (0, 0, large) => Err(NoRoom::Large(large)),
            (0, many, _) => Err(NoRoom::Many(many)),
            (long, ..) => Err(NoRoom::Long(long)),
        }
    }
}
