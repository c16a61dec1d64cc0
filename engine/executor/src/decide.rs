//! What people say about a run: decisions about steps that wait, and that it is to be cancelled or undone.

use std::thread::sleep;
use std::time::{Duration, Instant};

use sandbook_journal::{
    self as journal, Content, Decision, Entry, Event, JournalError, Operator, Recorded, Retention,
    RunId, RunState, RunStatus, StateKey, StepState, Waiting,
};
use sandbook_runbook::{Action, Behavior, Manual, Runbook, Source, Step, Use};
use serde_json::{Map, Value};

use crate::component::Component;
use crate::draft::all_steps;
use crate::engine::Engine;
use crate::facts;
use crate::failed::Failed;
use crate::project::parse_runbook;
use crate::refused::Refused;
use crate::start_error::StartError;
use crate::turn::Turn;

/// How long a process that has nothing left to do may take to leave its run.
const LEAVING: Duration = Duration::from_secs(5);

/// What a person says about a step that waits.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// It may be gone on.
    Approve,
    /// It may not.
    Reject,
    /// The request in doubt has happened, with this answer; without one, the step goes on from an empty one with
    /// status 200.
    Happened(Option<Answer>),
    /// It is tried again; a request in doubt has not happened.
    Retry {
        /// What was answered in earlier attempts is asked for again.
        fresh: bool,
    },
    /// It isn't needed.
    Skip,
    /// It was done by hand, and this is what it would have put out.
    Done(Map<String, Value>),
    /// It has failed.
    Abort,
}

/// What a decision is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The step; without it, the only one that waits.
    pub step: Option<&'a str>,
    /// The attempt that was looked at: where there was another one since, the decision isn't taken.
    pub attempt: Option<u32>,
    /// The question that was looked at: where it is another one by now, the decision isn't taken.
    pub question: Option<&'a Waiting>,
}

impl About<'_> {
    fn refuse_other(&self, step: &StepState) -> Result<(), Refused> {
        let asked = step.question.as_ref().map(|question| &question.waiting);
        let same_attempt = self.attempt.is_none_or(|attempt| attempt == step.attempt);
        let same_question = self.question.is_none() || self.question == asked;
        if same_attempt && same_question {
            return Ok(());
        }
        let message = format!("step `{}` isn't what you looked at any more", step.id);
        Err(Refused::because(message).help("look again before you decide: `sandbook show RUN`"))
    }
}

/// What a service has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status, a success.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Engine {
    /// Puts a decision on record; what comes of it is the matter of whoever has the run, or takes it up. Without
    /// a step, it is about the only one that waits. Returns the step.
    ///
    /// # Errors
    ///
    /// The decision doesn't fit: nothing is on record then. Or the engine failed.
    pub async fn decide(
        &self,
        run: RunId,
        about: About<'_>,
        choice: Choice,
        reason: Option<String>,
        by: Operator,
    ) -> Result<journal::StepId, StartError> {
        let failed = |error: journal::ReadError| Failed::State(error.into());
        let reader = self.reader()?;
        let (state, key) = (
            reader.state(run).map_err(failed)?,
            reader.key_of(run).map_err(failed)?,
        );
        let step = asked_step(run, &state, about.step)?;
        about.refuse_other(step)?;
        let (decision, contents) = self.decision(&key, &state, step, choice)?;
        let event = Event::Decided {
            step: step.id.clone(),
            attempt: step.attempt,
            by,
            decision,
            reason: reason.filter(|reason| !reason.trim().is_empty()),
        };
        self.say(run, Entry { event, contents }).await?;
        Ok(step.id.clone())
    }

    /// Puts on record that a run is to be cancelled. Whoever has it, or takes it up, does that.
    ///
    /// # Errors
    ///
    /// It is over, or is being cancelled already. Or the engine failed.
    pub async fn cancel(
        &self,
        run: RunId,
        reason: String,
        rollback: bool,
        by: Operator,
    ) -> Result<(), StartError> {
        let state = self.state_of(run)?;
        if state.facts().is_some_and(|facts| facts.dry_run) {
            return Err(Refused::because(format!("run `{run}` is a dry run"))
                .help("it changes nothing, so there is nothing to cancel")
                .into());
        }
        if state.finish().is_some() {
            return Err(Refused::because(format!("run `{run}` is over"))
                .help(format!(
                    "`sandbook undo {run}` undoes what it did, where its runbook says how"
                ))
                .into());
        }
        let event = Event::CancelRequested {
            by,
            reason,
            rollback,
        };
        self.say(run, event.into()).await
    }

    /// Puts on record that what a finished run has done is to be undone. Whoever takes it up does that.
    ///
    /// # Errors
    ///
    /// It isn't finished, has been undone already, or has nothing to undo; another run holds its group; or the engine
    /// failed.
    pub async fn undo(&self, run: RunId, reason: String, by: Operator) -> Result<(), StartError> {
        // What is finished stays so until it is known that it can go on.
        self.refuse_without_space_for(run)?;
        let state = self.state_of(run)?;
        refuse_erased(run, &state)?;
        if let Some(group) = state.facts().and_then(|facts| facts.group.as_ref()) {
            Turn::new(self, group, Behavior::Reject)?.refuse_held(Some(run))?;
        }
        let event = Event::UndoRequested { by, reason };
        self.say(run, event.into()).await
    }

    /// Whether a live process goes on with a run. One that has just left it is waited for.
    ///
    /// # Errors
    ///
    /// The engine failed.
    pub fn is_carried_on(&self, run: RunId) -> Result<bool, StartError> {
        let begun = Instant::now();
        loop {
            let live = self.state().is_live(run);
            if !live.map_err(|error| Failed::State(error.into()))? {
                return Ok(false);
            }
            let goes_on = self.state_of(run)?.status() == RunStatus::Running;
            if goes_on || begun.elapsed() > LEAVING {
                return Ok(goes_on);
            }
            sleep(Duration::from_millis(20));
        }
    }

    fn state_of(&self, run: RunId) -> Result<RunState, Failed> {
        let state = self.reader()?.state(run);
        state.map_err(|error| Failed::State(error.into()))
    }

    async fn say(&self, run: RunId, entry: Entry) -> Result<(), StartError> {
        match self.journal().append(run, vec![entry]).await {
            Ok(_) => Ok(()),
            Err(JournalError::Illegal { source, .. }) => {
                Err(Refused::because(source.to_string()).into())
            }
            Err(error @ JournalError::GroupHeld { .. }) => {
                Err(Refused::because(error.to_string()).into())
            }
            Err(error) => Err(Failed::from(error).into()),
        }
    }

    /// The choice as it is recorded, with what lies outside the chain.
    fn decision(
        &self,
        key: &StateKey,
        state: &RunState,
        step: &StepState,
        choice: Choice,
    ) -> Result<(Decision, Vec<Content>), StartError> {
        let mut contents = Vec::new();
        let decision = match choice {
            Choice::Approve => Decision::Approve,
            Choice::Reject => Decision::Reject,
            Choice::Retry { fresh } => Decision::Retry {
                request: in_doubt(step),
                fresh,
            },
            Choice::Skip => Decision::Skip,
            Choice::Abort => Decision::Abort,
            Choice::Happened(answer) => {
                // Where none is, the journal says what fits in its place.
                let request = in_doubt(step).unwrap_or_default();
                let answer = recorded_answer(answer, key, &mut contents);
                Decision::Happened { request, answer }
            }
            Choice::Done(mut outputs) => {
                let sensitive = self.check_outputs(state, step, &mut outputs)?;
                let is_sensitive = |name: &str| sensitive.iter().any(|it| it == name);
                let (outputs, kept) = facts::recorded(&outputs, is_sensitive, key);
                contents = kept;
                Decision::Done { outputs }
            }
        };
        Ok((decision, contents))
    }

    /// Whether these are what the step would have put out; returns which of them are sensitive.
    fn check_outputs(
        &self,
        state: &RunState,
        step: &StepState,
        outputs: &mut Map<String, Value>,
    ) -> Result<Vec<String>, StartError> {
        let facts = state.facts().expect("a log that can be read has a start");
        let source = Source {
            name: facts.runbook.file.clone(),
            text: self.kept_text(&facts.runbook.digest)?,
        };
        let (runbook, _) = parse_runbook(&source)?;
        match action(&runbook, step.id.as_str()) {
            Some(Action::Manual(manual)) => Ok(check_manual(manual, &step.id, outputs)?),
            Some(Action::Plugin(using)) => self.check_plugins(facts, using, &step.id, outputs),
            _ if outputs.is_empty() => Ok(Vec::new()),
            _ => Err(Refused::because(format!("step `{}` puts out nothing", step.id)).into()),
        }
    }

    fn check_plugins(
        &self,
        facts: &journal::RunStarted,
        using: &Use,
        step: &journal::StepId,
        outputs: &Map<String, Value>,
    ) -> Result<Vec<String>, StartError> {
        let name = using.plugin.as_str();
        let Some(digest) = facts.plugins.get(name) else {
            let missing = format!("the record has no plugin `{name}`");
            return Err(Failed::State(missing.into()).into());
        };
        let (_, (packed, manifest)) = self.kept_plugin(name, digest)?;
        let sensitive = manifest.sensitive_outputs().map(str::to_owned).collect();
        let component = Component::new(packed, &manifest)?;
        let fits = component
            .schemas
            .check_output(&Value::Object(outputs.clone()));
        fits.map_err(|misfit| {
            Refused::because(format!("step `{step}`: {misfit}"))
                .help("give what it would have put out with `--outputs JSON`")
        })?;
        Ok(sensitive)
    }
}

/// An answer as it is recorded, with what lies outside the chain.
fn recorded_answer(
    answer: Option<Answer>,
    key: &StateKey,
    contents: &mut Vec<Content>,
) -> journal::Outcome {
    let answer = answer.unwrap_or(Answer {
        status: 200,
        headers: Vec::new(),
        body: Vec::new(),
    });
    let mut keep = |bytes: Vec<u8>| {
        let content = Content::new(key, bytes, Retention::Run);
        let kept = content.kept();
        contents.push(content);
        kept
    };
    let headers = serde_json::to_vec(&answer.headers).expect("pairs of texts always are JSON");
    journal::Outcome::Answered {
        status: answer.status,
        headers: Some(keep(headers)),
        body: (!answer.body.is_empty()).then(|| keep(answer.body)),
        retry_after_ms: None,
    }
}

/// What is sensitive is erased at a run's end, and what undoes it might be told an input of that kind.
fn refuse_erased(run: RunId, state: &RunState) -> Result<(), Refused> {
    let inputs = state.facts().into_iter().flat_map(|facts| &facts.inputs);
    let mut sensitive = inputs.filter(|(_, value)| matches!(value, Recorded::Sensitive(_)));
    match sensitive.next() {
        None => Ok(()),
        Some((name, _)) => Err(Refused::because(format!(
            "run `{run}` can't be undone any more: its sensitive input `{name}` was erased at its end"
        ))
        .help("undo it by hand, or with a runbook for that")),
    }
}

/// The step that a decision is about.
fn asked_step<'a>(
    run: RunId,
    state: &'a RunState,
    named: Option<&str>,
) -> Result<&'a StepState, Refused> {
    if let Some(name) = named {
        return state.step(name).ok_or_else(|| {
            Refused::because(format!("run `{run}` has no step `{name}`"))
                .help(format!("`sandbook show {run}` lists them"))
        });
    }
    let waiting: Vec<&StepState> = state.questions().map(|(step, _)| step).collect();
    match waiting.as_slice() {
        [step] => Ok(step),
        [] => Err(
            Refused::because(format!("no step of run `{run}` waits for a decision"))
                .help(format!("`sandbook show {run}` shows how it stands")),
        ),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|step| format!("`{}`", step.id))
                .collect();
            let message = format!("several steps of run `{run}` wait: {}", names.join(", "));
            Err(Refused::because(message).help("name the one that you have decided about"))
        }
    }
}

/// The request that a step waits for a person to say something about.
fn in_doubt(step: &StepState) -> Option<u32> {
    match step.question.as_ref()?.waiting {
        Waiting::InDoubt { request } => Some(request),
        _ => None,
    }
}

/// What a step of the record does; that of what undoes one, its rollback.
fn action<'a>(runbook: &'a Runbook, id: &str) -> Option<&'a Action> {
    let by_id = |id: &str| all_steps(runbook).find(|step| step.id.as_str() == id);
    let step: Option<&Step> = match id.strip_suffix(journal::ROLLBACK) {
        Some(undone) => by_id(undone)?.rollback.as_deref(),
        None => by_id(id),
    };
    step.map(|step| &step.action)
}

/// Completes what a person hands in, and says which of it is sensitive.
fn check_manual(
    manual: &Manual,
    step: &journal::StepId,
    outputs: &mut Map<String, Value>,
) -> Result<Vec<String>, Refused> {
    let known = |name: &str| manual.outputs.iter().any(|it| it.name.as_str() == name);
    if let Some(unknown) = outputs.keys().find(|name| !known(name)) {
        return Err(Refused::because(format!(
            "step `{step}` has no output `{unknown}`"
        )));
    }
    for output in &manual.outputs {
        let name = &output.name;
        let Some(value) = outputs.get(name.as_str()) else {
            if !output.required {
                outputs.insert(name.to_string(), Value::Null);
                continue;
            }
            let what = output.description.as_ref();
            let what = what.map_or_else(String::new, |text| format!(": {text}"));
            let missing = format!("output `{name}` of step `{step}` is missing{what}");
            return Err(Refused::because(missing).help("give it with `--outputs JSON`"));
        };
        let wrong = |fault| Refused::because(format!("output `{name}` of step `{step}`: {fault}"));
        output.validate(value).map_err(wrong)?;
    }
    Ok(manual.sensitive_outputs().map(str::to_owned).collect())
}
