use jiff::Timestamp;

use crate::RateLimit;

/// A bucket that fills with time.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: RateLimit,
    left: f64,
    filled: Timestamp,
}

impl Bucket {
    pub(super) fn new(limit: RateLimit, now: Timestamp) -> Bucket {
        Bucket {
            limit,
            left: f64::from(limit.burst),
            filled: now,
        }
    }

    /// Takes one request from the bucket; the status of the refusal if it is empty.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<u16> {
        let lapse = now.duration_since(self.filled).as_secs_f64().max(0.0);
        self.filled = now;
        self.left = (self.left + lapse * self.limit.per_second).min(f64::from(self.limit.burst));
        if self.left < 1.0 {
            return Some(self.limit.status);
        }
        self.left -= 1.0;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_second_is_one_a_second() {
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
        let mut bucket = Bucket::new(RateLimit::REAL, at(0));
        assert_eq!(bucket.take(at(0)), None);
        assert_eq!(bucket.take(at(900)), Some(420));
        assert_eq!(bucket.take(at(1_000)), None);
        assert_eq!(bucket.take(at(9_000)), None);
        assert_eq!(
            bucket.take(at(9_000)),
            Some(420),
            "no more than the burst is saved up"
        );
    }
}
