//! Why an event can't be the next one of a log.

use super::StepStatus;
use crate::event::StepId;

/// An event that may not follow what is in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The log is empty, and the event isn't the run's start.
    #[error("the run has not started")]
    NotStarted,
    /// A second start.
    #[error("the run has started already")]
    StartedTwice,
    /// Two steps with one id.
    #[error("step `{step}` is listed twice")]
    StepTwice {
        /// The id.
        step: StepId,
    },
    /// Anything but a note after the end.
    #[error("the run is finished: only notes may follow")]
    Finished,
    /// Anything but a note or a resumption after an interruption.
    #[error("the run is interrupted: it has to be resumed first")]
    Interrupted,
    /// Anything but a note, a decision or a resumption while nothing but people is waited for.
    #[error("the run waits for a person: it has to be resumed first")]
    Waiting,
    /// It can't be said to wait: for nobody, or a decision has not been acted on.
    #[error("there is something to do in the run, so it doesn't wait")]
    NotWaiting,
    /// A second cancellation.
    #[error("the run is being cancelled already")]
    CancelledTwice,
    /// What isn't finished is not undone.
    #[error("the run isn't finished: cancel it, and let that undo what it did")]
    Unfinishable,
    /// No step that has changed something says how that is undone.
    #[error("there is nothing to undo: no step that changed something has a `rollback`")]
    NothingToUndo,
    /// A rollback that the run doesn't undo with.
    #[error("step `{step}` isn't among what is being undone")]
    NotUndone {
        /// The rollback.
        step: StepId,
    },
    /// The undoing has begun already.
    #[error("what was done was undone already, as far as that went")]
    UndoneTwice,
    /// A second decision about the same thing.
    #[error("step `{step}` was decided already: {by} said `{decision}`")]
    DecidedAlready {
        /// The step.
        step: StepId,
        /// Who decided.
        by: String,
        /// What.
        decision: &'static str,
    },
    /// A decision that the step doesn't wait for.
    #[error("step `{step}` waits ({waiting}), and `{decision}` doesn't fit: say {}", fits.join(" or "))]
    Unfit {
        /// The step.
        step: StepId,
        /// What it waits for.
        waiting: &'static str,
        /// The decision.
        decision: &'static str,
        /// Those that fit.
        fits: &'static [&'static str],
    },
    /// A decision about an attempt that isn't the latest any more.
    #[error(
        "that was decided about attempt {attempt} of step `{step}`, which is at attempt {latest} by now: look again"
    )]
    Stale {
        /// The step.
        step: StepId,
        /// The attempt that the decision is about.
        attempt: u32,
        /// The latest one.
        latest: u32,
    },
    /// Nobody is asked any more.
    #[error("the run is being cancelled, so nobody is asked about step `{step}` any more")]
    AskedNoMore {
        /// The step.
        step: StepId,
    },
    /// A decision without a reason.
    #[error("`{decision}` needs a reason on record: give it with `--reason TEXT`")]
    NoReason {
        /// The decision.
        decision: &'static str,
    },
    /// The time in which it could be approved is over.
    #[error(
        "the time in which step `{step}` could be approved is over: resume the run, and it is rejected"
    )]
    Expired {
        /// The step.
        step: StepId,
    },
    /// Only some people may approve.
    #[error("`{name}` may not decide about step `{step}`: {} may", approvers.join(", "))]
    NotAnApprover {
        /// The step.
        step: StepId,
        /// Who wanted to.
        name: String,
        /// Who may.
        approvers: Vec<String>,
    },
    /// Who started the run may not approve.
    #[error("step `{step}` is to be approved by somebody else than who started the run")]
    OwnRun {
        /// The step.
        step: StepId,
    },
    /// One person counts once.
    #[error("`{name}` has approved step `{step}` already: another person has to")]
    ApprovedTwice {
        /// The step.
        step: StepId,
        /// Who.
        name: String,
    },
    /// The run has no such step.
    #[error("the run has no step `{step}`")]
    UnknownStep {
        /// The id.
        step: StepId,
    },
    /// The step stands otherwise than the event needs.
    #[error("step `{step}` is {status}, so it can't be {wanted}")]
    Status {
        /// The step.
        step: StepId,
        /// How it stands.
        status: StepStatus,
        /// What the event would do with it.
        wanted: &'static str,
    },
    /// An attempt that isn't the step's open one, or not the next one.
    #[error("attempt {found} of step `{step}` is out of order: {expected}")]
    Attempt {
        /// The step.
        step: StepId,
        /// The event's attempt.
        found: u32,
        /// Which attempt could come.
        expected: ExpectedAttempt,
    },
    /// A request that can't be begun, ended or told of now.
    #[error("request {request} of step `{step}` {why}")]
    Request {
        /// The step.
        step: StepId,
        /// The request.
        request: u32,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It would go over a request whose outcome is unknown and that isn't safe to repeat.
    #[error("step `{step}` can't be {wanted}: request {request} of it is in doubt")]
    InDoubt {
        /// The step.
        step: StepId,
        /// The request.
        request: u32,
        /// What the event would do with the step.
        wanted: &'static str,
    },
    /// Something that only a dry run does, or that a dry run never does.
    #[error("{what} can't happen in a {run}", run = if *.dry_run { "dry run" } else { "run that is not dry" })]
    DryRun {
        /// What.
        what: &'static str,
        /// Whether the run is dry.
        dry_run: bool,
    },
    /// The run is said to be over, and a step is not.
    #[error("the run can't be finished: step `{step}` is {status}")]
    Unfinished {
        /// The step.
        step: StepId,
        /// How it stands.
        status: StepStatus,
    },
    /// The run's end names a step as failed that isn't.
    #[error("step `{step}` is {status}, not failed")]
    NotFailed {
        /// The step.
        step: StepId,
        /// How it stands.
        status: StepStatus,
    },
}

/// Which attempt of a step could come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedAttempt {
    /// None: an attempt is open.
    Open(u32),
    /// The next one.
    Next(u32),
}

impl std::fmt::Display for ExpectedAttempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExpectedAttempt::Open(attempt) => write!(f, "attempt {attempt} is open"),
            ExpectedAttempt::Next(attempt) => write!(f, "attempt {attempt} is next"),
        }
    }
}
