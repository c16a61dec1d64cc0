//! The fold of what a step waits for: who has said what, and what that comes to.

use super::Illegal;
use super::request::Settled;
use super::step::StepState;
use crate::event::{Decision, Operator, StepId, Waiting};

/// What a step waits for a person to say, and what was said. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What it waits for.
    pub waiting: Waiting,
    /// Since when.
    pub since: u64,
    /// The steps that need it don't wait for the person.
    pub let_go: bool,
    /// Who has approved so far.
    pub approvals: Vec<Decided>,
    /// The decision that the step goes on by, once there is one.
    pub decided: Option<Decided>,
    /// It was given up, since the run was cancelled.
    pub given_up: bool,
}

/// A decision that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// By whom.
    pub by: Operator,
    /// What.
    pub decision: Decision,
    /// Why.
    pub reason: Option<String>,
    /// When, in milliseconds since the epoch.
    pub at: u64,
}

impl Question {
    pub(super) fn new(waiting: Waiting, since: u64, let_go: bool) -> Question {
        Question {
            waiting,
            since,
            let_go,
            approvals: Vec::new(),
            decided: None,
            given_up: false,
        }
    }

    /// Whether the time in which it could be approved is over.
    #[must_use]
    pub fn is_expired(&self, now: u64) -> bool {
        matches!(self.waiting, Waiting::Approval { expires_at: Some(at), .. } if at <= now)
    }

    /// Whether there is such a time. When it is over is what a clock says, which may be set back later.
    pub(super) fn can_expire(&self) -> bool {
        matches!(
            self.waiting,
            Waiting::Approval {
                expires_at: Some(_),
                ..
            }
        )
    }

    /// Whether nothing was done yet of what it is about.
    pub(super) fn is_before_the_work(&self) -> bool {
        matches!(
            self.waiting,
            Waiting::Approval { .. } | Waiting::Manual { .. }
        )
    }

    /// Whether it is about a request in doubt.
    #[must_use]
    pub fn is_doubt(&self) -> bool {
        matches!(self.waiting, Waiting::InDoubt { .. })
    }

    /// Whether it was decided so that the step is tried again.
    #[must_use]
    pub fn is_retry(&self) -> bool {
        self.has(|decision| matches!(decision, Decision::Retry { .. } | Decision::Happened { .. }))
    }

    /// Whether it was decided, in such a way.
    pub(super) fn has(&self, is_such: impl FnOnce(&Decision) -> bool) -> bool {
        self.decided
            .as_ref()
            .is_some_and(|decided| is_such(&decided.decision))
    }

    /// Why a decision can't be taken, if it can't.
    fn refuse(&self, step: &StepId, said: &Decided, starter: &Operator) -> Result<(), Illegal> {
        let step = || step.clone();
        let decision = said.decision.as_str();
        if let Some(first) = &self.decided {
            return Err(Illegal::DecidedAlready {
                step: step(),
                by: first.by.name.clone(),
                decision: first.decision.as_str(),
            });
        }
        if self.given_up {
            return Err(Illegal::AskedNoMore { step: step() });
        }
        let fits = self.waiting.decisions();
        if !fits.contains(&decision) {
            return Err(Illegal::Unfit {
                step: step(),
                waiting: self.waiting.as_str(),
                decision,
                fits,
            });
        }
        let said_why = said
            .reason
            .as_ref()
            .is_some_and(|why| !why.trim().is_empty());
        if said.decision.needs_reason() && !said_why {
            return Err(Illegal::NoReason { decision });
        }
        match (&self.waiting, &said.decision) {
            (
                Waiting::Approval {
                    approvers,
                    allow_self,
                    ..
                },
                _,
            ) => {
                if self.is_expired(said.at) {
                    return Err(Illegal::Expired { step: step() });
                }
                let name = &said.by.name;
                if !approvers.is_empty() && !approvers.contains(name) {
                    return Err(Illegal::NotAnApprover {
                        step: step(),
                        name: name.clone(),
                        approvers: approvers.clone(),
                    });
                }
                let approves = said.decision == Decision::Approve;
                if approves && !allow_self && said.by.uid == starter.uid {
                    return Err(Illegal::OwnRun { step: step() });
                }
                let same = |before: &Decided| before.by.uid == said.by.uid;
                if approves && self.approvals.iter().any(same) {
                    return Err(Illegal::ApprovedTwice {
                        step: step(),
                        name: name.clone(),
                    });
                }
                Ok(())
            }
            (_, Decision::Happened { answer, request }) if !answer.is_success() => {
                Err(Illegal::Request {
                    step: step(),
                    request: *request,
                    why: "can't have happened with an answer that isn't a success",
                })
            }
            (waiting, decision) => match (in_doubt(waiting), named(decision)) {
                (asked, named) if asked == named => Ok(()),
                // These say what they say of all that is in doubt.
                (Some(_), None) if matches!(decision, Decision::Done { .. } | Decision::Abort) => {
                    Ok(())
                }
                (_, named) => Err(Illegal::Request {
                    step: step(),
                    request: named.unwrap_or_default(),
                    why: "is not the one in doubt",
                }),
            },
        }
    }
}

/// The request that is asked about.
fn in_doubt(waiting: &Waiting) -> Option<u32> {
    match waiting {
        Waiting::InDoubt { request } => Some(*request),
        _ => None,
    }
}

/// The request that a decision says something about.
fn named(decision: &Decision) -> Option<u32> {
    match decision {
        Decision::Happened { request, .. } => Some(*request),
        Decision::Retry { request, .. } => *request,
        _ => None,
    }
}

impl StepState {
    /// Takes a person's decision. What comes of it is an event of its own, but for a doubt that is out of the way.
    pub(super) fn decide(
        &mut self,
        attempt: u32,
        said: Decided,
        starter: &Operator,
    ) -> Result<(), Illegal> {
        let Some(question) = &self.question else {
            return Err(self.wrong_status("decided about"));
        };
        if attempt != self.attempt {
            return Err(Illegal::Stale {
                step: self.id.clone(),
                attempt,
                latest: self.attempt,
            });
        }
        question.refuse(&self.id, &said, starter)?;
        if let Waiting::InDoubt { request } = question.waiting {
            self.settle(request, &said.decision);
        }
        let next_doubt = self.doubt().map(|doubt| doubt.number);
        let question = self
            .question
            .as_mut()
            .expect("invariant: it was there just now");
        match (&said.decision, &question.waiting) {
            (Decision::Approve, Waiting::Approval { min, .. }) => {
                question.approvals.push(said.clone());
                if question.approvals.len() >= *min as usize {
                    question.decided = Some(said);
                }
            }
            (Decision::Retry { .. } | Decision::Happened { .. }, _) => {
                // What a person lets it try again has all of its attempts.
                self.failed_attempts = 0;
                match next_doubt {
                    Some(request) => question.waiting = Waiting::InDoubt { request },
                    None => question.decided = Some(said),
                }
            }
            _ => question.decided = Some(said),
        }
        Ok(())
    }

    /// What a decision says about the request in doubt; done by hand, it says it of all of them.
    fn settle(&mut self, number: u32, decision: &Decision) {
        let all = matches!(decision, Decision::Done { .. });
        let settled = match decision {
            Decision::Happened { answer, .. } => Settled::Happened(answer.clone()),
            Decision::Retry { .. } => Settled::NotHappened,
            Decision::Done { .. } => Settled::Done,
            // Where it is given up, the doubt stays.
            _ => return,
        };
        let from = self.attempt_from;
        for request in &mut self.requests[from..] {
            if request.number == number || (all && request.is_in_doubt()) {
                request.settled = Some(settled.clone());
            }
        }
    }
}
