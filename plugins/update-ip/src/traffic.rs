//! Where Cloudflare sends the site's traffic.

pub(crate) mod dns_record;
pub(crate) mod load_balancer;
pub(crate) mod pool;

use sandbook_step::prelude::*;

/// What sends the traffic, before and after.
#[derive(Serialize, Debug, PartialEq)]
pub(crate) struct Switched {
    before: Value,
    after: Value,
}

impl Switched {
    fn unchanged(now: Value) -> Self {
        Switched {
            before: now.clone(),
            after: now,
        }
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.before != self.after
    }

    /// The same, if it is as it was meant to be.
    fn verified(self, wanted: &Value) -> Result<Self, Failure> {
        if self.after == *wanted {
            Ok(self)
        } else {
            Err(Failure::failed(format!(
                "what was written is not what there is: {} and not {wanted}",
                self.after
            ))
            .with_code("NotApplied"))
        }
    }
}
