//! Events and places for the tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Clock;
use crate::digest::Digest;
use crate::event::{
    Asked, Decision, Event, Failure, FailureKind, FinalStatus, LogLevel, Operator, Outcome,
    ROLLBACK, RunStarted, RunbookFacts, Sections, Standing, StepId, Values, Waiting,
};
use crate::journal::Journal;
use crate::run_id::RunId;
use crate::state_dir::StateDir;

/// A state directory, and a clock that tells 1, 2, 3 and so on.
pub(crate) struct Place {
    pub(crate) state: StateDir,
    clock: Arc<Ticks>,
    _above: tempfile::TempDir,
}

#[derive(Default)]
struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn now(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Place {
    pub(crate) fn new() -> Place {
        let above = tempfile::tempdir().unwrap();
        let state = StateDir::open(&above.path().join("state")).unwrap();
        Place {
            state,
            clock: Arc::default(),
            _above: above,
        }
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::open(&self.state, Arc::clone(&self.clock) as Arc<dyn Clock>).unwrap()
    }

    /// The database as somebody else sees it.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.state.journal_path()).unwrap()
    }
}

pub(crate) fn id(text: &str) -> RunId {
    text.parse().unwrap()
}

pub(crate) fn started(steps: &[&str]) -> Event {
    started_with(steps, |_| {})
}

pub(crate) fn started_with(steps: &[&str], change: impl FnOnce(&mut RunStarted)) -> Event {
    let steps = steps.iter().map(|&step| step.into()).collect();
    let mut facts = RunStarted {
        runbook: RunbookFacts {
            name: "r".into(),
            digest: Digest::of(b"r"),
            file: "r.yaml".into(),
            git: None,
        },
        environment: None,
        inputs: Values::new(),
        plugins: BTreeMap::new(),
        operator: operator(),
        host: "here".into(),
        engine: "0.1.0".into(),
        dry_run: false,
        seed: None,
        group: None,
        sections: Sections {
            steps,
            ..Sections::default()
        },
    };
    change(&mut facts);
    Event::RunStarted(Box::new(facts))
}

pub(crate) fn operator() -> Operator {
    Operator {
        uid: 1000,
        name: "ann".into(),
    }
}

pub(crate) fn resumed() -> Event {
    Event::RunResumed {
        operator: operator(),
        host: "here".into(),
        engine: "0.1.0".into(),
        environment: None,
    }
}

pub(crate) fn noted(text: &str) -> Event {
    Event::Noted {
        by: operator(),
        text: text.into(),
    }
}

pub(crate) fn step_started(step: &str, attempt: u32) -> Event {
    Event::StepStarted {
        step: step.into(),
        attempt,
    }
}

pub(crate) fn logged(step: &str, message: &str) -> Event {
    Event::Logged {
        step: step.into(),
        attempt: 1,
        level: LogLevel::Info,
        message: message.into(),
    }
}

pub(crate) fn asked(repeatable: bool) -> Asked {
    Asked {
        method: "POST".into(),
        url: "https://example.com/".into(),
        slot: None,
        credential: None,
        body: None,
        repeatable,
    }
}

pub(crate) fn begun(step: &str, attempt: u32, request: u32, repeatable: bool) -> Event {
    Event::RequestBegun {
        step: step.into(),
        attempt,
        request,
        asked: asked(repeatable),
    }
}

pub(crate) fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        body: None,
        headers: None,
        retry_after_ms: None,
    }
}

pub(crate) fn unknown() -> Outcome {
    Outcome::Unknown {
        why: "reset".into(),
    }
}

pub(crate) fn ended(step: &str, attempt: u32, request: u32, outcome: Outcome) -> Event {
    Event::RequestEnded {
        step: step.into(),
        attempt,
        request,
        outcome,
        took_ms: 5,
    }
}

pub(crate) fn failure() -> Failure {
    Failure {
        kind: FailureKind::Unavailable,
        code: None,
        message: "down".into(),
        retry_after_ms: None,
        start_over: false,
    }
}

pub(crate) fn attempt_failed(step: &str, attempt: u32) -> Event {
    Event::AttemptFailed {
        step: step.into(),
        attempt,
        failure: failure(),
        retry_at: 99,
    }
}

pub(crate) fn step_succeeded(step: &str, attempt: u32) -> Event {
    Event::StepSucceeded {
        step: step.into(),
        attempt,
        outputs: Values::new(),
        changed: false,
        summary: None,
        unknown: false,
    }
}

pub(crate) fn step_failed(
    step: &str,
    attempt: u32,
    in_doubt: Option<u32>,
    let_pass: bool,
) -> Event {
    Event::StepFailed {
        step: step.into(),
        attempt,
        failure: failure(),
        in_doubt,
        let_pass,
    }
}

pub(crate) fn finished(status: FinalStatus) -> Event {
    Event::RunFinished {
        status,
        failed_step: None,
        error: None,
        outputs: Values::new(),
        passed_failures: Vec::new(),
    }
}

/// The start of a run whose first step can be undone.
pub(crate) fn undoable(steps: &[&str]) -> Event {
    let rollback = format!("{}{ROLLBACK}", steps[0]);
    started_with(steps, |facts| {
        facts.sections.rollbacks.push(StepId::new(rollback));
    })
}

pub(crate) fn step_waiting(step: &str, attempt: u32, waiting: Waiting) -> Event {
    Event::StepWaiting {
        step: step.into(),
        attempt,
        waiting,
        failure: None,
        let_go: false,
    }
}

/// A question for so many people; `change` sees to who may answer it.
pub(crate) fn approval(min: u32, change: impl FnOnce(&mut Approval)) -> Waiting {
    let mut approval = Approval {
        approvers: Vec::new(),
        allow_self: true,
        expires_at: None,
    };
    change(&mut approval);
    Waiting::Approval {
        message: "go on?".into(),
        min,
        approvers: approval.approvers,
        allow_self: approval.allow_self,
        expires_at: approval.expires_at,
    }
}

pub(crate) struct Approval {
    pub(crate) approvers: Vec<String>,
    pub(crate) allow_self: bool,
    pub(crate) expires_at: Option<u64>,
}

pub(crate) fn decided(step: &str, decision: Decision) -> Event {
    decided_by(step, decision, "ann", Some("because"))
}

/// A decision of somebody with this name, of whom the letters make the number.
pub(crate) fn decided_by(step: &str, decision: Decision, who: &str, why: Option<&str>) -> Event {
    let uid = if who == "ann" {
        operator().uid
    } else {
        who.bytes().map(u32::from).sum()
    };
    Event::Decided {
        step: step.into(),
        attempt: 1,
        by: Operator {
            uid,
            name: who.into(),
        },
        decision,
        reason: why.map(str::to_owned),
    }
}

pub(crate) fn run_waiting() -> Event {
    Event::RunWaiting {
        status: Standing::Waiting,
    }
}

pub(crate) fn cancel_requested(rollback: bool) -> Event {
    Event::CancelRequested {
        by: operator(),
        reason: "enough".into(),
        rollback,
    }
}
