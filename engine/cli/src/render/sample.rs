//! Logs for the tests of this folder.

use std::collections::BTreeMap;

use sandbook_journal::{
    Asked, Digest, EnvironmentFacts, Event, Failure, FailureKind, FinalStatus, Operator, Outcome,
    RunId, RunStarted, RunState, RunbookFacts, Sections, StepId, Stored, Values,
};

/// The beginning of a run of these steps, in an environment that reroutes.
pub(super) fn started(steps: &[&str], dry_run: bool) -> Event {
    let digest = Digest::of(b"");
    Event::RunStarted(Box::new(RunStarted {
        runbook: RunbookFacts {
            name: "restore".to_owned(),
            digest,
            file: "restore.yaml".to_owned(),
            git: None,
        },
        environment: Some(EnvironmentFacts {
            name: "demo".to_owned(),
            digest,
            rehearsal: true,
        }),
        inputs: Values::new(),
        plugins: BTreeMap::new(),
        operator: Operator {
            uid: 1000,
            name: "ana".to_owned(),
        },
        host: "ops".to_owned(),
        engine: "0.1.0".to_owned(),
        dry_run,
        seed: None,
        group: None,
        sections: Sections {
            steps: steps.iter().map(|&id| StepId::new(id)).collect(),
            ..Sections::default()
        },
    }))
}

pub(super) fn begun(step: &str) -> Event {
    Event::StepStarted {
        step: step.into(),
        attempt: 1,
    }
}

pub(super) fn asked(method: &str) -> Asked {
    Asked {
        method: method.to_owned(),
        url: "https://api.example/x".to_owned(),
        slot: None,
        credential: Some("azure".to_owned()),
        body: None,
        repeatable: false,
    }
}

/// A request that may change something, and its answer.
pub(super) fn sent(step: &str, request: u32, status: u16) -> [Event; 2] {
    let step = StepId::new(step);
    let outcome = Outcome::Answered {
        status,
        body: None,
        headers: None,
        retry_after_ms: None,
    };
    let asked = asked("POST");
    [
        Event::RequestBegun {
            step: step.clone(),
            attempt: 1,
            request,
            asked,
        },
        Event::RequestEnded {
            step,
            attempt: 1,
            request,
            outcome,
            took_ms: 30,
        },
    ]
}

pub(super) fn done(step: &str, changed: bool, summary: &str) -> Event {
    Event::StepSucceeded {
        step: step.into(),
        attempt: 1,
        outputs: Values::new(),
        changed,
        summary: Some(summary.to_owned()).filter(|summary| !summary.is_empty()),
        unknown: false,
    }
}

pub(super) fn broke(step: &str, let_pass: bool) -> Event {
    let message = "the service\nsaid \x1bno".to_owned();
    let failure = Failure {
        kind: FailureKind::Conflict,
        code: None,
        message,
        retry_after_ms: None,
        start_over: false,
    };
    Event::StepFailed {
        step: step.into(),
        attempt: 1,
        failure,
        in_doubt: None,
        let_pass,
    }
}

pub(super) fn finished(status: FinalStatus, error: Option<&str>, passed: &[&str]) -> Event {
    Event::RunFinished {
        status,
        failed_step: None,
        error: error.map(str::to_owned),
        outputs: Values::new(),
        passed_failures: passed.iter().map(|&id| StepId::new(id)).collect(),
    }
}

/// The log of these events, a second apart, and what it comes to.
pub(super) fn log(events: impl IntoIterator<Item = Event>) -> (Vec<Stored>, RunState) {
    let run: RunId = "0123456789ab".parse().unwrap();
    let mut state = RunState::default();
    let mut log = Vec::new();
    for (seq, event) in (1..).zip(events) {
        let time = seq * 1000;
        state.apply(&event, time).unwrap();
        log.push(Stored {
            run,
            seq,
            time,
            event,
            hash: Digest::of(b""),
            version: 1,
            body: String::new(),
        });
    }
    (log, state)
}
