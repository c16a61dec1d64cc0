//! Why an event of a step is refused, in the words of the step.

use super::Illegal;
use super::illegal::ExpectedAttempt;
use super::step::StepState;

impl StepState {
    pub(super) fn wrong_status(&self, wanted: &'static str) -> Illegal {
        Illegal::Status {
            step: self.id.clone(),
            status: self.status,
            wanted,
        }
    }

    pub(super) fn out_of_order(&self, found: u32) -> Illegal {
        let expected = if self.attempt_open {
            ExpectedAttempt::Open(self.attempt)
        } else {
            ExpectedAttempt::Next(self.attempt + 1)
        };
        Illegal::Attempt {
            step: self.id.clone(),
            found,
            expected,
        }
    }

    pub(super) fn wrong_request(&self, request: u32, why: &'static str) -> Illegal {
        Illegal::Request {
            step: self.id.clone(),
            request,
            why,
        }
    }

    pub(super) fn in_doubt(&self, wanted: &'static str, request: u32) -> Illegal {
        Illegal::InDoubt {
            step: self.id.clone(),
            request,
            wanted,
        }
    }
}
