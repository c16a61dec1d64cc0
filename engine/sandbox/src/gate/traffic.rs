//! How much the requests and answers of one attempt carry, all together.
//!
//! What changes something is kept until its step is over, since a later attempt may be answered with it. So it isn't
//! enough to bound each of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Headers;

pub(super) struct Traffic {
    left: AtomicUsize,
}

impl Traffic {
    /// So many bytes, of header fields and bodies.
    pub(super) fn new(most: usize) -> Traffic {
        Traffic {
            left: AtomicUsize::new(most),
        }
    }

    /// How much of it is left.
    pub(super) fn left(&self) -> usize {
        self.left.load(Ordering::Acquire)
    }

    /// Counts a request or an answer. Whether there was as much left; otherwise nothing is from now on.
    pub(super) fn carry(&self, headers: &Headers, body: &[u8]) -> bool {
        let fields = headers.iter().map(|(name, value)| name.len() + value.len());
        let bytes = fields.sum::<usize>() + body.len();
        // There is one request at a time in the gate, and so nobody else who counts.
        let left = self.left().checked_sub(bytes);
        self.left.store(left.unwrap_or(0), Ordering::Release);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_carried_counts() {
        let traffic = Traffic::new(10);
        let headers = vec![("a".to_owned(), "bc".to_owned())];
        assert!(traffic.carry(&headers, b"1234"));
        assert_eq!(traffic.left(), 3);
        assert!(!traffic.carry(&headers, b"5"));
        assert_eq!(traffic.left(), 0);
        assert!(!traffic.carry(&Vec::new(), b"6"));
        assert!(traffic.carry(&Vec::new(), b""));
    }
}
