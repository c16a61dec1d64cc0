//! How much the requests and answers of one attempt carry, all together.
//!
//! What changes something is kept until its step is over, since a later attempt may be answered with it. So it isn't
//! enough to bound each of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Headers, HttpError};

pub(super) struct Traffic {
    most: usize,
    left: AtomicUsize,
}

impl Traffic {
    /// So many bytes, of header fields and bodies.
    pub(super) fn new(most: usize) -> Traffic {
        Traffic {
            most,
            left: AtomicUsize::new(most),
        }
    }

    /// How much of it is left.
    pub(super) fn left(&self) -> usize {
        self.left.load(Ordering::Acquire)
    }

    /// Counts a request or an answer; what is more than what is left takes all of it.
    ///
    /// # Errors
    ///
    /// It is more.
    pub(super) fn carry(&self, headers: &Headers, body: &[u8]) -> Result<(), HttpError> {
        let fields = headers.iter().map(|(name, value)| name.len() + value.len());
        let bytes = fields.sum::<usize>() + body.len();
        // There is one request at a time in the gate, and so nobody else who counts.
        let left = self.left().checked_sub(bytes);
        self.left.store(left.unwrap_or(0), Ordering::Release);
        left.map(|_| ()).ok_or_else(|| {
            HttpError::TooLarge(format!(
                "an attempt's requests and answers may carry {} bytes together: `limits.traffic` of the step says how many",
                self.most
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_carried_counts() {
        let traffic = Traffic::new(10);
        let headers = vec![("a".to_owned(), "bc".to_owned())];
        assert_eq!(traffic.carry(&headers, b"1234"), Ok(()));
        assert_eq!(traffic.left(), 3);
        let refused = traffic.carry(&headers, b"5").unwrap_err();
        assert!(refused.reason().contains("`limits.traffic`"), "{refused}");
        assert_eq!(traffic.left(), 0);
        assert!(traffic.carry(&Vec::new(), b"6").is_err());
        assert_eq!(traffic.carry(&Vec::new(), b""), Ok(()));
    }
}
